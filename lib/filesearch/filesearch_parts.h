/*
 * filesearch_parts - what the files of lib/filesearch share.
 *
 *     source.c      files of any kind as lines, each with the number of the line it was
 *     choose.c      the id and the text of the records
 *     kept.c        the cache
 *     filesearch.c  the steps, and whose cache is refused
 */
#ifndef LH_FILESEARCH_PARTS_H
#define LH_FILESEARCH_PARTS_H

#include "filesearch.h"

/* Members that the lines on the way have, which no record of a user has. */
#define LINE_MEMBER "lh:line"
#define TEXT_MEMBER "lh:text"
#define ID_MEMBER "lh:id"

/* Write the records of a file to fd. */
int lh_source_read(const char *file, const struct lh_filesearch_how *how, int fd,
		   struct lh_filesearch *f, struct lh_err *err);
/* Return whether a folder has a text of its own. */
bool lh_source_has_text(const char *folder);

/* Look at the records in fd, and write f->said; then write them for lh-index to another file. */
struct chosen;
struct chosen *lh_chosen_new(int fd, const char *file, const struct lh_filesearch_how *how,
			     struct lh_filesearch *f, struct lh_err *err);
void lh_chosen_free(struct chosen *c);
int lh_chosen_write(struct chosen *c, int from, int to, struct lh_filesearch *f,
		    struct lh_err *err);
/* Return the template of the text; NULL: all strings. */
const char *lh_chosen_template(const struct chosen *c);

/* An index in the cache. */
struct kept {
	char *folder, *index, *about;	/* the paths; index NULL: nothing is kept */
	struct lh_buf source, stamp;	/* the path of the file, and what changes with it */
	struct lh_lock lock;
};
/* Prepare for a file that is to be kept; 1 if it is there, with f filled, 0 if not. */
int lh_kept_find(struct kept *k, const char *file, const struct lh_filesearch_how *how,
		 struct lh_filesearch *f);
/* Make room for an index of so many bytes; 1 if another process has made it meanwhile, 0 if the
 * caller is to make it, -1 with *err if it cannot be kept. */
int lh_kept_begin(struct kept *k, uint64_t bytes, struct lh_filesearch *f, struct lh_err *err);
/* Return whether the file is still what it was. */
bool lh_kept_fits(const struct kept *k, const char *file);
void lh_kept_free(struct kept *k);

#endif
