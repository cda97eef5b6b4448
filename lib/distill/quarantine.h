/*
 * quarantine - store the records that an export refused, with the reason.
 *
 *     {"exporter","reason","source_record","errors":[],"recorded_at","source_provenance"}
 *
 * source_record is the refused record, unchanged: a scored run; for a pair
 * {"chosen":...,"rejected":...}; in a filter the evidence if it could not be
 * scored.  source_provenance is omitted if there is none.
 *
 * A row is written once for each (exporter, reason, run id, sig_hash), also over
 * many runs into one file; the key of a record without these two is its bytes.
 * Counts count every time.
 *
 *     q = lh_quarantine_new(LH_RAG, "2026-05-03T12:00:00.000Z", err);
 *     rc = lh_quarantine_root(q, root, &known, err);       or lh_quarantine_file, or neither
 *     ... lh_quarantine_add(q, &refused, err) ...
 *     rc = lh_quarantine_commit(q, err);
 *     lh_quarantine_free(q);
 *
 * Memory:  32 to 48 bytes for each record on file.
 * Errors:  0, or -1 with *err.
 * Threads: one thread per struct.
 */
#ifndef LH_QUARANTINE_H
#define LH_QUARANTINE_H

#include "base/key_table.h"
#include "root.h"
#include "sample.h"

struct lh_refused {
	enum lh_refusal why;
	struct lh_str source;		/* the record's JSON */
	struct lh_value provenance;	/* p NULL: none */
	struct lh_key key;		/* of lh_record_key */
	const struct lh_buf *errors;	/* JSON strings with commas between them, or NULL */
};

/* Return the key of a record: of its run id and sig_hash or, without these two, of
 * its bytes in source. */
struct lh_key lh_record_key(const struct lh_str *run_id, const struct lh_str *sig,
			    const struct lh_str *source);

struct lh_quarantine;

struct lh_quarantine *lh_quarantine_new(enum lh_exporter x, const char *recorded_at,
					struct lh_err *err);
void lh_quarantine_free(struct lh_quarantine *q);

/*
 * Choose where rows go: into the exporter's file in a root, all of them at the
 * commit or none; or each at once into a file of any name; by default nowhere.  The
 * rows on file in a root are noted in *known, a bit for each exporter and reason,
 * which all quarantines of that root share; the bits from LH_QUARANTINE_BITS on are
 * free.
 */
#define LH_QUARANTINE_BITS (LH_EXPORTERS * LH_REFUSALS)
int lh_quarantine_root(struct lh_quarantine *q, const struct lh_root *root, struct lh_map *known,
		       struct lh_err *err);
int lh_quarantine_file(struct lh_quarantine *q, const char *path, double lock_timeout,
		       struct lh_err *err);

int lh_quarantine_add(struct lh_quarantine *q, const struct lh_refused *r, struct lh_err *err);

/* The same for a record whose provenance and key are still to be read from its source. */
int lh_quarantine_read(struct lh_quarantine *q, struct lh_refused *r, struct lh_err *err);

int lh_quarantine_commit(struct lh_quarantine *q, struct lh_err *err);

/* Return the counts by reason, LH_REFUSALS of them. */
const uint64_t *lh_quarantine_counts(const struct lh_quarantine *q);

#endif
