/* vocabulary.c - roles and cities that records have, and those in a text.  See staffing.h. */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "staffing.h"

#define WORDS_MOST 32	/* of a text, that are looked at */
#define RUN_MOST 6	/* words of a role or city */
#define VALUE_MOST 96	/* its bytes */
#define ROLES_MOST 1000
#define CITIES_MOST 20000

static void learn(struct lh_known_texts *to, size_t most, const struct lh_value *meta,
		  const char *name, struct lh_buf *scratch)
{
	char key[VALUE_MOST + 1];
	struct lh_err unused;
	struct lh_value is;
	struct lh_str s;
	uint32_t number;

	if (to->key.n >= most || !lh_value_get(meta, name, &is) || is.type != LH_STRING)
		return;
	lh_buf_reset(scratch);
	lh_value_str(&is, scratch, &s);
	s = lh_trim(s.p, s.n);
	if (s.n < 2 || s.n > VALUE_MOST)
		return;
	if (lh_intern_add(&to->key, key, lh_role_key(s.p, s.n, key), &number, &unused) == 0 &&
	    number == to->text.n)
		lh_intern_add(&to->text, s.p, s.n, &number, &unused);
}

void lh_vocabulary_learn(struct lh_vocabulary *v, const struct lh_value *meta,
			 struct lh_buf *scratch)
{
	learn(&v->roles, ROLES_MOST, meta, "role", scratch);
	learn(&v->cities, CITIES_MOST, meta, "city", scratch);
}

void lh_vocabulary_free(struct lh_vocabulary *v)
{
	lh_intern_free(&v->roles.text);
	lh_intern_free(&v->roles.key);
	lh_intern_free(&v->cities.text);
	lh_intern_free(&v->cities.key);
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
static struct lh_str find_value(const struct lh_known_texts *list, const struct words *w,
				size_t from, size_t n)
{
	char text[VALUE_MOST + 2], key[VALUE_MOST + 3];
	size_t i, len = 0;
	int64_t number;

	for (i = from; i < from + n; i++) {
		if (w->used[i] || len + w->at[i].n + 1 > sizeof text)
			return (struct lh_str){ NULL, 0 };
		if (len)
			text[len++] = ' ';
		memcpy(text + len, w->at[i].p, w->at[i].n);
		len += w->at[i].n;
	}
	number = lh_intern_find(&list->key, key, lh_role_key(text, len, key));
	return number < 0 ? (struct lh_str){ NULL, 0 }
			  : lh_intern_text(&list->text, (uint32_t)number);
}

/* Look for roles and cities, the longest first, so that a role in the name of a city, or a city in
 * that of a role, is none. */
void lh_vocabulary_find(const struct lh_vocabulary *v, struct lh_str text, struct lh_str *role,
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
