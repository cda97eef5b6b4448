/*
 * held - what a tool holds of files that others change, and its renewal.
 *
 * A filter lives for weeks, and the index that it opened at its start is rebuilt
 * meanwhile.  So all that it holds of files is one state, which a flow
 * (flow/flow.h) asks before each block of records whether it is stale, and opens
 * anew if so:
 *
 *     struct lh_held_how how = { .open = open_state, .stale = is_stale, .close = close_state, .ctx = &run };
 *     struct lh_held *held = lh_held_open(&how, err);
 *     rc = lh_flow_run(&tool, &(struct lh_flow){ .held = held, .worker_new = worker_new, ... });
 *     lh_held_close(held);
 *
 * States are counted in generations: a thread that is still at a block goes on
 * with the state from which that block began, and each is closed after the last
 * answer from it.  A state never changes once it is open, unless nobody but the
 * calling thread uses it (one job).
 *
 * open makes a state from the one before, which it only reads, as it is in use
 * (what has not changed is shared by a count of its own, not copied); before is
 * NULL at the start, and a failure there is the tool's.  A later one costs the
 * records of that block an error with status 503, and is tried again with the
 * next block; when the very files of the last good state are back, that state
 * goes on.  A map's LH_ECORRUPT ends a run only in the first state; of a later
 * one it costs the record, likewise with 503.
 *
 * A stamp says which file a path led to: device, inode, size and mtime, of one
 * stat(2).  It is taken before the file is read, so that a change in between is
 * seen at the next look.  What is no regular file and no folder (a pipe) can be
 * read only once, and never counts as changed.  What was changed in the very
 * instant before (a clock of files ticks every few milliseconds) is looked at
 * again, as the next change might have the same time.
 *
 * Threads: lh_held_* are for the thread that runs the flow; close may be called
 *          on any.
 */
#ifndef LH_HELD_H
#define LH_HELD_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include <lh/err.h>

struct lh_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	bool there;
	bool stream;		/* never counts as changed */
	bool young;		/* was changed but now, and may be again at that very time */
};
void lh_stamp_take(struct lh_stamp *s, const char *path);
/* Does the path lead to what it led to then? */
bool lh_stamp_fits(const struct lh_stamp *s, const char *path);
bool lh_stamp_same(const struct lh_stamp *a, const struct lh_stamp *b);

struct lh_held_how {
	void *(*open)(void *ctx, const void *before, struct lh_err *err);
	bool (*stale)(void *ctx, const void *state);
	void (*close)(void *state);
	void *ctx;
};

struct lh_held;
/* how is copied; NULL with *err when the first state cannot be opened. */
struct lh_held *lh_held_open(const struct lh_held_how *how, struct lh_err *err);
/* The newest state, until the flow runs. */
void *lh_held_state(const struct lh_held *h);
void lh_held_close(struct lh_held *h);

#endif
