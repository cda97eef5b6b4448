/*
 * secret - keys in memory, and the files they come from.
 *
 *     struct lh_secret key;
 *     if (lh_secret_read(&key, path, 4096, false, err) < 0) ...
 *     ... key.p[0..key.n) ...
 *     lh_secret_wipe(&key);
 *
 * A file of secrets is a regular one that nobody but its owner may touch (mode
 * 0600 or less) and that is reached without following a symbolic link; a FIFO,
 * a folder, a device, or more than max bytes are refused at once, and no read
 * ever waits.  What stands in it is the caller's to judge: an empty file is
 * n = 0, and a newline at its end is part of it.
 *
 * The bytes lie in pages of their own that are kept out of swap as far as the
 * limits allow and out of core files, and are wiped before they go back.  As
 * copies escape (the environment, libcurl's buffers), a process that holds a
 * secret is also made undumpable: it leaves no core file, and other processes
 * of the same user cannot trace it (PR_SET_DUMPABLE in prctl(2)).
 *
 * Owner:   the struct is the caller's; wiping one that is all zero, or wiped,
 *          does nothing.  LH_PAD zero bytes follow the last one.
 * Errors:  LH_EIO naming the path, never what stands in it; LH_ENOMEM.  *s is
 *          then empty.
 * Threads: one thread per struct, as many readers as you like.
 */
#ifndef LH_SECRET_H
#define LH_SECRET_H

#include <stdbool.h>

#include <lh/buf.h>

struct lh_secret {
	unsigned char *p;
	size_t n;
	size_t mapped;		/* bytes of the pages */
};

/* The whole of a file; insecure: whatever its mode is. */
int lh_secret_read(struct lh_secret *s, const char *path, size_t max, bool insecure, struct lh_err *err);

/* Room for n bytes, zero. */
int lh_secret_alloc(struct lh_secret *s, size_t n, struct lh_err *err);

void lh_secret_wipe(struct lh_secret *s);

/* Append the beginning of text, n bytes of it at most, with every one of those
 * keys that stands in it, also with JSON's escapes, as "***". */
void lh_secret_scrub(const struct lh_secret *key, size_t n_keys, const char *text, size_t len, size_t n, struct lh_buf *out);

#endif
