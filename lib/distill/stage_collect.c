/* stage_collect.c - collect sources as evidence.  See stages.h. */
#include "stages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/table.h"
#include "file/file.h"
#include "flow/flow.h"
#include "json/write.h"
#include "text/escape.h"

#define TELL_EVERY 4096		/* records between two reports of progress */

struct collect {
	struct lh_run *run;
	struct lh_collect *how;
	struct lh_append *skips;
	struct lh_map skips_seen;	/* keys of all skips, on file and of this run */
	struct lh_buf row;
	uint64_t taken;			/* rows of all sources */

	/* of the source being read: */
	enum lh_stream stream;
	struct lh_collected *got;
	struct lh_map seen;		/* sig_hashes, on file and of this run */
	struct lh_append *out;
	uint64_t read;			/* rows that the threads have read */
	struct stat before;		/* the file, and the digest of its bytes so far */
	struct lh_sha256 hash;
	uint64_t bytes;
};

/* ---- what earlier runs have collected ---- */

static void skip_key(const char *source, size_t n, uint64_t offset, const char *sig,
			 size_t sig_n, struct lh_buf *scratch, unsigned char key[32])
{
	lh_buf_reset(scratch);
	lh_buf_add(scratch, sig, sig_n);
	lh_buf_putc(scratch, '\n');
	lh_buf_u64(scratch, offset);
	lh_buf_putc(scratch, '\n');
	lh_buf_add(scratch, source, n);
	lh_sha256(scratch->p, scratch->len, key);
}

/* The result of a record is the 32 bytes of its hash. */
static int on_evidence(struct lh_record *rec, void *hash, struct lh_buf *out, void *arg,
		       struct lh_err *err)
{
	const struct lh_value *provenance = lh_record_get(rec, "provenance");
	struct lh_value sig;

	(void)out;
	(void)arg;
	if (!provenance || !lh_value_get(provenance, "sig_hash", &sig) || sig.type != LH_STRING ||
	    !lh_unhex(sig.p + 1, sig.n - 2, hash))
		return lh_err_set(err, LH_EDATA, "evidence without provenance.sig_hash");
	return 1;
}

static int add_hash(const struct lh_output *o, void *set, struct lh_err *err)
{
	return lh_hashset_add(set, o->result, NULL, err);
}

static int read_known(struct collect *c, const char *relpath, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_evidence, .result_size = 32, .sink = add_hash, .shared = &c->seen,
		.jobs = c->run->how.jobs, .tombstones = true,
	};
	LH_SCOPED(lh_free_local) char *path = lh_root_join(c->run->root, relpath);

	return lh_flow_file(path, &flow, err);
}

static int of_source(void *ctx, const char *relpath, struct lh_err *err)
{
	struct collect *c = ctx;

	if (lh_stream_of(relpath, strlen(relpath)) != c->stream)
		return 0;
	return read_known(c, relpath, err);
}

static int read_known_evidence(struct collect *c, const char *today, struct lh_err *err)
{
	int is;

	if (c->how->dedup == LH_DEDUP_ALL)
		return lh_root_each(c->run->root, LH_ROOT_EVIDENCE, of_source, c, err);
	is = lh_root_has(c->run->root, today, err);
	return is > 0 ? read_known(c, today, err) : is;
}

static int on_skip(struct lh_record *rec, void *key, struct lh_buf *out, void *scratch,
		   struct lh_err *err)
{
	const struct lh_value *source = lh_record_get(rec, "source_file"),
			      *offset = lh_record_get(rec, "line_offset");
	const struct lh_value *sig = lh_record_get(rec, "sig_hash");
	int64_t at;

	(void)out;
	if (!source || source->type != LH_STRING || !sig || sig->type != LH_STRING ||
	    !offset || offset->type != LH_NUMBER || !lh_value_i64(offset, &at) || at < 0)
		return lh_err_set(err, LH_EDATA,
				  "a skip without source_file, line_offset or sig_hash");
	skip_key(source->p + 1, source->n - 2, (uint64_t)at, sig->p + 1,
			    sig->n - 2, scratch, key);
	return 1;
}

static void scratch_free(void *scratch)
{
	lh_buf_free(scratch);
}

static int read_known_skips(struct collect *c, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_skip, .result_size = 32, .sink = add_hash, .shared = &c->skips_seen,
		.jobs = c->run->how.jobs, .tombstones = true,
		.context_size = sizeof(struct lh_buf),
		.context_free = scratch_free,
	};
	int rc = lh_root_has(c->run->root, LH_ROOT_SKIPS, err);
	LH_SCOPED(lh_free_local) char *path = NULL;

	if (rc <= 0)
		return rc;
	path = lh_root_join(c->run->root, LH_ROOT_SKIPS);
	return lh_flow_file(path, &flow, err);
}

/* ---- the rows of a source ---- */

