/*
 * spill - temporary files that have no name, and how much may be in them.
 *
 * SQLite writes what it sorts and what it copies to such files through a VFS of its own,
 * which opens nothing else: no statement can reach a file by name.
 */
#ifndef LH_QUERY_SPILL_H
#define LH_QUERY_SPILL_H

#include <stdint.h>

#include <lh/err.h>

#define SPILL_VFS "lh-spill"

/* Register the VFS.  max: bytes of all temporary files together. */
int spill_init(uint64_t max, struct lh_err *err);

/* Write to a temporary file. */
struct spill_file {
	int fd;
	uint64_t size, max;
};
int spill_start(struct spill_file *f, uint64_t max, struct lh_err *err);
int spill_write(struct spill_file *f, const void *p, size_t n, struct lh_err *err);
/* Return its descriptor, or -1 after a failure (rc -1). */
int spill_end(struct spill_file *f, int rc, struct lh_err *err);

/* Copy what can be read from fd once to a temporary file; return its descriptor, or -1. */
int spill_copy(int fd, uint64_t max, struct lh_err *err);

#endif
