/*
 * lh_lhv_verify.c - every byte of an index file, checked: the checksums and
 * padding catch whatever has changed since it was written, the rest what was
 * written wrong.
 */
#include "lh_lhv_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lh_mem.h"

#define SHOWN 5		/* messages a section */

struct check {
	struct lh_lhv *ix;
	void (*damage)(void *ctx, const char *section, const char *text);
	void *ctx;
	struct lh_err *err;
	unsigned said[LH_LHV_KINDS + 1];
	float *vector;		/* of the row that is looked at */
};

LH_PRINTF(3, 4)
static void bad(struct check *c, uint32_t kind, const char *fmt, ...)
{
	uint32_t slot = kind < LH_LHV_KINDS ? kind : LH_LHV_KINDS;
	char text[256];
	va_list ap;

	if (++c->said[slot] > SHOWN + 1)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->damage(c->ctx, lh_lhv_kind_name(kind), c->said[slot] > SHOWN ? "more damage is not shown" : text);
}

/* What opening said, as damage of the section that it names first. */
static void bad_open(struct check *c)
{
	uint32_t kind;
	size_t n;

	for (kind = 1; kind < LH_LHV_KINDS; kind++) {
		n = strlen(lh_lhv_kind_name(kind));
		if (!strncmp(c->err->msg, lh_lhv_kind_name(kind), n) && c->err->msg[n] == ':') {
			bad(c, kind, "%s", c->err->msg + n + 2);
			return;
		}
	}
	bad(c, 0, "%s", strncmp(c->err->msg, "header: ", 8) ? c->err->msg : c->err->msg + 8);
}

static void check_header(struct check *c, const struct lh_lhv_header *h)
{
	uint32_t i;

	if (!lh_lhv_all_zero(h->zero, sizeof h->zero) || !lh_lhv_all_zero(h->rest, sizeof h->rest) ||
	    !lh_lhv_all_zero(h->section + h->n_sections, (LH_LHV_SECTIONS - h->n_sections) * sizeof *h->section))
		bad(c, 0, "reserved bytes are not zero");
	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].zero)
			bad(c, 0, "reserved bytes of section %u are not zero", i);
}

static void check_sums(struct check *c, const struct lh_lhv_header *h)
{
	const char *map = c->ix->map.p;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++) {
		const struct lh_lhv_section *s = &h->section[i];
		uint64_t end = s->at + s->bytes;

		if (lh_xxh3(map + s->at, s->bytes) != s->xxh3)
			bad(c, s->kind, "the checksum is wrong");
		if (!lh_lhv_all_zero(map + end, lh_lhv_round(end, LH_LHV_PAGE) - end))
			bad(c, s->kind, "the padding is not zero");
	}
}

/* Is the i-th link of a list one of those before it? */
static bool given_before(const uint32_t *list, uint32_t i)
{
	uint32_t j;

	for (j = 1; j < i && list[j] != list[i]; j++)
		;
	return j < i;
}

/* A list of at most max links to different other rows, with zeros behind them. */
static void check_links(struct check *c, uint32_t kind, const uint32_t *list, uint32_t max, uint64_t row, uint32_t level)
{
	const struct lh_lhv *ix = c->ix;
	uint32_t i, n = list[0];

	if (n > max) {
		bad(c, kind, "row %llu, level %u: %u links, at most %u", (unsigned long long)row, level, n, max);
		return;
	}
	if (!lh_lhv_all_zero(list + 1 + n, (max - n) * sizeof *list))
		bad(c, kind, "row %llu, level %u: not zero behind the links", (unsigned long long)row, level);
	for (i = 1; i <= n; i++)
		if (list[i] >= ix->rows || list[i] == row)
			bad(c, kind, "row %llu, level %u: a link to row %u", (unsigned long long)row, level, list[i]);
		else if (given_before(list, i))
			bad(c, kind, "row %llu, level %u: two links to row %u", (unsigned long long)row, level, list[i]);
		else if (level && ix->level[list[i] + 1] - ix->level[list[i]] < level)
			bad(c, kind, "row %llu, level %u: a link to row %u, which is not there", (unsigned long long)row, level, list[i]);
}

static void check_vector(struct check *c, uint32_t kind, uint64_t row)
{
	const struct lh_lhv_params *p = &c->ix->params;
	const float *v = c->vector;

	if (!lh_vec_finite(v, p->dimension))
		bad(c, kind, "row %llu: the vector holds NaN or infinity", (unsigned long long)row);
	else if (p->distance == LH_COSINE && fabs(lh_vec_dot()(v, v, p->dimension) - 1) > 1e-3)
		bad(c, kind, "row %llu: the vector is not of unit length", (unsigned long long)row);
}

