/*
 * evidence - convert rows of the twelve source streams to evidence records.
 *
 * A table (evidence_table.c) has, for each stream, which input makes which field;
 * one engine applies it.  Copied values are checked against the schema
 * evidence_record and keep their text; a record is written compact, with its keys
 * in the order of the schema.
 *
 *     e = lh_evidence_new("2026-05-03T12:00:00.000Z", err);
 *     rc = lh_evidence_make(e, LH_AUDITS, row, 16, &out, err);
 *     ... lh_evidence_hash(e), lh_evidence_errors(e, &list) ...
 *     lh_evidence_free(e);
 *
 * Threads: one thread per struct.
 */
#ifndef LH_EVIDENCE_H
#define LH_EVIDENCE_H

#include "json/json.h"

#include "base/xxh3.h"
#include "json/bind.h"
#include "root.h"

/*
 * provenance - the row of a source that a record says it comes from.
 *
 *     "provenance":{"source_file":"data/_kb/audits.jsonl","line_offset":3,
 *                   "sig_hash":"...","recorded_at":"..."}
 */

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
 * Strings point into the record or *text, which is emptied first. */
int lh_provenance_read(const struct lh_record *rec, struct lh_provenance *p, struct lh_buf *text,
		       struct lh_err *err);

struct lh_evidence;

/* recorded_at: as it is to be printed; copied. */
struct lh_evidence *lh_evidence_new(const char *recorded_at);
void lh_evidence_free(struct lh_evidence *e);

/* Append the evidence record of a row, which is line line_offset (from 0, blank
 * lines included) of its stream's file.  LH_EDATA: the row is refused, with the reasons in
 * err joined by "; ". */
int lh_evidence_make(struct lh_evidence *e, enum lh_stream stream, const struct lh_record *row,
		     uint64_t line_offset, struct lh_buf *out, struct lh_err *err);

/* Return the sig_hash of the last row, NULL if it has no canonical form. */
const unsigned char *lh_evidence_hash(const struct lh_evidence *e);

/* Reasons reported of one row; the number of all further ones follows as "more". */
#define LH_EVIDENCE_REASONS 20

/* Append the reasons of the last refused row as a JSON array of strings. */
void lh_evidence_errors(const struct lh_evidence *e, struct lh_buf *out);

/* Compute SHA-256 over the JCS form of a row; *scratch is used from its start.
 * LH_EDATA if it has no such form. */
int lh_sig_hash(const struct lh_record *row, struct lh_buf *scratch, unsigned char hash[32],
		struct lh_err *err);

#endif
