/*
 * role.c - roles in sentences of demand, and demand in the wording of coordinators.  See
 * staffing.h.
 */
#include "base/utf8.h"
#include "staffing.h"

/* ---- roles ---- */

/* A role without its plural ending: p[0..n), and a y if "ies" was cut off. */
struct singular {
	const char *p;
	size_t n;
	bool y;
};

static bool ends(const char *p, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n > len + 1 && lh_fold_equal(p + n - len, len, with, len);
}

static struct singular singular(const char *p, size_t n)
{
	struct lh_str s = lh_trim(p, n);

	if (ends(s.p, s.n, "ies"))
		return (struct singular){ s.p, s.n - 3, true };
	if (ends(s.p, s.n, "sses") || ends(s.p, s.n, "xes") || ends(s.p, s.n, "ches") ||
	    ends(s.p, s.n, "shes"))
		return (struct singular){ s.p, s.n - 2, false };
	if (ends(s.p, s.n, "s") && !ends(s.p, s.n, "ss"))
		return (struct singular){ s.p, s.n - 1, false };
	return (struct singular){ s.p, s.n, false };
}

static char starts_with(const struct singular *s, size_t i)
{
	return i < s->n ? lh_fold(s->p[i]) : 'y';
}

bool lh_role_same(const char *a, size_t an, const char *b, size_t bn)
{
	struct singular x = singular(a, an), y = singular(b, bn);
	size_t i, n = x.n + x.y;

	if (n != y.n + y.y)
		return false;
	for (i = 0; i < n && starts_with(&x, i) == starts_with(&y, i); i++)
		;
	return i == n;
}

size_t lh_role_key(const char *p, size_t n, char *to)
{
	struct singular s = singular(p, n);
	size_t i;

	for (i = 0; i < s.n + s.y; i++)
		to[i] = starts_with(&s, i);
	return i;
}

/* ---- in a sentence ---- */

/* Return the text after word if s begins with it; else p is NULL. */
static struct lh_str text_after(struct lh_str s, const char *word)
{
	size_t n = strlen(word);

	if (!s.p || s.n < n || !lh_fold_equal(s.p, n, word, n))
		return (struct lh_str){ NULL, 0 };
	return (struct lh_str){ s.p + n, s.n - n };
}

/* Return the text after a count and a blank. */
static struct lh_str text_after_count(struct lh_str s)
{
	size_t i;

	for (i = 0; s.p && i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		;
	if (!i || i == s.n || s.p[i] != ' ')
		return (struct lh_str){ NULL, 0 };
	return (struct lh_str){ s.p + i + 1, s.n - i - 1 };
}

/* Return the text before the first occurrence of the word. */
static struct lh_str text_before(struct lh_str s, const char *word)
{
	size_t i, n = strlen(word);

	for (i = 0; s.p && i + n <= s.n; i++)
		if (lh_fold_equal(s.p + i, n, word, n))
			return (struct lh_str){ s.p, i };
	return (struct lh_str){ NULL, 0 };
}

/* Return the text after "{client} needs {count} ". */
static struct lh_str text_after_client(struct lh_str s)
{
	struct lh_str rest = { NULL, 0 };
	size_t i;

	for (i = 1; i < s.n && !rest.p; i++)
		rest = text_after_count(text_after((struct lh_str){ s.p + i, s.n - i }, " needs "));
	return rest;
}

bool lh_role_extract(const char *text, size_t n, struct lh_buf *out)
{
	struct lh_str s = lh_trim(text, n), role;
	struct singular one;

	role = text_before(text_after_count(text_after(s, "need ")), " in ");
	if (!role.p)
		role = text_before(text_after_count(text_after(s, "looking for ")), " at ");
	if (!role.p)
		role = text_before(text_after_client(s), " in ");
	if (!role.p)
		return false;
	one = singular(role.p, role.n);
	lh_buf_add(out, one.p, one.n);
	if (one.y)
		lh_buf_putc(out, 'y');
	return true;
}

/* ---- demand ---- */

/* %n count, %r role, %R roles, %t city, %s state, %h time, %c client */
static const struct {
	const char *name, *sentence;
} styles[LH_JOB_ORDER_STYLES] = {
	[LH_JOB_ORDER_NEED] = { "need", "Need %n %R in %t %s starting at %h for %c" },
	[LH_JOB_ORDER_CLIENT_FIRST] = { "client_first", "%c needs %n %R in %t %s starting at %h" },
	[LH_JOB_ORDER_LOOKING] = { "looking", "Looking for %n %R at %c in %t %s for a %h start" },
	[LH_JOB_ORDER_SHORTHAND] = { "shorthand", "%n %r %t %s %h %c" },
};

const char *lh_job_order_style_name(enum lh_job_order_style style)
{
	return styles[style].name;
}

void lh_job_order_put(struct lh_buf *out, enum lh_job_order_style style,
		      const struct lh_job_order *d)
{
	const char *p = styles[style].sentence, *hole;
	const struct lh_str *s;

	for (; (hole = strchr(p, '%')); p = hole + 2) {
		lh_buf_add(out, p, (size_t)(hole - p));
		s = hole[1] == 't' ? &d->city : hole[1] == 's' ? &d->state :
		    hole[1] == 'h' ? &d->at : hole[1] == 'c' ? &d->client : &d->role;
		if (hole[1] == 'n')
			lh_buf_u64(out, d->count);
		else
			lh_buf_add(out, s->p, s->n);
		if (hole[1] == 'R' && d->count > 1)
			lh_buf_putc(out, 's');
	}
	lh_buf_puts(out, p);
}