static void check_row(struct check *c, uint64_t row)
{
	const struct lh_lhv *ix = c->ix;
	const struct lh_lhv_params *p = &ix->params;
	const unsigned char *at = ix->block + row * ix->stride;
	size_t links = 4 * (1 + 2 * (size_t)p->m), code = lh_lhv_code_bytes(p);

	check_links(c, LH_LHV_ROWS, (const void *)at, ix->graph ? 2 * p->m : 0, row, 0);
	if (!lh_lhv_all_zero(at + links, ix->vector_at - links) ||
	    !lh_lhv_all_zero(at + ix->vector_at + code, ix->stride - ix->vector_at - code))
		bad(c, LH_LHV_ROWS, "row %llu: the padding is not zero", (unsigned long long)row);
	lh_code_get(p->precision, lh_lhv_code(ix, row), p->dimension, c->vector);
	if (p->precision != LH_F32 && !lh_code_sound(p->precision, p->distance, lh_lhv_code(ix, row), p->dimension))
		bad(c, LH_LHV_ROWS, "row %llu: not a code of %s", (unsigned long long)row, lh_precision_name(p->precision));
	else
		check_vector(c, LH_LHV_ROWS, row);
	if (p->rescore) {
		lh_lhv_vector(ix, row, c->vector);
		check_vector(c, LH_LHV_EXACT, row);
	}
}

static void check_graph(struct check *c)
{
	const struct lh_lhv *ix = c->ix;
	uint64_t row;
	uint32_t i, levels;

	if (!ix->graph)
		return;
	for (row = 0; row < ix->rows; row++)
		if (ix->level[row] > ix->level[row + 1] || ix->level[row + 1] - ix->level[row] > ix->top)
			break;
	if (row < ix->rows || ix->level[0] != 0 || ix->level[ix->rows] != ix->n_upper) {
		bad(c, LH_LHV_LEVELS, "row %llu: the number of its first list is wrong", (unsigned long long)row);
		return;
	}
	if (ix->level[ix->entry + 1] - ix->level[ix->entry] != ix->top)
		bad(c, 0, "the graph begins at row %u, which is not on level %u", ix->entry, ix->top);
	for (row = 0; row < ix->rows; row++) {
		levels = ix->level[row + 1] - ix->level[row];
		for (i = 0; i < levels; i++)
			check_links(c, LH_LHV_UPPER, ix->upper + (ix->level[row] + (uint64_t)i) * (1 + ix->params.m),
				    ix->params.m, row, i + 1);
	}
}

/* Offsets begin at 0, never fall, and end where the bytes do. */
static bool check_offsets(struct check *c, uint32_t kind, const uint64_t *at, uint64_t n)
{
	uint64_t row, rows = c->ix->rows;

	for (row = 0; row < rows; row++)
		if (at[row] > at[row + 1])
			break;
	if (row == rows && at[0] == 0 && at[rows] == n)
		return true;
	bad(c, kind, "row %llu: the offset is wrong", (unsigned long long)row);
	return false;
}

static void check_ids(struct check *c)
{
	const struct lh_lhv *ix = c->ix;
	uint64_t row, used = 0, i;
	struct lh_str id;

	for (i = 0; i < ix->hash_slots; i++)
		used += ix->hash[2 * i + 1] != 0;
	if (used != ix->rows)
		bad(c, LH_LHV_ID_HASH, "%llu slots are in use for %llu rows", (unsigned long long)used, (unsigned long long)ix->rows);
	if (!check_offsets(c, LH_LHV_ID_AT, ix->id_at, ix->ids_n))
		return;
	for (row = 0; row < ix->rows; row++) {
		id = (struct lh_str){ ix->ids + ix->id_at[row], ix->id_at[row + 1] - ix->id_at[row] };
		if (id.n < 1 || id.n > LH_ID_MAX || !lh_utf8_valid(id.p, id.n))
			bad(c, LH_LHV_IDS, "row %llu: not an id", (unsigned long long)row);
		else if (!c->said[LH_LHV_ID_HASH] && lh_lhv_base_find(ix, id.p, id.n, c->err) != (int64_t)row)
			bad(c, LH_LHV_ID_HASH, "row %llu is not found by its id", (unsigned long long)row);
	}
}

