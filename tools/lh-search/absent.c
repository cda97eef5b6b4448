/* absent.c - keys and values of filters that no record has.  See search.h.
 *
 * A filter on a key that is not there is a mistake: with it nothing would match, and the answer
 * would say that there is nothing.  So a key that none of the corpora asked has is an error, and
 * one that some of them lack is reported, once for each.  A value that no record has may be one,
 * or not: the answer names it, with values that are close. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/suggest.h"
#include "search.h"

#define KNOWN_MOST 1000	/* keys remembered of an index: a client may send any number */
#define NEAR_ROWS 100	/* whose keys are suggested */

void known_keys_init(struct known_keys *k)
{
	pthread_mutex_init(&k->lock, NULL);
}

void known_keys_free(struct known_keys *k)
{
	lh_intern_free(&k->has);
	lh_intern_free(&k->lacks);
	pthread_mutex_destroy(&k->lock);
}

/* Return whether the index is known to have the key: 1, 0; -1 if it is not known. */
static int is_known(struct known_keys *k, struct lh_str key)
{
	int rc;

	pthread_mutex_lock(&k->lock);
	rc = lh_intern_find(&k->has, key.p, key.n) >= 0 ? 1
	     : lh_intern_find(&k->lacks, key.p, key.n) >= 0 ? 0 : -1;
	pthread_mutex_unlock(&k->lock);
	return rc;
}

static void remember(struct known_keys *k, struct lh_str key, bool has)
{
	struct lh_err unused;
	uint32_t number;

	pthread_mutex_lock(&k->lock);
	if (k->has.n + k->lacks.n < KNOWN_MOST)
		lh_intern_add(has ? &k->has : &k->lacks, key.p, key.n, &number, &unused);
	pthread_mutex_unlock(&k->lock);
}

/* Look for a record that has the key; *any: there is one, with or without.  A damaged one is the
 * search's to report. */
static bool look_for(struct worker *w, const struct lh_index *ix, struct lh_filter *f, bool *any)
{
	uint64_t i, n = lh_index_rows(ix);
	struct lh_err unused;
	struct lh_row row;
	int got = 0;

	*any = false;
	for (i = 0; !got && i < n; i++) {
		got = lh_index_row(ix, i, &row, &unused);
		if (got > 0 && (got = is_in_scope(w, &row))) {
			*any = true;
			got = lh_filter_match(f, row.meta.p, row.meta.n, &unused);
		}
	}
	return got;
}

/* Return whether a record of the corpus of s has the key: 1, 0; -1 if it has no records.  What is
 * found is remembered, for the scope of the query. */
static int corpus_has(struct worker *w, const struct corpus_search *s,
		      const struct lh_filter_key *key)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	const struct lh_value *scope = &w->reader.q.scope.filter;
	struct lh_str name = key->name;
	struct lh_index_stats stats;
	struct lh_err unused;
	struct lh_filter *f;
	bool any, has;
	int known;

	lh_index_get_stats(s->open->ix, &stats);
	if (!stats.live)
		return -1;
	if (scope->p) {
		lh_buf_add(&text, key->name.p, key->name.n);
		lh_buf_putc(&text, '\0');
		lh_buf_add(&text, scope->p, scope->n);
		name = (struct lh_str){ text.p, text.len };
	}
	known = is_known(&s->open->keys, name);
	f = known < 0 ? lh_filter_exists(key, &unused) : NULL;
	if (!f)
		return known < 0 ? 1 : known;
	has = look_for(w, s->open->ix, f, &any);
	lh_filter_free(f);
	if (!any)
		return -1;
	remember(&s->open->keys, name, has);
	return has;
}

/* Return corpus number i of those that the query asks, also of those that cannot embed its text;
 * NULL after the last one. */
static const struct corpus_search *asked_at(const struct worker *w, size_t i)
{
	return i < w->n_chosen ? w->chosen[i]
	       : i - w->n_chosen < w->n_left_out ? w->left_out[i - w->n_chosen] : NULL;
}

/* ---- the error ---- */

/* Offer the keys of an object, and of the objects in it by their paths. */
static void offer_keys(struct lh_suggest *near, const struct lh_value *object, const char *before)
{
	struct lh_iter it;
	char path[64];
	int n;

	for (lh_iter_init(&it, object); lh_iter_next(&it); ) {
		n = snprintf(path, sizeof path, "%s%.*s", before, (int)it.key.n - 2, it.key.p + 1);
		if (n < 0 || (size_t)n >= sizeof path - 1)
			continue;
		lh_suggest_offer(near, path, (size_t)n);
		if (it.val.type == LH_OBJECT && !*before) {
			path[n] = '.';
			path[n + 1] = '\0';
			offer_keys(near, &it.val, path);
		}
	}
}

