/* extract_put.c - write an object that was found.  See lh/extract.h. */
#include <stdlib.h>

#include "extract_parts.h"
#include "base/mem.h"

/* A member that a later one with the same key may replace. */
struct member {
	struct lh_value key;
	const char *end;	/* after its comma; NULL: the last of an object */
};

/* The members of the open objects, the innermost object's last. */
struct members {
	struct member *v;
	size_t n, cap;
};

/* An object or array that is open. */
struct level {
	size_t first;		/* of its members */
	bool is_object;
};

static bool blank_bytes(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copy p..end without white space to `to`, which may be before it in the same
 * memory, as that of lh_json_compact may not; return its end. */
static char *copy_tight(char *to, const char *p, const char *end)
{
	const char *q;
	bool escaped;

	for (; p < end; p = q) {
		q = p + 1;
		if (blank_bytes(*p))
			continue;
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
		n = (size_t)(copy_tight(to, v->p, v->p + n) - to);
	else
		memmove(to, v->p, n);
	lh_buf_took(out, n);
}

static int add_member(struct members *m, const struct level *l, const char *p, size_t n,
		      bool escaped, struct lh_err *err)
{
	if (lh_json_room(m->n - l->first, m->n, err) < 0)
		return -1;
	lh_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v);
	m->v[m->n++] = (struct member){ { p, n, LH_STRING, escaped }, NULL };
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = lh_string_cmp(&x->key, &y->key);

	return c ? c : x->key.p < y->key.p ? -1 : x->key.p > y->key.p;
}

static int blank_replaced(struct members *m, const char *p, const char *end, struct lh_err *err)
{
	struct level level[LH_JSON_DEPTH + 1] = { { 0, false } }, *l = level;
	bool key = false, escaped;
	const char *q;

	for (; p < end; p = q) {
		q = p + 1;
		switch (*p) {
		case '{':
		case '[':
			key = *p == '{';
			*++l = (struct level){ m->n, key };
			break;
		case '}':
		case ']':
			if (m->n > l->first) {
				struct member *v = m->v + l->first;
				size_t i, n = m->n - l->first;

				/* Blank those that have a later one with the same key. */
				qsort(v, n, sizeof *v, by_key);
				for (i = 0; i + 1 < n; i++)
					if (lh_string_cmp(&v[i].key, &v[i + 1].key) == 0)
						memset((char *)(uintptr_t)v[i].key.p, ' ',
						       (size_t)(v[i].end - v[i].key.p));
			}
			m->n = l->first;
			l--;
			key = false;
			break;
		case ',':
			key = l->is_object;
			if (key)
				m->v[m->n - 1].end = q;
			break;
		case '"':
			q = lh_skip_string(p, end, &escaped);
			if (key && add_member(m, l, p, (size_t)(q - p), escaped, err) < 0)
				return -1;
			key = false;
			break;
		}
	}
	return 0;
}

int lh_extract_last(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	struct members m = { NULL, 0, 0 };
	char *to = lh_buf_room(out, v->n);
	int rc;

	if (!to)
		return 0;
	memcpy(to, v->p, v->n);
	rc = blank_replaced(&m, to, to + v->n, err);
	free(m.v);
	if (rc == 0)
		lh_buf_took(out, (size_t)(copy_tight(to, to, to + v->n) - to));
	return rc;
}
