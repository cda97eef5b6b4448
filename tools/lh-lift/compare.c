/*
 * compare.c - the two passes: the first searches, judges and records the best answers, the second
 * searches with the playbook, and is compared with the first.  See lift.h.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "file/file.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "lift.h"
#include "memory/playbook.h"
#include "staffing/staffing.h"

/* seconds: other processes may record and compact, for as long as that takes */
#define PATIENCE 86400
#define SPOOL ((size_t)1 << 20)	/* bytes written at a time */

struct cold {
	struct lift *l;
	struct search search;
	struct demand demand;
	struct judge judge;
	struct lh_buf scratch, corpus;
};

static void worker_free(void *arg)
{
	struct cold *c = arg;

	search_free(&c->search);
	demand_free(&c->demand);
	judge_free(&c->judge);
	lh_buf_free(&c->scratch);
	lh_buf_free(&c->corpus);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct cold *c = context;

	c->l = ctx;
	judge_init(&c->judge, ctx);
	return search_start(&c->search, c->l, false, err);
}

/* ---- a query ---- */

static void put_entry(struct lh_buf *out, const struct cold *c, const struct hit *best)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_value(&w, "query_text", &c->demand.text_json);
	lh_write_value(&w, "answer_id", &best->id);
	lh_write_value(&w, "answer_corpus", &best->corpus);
	lh_write_f64(&w, "score", best->score);
	if (c->demand.role.n) {
		lh_write_array(&w, "tags");
		lh_write_value(&w, NULL, &c->demand.role_json);
		lh_write_end(&w);
		lh_write_value(&w, "role", &c->demand.role_json);
	}
	lh_write_end(&w);
}

/* Write the id that the entry will have, and other wordings to ask for it. */
static void put_found(struct lh_writer *w, struct cold *c, const struct hit *best)
{
	struct lh_playbook_entry e = { .query_text = c->demand.text };
	char id[LH_PLAYBOOK_ID_LEN];

	lh_buf_reset(&c->scratch);
	lh_buf_reset(&c->corpus);
	lh_value_str(&best->id, &c->scratch, &e.answer_id);
	lh_value_str(&best->corpus, &c->corpus, &e.answer_corpus);
	lh_playbook_id(&e, id);
	lh_write_str(w, "playbook_id", (struct lh_str){ id, sizeof id });
	reword(w, "paraphrases", &c->demand, c->l->reword);
}

static int search_and_judge(struct cold *c, struct lh_record *rec, struct lh_err *err)
{
	return demand_read(&c->demand, rec, err) < 0 ||
	       judge_needs(&c->judge, &c->demand, err) < 0 ||
	       search_ask(&c->search, rec, false, NULL, err) < 0 ||
	       judge_hits(&c->judge, &c->demand, &c->search.hits, err) < 0 ? -1 : 0;
}

/* Make the line for the second pass, the query and its findings, and, for a discovery, the
 * entry after it.  The result is the length of the line. */
static int search_cold(struct lh_record *rec, void *line, struct lh_buf *out, void *context,
		       struct lh_err *err)
{
	struct cold *c = context;
	const struct hits *h = &c->search.hits;
	size_t start = out->len, best;
	struct lh_writer w;
	bool record;

	if (search_and_judge(c, rec, err) < 0)
		return -1;
	best = hits_best(h);
	record = best && h->v[best].score >= c->l->least;
	w = lh_write_record(out, rec, (const char *[]){ "lift" }, 1);
	lh_write_object(&w, "lift");
	hits_write(&w, "cold", h);
	write_rank(&w, "best", h->n ? best + 1 : 0);
	if (!record) {
		lh_write_null(&w, "playbook_id");
		lh_write_array(&w, "paraphrases");
		lh_write_end(&w);
	} else {
		put_found(&w, c, &h->v[best]);
	}
	lh_write_end(&w);
	lh_write_end(&w);
	*(size_t *)line = out->len - start;
	if (record)
		put_entry(out, c, &h->v[best]);
	return 1;
}

/* ---- findings, in order ---- */

