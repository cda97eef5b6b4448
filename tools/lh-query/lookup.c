/*
 * lookup.c - the rows of a table, kept by the values of some of its columns.  See query.h.
 *
 * SQLite makes no automatic index for a virtual table, so that the inner side of a join would be
 * read from its file for each row of the outer side.  Rows are kept in blocks that do not move;
 * those after the first ones are mapped from a temporary file, which the kernel writes where memory
 * is short.  What has one hash is a superset of what SQL calls equal: SQLite compares again.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "query.h"
#include "store/store.h"

#define BLOCK ((size_t)4 << 20)
#define NO_SLOT UINT16_MAX

struct kept {
	struct kept *next;	/* of the same bucket, in the order of the file */
	uint64_t hash;
	int64_t row;
	struct sql_value v[];
};

struct block {
	char *p;
	size_t n;
};

struct lookup {
	struct query *q;
	size_t *key, n_keys;	/* numbers of columns */
	uint16_t *slot;		/* of each column, its place in a row, or NO_SLOT */
	uint16_t n_slots;
	struct block *block;
	size_t n_blocks, cap_blocks, used, bytes, most;	/* used: of the last block */
	int spill;		/* the temporary file, or -1 */
	size_t spilled;
	struct kept **bucket, *all, **end;
	size_t mask, n_rows;
};

/* ---- hashes ---- */

static uint64_t hash_int(uint64_t i)
{
	i = (i ^ i >> 32) * 0x9e3779b97f4a7c15;
	return i ^ i >> 29;
}

/* Two readings of one decimal text may differ in the last bits, which are left out. */
static uint64_t hash_real(double f)
{
	float rounded = (float)f;
	uint32_t bits;

	if (f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f)
		return hash_int((uint64_t)(int64_t)f);
	memcpy(&bits, &rounded, sizeof bits);
	return hash_int((uint64_t)bits << 32 | 1);
}

/* Read a text that is a number where a column or CAST has numeric affinity: its hash. */
static bool hash_number(struct lh_str s, uint64_t *hash)
{
	const char *p = s.p, *end = s.p + s.n, *from, *next;
	uint64_t whole = 0;
	size_t digits = 0;
	bool negative;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	negative = p < end && *p == '-';
	p += p < end && (*p == '-' || *p == '+');
	for (from = p; p < end && isdigit((unsigned char)*p); p++, digits++)
		whole = whole * 10 + (uint64_t)(*p - '0');
	if (p == end && digits && digits < 19) {
		*hash = hash_int(negative ? -whole : whole);
		return true;
	}
	if (p == from && !(p + 1 < end && *p == '.' && isdigit((unsigned char)p[1])))
		return false;
	/* SQLite reads "5." and ".5" as well, strtod(3) also what it does not: such as 0x1. */
	while (p < end && (isdigit((unsigned char)*p) || strchr(".eE+-", *p)))
		p++;
	if (p < end)
		return false;
	LH_SCOPED(lh_free_local) char *text = lh_strndup(from, (size_t)(end - from));
	*hash = hash_real(negative ? -strtod(text, (char **)&next) : strtod(text, (char **)&next));
	return !*next;
}

static uint64_t hash_value(const struct sql_value *v)
{
	uint64_t hash;

	switch (v->type) {
	case SQLITE_INTEGER:
		return hash_int((uint64_t)v->i);
	case SQLITE_FLOAT:
		return hash_real(v->f);
	case SQLITE_TEXT:
		return hash_number(v->s, &hash) ? hash : lh_xxh3(v->s.p, v->s.n);
	default:
		return 0;
	}
}

static uint64_t hash_more(uint64_t before, const struct sql_value *v)
{
	return hash_int(before * 31 + hash_value(v));
}

/* ---- rows ---- */

/* Return room for n bytes, or NULL if that is more than is allowed. */
static void *room(struct lookup *l, size_t n, struct lh_err *err)
{
	const size_t size = n > BLOCK ? (n + BLOCK - 1) / BLOCK * BLOCK : BLOCK;
	const bool spill = l->bytes + size > l->most;
	void *p;

	n = (n + 7) & ~(size_t)7;
	err->code = LH_OK;
	if (l->n_blocks && l->used + n <= l->block[l->n_blocks - 1].n) {
		l->used += n;
		return l->block[l->n_blocks - 1].p + l->used - n;
	}
	if (spill && !l->q->alone)
		return NULL;
	if (spill && l->spill < 0 && (l->spill = lh_store_spool(err)) < 0)
		return NULL;
	/* A file with a hole would end the process by a signal where the disk is full. */
	if (spill && posix_fallocate(l->spill, (off_t)l->spilled, (off_t)size) != 0)
		return lh_err_data(err, 413, "the query needs more temporary files than there is "
				   "room for (TMPDIR)"), NULL;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 spill ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, spill ? l->spill : -1,
		 spill ? (off_t)l->spilled : 0);
	if (p == MAP_FAILED)
		return lh_err_nomem(err), NULL;
	l->spilled += spill ? size : 0;
	l->bytes += spill ? 0 : size;
	lh_grow(&l->block, &l->cap_blocks, l->n_blocks + 1, sizeof *l->block);
	l->block[l->n_blocks++] = (struct block){ p, size };
	l->used = n;
	return p;
}

