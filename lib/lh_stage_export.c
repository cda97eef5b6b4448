/* lh_stage_export.c - scored runs of a root to samples.  See lh_stage_export.h. */
#include "lh_stage_export.h"

#include <stdlib.h>

#include "lh_export_int.h"
#include "lh_mem.h"
#include "lh_receipt.h"

#define TICK 8192	/* records between two signs of progress */

/* ---- what stands there ---- */

static int remember(struct lh_exporting *x, const struct lh_row *row, struct lh_err *err)
{
	const struct lh_value *v;
	unsigned char key[32];
	struct lh_str id;

	/* A line that is no sample is told when the file is read again. */
	if (lh_record_parse(&x->scored, row->p, row->n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	v = lh_record_get(&x->scored, "id");
	lh_buf_reset(&x->sample);
	if (!v || v->type != LH_STRING)
		return 0;
	if (lh_value_str(v, &x->sample, &id, err) < 0)
		return -1;
	lh_export_id(id.p, id.n, key);
	return lh_hashset_add(&x->on_file, key, NULL, err);
}

static int read_output(struct lh_exporting *x, struct lh_err *err)
{
	char *path = lh_root_join(x->run->root, lh_exporter_output(x->which), err);
	struct lh_row row;
	int rc = path ? lh_rows_open(x->rows, path, err) : -1;

	while (rc > 0 && (rc = lh_rows_next(x->rows, &row, err)) > 0)
		if (remember(x, &row, err) < 0)
			rc = -1;
	free(path);
	return rc;
}

/* ---- a record ---- */

int lh_export_refuse(struct lh_exporting *x, const struct lh_str *source, enum lh_refusal why, struct lh_err *err)
{
	const struct lh_said *said = lh_sampler_said(x->sampler);
	struct lh_refused r = {
		.why = why, .source = *source, .provenance = said->provenance, .run_id = said->run_id, .sig = said->sig, .errors = &said->errors
	};

	return lh_quarantine_add(x->refused, &r, err);
}

int lh_export_sample(struct lh_exporting *x, bool *is_new, struct lh_err *err)
{
	const char *id = lh_sampler_said(x->sampler)->id;
	unsigned char key[32];

	lh_export_id(id, strlen(id), key);
	if (lh_hashset_add(&x->seen, key, is_new, err) < 0)
		return -1;
	if (!*is_new)
		return 0;
	x->how->exported++;
	if (lh_hashset_has(&x->on_file, key))
		return 0;
	return lh_append_line(x->append, x->sample.p, x->sample.len, err);
}

/* For the check at the end: what the scores alone say, apart from the gates. */
static int note_unsafe(struct lh_exporting *x, struct lh_err *err)
{
	const struct lh_said *said = lh_sampler_said(x->sampler);
	const struct lh_value *v = lh_record_get(&x->scored, "category");

	if (x->which == LH_PREFERENCE || !v ||
	    !(lh_value_is(v, "rejected", 8) || (x->which == LH_SFT && lh_value_is(v, "needs_human_review", 18))))
		return 0;
	if (lh_grow(&x->unsafe.key, &x->unsafe.cap, x->unsafe.n + 1, sizeof *x->unsafe.key, err) < 0)
		return -1;
	x->unsafe.key[x->unsafe.n++] = lh_export_key(&said->run_id, &said->sig);
	return 0;
}

static int export_one(struct lh_exporting *x, struct lh_err *err)
{
	const struct lh_said *said = lh_sampler_said(x->sampler);
	const struct lh_str source = { x->scored.line, x->scored.len };
	struct lh_found found = { .evidence = NULL };
	bool is_new;
	int rc = lh_sample_scored(x->sampler, &x->scored, err);

	if (rc < 0 || note_unsafe(x, err) < 0)
		return -1;
	if (rc > 0 && (rc = lh_join_find(x->join, x->row_number, &said->run_id, &said->sig, &found, err)) >= 0) {
		lh_buf_reset(&x->sample);
		rc = lh_sample_make(x->sampler, rc ? found.evidence : NULL, &x->sample, err);
	}
	if (rc < 0)
		return -1;
	if (!rc)
		return lh_export_refuse(x, &source, said->refused, err);
	if (lh_export_sample(x, &is_new, err) < 0)
		return -1;
	return is_new ? 0 : lh_export_refuse(x, &source, LH_DUPLICATE_ID, err);
}

/* A line that is no record at all, known by where it stands. */
static int refuse_line(struct lh_exporting *x, const struct lh_row *row, const struct lh_err *why, struct lh_err *err)
{
	struct lh_refused r = { .why = LH_SCHEMA_VIOLATION, .errors = &x->reason };

	lh_buf_reset(&x->reason);
	lh_buf_json(&x->reason, why->msg, strlen(why->msg));
	lh_buf_reset(&x->sample);
	lh_buf_puts(&x->sample, "{\"source_file\":");
	lh_buf_json(&x->sample, x->relpath, strlen(x->relpath));
	lh_buf_printf(&x->sample, ",\"line_offset\":%llu}", (unsigned long long)row->line - 1);
	if (lh_buf_check(&x->sample, err) < 0 || lh_buf_check(&x->reason, err) < 0)
		return -1;
	r.source = (struct lh_str){ x->sample.p, x->sample.len };
	return lh_quarantine_add(x->refused, &r, err);
}

static int on_row(struct lh_exporting *x, const struct lh_row *row, struct lh_err *err)
{
	struct lh_err why;

	if (x->which != LH_PREFERENCE)
		x->how->read++;
	if (++x->rows_read % TICK == 0) {
		lh_run_progress(x->run, x->res->stage, x->rows_read);
		if (lh_tool_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	if (lh_record_parse(&x->scored, row->p, row->n, &why) == 0)
		return x->which == LH_PREFERENCE ? lh_export_side(x, row, err) : export_one(x, err);
	if (why.code != LH_EDATA) {
		*err = why;
		return -1;
	}
	if (x->which != LH_PREFERENCE)
		return refuse_line(x, row, &why, err);
	lh_stage_warn(x->res, "%s:%llu: %s", x->relpath, (unsigned long long)row->line, why.msg);
	return 0;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct lh_exporting *x = ctx;
	char *path = lh_root_join(x->run->root, relpath, err);
	struct lh_row row;
	int rc = path ? lh_rows_open(x->rows, path, err) : -1;

	x->relpath = relpath;
	x->how->files += rc > 0;
	if (rc > 0 && (lh_join_open(x->join, x->run->root, relpath, err) < 0 ||
		       (x->which == LH_PREFERENCE && lh_export_file(x, relpath, err) < 0)))
		rc = -1;
	for (x->row_number = 0; rc > 0 && (rc = lh_rows_next(x->rows, &row, err)) > 0; x->row_number++)
		if (on_row(x, &row, err) < 0)
			rc = -1;
	free(path);
	return rc;
}

/* ---- the stage ---- */

static int open_all(struct lh_exporting *x, struct lh_err *err)
{
	x->rows = lh_rows_new(err);
	x->join = x->rows ? lh_join_new(err) : NULL;
	x->sampler = x->join ? lh_sampler_new(x->which, x->how, x->run->recorded_at, err) : NULL;
	x->refused = x->sampler ? lh_quarantine_new(x->which, x->run->recorded_at, err) : NULL;
	if (!x->refused || lh_quarantine_root(x->refused, x->run->root, err) < 0 || read_output(x, err) < 0)
		return -1;
	x->append = lh_append_open(x->run->root, lh_exporter_output(x->which), err);
	return x->append ? 0 : -1;
}

static void close_all(struct lh_exporting *x)
{
	lh_append_close(x->append);
	lh_quarantine_free(x->refused);
	lh_sampler_free(x->sampler);
	lh_join_free(x->join);
	lh_rows_free(x->rows);
	lh_record_free(&x->scored);
	lh_buf_free(&x->sample);
	lh_buf_free(&x->reason);
	lh_hashset_free(&x->on_file);
	lh_hashset_free(&x->seen);
	free(x->unsafe.key);
	lh_export_pairs_free(x);
}

/* Nothing may be lost on the way. */
static int settle(struct lh_exporting *x, struct lh_err *err)
{
	struct lh_export *how = x->how;
	int i;

	memcpy(how->refused, lh_quarantine_counts(x->refused), sizeof how->refused);
	how->quarantined = 0;
	for (i = 0; i < LH_REFUSALS; i++)
		how->quarantined += how->refused[i];
	if (how->exported + how->quarantined != how->read)
		return lh_err_set(err, LH_ECORRUPT, "%s: %llu records read, but %llu accounted for", lh_exporter_output(x->which),
				  (unsigned long long)how->read, (unsigned long long)(how->exported + how->quarantined));
	x->res->accepted = how->exported;
	x->res->quarantined = how->quarantined;
	return lh_append_commit(x->append, err) < 0 || lh_quarantine_commit(x->refused, err) < 0 ? -1 : 0;
}

static int export_all(struct lh_exporting *x, struct lh_err *err)
{
	if (open_all(x, err) < 0 || lh_root_each(x->run->root, LH_ROOT_SCORED, on_file, x, err) < 0)
		return -1;
	if (x->which == LH_PREFERENCE && lh_export_pairs(x, err) < 0)
		return -1;
	if (settle(x, err) < 0)
		return -1;
	return lh_export_check(x->run->root, x->which, &x->unsafe, &x->seen, x->res, err);
}

int lh_stage_export(struct lh_run *run, enum lh_stage which, struct lh_stage_result *res, struct lh_export *how, struct lh_err *err)
{
	struct lh_export plain = { .verify_paths = NULL };
	struct lh_exporting x = { .run = run, .res = res, .how = how ? how : &plain };
	int rc;

	x.which = which == LH_STAGE_RAG ? LH_RAG : which == LH_STAGE_SFT ? LH_SFT : LH_PREFERENCE;
	lh_stage_begin(res, which);
	lh_record_init(&x.scored);
	lh_buf_init(&x.sample, LH_BUF_NOMAX);
	lh_buf_init(&x.reason, LH_BUF_NOMAX);
	rc = export_all(&x, err);
	close_all(&x);
	return rc < 0 ? -1 : lh_receipt_write(run, res, err);
}
