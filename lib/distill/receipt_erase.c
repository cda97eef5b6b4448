/* receipt_erase.c - keep receipts true when rows of a root are erased.  See receipt.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "json/write.h"
#include "receipt_parts.h"
#include "root.h"

#define REPORT_MAX ((size_t)256 << 20)
#define PATH_LEN 256
#define BLOCK ((size_t)256 << 10)

struct erasing {
	const struct lh_root *root;
	const char *erasure;
	const struct lh_cut *cut;
	size_t n;
	struct claims claims;
	struct lh_rows *rows;
	char *block;		/* BLOCK bytes */
};

static void ignore_fault(void *ctx, enum lh_receipt_fault what, const char *text)
{
	(void)ctx, (void)what, (void)text;
}

static int read_claims(const struct lh_root *root, struct claims *c, struct lh_err *err)
{
	struct lh_receipts what = { .root = root, .fault = ignore_fault };

	return lh_claims_read(c, &what, err);
}

int lh_receipts_claims(const struct lh_root *root, lh_claim_fn *fn, void *ctx, struct lh_err *err)
{
	struct claims c = { .n = 0 };
	size_t i;
	int rc = read_claims(root, &c, err);

	for (i = 0; !rc && i < c.n; i++)
		rc = fn(ctx, c.v[i].path, c.v[i].bytes, err);
	lh_claims_free(&c);
	return rc;
}

/* ---- a file ---- */

/* Set the digest of the first bytes of a file: 1, 0 if it has fewer, -1. */
static int digest_first(struct erasing *e, const char *relpath, uint64_t bytes,
			struct lh_file_digest *d, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(e->root, relpath);
	int fd = lh_open_regular(path, O_RDONLY, 0, err);
	struct lh_file_row row;
	struct lh_sha256 hash;
	uint64_t left = bytes;
	ssize_t n = 1;
	int rc;

	if (fd < 0)
		return -1;
	*d = (struct lh_file_digest){ .bytes = bytes };
	lh_sha256_start(&hash);
	while (left && (n = lh_read_some(fd, e->block, left < BLOCK ? left : BLOCK, err)) > 0) {
		lh_sha256_more(&hash, e->block, (size_t)n);
		left -= (uint64_t)n;
	}
	lh_sha256_end(&hash, d->sha256);
	rc = n < 0 ? -1 : lh_rows_open_fd(e->rows, fd, path, err);
	close(fd);
	while (rc > 0 && (rc = lh_rows_next(e->rows, &row, err)) > 0 && row.at < bytes)
		d->records++;
	return rc < 0 ? -1 : !left;
}

/* Return the cut of those bytes of a file; for bytes UINT64_MAX the longest. */
static const struct lh_cut *find_cut(const struct erasing *e, struct lh_str path, uint64_t bytes)
{
	const struct lh_cut *best = NULL;
	size_t i;

	for (i = 0; i < e->n; i++)
		if (lh_str_is(path, e->cut[i].path, strlen(e->cut[i].path)) &&
		    (bytes == UINT64_MAX ? !best || e->cut[i].was > best->was
					 : e->cut[i].was == bytes))
			best = &e->cut[i];
	return best;
}

/* ---- a receipt ---- */

struct edit {
	struct erasing *e;
	bool newest, changed;
	uint64_t rows;		/* erased in files that it names */
	struct lh_buf scratch;
};

static struct lh_str text_of(struct edit *ed, const struct lh_value *v, const char *name)
{
	struct lh_str s = { "", 0 };
	struct lh_value at;

	if (lh_value_get(v, name, &at) && at.type == LH_STRING)
		lh_value_str(&at, &ed->scratch, &s);
	return s;
}

static uint64_t number_of(const struct lh_value *v, const char *name)
{
	struct lh_value at;
	int64_t n = 0;

	return lh_value_get(v, name, &at) && at.type == LH_NUMBER && lh_value_i64(&at, &n) && n > 0
		? (uint64_t)n : 0;
}