/* Keep the values of the current record: 1, 0 if they have no room, -1. */
static int keep(struct lookup *l, struct reader *r, struct table *t, struct lh_buf *text,
		struct lh_err *err)
{
	struct kept *k = room(l, sizeof *k + l->n_slots * sizeof k->v[0], err);
	size_t i;

	if (!k)
		return err->code ? -1 : 0;
	*k = (struct kept){ .row = (int64_t)++l->n_rows };
	for (i = 0; i < t->columns.n; i++) {
		struct sql_value *v = &k->v[l->slot[i]];
		struct lh_err why;
		char *own;

		if (l->slot[i] == NO_SLOT)
			continue;
		/* A value that cannot be had is an error for who asks for it. */
		if (column_value(r, &t->columns, i, text, v, &why) < 0)
			*v = (struct sql_value){ .type = SQL_REFUSED, .s = lh_str_of(why.msg) };
		if (v->type != SQLITE_TEXT && v->type != SQL_REFUSED)
			continue;
		own = room(l, v->s.n + 1, err);
		if (!own)
			return err->code ? -1 : 0;
		memcpy(own, v->s.p, v->s.n);
		own[v->s.n] = '\0';
		v->s.p = own;
	}
	for (i = 0; i < l->n_keys; i++) {
		const struct sql_value *v = &k->v[l->slot[l->key[i]]];

		if (v->type == SQL_REFUSED)
			return lh_err_data(err, 400, "%s", v->s.p);
		k->hash = hash_more(k->hash, v);
	}
	*l->end = k;
	l->end = &k->next;
	return 1;
}

/* Divide the rows among buckets, which have the order of the file. */
static void fill(struct lookup *l)
{
	size_t n = 1;
	struct kept *k, *next, ***last;

	while (n < l->n_rows && l->n_keys)
		n *= 2;
	l->mask = n - 1;
	l->bucket = lh_calloc(n, sizeof *l->bucket);
	last = lh_calloc(n, sizeof *last);
	for (k = l->all; k; k = next) {
		struct kept ***at = &last[k->hash & l->mask];

		next = k->next;
		k->next = NULL;
		**(*at ? at : &(struct kept **){ &l->bucket[k->hash & l->mask] }) = k;
		*at = &k->next;
	}
	free(last);
}

static int read_all(struct lookup *l, struct table *t, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct reader *r = reader_open(l->q, t, err);
	int rc = r ? 1 : -1;

	while (rc > 0 && (rc = reader_next(r, err)) > 0)
		if ((rc = keep(l, r, t, &text, err)) <= 0) {
			reader_close(r);
			return rc;
		}
	reader_close(r);
	return rc < 0 ? -1 : 1;
}

int lookup_make(struct lookup **made, struct query *q, struct table *t, const size_t *key,
		size_t n_keys, uint64_t columns, struct lh_err *err)
{
	struct lookup *l = lh_calloc(1, sizeof *l);
	size_t i;
	int rc;

	*l = (struct lookup){ .q = q, .n_keys = n_keys, .spill = -1, .end = &l->all,
			      .most = q->s->memory / 2 };
	l->key = lh_calloc(n_keys + 1, sizeof *l->key);
	memcpy(l->key, key, n_keys * sizeof *key);
	l->slot = lh_calloc(t->columns.n + 1, sizeof *l->slot);
	for (i = 0; i < t->columns.n; i++)
		l->slot[i] = columns >> (i < 63 ? i : 63) & 1 ? 0 : NO_SLOT;
	for (i = 0; i < n_keys; i++)
		l->slot[key[i]] = 0;
	for (i = 0; i < t->columns.n; i++)
		if (l->slot[i] != NO_SLOT)
			l->slot[i] = l->n_slots++;
	rc = read_all(l, t, err);
	if (rc <= 0) {
		lookup_free(l);
		return rc;
	}
	fill(l);
	*made = l;
	return 1;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	while (l->n_blocks--)
		munmap(l->block[l->n_blocks].p, l->block[l->n_blocks].n);
	if (l->spill >= 0)
		close(l->spill);
	free(l->block);
	free(l->bucket);
	free(l->slot);
	free(l->key);
	free(l);
}

/* Return the first row from k on that has the hash. */
static const struct kept *with_hash(const struct kept *k, uint64_t hash)
{
	while (k && k->hash != hash)
		k = k->next;
	return k;
}

const struct kept *lookup_first(const struct lookup *l, const struct sql_value *v)
{
	uint64_t hash = 0;
	size_t i;

	for (i = 0; i < l->n_keys; i++) {
		if (v[i].type == SQLITE_NULL)
			return NULL;
		hash = hash_more(hash, &v[i]);
	}
	return with_hash(l->bucket[hash & l->mask], hash);
}

const struct kept *lookup_next(const struct kept *k)
{
	return with_hash(k->next, k->hash);
}

const struct sql_value *lookup_value(const struct lookup *l, const struct kept *k, size_t column)
{
	return l->slot[column] == NO_SLOT ? NULL : &k->v[l->slot[column]];
}

int64_t lookup_row(const struct kept *k)
{
	return k->row;
}
