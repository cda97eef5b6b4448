/* lineage_trace.c - the answer for one operand. */
#include <stdlib.h>
#include <unistd.h>

#include <lh/subject.h>

#include "base/mem.h"
#include "lineage_parts.h"

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
	if (rc < 0 && err->code == LH_EIO) {
		l->how.warn(l->how.ctx, true, err->msg);
		rc = 0;
	}
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
	if (rc >= 0 && lh_buf_check(out, err) < 0)
		rc = -1;
	return rc;
}
