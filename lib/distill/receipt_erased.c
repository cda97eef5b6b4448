/* receipt_erased.c - what was erased, against the receipts of erasures.  See receipt.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "receipt_parts.h"

#define ULL(n) ((unsigned long long)(n))

static void report_unknown(struct lh_receipts *c, const char *relpath, struct lh_str id)
{
	lh_receipt_report(c, LH_RECEIPT_BAD, "%s: rows were erased by %.*s, of which there is no "
			  "receipt%s", relpath, (int)(id.n < LH_ERASURE_ID ? id.n : LH_ERASURE_ID),
			  id.p, c->erasures.unfinished ? "; an erasure is not finished" : "");
}

/* Return how many rows the erasure took out of the files of a side. */
static uint64_t gone_from(const struct lh_receipts *c, const struct lh_erasure *x,
			  const struct side *s)
{
	uint64_t rows = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		rows += lh_erasure_rows(x, c->root, s->file[i].path);
	return rows;
}

void lh_receipt_erased(struct lh_receipts *c, const char *relpath, const struct receipt *r)
{
	const struct lh_erasure *x;
	uint64_t rows, gone;
	size_t i, k;

	for (i = 0; i < r->n_erased; i++) {
		const struct erased *e = &r->erased[i];

		x = lh_erasures_find(&c->erasures, e->id);
		if (!x) {
			report_unknown(c, relpath, e->id);
			continue;
		}
		for (k = rows = 0; k <= i; k++)
			if (lh_str_is(r->erased[k].id, e->id.p, e->id.n))
				rows += r->erased[k].rows;
		gone = gone_from(c, x, &r->in) + gone_from(c, x, &r->out);
		if (rows > gone)
			lh_receipt_report(c, LH_RECEIPT_BAD, "%s: %llu rows were erased by %.*s, "
					  "and its receipt has %llu", relpath, ULL(rows),
					  (int)e->id.n, e->id.p, ULL(gone));
	}
}

/* Count the tombstones of a text for each erasure; one of none is reported. */
static void count(struct lh_receipts *c, const char *source, struct lh_str text, uint64_t *rows)
{
	const struct lh_erasure *x;
	bool unknown = false;
	struct lh_str id;

	while (lh_tombstone_next(&text, &id)) {
		x = lh_erasures_find(&c->erasures, id);
		if (x)
			rows[x - c->erasures.v]++;
		else if (!unknown)
			report_unknown(c, source, id);
		unknown = unknown || !x;
	}
}

int lh_receipt_tombstones(struct lh_receipts *c, const char *source, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint64_t *rows = lh_calloc(c->erasures.n + 1, sizeof *rows);
	LH_SCOPED(lh_free_local) char *path = lh_root_join(c->root, source);
	struct lh_mapped m;
	uint64_t gone;
	size_t i;
	int fd, rc;

	errno = 0;
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (fd < 0)	/* what is wrong with it is reported elsewhere */
		return err->code == LH_ENOMEM ? -1 : 0;
	rc = lh_mapped_fd(&m, fd, err);
	close(fd);
	if (rc < 0)
		return -1;
	count(c, source, (struct lh_str){ m.p, m.n }, rows);
	lh_mapped_close(&m);
	for (i = 0; i < c->erasures.n; i++) {
		const struct lh_erasure *x = &c->erasures.v[i];

		gone = lh_erasure_rows(x, c->root, lh_str_of(source));
		if (rows[i] > gone)
			lh_receipt_report(c, LH_RECEIPT_BAD, "%s: %llu rows were erased by %.*s, "
					  "and its receipt has %llu", source, ULL(rows[i]),
					  (int)x->id.n, x->id.p, ULL(gone));
	}
	return 0;
}
