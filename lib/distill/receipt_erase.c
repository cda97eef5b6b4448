/* receipt_erase.c - keep receipts true when rows of a root are erased.  See receipt.h. */
#include "receipt_parts.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"

struct erasing {
	const struct lh_root *root;
	const char *erasure;
	const struct lh_cut *cut;
	size_t n;
	struct lh_claims claims;
	/* of the receipt or summary that is edited */
	struct lh_report report;
	struct lh_files side;
	bool newest, changed;
	uint64_t rows;		/* erased in files that it names */
};

static void ignore_fault(void *ctx, enum lh_receipt_fault what, const char *text)
{
	(void)ctx, (void)what, (void)text;
}

/* Return how many rows were cut out of the bytes of a file that a newest receipt names. */
static uint64_t cut_rows(const struct erasing *e, const char *path)
{
	uint64_t most = 0, left;
	size_t i;

	for (i = 0; i < e->claims.all.n; i++) {
		const struct lh_listed *f = &e->claims.all.v[i];

		if (!strcmp(f->path, path) && f->is.bytes > most)
			most = f->is.bytes;
	}
	return lh_cut_rows(e->cut, e->n, path, most, &left);
}

/* ---- an object with other values ---- */

/* A member, and its new value as JSON. */
struct change {
	const char *name;
	struct lh_buf json;
};

/* Write an object whose members of these names have the new values; the last is put at the end
 * if it is not empty and the object has none of its name. */
static void write_changed(struct lh_writer *w, const struct lh_value *object, struct change *c,
			  size_t n)
{
	struct lh_iter it;
	size_t i;

	lh_write_object(w, NULL);
	for (lh_iter_init(&it, object); lh_iter_next(&it); ) {
		for (i = 0; i < n && !lh_value_is(&it.key, c[i].name, strlen(c[i].name)); i++)
			continue;
		lh_write_value(w, NULL, &it.key);
		lh_buf_putc(w->out, ':');
		if (i == n) {
			lh_buf_add(w->out, it.val.p, it.val.n);
			continue;
		}
		lh_buf_add(w->out, c[i].json.p, c[i].json.len);
		lh_buf_reset(&c[i].json);
	}
	if (n && c[--n].json.len)
		lh_write_raw(w, c[n].name, (struct lh_str){ c[n].json.p, c[n].json.len });
	lh_write_end(w);
}

static void free_changes(struct change *c, size_t n)
{
	while (n--)
		lh_buf_free(&c[n].json);
}

/* ---- a receipt ---- */

static int write_side(struct erasing *e, struct lh_buf *out, const struct lh_receipt_side *s,
		      struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	uint64_t rows;
	size_t i;

	lh_files_clear(&e->side);
	lh_files_take(&e->side, s->file, s->n);
	if (e->newest && lh_files_cut(&e->side, lh_root_path(e->root), e->cut, e->n, &e->rows,
					 &e->changed, err) < 0)
		return -1;
	for (i = 0; !e->newest && i < e->side.n; i++) {
		rows = cut_rows(e, e->side.v[i].path);
		e->rows += rows;
		e->changed |= rows > 0;
	}
	lh_receipt_side_write(&w, NULL, &e->side);
	return 0;
}

/* Write the erasures that the receipt names, and this one. */
static void write_erased(const struct erasing *e, struct lh_buf *out, const struct lh_receipt *r)
{
	struct lh_writer w = lh_write_to(out);
	uint64_t rows = e->rows;
	size_t i;

	lh_write_array(&w, NULL);
	for (i = 0; i < r->n_erased; i++) {
		if (lh_str_is(r->erased[i].id, e->erasure, strlen(e->erasure))) {
			rows = r->erased[i].rows + (e->newest ? rows : 0);
			continue;
		}
		lh_write_object(&w, NULL);
		lh_write_str(&w, "receipt", r->erased[i].id);
		lh_write_u64(&w, "rows", r->erased[i].rows);
		lh_write_end(&w);
	}
	lh_write_object(&w, NULL);
	lh_write_text(&w, "receipt", e->erasure);
	lh_write_u64(&w, "rows", rows);
	lh_write_end(&w);
	lh_write_end(&w);
}

/* Replace the report that was read by the same with changes, unless it is so already. */
static int put(const struct erasing *e, struct change *c, size_t n, struct lh_err *err)
{
	const struct lh_value all = { e->report.rec.line, e->report.rec.len, LH_OBJECT, false };
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	write_changed(&w, &all, c, n);
	lh_buf_putc(&out, '\n');
	if (out.len == e->report.file.len && !memcmp(out.p, e->report.file.p, out.len))
		return 0;
	return lh_root_put(e->root, e->report.relpath, &out, err);
}

static int edit_receipt(struct erasing *e, const char *id, enum lh_stage stage, struct lh_err *err)
{
	struct change c[] = { { .name = "inputs" }, { .name = "outputs" }, { .name = "erased" } };
	const char *newest = e->claims.receipt[stage];
	struct lh_receipt r = { .n_erased = 0 };
	int rc = lh_report_read(&e->report, e->root, id, lh_stage_name(stage), "stage_receipt",
				lh_receipt_members, &r, err);

	if (rc <= 0)	/* one that is damaged is a finding of an audit, not of an erasure */
		return rc < 0 && err->code != LH_ECORRUPT ? -1 : 0;
	e->newest = newest && !strcmp(newest, e->report.relpath);
	e->changed = false;
	e->rows = 0;
	rc = write_side(e, &c[0].json, &r.in, err);
	if (!rc)
		rc = write_side(e, &c[1].json, &r.out, err);
	write_erased(e, &c[2].json, &r);
	if (!rc && e->changed)
		rc = put(e, c, 3, err);
	free_changes(c, 3);
	return rc < 0 ? lh_err_prefix(err, "%s", e->report.relpath) : 0;
}

