/*
 * erasures - the receipts of erasures of persons, in a folder of subjects.
 *
 *     <subjects>/_erasures/<name>.json, one object each:
 *
 *     {"schema":"subject_erasure.v1","receipt":"er-5f0c1d3a9b7e2468",
 *      "started_at":"2026-05-03T12:00:00.000Z","finished_at":"2026-05-03T12:00:04.000Z",
 *      "places":[{"path":"/srv/r/data/_kb/audits.jsonl","rows_before":12,"rows_after":11, ...},
 *      ...], "earlier":{...}, ...}
 *
 * A place has as many rows less, or rows_erased of them, if rows may have been added meanwhile.
 * earlier is the receipt of an earlier erasure of the same person.  Other members are not read.
 * A path is compared from its end: it is that of a file of a root if what is before the relative
 * path is the root's folder, or does not exist here, as in a copy of the root on another machine.
 *
 * Errors:  0, or -1 with *err.
 * Threads: any number may look in one struct.
 */
#ifndef LH_ERASURES_H
#define LH_ERASURES_H

#include "json/json.h"

#define LH_ERASURES_FOLDER "_erasures"

struct lh_erasure {
	struct lh_str id;
	int64_t finished;	/* ms since 1970 */
	struct lh_erased_place {
		struct lh_str path;
		uint64_t before, after, rows;
		bool has_rows;		/* that were erased; else before - after */
	} *place;
	size_t n;
	struct lh_buf text;	/* of all these */
};

/* A zeroed one is empty. */
struct lh_erasures {
	struct lh_erasure *v;
	size_t n, cap;
	struct lh_buf *file;	/* that these were read from */
	size_t n_files, cap_files;
	bool unfinished;	/* there is the journal of an erasure */
};

/* Read all receipts of a folder of subjects; one without erasures has none.  LH_ECORRUPT names a
 * file that is not a receipt. */
int lh_erasures_read(struct lh_erasures *e, const char *subjects, struct lh_err *err);
void lh_erasures_free(struct lh_erasures *e);

/* Return the erasure of that receipt, or NULL. */
const struct lh_erasure *lh_erasures_find(const struct lh_erasures *e, struct lh_str id);

/* Return how many rows an erasure took out of a file of a root, whose folder is given, or of all
 * files of a folder of it. */
uint64_t lh_erasure_rows(const struct lh_erasure *x, const char *root, struct lh_str relpath);

#endif
