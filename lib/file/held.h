/*
 * held - state that a tool opened from files, reopened when they change.
 *
 * A filter runs for weeks, and the index it opened at its start is rebuilt
 * meanwhile.  So everything it opened from files is one state.  Before each block
 * of records the flow (flow/flow.h) asks whether the state is stale, and opens a
 * new one if it is:
 *
 *     struct lh_held_how how = {
 *             .open = open_state, .stale = is_stale, .close = close_state, .ctx = &run
 *     };
 *     struct lh_held *held = lh_held_open(&how, err);
 *     ... run the flow with .held = held ...
 *     lh_held_close(held);
 *
 * States are counted in generations: a thread in the middle of a block continues
 * with the state from which the block began, and each state is closed after its
 * last use.  A state never changes once it is open, unless only the calling thread
 * uses it (one job).
 *
 * open makes a state from the one before, which it only reads, because that is in
 * use (unchanged parts are shared by a reference count of their own, not copied).
 * At the start `before` is NULL, and a failure is the tool's.  A later failure
 * gives every record of the block an error with status 503, and the next block
 * tries again; if the same files as those of the last good state are back, that
 * state is used again.  LH_ECORRUPT from a map ends a run only in the first state;
 * in a later one it is an error of the record, also with 503.
 *
 * A stamp identifies the file that a path led to: device, inode, size and mtime, of
 * one stat(2).  It is taken before the file is read, so that a change in between is
 * detected at the next check.  A path that leads to neither a regular file nor a
 * folder (a pipe) can be read only once, and never counts as changed.  A file
 * changed immediately before the stamp (file times tick every few milliseconds) is
 * checked again, because the next change might have the same time.
 *
 * Threads: lh_held_* are for the thread that runs the flow; close may be called on
 *          any.
 */
#ifndef LH_HELD_H
#define LH_HELD_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

struct lh_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
	bool there;
	bool stream;		/* never counts as changed */
	/* changed so recently that the next change may have the same time */
	bool recent;
};
void lh_stamp_take(struct lh_stamp *s, const char *path);
/* Return whether the path still leads to the same file, unchanged. */
bool lh_stamp_fits(const struct lh_stamp *s, const char *path);
bool lh_stamp_same(const struct lh_stamp *a, const struct lh_stamp *b);

struct lh_held_how {
	void *(*open)(void *ctx, const void *before, struct lh_err *err);
	bool (*stale)(void *ctx, const void *state);
	void (*close)(void *state);
	/* For answers to others, who shall not read the names of files: the reason why open
	 * failed goes here, once until it succeeds, and a general text to the records.  Or
	 * NULL. */
	void (*failed)(void *ctx, const struct lh_err *why);
	void *ctx;
};

struct lh_held;
/* Open the first state; *how is copied.  NULL with *err if that fails. */
struct lh_held *lh_held_open(const struct lh_held_how *how, struct lh_err *err);
/* Return the newest state, until the flow runs. */
void *lh_held_state(const struct lh_held *h);
void lh_held_close(struct lh_held *h);

/*
 * held_parts - the generations of a held state, for the flow.
 *
 *     if (lh_held_look(h, err) == 0)
 *             g = lh_held_take(h);            (the newest, counted for a block)
 *     lh_holding_share(g);                    (and for the thread that maps it)
 *     lh_holding_give(g);                     (the last one closes the state)
 */

struct lh_holding;

/* Open a new state if the files changed: 0, or -1 if that failed, with status 503
 * and LH_EDATA; or with LH_EINTR, which ends the run. */
int lh_held_look(struct lh_held *h, struct lh_err *err);

struct lh_holding *lh_held_take(struct lh_held *h);
void lh_holding_share(struct lh_holding *g);
void lh_holding_give(struct lh_holding *g);	/* NULL: does nothing */
void *lh_holding_state(const struct lh_holding *g);
/* Return whether it is another state than the one that the first records were given. */
bool lh_holding_renewed(const struct lh_holding *g);
bool lh_held_newest(const struct lh_held *h, const struct lh_holding *g);

#endif
