/* pathway.h - shared by the commands of lh-pathway. */
#ifndef PATHWAY_H
#define PATHWAY_H

#include "tool/records.h"
#include "memory/pathway.h"

enum {
	V_ADD = 1, V_ADD_IDEMPOTENT = 2, V_UPDATE = 4, V_REVISE = 8, V_RETIRE = 16,
	V_GET = 32, V_HISTORY = 64, V_SEARCH = 128, V_VERIFY = 256, V_REQUESTS = 512,
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
	unsigned op;			/* the command, or the operation of the request */
	struct lh_pathway_hooks hooks;
	uint64_t reported;		/* skipped lines reported so far */
	struct lh_pathway *p;
	bool changed;			/* since the last sync */
	bool broken;			/* the log must be opened again */
	bool failing;			/* its failure is reported already */
	struct lh_buf strings;	/* unescaped strings of a record */
};

int run_open(struct run *r, struct lh_tool *tool, const struct settings *s, const char *path,
	     enum lh_pathway_mode mode);
int run_close(struct run *r, int rc);

/* Answer each --uid as a record {"uid":...}; then the records of the input, unless
 * there was a --uid and no FILE. */
int run_records(struct run *r,
		int (*map)(struct lh_record *rec, struct lh_buf *out, void *run,
			   struct lh_err *err));

/* The maps of the commands, with r->op set. */
int change_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);
int get_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);
int history_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);

/* A search: its conditions, and its position. */
struct search {
	struct run *run;
	const struct lh_str *tags;	/* a trace has all of them, ... */
	size_t n_tags;
	struct lh_str tag;		/* ... and this one; n = 0: no condition */
	struct lh_str contains;		/* p = NULL: no condition */
	struct lh_filter *filter;	/* NULL: no condition */
	int64_t after, before;		/* created_at_ns is between them; INT64_MIN, ... */
					/* ... INT64_MAX: no condition */
	bool retired;			/* also retired traces */
	uint64_t left;			/* at most so many results */
	struct lh_buf text;		/* scratch */
	uint64_t at;			/* traces not yet visited; the last added is first */
};
#define SEARCH_ALL(r) \
	{ .run = (r), .after = INT64_MIN, .before = INT64_MAX, .left = UINT64_MAX }

/* Find the next trace: 1, 0 at the end or when a signal stops the run, -1 with *err.
 * Call search_start first. */
void search_start(struct search *f);
int search_next(struct search *f, uint32_t *i, struct lh_err *err);

int check_now(struct lh_tool *tool);

/* The commands. */
int pathway_change(struct lh_tool *tool, void *settings);	/* add to retire */
int pathway_get(struct lh_tool *tool, void *settings);
int pathway_history(struct lh_tool *tool, void *settings);
int pathway_search(struct lh_tool *tool, void *settings);
int pathway_requests(struct lh_tool *tool, void *settings);
int pathway_verify(struct lh_tool *tool, void *settings);

#endif
