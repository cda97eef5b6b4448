/* playbook.c - boost and inject rows by the entries of a playbook.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "staffing/staffing.h"
#include "search.h"

/* A hit in the playbook, and the row that it recommends. */
struct memory {
	struct lh_str id;
	double distance, factor;
	struct corpus_search *seat;
	uint64_t number;
	struct lh_row row;
};

/* Return the number of the current query's playbook, or -1. */
static long playbook_of(const struct worker *w)
{
	const struct settings *set = w->run->set;
	const struct names *l = w->run->corpora.names;
	struct lh_str name = w->reader.q.playbook;
	long at = -1;

	if (set->playbook && !name.p)
		name = lh_str_of(l->v[l->n].text);
	if (!name.p)
		name = lh_str_of(LH_PLAYBOOK_CORPUS);
	if (!lh_scope_has(&w->reader.q.scope, name))
		return -1;
	if (set->playbook || set->playbooks)
		at = names_find_playbook(l, name);
	return at < 0 && !set->playbooks ? names_find(l, name) : at;
}

/* Return whether the number is that of a playbook that is there. */
static bool is_there(const struct worker *w, long at)
{
	return at >= 0 && (w->run->corpora.names->v[at].lazy ||
			   atomic_load(&w->run->corpora.v[at]));
}

static int no_entry(const struct corpus_search *s, const struct lh_hit *hit, struct lh_err *err)
{
	if (err->code != LH_EDATA)
		return -1;
	return lh_err_prefix(err, "corpus \"%s\" is not a playbook: row %llu", s->name->text,
			     (unsigned long long)hit->row);
}

/* Find the record of an entry's answer in its corpus: 1, 0, -1. */
static int find_answer(struct worker *w, const struct lh_playbook_entry *e, struct memory *m,
		       struct lh_err *err)
{
	long at = names_find(w->run->corpora.names, e->answer_corpus);
	int64_t number;

	m->seat = at < 0 ? NULL : &w->seat[at];
	if (!m->seat || m->seat->query != w->query)
		return 0;
	number = lh_index_find(m->seat->open->ix, e->answer_id.p, e->answer_id.n, err);
	if (number == -2)
		return at_corpus(m->seat, err);
	m->number = (uint64_t)number;
	return number >= 0;
}

/* Find the row that an entry recommends, if it may be a result of this query: 1, 0, -1. */
static int recall(struct worker *w, const struct lh_playbook_entry *e, struct memory *m,
		  struct lh_err *err)
{
	int rc = find_answer(w, e, m, err);

	if (rc <= 0)
		return rc;
	rc = lh_index_row(m->seat->open->ix, m->number, &m->row, err);
	if (rc > 0)
		rc = may_answer(w, m->seat, m->number, &m->row, err);
	return rc < 0 ? at_corpus(m->seat, err) : rc;
}

/* Read the entry of a hit: 1, 0 when it does not apply to this query, -1. */
static int read_hit(struct worker *w, const struct corpus_search *s, const struct lh_hit *hit,
		    struct memory *m, struct lh_err *err)
{
	const struct lh_str *role = &w->reader.q.role;
	struct lh_playbook_entry e;
	struct lh_row row;
	int rc = lh_index_row(s->open->ix, hit->row, &row, err);

	if (rc <= 0)
		return rc < 0 ? at_corpus(s, err) : 0;
	if (lh_playbook_read_row(&row, &w->scan, &w->entry, &w->texts, &e, err) < 0)
		return no_entry(s, hit, err);
	if (role->n && e.role.n && !lh_role_same(role->p, role->n, e.role.p, e.role.n))
		return 0;
	m->id = row.id;
	m->distance = hit->distance;
	m->factor = 1 - 0.5 * e.score;
	return recall(w, &e, m, err);
}

/* Return the result with that id of that corpus. */
static struct result *among(struct worker *w, const struct memory *m)
{
	size_t i;

	for (i = 0; i < w->n_found; i++)
		if (w->found[i].seat == m->seat &&
		    lh_str_cmp(w->found[i].row.id, m->row.id) == 0)
			return &w->found[i];
	return NULL;
}

/* Reduce the distance by that factor, unless another entry reduced it more: of several
 * entries only the best counts.  A distance below 0, possible for a dot product, is not
 * reduced. */
static void bring_near(const struct worker *w, struct result *f, const struct memory *m,
		       double original)
{
	double d = original > 0 ? original * m->factor : original;

	if (f->playbook.p && (float)d >= f->distance)
		return;
	f->playbook = m->id;
	f->original = (float)original;
	f->distance = (float)d;
	if (w->run->set->hybrid)
		f->score = hybrid_score(f->seat, f->number, d);
}