/* Set what a file of a receipt is now: 1 if that is new, 0, -1. */
static int renew_file(struct edit *ed, struct lh_str path, struct lh_str sha256, uint64_t bytes,
		      struct lh_file_digest *now, struct lh_err *err)
{
	const struct lh_cut *cut = find_cut(ed->e, path, ed->newest ? bytes : UINT64_MAX);
	char hex[LH_SHA256_HEX];
	int rc;

	if (!cut)
		return 0;
	if (ed->newest) {
		rc = digest_first(ed->e, cut->path, bytes, now, err);
		lh_hex(now->sha256, sizeof now->sha256, hex);
		if (rc < 0 || (rc && lh_str_is(sha256, hex, sizeof hex)))
			return rc < 0 ? -1 : 0;
		rc = digest_first(ed->e, cut->path, cut->is, now, err);
		if (rc <= 0)
			return rc;
	}
	ed->rows += cut->rows;
	ed->changed = true;
	return ed->newest;
}

static int write_side(struct edit *ed, struct lh_writer *w, const char *name,
		      const struct lh_value *side, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	struct lh_value files;
	struct lh_iter it;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX + 1] = "";
	uint64_t records = 0;
	int rc = lh_value_get(side, "files", &files) && files.type == LH_ARRAY ? 0 :
		lh_err_set(err, LH_ECORRUPT, "it has no files");

	lh_write_object(w, name);
	lh_write_array(w, "files");
	for (lh_iter_init(&it, &files); rc >= 0 && lh_iter_next(&it); ) {
		struct lh_file_digest now = { .records = number_of(&it.val, "record_count") };
		struct lh_str path, sha;

		lh_buf_reset(&ed->scratch);
		path = text_of(ed, &it.val, "path");
		sha = text_of(ed, &it.val, "sha256");
		now.bytes = number_of(&it.val, "bytes");
		rc = renew_file(ed, path, sha, now.bytes, &now, err);
		if (rc > 0) {
			lh_hex(now.sha256, sizeof now.sha256, hex);
			sha = lh_str_of(hex);
		} else {
			now.records = number_of(&it.val, "record_count");
			now.bytes = number_of(&it.val, "bytes");
		}
		records += now.records;
		lh_write_object(w, NULL);
		lh_write_str(w, "path", path);
		lh_write_str(w, "sha256", sha);
		lh_write_u64(w, "bytes", now.bytes);
		lh_write_u64(w, "record_count", now.records);
		lh_write_end(w);
		lh_buf_printf(&lines, "%.*s\t%.*s\n", (int)path.n, path.p, (int)sha.n, sha.p);
	}
	lh_write_end(w);
	if (rc < 0)
		return -1;
	lh_sha256(lines.p ? lines.p : "", lines.len, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_write_u64(w, "record_count", records);
	lh_write_text(w, "hash", hex);
	lh_write_end(w);
	return 0;
}

/* Write the erasures that the receipt names, and this one. */
static void write_erased(struct edit *ed, struct lh_writer *w, const struct lh_value *old)
{
	const char *own = ed->e->erasure;
	uint64_t rows = ed->rows;
	struct lh_iter it;

	lh_write_array(w, "erased");
	if (old && old->type == LH_ARRAY)
		for (lh_iter_init(&it, old); lh_iter_next(&it); ) {
			lh_buf_reset(&ed->scratch);
			if (!lh_str_is(text_of(ed, &it.val, "receipt"), own, strlen(own)))
				lh_write_value(w, NULL, &it.val);
			else
				rows = number_of(&it.val, "rows") + (ed->newest ? rows : 0);
		}
	lh_write_object(w, NULL);
	lh_write_text(w, "receipt", own);
	lh_write_u64(w, "rows", rows);
	lh_write_end(w);
	lh_write_end(w);
}

static void copy_member(struct lh_writer *w, const struct lh_value *key, const struct lh_value *v)
{
	lh_write_value(w, NULL, key);
	lh_buf_putc(w->out, ':');
	lh_buf_add(w->out, v->p, v->n);
}

static int write_receipt(struct edit *ed, const struct lh_record *rec, struct lh_buf *out,
			 struct lh_err *err)
{
	const struct lh_value *old = lh_record_get(rec, "erased");
	struct lh_writer w = lh_write_to(out);
	size_t i;
	int rc = 0;

