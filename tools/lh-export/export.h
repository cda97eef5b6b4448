/* export.h - what main.c and export.c share. */
#ifndef EXPORT_H
#define EXPORT_H

#include "tool/op.h"
#include "base/table.h"
#include "distill/sample.h"
#include "schema/schema.h"
#include "distill/stages.h"

enum { VERB_RAG = 1, VERB_SFT = 2, VERB_PREFERENCE = 4 };

struct settings {
	struct lh_run_how run;
	struct lh_export how;
	const char *quarantine;
};

int root_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s);
int filter_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s);

/* ---- the filter ---- */

struct filter {
	struct lh_tool *tool;
	enum lh_exporter x;
	const struct settings *s;
	char recorded_at[LH_TIME_LEN + 1];
	const char *scored_at;		/* NULL: the time at which the evidence was recorded */
	struct lh_quarantine *refused;
	struct lh_map seen;		/* ids that were written */
	struct pairing *pairing;	/* export.c */
};

/* The memory of a thread. */
struct worker {
	const struct filter *f;
	struct lh_scorer *scorer;
	struct lh_sampler *sampler;
	struct lh_buf scored;
	struct lh_record rec;		/* the scored run in it */
	const struct lh_schema *evidence;
	struct lh_buf text, scratch;
};
int worker_init(void *context, void *ctx, struct lh_err *err);
void worker_free(void *worker);

#endif
