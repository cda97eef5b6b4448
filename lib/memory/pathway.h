/*
 * pathway - a memory of traces, stored as an append-only log of events.
 *
 * A trace is a JSON value with a uid: it can be revised (by a new trace that names
 * its predecessor), updated, retired, and counted as replayed.
 *
 *     p = lh_pathway_open("traces.jsonl", LH_PATHWAY_WRITE, &hooks, 60, err);
 *     lh_pathway_add(p, &(struct lh_pathway_new){ .uid = uid, .content = &v, .ns = now }, &i, err);
 *     lh_pathway_put(p, i, &out, err);
 *     lh_pathway_close(p, err);
 *
 * Log:     one event per line, {"op","trace"?,"uid"?,"content"?}.  Events add and
 *          revise carry a trace; update carries a uid, the content and the trace
 *          after the update; retire and replay carry a uid.  An event is one
 *          write(2) under an exclusive flock, which is held from replaying what
 *          others wrote until then: of two processes that add the same uid, one
 *          is refused.
 * Reading: the log is replayed in blocks.  Of a trace only the offsets of its parts
 *          are stored; the parts are read, and checked again, on request.  Skipped
 *          lines are reported to hooks->skipped: lines that are not events, and
 *          events that name an unknown trace or add a known one.  A tombstone (file/rows.h)
 *          is a blank line: all events of a trace become tombstones together.
 * Memory:  80 bytes per trace and 44 to 56 to find it, and half of either on top
 *          while it grows; a line, and a window of 256 KiB.
 * Errors:  LH_EDATA for a wrong request, LH_ECORRUPT when the log has changed
 *          where it was read before.
 * Threads: one thread per struct; any number of processes per log.
 */
#ifndef LH_PATHWAY_H
#define LH_PATHWAY_H

#include "json/json.h"

#define LH_PATHWAY_UID_MAX 1024		/* bytes */

struct lh_pathway;

struct lh_pathway_hooks {
	/* Called for a line (counted from 1) that is skipped, with its offset. */
	void (*skipped)(void *ctx, uint64_t line, uint64_t offset, const char *why);
	void *ctx;
	uint64_t max_line;	/* longest line of a log that is read; 0: 256 MiB */
};

struct lh_pathway_stats {
	uint64_t events, traces, retired, skipped;
};

enum lh_pathway_mode {
	LH_PATHWAY_READ,
	LH_PATHWAY_WRITE,	/* create the log if it is absent */
	LH_PATHWAY_LATE,	/* write, but create it with the first change; empty until then */
};

/* Open a log.  hooks is NULL or must outlive the struct.  Each call waits for at most
 * lock_timeout seconds for other processes. */
struct lh_pathway *lh_pathway_open(const char *path, enum lh_pathway_mode mode,
				   const struct lh_pathway_hooks *hooks, double lock_timeout,
				   struct lh_err *err);
int lh_pathway_close(struct lh_pathway *p, struct lh_err *err);

/* Return whether the log that is open, if any, is still the file at its path. */
bool lh_pathway_in_place(const struct lh_pathway *p);

/* Replay what was appended since.  Traces are found in their state at the last call of
 * this function or of a change. */
int lh_pathway_refresh(struct lh_pathway *p, struct lh_err *err);
void lh_pathway_get_stats(const struct lh_pathway *p, struct lh_pathway_stats *st);

/* Return the number of the trace of that uid, or -1.  Traces are numbered in the order
 * of their additions. */
int64_t lh_pathway_find(const struct lh_pathway *p, const char *uid, size_t n);
bool lh_pathway_retired(const struct lh_pathway *p, uint32_t i);
/* Return when trace i was added: nanoseconds since 1970. */
int64_t lh_pathway_created(const struct lh_pathway *p, uint32_t i);

/* Append trace i as JSON: uid, content, predecessor_uid?, created_at_ns,
 * updated_at_ns, retired, replay_count, tags?. */
int lh_pathway_put(struct lh_pathway *p, uint32_t i, struct lh_buf *out, struct lh_err *err);

/* Read and check the content or the tags (v->n = 0: none) of trace i; valid until the
 * next call. */
int lh_pathway_content(struct lh_pathway *p, uint32_t i, struct lh_value *v,
		       struct lh_err *err);
int lh_pathway_tags(struct lh_pathway *p, uint32_t i, struct lh_value *v,
		    struct lh_err *err);

/* Return the number of the predecessor of trace i, -1 when it names none or one that is not
 * there and that a tombstone before the event may have been, -2 when that trace is missing, -3
 * on error. */
int64_t lh_pathway_predecessor(struct lh_pathway *p, uint32_t i, struct lh_err *err);

/* Check that following predecessors from i ends.  LH_EDATA for a cycle. */
int lh_pathway_ends(struct lh_pathway *p, uint32_t i, struct lh_err *err);

/* A new trace: strings are UTF-8, values are checked. */
struct lh_pathway_new {
	struct lh_str uid;		/* n = 0: to be minted */
	struct lh_str predecessor;	/* for a revision */
	const struct lh_value *content;
	const struct lh_value *tags;	/* an array of strings, or NULL */
	int64_t ns;			/* time of the event: nanoseconds since 1970 */
	bool fixed;			/* fixed clock: mint uids by counting */
};

/* Change a trace; *i is the trace that was added or changed. */
int lh_pathway_add(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
		   struct lh_err *err);
/* Add a trace, or only count a replay of a trace of that uid. */
int lh_pathway_add_idempotent(struct lh_pathway *p, const struct lh_pathway_new *t,
			      uint32_t *i, struct lh_err *err);
int lh_pathway_revise(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
		      struct lh_err *err);
int lh_pathway_update(struct lh_pathway *p, struct lh_str uid,
		      const struct lh_value *content, int64_t ns, uint32_t *i,
		      struct lh_err *err);
/* Retire a trace; a retired one is left as it is. */
int lh_pathway_retire(struct lh_pathway *p, struct lh_str uid, uint32_t *i,
		      struct lh_err *err);

/* Sync the log to disk. */
int lh_pathway_sync(struct lh_pathway *p, struct lh_err *err);

#endif
