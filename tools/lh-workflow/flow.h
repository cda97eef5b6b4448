/* flow.h - shared by the commands of lh-workflow. */
#ifndef FLOW_H
#define FLOW_H

#include "observe/observe.h"
#include "serve/pool.h"
#include "serve/routes.h"
#include "tool/op.h"
#include "workflow.h"

enum { V_CHECK = 1, V_RUN = 2, V_REQUESTS = 4 };

struct settings {
	const char *modes, *state, *observe, *resume, *run_id;
	double timeout;		/* seconds; 0: that of the mode */
	bool no_input;
	struct engine *engine;	/* of requests */
};
extern const struct lh_op workflow_ops[];

/* ---- modes: the filters that nodes ask ---- */

struct mode {
	char *name;
	char **argv;
	unsigned most, depth;	/* processes; lines in one at one time */
	double timeout;		/* seconds */
	bool read;		/* changes nothing: may be asked once more */
	bool own;		/* of this family: an answer may say that it failed by "status" */
	struct lh_pool *pool;	/* NULL: not started */
	struct lh_tool *tool;	/* once it was started: reports its stderr */
	uint64_t restarts;	/* of the pool, when it answered last */
	double down_until;	/* it ended again and again */
};

struct modes {
	struct lh_tool *tool;
	struct lh_loop loop;
	struct mode *mode;
	size_t n, cap;
	struct lh_table by_name;
};

/* Read --modes and add what is built in; with `requests`, without those that a server has to
 * permit first.  Nothing is started. */
int modes_open(struct modes *m, struct lh_tool *tool, const struct settings *s, bool requests);
/* Let all processes end, and free. */
void modes_close(struct modes *m);
/* Return whether there is a mode; for struct lh_workflow_modes. */
bool modes_know(const void *modes, struct lh_str name);
struct mode *modes_find(const struct modes *m, struct lh_str name);
/* Limit the processes of each mode to jobs, and to the nodes of w (or NULL) that use it. */
void modes_fit(struct modes *m, const struct lh_workflow *w, uint64_t jobs);
/* Ask; processes are started at the first time. */
int modes_ask(struct modes *m, struct mode *mode, struct lh_ask *ask, struct lh_err *err);
/* Take note that a mode answered. */
void mode_answered(struct mode *mode);
/* Write, wait a moment for answers, and take them. */
int modes_turn(struct modes *m, struct lh_err *err);
/* End all processes at once; what is still asked is answered as gone. */
void modes_kill(struct modes *m);

/* ---- recorded: the rows of an interrupted run ---- */

struct recorded {
	struct lh_mapped log;
	struct lh_buf quoted;	/* the id as rows have it, without the closing quote */
	struct lh_intern *keys;	/* RUN LF NODE */
	struct recorded_row {
		size_t at, n;
	} *row;			/* by the number of the key */
	size_t cap;
	struct lh_record rec;
	struct lh_buf line, text;
};

/* What a row says; the strings point into the struct recorded. */
struct recorded_node {
	struct lh_str run, node, status, started_at, error, digest;
	struct lh_value output;	/* p is NULL without one */
	uint64_t duration_ms;
};

/* Read the rows of a run from a log, which may not exist. */
int recorded_open(struct recorded *r, const char *log, const char *run, struct lh_err *err);
void recorded_close(struct recorded *r);
/* Find the row of a node: 1, 0 if there is none, -1. */
int recorded_find(struct recorded *r, const char *run, struct lh_str node,
		  struct recorded_node *found, struct lh_err *err);

/* ---- a run ---- */

#define RUN_ID_MAX 128

struct run;

struct engine {
	struct lh_tool *tool;
	const struct settings *s;
	struct modes modes;
	uint64_t jobs;		/* nodes at one time */
	struct lh_observe_log *log;	/* NULL: none */
	struct recorded *recorded;	/* NULL: none */
	char base[RUN_ID_MAX + 1];	/* id of the first run; others have a number added */
	uint64_t runs;
	struct run *run;	/* its memory is used again */
};

int engine_open(struct engine *e, struct lh_tool *tool, const struct settings *s, bool requests);
int engine_close(struct engine *e, int rc);

/* Where the result of each node goes: a line without LF, which the function may change. */
struct run_to {
	int (*result)(void *owner, struct lh_buf *line, struct lh_err *err);
	void *owner;
};

/* Run a flow with an input (an object), and append the line of the run, without LF, to last: 0,
 * also if nodes failed. */
int engine_run(struct engine *e, const struct lh_workflow *w, const struct lh_value *input,
	       const struct run_to *to, struct lh_buf *last, struct lh_err *err);
void run_free(struct run *run);

#endif
