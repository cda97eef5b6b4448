/*
 * index_verify.c - check every byte of an index file.  Checksums and padding detect
 * changes since it was written; the other checks detect what was written wrong.
 */
#include "index_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

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
	if (ix->signs)
		lh_qg_coder_row(&c->coder, (uint32_t)row, c->row[1]);
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
	lh_qg_coder_init(&c->coder);
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
