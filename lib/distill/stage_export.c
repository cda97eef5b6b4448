/* stage_export.c - export samples of scored runs.  See stages.h. */
#include "stages.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "base/table.h"
#include "evidence_lookup.h"
#include "file/file.h"
#include "file/rows.h"
#include "json/value.h"
#include "sample_parts.h"
#include "schema/schema_table.h"

#define TICK 8192	/* records between two reports of progress */
#define OPEN_MAX_PAIRS 64	/* pairs of files open at the same time */
#define REASON_MAX 256		/* bytes of a reason that is kept, ... */
#define REASONS 65535		/* ... and number of different reasons */

/* A file of scored runs and its evidence. */
struct pair_file {
	char *scored, *evidence;	/* in the root */
	int scored_fd, evidence_fd;	/* or -1 */
};

/* One of the exporters that run. */
struct exporter {
	enum lh_exporter x;
	struct lh_stage_result *res;
	struct lh_export *how;
	struct lh_sampler *sampler;	/* NULL: it does not run */
	struct lh_quarantine *refused;
	struct lh_append *append;
	struct lh_buf sample;
	struct lh_map on_file;	/* ids */
	struct lh_export_ids made;	/* ids of this run */
};

struct exporting {
	struct lh_run *run;
	struct exporter each[LH_EXPORTERS];
	enum lh_stage stage;		/* the last that runs, of which progress is reported */
	struct lh_rows *rows;
	struct lh_evidence_lookup *join;
	const char *relpath;		/* of the file of scored runs */
	uint64_t row_number, rows_read;	/* in it, in all files */
	struct lh_file_row row;
	struct lh_record scored;	/* the row, ... */
	struct lh_source src;		/* ... and its evidence, shared by all samplers */
	struct lh_found found;
	bool sought;			/* the evidence was searched */
	struct lh_key key;		/* of the record, ... */
	struct lh_map known;		/* ... and the bits of all keys */
	struct lh_buf reason, text;
	struct lh_map rejected;		/* hashes of lh_source_text */

	/* of preference samples: */
	struct lh_pairs *pairs;
	struct lh_intern reasons;	/* first reasons */
	struct pair_file *file;
	size_t files, cap, open;
	struct lh_pair pair;
	bool pair_ready;
};

/* ---- what is on file ---- */

struct known_ids {
	struct exporting *x;
	struct exporter *e;
};

/* Note the id of a sample on file; a line that is not one is reported when the file
 * is verified. */
static int add_known_id(void *ctx, const struct lh_file_row *row, struct lh_err *err)
{
	const struct known_ids *k = ctx;
	const struct lh_value *v;
	struct lh_key key;
	struct lh_str id;
	uint64_t *bits;

	if (lh_record_parse(&k->x->scored, row->p, row->n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	v = lh_record_get(&k->x->scored, "id");
	if (!v || v->type != LH_STRING)
		return 0;
	id = lh_value_text(v, &k->x->text);
	key = lh_export_id(id.p, id.n);
	bits = lh_keymap_at(&k->e->on_file, &key, err);
	if (!bits)
		return -1;
	*bits = 1;
	return 0;
}

static int read_output(struct exporting *x, struct exporter *e, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root,
							   lh_exporter_output(e->x));
	struct known_ids k = { x, e };

	return lh_rows_each(path, add_known_id, &k, err) < 0 ? -1 : 0;
}

/* ---- the rows of a file ---- */

/* Call fn for each row of a file of scored runs: 1, 0 without the file, -1. */
static int each_row(struct exporting *x, const char *relpath,
		    int (*fn)(struct exporting *x, struct lh_err *err), struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root, relpath);
	int rc = lh_rows_open(x->rows, path, err), there = rc;

	x->relpath = relpath;
	if (rc > 0 && lh_evidence_lookup_open(x->join, x->run->root, relpath, err) < 0)
		return -1;
	for (x->row_number = 0; rc > 0 && (rc = lh_rows_next(x->rows, &x->row, err)) > 0;
	     x->row_number++) {
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (fn(x, err) < 0)
			return -1;
	}
	return rc < 0 ? -1 : there;
}

/* Read the row's evidence into x->src, if there is any. */
static int find_evidence(struct exporting *x, struct lh_err *err)
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

/* Write the sample in e->sample, unless a record with this key became one in this
 * run already. */