static int start_recorder(struct lift *l, struct lh_err *err)
{
	const struct lh_tool *t = l->tool;
	char jobs[24];
	char *argv[20] = { "lh-playbook", "record", "-q", "--max-line", "2G",
			   "--max-members", "1000000000", "-j", jobs };
	size_t n = 9;

	/* Several threads would build a graph that is not reproducible. */
	snprintf(jobs, sizeof jobs, "%llu", t->now ? 1 : (unsigned long long)t->jobs);
	if (t->now) {
		argv[n++] = "--now";
		argv[n++] = (char *)t->now;
	}
	n = decide_options(l, argv, n, false);
	argv[n++] = "--";
	argv[n++] = l->book;
	return lh_coproc_start(&l->recorder, argv, LH_KEYS_OLLAMA | LH_KEYS_OPENAI, err);
}

static int record(struct lift *l, const char *entry, size_t n, struct lh_err *err)
{
	struct lh_str reply;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	int rc;

	if (!l->recorder.pid && start_recorder(l, err) < 0)
		return -1;
	if (lh_coproc_ask(&l->recorder, entry, n, PATIENCE, &reply, err) < 0)
		return -1;
	rc = lh_record_parse(&rec, reply.p, reply.n, err);
	if (rc == 0 && !lh_record_get(&rec, "playbook_id"))
		rc = lh_err_set(err, LH_EDATA, "lh-playbook: %.*s",
				(int)(reply.n < 900 ? reply.n : 900), reply.p);
	return rc;
}

static int write_spool(struct lift *l, size_t least, struct lh_err *err)
{
	int rc = 0;

	if (l->spool.len >= least) {
		rc = lh_write_all(l->spool_fd, l->spool.p, l->spool.len, err);
		if (rc < 0)
			lh_err_prefix(err, "%s", l->spool_path);
		lh_buf_reset(&l->spool);
	}
	return rc;
}

static int on_found(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const size_t *line = o->result;
	struct lift *l = ctx;

	if (o->n > *line && record(l, o->text + *line, o->n - *line, err) < 0)
		return -1;
	lh_buf_add(&l->spool, o->text, *line);
	lh_buf_putc(&l->spool, '\n');
	return write_spool(l, SPOOL, err);
}

