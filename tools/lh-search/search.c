/* search.c - search the corpora of one query.  See search.h. */
#include "index/index_tools.h"
#include "search.h"

#include <stdlib.h>

#include "base/mem.h"

void worker_free(void *worker)
{
	struct worker *w = worker;

	seats_free(w);
	free(w->found);
	free(w->remembered);
	free(w->liked);
	lh_buf_free(&w->entry);
	lh_buf_free(&w->texts);
	lh_buf_free(&w->row);
	lh_filter_free(w->filter);
	lh_filter_free(w->own);
	lh_filter_free(w->scope);
	lh_record_free(&w->scan);
	reranking_free(w->reranking);
	lh_embedder_free(w->model);
	lh_persons_used_free(&w->used);
	query_reader_free(&w->reader);
}

int worker_init(void *context, void *run, struct lh_err *err)
{
	struct search *s = run;
	struct worker *w = context;

	w->run = s;
	query_reader_init(&w->reader, s->set);
	w->filter = lh_filter_new();
	seats_init(w);
	return s->where->len && lh_json_parse(&w->scan, s->where->p, s->where->len, &w->where,
					      err) < 0 ? -1 : 0;
}

int worker_renew(void *worker, void *search, struct lh_err *err)
{
	(void)err;
	seats_renew(worker, search);
	return 0;
}

/* ---- rows that may be results ---- */