static int write_sample(struct exporting *x, struct exporter *e, const struct lh_key *key,
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

/* ---- texts that were rejected, which are no samples for the same task ---- */

static int on_rejected(struct exporting *x, struct lh_err *err)
{
	const struct lh_value *category;
	unsigned char hash[32];
	bool has;

	if (lh_record_parse(&x->scored, x->row.p, x->row.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	category = lh_record_get(&x->scored, "category");
	if (!category || lh_category_read(category) != LH_REJECTED)
		return 0;
	x->sought = false;
	lh_source_scored(&x->src, &x->scored);
	if (find_evidence(x, err) < 0)
		return -1;
	if (!x->src.evidence)
		return 0;
	lh_source_text(&x->src, &x->text, hash, &has);
	return has ? lh_hashset_add(&x->rejected, hash, &has, err) : 0;
}

static int on_rejected_file(void *ctx, const char *relpath, struct lh_err *err)
{
	return each_row(ctx, relpath, on_rejected, err) < 0 ? -1 : 0;
}

static int find_rejected(struct exporting *x, struct lh_err *err)
{
	int i;

	for (i = 0; i < LH_PREFERENCE; i++)
		if (x->each[i].sampler)
			x->each[i].sampler->rejected = &x->rejected;
	if (!x->each[LH_RAG].sampler && !x->each[LH_SFT].sampler)
		return 0;
	return lh_root_each(x->run->root, LH_ROOT_SCORED, on_rejected_file, x, err);
}

/* ---- preference samples ---- */

static void add_pair_file(struct exporting *x, const char *relpath)
{
	struct pair_file *f;

	lh_grow(&x->file, &x->cap, x->files + 1, sizeof *x->file);
	f = &x->file[x->files];
	*f = (struct pair_file){ .scored_fd = -1, .evidence_fd = -1 };
	f->scored = lh_strndup(relpath, strlen(relpath));
	f->evidence = lh_evidence_lookup_path(relpath);
	x->files++;
}

/* Find the number, from 1, of the scored run's first reason, if that, the category
 * and the evidence are everything that a sample takes from the scored run; else 0. */
static int first_reason_only(struct exporting *x, uint16_t *number, struct lh_err *err)
{
	const struct lh_value *from = lh_record_get(x->src.evidence, "provenance"),
		*own = &x->src.from.all;
	struct lh_str reason;
	uint32_t i;

	*number = 0;
	if (!from || from->n != own->n || memcmp(from->p, own->p, own->n))
		return 0;
	lh_source_reason(&x->src, &x->text, &reason);
	if (reason.n > REASON_MAX || x->reasons.n >= REASONS)
		return 0;
	if (lh_intern_add(&x->reasons, reason.p, reason.n, &i, err) < 0)
		return -1;
	*number = (uint16_t)(i + 1);
	return 0;
}

static int add_side(struct exporting *x, struct lh_err *err)
{
	struct lh_sampler *s = x->each[LH_PREFERENCE].sampler;
	const struct lh_sample_result *result = lh_sampler_result(s);
	struct lh_row_at at;
	int rc = lh_sample_judge(s);

	if (rc <= 0)
		return rc;
	if (find_evidence(x, err) < 0)
		return -1;
	if (!x->src.evidence || !lh_sample_may_pair(s))
		return 0;
	at = (struct lh_row_at){ x->found.at, x->row.at, x->found.n, (uint32_t)x->row.n,
				(uint32_t)(x->files - 1), 0, 0 };
	if (!x->pairs)
		x->pairs = lh_pairs_new();
	if (first_reason_only(x, &at.reason, err) < 0)
		return -1;
	return lh_pairs_add(x->pairs, &result->task_id, result->category, &at, err);
}

static void close_file(struct exporting *x, struct pair_file *f)
{
	if (f->scored_fd >= 0)
		close(f->scored_fd);
	if (f->evidence_fd >= 0)
		close(f->evidence_fd);
	x->open -= f->scored_fd >= 0;
	f->scored_fd = f->evidence_fd = -1;
}

static int open_in(const struct exporting *x, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root, relpath);

	return lh_open_regular(path, O_RDONLY, 0, err);
}

/* Open a file and its evidence; if too many are open, close all others. */
static int open_file(struct exporting *x, struct pair_file *f, struct lh_err *err)
{
	size_t i;

	if (f->scored_fd >= 0)
		return 0;
	if (x->open >= OPEN_MAX_PAIRS)
		for (i = 0; i < x->files; i++)
			close_file(x, &x->file[i]);
	f->evidence_fd = open_in(x, f->evidence, err);
	f->scored_fd = f->evidence_fd >= 0 ? open_in(x, f->scored, err) : -1;
	if (f->scored_fd < 0) {
		close_file(x, f);
		return -1;
	}
	x->open++;
	return 0;
}

/* Read one line of a record; i is its index in the pair's lines. */
static int read_line(struct exporting *x, int i, const struct lh_row_at *at, struct lh_err *err)
{
	struct pair_file *f = &x->file[at->file];
	bool scored = i % 2;

	return open_file(x, f, err) < 0 ? -1
		: lh_pair_read(&x->pair, i / 2, scored, at, scored ? f->scored_fd : f->evidence_fd,
			       scored ? f->scored : f->evidence, err);
}

static int read_side(struct exporting *x, int side, const struct lh_row_at *at,
		     struct lh_side *to, struct lh_err *err)
{
	*to = (struct lh_side){ .evidence = &x->pair.rec[2 * side],
				.category = (enum lh_category)at->category };
	if (read_line(x, 2 * side, at, err) < 0)
		return -1;
	if (at->reason) {
		to->reason = lh_intern_text(&x->reasons, at->reason - 1u);
		return 0;
	}
	to->scored = &x->pair.rec[2 * side + 1];
	return read_line(x, 2 * side + 1, at, err);
}

/* Refuse a pair; its source is both records. */
static int refuse_pair(struct exporting *x, enum lh_refusal why, const struct lh_row_at *chosen,
		       const struct lh_row_at *rejected, struct lh_err *err)
{
	struct exporter *e = &x->each[LH_PREFERENCE];
	struct lh_refused r = { .why = why, .errors = &lh_sampler_result(e->sampler)->errors };

	if (read_line(x, 1, chosen, err) < 0 || read_line(x, 3, rejected, err) < 0)
		return -1;
	lh_pair_source(&x->pair, &r.source);
	return lh_quarantine_read(e->refused, &r, err);
}

static int on_pair(void *ctx, const struct lh_row_at *chosen, const struct lh_row_at *rejected,
		   struct lh_err *err)
{
	struct exporting *x = ctx;
	struct exporter *e = &x->each[LH_PREFERENCE];
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	struct lh_side a, b;
	struct lh_key key;
	bool is_new = false;
	int rc;

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	e->how->read++;
	lh_buf_reset(&e->sample);
	if (read_side(x, 0, chosen, &a, err) < 0 || read_side(x, 1, rejected, &b, err) < 0)
		return -1;
	rc = lh_sample_pair(e->sampler, &a, &b, &e->sample, err);
	key = lh_export_id(result->id, strlen(result->id));
	if (rc < 0 || (rc > 0 && write_sample(x, e, &key, &is_new, err) < 0))
		return -1;
	return is_new ? 0 : refuse_pair(x, rc ? LH_DUPLICATE_ID : result->refused, chosen, rejected,
					err);
}

static int write_pairs(struct exporting *x, struct lh_err *err)
{
	x->pair_ready = true;
	return x->pairs ? lh_pairs_each(x->pairs, on_pair, x, err) : 0;
}

static void free_pairs(struct exporting *x)
{
	size_t i;

	for (i = 0; i < x->files; i++) {
		close_file(x, &x->file[i]);
		free(x->file[i].scored);
		free(x->file[i].evidence);
	}
	free(x->file);
	lh_pairs_free(x->pairs);
	lh_intern_free(&x->reasons);
	if (x->pair_ready)
		lh_pair_free(&x->pair);
}

/* ---- a record ---- */

static int refuse_sample(struct exporting *x, struct exporter *e, enum lh_refusal why,
			 struct lh_err *err)
{
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	struct lh_refused r = {
		.why = why, .source = { x->scored.line, x->scored.len },
		.provenance = result->provenance, .key = x->key, .errors = &result->errors
	};

	return lh_quarantine_add(e->refused, &r, err);
}

static int export_one(struct exporting *x, struct exporter *e, struct lh_err *err)
{
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	bool is_new;
	int rc;

	e->how->read++;
	rc = lh_sample_judge(e->sampler);
	if (rc > 0) {
		lh_buf_reset(&e->sample);
		rc = find_evidence(x, err) < 0 ? -1
						    : lh_sample_finish(e->sampler, &e->sample, err);
	}
	if (rc < 0)
		return -1;
	if (!rc)
		return refuse_sample(x, e, result->refused, err);
	if (write_sample(x, e, &x->key, &is_new, err) < 0)
		return -1;
	return is_new ? 0 : refuse_sample(x, e, LH_DUPLICATE_ID, err);
}

/* Note a record whose scores alone forbid a sample, for the verification at the end. */
static int note_unsafe(struct exporting *x, struct lh_err *err)
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

static int export_record(struct exporting *x, struct lh_err *err)
{
	int i;

	x->sought = false;
	lh_source_scored(&x->src, &x->scored);
	x->key = lh_record_key(&x->src.run_id.s, &x->src.sig.s,
			       &(struct lh_str){ x->scored.line, x->scored.len });
	for (i = 0; i < LH_PREFERENCE; i++)
		if (x->each[i].sampler && export_one(x, &x->each[i], err) < 0)
			return -1;
	if (x->each[LH_PREFERENCE].sampler && add_side(x, err) < 0)
		return -1;
	return note_unsafe(x, err);
}

/* Refuse a line that is not a record, known by its place. */
static int refuse_line(struct exporting *x, const struct lh_err *why, struct lh_err *err)
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

static int on_row(struct exporting *x, struct lh_err *err)
{
	struct lh_err why;

	if (++x->rows_read % TICK == 0)
		lh_run_progress(x->run, x->stage, x->rows_read);
	if (lh_record_parse(&x->scored, x->row.p, x->row.n, &why) == 0)
		return export_record(x, err);
	if (why.code == LH_EDATA)
		return refuse_line(x, &why, err);
	*err = why;
	return -1;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct exporting *x = ctx;
	int i, rc;

	/* of pairs, which are read again by their places */
	add_pair_file(x, relpath);
	rc = each_row(x, relpath, on_row, err);
	for (i = 0; i < LH_EXPORTERS; i++)
		if (x->each[i].sampler)
			x->each[i].how->files += rc > 0;
	return rc < 0 ? -1 : 0;
}

/* ---- the stages ---- */

static void close_one(struct exporter *e)
{
	lh_append_close(e->append);
	lh_quarantine_free(e->refused);
	lh_sampler_free(e->sampler);
	lh_buf_free(&e->sample);
	lh_map_free(&e->on_file);
	free(e->made.id);
}

static void close_all(struct exporting *x)
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
	free_pairs(x);
}

static int open_one(struct exporting *x, struct exporter *e, struct lh_err *err)
{
	e->sampler = lh_sampler_new(e->x, e->how, x->run->recorded_at, err);
	e->refused = e->sampler ? lh_quarantine_new(e->x, x->run->recorded_at) : NULL;
	if (!e->refused || lh_quarantine_root(e->refused, x->run->root, &x->known, err) < 0 ||
	    read_output(x, e, err) < 0)
		return -1;
	e->sampler->src = &x->src;
	e->append = lh_root_append(x->run->root, lh_exporter_output(e->x), err);
	return e->append ? 0 : -1;
}

/* Check that no record was lost. */
static int commit_export(struct exporter *e, struct lh_err *err)
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
static int finish_exporter(struct exporting *x, struct exporter *e, struct lh_err *err)
{
	struct lh_stage_result *res = e->res;

	if (e->x == LH_PREFERENCE && write_pairs(x, err) < 0)
		return -1;
	if (commit_export(e, err) < 0 || lh_export_check(x->run->root, e->x, &x->known, &e->made,
							 res, err) < 0)
		return -1;
	close_one(e);
	*e = (struct exporter){ .x = e->x };
	return lh_receipt_write(x->run, res, err);
}

/* Run the exporters that have a result, in one pass. */
static int export_all(struct exporting *x, struct lh_err *err)
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
		x->stage = x->each[i].res->stage;
		if (open_one(x, &x->each[i], err) < 0)
			return -1;
	}
	if (find_rejected(x, err) < 0 ||
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
	struct exporting x = { .run = run };
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
	struct exporting x = { .run = run };
	int rc;

	lh_stage_begin(res, which);
	x.each[which - LH_STAGE_RAG].res = res;
	x.each[which - LH_STAGE_RAG].how = how;
	rc = export_all(&x, err);
	close_all(&x);
	return rc;
}
