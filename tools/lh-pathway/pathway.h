/* pathway.h - shared by the commands of lh-pathway. */
#ifndef PATHWAY_H
#define PATHWAY_H

#include "memory/pathway.h"
#include "tool/op.h"

enum {
	V_ADD = 1, V_ADD_IDEMPOTENT = 2, V_UPDATE = 4, V_REVISE = 8, V_RETIRE = 16,
	V_GET = 32, V_HISTORY = 64, V_SEARCH = 128, V_VERIFY = 256, V_REQUESTS = 512,
	V_WRITES = V_ADD | V_ADD_IDEMPOTENT | V_UPDATE | V_REVISE | V_RETIRE,
};

/* A log and the state of a command. */
struct run {
	struct lh_tool *tool;
	const char *path;
	struct lh_pathway_hooks hooks;
	uint64_t reported;		/* skipped lines reported so far */
	struct lh_pathway *p;
	bool changed;			/* since the last sync */
	bool broken;			/* the log must be opened again */
};

struct settings {
	struct lh_list uid, tag, where;
	const char *contains;
	bool retired;
	uint64_t k;
	struct run run;
};

int run_open(struct run *r, struct lh_tool *tool, const char *path, enum lh_pathway_mode mode);
int run_close(struct run *r, int rc);
struct run *run_of(const struct lh_call *call);

/* The operations, and their records. */
lh_op_fn change_trace, get_trace, get_history, search_traces, get_stats;
struct change {
	struct lh_str uid, predecessor;
	struct lh_value content, tags;
};
extern const struct lh_bind add_members[], change_members[], revise_members[], uid_members[];
struct query {
	struct lh_str tag, contains;
	const struct lh_str *tags;
	size_t n_tags;
	int64_t after, before;
	uint64_t limit;
	bool retired, has_after, has_before, has_limit;
};
extern const struct lh_bind query_members[];

int check_now(struct lh_tool *tool);

/* Commands of their own. */
int pathway_search(struct lh_tool *tool, void *settings);
int pathway_verify(struct lh_tool *tool, void *settings);

#endif
