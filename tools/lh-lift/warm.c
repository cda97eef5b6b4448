/* warm.c - the second pass: search with the playbook, and compare.  See lift.h. */
#include <stdlib.h>

#include "base/utf8.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "staffing/staffing.h"
#include "lift.h"

#define CHANGED "the file between the passes was changed"
#define MAX_LINE (UINT64_C(3) << 30)

struct warm {
	struct lift *l;
	struct search search;
	struct demand demand;
	struct chat chat;
	struct book book;
	struct hits cold;
	struct lh_buf scratch, row;
};

static void worker_free(void *arg)
{
	struct warm *w = arg;

	search_free(&w->search);
	demand_free(&w->demand);
	chat_free(&w->chat);
	book_free(&w->book);
	free(w->cold.v);
	lh_buf_free(&w->scratch);
	lh_buf_free(&w->row);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct warm *w = context;

	w->l = ctx;
	chat_init(&w->chat, ctx);
	w->book.path = w->l->book;
	return search_start(&w->search, w->l, true, err);
}

struct found {		/* by the first pass */
	struct lh_value cold, id, words;
	int64_t best;	/* -1: none */
};

/* ---- bleed ---- */

/* Count the hits that an entry about another role has moved. */
static int count_bleed(struct warm *w, uint64_t *n, struct lh_err *err)
{
	const struct hits *h = &w->search.hits;
	const struct lh_str *role = &w->demand.role;
	struct lh_str other;
	size_t i;

	*n = 0;
	for (i = 0; i < h->n && role->n; i++) {
		if (!h->v[i].playbook.p)
			continue;
		if (book_role(&w->book, &h->v[i], &other, err) < 0)
			return -1;
		*n += other.n && !lh_role_same(role->p, role->n, other.p, other.n);
	}
	return 0;
}

/* ---- a query ---- */

/* A model is not asked again. */
void score_hits(struct hits *warm, const struct hits *cold)
{
	size_t i, j;

	for (i = 0; i < warm->n; i++)
		for (j = 0; j < cold->n && warm->v[i].score < 0; j++)
			if (hit_same(&warm->v[i], &cold->v[j]))
				warm->v[i].score = cold->v[j].score;
}

static int weigh(struct warm *w, const struct found *f, struct outcome *o, struct lh_err *err)
{
	const int64_t best = f->best;
	const struct hits *cold = &w->cold, *warm = &w->search.hits;
	struct lh_str style;

	o->boosted = w->search.boosted;
	o->injected = w->search.injected;
	o->open_gate = !w->search.has_role;
	o->discovery = f->id.type == LH_STRING;
	o->gated = best > 0 && !o->discovery;
	o->answered = cold->n && warm->n;
	o->cold_score = cold->n ? cold->v[0].score : -1;
	o->warm_score = warm->n ? warm->v[0].score : -1;
	if (o->answered) {
		o->lifted = o->discovery && hit_same(&warm->v[0], &cold->v[best]);
		o->displaced = o->discovery && !o->lifted && warm->v[0].playbook.p;
		o->worse =
			o->displaced && o->warm_score >= 0 && o->warm_score < cold->v[best].score;
		o->change = lh_value_f64(&warm->v[0].distance) - lh_value_f64(&cold->v[0].distance);
	}
	style = lh_utf8_head(w->demand.style, STYLE_LEN - 1);
	if (style.n)
		memcpy(o->style, style.p, style.n);
	return count_bleed(w, &o->bleed, err);
}