static int by_row(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void exclude_row(struct corpus_search *s, uint64_t row)
{
	lh_grow(&s->excluded, &s->cap_excluded, s->n_excluded + 1, sizeof *s->excluded);
	s->excluded[s->n_excluded++] = row;
}

static int exclude(struct corpus_search *s, const char *id, size_t n, struct lh_err *err)
{
	int64_t row = lh_index_find(s->open->ix, id, n, err);

	if (row == -2)
		return at_corpus(s, err);
	if (row >= 0)
		exclude_row(s, (uint64_t)row);
	return 0;
}

/* Collect the rows excluded by --exclude and by the query, and those it names, sorted. */
static int exclude_all(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct lh_list *given = &w->run->set->exclude;
	const struct query *q = &w->reader.q;
	size_t i;

	s->n_excluded = 0;
	for (i = 0; i < given->n; i++)
		if (exclude(s, given->v[i], strlen(given->v[i]), err) < 0)
			return -1;
	for (i = 0; i < q->n_exclude; i++)
		if (exclude(s, q->exclude[i].p, q->exclude[i].n, err) < 0)
			return -1;
	for (i = 0; i < w->n_liked; i++)
		if (w->liked[i].seat == s)
			exclude_row(s, w->liked[i].row);
	if (s->n_excluded)
		qsort(s->excluded, s->n_excluded, sizeof *s->excluded, by_row);
	return 0;
}

int may_answer(struct worker *w, const struct corpus_search *s, uint64_t row,
	       const struct lh_row *r, struct lh_err *err)
{
	if (s->n_excluded && bsearch(&row, s->excluded, s->n_excluded, sizeof row, by_row))
		return 0;
	return w->reader.q.both.p ? lh_filter_match(w->filter, r->meta.p, r->meta.n, err) : 1;
}

static int allow(void *filter, uint64_t row, const struct lh_row *r, struct lh_err *err)
{
	(void)row;
	return lh_filter_match(filter, r->meta.p, r->meta.n, err);
}

/* Join the filter of the query with that of its scope; the first is compiled alone, too: its keys
 * and values are what errors and suggestions are about. */
static int join_filters(struct worker *w, struct lh_err *err)
{
	struct query *q = &w->reader.q;
	struct lh_buf *text = &w->reader.both;

	q->both = q->filter.p ? q->filter : q->scope.filter;
	if (!q->filter.p || !q->scope.filter.p)
		return 0;
	lh_buf_reset(text);
	lh_buf_puts(text, "{\"and\":[");
	lh_buf_add(text, q->filter.p, q->filter.n);
	lh_buf_putc(text, ',');
	lh_buf_add(text, q->scope.filter.p, q->scope.filter.n);
	lh_buf_puts(text, "]}");
	q->both = (struct lh_value){ .p = text->p, .n = text->len, .type = LH_OBJECT };
	if (!w->own)
		w->own = lh_filter_new();
	return lh_filter_compile(w->own, &q->filter, err);
}

static int use_filter(struct worker *w, struct lh_err *err)
{
	struct query *q = &w->reader.q;

	if (!q->filter.p && w->where.n)
		q->filter = w->where;
	if (join_filters(w, err) < 0)
		return -1;
	if (!q->both.p || (w->filter_number && lh_filter_is(w->filter, &q->both)))
		return 0;
	w->filter_number = 0;
	if (lh_filter_compile(w->filter, &q->both, err) < 0)
		return -1;
	w->filter_number = ++w->filters_made;
	return 0;
}

/* Set the cached results of the query's filter. */
static void use_kept(struct worker *w, struct corpus_search *s)
{
	if (s->kept && s->kept_number == w->filter_number)
		return;
	if (s->kept)
		filters_give(&s->open->filters, s->kept);
	s->kept = filters_take(&s->open->filters, s->open->ix, &w->reader.q.both);
	s->kept_number = w->filter_number;
}

/* ---- corpora of the query ---- */

static int choose(struct worker *w, size_t i, struct lh_err *err)
{
	struct corpus_search *s = &w->seat[i];

	if (s->query == w->query)
		return 0;
	lh_grow(&w->chosen, &w->cap_chosen, w->n_chosen + 1, sizeof(*w->chosen));
	if (seat_open(w, s, err) < 0)
		return -1;
	if (check_model(w, s, err) < 0)
		return -1;
	if (w->run->set->hybrid && !s->open->params->lexical)
		return lh_err_set(err, LH_EDATA, "corpus \"%s\" has no words to search by: "
				  "build it with lh-index build --lexical", s->name->text);
	s->query = w->query;
	s->n = s->at = 0;
	s->work = (struct lh_search_work){ 0 };
	w->chosen[w->n_chosen++] = s;
	return 0;
}

/* Write which corpora there are. */
static void list_names(const struct names *l, const struct lh_scope *scope, char to[LH_INDEX_NAMES])
{
	struct lh_index_names list = { .to = to };
	size_t i;

	for (i = 0; i < l->n; i++)
		if (lh_scope_has(scope, lh_str_of(l->v[i].text)))
			lh_index_names_add(&list, l->v[i].text);
	lh_index_names_end(&list);
}

static int no_corpus(const struct worker *w, struct lh_str name, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	int n = name.n < 200 ? (int)name.n : 200;
	char text[LH_INDEX_NAMES];

	if (w->run->set->wire && !lh_index_name_valid(name))
		return lh_err_set(err, LH_EDATA, "\"%.*s\" is not a name: " NAME_RULE, n, name.p);
	list_names(w->run->corpora.names, &q->scope, text);
	return lh_err_data(err, 404, "no %s is named \"%.*s\"; %s", q->index.p ? "index" : "corpus",
			   n, name.p, text);
}

static int choose_named(struct worker *w, struct lh_str name, struct lh_err *err)
{
	long at = names_find_in(w->run->corpora.names, &w->reader.q.scope, name);

	return at < 0 ? no_corpus(w, name, err) : choose(w, (size_t)at, err);
}

static int choose_all(struct worker *w, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t i;

	if (q->index.p)
		return choose_named(w, q->index, err);
	for (i = 0; i < q->n_names; i++)
		if (choose_named(w, q->name[i], err) < 0)
			return -1;
	for (i = 0; !q->n_names && i < w->run->corpora.names->n; i++)
		if (lh_scope_has(&q->scope, lh_str_of(w->seat[i].name->text)) &&
		    choose(w, i, err) < 0)
			return -1;
	if (w->n_chosen > 1)
		qsort(w->chosen, w->n_chosen, sizeof(*w->chosen), by_seat);
	return 0;
}

/* Return whether the vector of the query can be compared with those of a corpus. */
static bool is_able(const struct worker *w, const struct corpus_search *s)
{
	if (w->n_liked)
		return is_alike(w, s);
	return w->reader.q.vector || *s->open->params->engine != '\0';
}

/* Leave out the corpora that cannot embed the text, unless none can, or that have other vectors
 * than the records that are liked. */
static void leave_out(struct worker *w)
{
	size_t i, n = 0, able = 0;

	w->n_left_out = 0;
	for (i = 0; i < w->n_chosen; i++)
		able += is_able(w, w->chosen[i]);
	if (!able || able == w->n_chosen)
		return;
	lh_grow(&w->left_out, &w->cap_left_out, w->n_chosen, sizeof *w->left_out);
	for (i = 0; i < w->n_chosen; i++) {
		struct corpus_search *s = w->chosen[i];

		if (is_able(w, s))
			w->chosen[n++] = s;
		else
			w->left_out[w->n_left_out++] = s;
	}
	w->n_chosen = n;
}

/* Find the role that the text asks for, unless the query names it. */
static void find_sought(struct worker *w)
{
	LH_SCOPED(lh_free_local) const struct lh_index **ix =
		lh_calloc(w->n_chosen + 1, sizeof *ix);
	struct lh_sought *s = &w->reader.sought;
	struct query *q = &w->reader.q;
	size_t i;

	lh_sought_reset(s);
	if (q->role.n || !q->text.p)
		return;
	for (i = 0; i < w->n_chosen; i++)
		ix[i] = w->chosen[i]->open->ix;
	lh_sought_find(s, w->run->known, q->text, ix, i, &q->scope, w->scope);
	q->role = (struct lh_str){ s->role.p, s->role.len };
}

/* ---- searching ---- */

static int search_one(struct worker *w, struct corpus_search *s, struct lh_err *err)
{
	const struct settings *set = w->run->set;
	struct lh_query q = {
		.vector = s->vector,
		.k = w->reader.q.per_corpus_k,
		.ef = set->ef,
		.exact = set->exact,
	};
	long n;

	if (set->hybrid)
		q.k = hybrid_depth(q.k);
	if (exclude_all(w, s, err) < 0)
		return -1;
	q.exclude = s->excluded;
	q.n_exclude = s->n_excluded;
	if (w->reader.q.both.p) {
		q.allow = allow;
		q.ctx = w->filter;
		use_kept(w, s);
		q.filter_cache = s->kept->verdicts;
	} else if (set->hybrid && !q.ef) {
		/* a hit that one ranking misses loses much */
		q.ef = 2 * lh_index_ef(s->open->params, q.k);
	}
	if (set_searcher(s, err) < 0)
		return -1;
	lh_grow(&s->hit, &s->cap, q.k, sizeof *s->hit);
	n = limits_search(w, s, &q, s->hit, err);
	if (n < 0)
		return at_corpus(s, err);
	s->n = (size_t)n;
	w->dropped += q.dropped;
	if (!set->hybrid)
		return set->look && hybrid_look(w, s, &q, err) < 0 ? at_corpus(s, err) : 0;
	if (hybrid_fuse(w, s, &q, err) < 0)
		return at_corpus(s, err);
	w->dropped += q.dropped;
	return 0;
}

/* ---- merging ---- */

static bool before(const struct corpus_search *a, const struct corpus_search *b, bool hybrid)
{
	if (hybrid && hybrid_cmp(&a->fused[a->at], &b->fused[b->at]))
		return hybrid_cmp(&a->fused[a->at], &b->fused[b->at]) < 0;
	return a->hit[a->at].distance < b->hit[b->at].distance;
}

/* Return the corpus of the best hit not taken yet, or NULL.  Those chosen are in the order
 * of their names, which decides between equal hits. */
static struct corpus_search *next_seat(const struct worker *w)
{
	struct corpus_search *best = NULL;
	size_t i;

	for (i = 0; i < w->n_chosen; i++) {
		struct corpus_search *s = w->chosen[i];

		if (s->at < s->n && s->taken < w->reader.q.per_corpus_k &&
		    (!best || before(s, best, w->run->set->hybrid)))
			best = s;
	}
	return best;
}

/* Return whether another passage of the same record was found before. */
static bool is_repeated(const struct worker *w, const struct result *f)
{
	const struct lh_str id = record_id(f->row.id);
	struct lh_str other;
	size_t i;

	for (i = 0; i < w->n_found; i++) {
		other = record_id(w->found[i].row.id);
		if (w->found[i].seat == f->seat && lh_str_is(other, id.p, id.n))
			return true;
	}
	return false;
}

/* Merge the hits of all corpora, as far as to the k-th that is near enough: one that is not may be
 * better than the next by its words, and be brought near by a playbook. */
static int merge(struct worker *w, struct lh_err *err)
{
	const bool hybrid = w->run->set->hybrid;
	const struct query *q = &w->reader.q;
	struct corpus_search *s;
	size_t i, near = 0;

	w->n_found = 0;
	for (i = 0; i < w->n_chosen; i++)
		w->chosen[i]->taken = w->chosen[i]->at = 0;
	while (near < q->k && (w->n_found < q->k || hybrid) && (s = next_seat(w))) {
		const struct lh_hit *hit = &s->hit[s->at];
		struct result f = { .seat = s, .number = hit->row, .distance = hit->distance };
		int got = lh_index_row(s->open->ix, hit->row, &f.row, err);

		if (got <= 0)
			return got < 0 ? at_corpus(s, err) :
				damaged_row(s, hit->row, "found, but not there", err);
		if (hybrid) {
			f.score = s->fused[s->at].score;
			f.by_words = s->fused[s->at].by_words;
		}
		s->at++;
		if (w->run->set->divided && !w->run->set->passages && is_repeated(w, &f))
			continue;
		s->taken += is_near(w, f.distance);
		near += is_near(w, f.distance);
		lh_grow(&w->found, &w->cap_found, w->n_found + 1, sizeof *w->found);
		w->found[w->n_found++] = f;
	}
	return 0;
}

/* Leave out the results that are too far, and those after the first k. */
static void cut(struct worker *w)
{
	size_t i, n = 0;

	for (i = 0; i < w->n_found && n < w->reader.q.k; i++)
		if (is_near(w, w->found[i].distance))
			w->found[n++] = w->found[i];
	w->n_found = n;
}

/* Leave the results of the page that is asked for. */
static void cut_page(struct worker *w)
{
	const struct query *q = &w->reader.q;
	size_t i, n = 0;

	for (i = 0; i < w->n_found && i < q->wanted; i++)
		if ((w->run->reranker ? w->found[i].rerank : w->found[i].score) >= q->min_score)
			w->found[n++] = w->found[i];
	w->n_found = n > q->offset ? n - q->offset : 0;
	if (w->n_found && q->offset)
		memmove(w->found, w->found + q->offset, w->n_found * sizeof *w->found);
	count_playbook(w);
}

static int search_chosen(struct worker *w, struct lh_err *err)
{
	const struct query *q = &w->reader.q;
	size_t i;

	for (i = 0; i < w->n_chosen; i++)
		if (set_vector(w, w->chosen[i], err) < 0)
			return -1;
	if (!q->k || !q->per_corpus_k)
		return 0;
	for (i = 0; i < w->n_chosen; i++)
		if (search_one(w, w->chosen[i], err) < 0)
			return -1;
	if (w->run->set->matched && !w->matched)
		return 0;
	if (merge(w, err) < 0 || (q->use_playbook && use_playbook(w, err) < 0))
		return -1;
	cut(w);
	if (w->run->set->reader && reread(w, err) < 0)
		return -1;
	if (w->run->reranker && rerank(w, err) < 0)
		return -1;
	cut_page(w);
	return 0;
}

int on_query(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	const struct settings *set = w->run->set;

	w->query++;
	w->dropped = w->boosted = w->injected = 0;
	w->looked = w->matched = false;
	w->n_found = w->n_chosen = w->n_liked = 0;
	w->asked = NULL;
	/* The scope is compiled before anything is looked up by it: until then it is that of the
	 * query before. */
	if (query_read(&w->reader, rec, set, err) < 0 ||
	    lh_scope_compile(&w->scope, &w->reader.q.scope, err) < 0)
		return -1;
	limits_begin(w);
	if (choose_all(w, err) < 0 || use_liked(w, err) < 0)
		return -1;
	leave_out(w);
	if (set->auto_role)
		find_sought(w);
	if (use_filter(w, err) < 0 || check_keys(w, err) < 0 || search_chosen(w, err) < 0)
		return -1;
	if (w->limits.reached)
		lh_tool_verdict_bad(w->run->tool);
	if (w->run->decisions && w->reader.q.use_playbook && decide(w, err) < 0)
		return -1;
	if (set->attribute)
		note_used(w);
	if (set->wire)
		return print_wire(w, out, err);
	if (set->shown) {
		print_shown(w, out);
		return 0;
	}
	return set->flat ? print_flat(w, out, err) : print_record(w, rec, out, err);
}