	lh_write_object(&w, NULL);
	for (i = 0; !rc && i < rec->n; i++) {
		const struct lh_value *key = &rec->member[i].key, *v = &rec->member[i].val;

		if (lh_value_is(key, "erased", 6))
			continue;
		if (lh_value_is(key, "inputs", 6) || lh_value_is(key, "outputs", 7)) {
			rc = write_side(ed, &w, lh_value_is(key, "inputs", 6) ? "inputs"
				       : "outputs", v, err);
			continue;
		}
		copy_member(&w, key, v);
	}
	write_erased(ed, &w, old);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return rc;
}

/* Read a report: 1, 0 if it does not exist or is no object, -1. */
static int read_report(const struct lh_root *root, const char *relpath, struct lh_buf *text,
		       struct lh_record *rec, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(root, relpath);
	int rc;

	lh_buf_init(text, REPORT_MAX);
	rc = lh_file_read(path, text, err);
	if (rc > 0 && lh_record_parse(rec, text->p, text->len, err) < 0)
		rc = err->code == LH_EDATA ? 0 : -1;
	return rc;
}

static int edit_receipt(struct erasing *e, const char *id, enum lh_stage stage, struct lh_err *err)
{
	struct edit ed = { .e = e };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, out = { 0 };
	struct lh_record rec;
	char relpath[PATH_LEN];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, id,
		 lh_stage_name(stage));
	ed.newest = e->claims.receipt[stage] && !strcmp(e->claims.receipt[stage], relpath);
	lh_record_init(&rec);
	rc = read_report(e->root, relpath, &text, &rec, err);
	if (rc > 0)
		rc = write_receipt(&ed, &rec, &out, err);
	if (!rc && ed.changed && (out.len != text.len || memcmp(out.p, text.p, out.len)))
		rc = lh_root_put(e->root, relpath, &out, err);
	lh_record_free(&rec);
	lh_buf_free(&ed.scratch);
	return rc < 0 ? lh_err_prefix(err, "%s", relpath) : 0;
}

/* ---- a summary ---- */

/* The two sides of a stage, from its receipt. */
struct stage_sides {
	uint64_t in, out;
	char in_hash[LH_SHA256_HEX + 1], out_hash[LH_SHA256_HEX + 1];
};

static void copy_hash(char to[LH_SHA256_HEX + 1], struct lh_str hash)
{
	size_t n = hash.n < LH_SHA256_HEX ? hash.n : LH_SHA256_HEX;

	memcpy(to, hash.p, n);
	to[n] = '\0';
}

/* Set them: 1, 0 if there is no receipt, and they stay, -1. */
static int read_sides(const struct lh_root *root, const char *id, struct lh_str stage,
		      struct stage_sides *s, struct lh_err *err)
{
	struct edit ed = { .e = NULL };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_record rec;
	char relpath[PATH_LEN];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/%.*s.json", LH_ROOT_REPORTS, id, (int)stage.n,
		 stage.p);
	lh_record_init(&rec);
	rc = read_report(root, relpath, &text, &rec, err);
	if (rc > 0) {
		const struct lh_value *in = lh_record_get(&rec, "inputs"),
			*out = lh_record_get(&rec, "outputs");
		struct lh_str h[2] = { { "", 0 }, { "", 0 } };

		if (in && out) {
			h[0] = text_of(&ed, in, "hash");
			h[1] = text_of(&ed, out, "hash");
			s->in = number_of(in, "record_count");
			s->out = number_of(out, "record_count");
		}
		copy_hash(s->in_hash, h[0]);
		copy_hash(s->out_hash, h[1]);
	}
	lh_record_free(&rec);
	lh_buf_free(&ed.scratch);
	return rc;
}

/* Write the stages of a summary as their receipts are now, and sum them up. */
static int write_stages(const struct erasing *e, const char *id, struct lh_writer *w,
			const struct lh_value *stages, struct stage_sides *total,
			struct lh_sha256 *hash, struct lh_err *err)
{
	struct edit ed = { .e = NULL };
	struct lh_iter it, in;
	bool first = true;
	int rc = 0;