/* ---- a summary ---- */

/* Set the sides of a stage to those of its receipt, if there is one. */
static int read_sides(struct erasing *e, struct lh_report *report, const char *id,
		      struct lh_summary_stage *s, struct lh_err *err)
{
	char name[32];
	struct lh_receipt r = { .n_erased = 0 };
	int rc;

	snprintf(name, sizeof name, "%.*s", (int)s->stage.n, s->stage.p);
	rc = lh_report_read(report, e->root, id, name, "stage_receipt", lh_receipt_members, &r,
			    err);
	if (rc <= 0)
		return rc < 0 && err->code != LH_ECORRUPT ? -1 : 0;
	s->of.n[LH_COUNT_IN] = r.in.records;
	s->of.n[LH_COUNT_OUT] = r.out.records;
	s->input_hash = r.in.hash;
	s->output_hash = r.out.hash;
	return 0;
}

static void put_u64(struct lh_buf *out, uint64_t n)
{
	lh_buf_reset(out);
	lh_buf_u64(out, n);
}

static void put_str(struct lh_buf *out, struct lh_str s)
{
	lh_buf_reset(out);
	lh_buf_json(out, s.p, s.n);
}

/* Write the stages as their receipts are now, and sum them up in c. */
static int write_stages(struct erasing *e, const char *id, const struct lh_summary_text *s,
			struct change *c, struct lh_err *err)
{
	struct change of[] = { { .name = "records_in" }, { .name = "records_out" },
			       { .name = "input_hash" }, { .name = "output_hash" } };
	struct lh_writer w = lh_write_to(&c[0].json);
	struct lh_value stages;
	struct lh_report report;
	struct lh_sha256 hash;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	uint64_t in = 0, out = 0;
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	lh_report_init(&report);
	lh_sha256_start(&hash);
	lh_write_array(&w, NULL);
	stages = *lh_record_get(&e->report.rec, "stages");
	for (lh_iter_init(&it, &stages); !rc && i < s->n && lh_iter_next(&it); i++) {
		struct lh_summary_stage *stage = &s->stage[i];

		rc = read_sides(e, &report, id, stage, err);
		put_u64(&of[0].json, stage->of.n[LH_COUNT_IN]);
		put_u64(&of[1].json, stage->of.n[LH_COUNT_OUT]);
		put_str(&of[2].json, stage->input_hash);
		put_str(&of[3].json, stage->output_hash);
		lh_sha256_more(&hash, "|", i > 0);
		lh_sha256_more(&hash, stage->output_hash.p, stage->output_hash.n);
		write_changed(&w, &it.val, of, 4);
		in += stage->of.n[LH_COUNT_IN];
		out += stage->of.n[LH_COUNT_OUT];
	}
	lh_write_end(&w);
	lh_sha256_end(&hash, sum);
	lh_hex(sum, sizeof sum, hex);
	put_u64(&c[1].json, in);
	put_u64(&c[2].json, out);
	put_str(&c[3].json, (struct lh_str){ hex, sizeof hex });
	free_changes(of, 4);
	lh_report_free(&report);
	return rc;
}

/* Make the summary of a run that of its receipts. */
static int edit_summary(struct erasing *e, const char *id, struct lh_err *err)
{
	struct change c[] = { { .name = "stages" }, { .name = "total_records_in" },
			      { .name = "total_records_out" }, { .name = "run_hash" } };
	struct lh_summary_text s = { .n = 0 };
	int rc = lh_report_read(&e->report, e->root, id, "summary", "run_summary",
				lh_summary_members, &s, err);

	if (rc <= 0)
		return rc < 0 && err->code != LH_ECORRUPT ? -1 : 0;
	rc = write_stages(e, id, &s, c, err);
	if (!rc)
		rc = put(e, c, 4, err);
	free_changes(c, 4);
	return rc;
}

static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct erasing *e = ctx;
	bool newest = false;
	int i, rc = 0;

	for (i = 0; !rc && i < LH_STAGES; i++) {
		const char *receipt = e->claims.receipt[i];
		size_t n = sizeof LH_ROOT_REPORTS;

		newest |= receipt && !strncmp(receipt + n, id, strlen(id)) &&
			  receipt[n + strlen(id)] == '/';
		rc = edit_receipt(e, id, (enum lh_stage)i, err);
	}
	return !rc && newest ? edit_summary(e, id, err) : rc;
}

int lh_receipts_cut(const struct lh_root *root, const char *erasure, const struct lh_cut *cut,
		    size_t n, struct lh_err *err)
{
	struct erasing e = { .root = root, .erasure = erasure, .cut = cut, .n = n };
	struct lh_receipts what = { .root = root, .fault = ignore_fault };
	int rc;

	if (!n)
		return 0;
	lh_report_init(&e.report);
	rc = lh_claims_read(&e.claims, &what, err);
	if (!rc)
		rc = lh_run_each(root, on_run, &e, err);
	lh_claims_free(&e.claims);
	lh_files_free(&e.side);
	lh_report_free(&e.report);
	return rc;
}
