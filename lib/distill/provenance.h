/*
 * provenance - the row of a source that a record says it comes from; not installed.
 *
 *     "provenance":{"source_file":"data/_kb/audits.jsonl","line_offset":3,
 *                   "sig_hash":"...","recorded_at":"..."}
 */
#ifndef LH_PROVENANCE_H
#define LH_PROVENANCE_H

#include "json/bind.h"

struct lh_provenance {
	struct lh_str source_file, sig_hash, recorded_at;	/* p NULL: no text */
	int64_t line;				/* line_offset, from 0; -1: not such a number */
	struct lh_value line_offset;		/* the same as written; p NULL: absent */
};

/* Its members, for tables of records that nest it; they do not set line, which
 * lh_provenance_set_line then does. */
extern const struct lh_bind lh_provenance_members[];
void lh_provenance_set_line(struct lh_provenance *p);

/* Read rec's provenance.  Members that are absent or of another type are left out.
 * Strings point into the record or *text, which is emptied first.  -1: LH_ENOMEM. */
int lh_provenance_read(const struct lh_record *rec, struct lh_provenance *p, struct lh_buf *text,
		       struct lh_err *err);

#endif
