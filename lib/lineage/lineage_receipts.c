/* lineage_receipts.c - which run of a distillation wrote a row. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <lh/digest.h>
#include <lh/time.h>

#include "base/mem.h"
#include "file/file.h"
#include "lineage_parts.h"

#define RECEIPT_MAX ((size_t)256 << 20)

struct listed {
	struct lh_str path, sha256;
	uint64_t bytes, records;
};
struct side {
	struct listed *file;
	size_t n;
};
struct receipt {
	struct lh_str run_id, stage, timestamp, git_commit;
	struct side outputs;
};

static const struct lh_bind listed_members[] = {
	{ LH_BIND_STRING("path", struct listed, path), .lax = true },
	{ LH_BIND_STRING("sha256", struct listed, sha256), .lax = true },
	{ LH_BIND_U64("bytes", struct listed, bytes, 0, INT64_MAX), .lax = true },
	{ LH_BIND_U64("record_count", struct listed, records, 0, INT64_MAX), .lax = true },
	LH_BIND_END
};
static const struct lh_bind side_members[] = {
	{ LH_BIND_TABLES("files", struct side, file, n, listed_members), .lax = true },
	LH_BIND_END
};
static const struct lh_bind receipt_members[] = {
	{ LH_BIND_STRING("run_id", struct receipt, run_id), .required = true },
	{ LH_BIND_STRING("stage", struct receipt, stage), .required = true },
	{ LH_BIND_STRING("timestamp", struct receipt, timestamp), .required = true },
	{ LH_BIND_STRING("git_commit", struct receipt, git_commit), .lax = true },
	{ LH_BIND_TABLE("outputs", struct receipt, outputs, side_members), .lax = true },
	LH_BIND_END
};

struct search {
	struct lh_lineage *l;
	struct lh_receipt_of *of;
	size_t n;
	struct lh_buf file, text;
	struct lh_record rec;
	struct receipt receipt;
	char relpath[256];
};

static void search_free(struct search *s)
{
	lh_buf_free(&s->file);
	lh_buf_free(&s->text);
	lh_record_free(&s->rec);
}

/* Read the receipt of a stage of a run: 1, 0 if it does not exist or is damaged, which is
 * reported, -1. */
static int read_receipt(struct search *s, const char *id, enum lh_stage stage, struct lh_err *err)
{
	struct lh_lineage *l = s->l;
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	snprintf(s->relpath, sizeof s->relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, id,
		 lh_stage_name(stage));
	path = lh_root_join(l->root, s->relpath);
	rc = lh_file_read(path, &s->file, err);
	s->receipt = (struct receipt){ .run_id = { NULL, 0 } };
	if (rc > 0 && (lh_record_parse(&s->rec, s->file.p, s->file.len, err) < 0 ||
		       lh_bind(receipt_members, &s->rec, &s->receipt, &s->text, err) < 0)) {
		lh_err_prefix(err, "%s", path);
		rc = -1;
	}
	if (rc >= 0 || err->code == LH_ENOMEM)
		return rc;
	l->how.warn(l->how.ctx, true, err->msg);
	return 0;
}

/* Add the receipts of a run. */
static int count_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	int stage;

	for (stage = 0; stage < LH_STAGES; stage++) {
		int rc = read_receipt(s, id, (enum lh_stage)stage, err);

		if (rc < 0)
			return -1;
		s->n += (size_t)rc;
	}
	return 0;
}

/* Write where the receipt is in the transparency log, if one is asked. */
static int write_index(const struct search *s, struct lh_writer *w, struct lh_err *err)
{
	const struct lh_lineage_how *how = &s->l->how;
	unsigned char sum[32];
	uint64_t index;
	int rc;

	if (!how->committed)
		return 0;
	lh_sha256(s->file.p, s->file.len, sum);
	rc = how->committed(how->ctx, sum, &index, err);
	if (rc > 0)
		lh_write_u64(w, "tlog_index", index);
	else
		lh_write_null(w, "tlog_index");
	return rc < 0 ? -1 : 0;
}

/* Write the step of a receipt, but for its end. */
static int write_receipt(const struct search *s, const struct listed *f, struct lh_writer *w,
			 struct lh_err *err)
{
	const struct receipt *r = &s->receipt;

	lh_write_object(w, NULL);
	lh_write_text(w, "step", "receipt");
	lh_write_text(w, "file", s->relpath);
	lh_write_u64(w, "line", 1);
	lh_write_str(w, "stage", r->stage);
	lh_write_str(w, "run_id", r->run_id);
	lh_write_str(w, "timestamp", r->timestamp);
	if (r->git_commit.p)
		lh_write_str(w, "git_commit", r->git_commit);
	if (write_index(s, w, err) < 0)
		return -1;
	if (!f)
		return 0;
	if (f->sha256.p)
		lh_write_str(w, "sha256", f->sha256);
	lh_write_u64(w, "bytes", f->bytes);
	lh_write_u64(w, "record_count", f->records);
	return 0;
}

