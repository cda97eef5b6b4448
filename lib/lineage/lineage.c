/* lineage.c - open a root, and answer for an operand or a person.  See lineage.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit/subject.h"
#include "base/mem.h"
#include "base/signal.h"
#include "lineage_parts.h"

/* ---- a root ---- */

struct lh_lineage *lh_lineage_open(const struct lh_lineage_how *how, struct lh_err *err)
{
	struct lh_lineage *l = lh_calloc(1, sizeof *l);

	l->how = *how;
	l->fd = -1;
	l->root = lh_root_open(how->root, err);
	if (l->root && lh_lineage_list(l, err) == 0)
		return l;
	lh_lineage_close(l);
	return NULL;
}

void lh_lineage_close(struct lh_lineage *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n_files; i++) {
		free(l->file[i].path);
		free(l->file[i].mark);
		free(l->file[i].key);
	}
	free(l->file);
	if (l->fd >= 0)
		close(l->fd);
	lh_buf_free(&l->row);
	lh_record_free(&l->rec);
	lh_row_ids_free(&l->ids);
	lh_root_close(l->root);
	free(l);
}

/* ---- the answer for one operand ---- */

static void write_place(struct lh_writer *w, const char *name, uint64_t files, uint64_t rows)
{
	lh_write_object(w, NULL);
	lh_write_bytes(w, "place", name);
	lh_write_u64(w, "files", files);
	lh_write_u64(w, "rows", rows);
	lh_write_end(w);
}

/* Write how many manifests and logs there are. */
static int write_subjects(struct lh_lineage *l, struct lh_writer *w, struct lh_err *err)
{
	struct lh_subject_list list = { .n = 0 };
	const char *name = l->how.subjects ? l->how.subjects : LH_SUBJECT_DIR;
	LH_SCOPED(lh_free_local) char *dir = lh_lineage_subjects(l);
	int rc = access(dir, F_OK) < 0;
	uint64_t n = 0;

	if (!rc)
		rc = lh_subject_list(&list, dir, LH_SUBJECT_MANIFEST, err);
	n = list.n;
	lh_subject_list_free(&list);
	if (!rc)
		rc = lh_subject_list(&list, dir, LH_SUBJECT_LOG, err);
	if (rc < 0)
		rc = lh_lineage_left_out(l, err);
	write_place(w, name, n + list.n, n + list.n);
	lh_subject_list_free(&list);
	return rc < 0 ? -1 : 0;
}

/* Write which places were searched, each with its files and rows. */
static int write_searched(struct lh_lineage *l, struct lh_writer *w, bool subject,
			  struct lh_err *err)
{
	uint64_t files, rows;
	size_t i;
	int p, rc;

	lh_write_array(w, "searched");
	for (p = 0; p < LH_PLACES && !subject; p++) {
		files = rows = 0;
		for (i = 0; i < l->n_files; i++) {
			const struct lh_lineage_file *f = &l->file[i];

			if (f->place != (enum lh_place)p)
				continue;
			if (lh_lineage_count(l, i, err) < 0)
				return -1;
			files += !f->unreadable;
			rows += f->unreadable ? 0 : f->rows;
		}
		write_place(w, lh_place_name((enum lh_place)p), files, rows);
	}
	if (l->decisions.files)
		write_place(w, "decisions", l->decisions.files, l->decisions.rows);
	rc = subject ? 0 : lh_lineage_count_receipts(l, &files, err);
	if (!subject && !rc)
		write_place(w, LH_ROOT_REPORTS, files, files);
	if (!rc)
		rc = write_subjects(l, w, err);
	lh_write_end(w);
	return rc;
}

/* Write the records, or the rows if they name none. */
static int write_records(struct lh_lineage *l, struct lh_writer *w, const struct lh_meant *m,
			 struct lh_err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < m->records.n && !rc; i++)
		rc = lh_lineage_steps(l, w, &m->records.of[i], err);
	for (i = 0; !m->records.n && i < m->rows.n && i < l->how.most && !rc; i++)
		rc = lh_lineage_alone(l, w, &m->rows.hit[i], err);
	return rc;
}

