/*
 * playbook - memory of which answers were good for which queries.
 *
 * A playbook is an index like any other (lh/index.h): an entry's id is made of
 * what it is about, its vector is that of its query_text by the index's engine,
 * and its metadata are the entry itself:
 *
 *     {"query_text":"Need 3 Welders in Gary IN","answer_id":"w-43",
 *      "answer_corpus":"workers","score":0.8,"tags":["night"],"role":"Welder"}
 *
 * score is above 0 and at most 1; tags (a list of strings) and role (a string)
 * may be absent, and null counts as absent.  Other members are kept and mean
 * nothing here.
 *
 * Owner:  texts point into the record or into the caller's scratch.
 * Errors: LH_EDATA with a message fit for the user, LH_ENOMEM.
 */
#ifndef LH_PLAYBOOK_H
#define LH_PLAYBOOK_H

#include <lh/index.h>

LH_C_BEGIN

#define LH_PLAYBOOK_CORPUS "playbook_memory"	/* what a playbook is called by default */
#define LH_PLAYBOOK_ID_LEN 19

struct lh_playbook_entry {
	struct lh_str query_text, answer_id, answer_corpus;
	struct lh_str role;		/* n = 0: none */
	const struct lh_str *tag;
	size_t n_tags;
	double score;
};

/* The names that make an entry's id: all are there, and not empty. */
LH_API int lh_playbook_read_key(const struct lh_record *rec, struct lh_buf *scratch,
				struct lh_playbook_entry *e, struct lh_err *err);
/* The whole entry. */
LH_API int lh_playbook_read(const struct lh_record *rec, struct lh_buf *scratch,
			    struct lh_playbook_entry *e, struct lh_err *err);

/* The entry that a row's metadata are, in rec, whose line is in line.  LH_EDATA when
 * they are none. */
LH_API int lh_playbook_read_row(const struct lh_row *row, struct lh_record *rec,
				struct lh_buf *line, struct lh_buf *scratch,
				struct lh_playbook_entry *e, struct lh_err *err);
/* Is the index that is there a playbook, by its first row?  LH_ECORRUPT when that is
 * no entry: entries must not get into an index of something else. */
LH_API int lh_playbook_check(const char *path, struct lh_err *err);

/* "pb-" and the first 16 hex digits of SHA-256(query_text|answer_id|answer_corpus);
 * no NUL is written. */
LH_API void lh_playbook_id(const struct lh_playbook_entry *e, char out[LH_PLAYBOOK_ID_LEN]);

LH_C_END

#endif