/* Write all of "lift" but the other wordings. */
static void put_lift(struct lh_writer *to, const struct warm *w, const struct found *f,
		     const struct outcome *o)
{
	hits_write(to, "cold", &w->cold);
	write_rank(to, "best", (size_t)(f->best + 1));
	lh_write_bool(to, "discovery", o->discovery);
	lh_write_value(to, "playbook_id", &f->id);
	hits_write(to, "warm", &w->search.hits);
	lh_write_bool(to, "lifted", o->lifted);
	lh_write_u64(to, "boosted", o->boosted);
	lh_write_u64(to, "injected", o->injected);
	if (w->l->least > 0) {
		lh_write_bool(to, "gated", o->gated);
		lh_write_u64(to, "refused", o->refused);
	}
	lh_write_bool(to, "open_gate", o->open_gate);
	lh_write_u64(to, "bleed", o->bleed);
	if (o->answered)
		lh_write_f32(to, "distance_change", (float)o->change);
	else
		lh_write_null(to, "distance_change");
}

/* Search by the other wordings; the hits left are those of the last one. */
static int ask_reworded(struct warm *w, const struct lh_value *words, const struct hit *answer,
			struct lh_writer *to, struct outcome *o, struct lh_err *err)
{
	const struct hits *h = &w->search.hits;
	struct lh_iter it;
	bool held;

	lh_write_array(to, "paraphrases");
	for (lh_iter_init(&it, words); lh_iter_next(&it); o->reworded++) {
		if (search_ask(&w->search, w->demand.rec, true, &it.val, err) < 0)
			return -1;
		held = h->n && hit_same(&h->v[0], answer);
		o->held += held;
		lh_write_object(to, NULL);
		lh_write_value(to, "query_text", &it.val);
		lh_write_bool(to, "held", held);
		lh_write_end(to);
	}
	lh_write_end(to);
	return 0;
}

/* Leave out the injected hits that the judge scores too low, or not at all; a model is asked for
 * those that it has not scored. */
static int refuse_injected(struct warm *w, struct outcome *o, struct lh_err *err)
{
	struct hits *h = &w->search.hits;
	size_t i, n = 0;

	for (i = 0; i < h->n; i++) {
		struct hits one = { &h->v[i], 1, 1 };
		struct moved by;

		if (hit_moved(one.v, &by, err) < 0 ||
		    (by.injected && one.v->score < 0 &&
		     chat_judge(&w->chat, &w->demand, &one, err) < 0 && err->code != LH_EDATA))
			return -1;
		if (by.injected && one.v->score < w->l->least) {
			o->refused++;
			w->search.injected--;
		} else {
			h->v[n++] = h->v[i];
		}
	}
	h->n = n;
	return 0;
}

static int judge_warm(struct warm *w, struct outcome *o, struct lh_err *err)
{
	memset(o, 0, sizeof *o);
	if (w->l->judge_model)
		score_hits(&w->search.hits, &w->cold);
	else if (judge_hits(&w->demand, &w->search.hits, &w->scratch, err) < 0)
		return -1;
	return w->l->least > 0 ? refuse_injected(w, o, err) : 0;
}

static const struct lh_bind found_members[] = {
	{ LH_BIND_ARRAY("cold", struct found, cold), .required = true },
	{ LH_BIND_SOME("playbook_id", struct found, id), .required = true, .null = true },
	{ LH_BIND_I64("best", struct found, best, 0, INT64_MAX) },
	{ LH_BIND_ARRAY("paraphrases", struct found, words), .required = true },
	LH_BIND_END
};
struct line {
	struct found lift;
};
static const struct lh_bind line_members[] = {
	{ LH_BIND_TABLE("lift", struct line, lift, found_members), .required = true },
	LH_BIND_END
};

static int read_found(const struct lh_record *rec, struct found *f, struct lh_err *err)
{
	struct line line = { .lift = { .best = -1 } };

	if (lh_bind(line_members, rec, &line, NULL, err) < 0)
		return lh_err_set(err, LH_ECORRUPT, CHANGED);
	*f = line.lift;
	return 0;
}

