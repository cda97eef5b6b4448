/* stage_export.c - export samples of scored runs.  See stage.h. */
#include "stages.h"

#include <stdlib.h>

#include "export_parts.h"
#include "base/mem.h"
#include "base/signal.h"
#include "receipt.h"
#include "schema/schema_table.h"

#define TICK 8192	/* records between two reports of progress */

/* ---- what is on file ---- */

/* Note the id of a sample on file; a line that is not one is reported when the file
 * is verified. */
static int add_known_id(struct lh_exporting *x, struct lh_export_one *e, struct lh_err *err)
{
	const struct lh_value *v;
	struct lh_key key;
	struct lh_str id;
	uint64_t *bits;

	if (lh_record_parse(&x->scored, x->row.p, x->row.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	v = lh_record_get(&x->scored, "id");
	lh_buf_reset(&x->text);
	if (!v || v->type != LH_STRING)
		return 0;
	lh_value_str(v, &x->text, &id);
	key = lh_export_id(id.p, id.n);
	bits = lh_keymap_at(&e->on_file, &key, err);
	if (!bits)
		return -1;
	*bits = 1;
	return 0;
}

static int read_output(struct lh_exporting *x, struct lh_export_one *e, struct lh_err *err)
{
	char *path = lh_root_join(x->run->root, lh_exporter_output(e->x));
	int rc = lh_rows_open(x->rows, path, err);

	while (rc > 0 && (rc = lh_rows_next(x->rows, &x->row, err)) > 0)
		if (add_known_id(x, e, err) < 0)
			rc = -1;
	free(path);
	return rc;
}

/* ---- a record ---- */

int lh_export_evidence(struct lh_exporting *x, struct lh_err *err)
{
	int rc;

	if (x->sought)
		return 0;
	x->sought = true;
	rc = lh_evidence_lookup_find(x->join, x->row_number, &x->src.run_id.s, &x->src.sig.s,
				     &x->found, err);
	if (rc <= 0)
		return rc;
	lh_source_evidence(&x->src, x->found.evidence);
	return 0;
}

static int refuse_sample(struct lh_exporting *x, struct lh_export_one *e, enum lh_refusal why,
			 struct lh_err *err)
{
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	struct lh_refused r = {
		.why = why, .source = { x->scored.line, x->scored.len },
		.provenance = result->provenance, .key = x->key, .errors = &result->errors
	};

	return lh_quarantine_add(e->refused, &r, err);
}

int lh_export_sample(struct lh_exporting *x, struct lh_export_one *e, const struct lh_key *key,
		     bool *is_new, struct lh_err *err)
{
	const char *id = lh_sampler_result(e->sampler)->id;
	struct lh_export_ids *made = &e->made;
	uint64_t *bits = lh_keymap_at(&x->known, key, err);

	if (!bits)
		return -1;
	lh_grow(&made->id, &made->cap, made->n + 1, sizeof *made->id);
	*is_new = !(*bits & lh_export_made(e->x));
	if (!*is_new)
		return 0;
	*bits |= lh_export_made(e->x);
	made->id[made->n] = lh_export_id(id, strlen(id));
	e->how->exported++;
	if (lh_keymap_get(&e->on_file, &made->id[made->n++]))
		return 0;
	return lh_append_line(e->append, e->sample.p, e->sample.len, err);
}

static int export_one(struct lh_exporting *x, struct lh_export_one *e, struct lh_err *err)
{
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	bool is_new;
	int rc;

	e->how->read++;
	rc = lh_sample_judge(e->sampler);
	if (rc > 0) {
		lh_buf_reset(&e->sample);
		rc = lh_export_evidence(x, err) < 0 ? -1
						    : lh_sample_finish(e->sampler, &e->sample, err);
	}
	if (rc < 0)
		return -1;
	if (!rc)
		return refuse_sample(x, e, result->refused, err);
	if (lh_export_sample(x, e, &x->key, &is_new, err) < 0)
		return -1;
	return is_new ? 0 : refuse_sample(x, e, LH_DUPLICATE_ID, err);
}

/* Note a record whose scores alone forbid a sample, for the verification at the end. */
static int note_unsafe(struct lh_exporting *x, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(&x->scored, "category");
	bool rejected = v && lh_value_is(v, "rejected", 8);
	uint64_t *bits;

	if (!rejected && !(v && lh_value_is(v, "needs_human_review", 18)))
		return 0;
	bits = lh_keymap_at(&x->known, &x->key, err);
	if (!bits)
		return -1;
	*bits |= lh_export_unsafe(LH_SFT) | (rejected ? lh_export_unsafe(LH_RAG) : 0);
	return 0;
}

static int export_record(struct lh_exporting *x, struct lh_err *err)
{
	int i;

	x->sought = false;
	lh_source_scored(&x->src, &x->scored);
	x->key = lh_record_key(&x->src.run_id.s, &x->src.sig.s,
			       &(struct lh_str){ x->scored.line, x->scored.len });
	for (i = 0; i < LH_PREFERENCE; i++)
		if (x->each[i].sampler && export_one(x, &x->each[i], err) < 0)
			return -1;
	if (x->each[LH_PREFERENCE].sampler && lh_export_side(x, err) < 0)
		return -1;
	return note_unsafe(x, err);
}

/* Refuse a line that is not a record, known by its place. */
static int refuse_line(struct lh_exporting *x, const struct lh_err *why, struct lh_err *err)
{
	struct lh_refused r = { .why = LH_SCHEMA_VIOLATION, .errors = &x->reason };
	const struct lh_str none = { "", 0 };
	int i;

	lh_buf_reset(&x->reason);
	lh_buf_json(&x->reason, why->msg, strlen(why->msg));
	lh_buf_reset(&x->text);
	lh_buf_puts(&x->text, "{\"source_file\":");
	lh_buf_json(&x->text, x->relpath, strlen(x->relpath));
	lh_buf_printf(&x->text, ",\"line_offset\":%llu}", (unsigned long long)x->row.line - 1);
	r.source = (struct lh_str){ x->text.p, x->text.len };
	r.key = lh_record_key(&none, &none, &r.source);
	for (i = 0; i < LH_PREFERENCE; i++) {
		if (!x->each[i].sampler)
			continue;
		x->each[i].how->read++;
		if (lh_quarantine_add(x->each[i].refused, &r, err) < 0)
			return -1;
	}
	if (x->each[LH_PREFERENCE].sampler)
		lh_stage_warn(x->each[LH_PREFERENCE].res, "%s:%llu: %s", x->relpath,
			      (unsigned long long)x->row.line, why->msg);
	return 0;
}

static int on_row(struct lh_exporting *x, enum lh_stage stage, struct lh_err *err)
{
	struct lh_err why;

	if (++x->rows_read % TICK == 0) {
		lh_run_progress(x->run, stage, x->rows_read);
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
	}
	if (lh_record_parse(&x->scored, x->row.p, x->row.n, &why) == 0)
		return export_record(x, err);
	if (why.code == LH_EDATA)
		return refuse_line(x, &why, err);
	*err = why;
	return -1;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct lh_exporting *x = ctx;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root, relpath);
	int i, rc = lh_rows_open(x->rows, path, err);
	enum lh_stage stage = LH_STAGES;

	x->relpath = relpath;
	for (i = 0; i < LH_EXPORTERS; i++)
		if (x->each[i].sampler) {
			x->each[i].how->files += rc > 0;
			stage = x->each[i].res->stage;
		}
	if (rc > 0 && lh_evidence_lookup_open(x->join, x->run->root, relpath, err) < 0)
		rc = -1;
	if (rc > 0)
		lh_export_file(x, relpath);
	for (x->row_number = 0; rc > 0 && (rc = lh_rows_next(x->rows, &x->row, err)) > 0;
	     x->row_number++)
		if (on_row(x, stage, err) < 0)
			rc = -1;
	return rc;
}

/* ---- the stages ---- */

static void close_one(struct lh_export_one *e)
{
	lh_append_close(e->append);
	lh_quarantine_free(e->refused);
	lh_sampler_free(e->sampler);
	lh_buf_free(&e->sample);
	lh_map_free(&e->on_file);
	free(e->made.id);
}

static void close_all(struct lh_exporting *x)
{
	int i;

	for (i = 0; i < LH_EXPORTERS; i++)
		close_one(&x->each[i]);
	lh_evidence_lookup_free(x->join);
	lh_rows_free(x->rows);
	lh_map_free(&x->known);
	lh_map_free(&x->rejected);
	lh_record_free(&x->scored);
	lh_source_free(&x->src);
	lh_buf_free(&x->reason);
	lh_buf_free(&x->text);
	lh_export_pairs_free(x);
}

static int open_one(struct lh_exporting *x, struct lh_export_one *e, struct lh_err *err)
{
	e->sampler = lh_sampler_new(e->x, e->how, x->run->recorded_at, err);
	e->refused = e->sampler ? lh_quarantine_new(e->x, x->run->recorded_at) : NULL;
	if (!e->refused || lh_quarantine_root(e->refused, x->run->root, &x->known, err) < 0 ||
	    read_output(x, e, err) < 0)
		return -1;
	e->sampler->src = &x->src;
	e->append = lh_append_open(x->run->root, lh_exporter_output(e->x), err);
	return e->append ? 0 : -1;
}

/* Check that no record was lost. */
static int commit_export(struct lh_export_one *e, struct lh_err *err)
{
	struct lh_export *how = e->how;
	int i;

	memcpy(how->refused, lh_quarantine_counts(e->refused), sizeof how->refused);
	for (how->quarantined = 0, i = 0; i < LH_REFUSALS; i++)
		how->quarantined += how->refused[i];
	if (how->exported + how->quarantined != how->read)
		return lh_err_set(err, LH_ECORRUPT, "%s: %llu records read, but %llu accounted for",
				  lh_exporter_output(e->x), (unsigned long long)how->read,
				  (unsigned long long)(how->exported + how->quarantined));
	e->res->accepted = how->exported;
	e->res->quarantined = how->quarantined;
	return lh_append_commit(e->append, err) < 0 || lh_quarantine_commit(e->refused, err) < 0
		? -1
		: 0;
}

/* Commit the output of an exporter, verify it, and write the receipt. */
static int finish_exporter(struct lh_exporting *x, struct lh_export_one *e, struct lh_err *err)
{
	struct lh_stage_result *res = e->res;

	if (e->x == LH_PREFERENCE && lh_export_pairs(x, err) < 0)
		return -1;
	if (commit_export(e, err) < 0 || lh_export_check(x->run->root, e->x, &x->known, &e->made,
							 res, err) < 0)
		return -1;
	close_one(e);
	*e = (struct lh_export_one){ .x = e->x };
	return lh_receipt_write(x->run, res, err);
}

/* Run the exporters that have a result, in one pass. */
static int export_all(struct lh_exporting *x, struct lh_err *err)
{
	struct lh_export plain[LH_EXPORTERS] = { { .read = 0 } };
	int i, done = 0;

	x->rows = lh_rows_new();
	x->join = lh_evidence_lookup_new();
	for (i = 0; i < LH_EXPORTERS; i++) {
		x->each[i].x = (enum lh_exporter)i;
		if (!x->each[i].res)
			continue;
		if (!x->each[i].how)
			x->each[i].how = &plain[i];
		if (open_one(x, &x->each[i], err) < 0)
			return -1;
	}
	if (lh_export_rejected(x, err) < 0 ||
	    lh_root_each(x->run->root, LH_ROOT_SCORED, on_file, x, err) < 0)
		return -1;
	for (i = 0; i < LH_EXPORTERS; i++) {
		if (!x->each[i].res)
			continue;
		if (done++)	/* the pass counts as the time of the first */
			x->each[i].res->start = lh_time_monotonic();
		if (finish_exporter(x, &x->each[i], err) < 0)
			return -1;
	}
	return 0;
}

int lh_stage_exports(struct lh_run *run, struct lh_stage_result res[LH_EXPORTERS],
		     struct lh_err *err)
{
	struct lh_exporting x = { .run = run };
	int i, rc;

	for (i = 0; i < LH_EXPORTERS; i++) {
		lh_stage_begin(&res[i], (enum lh_stage)(LH_STAGE_RAG + i));
		x.each[i].res = &res[i];
	}
	rc = export_all(&x, err);
	close_all(&x);
	return rc;
}

int lh_stage_export(struct lh_run *run, enum lh_stage which, struct lh_stage_result *res,
		    struct lh_export *how, struct lh_err *err)
{
	struct lh_exporting x = { .run = run };
	int rc;

	lh_stage_begin(res, which);
	x.each[which - LH_STAGE_RAG].res = res;
	x.each[which - LH_STAGE_RAG].how = how;
	rc = export_all(&x, err);
	close_all(&x);
	return rc;
}
