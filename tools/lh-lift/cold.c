/* cold.c - the first pass: search, judge, and record the best answers.  See lift.h. */
#include <fcntl.h>
#include <unistd.h>

#include "file/file.h"
#include "memory/playbook.h"
#include "lift.h"

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