/* Append what came of a query to the log of decisions; lh-search and lh-playbook append theirs. */
static int decide(struct warm *w, const struct outcome *o, struct lh_err *err)
{
	const struct hits *h = &w->search.hits;
	struct lh_writer to;
	size_t i;

	if (!w->l->decisions)
		return 0;
	to = lh_decision_begin(&w->row, w->l->decisions, &(struct lh_decision){
		.asked = w->demand.text, .playbook = lh_index_name(w->l->book),
		.verdict = o->lifted ? "lifted" : o->worse ? "worse" : o->displaced ? "displaced"
			 : o->discovery ? "not_lifted" : "no_discovery" });
	lh_write_array(&to, "indexes");
	lh_write_end(&to);
	lh_write_array(&to, "ids");
	for (i = 0; i < h->n; i++) {
		lh_write_object(&to, NULL);
		lh_write_value(&to, "id", &h->v[i].id);
		lh_write_value(&to, "corpus", &h->v[i].corpus);
		if (h->v[i].score >= 0)
			lh_write_f64(&to, "score", h->v[i].score);
		lh_write_end(&to);
	}
	lh_write_end(&to);
	return lh_decision_end(&to, w->l->decisions, err);
}

static int compare(struct lh_record *rec, void *result, struct lh_buf *out, void *worker,
		   struct lh_err *err)
{
	struct compared *c = result;
	struct outcome *o = &c->o;
	struct warm *w = worker;
	size_t start = out->len;
	struct lh_writer to;
	struct found f;

	if (read_found(rec, &f, err) < 0 || demand_read(&w->demand, rec, err) < 0 ||
	    hits_read(&w->cold, &f.cold, true, err) < 0)
		return -1;
	if (f.best >= 0 && (uint64_t)f.best >= w->cold.n)
		return lh_err_set(err, LH_ECORRUPT, CHANGED);
	if (search_ask(&w->search, rec, true, NULL, err) < 0 || judge_warm(w, o, err) < 0 ||
	    weigh(w, &f, o, err) < 0 || decide(w, o, err) < 0)
		return -1;
	if (w->l->report_path && o->discovery && !o->lifted)
		report_row(out, &w->demand, &w->cold.v[f.best], &w->search.hits);
	c->row = out->len - start;
	to = lh_write_record(out, rec, (const char *[]){ "lift" }, 1);
	lh_write_object(&to, "lift");
	put_lift(&to, w, &f, o);
	if (ask_reworded(w, &f.words, o->discovery ? &w->cold.v[f.best] : NULL, &to, o, err) < 0)
		return -1;
	lh_write_text(&to, "run", w->l->run);
	lh_write_end(&to);
	lh_write_end(&to);
	lh_buf_putc(out, '\n');
	return 1;
}

int on_compared(const struct lh_output *output, void *ctx, struct lh_err *err)
{
	const struct compared *c = output->result;
	struct lift *l = ctx;

	if (lh_decisions_sync(l->decisions, err) < 0)
		return -1;
	tally_add(l, &c->o);
	if (c->row && l->n_unlifted++ < REPORTED)
		lh_buf_add(&l->unlifted, output->text, c->row);
	return lh_tool_out(l->tool, output->text + c->row, output->n - c->row);
}

/* A failure to answer what the first pass got an answer for is not the fault of the
 * query. */
static int on_rejected(void *lift, const struct lh_rejection *r, struct lh_err *err)
{
	(void)lift;
	return lh_err_set(err, LH_EIO, "%s", r->why);
}

int warm_pass(struct lift *l)
{
	static const struct lh_flow_hooks hooks = { .rejected = on_rejected };
	struct lh_flow flow = {
		.fill = compare, .result_size = sizeof(struct compared), .sink = on_compared,
		.shared = l, .jobs = l->tool->jobs, .max_line = MAX_LINE,
		.hooks = &hooks, .stop_at_reject = true,
		.context_size = sizeof(struct warm), .context_init = worker_init,
		.context_free = worker_free,
	};

	return lh_flow_file(l->spool_path, &flow, &l->tool->err);
}
