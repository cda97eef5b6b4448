/* pathway.h - shared by the commands of lh-pathway. */
#ifndef PATHWAY_H
#define PATHWAY_H

#include "tool/records.h"
#include "memory/pathway.h"

enum {
	V_ADD = 1, V_ADD_IDEMPOTENT = 2, V_UPDATE = 4, V_REVISE = 8, V_RETIRE = 16,
	V_GET = 32, V_HISTORY = 64, V_SEARCH = 128, V_VERIFY = 256,
	V_WRITES = V_ADD | V_ADD_IDEMPOTENT | V_UPDATE | V_REVISE | V_RETIRE,
};

struct settings {
	struct lh_list uid, tag, where;
	const char *contains;
	bool retired;
	uint64_t k;
};

/* A log and the state of a command. */
struct run {
	struct lh_tool *tool;
	const struct settings *s;
	const char *path;
	struct lh_pathway_hooks hooks;
	uint64_t reported;		/* skipped lines reported so far */
	struct lh_pathway *p;
	struct lh_buf strings;	/* unescaped strings of a record */
	struct lh_str uid, predecessor;
};

int run_open(struct run *r, struct lh_tool *tool, const struct settings *s, const char *path,
	     bool writes);
int run_close(struct run *r, int rc);

/* Answer each --uid as a record {"uid":...}; then the records of the input, unless
 * there was a --uid and no FILE. */
int run_records(struct run *r,
		int (*map)(struct lh_record *rec, struct lh_buf *out, void *run,
			   struct lh_err *err));

/* The commands. */
int pathway_change(struct lh_tool *tool, void *settings);	/* add to retire */
int pathway_get(struct lh_tool *tool, void *settings);
int pathway_history(struct lh_tool *tool, void *settings);
int pathway_search(struct lh_tool *tool, void *settings);
int pathway_verify(struct lh_tool *tool, void *settings);

#endif
