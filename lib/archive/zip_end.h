/*
 * zip_end - check that a zip has all of its members.
 *
 * The end of a zip says how many there are.  libarchive does not compare: in a pipe
 * it never sees a member whose first bytes are damaged, and a file whose end is
 * damaged it reads like a pipe.
 *
 * Private to lh_archive.
 */
#ifndef LH_ZIP_END_H
#define LH_ZIP_END_H

#include <stdint.h>
#include <stddef.h>

#include <lh/err.h>

#define LH_ZIP_END 22			/* bytes of the last record, before its comment */
#define LH_ZIP_COMMENT 65535
#define LH_ZIP64_END (56 + 20)		/* of the two records before it in a large zip */
#define LH_ZIP_KEPT (LH_ZIP64_END + LH_ZIP_END + LH_ZIP_COMMENT)

struct lh_zip_end {
	size_t n;
	unsigned char p[LH_ZIP_KEPT];	/* the last bytes so far */
};

/* Add the next bytes of the zip. */
void lh_zip_end_add(struct lh_zip_end *z, const void *p, size_t n);

/* Check at the end: LH_EIO unless it ends as a zip of that many members. */
int lh_zip_end_check(const struct lh_zip_end *z, uint64_t members, struct lh_err *err);

#endif