/* Compare by time, then by the number of records, then by id. */
static int cmp_at(const struct lh_receipt_at *a, const struct lh_receipt_at *b)
{
	if (a->ms != b->ms)
		return a->ms < b->ms ? -1 : 1;
	if (a->records != b->records)
		return a->records < b->records ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* Keep a receipt that lists the file of a row, if it is the first with that row, or the last. */
static int keep(struct search *s, struct lh_receipt_of *of, const char *id,
		const struct listed *f, struct lh_err *err)
{
	struct lh_receipt_at at = { .records = f->records };
	struct lh_buf *to[2] = { NULL };
	size_t i;

	snprintf(at.id, sizeof at.id, "%s", id);
	if (lh_time_read(s->receipt.timestamp.p, s->receipt.timestamp.n, &at.ms) < 0)
		return 0;
	if (!of->wrote.len || cmp_at(&at, &of->wrote_at) < 0) {
		of->wrote_at = at;
		to[0] = &of->wrote;
	}
	if (!of->newest.len || cmp_at(&at, &of->newest_at) > 0) {
		of->newest_at = at;
		to[1] = &of->newest;
	}
	for (i = 0; i < 2; i++) {
		struct lh_writer w;

		if (!to[i])
			continue;
		lh_buf_reset(to[i]);
		w = lh_write_to(to[i]);
		if (write_receipt(s, f, &w, err) < 0)
			return -1;
		lh_write_bool(&w, "wrote", i == 0);
		lh_write_end(&w);
	}
	return 0;
}

static int on_receipt(struct search *s, const char *id, enum lh_stage stage, struct lh_err *err)
{
	const struct side *out = &s->receipt.outputs;
	size_t i, j;

	for (i = 0; i < s->n; i++) {
		struct lh_receipt_of *of = &s->of[i];
		const char *path = s->l->file[of->row.file].path;

		for (j = 0; of->any && of->stage == stage && j < out->n; j++)
			if (out->file[j].path.p && out->file[j].records >= of->row.line &&
			    lh_str_is(out->file[j].path, path, strlen(path)) &&
			    keep(s, of, id, &out->file[j], err) < 0)
				return -1;
	}
	return 0;
}

static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	unsigned stages = 0;
	int stage, rc = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		stages |= s->of[i].any ? 1u << s->of[i].stage : 0;
	for (stage = 0; stage < LH_STAGES && rc >= 0; stage++) {
		if (!(stages & 1u << stage))
			continue;
		rc = read_receipt(s, id, (enum lh_stage)stage, err);
		if (rc > 0)
			rc = on_receipt(s, id, (enum lh_stage)stage, err);
	}
	return rc < 0 ? -1 : 0;
}

static void search_init(struct search *s, struct lh_lineage *l)
{
	*s = (struct search){ .l = l };
	lh_buf_init(&s->file, RECEIPT_MAX);
}

/* Call fn for each run; a folder of runs that cannot be read is reported. */
static int each_run(struct search *s, lh_run_fn *fn, struct lh_err *err)
{
	int rc = lh_run_each(s->l->root, fn, s, err);

	if (rc >= 0 || err->code != LH_EIO)
		return rc;
	s->l->how.warn(s->l->how.ctx, true, err->msg);
	return 0;
}

int lh_lineage_count_receipts(struct lh_lineage *l, uint64_t *n, struct lh_err *err)
{
	struct search s;
	int rc;

	search_init(&s, l);
	rc = each_run(&s, count_run, err);
	*n = s.n;
	search_free(&s);
	return rc;
}

int lh_lineage_receipts(struct lh_lineage *l, struct lh_receipt_of *of, size_t n,
			struct lh_err *err)
{
	LH_SCOPED(search_free) struct search s;
	size_t i;
	int rc;

	search_init(&s, l);
	s.of = of;
	s.n = n;
	rc = each_run(&s, on_run, err);
	for (i = 0; i < n; i++)
		if (!strcmp(of[i].wrote_at.id, of[i].newest_at.id))
			lh_buf_free(&of[i].newest);
	return rc;
}

int lh_lineage_run(struct lh_lineage *l, struct lh_writer *w, struct lh_str id,
		   struct lh_err *err)
{
	LH_SCOPED(search_free) struct search s;
	LH_SCOPED(lh_free_local) char *name = lh_strndup(id.p, id.n);
	int stage, rc = 0, found = 0;

	search_init(&s, l);
	for (stage = 0; lh_run_id_valid(name) && stage < LH_STAGES && rc >= 0; stage++) {
		rc = read_receipt(&s, name, (enum lh_stage)stage, err);
		if (rc > 0) {
			rc = write_receipt(&s, NULL, w, err);
			lh_write_u64(w, "outputs", s.receipt.outputs.n);
			lh_write_end(w);
			found = 1;
		}
	}
	return rc < 0 ? -1 : found;
}
