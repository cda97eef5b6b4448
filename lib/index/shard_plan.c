/* shard_plan.c - the plan of a sharded index, read, checked and written.  See index_tools.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#include "base/utf8.h"
#include "base/mem.h"
#include "base/xxh3.h"
#include "file/file.h"
#include "index_tools.h"
#include "json/bind.h"
#include "vector/vector_record.h"

#define SUFFIX ".json"
#define PLAN_MAX ((size_t)1 << 30)	/* bytes */
#define ROWS_CHECKED 16		/* of N shards, one row in N is in its place by chance */

static const char *const by_names[] = { "hash", "centroid", NULL };

/* ---- reading ---- */

struct shard_member {
	struct lh_str file, checksum;
	uint64_t length;
	struct lh_value centroid;
};

struct plan_members {
	uint64_t format, dimension;
	enum lh_shard_by by;
	struct lh_str model;
	struct shard_member *shard;
	size_t n;
};

/* Accept only names of which each part is a plain one, so that a file has one name and is
 * below the plan's folder. */
static bool is_below(const struct lh_value *v, struct lh_str file)
{
	const char *p = file.p, *end = file.p + file.n, *slash;
	size_t n;

	(void)v;
	for (;; p = slash + 1) {
		slash = memchr(p, '/', (size_t)(end - p));
		n = (size_t)((slash ? slash : end) - p);
		if (!n || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (!slash)
			return true;
	}
}

static bool is_checksum(const struct lh_value *v, struct lh_str s)
{
	(void)v;
	return lh_is_hex(s, 16);
}

static const struct lh_bind shard_table[] = {
	{ LH_BIND_STRING("file", struct shard_member, file), .required = true, .no_nul = true,
	  .longest = 4000, .is = is_below, .what = "file name below the folder of the plan" },
	{ LH_BIND_U64("length", struct shard_member, length, 0, INT64_MAX), .required = true },
	{ LH_BIND_STRING("checksum", struct shard_member, checksum), .required = true,
	  .is = is_checksum, .what = "string of 16 hex digits" },
	{ LH_BIND_ARRAY("centroid", struct shard_member, centroid) },
	LH_BIND_END
};

static const struct lh_bind plan_table[] = {
	{ LH_BIND_U64("format", struct plan_members, format, 1, INT64_MAX), .required = true },
	{ LH_BIND_INDEX("by", struct plan_members, by, by_names), .required = true },
	{ LH_BIND_U64("dimension", struct plan_members, dimension, 1, LH_DIM_MAX),
	  .required = true },
	{ LH_BIND_STRING("model", struct plan_members, model), .no_nul = true, .longest = 255 },
	{ LH_BIND_TABLES("shards", struct plan_members, shard, n, shard_table), .required = true },
	LH_BIND_END
};

static int read_centroid(struct lh_shard_plan *p, size_t i, const struct lh_value *v,
			 struct lh_err *err)
{
	struct lh_buf values = { 0 };
	size_t n = 0;
	int rc = lh_vector_record_vector(v, &values, &n, err);

	if (rc == 0 && n != p->dimension)
		rc = lh_err_set(err, LH_EDATA, "%zu values, the plan has dimension %u", n,
				p->dimension);
	if (rc == 0 && !lh_vec_finite((const void *)values.p, n))
		rc = lh_err_set(err, LH_EDATA, "it holds a value that is not finite");
	if (rc < 0) {
		lh_buf_free(&values);
		return lh_err_prefix(err, "shards[%zu].centroid", i);
	}
	p->shard[i].centroid = (void *)values.p;
	return 0;
}

static int read_shard(struct lh_shard_plan *p, size_t i, const struct shard_member *m,
		      struct lh_err *err)
{
	struct lh_plan_shard *s = &p->shard[i];
	char digits[17];

	memcpy(digits, m->checksum.p, 16);
	digits[16] = '\0';
	s->checksum = strtoull(digits, NULL, 16);
	s->length = m->length;
	s->file = lh_strndup(m->file.p, m->file.n);
	if (!m->centroid.p)
		return 0;
	if (p->by == LH_SHARD_BY_HASH)
		return lh_err_set(err, LH_EDATA, "shards[%zu].centroid: the plan is by hash", i);
	return read_centroid(p, i, &m->centroid, err);
}

static int by_file(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_files(const struct lh_shard_plan *p, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char **file = lh_calloc(p->n, sizeof *file);
	size_t i;
	int rc = 0;

	for (i = 0; i < p->n; i++)
		file[i] = p->shard[i].file;
	qsort(file, p->n, sizeof *file, by_file);
	for (i = 1; rc == 0 && i < p->n; i++)
		if (strcmp(file[i - 1], file[i]) == 0)
			rc = lh_err_set(err, LH_EDATA, "the file %s is named twice", file[i]);
	return rc;
}

static int take_members(struct lh_shard_plan *p, const struct plan_members *m, struct lh_err *err)
{
	size_t i;

	if (m->format != 1)
		return lh_err_set(err, LH_EDATA,
				  "format %" PRIu64 " is newer than 1, the newest that this "
				  "program reads", m->format);
	if (!m->n || m->n > LH_SHARDS_MAX)
		return lh_err_set(err, LH_EDATA, "\"shards\" has %zu elements: 1 to %d", m->n,
				  LH_SHARDS_MAX);
	p->by = m->by;
	p->dimension = (uint32_t)m->dimension;
	memcpy(p->model, m->model.p, m->model.n);
	p->shard = lh_calloc(m->n, sizeof *p->shard);
	p->n = m->n;
	for (i = 0; i < m->n; i++)
		if (read_shard(p, i, &m->shard[i], err) < 0)
			return -1;
	return check_files(p, err);
}

int lh_shard_plan_parse(struct lh_shard_plan *p, const char *text, size_t n, struct lh_err *err)
{
	struct plan_members m = { .model = { "", 0 } };
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_value v;
	int rc;

	*p = (struct lh_shard_plan){ .shard = NULL };
	rc = lh_json_parse(&rec, text, n, &v, err);
	if (rc == 0)
		rc = lh_bind_value(plan_table, &v, &m, &strings, err);
	return rc ? rc : take_members(p, &m, err);
}

int lh_shard_plan_read(struct lh_shard_plan *p, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	*p = (struct lh_shard_plan){ .shard = NULL };
	lh_buf_init(&text, PLAN_MAX);
	rc = lh_file_read(path, &text, err);
	if (rc == 0) {
		rc = lh_err_set(err, LH_EIO, "%s: no such file", path);
	} else if (rc > 0) {
		rc = lh_shard_plan_parse(p, text.p, text.len, err);
		if (rc < 0 && err->code == LH_EDATA)
			lh_err_prefix(err, "%s: not a plan of shards", path);
	}
	return rc;
}

void lh_shard_plan_free(struct lh_shard_plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		free(p->shard[i].file);
		free(p->shard[i].centroid);
	}
	free(p->shard);
	*p = (struct lh_shard_plan){ .shard = NULL };
}

/* ---- writing ---- */

static void write_shard(struct lh_writer *w, const struct lh_shard_plan *p,
			const struct lh_plan_shard *s)
{
	char digits[17];
	uint32_t i;

	snprintf(digits, sizeof digits, "%016" PRIx64, s->checksum);
	lh_write_object(w, NULL);
	lh_write_text(w, "file", s->file);
	lh_write_u64(w, "length", s->length);
	lh_write_text(w, "checksum", digits);
	if (s->centroid) {
		lh_write_array(w, "centroid");
		for (i = 0; i < p->dimension; i++)
			lh_write_f32(w, NULL, s->centroid[i]);
		lh_write_end(w);
	}
	lh_write_end(w);
}

void lh_shard_plan_write(struct lh_buf *out, const struct lh_shard_plan *p)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_u64(&w, "format", 1);
	lh_write_text(&w, "by", by_names[p->by]);
	lh_write_u64(&w, "dimension", p->dimension);
	if (*p->model)
		lh_write_text(&w, "model", p->model);
	else
		lh_write_null(&w, "model");
	lh_write_array(&w, "shards");
	for (i = 0; i < p->n; i++)
		write_shard(&w, p, &p->shard[i]);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
}