/* The result of a row; its text is the evidence, or why there is none, as JSON. */
struct row {
	bool skipped, hashed;
	unsigned char hash[32];
};

struct worker {
	struct collect *c;
	struct lh_evidence *e;
	uint64_t read;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	w->c->read += w->read;
	lh_evidence_free(w->e);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->c = ctx;
	w->e = lh_evidence_new(w->c->run->recorded_at);
	return 0;
}

static int on_row(struct lh_record *rec, void *result, struct lh_buf *out, void *arg,
		  struct lh_err *err)
{
	const unsigned char *hash;
	struct row *row = result;
	struct worker *w = arg;
	size_t start = out->len;
	int rc;

	rc = lh_evidence_make(w->e, w->c->stream, rec, rec->number - 1, out, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	hash = lh_evidence_hash(w->e);
	w->read++;
	row->skipped = rc < 0;
	row->hashed = hash != NULL;
	if (hash)
		memcpy(row->hash, hash, sizeof row->hash);
	if (row->skipped) {
		out->len = start;
		lh_evidence_errors(w->e, out);
	}
	return 1;
}

/* A line that is not a record is a skip too. */
static void on_bad(const struct lh_bad_line *bad, void *result, struct lh_buf *out, void *arg)
{
	const struct lh_err *why = bad->why;
	struct worker *w = arg;
	struct row *row = result;
	char text[sizeof why->msg + 64];

	w->read++;
	row->skipped = true;
	if (why->column)
		snprintf(text, sizeof text, "line %llu, column %zu: %s",
			 (unsigned long long)bad->line, why->column, why->msg);
	else
		snprintf(text, sizeof text, "record: %s", why->msg);
	lh_buf_putc(out, '[');
	lh_escape_json(out, text);
	lh_buf_putc(out, ']');
}

static int add(struct collect *c, const unsigned char hash[32], const char *p, size_t n,
	       struct lh_err *err)
{
	bool is_new;

	if (lh_hashset_add(&c->seen, hash, &is_new, err) < 0)
		return -1;
	if (!is_new) {
		c->got->deduped++;
		return 0;
	}
	c->got->written++;
	return c->run->how.dry ? 0 : lh_append_line(c->out, p, n, err);
}

static int take_skip(struct collect *c, const struct row *row, const struct lh_output *o,
		     struct lh_err *err)
{
	const char *source = lh_stream_source(c->stream);
	size_t hex_n = row->hashed ? 64 : 0;
	unsigned char key[32];
	char hex[64];
	struct lh_writer json;
	bool is_new;

	c->got->skipped++;
	if (c->how->skipped)
		c->how->skipped(c->how->ctx, c->stream, o->line, o->text, o->n);
	lh_hex(row->hash, sizeof row->hash, hex);
	skip_key(source, strlen(source), o->line - 1, hex, hex_n, &c->row, key);
	if (lh_hashset_add(&c->skips_seen, key, &is_new, err) < 0)
		return -1;
	if (!is_new || c->run->how.dry)
		return 0;
	lh_buf_reset(&c->row);
	json = lh_write_to(&c->row);
	lh_write_object(&json, NULL);
	lh_write_text(&json, "source_file", source);
	lh_write_u64(&json, "line_offset", o->line - 1);
	lh_write_raw(&json, "errors", (struct lh_str){ o->text, o->n });
	lh_write_str(&json, "sig_hash", (struct lh_str){ hex, hex_n });
	lh_write_text(&json, "recorded_at", c->run->recorded_at);
	lh_write_end(&json);
	return lh_append_line(c->skips, c->row.p, c->row.len, err);
}

static int on_output(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const struct row *row = o->result;
	struct collect *c = ctx;

	if (++c->taken % TELL_EVERY == 0)
		lh_run_progress(c->run, LH_STAGE_COLLECT, c->taken);
	return row->skipped ? take_skip(c, row, o, err)
			    : add(c, row->hash, o->text, o->n, err);
}

/* Check that no row was lost. */
static int check_sum(const struct collect *c, struct lh_err *err)
{
	const struct lh_collected *g = c->got;

	if (g->read == g->written + g->skipped + g->deduped &&
	    (c->run->how.dry || lh_append_lines(c->out) == g->written))
		return 0;
	return lh_err_set(err, LH_ECORRUPT,
			  "%s: %llu rows read, but %llu written, %llu skipped and %llu deduped",
			  lh_stream_source(c->stream),
			  (unsigned long long)g->read, (unsigned long long)g->written,
			  (unsigned long long)g->skipped, (unsigned long long)g->deduped);
}

static void on_bytes(void *ctx, const char *p, size_t n)
{
	struct collect *c = ctx;

	c->bytes += n;
	lh_sha256_more(&c->hash, p, n);
}

/* Add the contents of the source to the receipt. */
static void add_source_digest(struct collect *c)
{
	struct lh_file_digest *fact = &c->got->digest;

	fact->bytes = c->bytes;
	fact->records = c->read;
	lh_sha256_end(&c->hash, fact->sha256);
	lh_digest_cache_read(c->run->facts, lh_stream_source(c->stream), &c->before, fact);
}

static int begin_source(struct collect *c, struct lh_err *err)
{
	char relpath[128];

	snprintf(relpath, sizeof relpath, "%s/%s.jsonl", c->how->output, lh_stream_name(c->stream));
	if (read_known_evidence(c, relpath, err) < 0)
		return -1;
	c->out = lh_root_append(c->run->root, relpath, err);
	return c->out ? 0 : -1;
}

static void end_source(struct collect *c)
{
	lh_append_close(c->out);
	c->out = NULL;
	lh_map_free(&c->seen);
}

static int read_source(struct collect *c, const char *path, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_row, .result_size = sizeof(struct row), .bad = on_bad, .sink = on_output,
		.show = c->run->how.dry ? NULL : on_bytes, .shared = c,
		.jobs = c->run->how.jobs, .max_line = c->how->max_line, .tombstones = true,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free,
	};
	int rc;

