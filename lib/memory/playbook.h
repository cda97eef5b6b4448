/*
 * playbook - a memory of which answers were good for which queries.
 *
 * A playbook is an index (index/index.h).  A row is an entry: its id is derived from
 * what the entry is about, its vector is that of query_text by the index's engine,
 * and its metadata is the entry itself:
 *
 *     {"query_text":"Need 3 Welders in Gary IN","answer_id":"w-43",
 *      "answer_corpus":"workers","score":0.8,"tags":["night"],"role":"Welder"}
 *
 * score is above 0 and at most 1; tags (a list of strings) and role (a string) are
 * optional, and null counts as absent.  Other members are stored and have no
 * meaning here.
 *
 * Owner:  strings point into the record or into the caller's scratch.
 * Errors: LH_EDATA with a message for the user.
 */
#ifndef LH_PLAYBOOK_H
#define LH_PLAYBOOK_H

#include "index/index.h"

#define LH_PLAYBOOK_CORPUS "playbook_memory"	/* default name of a playbook */
#define LH_PLAYBOOK_ID_LEN 19

struct lh_playbook_entry {
	struct lh_str query_text, answer_id, answer_corpus;
	struct lh_str role;		/* n = 0: none */
	const struct lh_str *tag;
	size_t n_tags;
	double score;
};

/* Read the members that determine an entry's id; all are required, and not empty. */
int lh_playbook_read_key(const struct lh_record *rec, struct lh_buf *scratch,
			 struct lh_playbook_entry *e, struct lh_err *err);
/* Read a whole entry. */
int lh_playbook_read(const struct lh_record *rec, struct lh_buf *scratch,
		     struct lh_playbook_entry *e, struct lh_err *err);

/* Read the entry in the metadata of a row.  rec is scratch, and line holds its text.
 * LH_EDATA for other metadata. */
int lh_playbook_read_row(const struct lh_row *row, struct lh_record *rec,
			 struct lh_buf *line, struct lh_buf *scratch,
			 struct lh_playbook_entry *e, struct lh_err *err);
/* Check by its first row that the index at path is a playbook, so that entries do not
 * get into another index.  LH_ECORRUPT. */
int lh_playbook_check(const char *path, struct lh_err *err);

/* Write "pb-" and the first 16 hex digits of
 * SHA-256(query_text|answer_id|answer_corpus), without NUL. */
void lh_playbook_id(const struct lh_playbook_entry *e, char out[LH_PLAYBOOK_ID_LEN]);

#endif