	lh_write_array(w, "stages");
	for (lh_iter_init(&it, stages); rc >= 0 && lh_iter_next(&it); first = false) {
		struct stage_sides s = { .in = number_of(&it.val, "records_in"),
					 .out = number_of(&it.val, "records_out") };

		copy_hash(s.in_hash, text_of(&ed, &it.val, "input_hash"));
		copy_hash(s.out_hash, text_of(&ed, &it.val, "output_hash"));
		rc = read_sides(e->root, id, text_of(&ed, &it.val, "stage"), &s, err);
		lh_write_object(w, NULL);
		for (lh_iter_init(&in, &it.val); lh_iter_next(&in); ) {
			const struct lh_value *key = &in.key;

			if (lh_value_is(key, "records_in", 10))
				lh_write_u64(w, "records_in", s.in);
			else if (lh_value_is(key, "records_out", 11))
				lh_write_u64(w, "records_out", s.out);
			else if (lh_value_is(key, "input_hash", 10))
				lh_write_text(w, "input_hash", s.in_hash);
			else if (lh_value_is(key, "output_hash", 11))
				lh_write_text(w, "output_hash", s.out_hash);
			else
				copy_member(w, key, &in.val);
		}
		lh_write_end(w);
		total->in += s.in;
		total->out += s.out;
		lh_sha256_more(hash, "|", !first);
		lh_sha256_more(hash, s.out_hash, strlen(s.out_hash));
		lh_buf_reset(&ed.scratch);
	}
	lh_write_end(w);
	lh_buf_free(&ed.scratch);
	return rc < 0 ? -1 : 0;
}

static int write_summary(const struct erasing *e, const char *id, const struct lh_record *rec,
			 struct lh_buf *out, struct lh_err *err)
{
	struct stage_sides total = { .in = 0 };
	struct lh_writer w = lh_write_to(out);
	struct lh_sha256 hash;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX + 1] = "";
	size_t i;
	int rc = 0;

	lh_sha256_start(&hash);
	lh_write_object(&w, NULL);
	for (i = 0; !rc && i < rec->n; i++) {
		const struct lh_value *key = &rec->member[i].key, *v = &rec->member[i].val;

		if (lh_value_is(key, "stages", 6)) {
			rc = write_stages(e, id, &w, v, &total, &hash, err);
			lh_sha256_end(&hash, sum);
			lh_hex(sum, sizeof sum, hex);
		} else if (lh_value_is(key, "total_records_in", 16)) {
			lh_write_u64(&w, "total_records_in", total.in);
		} else if (lh_value_is(key, "total_records_out", 17)) {
			lh_write_u64(&w, "total_records_out", total.out);
		} else if (lh_value_is(key, "run_hash", 8)) {
			lh_write_text(&w, "run_hash", hex);
		} else {
			copy_member(&w, key, v);
		}
	}
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return rc;
}

/* Make the summary of a run that of its receipts. */
static int edit_summary(const struct erasing *e, const char *id, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, out = { 0 };
	struct lh_record rec;
	char relpath[PATH_LEN];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/summary.json", LH_ROOT_REPORTS, id);
	lh_record_init(&rec);
	rc = read_report(e->root, relpath, &text, &rec, err);
	if (rc > 0 && lh_record_get(&rec, "stages") && lh_record_get(&rec, "run_hash"))
		rc = write_summary(e, id, &rec, &out, err);
	if (!rc && out.len && (out.len != text.len || memcmp(out.p, text.p, out.len)))
		rc = lh_root_put(e->root, relpath, &out, err);
	lh_record_free(&rec);
	return rc < 0 ? -1 : 0;
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
	int rc;

	if (!n)
		return 0;
	e.block = lh_calloc(1, BLOCK);
	e.rows = lh_rows_new();
	rc = read_claims(root, &e.claims, err);
	if (!rc)
		rc = lh_run_each(root, on_run, &e, err);
	lh_claims_free(&e.claims);
	lh_rows_free(e.rows);
	free(e.block);
	return rc;
}