static int check_metas(struct check *c)
{
	const struct lh_lhv *ix = c->ix;
	struct lh_record scan;
	struct lh_value v;
	struct lh_buf text;
	uint64_t row;
	int rc = 0;

	if (!check_offsets(c, LH_LHV_META_AT, ix->meta_at, ix->metas_n))
		return 0;
	lh_record_init(&scan);
	lh_buf_init(&text, LH_BUF_NOMAX);
	for (row = 0; !rc && row < ix->rows; row++) {
		size_t n = ix->meta_at[row + 1] - ix->meta_at[row];

		if (!n)
			continue;
		lh_buf_reset(&text);
		lh_buf_add(&text, ix->metas + ix->meta_at[row], n);
		rc = lh_buf_check(&text, c->err);
		if (!rc && lh_json_parse(&scan, text.p, n, &v, c->err) < 0) {
			if (c->err->code == LH_EDATA)
				bad(c, LH_LHV_METAS, "row %llu: %s", (unsigned long long)row, c->err->msg);
			else
				rc = -1;
		}
	}
	lh_buf_free(&text);
	lh_record_free(&scan);
	return rc;
}

/* Every row once. */
static int check_order(struct check *c)
{
	const struct lh_lhv *ix = c->ix;
	bool *there = ix->order ? lh_calloc(ix->rows, sizeof *there, c->err) : NULL;
	uint64_t i;

	if (ix->order && !there)
		return -1;
	for (i = 0; there && i < ix->rows; i++) {
		if (ix->order[i] >= ix->rows || there[ix->order[i]])
			bad(c, LH_LHV_ORDER, "entry %llu is row %u", (unsigned long long)i, ix->order[i]);
		else
			there[ix->order[i]] = true;
	}
	free(there);
	return 0;
}

static void bad_lexical(void *ctx, int run, const char *text)
{
	bad(ctx, LH_LHV_LENGTHS + (uint32_t)run, "%s", text);
}

/* What stands in the sections of a file that could be opened. */
static int check_contents(struct check *c)
{
	uint64_t row;

	c->vector = lh_calloc(c->ix->params.dimension, sizeof *c->vector, c->err);
	if (!c->vector)
		return -1;
	madvise((void *)(uintptr_t)c->ix->map.p, c->ix->map.n, MADV_SEQUENTIAL);
	for (row = 0; row < c->ix->rows; row++)
		check_row(c, row);
	free(c->vector);
	check_graph(c);
	check_ids(c);
	if (c->ix->params.lexical && lh_lexical_verify(&c->ix->lexical, bad_lexical, c, c->err) < 0)
		return -1;
	return check_order(c) < 0 ? -1 : check_metas(c);
}

static int check_all(struct check *c, const char *path)
{
	const struct lh_lhv_header *h = (const void *)c->ix->map.p;

	if (lh_lhv_check_identity(h, c->ix->map.n, c->err) < 0 || lh_lhv_check_sections(h, c->ix->map.n, c->err) < 0) {
		bad_open(c);
		return 0;
	}
	check_header(c, h);
	check_sums(c, h);
	if (lh_lhv_open_mapped(c->ix, c->err) < 0) {
		if (c->err->code == LH_ENOMEM)
			return -1;
		bad_open(c);
		return 0;
	}
	if (check_contents(c) < 0)
		return -1;
	return lh_lhv_log_verify(c->ix, path, c->damage, c->ctx, c->err);
}

int lh_lhv_verify(const char *path, void (*damage)(void *ctx, const char *section, const char *text), void *ctx, struct lh_err *err)
{
	struct lh_lhv ix = { .torn_at = -1 };
	struct check c = { .ix = &ix, .damage = damage, .ctx = ctx, .err = err };
	char *real;
	int rc;

	if (lh_lhv_follow(path, &real, err) < 0)
		return -1;
	rc = lh_mapped_open(&ix.map, real ? real : path, err);
	if (rc == 0)
		rc = check_all(&c, real ? real : path);
	lh_mapped_close(&ix.map);
	free(real);
	return rc;
}

int lh_lhv_verify_base(struct lh_lhv *ix, void (*damage)(void *ctx, const char *section, const char *text), void *ctx, struct lh_err *err)
{
	struct check c = { .ix = ix, .damage = damage, .ctx = ctx, .err = err };
	const struct lh_lhv_header *h = (const void *)ix->map.p;

	check_header(&c, h);
	check_sums(&c, h);
	return check_contents(&c);
}