/* Write the run or the subject whose file the line is in: 1, 0 if it has no steps, -1. */
static int write_owner(struct lh_lineage *l, struct lh_writer *w, const struct lh_meant *m,
		       struct lh_err *err)
{
	if (m->as && m->run.len)
		return lh_lineage_run(l, w, (struct lh_str){ m->run.p, m->run.len }, err);
	if (m->as && m->subject.len)
		return lh_lineage_subject(l, w, (struct lh_str){ m->subject.p, m->subject.len },
					  m->line, err);
	return 0;
}

/* Forget what was written of the answer since it had so many bytes. */
static void unwrite(struct lh_writer *w, size_t at)
{
	w->out->len = at;
	w->comma = true;
	w->objects >>= 1;
}

/* Write the steps of what was found: 1, 0, -1. */
static int write_steps(struct lh_lineage *l, struct lh_writer *w, struct lh_str operand,
		       const struct lh_meant *m, struct lh_err *err)
{
	bool found = m->records.n || m->rows.n;
	int rc = write_records(l, w, m, err);

	if (!rc)
		rc = write_owner(l, w, m, err);
	found |= rc > 0;
	if (rc >= 0)
		rc = lh_lineage_subject(l, w, operand, 0, err);
	found |= rc > 0;
	return rc < 0 ? -1 : found;
}

/* Write what the operand is, and its steps. */
static int write_found(struct lh_lineage *l, struct lh_writer *w, struct lh_str operand,
		       bool subject, const struct lh_meant *m, struct lh_err *err)
{
	size_t at = w->out->len;
	int found, rc;

	lh_write_text(w, "as", m->as ? m->as : "subject");
	lh_write_array(w, "steps");
	found = write_steps(l, w, operand, m, err);
	if (!found) {
		unwrite(w, at);
		lh_write_text(w, "as", "run");
		lh_write_array(w, "steps");
		found = lh_lineage_run(l, w, operand, err);
	}
	if (!found) {
		unwrite(w, at);
		lh_write_text(w, "as", "decision");
		lh_write_array(w, "steps");
	}
	rc = found < 0 ? -1 : lh_lineage_decisions(l, w, operand, subject, err);
	found |= rc > 0;
	if (!rc && !found) {
		unwrite(w, at);
		lh_write_null(w, "as");
		lh_write_array(w, "steps");
	}
	lh_write_end(w);
	if (m->records.more)
		lh_write_u64(w, "more", m->records.more);
	if (rc < 0)
		return -1;
	return !found ? LH_LINEAGE_NOWHERE : l->broken ? LH_LINEAGE_BROKEN : LH_LINEAGE_FOUND;
}

int lh_lineage_trace(struct lh_lineage *l, struct lh_str operand, bool subject, struct lh_buf *out,
		     struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	LH_SCOPED(lh_meant_free) struct lh_meant m = { .as = NULL };
	int rc = 0;

	l->broken = false;
	if (!subject)
		rc = lh_lineage_resolve(l, operand, &m, err);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "operand", operand);
	if (!rc && m.candidates.len) {
		lh_write_null(&w, "as");
		lh_write_raw(&w, "candidates", (struct lh_str){ m.candidates.p, m.candidates.len });
		rc = LH_LINEAGE_AMBIGUOUS;
	} else if (!rc) {
		rc = write_found(l, &w, operand, subject, &m, err);
	}
	if (rc == LH_LINEAGE_NOWHERE && write_searched(l, &w, subject, err) < 0)
		rc = -1;
	lh_write_end(&w);
	return rc;
}

/* ---- the rows of a person, and what was made from rows ---- */

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
		hit.file = lh_lineage_file_of(l, lh_str_of(row[m.via].file));
		if (hit.file < l->n_files)
			rc = pass_from(&m, &hit, err);
	}
	return rc < 0 ? -1 : flush_receipts(&m, err);
}