/* ---- the files ---- */

double lh_shard_plan_distance(enum lh_distance distance, const float *a, const float *b, size_t n)
{
	return distance == LH_L2 ? lh_vec_l2sq_f64(a, b, n) : -lh_vec_dot_f64(a, b, n);
}

char *lh_shard_plan_path(const char *path, const struct lh_shard_plan *p, size_t i)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
	const char *file = p->shard[i].file;
	char *out = lh_calloc(folder + strlen(file) + 1, 1);

	memcpy(out, path, folder);
	memcpy(out + folder, file, strlen(file));
	return out;
}

/*
 * Check that records of the file have their place in shard i: a few of them, which are next to
 * each other in the file.  A plan of which a shard was taken out, or whose order was changed,
 * answers as if it were complete.  A row that is damaged is left to the search that meets it.
 */
static int check_place(const struct lh_shard_plan *p, size_t i, const struct lh_index *ix,
		       struct lh_err *err)
{
	uint64_t row, rows = lh_index_rows(ix), in;
	struct lh_err damage;
	struct lh_row r;

	if (rows && p->by == LH_SHARD_BY_CENTROID && !p->shard[i].centroid)
		return lh_err_set(err, LH_EDATA, "it has records, and the plan no centroid of it");
	for (row = 0; row < rows && row < ROWS_CHECKED && p->by == LH_SHARD_BY_HASH; row++) {
		if (lh_index_row(ix, row, &r, &damage) <= 0)
			continue;
		in = lh_shard_of(r.id.p, r.id.n, p->n);
		if (in != i)
			return lh_err_set(err, LH_EDATA, "it is shards[%zu] of %zu, where a record "
					  "of it belongs to shards[%" PRIu64 "]", i, p->n, in);
	}
	return 0;
}