/* Offer the keys of an index's first records. */
static void offer_index(struct worker *w, const struct opened *o, struct lh_suggest *near)
{
	uint64_t i, n = o ? lh_index_rows(o->ix) : 0, seen = 0;
	struct lh_value meta;
	struct lh_row row;
	struct lh_err unused;

	for (i = 0; i < n && seen < NEAR_ROWS; i++) {
		if (lh_index_row(o->ix, i, &row, &unused) <= 0 || !is_in_scope(w, &row))
			continue;
		seen++;
		lh_buf_reset(&w->entry);
		lh_buf_add(&w->entry, row.meta.p, row.meta.n);
		if (lh_json_parse(&w->scan, w->entry.p, w->entry.len, &meta, &unused) == 0)
			offer_keys(near, &meta, "");
	}
}

/* Refuse a key that no record has, and name those that are close to it. */
static int refuse_key(struct worker *w, struct lh_str key, struct lh_err *err)
{
	struct lh_suggest near = lh_suggest_for(key.p, key.n);
	const struct corpus_search *s;
	char text[LH_SUGGEST_ROOM];
	size_t i;

	for (i = 0; (s = asked_at(w, i)); i++)
		offer_index(w, s->open, &near);
	lh_suggest_text(&near, "\"", text);
	return lh_err_data(err, 400, "no record has the key \"%.*s\"%s%s%s",
			   key.n < 200 ? (int)key.n : 200, key.p, *text ? " (" : "", text,
			   *text ? ")" : "");
}

/* ---- the report ---- */

void looked_up_init(struct looked_up *l)
{
	pthread_mutex_init(&l->lock, NULL);
}

void looked_up_free(struct looked_up *l)
{
	lh_intern_free(&l->pairs);
	pthread_mutex_destroy(&l->lock);
}

/* Return whether a corpus and a key are to be reported, which is then remembered. */
static bool is_new(struct looked_up *l, const char *corpus, struct lh_str key)
{
	LH_SCOPED(lh_buf_free) struct lh_buf pair = { 0 };
	uint32_t number;
	struct lh_err unused;
	size_t before;
	bool added;

	lh_buf_add(&pair, corpus, strlen(corpus) + 1);
	lh_buf_add(&pair, key.p, key.n);
	pthread_mutex_lock(&l->lock);
	before = l->pairs.n;
	added = before < KNOWN_MOST &&
		lh_intern_add(&l->pairs, pair.p, pair.len, &number, &unused) == 0 &&
		l->pairs.n > before;
	pthread_mutex_unlock(&l->lock);
	return added;
}

static void report(const struct worker *w, const struct corpus_search *s, struct lh_str key)
{
	if (!w->run->tool->quiet && is_new(w->run->looked_up, s->name->text, key))
		lh_tool_message(w->run->tool, "corpus \"%s\": no record has the key \"%.*s\"",
				s->name->text, key.n < 200 ? (int)key.n : 200, key.p);
}

int check_keys(struct worker *w, struct lh_err *err)
{
	const struct corpus_search *s;
	const struct lh_filter_key *key = NULL;
	size_t n = 0, i, k;

	if (w->reader.q.filter.p)
		key = lh_filter_keys(w->scope ? w->own : w->filter, &n);
	for (k = 0; k < n; k++) {
		bool has = false, lacks = false;
		int got;

		for (i = 0; (s = asked_at(w, i)); i++) {
			got = corpus_has(w, s, &key[k]);
			has |= got > 0;
			lacks |= !got;
		}
		if (lacks && !has)
			return refuse_key(w, key[k].name, err);
		for (i = 0; lacks && (s = asked_at(w, i)); i++)
			if (!corpus_has(w, s, &key[k]))
				report(w, s, key[k].name);
	}
	return 0;
}

/* ---- values ---- */

#define VALUES_MOST 10000	/* of a key, that are looked at */
#define LOOK_EVERY 1024			/* rows before the time is looked at */
#define SCALAR (LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER) | LH_BIND_IS(LH_TRUE) | \
		LH_BIND_IS(LH_FALSE))
#define SHARED 3		/* records with a value that is named: one may be a person */

struct values {
	const char *key;
	struct lh_value asked, spelled;	/* the value of the filter, and what it spells, ... */
	struct lh_str value;		/* ... and its text */
	struct lh_intern seen;		/* other values of the key, ... */
	uint32_t *count;		/* ... and how many records have each */
	size_t cap;
	bool matched;
	bool late;			/* the time of the query ended before all were seen */
};

/* Set the text of a scalar: of a number or boolean as written. */
static void text_of(const struct lh_value *v, struct lh_buf *scratch, struct lh_str *text)
{
	if (v->type == LH_STRING)
		lh_value_str(v, scratch, text);
	else
		*text = (struct lh_str){ v->p, v->n };
}

