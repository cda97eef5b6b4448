/* lh_canon.c - canonical JSON in one pass over the text.  See lh_canon.h. */
#include "lh_canon.h"

#include <stdlib.h>

#include "lh_canon_num.h"
#include "lh_json_priv.h"
#include "lh_mem.h"

#define FEW 32		/* members that need no memory of their own */

/* A member's canonical bytes, key and all, in out. */
struct entry {
	struct lh_value key;
	size_t at, n;
};

struct canon {
	struct lh_buf *out;
	const char *end;
	bool jcs;
	const char *const *skip;	/* names left out at the top */
	size_t skips;
	struct entry *entry;		/* of all open objects, the innermost's last */
	size_t n, cap;
	struct entry *heap;		/* NULL while few is enough */
	struct lh_buf spare;		/* unescaped strings; bytes being sorted */
	struct lh_err *err;
};

static int by_bytes(const void *a, const void *b)
{
	return lh_string_cmp(&((const struct entry *)a)->key, &((const struct entry *)b)->key);
}

static int by_utf16(const void *a, const void *b)
{
	return lh_string_cmp16(&((const struct entry *)a)->key, &((const struct entry *)b)->key);
}

static struct entry *push(struct canon *c)
{
	struct entry *e;

	if (c->n == c->cap) {
		e = lh_realloc(c->heap, c->cap * 2, sizeof *e, c->err);
		if (!e)
			return NULL;
		if (!c->heap)
			memcpy(e, c->entry, c->n * sizeof *e);
		c->heap = c->entry = e;
		c->cap *= 2;
	}
	return &c->entry[c->n++];
}

static const char *put_string(struct canon *c, const char *p, struct lh_value *v)
{
	struct lh_str s;

	v->p = p;
	v->type = LH_STRING;
	p = lh_skip_string(p, c->end, &v->escaped);
	v->n = (size_t)(p - v->p);
	if (!v->escaped) {
		lh_buf_add(c->out, v->p, v->n);
		return p;
	}
	lh_buf_reset(&c->spare);
	if (lh_value_str(v, &c->spare, &s, c->err) < 0)
		return NULL;
	lh_buf_json(c->out, s.p, s.n);
	return p;
}

static const char *put_word(struct canon *c, const char *p)
{
	const char *q = p;

	while (q < c->end && *q != ',' && *q != ']' && *q != '}' && (unsigned char)*q > ' ')
		q++;
	if (!c->jcs || *p >= 'a')
		lh_buf_add(c->out, p, (size_t)(q - p));
	else if (lh_canon_number(c->out, p, q, c->err) < 0)
		return NULL;
	return q;
}

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

static const char *put_value(struct canon *c, const char *p, bool top);

static const char *put_array(struct canon *c, const char *p)
{
	lh_buf_putc(c->out, '[');
	for (p = skip_space(p + 1); *p != ']'; p = skip_space(p)) {
		if (*p == ',') {
			lh_buf_putc(c->out, ',');
			p = skip_space(p + 1);
		}
		p = put_value(c, p, false);
		if (!p)
			return NULL;
	}
	lh_buf_putc(c->out, ']');
	return p + 1;
}

static bool skipped(const struct canon *c, const struct lh_value *key)
{
	size_t i;

	for (i = 0; i < c->skips; i++)
		if (lh_value_is(key, c->skip[i], strlen(c->skip[i])))
			return true;
	return false;
}

/* Put the members e[0..n), which lie in out from their first to its end, in
 * the order of their keys. */
static int sort_members(struct canon *c, struct entry *e, size_t n)
{
	size_t at = e[0].at, bytes = c->out->len - at, i;

	if (c->out->failed)
		return lh_buf_check(c->out, c->err);
	lh_buf_reset(&c->spare);
	lh_buf_add(&c->spare, c->out->p + at, bytes);
	if (lh_buf_check(&c->spare, c->err) < 0)
		return -1;
	qsort(e, n, sizeof *e, c->jcs ? by_utf16 : by_bytes);
	c->out->len = at;
	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(c->out, ',');
		lh_buf_add(c->out, c->spare.p + (e[i].at - at), e[i].n);
	}
	return 0;
}

/* Members are written as they come, and moved only when that was not their
 * order. */
static const char *put_object(struct canon *c, const char *p, bool top)
{
	size_t first = c->n, before;
	bool sorted = true;
	struct entry *e;
	struct lh_value key;

	lh_buf_putc(c->out, '{');
	for (p = skip_space(p + 1); *p != '}'; p = skip_space(p)) {
		before = c->out->len;
		if (*p == ',')
			p = skip_space(p + 1);
		if (c->n > first)
			lh_buf_putc(c->out, ',');
		e = push(c);
		if (!e)
			return NULL;
		e->at = c->out->len;
		p = put_string(c, p, &key);
		if (!p)
			return NULL;
		e->key = key;
		lh_buf_putc(c->out, ':');
		p = put_value(c, skip_space(skip_space(p) + 1), false);
		if (!p)
			return NULL;
		if (top && skipped(c, &key)) {
			c->out->len = before;
			c->n--;
			continue;
		}
		e = &c->entry[c->n - 1];
		e->n = c->out->len - e->at;
		if (sorted && c->n - first > 1)
			sorted = (c->jcs ? by_utf16 : by_bytes)(e - 1, e) < 0;
	}
	if (!sorted && sort_members(c, c->entry + first, c->n - first) < 0)
		return NULL;
	c->n = first;
	lh_buf_putc(c->out, '}');
	return p + 1;
}

static const char *put_value(struct canon *c, const char *p, bool top)
{
	struct lh_value v;

	switch (*p) {
	case '{':
		return put_object(c, p, top);
	case '[':
		return put_array(c, p);
	case '"':
		return put_string(c, p, &v);
	default:
		return put_word(c, p);
	}
}

static int canon(struct canon *c, const struct lh_value *v, struct lh_err *err)
{
	struct entry few[FEW];
	const char *p;

	c->end = v->p + v->n;
	c->err = err;
	c->entry = few;
	c->cap = FEW;
	lh_buf_init(&c->spare, LH_BUF_NOMAX);
	p = put_value(c, v->p, true);
	lh_buf_free(&c->spare);
	free(c->heap);
	return p ? lh_buf_check(c->out, err) : -1;
}

int lh_canon_jcs(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	struct canon c = { .out = out, .jcs = true };

	return canon(&c, v, err);
}

int lh_canon_audit(struct lh_buf *out, const struct lh_value *v, const char *const *skip, size_t n, struct lh_err *err)
{
	struct canon c = { .out = out, .skip = skip, .skips = n };

	return canon(&c, v, err);
}
