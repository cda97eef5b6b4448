/* lineage_made.c - the rows of a person, and what was made from rows.  See lineage.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "lineage_parts.h"

#define ALL ((1u << LH_PLACES) - 1)
#define BATCH 1000		/* rows whose receipts are looked for at one time */

struct making {
	struct lh_lineage *l;
	lh_lineage_made_fn *fn;
	void *ctx;
	size_t via;
	/* the rows passed whose receipts are still to be found */
	struct lh_receipt_of *of;
	size_t *of_via, n;
};

static int pass(struct making *m, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_lineage *l = m->l;
	const struct lh_lineage_made made = {
		{ l->file[hit->file].path, hit->line }, m->via, &l->rec, &l->ids
	};

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	return m->fn(m->ctx, &made, err);
}

int lh_lineage_persons(struct lh_lineage *l, struct lh_str id, lh_lineage_made_fn *fn, void *ctx,
		       struct lh_err *err)
{
	struct making m = { .l = l, .fn = fn, .ctx = ctx };
	struct lh_hits hits = { 0 };
	size_t i;
	const struct lh_wanted want = { .kind = LH_KEY_PERSON, .text = id };
	int rc = lh_lineage_find(l, ALL, &want, &hits, err);

	for (i = 0; i < hits.n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &hits.hit[i], err);
		if (rc > 0)
			rc = pass(&m, &hits.hit[i], err);
	}
	free(hits.hit);
	return rc < 0 ? -1 : 0;
}

/* ---- receipts ---- */

static int pass_receipt(struct making *m, size_t i, const struct lh_receipt_at *at,
			struct lh_err *err)
{
	char path[256];
	const struct lh_lineage_made made = { { path, 1 }, m->of_via[i], NULL, NULL };

	snprintf(path, sizeof path, "%s/%s/%s.json", LH_ROOT_REPORTS, at->id,
		 lh_stage_name(m->of[i].stage));
	return m->fn(m->ctx, &made, err);
}

/* Pass the receipts of the rows so far. */
static int flush_receipts(struct making *m, struct lh_err *err)
{
	size_t i;
	int rc = m->n ? lh_lineage_receipts(m->l, m->of, m->n, err) : 0;

	for (i = 0; i < m->n; i++) {
		if (rc >= 0 && m->of[i].wrote.len)
			rc = pass_receipt(m, i, &m->of[i].wrote_at, err);
		if (rc >= 0 && m->of[i].newest.len)
			rc = pass_receipt(m, i, &m->of[i].newest_at, err);
		lh_buf_free(&m->of[i].wrote);
		lh_buf_free(&m->of[i].newest);
	}
	m->n = 0;
	return rc < 0 ? -1 : 0;
}

static int want_receipts(struct making *m, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_receipt_of *of = &m->of[m->n];

	*of = (struct lh_receipt_of){ .row = *hit };
	of->any = lh_lineage_stage_of(&m->l->file[hit->file], &of->stage);
	if (!of->any)
		return 0;
	m->of_via[m->n++] = m->via;
	return m->n == BATCH ? flush_receipts(m, err) : 0;
}

/* ---- rows ---- */

/* Pass a row in l->rec, and the replays of a sample. */
static int pass_row(struct making *m, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_lineage *l = m->l;
	struct lh_hits replays = { 0 };
	size_t i;
	int rc = pass(m, hit, err);

	if (!rc)
		rc = want_receipts(m, hit, err);
	if (!rc && l->file[hit->file].place == LH_PLACE_RAG && l->ids.id.p)
		rc = lh_lineage_replays(l, &replays, err);
	for (i = 0; i < replays.n && rc >= 0; i++) {
		rc = lh_lineage_row(l, &replays.hit[i], err);
		if (rc > 0)
			rc = pass(m, &replays.hit[i], err);
	}
	free(replays.hit);
	return rc < 0 ? -1 : 0;
}

/* Pass the rows of a record. */
static int pass_record(struct making *m, const struct lh_origin *o, struct lh_err *err)
{
	struct lh_hits hits = { 0 };
	size_t i;
	int rc = lh_lineage_gather(m->l, o, &hits, err);

	for (i = 0; i < hits.n && rc >= 0; i++) {
		rc = lh_lineage_row(m->l, &hits.hit[i], err);
		if (rc > 0)
			rc = pass_row(m, &hits.hit[i], err);
	}
	free(hits.hit);
	return rc < 0 ? -1 : 0;
}

/* Pass the rows of the records of a row; of one without a record its replays alone. */
static int pass_from(struct making *m, const struct lh_lineage_hit *hit, struct lh_err *err)
{
	struct lh_meant meant = { .as = NULL };
	size_t i;
	int rc = lh_lineage_records(m->l, hit, &meant.records, err);

	for (i = 0; i < meant.records.n && !rc; i++)
		rc = pass_record(m, &meant.records.of[i], err);
	lh_meant_free(&meant);
	if (!rc) {
		rc = lh_lineage_row(m->l, hit, err);
		if (rc > 0)
			rc = pass_row(m, hit, err);
	}
	return rc < 0 ? -1 : 0;
}

/* Return the number of a file; that of all files if there is none of that path. */
static size_t file_of(const struct lh_lineage *l, const char *path)
{
	size_t i = 0;

	while (i < l->n_files && strcmp(l->file[i].path, path))
		i++;
	return i;
}

int lh_lineage_made(struct lh_lineage *l, const struct lh_lineage_row *row, size_t n,
		    lh_lineage_made_fn *fn, void *ctx, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_receipt_of *of = lh_calloc(BATCH, sizeof *of);
	LH_SCOPED(lh_free_local) size_t *via = lh_calloc(BATCH, sizeof *via);
	struct making m = { .l = l, .fn = fn, .ctx = ctx, .of = of, .of_via = via };
	struct lh_lineage_hit hit;
	int rc = 0;

	for (; m.via < n && !rc; m.via++) {
		hit.line = row[m.via].line;
		hit.file = file_of(l, row[m.via].file);
		if (hit.file < l->n_files)
			rc = pass_from(&m, &hit, err);
	}
	return rc < 0 ? -1 : flush_receipts(&m, err);
}

int lh_lineage_has(struct lh_lineage *l, const char *file, struct lh_err *err)
{
	const size_t i = file_of(l, file);
	struct lh_lineage_file *f = &l->file[i];

	if (i == l->n_files)
		return 0;
	if (!f->keyed && !f->unreadable && lh_lineage_keys(l, i, err) < 0)
		return lh_lineage_left_out(l, f, err) < 0 ? -1 : 1;
	return !f->others;
}
