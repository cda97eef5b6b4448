/*
 * index_verify.c - what is in the files of an index, checked.  See index_parts.h and index_tools.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "format.h"
#include "index_log.h"
#include "index_parts.h"
#include "index_tools.h"
#include "searcher.h"

/* ---- verify only the checksums of ids, metadata and order ---- */

#define FEW ((uint64_t)32 << 20)

static int check_text_sums(const struct lh_index *ix, uint32_t first, uint32_t last,
			   struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		const struct lh_index_section *s = &h->section[i];

		if (s->kind >= first && s->kind <= last &&
		    lh_xxh3(ix->map.p + s->at, s->bytes) != s->xxh3)
			return lh_err_set(err, LH_ECORRUPT, "%s: the checksum is wrong",
					  lh_index_kind_name(s->kind));
	}
	return 0;
}

int lh_index_check_texts(const struct lh_index *ix, struct lh_err *err)
{
	return check_text_sums(ix, LH_INDEX_ID_AT, LH_INDEX_METAS, err);
}

int lh_index_check_few_texts(const struct lh_index *ix, struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].kind >= LH_INDEX_ID_AT && h->section[i].kind <= LH_INDEX_METAS)
			bytes += h->section[i].bytes;
	return bytes > FEW ? 0 : lh_index_check_texts(ix, err);
}

int lh_index_check_order(const struct lh_index *ix, struct lh_err *err)
{
	return check_text_sums(ix, LH_INDEX_ORDER, LH_INDEX_ORDER, err);
}

/* ---- the rows of an index that a walk over its graph gets to ---- */

static const uint32_t *links_of(void *ctx, uint32_t row, uint32_t *n)
{
	const struct lh_index *ix = ctx;

	*n = 2 * ix->params.m;
	return lh_walk_links(ix, row);
}

bool lh_index_has_graph(const struct lh_index *ix)
{
	return ix->graph;
}

int64_t lh_index_unreached(const struct lh_index *ix, void (*unreached)(void *ctx, uint64_t row),
			   void *ctx)
{
	struct lh_reach r = { .rows = (uint32_t)ix->rows - ix->params.outside,
			      .links_of = links_of, .ctx = (void *)(uintptr_t)ix };
	int64_t n = 0;
	uint32_t row;

	if (!ix->graph)
		return 0;
	lh_reach(&r, ix->entry);
	for (row = 0; r.n < r.rows && row < r.rows; row++) {
		if (r.parent[row] != LH_UNREACHED || lh_index_hidden(ix, row))
			continue;
		n++;
		if (unreached)
			unreached(ctx, row);
	}
	lh_reach_free(&r);
	return n;
}

/* ---- the ids in an index file or a log, and which of its bytes are texts ---- */

static const struct lh_index_section *section_of(const struct lh_mapped *m,
						 const struct lh_index_header *h, uint32_t kind)
{
	size_t i;

	for (i = 0; i < LH_INDEX_SECTIONS; i++)
		if (h->section[i].kind == kind && h->section[i].at <= m->n &&
		    h->section[i].bytes <= m->n - h->section[i].at)
			return &h->section[i];
	return NULL;
}

static int ids_of_index(const struct lh_mapped *m, lh_index_id_fn *fn, void *ctx,
			struct lh_err *err)
{
	const struct lh_index_header *h = (const void *)m->p;
	const struct lh_index_section *at = section_of(m, h, LH_INDEX_ID_AT),
		*ids = section_of(m, h, LH_INDEX_IDS);
	uint64_t i, to[2];
	int rc = 0;

	for (i = 0; !rc && at && ids && i + 1 < at->bytes / 8; i++) {
		memcpy(to, m->p + at->at + 8 * i, sizeof to);
		if (to[0] > to[1] || to[1] > ids->bytes)
			break;
		rc = fn(ctx, (struct lh_str){ m->p + ids->at + to[0], to[1] - to[0] }, err);
	}
	return rc;
}

