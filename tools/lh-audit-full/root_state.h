/*
 * root_state - the files of a root that a census read: names, lengths, digests.
 *
 * The parts of a divided census, and the merge, read the same files; if not, the root has
 * changed in between.  The digests (XXH3) are against mistakes, not against forgery.
 */
#ifndef ROOT_STATE_H
#define ROOT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lh/err.h>

struct root_file {
	char *path;		/* relative to the root; of a folder, if it cannot be read */
	uint64_t bytes, digest;	/* of what was read */
	bool unreadable;
};

struct root_state {
	struct root_file *file;
	size_t n, cap;
};

/* Add a file; path is copied. */
int root_state_add(struct root_state *s, const char *path, size_t n, const struct root_file *f,
		   struct lh_err *err);

/* Return the path of the first file in which the states differ; NULL: they are equal. */
const char *root_state_diff(const struct root_state *a, const struct root_state *b);
void root_state_free(struct root_state *s);

#endif
