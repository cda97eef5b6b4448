/* limits.c - the limits of a query, and what its search did.  See search.h. */
#include "search.h"

#include "base/time.h"

#include "json/write.h"

void limits_begin(struct worker *w)
{
	const struct settings *set = w->run->set;
	const struct query *q = &w->reader.q;
	double seconds = (double)q->timeout_ms / 1e3;

	w->limits = (struct limits){ .rows = q->budget };
	if (set->budget && set->budget < q->budget)
		w->limits.rows = set->budget;
	if (set->timeout && (!seconds || set->timeout < seconds))
		seconds = set->timeout;
	if (seconds)
		w->limits.deadline_ns = (int64_t)((lh_time_monotonic() + seconds) * 1e9);
}

bool limits_late(struct limits *l)
{
	bool late = l->deadline_ns && lh_time_monotonic() * 1e9 >= (double)l->deadline_ns;

	l->reached |= late;
	return late;
}

bool limits_reached(struct limits *l)
{
	l->reached |= !l->rows;
	return !l->rows || limits_late(l);
}

void limits_spend(struct limits *l, uint64_t rows)
{
	if (l->rows != UINT64_MAX)
		l->rows -= rows < l->rows ? rows : l->rows;
}

static void add_work(struct lh_search_work *sum, const struct lh_search_work *w)
{
	sum->ef = w->ef > sum->ef ? w->ef : sum->ef;
	sum->restarts += w->restarts;
	sum->walked += w->walked;
	sum->measured += w->measured;
	sum->bytes_read += w->bytes_read;
	sum->filter_scanned |= w->filter_scanned;
	/* After a restart all records that match were measured. */
	sum->filter_walked |= w->filter_walked && !w->filter_scanned;
}

long limits_search(struct worker *w, struct corpus_search *s, struct lh_query *q,
		   struct lh_hit *hit, struct lh_err *err)
{
	long n;

	if (lh_index_rows(s->open->ix) && limits_reached(&w->limits))
		return 0;
	q->budget = w->limits.rows == UINT64_MAX ? 0 : w->limits.rows;
	q->deadline_ns = w->limits.deadline_ns;
	n = lh_index_search(s->searcher, q, hit, err);
	w->limits.reached |= n >= 0 && q->truncated;
	limits_spend(&w->limits, q->work.measured);
	add_work(&s->work, &q->work);
	return n;
}

static void print_work(const struct corpus_search *s, bool several, struct lh_writer *to)
{
	const struct lh_search_work *work = &s->work;

	lh_write_object(to, several ? NULL : "explain");
	if (several)
		lh_write_text(to, "corpus", s->name->text);
	lh_write_text(to, "layout", LH_INDEX_LAYOUT);
	lh_write_u64(to, "ef", work->ef);
	lh_write_u64(to, "walked", work->walked);
	lh_write_u64(to, "measured", work->measured);
	if (work->filter_walked || work->filter_scanned)
		lh_write_text(to, "filter", work->filter_walked ? "walked" : "scanned");
	lh_write_u64(to, "restarts", work->restarts);
	lh_write_u64(to, "bytes_read", work->bytes_read);
	lh_write_end(to);
}

void print_explain(const struct worker *w, struct lh_writer *to)
{
	const struct query *q = &w->reader.q;
	const struct corpus_search *playbook = w->asked;
	size_t i;
	bool several;

	if ((!w->run->set->explain && q->explain.type != LH_TRUE) || w->scope)
		return;
	if (playbook && playbook->query == w->query)
		playbook = NULL;	/* it is one of the corpora */
	several = playbook || w->n_chosen != 1;
	if (several)
		lh_write_array(to, "explain");
	for (i = 0; i < w->n_chosen; i++)
		print_work(w->chosen[i], several, to);
	if (playbook)
		print_work(playbook, several, to);
	if (several)
		lh_write_end(to);
}
