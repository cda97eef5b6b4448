/* lh_extract_put.c - a found object, written on.  See lh_extract.h. */
#include <stdlib.h>

#include "lh_extract_int.h"
#include "lh_mem.h"

/* A member that a later one of the same key may replace. */
struct member {
	struct lh_value key;
	size_t object;		/* which object it is in */
	const char *end;	/* behind its comma; NULL for an object's last */
};

struct members {
	struct member *v;
	size_t n, cap;
};

/* An object or array that is open. */
struct level {
	size_t object;
	bool is_object;
	size_t member;		/* the one being read, in members */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copy p..end to to, which may lie before it in the same memory, without white
 * space and without the members skip[0..n): where it ends. */
static char *copy_tight(char *to, const char *p, const char *end, const struct member *skip, size_t n)
{
	const char *q;
	bool escaped;

	for (; p < end; p = q) {
		while (n && skip->key.p < p)
			skip++, n--;
		q = p + 1;
		if (blank(*p))
			continue;
		if (n && skip->key.p == p) {
			q = skip->end;
			continue;
		}
		if (*p == '"')
			q = lh_skip_string(p, end, &escaped);
		memmove(to, p, (size_t)(q - p));
		to += q - p;
	}
	return to;
}

void lh_extract_put(struct lh_buf *out, const struct lh_value *v)
{
	char *to = lh_buf_room(out, v->n);
	size_t n = v->n;

	if (!to)
		return;
	if (memchr(v->p, '\n', n) || memchr(v->p, '\r', n))
		n = (size_t)(copy_tight(to, v->p, v->p + n, NULL, 0) - to);
	else
		memmove(to, v->p, n);
	lh_buf_took(out, n);
}

static int add(struct members *m, struct level *l, const char *p, size_t n, bool escaped, struct lh_err *err)
{
	if (lh_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v, err) < 0)
		return -1;
	l->member = m->n;
	m->v[m->n++] = (struct member){ { p, n, LH_STRING, escaped }, l->object, NULL };
	return 0;
}

/* All members of all objects of v, in the order they stand. */
static int gather(struct members *m, const struct lh_value *v, struct lh_err *err)
{
	struct level level[LH_JSON_DEPTH + 1], *l = level;
	const char *p = v->p, *end = v->p + v->n, *q;
	bool key = false, escaped;
	size_t objects = 0;

	for (; p < end; p = q) {
		q = p + 1;
		switch (*p) {
		case '{':
		case '[':
			key = *p == '{';
			*++l = (struct level){ objects++, key, 0 };
			break;
		case '}':
		case ']':
			l--;
			key = false;
			break;
		case ',':
			key = l->is_object;
			if (key)
				m->v[l->member].end = q;
			break;
		case '"':
			q = lh_skip_string(p, end, &escaped);
			if (key && add(m, l, p, (size_t)(q - p), escaped, err) < 0)
				return -1;
			key = false;
			break;
		}
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->key.p < y->key.p ? -1 : x->key.p > y->key.p;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	c = lh_string_cmp(&x->key, &y->key);
	return c ? c : by_place(a, b);
}

int lh_extract_last(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	struct members m = { NULL, 0, 0 };
	size_t i, n = 0;
	char *to;

	if (gather(&m, v, err) < 0) {
		free(m.v);
		return -1;
	}
	qsort(m.v, m.n, sizeof *m.v, by_key);
	for (i = 0; i + 1 < m.n; i++)
		if (m.v[i].object == m.v[i + 1].object && lh_string_cmp(&m.v[i].key, &m.v[i + 1].key) == 0)
			m.v[n++] = m.v[i];
	qsort(m.v, n, sizeof *m.v, by_place);
	to = lh_buf_room(out, v->n);
	if (to)
		lh_buf_took(out, (size_t)(copy_tight(to, v->p, v->p + v->n, m.v, n) - to));
	free(m.v);
	return lh_buf_check(out, err);
}
