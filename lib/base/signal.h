/*
 * signal - stop on a signal, and remove temporary files first.
 *
 * SIGINT, SIGTERM and SIGHUP end the process at once, after unlinking every
 * registered temporary file.  Between lh_signal_defer(true) and
 * lh_signal_defer(false), where an action must be complete, the first signal only
 * sets a flag, which lh_stopping reads, and makes the wake descriptor readable.  A
 * second signal always ends the process.  Signals that were ignored at start (nohup,
 * a shell's background jobs) stay ignored.
 */
#ifndef LH_SIGNAL_H
#define LH_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

void lh_signal_install(void);
void lh_signal_defer(bool on);
bool lh_signal_deferred(void);

/* Return the signal that arrived while deferred, or 0. */
int lh_signal_pending(void);

/* Return whether a signal has asked to stop, or the work was abandoned.  Long loops call
 * it periodically, from any thread. */
bool lh_stopping(void);

/* Make lh_stopping in the calling thread also return true once *abandoned, which another
 * thread sets atomically: the run has failed elsewhere, and its work is not wanted. */
void lh_stop_when(const bool *abandoned);

/* Return a descriptor that is readable once a signal arrived; -1 before
 * lh_signal_wake_open succeeded. */
int lh_signal_wake_fd(void);
int lh_signal_wake_open(struct lh_err *err);

/* Block these signals in the calling thread, so that the main thread receives them. */
void lh_signal_block(sigset_t *old);

/* Call work(ctx, i) for each i below n at once: for 0 in the calling thread, for the others in
 * threads that get no signal, as far as these can be created. */
void lh_signal_crew(size_t n, void (*work)(void *ctx, size_t i), void *ctx);

/* Unlink the registered files; for a signal handler that ends the process. */
void lh_signal_unlink(void);

/* Add a function that the process calls before it dies of a signal, from the handler: it
 * may do only what is safe there.  There is room for two. */
void lh_signal_before_death(void (*call)(void));

/* Call that, unlink the registered files and die of sig. */
void lh_signal_die(int sig);
/* The same, but end with an exit status. */
void lh_signal_exit(int status);

/* Register a file to unlink; path stays the caller's.  Returns a slot, or -1 if all
 * are taken. */
int lh_signal_tmp_add(const char *path);
void lh_signal_tmp_drop(int slot);

#endif
