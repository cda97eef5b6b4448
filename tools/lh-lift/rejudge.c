/* rejudge.c - judge the results of a stored run again, without a search.  See lift.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "lift.h"

struct corpus {
	struct lh_str name;
	struct lh_index *ix;
};

struct rejudge {
	struct lift *l;
	struct corpus *corpus;
	size_t n;
	struct demand demand;
	struct chat chat;
	struct hits cold, warm;
	struct lh_record scan;
	struct lh_buf meta, strings, scratch;
};

/* What a line of the run says of it; the judge has no part in it but for the scores. */
struct stored {
	struct lh_value cold, warm, id, words, change, run;
	struct lh_value gated, refused;		/* p NULL: without --least-score */
	int64_t best;		/* from 1; 0: none */
	bool discovery, lifted, open_gate;
	uint64_t boosted, injected, bleed;
};
static const struct lh_bind stored_members[] = {
	{ LH_BIND_ARRAY("cold", struct stored, cold), .required = true },
	{ LH_BIND_ARRAY("warm", struct stored, warm), .required = true },
	{ LH_BIND_SOME("playbook_id", struct stored, id), .required = true, .null = true },
	{ LH_BIND_SOME("distance_change", struct stored, change), .required = true, .null = true },
	{ LH_BIND_ARRAY("paraphrases", struct stored, words), .required = true },
	{ LH_BIND_I64("best", struct stored, best, 1, INT64_MAX) },
	{ LH_BIND_BOOL("discovery", struct stored, discovery), .required = true },
	{ LH_BIND_BOOL("lifted", struct stored, lifted), .required = true },
	{ LH_BIND_BOOL("open_gate", struct stored, open_gate), .required = true },
	{ LH_BIND_U64("boosted", struct stored, boosted, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("injected", struct stored, injected, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("bleed", struct stored, bleed, 0, INT64_MAX), .required = true },
	{ LH_BIND_SOME("gated", struct stored, gated) },
	{ LH_BIND_SOME("refused", struct stored, refused) },
	{ LH_BIND_VALUE("run", struct stored, run, LH_BIND_IS(LH_STRING)) },
	LH_BIND_END
};
struct line {
	struct stored lift;
};
static const struct lh_bind line_members[] = {
	{ LH_BIND_TABLE("lift", struct line, lift, stored_members), .required = true },
	LH_BIND_END
};
struct words {
	bool held;
};
static const struct lh_bind words_members[] = {
	{ LH_BIND_BOOL("held", struct words, held), .required = true },
	LH_BIND_END
};

/* ---- the corpora ---- */

static void worker_free(void *arg)
{
	struct rejudge *r = arg;

	while (r->n)
		lh_index_close(r->corpus[--r->n].ix);
	free(r->corpus);
	demand_free(&r->demand);
	chat_free(&r->chat);
	free(r->cold.v);
	free(r->warm.v);
	lh_record_free(&r->scan);
	lh_buf_free(&r->meta);
	lh_buf_free(&r->strings);
	lh_buf_free(&r->scratch);
}

static int open_corpus(struct corpus *c, const char *operand, struct lh_err *err)
{
	const char *equals = strchr(operand, '=');
	bool named = equals && !lh_index_is_file(operand);
	const char *path = named ? equals + 1 : operand;

	c->name = named ? (struct lh_str){ operand, (size_t)(equals - operand) }
			: lh_index_name(path);
	c->ix = lh_index_open(path, err);
	return c->ix ? 0 : -1;
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct rejudge *r = context;
	const struct lh_tool *t = ((struct lift *)ctx)->tool;
	size_t i;

	r->l = ctx;
	chat_init(&r->chat, ctx);
	r->corpus = lh_calloc(t->n_operands, sizeof *r->corpus);
	for (i = 0; i < t->n_operands; i++, r->n++)
		if (open_corpus(&r->corpus[i], t->operands[i], err) < 0)
			return -1;
	return 0;
}

/* ---- what the judge needs ---- */

static int not_there(const struct hit *h, struct lh_err *err)
{
	return lh_err_set(err, LH_EDATA, "%.*s of corpus %.*s is not in the indexes",
			  (int)(h->id.n < 300 ? h->id.n : 300), h->id.p,
			  (int)(h->corpus.n < 300 ? h->corpus.n : 300), h->corpus.p);
}

/* Append the metadata of a hit. */
static int fetch(struct rejudge *r, struct hit *h, struct lh_err *err)
{
	struct lh_str corpus, id;
	struct lh_row row;
	int64_t at;
	size_t i;
	int live;

	lh_buf_reset(&r->strings);
	lh_buf_reset(&r->scratch);
	lh_value_str(&h->corpus, &r->strings, &corpus);
	lh_value_str(&h->id, &r->scratch, &id);
	for (i = 0; i < r->n && lh_str_cmp(r->corpus[i].name, corpus) != 0; i++)
		;
	at = i < r->n ? lh_index_find(r->corpus[i].ix, id.p, id.n, err) : -1;
	if (at < 0)
		return at == -1 ? not_there(h, err) : -1;
	live = lh_index_row(r->corpus[i].ix, (uint64_t)at, &row, err);
	if (live <= 0)
		return live ? -1 : not_there(h, err);
	h->metadata.n = row.meta.n;
	lh_buf_add(&r->meta, row.meta.p, row.meta.n);
	return 0;
}

/* Parse the metadata of hits, which begins at *from. */
static int parse(struct rejudge *r, struct hits *h, size_t *from, struct lh_err *err)
{
	size_t i, n;

	for (i = 0; i < h->n; i++, *from += n) {
		n = h->v[i].metadata.n;
		if (n && lh_json_parse(&r->scan, r->meta.p + *from, n, &h->v[i].metadata, err) < 0)
			return -1;
	}
	return 0;
}

static int fetch_all(struct rejudge *r, struct lh_err *err)
{
	size_t i, from = 0;

	lh_buf_reset(&r->meta);
	for (i = 0; i < r->cold.n; i++)
		if (fetch(r, &r->cold.v[i], err) < 0)
			return -1;
	for (i = 0; i < r->warm.n; i++)
		if (fetch(r, &r->warm.v[i], err) < 0)
			return -1;
	return parse(r, &r->cold, &from, err) < 0 ? -1 : parse(r, &r->warm, &from, err);
}

/* Score all results; one that is in both passes is judged once. */
static int judge(struct rejudge *r, struct lh_err *err)
{
	size_t i;

	if (!r->l->judge_model)
		return judge_hits(&r->demand, &r->cold, &r->scratch, err) < 0 ? -1 :
			judge_hits(&r->demand, &r->warm, &r->scratch, err);
	if (chat_judge(&r->chat, &r->demand, &r->cold, err) < 0)
		return -1;
	score_hits(&r->warm, &r->cold);
	for (i = 0; i < r->warm.n; i++) {
		struct hits one = { &r->warm.v[i], 1, 1 };

		if (one.v->score < 0 && chat_judge(&r->chat, &r->demand, &one, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- a line ---- */

static int read_hits(struct hits *h, const struct lh_value *list, const char *name,
		     struct lh_err *err)
{
	if (hits_read(h, list, false, err) == 0)
		return 0;
	return err->code == LH_EIO ?
		lh_err_set(err, LH_EDATA, "%s has something else than results", name) : -1;
}

static int read_line(struct rejudge *r, struct lh_record *rec, struct stored *s,
		     struct lh_err *err)
{
	struct line line = { .lift.best = 0 };

	if (lh_bind(line_members, rec, &line, NULL, err) < 0 ||
	    demand_read(&r->demand, rec, err) < 0 ||
	    (!r->l->judge_model && judge_needs(&r->demand, err) < 0) ||
	    read_hits(&r->cold, &line.lift.cold, "lift.cold", err) < 0 ||
	    read_hits(&r->warm, &line.lift.warm, "lift.warm", err) < 0)
		return -1;
	*s = line.lift;
	if ((uint64_t)s->best > r->cold.n)
		return lh_err_set(err, LH_EDATA, "lift.best is not a rank of lift.cold");
	return 0;
}

static int weigh(const struct rejudge *r, const struct stored *s, size_t best, struct outcome *o,
		 struct lh_err *err)
{
	const struct hits *cold = &r->cold, *warm = &r->warm;
	struct lh_str style = lh_utf8_head(r->demand.style, STYLE_LEN - 1);
	struct lh_iter it;

	*o = (struct outcome){
		.answered = cold->n && warm->n, .discovery = s->discovery, .lifted = s->lifted,
		.open_gate = s->open_gate, .boosted = s->boosted, .injected = s->injected,
		.bleed = s->bleed, .agreed = best == (size_t)s->best,
		.cold_score = cold->n ? cold->v[0].score : -1,
		.warm_score = warm->n ? warm->v[0].score : -1 };
	if (o->answered) {
		o->displaced = o->discovery && !o->lifted && warm->v[0].playbook.p;
		o->worse = o->displaced && s->best && o->warm_score < cold->v[s->best - 1].score;
		o->change = lh_value_f64(&warm->v[0].distance) - lh_value_f64(&cold->v[0].distance);
	}
	if (style.n)
		memcpy(o->style, style.p, style.n);
	for (lh_iter_init(&it, &s->words); lh_iter_next(&it); o->reworded++) {
		struct words words = { false };

		if (lh_bind_value(words_members, &it.val, &words, NULL, err) < 0)
			return lh_err_prefix(err, "lift.paraphrases");
		o->held += words.held;
	}
	return 0;
}

static void put_line(struct lh_buf *out, const struct rejudge *r, const struct lh_record *rec,
		     const struct stored *s, size_t best)
{
	struct lh_writer to = lh_write_record(out, rec, (const char *[]){ "lift" }, 1);

	lh_write_object(&to, "lift");
	hits_write(&to, "cold", &r->cold);
	write_rank(&to, "best", (size_t)s->best);
	lh_write_bool(&to, "discovery", s->discovery);
	lh_write_value(&to, "playbook_id", &s->id);
	hits_write(&to, "warm", &r->warm);
	lh_write_bool(&to, "lifted", s->lifted);
	lh_write_u64(&to, "boosted", s->boosted);
	lh_write_u64(&to, "injected", s->injected);
	if (s->gated.p)
		lh_write_value(&to, "gated", &s->gated);
	if (s->refused.p)
		lh_write_value(&to, "refused", &s->refused);
	lh_write_bool(&to, "open_gate", s->open_gate);
	lh_write_u64(&to, "bleed", s->bleed);
	lh_write_value(&to, "distance_change", &s->change);
	lh_write_value(&to, "paraphrases", &s->words);
	lh_write_text(&to, "run", r->l->run);
	if (s->run.p)
		lh_write_value(&to, "rejudged_run", &s->run);
	else
		lh_write_null(&to, "rejudged_run");
	write_rank(&to, "rejudged_best", best);
	lh_write_end(&to);
	lh_write_end(&to);
	lh_buf_putc(out, '\n');
}

static int rejudge(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		   struct lh_err *err)
{
	struct compared *c = result;
	struct rejudge *r = context;
	size_t start = out->len, best;
	struct stored s;

	if (lh_record_get(rec, "summary") && !lh_record_get(rec, "lift"))
		return 0;
	if (read_line(r, rec, &s, err) < 0 || fetch_all(r, err) < 0 || judge(r, err) < 0)
		return -1;
	best = r->cold.n ? hits_best(&r->cold) + 1 : 0;
	if (weigh(r, &s, best, &c->o, err) < 0)
		return -1;
	if (r->l->report_path && s.best && s.discovery && !s.lifted)
		report_row(out, &r->demand, &r->cold.v[s.best - 1], &r->warm);
	c->row = out->len - start;
	put_line(out, r, rec, &s, best);
	return 1;
}

int rejudge_pass(struct lift *l)
{
	return lh_records_run(l->tool, &(struct lh_flow){
		.fill = rejudge, .result_size = sizeof(struct compared), .sink = on_compared,
		.shared = l, .one_by_one = true, .reject_net = true, .tombstones = true,
		.files = (char **)&l->rejudge, .n_files = 1,
		.context_size = sizeof(struct rejudge), .context_init = worker_init,
		.context_free = worker_free });
}