static int ids_of_log(const struct lh_mapped *m, lh_index_id_fn *fn, void *ctx,
		      struct lh_err *err)
{
	struct lh_log_frame f = { .next = 0 };
	struct lh_log_mark mark = { .dimension = 0 };
	struct lh_pending row;
	struct lh_err later;
	bool with_meta;
	int rc = 0;

	while (!rc && lh_log_next(m->p, m->n, false, &f) == LH_LOG_FRAME)
		if (f.kind == LH_LOG_MARK && lh_log_get_mark(&f, &mark, &later) < 0)
			break;
		else if (f.kind != LH_LOG_MARK &&
			 lh_log_get_change(&f, mark.dimension, &row, &with_meta) == 0)
			rc = fn(ctx, row.id, err);
	return rc;
}

bool lh_index_in_numbers(int fd, uint64_t at)
{
	struct lh_index_header h;
	size_t i;

	if (pread(fd, &h, sizeof h, 0) != sizeof h || memcmp(&h, LH_INDEX_MAGIC, 8))
		return false;
	for (i = 0; i < LH_INDEX_SECTIONS; i++)
		if (at >= h.section[i].at && at - h.section[i].at < h.section[i].bytes)
			switch (h.section[i].kind) {
			case LH_INDEX_PARAMS: case LH_INDEX_IDS: case LH_INDEX_METAS:
			case LH_INDEX_TERM_TEXTS:
				return false;
			default:
				return h.section[i].kind < LH_INDEX_KINDS;
			}
	return false;
}

int lh_index_all_ids(int fd, lh_index_id_fn *fn, void *ctx, struct lh_err *err)
{
	struct lh_mapped m;
	int rc = 0;

	if (lh_mapped_fd(&m, fd, err) < 0)
		return -1;
	if (m.n >= sizeof(struct lh_index_header) && !memcmp(m.p, LH_INDEX_MAGIC, 8))
		rc = ids_of_index(&m, fn, ctx, err);
	else if (m.n >= sizeof(struct lh_log_head) + 8 &&
		 !memcmp(m.p + sizeof(struct lh_log_head), LH_LOG_MAGIC, 8))
		rc = ids_of_log(&m, fn, ctx, err);
	lh_mapped_close(&m);
	return rc;
}

/* ---- open the files of an index as they belong together ---- */

bool lh_index_is(int fd)
{
	char head[sizeof LH_INDEX_MAGIC - 1];
	ssize_t n;

	do
		n = pread(fd, head, sizeof head, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof head && memcmp(head, LH_INDEX_MAGIC, sizeof head) == 0;
}

struct lh_index_identity lh_index_identity(const struct lh_index *ix)
{
	return (struct lh_index_identity){ ix->dev, ix->ino, ix->checksum };
}

static int open_both(const char *path, const char *log, int fd[2], struct lh_err *err)
{
	fd[0] = open(path, O_RDONLY | O_CLOEXEC);
	if (fd[0] < 0)
		return lh_err_sys(err, "%s: cannot open", path);
	fd[1] = open(log, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd[1] >= 0 || errno == ENOENT)
		return 0;
	lh_err_sys(err, "%s: cannot open", log);
	close(fd[0]);
	return -1;
}

int lh_index_open_files(const char *path, double lock_timeout, int fd[2], struct lh_err *err)
{
	char *name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	struct lh_lock lock = { .fd = -1 };
	int rc = -1;

	/* who may not lock it is not in the way of those who do */
	if (lh_lock_take(&lock, name, path, lock_timeout, err) == 0 || err->code == LH_EIO)
		rc = open_both(path, log, fd, err);
	lh_lock_drop(&lock);
	free(log);
	free(name);
	return rc;
}

/* ---- check every byte of an index file ---- */

/* Checksums and padding detect changes since it was written; the other checks detect what was
 * written wrong. */

#define SHOWN_MAX 5		/* messages per section */

struct check {
	struct lh_index *ix;
	void (*damage)(void *ctx, const char *section, const char *text);
	void *ctx;
	struct lh_err *err;
	unsigned n_reported[LH_INDEX_KINDS + 1];
	float *vector;		/* scratch: of the row being checked */
	unsigned char *row[2];	/* scratch: the row, and what it should be */
	struct lh_qg_coder coder;
};

LH_PRINTF(3, 4)
static void report(struct check *c, uint32_t kind, const char *fmt, ...)
{
	uint32_t slot = kind < LH_INDEX_KINDS ? kind : LH_INDEX_KINDS;
	char text[256];
	va_list ap;

	if (++c->n_reported[slot] > SHOWN_MAX + 1)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->damage(c->ctx, lh_index_kind_name(kind),
		  c->n_reported[slot] > SHOWN_MAX ? "more damage is not shown" : text);
}

/* Report an error of opening as damage of the section that its message begins with. */
static void report_open_error(struct check *c)
{
	uint32_t kind;
	size_t n;

	for (kind = 1; kind < LH_INDEX_KINDS; kind++) {
		n = strlen(lh_index_kind_name(kind));
		if (!strncmp(c->err->msg, lh_index_kind_name(kind), n) && c->err->msg[n] == ':') {
			report(c, kind, "%s", c->err->msg + n + 2);
			return;
		}
	}
	report(c, 0, "%s", strncmp(c->err->msg, "header: ", 8) ? c->err->msg : c->err->msg + 8);
}

static void check_header(struct check *c)
{
	const struct lh_index_header *h = &c->ix->header;
	uint32_t i;

	if (h->zero || !lh_index_all_zero(h->zeros, sizeof h->zeros) ||
	    !lh_index_all_zero(h->rest, sizeof h->rest) ||
	    !lh_index_all_zero(h->section + h->n_sections,
			       (LH_INDEX_SECTIONS - h->n_sections) * sizeof *h->section))
		report(c, 0, "reserved bytes are not zero");
	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].zero)
			report(c, 0, "reserved bytes of section %u are not zero", i);
}