static void see(struct values *v, const struct lh_value *is)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	size_t before = v->seen.n;
	struct lh_err unused;
	struct lh_str s;
	uint32_t number;

	if (!(LH_BIND_IS(is->type) & SCALAR))
		return;
	v->matched |= lh_value_equal(is, &v->asked) || lh_value_equal(is, &v->spelled);
	text_of(is, &text, &s);
	if (before >= VALUES_MOST && lh_intern_find(&v->seen, s.p, s.n) < 0)
		return;
	lh_intern_add(&v->seen, s.p, s.n, &number, &unused);
	lh_grow(&v->count, &v->cap, v->seen.n, sizeof *v->count);
	v->count[number] = v->seen.n > before ? 1 : v->count[number] + 1;
}

/* See the values of the key in the records of an index. */
static void see_index(struct worker *w, const struct opened *o, struct values *v)
{
	uint64_t i, n = o ? lh_index_rows(o->ix) : 0;
	struct lh_value meta, is;
	struct lh_err unused;
	struct lh_iter it;
	struct lh_row row;

	for (i = 0; i < n && !v->matched && !v->late; i++) {
		v->late = i % LOOK_EVERY == 0 && limits_late(&w->limits);
		if (lh_index_row(o->ix, i, &row, &unused) <= 0 || !is_in_scope(w, &row))
			continue;
		lh_buf_reset(&w->entry);
		lh_buf_add(&w->entry, row.meta.p, row.meta.n);
		if (lh_json_parse(&w->scan, w->entry.p, w->entry.len, &meta, &unused) < 0 ||
		    !lh_value_get(&meta, v->key, &is))
			continue;
		see(v, &is);
		if (is.type == LH_ARRAY)
			for (lh_iter_init(&it, &is); lh_iter_next(&it); )
				see(v, &it.val);
	}
}

/* Write the values that are close to the one that no record has. */
static void put_near(const struct values *v, struct lh_writer *to)
{
	struct lh_suggest near = lh_suggest_for(v->value.p, v->value.n);
	struct lh_str s;
	uint32_t i;
	size_t k;

	for (i = 0; i < v->seen.n; i++) {
		s = lh_intern_text(&v->seen, i);
		if (v->count[i] >= SHARED && s.n < sizeof near.best->name)
			lh_suggest_offer(&near, s.p, s.n);
	}
	lh_write_key_str(to, lh_str_of(v->key));
	lh_write_array(to, NULL);
	for (k = 0; k < near.n_best && near.best[k].distance == near.best->distance; k++)
		lh_write_text(to, NULL, near.best[k].name);
	lh_write_end(to);
}

/* Set the one scalar that a value of a filter asks for, alone, in a list or in {"in":[...]}, and
 * its text; a condition KEY=VALUE is a text and the scalar that it spells. */
static bool one_scalar(const struct lh_value *of, struct lh_buf *scratch, struct values *v)
{
	struct lh_value list = *of;
	struct lh_iter it;
	bool more = false;

	if (of->type == LH_OBJECT && !lh_value_get(of, "in", &list))
		return false;
	v->asked = list;
	if (list.type == LH_ARRAY) {
		lh_iter_init(&it, &list);
		if (!lh_iter_next(&it))
			return false;
		v->asked = it.val;
		more = lh_iter_next(&it);
	}
	if (!(LH_BIND_IS(v->asked.type) & SCALAR))
		return false;
	text_of(&v->asked, scratch, &v->value);
	v->spelled = more ? it.val : v->asked;
	return !more || (lh_str_is(v->value, it.val.p, it.val.n) && !lh_iter_next(&it));
}

void print_unmatched(struct worker *w, struct lh_writer *to)
{
	const struct query *q = &w->reader.q;
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 }, key = { 0 }, value = { 0 };
	const struct corpus_search *s;
	struct lh_value filter;
	struct lh_err unused;
	struct lh_iter it;
	bool any = false;
	size_t i;

	lh_buf_add(&text, q->filter.p, q->filter.n);
	if (w->n_found || lh_json_parse(&scan, text.p, text.len, &filter, &unused) < 0)
		return;
	for (lh_iter_init(&it, &filter); lh_iter_next(&it); ) {
		struct values v = { .matched = false };
		struct lh_str name;

		lh_buf_reset(&key);
		lh_buf_reset(&value);
		lh_value_str(&it.key, &value, &name);
		lh_buf_printf(&key, "%.*s", (int)name.n, name.p);
		lh_buf_putc(&key, '\0');
		v.key = key.p;
		if (!one_scalar(&it.val, &value, &v))
			continue;
		for (i = 0; !v.matched && !v.late && (s = asked_at(w, i)); i++)
			see_index(w, s->open, &v);
		if (!v.matched && !v.late && v.seen.n) {
			if (!any)
				lh_write_object(to, "unmatched_filter");
			any = true;
			put_near(&v, to);
		}
		lh_intern_free(&v.seen);
		free(v.count);
	}
	if (any)
		lh_write_end(to);
}