static void apply(struct worker *w, const struct memory *m)
{
	const struct query *q = &w->reader.q;
	struct result *f = among(w, m);

	if (f && !f->injected) {
		if (m->distance <= q->playbook_max)
			bring_near(w, f, m, f->playbook.p ? f->original : f->distance);
		return;
	}
	if (m->distance > q->playbook_max_inject)
		return;
	if (!f) {
		lh_grow(&w->found, &w->cap_found, w->n_found + 1, sizeof *w->found);
		f = &w->found[w->n_found++];
		*f = (struct result){
			.seat = m->seat, .number = m->number, .row = m->row, .injected = true,
			.by_words = w->run->set->hybrid ? SIZE_MAX : 0
		};
	}
	bring_near(w, f, m, m->distance);
}

/* Sort as results are sorted, by score first where they have one; corpora are in the order of
 * their names. */
static int best_first(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	const struct lh_str *i = &x->row.id, *k = &y->row.id;
	int c;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->by_words != y->by_words)
		return x->by_words < y->by_words ? -1 : 1;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->seat != y->seat)
		return x->seat < y->seat ? -1 : 1;
	c = memcmp(i->p, k->p, i->n < k->n ? i->n : k->n);
	return c ? c : i->n < k->n ? -1 : i->n > k->n;
}

/* Keep the hits, up to most, whose entries recommend a record that may be a result: others would
 * take its place among those that are looked at, and so be noticed.  Returns how many; -1. */
static long keep_in_scope(struct worker *w, const struct corpus_search *s, long n, long most,
			  struct lh_err *err)
{
	struct lh_hit *hit = w->remembered;
	struct lh_playbook_entry e;
	struct memory m = { .factor = 0 };
	struct lh_row row;
	long i, kept = 0;
	int rc;

	for (i = 0; i < n && kept < most; i++) {
		rc = lh_index_row(s->open->ix, hit[i].row, &row, err);
		if (rc < 0)
			return at_corpus(s, err);
		if (rc && lh_playbook_read_row(&row, &w->scan, &w->entry, &w->texts, &e, err) < 0)
			rc = err->code == LH_EDATA ? 0 : -1;
		if (rc > 0)
			rc = recall(w, &e, &m, err);
		if (rc < 0)
			return -1;
		if (rc)
			hit[kept++] = hit[i];
	}
	return kept;
}

/* Find the nearest entries.  With a scope, search for more until enough are in it: most are, as a
 * rule, and to check every entry of the playbook costs more than to search again. */
static long search_playbook(struct worker *w, struct corpus_search *s, uint64_t live,
			    struct lh_err *err)
{
	const struct settings *set = w->run->set;
	const uint64_t most = w->reader.q.playbook_top_k;
	struct lh_query q = { .k = most, .ef = set->ef, .exact = set->exact };
	long n, kept;

	if (set_vector(w, s, err) < 0 || set_searcher(s, err) < 0)
		return -1;
	q.vector = s->vector;
	for (;; q.k = 4 * q.k < live ? 4 * q.k : live) {
		lh_grow(&w->remembered, &w->cap_remembered, q.k, sizeof *w->remembered);
		n = limits_search(w, s, &q, w->remembered, err);
		if (n < 0)
			return at_corpus(s, err);
		kept = w->scope ? keep_in_scope(w, s, n, (long)most, err) : n;
		if (kept < 0 || !w->scope || kept == (long)most || q.k >= live ||
		    w->limits.reached)
			return kept;
	}
}

void count_playbook(struct worker *w)
{
	size_t i;

	w->boosted = w->injected = 0;
	for (i = 0; i < w->n_found; i++) {
		w->boosted += w->found[i].playbook.p && !w->found[i].injected;
		w->injected += w->found[i].injected;
	}
}

int use_playbook(struct worker *w, struct lh_err *err)
{
	long at = playbook_of(w);
	struct corpus_search *s;
	struct lh_index_stats st;
	struct memory m;
	long i, n;
	int rc;

	if (!is_there(w, at) || !w->reader.q.playbook_top_k)
		return 0;
	s = &w->seat[at];
	if (seat_open(w, s, err) < 0)
		return -1;
	w->asked = s;
	if (s->query != w->query)
		s->work = (struct lh_search_work){ 0 };
	lh_index_get_stats(s->open->ix, &st);
	if (!st.live)
		return 0;
	n = search_playbook(w, s, st.live, err);
	if (n < 0)
		return -1;
	for (i = 0; i < n; i++) {
		rc = read_hit(w, s, &w->remembered[i], &m, err);
		if (rc < 0)
			return -1;
		if (rc)
			apply(w, &m);
	}
	if (w->n_found)
		qsort(w->found, w->n_found, sizeof *w->found, best_first);
	return 0;
}