static void check_sums(struct check *c)
{
	const struct lh_index_header *h = &c->ix->header;
	const char *map = c->ix->map.p;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		const struct lh_index_section *s = &h->section[i];
		uint64_t end = s->at + s->bytes;

		if (lh_xxh3(map + s->at, s->bytes) != s->xxh3)
			report(c, s->kind, "the checksum is wrong");
		if (!lh_index_all_zero(map + end, lh_index_round(end, LH_INDEX_PAGE) - end))
			report(c, s->kind, "the padding is not zero");
	}
}

/* Report a failed check of sound.c. */
static void report_if_failed(struct check *c, uint32_t kind, int rc)
{
	if (rc < 0)
		report(c, kind, "%s", c->err->msg);
}

static const void *code_of(const void *ctx, uint32_t row)
{
	return lh_index_code(ctx, row);
}

/* Check the bytes of a row, apart from its vector: the codes of its links are made again. */
static void check_links(struct check *c, uint64_t row)
{
	const struct lh_index *ix = c->ix;
	const struct lh_index_shape *shape = &ix->shape;
	size_t code = lh_index_code_bytes(&ix->params);
	size_t end = ix->graph && !shape->values ? shape->ids_at :
		     ix->graph ? shape->unit_at : shape->codes_at;

	memcpy(c->row[0], ix->block + row * ix->stride, ix->stride);
	if (!lh_index_all_zero(c->row[0] + code, end - code))
		report(c, LH_INDEX_ROWS, "row %llu: the padding is not zero",
		       (unsigned long long)row);
	if (!ix->graph)
		return;
	if (lh_index_check_lanes(ix, (const void *)(c->row[0] + shape->ids_at), row, c->err) < 0) {
		report(c, LH_INDEX_ROWS, "%s", c->err->msg);
		return;
	}
	memset(c->row[1], 0, ix->stride);
	memcpy(c->row[1], c->row[0], code);
	memcpy(c->row[1] + shape->ids_at, c->row[0] + shape->ids_at, 8 * (size_t)ix->params.m);
	if (ix->signs) {
		memcpy(c->row[1] + shape->unit_at, c->row[0] + shape->unit_at, sizeof(float));
		lh_qg_coder_row(&c->coder, (uint32_t)row, c->row[1], 0);
	}
	if (memcmp(c->row[0], c->row[1], ix->stride) != 0)
		report(c, LH_INDEX_ROWS, "row %llu: the codes of its links are wrong",
		       (unsigned long long)row);
}

