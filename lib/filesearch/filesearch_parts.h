/*
 * filesearch_parts - what the files of lib/filesearch share.
 *
 *     source.c      files of any kind as lines, each with the number of the line it was
 *     choose.c      the id and the text of the records
 *     passages.c    long texts in pieces
 *     by_model.c    how long a model would read them
 *     kept.c        the cache
 *     filesearch.c  the steps, and whose cache is refused
 */
#ifndef LH_FILESEARCH_PARTS_H
#define LH_FILESEARCH_PARTS_H

#include "base/str.h"
#include "filesearch.h"

/* Members that the lines on the way have, which no record of a user has. */
#define LINE_MEMBER "lh:line"
#define TEXT_MEMBER "lh:text"
#define ID_MEMBER "lh:id"

/* ---- passages ---- */

struct passage {
	struct lh_str text;		/* a part of the whole */
	uint64_t line;			/* where it begins, from 1 */
};
struct passages {
	struct passage *v;
	size_t n, cap;
};
/* Divide a text into passages of at most about 200 words, and return their number: at a heading,
 * else at the end of a paragraph, of a sentence, or at a blank.  After the end of a paragraph or
 * sentence the next passage begins with the last sentence of the one before. */
size_t lh_passages(struct lh_str text, struct passages *to);

/* ---- the time of a model ---- */

#define SAMPLE_TEXTS 32
#define SAMPLE_BYTES 1200	/* of a text, about what a model reads of it */

struct sample {			/* of the texts, evenly */
	struct lh_buf text[SAMPLE_TEXTS];
	size_t n;
	uint64_t stride, seen, bytes;	/* stride: 1 at the start; bytes: of all texts */
};
void lh_sample_add(struct sample *s, struct lh_str text);
void lh_sample_free(struct sample *s);
/* Let the model of how read the sample, and say how long it would read all; 0 for a few texts. */
int lh_sample_seconds(const struct sample *s, const struct lh_filesearch_how *how, double *seconds,
		      struct lh_err *err);

/* ---- records ---- */

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
/* Return the sample of the texts that were written. */
const struct sample *lh_chosen_sample(const struct chosen *c);
/* Return the template of the text; NULL: it is the member TEXT_MEMBER. */
const char *lh_chosen_template(const struct chosen *c);

/* An index in the cache. */
struct kept {
	char *folder, *index, *about;	/* the paths; index NULL: nothing is kept */
	struct lh_buf source, stamp;	/* the path of the file, and what changes with it */
	struct lh_lock lock;
	bool whole;			/* an index that the model has not read is not taken */
};
/* Prepare for a file that is to be kept; 1 if it is there, with f filled, 0 if not. */
int lh_kept_find(struct kept *k, const char *file, const struct lh_filesearch_how *how,
		 struct lh_filesearch *f);
/* Make room for an index of so many bytes; 1 if another process has made it meanwhile, 0 if the
 * caller is to make it, -1 with *err if it cannot be kept. */
int lh_kept_begin(struct kept *k, uint64_t bytes, struct lh_filesearch *f, struct lh_err *err);
/* Return whether the file is still what it was. */
bool lh_kept_fits(const struct kept *k, const char *file);
/* Return where vectors are kept until the index is made, to be freed. */
char *lh_kept_vectors(const struct kept *k);
void lh_kept_free(struct kept *k);

#endif
