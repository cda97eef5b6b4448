/* vocabulary.c - roles and places that records have, and those in a text.  See staffing.h. */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "staffing.h"

#define WORDS_MOST 32	/* of a text, that are looked at */
#define RUN_MOST 6	/* words of a value */
#define VALUE_MOST 96	/* its bytes */
#define SHOWN 9		/* roles that a text may mean */
#define SHORT 3		/* bytes of a state that may be another word */

static const struct {
	const char *name;
	size_t most;
} lists[LH_SOUGHT_LISTS] = { { "role", 1000 }, { "city", 20000 }, { "state", 1000 } };

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
	size_t i;

	for (i = 0; i < LH_SOUGHT_LISTS; i++)
		learn(&v->list[i], lists[i].most, meta, lists[i].name, scratch);
}

void lh_vocabulary_free(struct lh_vocabulary *v)
{
	size_t i;

	for (i = 0; i < LH_SOUGHT_LISTS; i++) {
		lh_intern_free(&v->list[i].text);
		lh_intern_free(&v->list[i].key);
	}
}

struct words {
	struct lh_str at[WORDS_MOST];
	char used[WORDS_MOST];		/* 1 + the list that it is of; 0: none */
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
		w->used[w->n] = 0;
		w->at[w->n++] = (struct lh_str){ text.p + from, i - from };
	}
}

/* Write what lh_role_key makes of the words from..from+n; return its length, 0 if there is none. */
static size_t make_key(const struct words *w, size_t from, size_t n, char key[VALUE_MOST + 3])
{
	char text[VALUE_MOST + 2];
	size_t i, len = 0;

	for (i = from; i < from + n; i++) {
		if (w->used[i] || len + w->at[i].n + 1 > sizeof text)
			return 0;
		if (len)
			text[len++] = ' ';
		memcpy(text + len, w->at[i].p, w->at[i].n);
		len += w->at[i].n;
	}
	return lh_role_key(text, len, key);
}

static bool fits_state(const struct words *w, size_t from, struct lh_str state)
{
	return state.n > SHORT || lh_str_cmp(w->at[from], state) == 0 ||
		(from && w->used[from - 1] == 1 + LH_SOUGHT_CITY);
}

/* Return the part that words from..from+n are, and set its value; LH_SOUGHT_LISTS: none. */
static size_t find_part(const struct lh_vocabulary *const *v, size_t n_v, const struct words *w,
			size_t from, size_t n, struct lh_str *is)
{
	char key[VALUE_MOST + 3];
	size_t len = make_key(w, from, n, key), part, i;
	int64_t number;

	for (part = len ? 0 : LH_SOUGHT_LISTS; part < LH_SOUGHT_LISTS; part++)
		for (i = 0; i < n_v; i++) {
			const struct lh_known_texts *list = &v[i]->list[part];

			number = lh_intern_find(&list->key, key, len);
			if (number < 0)
				continue;
			*is = lh_intern_text(&list->text, (uint32_t)number);
			if (part != LH_SOUGHT_STATE || fits_state(w, from, *is))
				return part;
		}
	return LH_SOUGHT_LISTS;
}

/* ---- after a count ---- */

/* Return the word after "2", "2x" or "2 x" at the beginning; 0: there is no count. */
static size_t after_count(const struct words *w)
{
	struct lh_str count = w->n ? w->at[0] : (struct lh_str){ NULL, 0 };
	bool times = count.n > 1 && lh_fold(count.p[count.n - 1]) == 'x';
	size_t i;

	for (i = 0; i < count.n - times && count.p[i] >= '0' && count.p[i] <= '9'; i++)
		;
	if (!count.n || i < count.n - times)
		return 0;
	return 1 + (!times && w->n > 1 && w->at[1].n == 1 && lh_fold(*w->at[1].p) == 'x');
}

static bool begins_or_ends(struct lh_str role, const char *with, size_t n)
{
	return role.n > n && ((memcmp(role.p, with, n) == 0 && role.p[n] == ' ') ||
			      (memcmp(role.p + role.n - n, with, n) == 0 &&
			       role.p[role.n - n - 1] == ' '));
}

static bool has_role(const struct lh_vocabulary *const *v, size_t n_v, struct lh_str key)
{
	size_t i;

	for (i = 0; i < n_v; i++)
		if (lh_intern_find(&v[i]->list[LH_SOUGHT_ROLE].key, key.p, key.n) >= 0)
			return true;
	return false;
}

/* Find the role that n words stand for; p NULL, and why if several do. */
static struct lh_str find_only(const struct lh_vocabulary *const *v, size_t n_v,
			       const char *key, size_t n, struct lh_buf *why)
{
	struct lh_str only = { NULL, 0 }, is;
	size_t i, found = 0;
	uint32_t k;

	for (i = 0; i < n_v; i++)
		for (k = 0; k < v[i]->list[LH_SOUGHT_ROLE].key.n && found < SHOWN; k++) {
			is = lh_intern_text(&v[i]->list[LH_SOUGHT_ROLE].key, k);
			if (!begins_or_ends(is, key, n) || has_role(v, i, is))
				continue;
			only = lh_intern_text(&v[i]->list[LH_SOUGHT_ROLE].text, k);
			lh_buf_puts(why, found++ ? ", " : "it may be any of ");
			lh_buf_add(why, only.p, only.n);
		}
	if (found == 1)
		lh_buf_reset(why);
	return found > 1 ? (struct lh_str){ NULL, 0 } : only;
}

static struct lh_str find_after_count(const struct lh_vocabulary *const *v, size_t n_v,
				      const struct words *w, struct lh_buf *why)
{
	struct lh_str is = { NULL, 0 };
	size_t from = after_count(w), n, len;
	char key[VALUE_MOST + 3];

	for (n = from ? RUN_MOST : 0; n && !is.p && !why->len; n--)
		if (from + n <= w->n && (len = make_key(w, from, n, key)))
			is = find_only(v, n_v, key, len, why);
	if (from && !is.p && !why->len)
		lh_buf_puts(why, "no known role follows the count");
	return is;
}

void lh_vocabulary_find(const struct lh_vocabulary *const *v, size_t n_v, struct lh_str text,
			struct lh_str found[LH_SOUGHT_LISTS], struct lh_buf *why)
{
	size_t n, from, part;
	struct lh_str is;
	struct words w;

	memset(found, 0, LH_SOUGHT_LISTS * sizeof *found);
	split(text, &w);
	for (n = RUN_MOST; n; n--)
		for (from = 0; from + n <= w.n; from++) {
			part = find_part(v, n_v, &w, from, n, &is);
			if (part == LH_SOUGHT_LISTS)
				continue;
			if (!found[part].p)
				found[part] = is;
			memset(w.used + from, 1 + (int)part, n);
		}
	if (!found[LH_SOUGHT_ROLE].p)
		found[LH_SOUGHT_ROLE] = find_after_count(v, n_v, &w, why);
}