static void check_row(struct check *c, uint64_t row)
{
	const struct lh_index *ix = c->ix;
	const struct lh_index_params *p = &ix->params;

	check_links(c, row);
	report_if_failed(c, LH_INDEX_ROWS,
			 lh_index_check_row_code(p, lh_index_code(ix, row), c->vector, row,
						 c->err));
	if (p->rescore) {
		lh_index_vector(ix, row, c->vector);
		report_if_failed(c, LH_INDEX_EXACT,
				 lh_index_check_row_vector(p, c->vector, row, c->err));
	}
}

/* Check that offsets begin at 0, never decrease, and end at the end of the bytes. */
static bool check_offsets(struct check *c, uint32_t kind, const uint64_t *at, uint64_t n)
{
	uint64_t row, rows = c->ix->rows;

	for (row = 0; row < rows; row++)
		if (at[row] > at[row + 1])
			break;
	if (row == rows && at[0] == 0 && at[rows] == n)
		return true;
	report(c, kind, "row %llu: the offset is wrong", (unsigned long long)row);
	return false;
}

static void check_ids(struct check *c)
{
	const struct lh_index *ix = c->ix;
	uint64_t row, used = 0, i;
	struct lh_str id;

	for (i = 0; i < ix->hash_slots; i++)
		used += ix->hash[2 * i + 1] != 0;
	if (used != ix->rows)
		report(c, LH_INDEX_ID_HASH, "%llu slots are in use for %llu rows",
		       (unsigned long long)used, (unsigned long long)ix->rows);
	used = lh_index_longest_run(ix->hash, ix->hash_slots);
	if (used >= LH_INDEX_PROBES)
		report(c, LH_INDEX_ID_HASH,
		       "%llu slots in a row are in use, at most %d: build it anew",
		       (unsigned long long)used, LH_INDEX_PROBES - 1);
	if (!check_offsets(c, LH_INDEX_ID_AT, ix->id_at, ix->ids_n))
		return;
	for (row = 0; row < ix->rows; row++) {
		if (lh_index_row_text(ix, LH_INDEX_IDS, row, &id, c->err) < 0 || id.n < 1 ||
		    id.n > LH_ID_MAX || !lh_utf8_valid(id.p, id.n))
			report(c, LH_INDEX_IDS, "row %llu: not an id", (unsigned long long)row);
		else if (!c->n_reported[LH_INDEX_ID_HASH] &&
			 lh_index_base_find(ix, id.p, id.n, c->err) != (int64_t)row)
			report(c, LH_INDEX_ID_HASH, "row %llu is not found by its id",
			       (unsigned long long)row);
	}
}

static int check_metas(struct check *c)
{
	const struct lh_index *ix = c->ix;
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	struct lh_str meta;
	uint64_t row;
	int rc = 0;

	if (!check_offsets(c, LH_INDEX_META_AT, ix->meta_at, ix->metas_n))
		return 0;
	for (row = 0; !rc && row < ix->rows; row++) {
		rc = lh_index_row_text(ix, LH_INDEX_METAS, row, &meta, c->err);
		if (!rc)
			rc = lh_index_check_row_meta(&scan, &copy, meta, row, c->err);
		if (rc < 0 && c->err->code == LH_ECORRUPT) {
			report(c, LH_INDEX_METAS, "%s", c->err->msg);
			rc = 0;
		}
	}
	return rc;
}

/* Check that the order names every row once. */
static int check_order(struct check *c)
{
	const struct lh_index *ix = c->ix;
	bool *there = ix->order ? lh_calloc(ix->rows, sizeof *there) : NULL;
	uint64_t i;

	if (ix->order && !there)
		return -1;
	for (i = 0; there && i < ix->rows; i++) {
		uint32_t row = lh_once32(&ix->order[i]);

		if (row >= ix->rows || there[row])
			report(c, LH_INDEX_ORDER, "entry %llu is row %u", (unsigned long long)i,
			       row);
		else
			there[row] = true;
	}
	free(there);
	return 0;
}

