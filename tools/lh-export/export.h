/*
 * export.h - the parts of lh-export.
 *
 *     root.c      one export over a root
 *     filter.c    evidence in, samples out
 *     one.c       ... a sample per record (rag, sft)
 *     pair.c      ... samples of pairs, made at the end of input (preference)
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "tool/op.h"
#include "base/table.h"
#include "distill/sample.h"
#include <lh/schema.h>
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
	struct pairing *pairing;	/* pair.c */
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

/* Score a record: 1 with w->rec; 0 if it is not evidence, with *why; -1. */
int worker_score(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
		 struct lh_err *err);

/* Write a sample, unless one with its id was written; then refuse source. */
int put_sample(struct filter *f, const char *id, const struct lh_str *sample,
	       const struct lh_str *source, struct lh_err *err);
int put_refused(struct filter *f, enum lh_refusal why, const struct lh_str *source,
		const struct lh_buf *errors, struct lh_err *err);

int one_run(struct filter *f);
int pair_run(struct filter *f);

#endif
