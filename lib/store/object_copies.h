/*
 * object_copies - local copies of objects in S3, for tools that need a file.
 *
 *     struct lh_object_copies copies = { .n = 0 };
 *     rc = lh_object_copies_take(&copies, &operand, err);	("s3://bucket/w.lhv": a path)
 *     ...
 *     lh_object_copies_free(&copies);
 *
 * A child copies into the cache of cache.h (lh-index fetch, lh-store sync), so that the tool
 * itself has no HTTP client.  An object is copied once, at the start.
 *
 * Owner:   operands that are set point into the struct.
 * Errors:  LH_EIO with the child's message.
 */
#ifndef LH_OBJECT_COPIES_H
#define LH_OBJECT_COPIES_H

#include <lh/err.h>

struct lh_object_copies {
	char **path;
	int *held;		/* descriptors that keep copies in the cache, or -1 */
	size_t n, cap_path, cap_held;
};

/* Copy the object that "s3://..." or "NAME=s3://..." names, and what is stored with it under
 * KEY-log, and set *operand to the copy, after NAME= if that was there.  Another operand stays as
 * it is. */
int lh_object_copies_take(struct lh_object_copies *c, const char **operand, struct lh_err *err);
/* Copy all objects below s3://BUCKET/PREFIX to a folder, and set *operand to that. */
int lh_object_copies_folder(struct lh_object_copies *c, const char **operand,
			    struct lh_err *err);
void lh_object_copies_free(struct lh_object_copies *c);

#endif