static void report_lexical(void *ctx, int run, const char *text)
{
	report(ctx, LH_INDEX_LENGTHS + (uint32_t)run, "%s", text);
}

static void check_rows_room(struct check *c)
{
	const struct lh_index *ix = c->ix;
	size_t n = ix->signs ? lh_qg_sign_bytes(lh_index_lifted(&ix->params)) : 0;

	c->vector = lh_calloc(ix->params.dimension, sizeof *c->vector);
	c->row[0] = lh_calloc(1, ix->stride > n ? ix->stride : n);
	c->row[1] = lh_calloc(1, ix->stride);
	if (!ix->signs)
		return;
	c->coder = (struct lh_qg_coder){ .p = &ix->params, .shape = &ix->shape, .signs = ix->signs,
					 .rows = ix->rows, .code_of = code_of, .ctx = ix };
	lh_qg_coder_init(&c->coder, 1);
}

static void check_rows(struct check *c)
{
	uint64_t row;

	check_rows_room(c);
	if (c->ix->signs) {
		/* The codes of links are made by the signs. */
		const struct lh_index *ix = c->ix;
		uint32_t n = lh_index_lifted(&ix->params);

		lh_qg_signs(ix->params.seed, n, c->row[0]);
		if (memcmp(c->row[0], ix->signs, lh_qg_sign_bytes(n)) != 0)
			report(c, LH_INDEX_SIGNS, "they are not those of the seed");
	}
	for (row = 0; row < c->ix->rows; row++)
		check_row(c, row);
	lh_qg_coder_free(&c->coder);
	free(c->vector);
	free(c->row[0]);
	free(c->row[1]);
}

/* Check the sections of a file that could be opened. */
static int check_contents(struct check *c)
{

	madvise((void *)(uintptr_t)c->ix->map.p, c->ix->map.n, MADV_SEQUENTIAL);
	check_rows(c);
	check_ids(c);
	if (c->ix->params.lexical)
		lh_lexical_verify(&c->ix->lexical, report_lexical, c);
	return check_order(c) < 0 ? -1 : check_metas(c);
}

static int check_all(struct check *c, const char *path)
{
	if (lh_index_read_header(c->ix, c->err) < 0) {
		report_open_error(c);
		return 0;
	}
	check_header(c);
	check_sums(c);
	if (lh_index_open_mapped(c->ix, c->err) < 0) {
		if (c->err->code == LH_ENOMEM || c->err->status == LH_INDEX_OLD)
			return lh_err_prefix(c->err, "%s", path);
		report_open_error(c);
		return 0;
	}
	if (check_contents(c) < 0)
		return -1;
	return lh_index_log_verify(c->ix, path, c->damage, c->ctx, c->err);
}

int lh_index_verify(const char *path,
		    void (*damage)(void *ctx, const char *section, const char *text), void *ctx,
		    struct lh_err *err)
{
	struct lh_index ix = { .torn_at = -1 };
	struct check c = { .ix = &ix, .damage = damage, .ctx = ctx, .err = err };
	LH_SCOPED(lh_free_local) char *real = NULL;
	int rc;

	if (lh_index_resolve_link(path, &real, err) < 0)
		return -1;
	rc = lh_mapped_open(&ix.map, real ? real : path, err);
	if (rc == 0)
		rc = check_all(&c, real ? real : path);
	lh_mapped_close(&ix.map);
	return rc;
}

static void set_error(void *ctx, const char *section, const char *text)
{
	struct lh_err *err = ctx;

	if (err->code == LH_OK)
		lh_err_set(err, LH_ECORRUPT, "%s: %s", section, text);
}

int lh_index_check_sums(struct lh_index *ix, struct lh_err *err)
{
	struct lh_err damage = { .code = LH_OK };
	struct check c = { .ix = ix, .damage = set_error, .ctx = &damage };

	check_header(&c);
	check_sums(&c);
	if (damage.code == LH_OK)
		return 0;
	*err = damage;
	return -1;
}