	if (begin_source(c, err) < 0)
		return -1;
	c->read = c->bytes = 0;
	lh_sha256_start(&c->hash);
	rc = lh_flow_file(path, &flow, err);
	c->got->read = c->read;
	if (!rc)
		rc = check_sum(c, err);
	if (!rc && !c->run->how.dry) {
		rc = lh_append_commit(c->out, err);
		if (!rc)
			add_source_digest(c);
	}
	end_source(c);
	return rc;
}

static int collect_source(struct collect *c, struct lh_err *err)
{
	char *path = lh_root_join(c->run->root, lh_stream_source(c->stream));
	int fd, rc;

	fd = lh_open_regular(path, O_RDONLY, 0, err);
	rc = fd >= 0 || errno == ENOENT ? 0 : -1;
	if (fd >= 0) {
		if (fstat(fd, &c->before) < 0)
			rc = lh_err_sys(err, "%s", path);
		close(fd);
	}
	if (fd >= 0 && !rc) {
		c->got->present = true;
		rc = read_source(c, path, err);
	}
	free(path);
	return rc;
}

static int collect_all(struct collect *c, struct lh_err *err)
{
	int s;

	for (s = 0; s < LH_STREAMS; s++) {
		if (c->how->sources && !(c->how->sources & 1u << s))
			continue;
		c->stream = (enum lh_stream)s;
		c->got = &c->how->of[s];
		if (collect_source(c, err) < 0)
			return -1;
	}
	return 0;
}

/* Collect with the skips open, and commit them last. */
static int with_skips(struct collect *c, struct lh_err *err)
{
	struct lh_collected *sum = &c->how->all;
	int s;

	if (read_known_skips(c, err) < 0)
		return -1;
	c->skips = lh_root_append(c->run->root, LH_ROOT_SKIPS, err);
	if (!c->skips || collect_all(c, err) < 0)
		return -1;
	for (s = 0; s < LH_STREAMS; s++) {
		const struct lh_collected *one = &c->how->of[s];

		sum->read += one->read;
		sum->written += one->written;
		sum->skipped += one->skipped;
		sum->deduped += one->deduped;
	}
	return c->run->how.dry ? 0 : lh_append_commit(c->skips, err);
}

/* Run the stage, free c, and write the receipt. */
static int run_stage(struct collect *c, struct lh_stage_result *res, struct lh_err *err)
{
	const char *at = c->run->recorded_at;
	int rc;

	lh_stage_begin(res, LH_STAGE_COLLECT);
	memset(&c->how->all, 0, sizeof c->how->all);
	snprintf(c->how->output, sizeof c->how->output, LH_ROOT_EVIDENCE "/%.4s/%.2s/%.2s", at,
		 at + 5, at + 8);
	rc = with_skips(c, err);
	lh_append_close(c->skips);
	lh_map_free(&c->seen);
	lh_map_free(&c->skips_seen);
	lh_buf_free(&c->row);
	if (rc < 0)
		return -1;
	lh_run_progress(c->run, LH_STAGE_COLLECT, c->taken);
	res->sources = c->how->sources;
	res->accepted = c->how->all.written;
	res->skipped = c->how->all.skipped;
	if (res->skipped)
		lh_stage_fault(res, "%s skipped", LH_N(res->skipped, "row"));
	return lh_receipt_write(c->run, res, err);
}

int lh_stage_collect(struct lh_run *run, struct lh_stage_result *res, struct lh_collect *how,
		     struct lh_err *err)
{
	struct lh_collect defaults = { 0 };
	struct collect c = { .run = run, .how = how ? how : &defaults };

	memset(c.how->of, 0, sizeof c.how->of);
	return run_stage(&c, res, err);
}
