/* extract.c - find an object in fences, then in braces.  See lh/extract.h. */
#include <lh/extract.h>

#include <stdlib.h>

#include <lh/canon.h>
#include "extract_parts.h"
#include "base/mem.h"

struct lh_extract {
	struct lh_tries tries;
	struct lh_record rec;
	struct lh_buf own;	/* an object with duplicate keys, without the earlier ones */
};

struct lh_extract *lh_extract_new(struct lh_err *err)
{
	return lh_calloc(1, sizeof(struct lh_extract), err);
}

void lh_extract_free(struct lh_extract *x)
{
	size_t i;

	if (!x)
		return;
	for (i = 0; i < 3; i++)
		free(x->tries.t[i].open);
	free(x->tries.kind);
	lh_record_free(&x->rec);
	lh_buf_free(&x->own);
	free(x);
}

/* ---- fences ---- */

static bool in_tag(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '_' || c == '+' || c == '-';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Return the next three backticks, or NULL. */
static const char *next_fence(const char *p, const char *end)
{
	while ((p = memchr(p, '`', (size_t)(end - p)))) {
		if (end - p < 3)
			return NULL;
		if (p[1] == '`' && p[2] == '`')
			return p;
		p++;
	}
	return NULL;
}

/* Search the fences.  They do not overlap, so no byte is read twice. */
static int search_fences(struct lh_tries *x, const char *p, const char *end, struct lh_value *v,
			 struct lh_err *err)
{
	const char *from, *to, *close;
	int rc;

	for (p = next_fence(p, end); p; p = next_fence(close + 3, end)) {
		for (from = p + 3; from < end && in_tag(*from); )
			from++;
		close = next_fence(from, end);
		if (!close)
			return 0;
		for (to = close; to > from && is_blank(to[-1]); )
			to--;
		while (from < to && is_blank(*from))
			from++;
		if (from == to || *from != '{')
			continue;
		rc = lh_try_object(x, &x->t[0], from, to, err);
		if (rc < 0)
			return -1;
		if (!rc || x->t[0].end != (size_t)(to - x->base) || x->t[0].deepest > LH_JSON_DEPTH)
			continue;
		*v = (struct lh_value){ from, (size_t)(to - from), LH_OBJECT, false };
		return 1;
	}
	return 0;
}

/* ---- braces ---- */

/* Return whether the brace is at an object that an earlier try entered and could
 * not finish. */
static bool is_known_unfinished(struct lh_tries *x, size_t at)
{
	struct lh_try *t;

	for (t = x->t; t < x->t + 3; t++) {
		if (at >= t->end)
			continue;
		while (t->next < t->n && t->open[t->next] < at)
			t->next++;
		if (t->next < t->n && t->open[t->next] == at)
			return true;
	}
	return false;
}

/*
 * Search the braces.
 *
 * If an object can be read from a brace, it ends at the balancing one, because both
 * agree on what is a string.  So the balance need not be searched.
 *
 * Why this is linear: assume that an earlier try has read past the brace at c.  If
 * the brace was syntax to it, it entered an object there, as a try from c would.
 * Either it failed inside, and a try from c would fail at the same byte (hopeless);
 * or it finished that object, and a try from c succeeds: that is the answer, or too
 * deep and skipped for good.  Only a brace that was text in a string to every try
 * that passed it needs a try of its own.  From there on the two disagree on what is
 * in a string, at every byte that both read: a quote changes both, and a backslash,
 * which could make them agree by hiding a quote from one, is an error to the other.
 * Three tries cannot all disagree, so that no byte is read by more than two tries
 * that fail and one that succeeds, and there is always room for a third one,
 * because one of three has ended.
 */
static int search_braces(struct lh_tries *x, const char *p, const char *end, struct lh_value *v,
			 struct lh_err *err)
{
	struct lh_try *t;
	size_t at;
	int rc;

	for (; (p = memchr(p, '{', (size_t)(end - p))); p++) {
		if (p + 1 == end || (p[1] != '"' && p[1] != '}' && !is_blank(p[1])))
			continue;
		at = (size_t)(p - x->base);
		if (is_known_unfinished(x, at))
			continue;
		for (t = x->t; t->end > at && t < x->t + 2; )
			t++;
		rc = lh_try_object(x, t, p, end, err);
		if (rc < 0)
			return -1;
		if (!rc)
			continue;
		if (t->deepest <= LH_JSON_DEPTH) {
			*v = (struct lh_value){ p, t->end - at, LH_OBJECT, false };
			return 1;
		}
		p = x->base + t->end - 1;
	}
	return 0;
}

/* ---- result ---- */

/* Check the keys of the object found: only in it do they matter. */
static int check_keys(struct lh_extract *x, struct lh_value *v, struct lh_err *err)
{
	struct lh_value again;

	if (lh_json_parse(&x->rec, v->p, v->n, &again, err) == 0)
		return 1;
	if (err->code != LH_EDATA)
		return -1;
	lh_buf_reset(&x->own);
	if (lh_extract_last(&x->own, v, err) < 0)
		return -1;
	v->p = x->own.p;
	v->n = x->own.len;
	return 1;
}

int lh_extract(struct lh_extract *x, const char *p, size_t n, struct lh_value *v,
	       struct lh_err *err)
{
	struct lh_tries *tries = &x->tries;
	size_t i;
	int rc;

	if (n > UINT32_MAX)
		return lh_err_data(err, 413, "text is longer than 4 GiB");
	tries->base = p;
	rc = search_fences(tries, p, p + n, v, err);
	for (i = 0; i < 3; i++)
		tries->t[i].end = tries->t[i].n = 0;
	if (!rc)
		rc = search_braces(tries, p, p + n, v, err);
	return rc == 1 ? check_keys(x, v, err) : rc;
}

int lh_extract_wire(struct lh_buf *out, const struct lh_value *v, struct lh_err *err)
{
	return lh_canon_audit(out, v, NULL, 0, err);
}
