/*
 * secret - keys in memory, and the files they come from.
 *
 *     struct lh_secret key;
 *     if (lh_secret_read(&key, path, 4096, false, err) < 0) ...
 *     ... key.p[0..key.n) ...
 *     lh_secret_wipe(&key);
 *
 * A file of secrets is a regular one that only its owner may access (mode 0600 or
 * less) and that is reached without following a symbolic link; a FIFO, a folder, a
 * device, and a file of more than max bytes are refused at once, and no read ever
 * waits.  The caller checks the contents: an empty file is n = 0, and a newline at
 * its end is part of it.
 *
 * The bytes are in pages of their own, which are kept out of swap as far as the
 * limits permit and out of core files, and are wiped before they are freed.
 * Because copies escape (the environment, libcurl's buffers), a process that has a
 * secret is also made undumpable: it leaves no core file, and other processes of
 * the same user cannot trace it (PR_SET_DUMPABLE in prctl(2)).
 *
 * Owner:   the struct is the caller's; wiping one that is all zero, or wiped, does
 *          nothing.  LH_PAD zero bytes follow the last one.
 * Errors:  LH_EIO naming the path, never its contents.  *s is then empty.
 * Threads: one thread per struct, any number of readers.
 */
#ifndef LH_SECRET_H
#define LH_SECRET_H

#include <stdbool.h>

#include "base/buf.h"

struct lh_secret {
	unsigned char *p;
	size_t n;
	size_t mapped;		/* bytes of the pages */
};

/* Read a whole file; insecure: accept any mode. */
int lh_secret_read(struct lh_secret *s, const char *path, size_t max, bool insecure,
		   struct lh_err *err);

/* Allocate n zero bytes. */
void lh_secret_alloc(struct lh_secret *s, size_t n);

void lh_secret_wipe(struct lh_secret *s);

/* Append the first bytes of text, at most n, with every occurrence of one of those
 * keys, also with JSON's escapes, replaced by "***". */
void lh_secret_scrub(const struct lh_secret *key, size_t n_keys, const char *text, size_t len,
		     size_t n, struct lh_buf *out);

#endif