int cold_pass(struct lift *l)
{
	struct lh_err *err = &l->tool->err, other;
	int rc;

	l->spool_fd =
		open(l->spool_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (l->spool_fd < 0)
		return lh_err_sys(err, "%s: cannot create", l->spool_path);
	rc = lh_records_run(l->tool, &(struct lh_flow){
		.fill = search_cold, .result_size = sizeof(size_t), .sink = on_found, .shared = l,
		.one_by_one = true, .reject_net = true,
		.files = l->tool->operands + l->tool->n_operands, .n_files = 0,
		.context_size = sizeof(struct cold), .context_init = worker_init,
		.context_free = worker_free });
	if (lh_coproc_stop(&l->recorder, rc < 0 ? &other : err) < 0)
		rc = -1;
	if (rc == 0)
		rc = write_spool(l, 0, err);
	if (close(l->spool_fd) < 0 && rc == 0)
		rc = lh_err_sys(err, "%s: close failed", l->spool_path);
	return rc;
}

#define CHANGED "the file between the passes was changed"
#define MAX_LINE (UINT64_C(3) << 30)

/* A query whose results are compared, and what that needs. */
struct pass {
	struct lift *l;
	struct demand demand;
	struct judge judge;
	struct hits cold;
	struct search search;		/* of the second pass, with its hits */
	struct book {
		struct lh_index *ix;	/* NULL: not needed yet */
		const char *path;
		struct lh_record entry;
		struct lh_buf line, strings;
	} book;
	struct lh_buf row;
};

/* The result of a query; its text is the row of the report, if any, and the line to print. */
struct compared {
	struct tally o;
	size_t row;		/* bytes */
};

/* What a line says of the first pass. */
struct found {
	struct lh_value cold, id, words;
	int64_t best;		/* from 1; 0: none */
};
static const struct lh_bind found_members[] = {
	{ LH_BIND_ARRAY("cold", struct found, cold), .required = true },
	{ LH_BIND_SOME("playbook_id", struct found, id), .required = true, .null = true },
	{ LH_BIND_I64("best", struct found, best, 1, INT64_MAX) },
	{ LH_BIND_ARRAY("paraphrases", struct found, words), .required = true },
	LH_BIND_END
};
struct line {
	struct found lift;
};
static const struct lh_bind found_line[] = {
	{ LH_BIND_TABLE("lift", struct line, lift, found_members), .required = true },
	LH_BIND_END
};

static void pass_free(void *arg)
{
	struct pass *p = arg;

	search_free(&p->search);
	demand_free(&p->demand);
	judge_free(&p->judge);
	lh_index_close(p->book.ix);
	lh_record_free(&p->book.entry);
	lh_buf_free(&p->book.line);
	lh_buf_free(&p->book.strings);
	free(p->cold.v);
	lh_buf_free(&p->row);
}

/* ---- a query in both passes ---- */

/* Give the hits of the second pass the scores that they have in the first. */
static void score_again(struct pass *p)
{
	struct hits *h = &p->search.hits;
	size_t i, k;

	for (i = 0; i < h->n; i++)
		for (k = 0; k < p->cold.n && h->v[i].score < 0; k++)
			if (hit_same(&h->v[i], &p->cold.v[k]))
				h->v[i].score = p->cold.v[k].score;
}

/* Compare the first hits: o has whether it is a discovery and a lift.  best: that of the first
 * pass, from 1, or 0. */
static void weigh(const struct pass *p, size_t best, struct tally *o)
{
	const struct hits *cold = &p->cold, *warm = &p->search.hits;
	const double was = cold->n ? cold->v[0].score : -1, is = warm->n ? warm->v[0].score : -1;
	struct lh_str style = lh_utf8_head(p->demand.style, STYLE_LEN - 1);

	o->n[QUERIES] = 1;
	if (cold->n && warm->n) {
		o->n[ANSWERED] = 1;
		o->n[DISPLACED] = o->n[DISCOVERY] > 0 && !(o->n[LIFTED] > 0) &&
			warm->v[0].playbook.p;
		o->n[WORSE] = o->n[DISPLACED] > 0 && best && is >= 0 &&
			is < cold->v[best - 1].score;
		o->n[CHANGE] = lh_value_f64(&warm->v[0].distance) -
			lh_value_f64(&cold->v[0].distance);
	}
	if (was >= 0 && is >= 0) {
		o->n[SCORED] = 1;
		o->n[COLD_SCORE] = was;
		o->n[WARM_SCORE] = is;
	}
	if (style.n)
		memcpy(o->style, style.p, style.n);
}

/* Write all of "lift" but the other wordings and the run. */
static void put_lift(struct lh_writer *to, const struct pass *p, const struct found *f,
		     const struct tally *o)
{
	hits_write(to, "cold", &p->cold);
	write_rank(to, "best", (size_t)f->best);
	lh_write_bool(to, "discovery", o->n[DISCOVERY] > 0);
	lh_write_value(to, "playbook_id", &f->id);
	hits_write(to, "warm", &p->search.hits);
	lh_write_bool(to, "lifted", o->n[LIFTED] > 0);
	lh_write_u64(to, "boosted", (uint64_t)o->n[BOOSTED]);
	lh_write_u64(to, "injected", (uint64_t)o->n[INJECTED]);
	if (p->l->least > 0) {
		lh_write_bool(to, "gated", o->n[GATED] > 0);
		lh_write_u64(to, "refused", (uint64_t)o->n[REFUSED]);
	}
	lh_write_bool(to, "open_gate", o->n[OPEN_GATE] > 0);
	lh_write_u64(to, "bleed", (uint64_t)(o->n[BLEED] + o->n[BLEED_OPEN]));
	if (o->n[ANSWERED] > 0)
		lh_write_f32(to, "distance_change", (float)o->n[CHANGE]);
	else
		lh_write_null(to, "distance_change");
}

/* Begin the text of a result: a row of the report for a discovery without a lift, and the line. */
static struct lh_writer begin_line(const struct pass *p, const struct lh_record *rec,
				   const struct found *f, struct compared *c, struct lh_buf *out)
{
	size_t start = out->len;
	struct lh_writer to;

	if (p->l->report_path && f->best && c->o.n[DISCOVERY] > 0 && !(c->o.n[LIFTED] > 0))
		report_row(out, &p->demand, &p->cold.v[f->best - 1],
			   &p->search.hits);
	c->row = out->len - start;
	to = lh_write_record(out, rec, (const char *[]){ "lift" }, 1);
	lh_write_object(&to, "lift");
	return to;
}

/* Add it up, and print the line: the sink of a flow. */
static int on_compared(const struct lh_output *output, void *ctx, struct lh_err *err)
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

/* ---- the second pass ---- */

/* Return the role of the entry that moved the hit, in b until the next call; n = 0: it
 * has none, or no longer exists. */
static int role_of_entry(struct book *b, const struct hit *h, struct lh_str *role,
			 struct lh_err *err)
{
	struct lh_playbook_entry e;
	struct moved by;
	struct lh_row row;
	struct lh_str s;
	int64_t at;
	int live;

	*role = (struct lh_str){ NULL, 0 };
	if (hit_moved(h, &by, err) < 0)
		return -1;
	if (!by.id.p)
		return 0;
	lh_buf_reset(&b->strings);
	/* opened after a search answered by it, so that it has all that the search knew */
	if (!b->ix && !(b->ix = lh_index_open(b->path, err)))
		return -1;
	lh_value_str(&by.id, &b->strings, &s);
	at = lh_index_find(b->ix, s.p, s.n, err);
	if (at < 0)
		return at == -1 ? 0 : -1;
	live = lh_index_row(b->ix, (uint64_t)at, &row, err);
	if (live <= 0)
		return live;
	if (lh_playbook_read_row(&row, &b->entry, &b->line, &b->strings, &e, err) < 0)
		return lh_err_prefix(err, "%s: row %llu", b->path, (unsigned long long)at);
	*role = e.role;
	return 0;
}

/* Count the hits that an entry about another role has moved. */
static int count_bleed(struct pass *p, double *n, struct lh_err *err)
{
	const struct hits *h = &p->search.hits;
	const struct lh_str *role = &p->demand.role;
	struct lh_str other;
	size_t i;

	*n = 0;
	for (i = 0; i < h->n && role->n; i++) {
		if (!h->v[i].playbook.p)
			continue;
		if (role_of_entry(&p->book, &h->v[i], &other, err) < 0)
			return -1;
		*n += other.n && !lh_role_same(role->p, role->n, other.p, other.n);
	}
	return 0;
}

/* Search by the other wordings; the hits left are those of the last one. */
static int ask_reworded(struct pass *p, const struct lh_value *words, const struct hit *answer,
			struct lh_writer *to, struct tally *o, struct lh_err *err)
{
	const struct hits *h = &p->search.hits;
	struct lh_iter it;
	bool held;

	lh_write_array(to, "paraphrases");
	for (lh_iter_init(&it, words); lh_iter_next(&it); o->n[REWORDED]++) {
		if (search_ask(&p->search, p->demand.rec, true, &it.val, err) < 0)
			return -1;
		held = h->n && hit_same(&h->v[0], answer);
		o->n[HELD] += held;
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
static int refuse_injected(struct pass *p, struct tally *o, struct lh_err *err)
{
	struct hits *h = &p->search.hits;
	size_t i, n = 0;

	for (i = 0; i < h->n; i++) {
		struct hits one = { &h->v[i], 1, 1 };
		struct moved by;

		if (hit_moved(one.v, &by, err) < 0 ||
		    (by.injected && judge_hits(&p->judge, &p->demand, &one, err) < 0 &&
		     err->code != LH_EDATA))
			return -1;
		if (by.injected && one.v->score < p->l->least) {
			o->n[REFUSED]++;
			p->search.injected--;
		} else {
			h->v[n++] = h->v[i];
		}
	}
	h->n = n;
	return 0;
}

static int judge_warm(struct pass *p, struct tally *o, struct lh_err *err)
{
	score_again(p);		/* a model is not asked again */
	if (!p->l->judge_model && judge_hits(&p->judge, &p->demand, &p->search.hits, err) < 0)
		return -1;
	return p->l->least > 0 ? refuse_injected(p, o, err) : 0;
}

static int measure(struct pass *p, const struct found *f, struct tally *o, struct lh_err *err)
{
	const struct hits *warm = &p->search.hits;
	double bleed;

	o->n[BOOSTED] = (double)p->search.boosted;
	o->n[INJECTED] = (double)p->search.injected;
	o->n[OPEN_GATE] = !p->search.has_role;
	o->n[DISCOVERY] = f->id.type == LH_STRING;
	o->n[GATED] = f->best > 1 && f->id.type != LH_STRING;
	o->n[LIFTED] = o->n[DISCOVERY] > 0 && p->cold.n && warm->n &&
		hit_same(&warm->v[0], &p->cold.v[f->best - 1]);
	weigh(p, (size_t)f->best, o);
	if (count_bleed(p, &bleed, err) < 0)
		return -1;
	o->n[o->n[OPEN_GATE] > 0 ? BLEED_OPEN : BLEED] = bleed;
	return 0;
}

/* Append what came of a query to the log of decisions; lh-search and lh-playbook append theirs. */
static int decide(struct pass *p, const struct tally *o, struct lh_err *err)
{
	const struct hits *h = &p->search.hits;
	struct lh_writer to;
	size_t i;

	if (!p->l->decisions)
		return 0;
	to = lh_decision_begin(&p->row, p->l->decisions, &(struct lh_decision){
		.asked = p->demand.text, .playbook = lh_index_name(p->l->book),
		.verdict = o->n[LIFTED] > 0 ? "lifted" : o->n[WORSE] > 0 ? "worse"
			 : o->n[DISPLACED] > 0 ? "displaced"
			 : o->n[DISCOVERY] > 0 ? "not_lifted" : "no_discovery" });
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
	return lh_decision_end(&to, p->l->decisions, err);
}

static int read_found(struct pass *p, struct lh_record *rec, struct found *f, struct lh_err *err)
{
	struct line line = { .lift.best = 0 };

	if (lh_bind(found_line, rec, &line, NULL, err) < 0)
		return lh_err_set(err, LH_ECORRUPT, CHANGED);
	*f = line.lift;
	if (demand_read(&p->demand, rec, err) < 0 || hits_read(&p->cold, &f->cold, true, err) < 0)
		return -1;
	return (uint64_t)f->best > p->cold.n ? lh_err_set(err, LH_ECORRUPT, CHANGED) : 0;
}

static int compare(struct lh_record *rec, void *result, struct lh_buf *out, void *worker,
		   struct lh_err *err)
{
	struct compared *c = result;
	struct pass *p = worker;
	struct lh_writer to;
	struct found f;

	memset(&c->o, 0, sizeof c->o);
	if (read_found(p, rec, &f, err) < 0 || search_ask(&p->search, rec, true, NULL, err) < 0 ||
	    judge_warm(p, &c->o, err) < 0 || measure(p, &f, &c->o, err) < 0 ||
	    decide(p, &c->o, err) < 0)
		return -1;
	to = begin_line(p, rec, &f, c, out);
	put_lift(&to, p, &f, &c->o);
	if (ask_reworded(p, &f.words, c->o.n[DISCOVERY] > 0 ? &p->cold.v[f.best - 1] : NULL, &to,
			 &c->o, err) < 0)
		return -1;
	lh_write_text(&to, "run", p->l->run);
	lh_write_end(&to);
	lh_write_end(&to);
	lh_buf_putc(out, '\n');
	return 1;
}

static int start_warm(void *context, void *ctx, struct lh_err *err)
{
	struct pass *p = context;

	p->l = ctx;
	p->book.path = p->l->book;
	judge_init(&p->judge, ctx);
	return search_start(&p->search, p->l, true, err);
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
		.context_size = sizeof(struct pass), .context_init = start_warm,
		.context_free = pass_free,
	};

	return lh_flow_file(l->spool_path, &flow, &l->tool->err);
}
