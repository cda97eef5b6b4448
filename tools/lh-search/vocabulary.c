/* vocabulary.c - the role that a text asks for, by its wording or by the roles and cities that the
 * records have.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "staffing/staffing.h"
#include "search.h"

#define WORDS_MOST 32	/* of a text, that are looked at */
#define RUN_MOST 6	/* words of a role or city */
#define VALUE_MOST 96	/* its bytes */
#define ROLES_MOST 1000
#define CITIES_MOST 20000

void vocabulary_init(struct vocabulary *v)
{
	pthread_mutex_init(&v->lock, NULL);
}

void vocabulary_free(struct vocabulary *v)
{
	lh_intern_free(&v->roles);
	lh_intern_free(&v->cities);
	pthread_mutex_destroy(&v->lock);
}

static void learn(struct lh_intern *to, size_t most, const struct lh_value *meta, const char *name,
		  struct lh_buf *scratch)
{
	struct lh_err unused;
	struct lh_value is;
	struct lh_str s;
	uint32_t number;

	if (to->n >= most || !lh_value_get(meta, name, &is) || is.type != LH_STRING)
		return;
	lh_buf_reset(scratch);
	lh_value_str(&is, scratch, &s);
	s = lh_trim(s.p, s.n);
	if (s.n > 1 && s.n <= VALUE_MOST)
		lh_intern_add(to, s.p, s.n, &number, &unused);
}

/* Collect the values of role and city of an index, once for each generation of it. */
static void learn_index(struct worker *w, struct opened *o)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct vocabulary *v = &o->vocabulary;
	uint64_t i, n = lh_index_rows(o->ix);
	struct lh_value meta;
	struct lh_err unused;
	struct lh_row row;

	pthread_mutex_lock(&v->lock);
	for (i = 0; !v->known && i < n; i++) {
		if (lh_index_row(o->ix, i, &row, &unused) <= 0 || !row.meta.n)
			continue;
		lh_buf_reset(&w->entry);
		lh_buf_add(&w->entry, row.meta.p, row.meta.n);
		if (lh_json_parse(&w->scan, w->entry.p, w->entry.len, &meta, &unused) < 0)
			continue;
		learn(&v->roles, ROLES_MOST, &meta, "role", &scratch);
		learn(&v->cities, CITIES_MOST, &meta, "city", &scratch);
	}
	v->known = true;
	pthread_mutex_unlock(&v->lock);
}

struct words {
	struct lh_str at[WORDS_MOST];
	bool used[WORDS_MOST];
	size_t n;
};

static void split(const struct lh_str text, struct words *w)
{
	static const char between[] = " \t\r\n,;:";
	size_t i = 0, from;

	w->n = 0;
	while (w->n < WORDS_MOST) {
		while (i < text.n && strchr(between, text.p[i]))
			i++;
		from = i;
		while (i < text.n && !strchr(between, text.p[i]))
			i++;
		if (i == from)
			return;
		w->used[w->n] = false;
		w->at[w->n++] = (struct lh_str){ text.p + from, i - from };
	}
}

/* Return the value of a list that words from..from+n are, without case and the plural; p NULL:
 * none. */
static struct lh_str find_value(const struct lh_intern *list, const struct words *w, size_t from,
				size_t n)
{
	char text[VALUE_MOST + 2];
	struct lh_str is;
	size_t i, len = 0;
	uint32_t k;

	for (i = from; i < from + n; i++) {
		if (w->used[i] || len + w->at[i].n + 1 > sizeof text)
			return (struct lh_str){ NULL, 0 };
		if (len)
			text[len++] = ' ';
		memcpy(text + len, w->at[i].p, w->at[i].n);
		len += w->at[i].n;
	}
	for (k = 0; k < list->n; k++) {
		is = lh_intern_text(list, k);
		if (lh_role_same(is.p, is.n, text, len))
			return is;
	}
	return (struct lh_str){ NULL, 0 };
}

/* Look for roles and cities, the longest first, so that a role in the name of a city, or a city in
 * that of a role, is none. */
static void look_up(const struct vocabulary *v, struct lh_str text, struct lh_str *role,
		    struct lh_str *city)
{
	struct words w;
	size_t n, from;

	split(text, &w);
	for (n = RUN_MOST; n; n--)
		for (from = 0; from + n <= w.n; from++) {
			struct lh_str is = find_value(&v->roles, &w, from, n), *to = role;

			if (!is.p) {
				is = find_value(&v->cities, &w, from, n);
				to = city;
			}
			if (!is.p)
				continue;
			if (!to->p)
				*to = is;
			memset(w.used + from, true, n * sizeof *w.used);
		}
}

void make_role(struct worker *w)
{
	struct query_reader *r = &w->reader;
	struct query *q = &r->q;
	struct lh_str role = { NULL, 0 }, city = { NULL, 0 };
	bool roles = false, marked;
	size_t i;

	if (q->role.n || !q->text.p)
		return;
	lh_buf_reset(&r->role);
	lh_buf_reset(&r->role_why);
	marked = lh_role_extract(q->text.p, q->text.n, &r->role, &r->role_why);
	/* Values of records beyond a scope would show that these exist. */
	for (i = 0; !marked && !role.p && !q->scope.filter.p && i < w->n_chosen; i++) {
		learn_index(w, w->chosen[i]->open);
		look_up(&w->chosen[i]->open->vocabulary, q->text, &role, &city);
		roles |= w->chosen[i]->open->vocabulary.roles.n > 0;
	}
	if (role.p) {
		lh_buf_reset(&r->role_why);
		lh_buf_reset(&r->role);
		lh_buf_add(&r->role, role.p, role.n);
	} else if (roles && !r->role_why.len && !r->role.len) {
		lh_buf_puts(&r->role_why, "the text has no role that a record has");
	}
	q->role_why = (struct lh_str){ r->role_why.p, r->role_why.len };
	q->role = (struct lh_str){ r->role.p, r->role.len };
	q->role_made = r->role.len > 0;
	q->city = role.p ? city : (struct lh_str){ NULL, 0 };
}