int lh_shard_plan_check(const struct lh_shard_plan *p, size_t i, const struct lh_index *ix,
			struct lh_err *err)
{
	const struct lh_index_params *is = lh_index_get_params(ix);
	const struct lh_plan_shard *s = &p->shard[i];
	struct lh_index_stats st;

	lh_index_get_stats(ix, &st);
	if (is->dimension != p->dimension)
		return lh_err_set(err, LH_EDATA, "it has dimension %u, the plan %u", is->dimension,
				  p->dimension);
	if (strcmp(is->model, p->model) != 0)
		return lh_err_set(err, LH_EDATA, "it has model \"%s\", the plan \"%s\"", is->model,
				  p->model);
	if (st.file_bytes != s->length)
		return lh_err_set(err, LH_EDATA, "it has %" PRIu64 " bytes, the plan %" PRIu64,
				  st.file_bytes, s->length);
	if (lh_index_checksum(ix) != s->checksum)
		return lh_err_set(err, LH_EDATA,
				  "it has checksum %016" PRIx64 ", the plan %016" PRIx64,
				  lh_index_checksum(ix), s->checksum);
	if (st.pending || st.deleted)
		return lh_err_set(err, LH_EDATA, "it was changed after the plan was made");
	return check_place(p, i, ix, err);
}

struct lh_str lh_shard_plan_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct lh_str name = lh_str_of(slash ? slash + 1 : path);
	size_t n = strlen(SUFFIX);

	if (name.n > n && memcmp(name.p + name.n - n, SUFFIX, n) == 0)
		name.n -= n;
	return name;
}

bool lh_shard_plan_is(const char *path)
{
	size_t n = strlen(path), suffix = strlen(SUFFIX);
	char first = '\0';
	ssize_t got;
	int fd;

	if (n < suffix || strcmp(path + n - suffix, SUFFIX) != 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	got = fd < 0 ? -1 : read(fd, &first, 1);
	if (fd >= 0)
		close(fd);
	return got == 1 && (first == '{' || first == '[');
}
