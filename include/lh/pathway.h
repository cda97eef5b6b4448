/*
 * pathway - a memory of traces, kept as an append-only log of what happened
 * to them.
 *
 *     p = lh_pathway_open("traces.jsonl", true, &hooks, 60, err);
 *     lh_pathway_add(p, &(struct lh_pathway_new){ .uid = uid, .content = &v, .ns = now }, &i, err);
 *     lh_pathway_put(p, i, &out, err);
 *     lh_pathway_close(p, err);
 *
 * Log:     one event a line, {"op","trace"?,"uid"?,"content"?}: add and revise
 *          carry a trace, update a uid, the content and the trace as it is
 *          then, retire and replay a uid.  An event is one write(2) under an
 *          exclusive flock, which is held from the look at what others wrote
 *          until then: of two processes that add one uid, one is refused.
 * Reading: the log is replayed in blocks; what is kept of a trace is where its
 *          parts stand in the file, and they are read, and checked again, when
 *          they are wanted.  A line that is no event is skipped and told to
 *          hooks->skipped; so is one that names a trace that is not there, or
 *          adds one that is.
 * Memory:  80 bytes a trace, 44 to 56 for finding it, a half more of either for
 *          a moment while it grows; a line, and a window of 256 KiB.
 * Errors:  LH_EDATA where the request is wrong, LH_ECORRUPT where the log is no
 *          longer what it was.
 * Threads: one thread per struct; any number of processes per log.
 */
#ifndef LH_PATHWAY_H
#define LH_PATHWAY_H

#include <lh/json.h>

LH_C_BEGIN

#define LH_PATHWAY_UID_MAX 1024		/* bytes */

struct lh_pathway;

struct lh_pathway_hooks {
	/* Line number (from 1) at that offset is passed over, for that reason. */
	void (*skipped)(void *ctx, uint64_t line, uint64_t offset, const char *why);
	void *ctx;
	uint64_t max_line;	/* the longest line of a log that is read; 0: 256 MiB */
};

struct lh_pathway_stats {
	uint64_t events, traces, retired, skipped;
};

/* A log to write is made when there is none.  hooks may be NULL, else it must
 * outlive the struct.  lock_timeout: seconds that each call waits for others. */
LH_API struct lh_pathway *lh_pathway_open(const char *path, bool writes,
					  const struct lh_pathway_hooks *hooks, double lock_timeout,
					  struct lh_err *err);
LH_API int lh_pathway_close(struct lh_pathway *p, struct lh_err *err);

/* Does the path still lead to the log that is open? */
LH_API bool lh_pathway_in_place(const struct lh_pathway *p);

/* Replay what was appended since: traces are found as they were at the last
 * call of this or of a change. */
LH_API int lh_pathway_refresh(struct lh_pathway *p, struct lh_err *err);
LH_API void lh_pathway_get_stats(const struct lh_pathway *p, struct lh_pathway_stats *st);

/* Traces are numbered in the order they were added.  The number of the one
 * with that uid, or -1. */
LH_API int64_t lh_pathway_find(const struct lh_pathway *p, const char *uid, size_t n);
LH_API bool lh_pathway_retired(const struct lh_pathway *p, uint32_t i);

/* Append trace i as JSON: uid, content, predecessor_uid?, created_at_ns,
 * updated_at_ns, retired, replay_count, tags?. */
LH_API int lh_pathway_put(struct lh_pathway *p, uint32_t i, struct lh_buf *out, struct lh_err *err);

/* The content, or the tags (v->n = 0: there are none), of trace i, checked;
 * valid until the next call. */
LH_API int lh_pathway_content(struct lh_pathway *p, uint32_t i, struct lh_value *v,
			      struct lh_err *err);
LH_API int lh_pathway_tags(struct lh_pathway *p, uint32_t i, struct lh_value *v,
			   struct lh_err *err);

/* The predecessor of trace i: its number, -1 when i names none, -2 when that
 * one is missing, -3 on error. */
LH_API int64_t lh_pathway_predecessor(struct lh_pathway *p, uint32_t i, struct lh_err *err);

/* Does the walk back from i come to an end?  0, LH_EDATA for a cycle, or
 * another error. */
LH_API int lh_pathway_ends(struct lh_pathway *p, uint32_t i, struct lh_err *err);

/* What is added: strings of UTF-8, checked values. */
struct lh_pathway_new {
	struct lh_str uid;		/* n = 0: one is minted */
	struct lh_str predecessor;	/* of a revision */
	const struct lh_value *content;
	const struct lh_value *tags;	/* an array of strings, or NULL */
	int64_t ns;			/* the time to write, since 1970 */
	bool fixed;			/* the clock stands still: minted uids count */
};

/* *i is the trace that was added, or changed. */
LH_API int lh_pathway_add(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
			  struct lh_err *err);
/* A uid that is known is no error: its replay_count grows by one, that is all. */
LH_API int lh_pathway_add_idempotent(struct lh_pathway *p, const struct lh_pathway_new *t,
				     uint32_t *i, struct lh_err *err);
LH_API int lh_pathway_revise(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
			     struct lh_err *err);
LH_API int lh_pathway_update(struct lh_pathway *p, struct lh_str uid,
			     const struct lh_value *content, int64_t ns, uint32_t *i,
			     struct lh_err *err);
/* One that is retired already is left as it is. */
LH_API int lh_pathway_retire(struct lh_pathway *p, struct lh_str uid, uint32_t *i,
			     struct lh_err *err);

/* Let what was appended reach the disk. */
LH_API int lh_pathway_sync(struct lh_pathway *p, struct lh_err *err);

LH_C_END

#endif
