/*
 * run.c - tasks one after the other: retrieve, bundle, ask, check, log.  See
 * replay.h.
 *
 * The tasks of a batch share one pass over the corpus; everything else is done task
 * by task.  A row is in the log before it is on standard output.
 */
#include "replay.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"
#include "base/signal.h"
#include "base/time.h"
#include "model/http.h"

struct job {			/* a task of the batch */
	struct lh_str task;
	bool local_only, allow_escalation, no_retrieval, dry_run;
	struct lh_str trace;	/* n = 0: none */
	struct lh_buf text;	/* of the task and the request id */
	struct hits hits;
	struct lh_err why;	/* it is not a task if code is not LH_OK */
};

struct worker {
	struct replay *r;
	const struct held *held;
	struct corpus *corpus;	/* or, with --index, ... */
	struct index *index;
	struct lh_chat *chat;	/* made at first use */
	struct found found;
	struct words words;
	struct lh_buf prompt, answer, reasons, row;
	struct job job[BATCH];
};

static void worker_free(void *arg)
{
	struct worker *w = arg;
	size_t i;

	corpus_free(w->corpus);
	index_free(w->index);
	lh_chat_free(w->chat);
	found_free(&w->found);
	words_free(&w->words);
	lh_buf_free(&w->prompt);
	lh_buf_free(&w->answer);
	lh_buf_free(&w->reasons);
	lh_buf_free(&w->row);
	for (i = 0; i < BATCH; i++) {
		hits_reset(&w->job[i].hits);
		lh_buf_free(&w->job[i].text);
	}
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;
	const struct held *held = ctx;
	struct replay *r = held->r;

	w->r = r;
	w->held = held;
	if (held->index)
		w->index = index_new(held->index, r->index_path, err);
	else
		w->corpus = corpus_new(r->corpus_path);
	return w->index || w->corpus ? 0 : -1;
}

/* ---- a record ---- */

const struct lh_bind task_members[] = {
	{ LH_BIND_STRING("task", struct job, task), .required = true, .longest = LONGEST,
	  .about = "what is to be done" },
	LH_TRACE_MEMBER(struct job, trace),
	{ LH_BIND_BOOL("local_only", struct job, local_only),
	  .about = "whether only the local model is asked" },
	{ LH_BIND_BOOL("allow_escalation", struct job, allow_escalation),
	  .about = "whether a larger model may be asked" },
	{ LH_BIND_BOOL("no_retrieval", struct job, no_retrieval),
	  .about = "whether earlier runs are left out" },
	{ LH_BIND_BOOL("dry_run", struct job, dry_run),
	  .about = "whether no model is asked" },
	LH_BIND_END
};

static void by_options(const struct replay *r, struct job *j)
{
	j->local_only = r->local_only;
	j->allow_escalation = r->allow_escalation;
	j->no_retrieval = r->no_retrieval;
	j->dry_run = r->dry_run;
	j->trace = (struct lh_str){ r->trace_id, r->trace_id ? strlen(r->trace_id) : 0 };
}

static int read_job(const struct worker *w, struct job *j, const struct lh_record *rec,
		    struct lh_err *err)
{
	const struct replay *r = w->r;

	by_options(r, j);
	if (lh_bind(task_members, rec, j, &j->text, err) < 0)
		return -1;
	if (!lh_trim(j->task.p, j->task.n).n)
		return lh_err_set(err, LH_EDATA, "\"task\" must not be empty");
	/* A record cannot permit what the command line forbids. */
	j->local_only |= r->local_only;
	j->dry_run |= r->dry_run;
	if (j->dry_run && !j->no_retrieval && w->held->index && index_asks(w->held->index))
		return lh_err_set(err, LH_EDATA,
				  "a dry run asks no service, but --index needs one");
	return 0;
}

/* ---- retrieval ---- */

/* Make one pass for the tasks from i on, as many as n and their length permit;
 * *next is the first one after them. */
static int pass(struct worker *w, size_t i, size_t n, size_t *next, struct lh_err *err)
{
	const struct lh_str *task[BATCH];
	struct hits *hits[BATCH];
	size_t asked = 0, bytes = 0;

	for (; i < n; i++) {
		struct job *j = &w->job[i];

		hits_reset(&j->hits);
		if (j->why.code || j->no_retrieval)
			continue;
		if (asked && j->task.n > LONGEST - bytes)
			break;
		bytes += j->task.n;
		task[asked] = &j->task;
		hits[asked++] = &j->hits;
	}
	*next = i;
	return asked ? corpus_find(w->corpus, task, hits, asked, err) : 0;
}

static int retrieve(struct worker *w, size_t n, struct lh_err *err)
{
	size_t i;

	for (i = 0; w->corpus && i < n; )
		if (pass(w, i, n, &i, err) < 0)
			return -1;
	for (i = 0; w->index && i < n; i++) {
		struct job *j = &w->job[i];

		hits_reset(&j->hits);
		if (!j->why.code && !j->no_retrieval &&
		    index_find(w->index, &j->task, j->trace, &j->hits, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- the answer ---- */

static int ask(struct worker *w, const char *model, struct lh_str trace, struct lh_err *err)
{
	struct replay *r = w->r;
	struct lh_chat_message m[] = { { { "system", 6 },
					 { prompt_preface, strlen(prompt_preface) } },
				       { { "user", 4 }, { w->prompt.p, w->prompt.len } } };
	struct lh_chat_request q = {
		.model = { model, strlen(model) }, .message = m, .n = 2, .think = -1, .trace = trace
	};
	struct lh_chat_reply reply;

	if (!w->chat)
		w->chat = lh_chat_new(&(struct lh_chat_how){ .timeout = r->timeout,
							     .retries = (unsigned)r->retries,
							     .stopping = lh_stopping,
							     .bridge = r->url,
							     .token = (char *)r->token.p },
				      w->held->keys);
	if (lh_chat_ask(w->chat, &q, &reply, err) < 0)
		return -1;
	lh_buf_reset(&w->answer);
	lh_buf_add(&w->answer, reply.content.p, reply.content.n);
	return 0;
}

static int judge_answer(struct worker *w, const struct bundle *b, struct lh_err *err)
{
	return judge(&(struct lh_str){ w->answer.p ? w->answer.p : "", w->answer.len }, b,
		     &w->words, &w->reasons, err);
}

/* Ask another model.  If it gives no answer, the first one's remains. */
static int escalate(struct worker *w, const struct bundle *b, struct row *row, struct lh_err *err)
{
	const char *model = w->r->escalation_model;

	row->path[row->n_path++] = model;
	if (ask(w, model, row->trace, err) < 0) {
		judge_failed(&w->reasons, "escalation call failed", err);
		return err->code == LH_EINTR ? -1 : 0;
	}
	row->model_used = model;
	lh_buf_reset(&w->reasons);
	return judge_answer(w, b, err);
}

static int answer(struct worker *w, const struct job *j, const struct bundle *b, struct row *row,
		  struct lh_err *err)
{
	row->path[row->n_path++] = w->r->local_model;
	if (j->dry_run) {
		dry_answer(&w->answer, b);
		return judge_answer(w, b, err);
	}
	lh_buf_reset(&w->prompt);
	prompt_print(&w->prompt, &j->task, b);
	if (ask(w, w->r->local_model, j->trace, err) < 0) {
		judge_failed(&w->reasons, "local call failed", err);
		if (err->code == LH_EINTR)
			return -1;
	} else if (judge_answer(w, b, err) < 0) {
		return -1;
	}
	return w->reasons.len && j->allow_escalation && !j->local_only ? escalate(w, b, row, err)
								       : 0;
}

/* ---- a run ---- */

/* Return the first name of a class that is among the task's words. */
static int classify(struct words *words, const struct lh_str *task, const char **name,
		    struct lh_err *err)
{
	static const char *const class[] = { "drift", "verify", "audit" };
	struct word_iter it;
	size_t i;

	words_reset(words);
	if (words_add(words, task->p, task->n, 0, err) < 0)
		return -1;
	*name = "other";
	for (i = sizeof class / sizeof *class; i--; ) {
		word_iter_init(&it, class[i], strlen(class[i]));
		if (word_next(&it) && words_find(words, &it))
			*name = class[i];
	}
	return 0;
}

/* Print the row into w->row and log it. */
static int put_row(struct worker *w, struct row *row, double start, struct lh_err *err)
{
	double now = lh_time_monotonic();
	struct replay *r = w->r;

	row->answer = (struct lh_str){ w->answer.p ? w->answer.p : "", w->answer.len };
	row->duration_ms = r->tool->now || now < start ? 0 : (uint64_t)((now - start) * 1000);
	lh_buf_reset(&w->row);
	row_print(&w->row, row);
	if (log_append(r->log, w->row.p, w->row.len, err) < 0)
		return -1;
	atomic_fetch_add(&r->runs, 1);
	if (w->reasons.len)
		atomic_fetch_add(&r->failed, 1);
	return 0;
}

static int start_row(struct worker *w, const struct job *j, struct row *row, struct lh_err *err)
{
	*row = (struct row){ .task = j->task,
			     .model_used = w->r->local_model,
			     .found = &w->found,
			     .reasons = &w->reasons,
			     .trace = j->trace,
			     .dry_run = j->dry_run,
			     .no_retrieval = j->no_retrieval };
	lh_buf_reset(&w->answer);
	lh_buf_reset(&w->reasons);
	lh_tool_time(w->r->tool, row->recorded_at);
	return classify(&w->words, &j->task, &row->task_class, err);
}

/* End these runs, because nothing can be retrieved. */
static void give_up(struct worker *w, size_t n, const struct lh_err *why)
{
	struct lh_err err;
	struct row row;
	size_t i;

	for (i = 0; i < n; i++) {
		if (w->job[i].why.code || w->job[i].no_retrieval)
			continue;
		if (start_row(w, &w->job[i], &row, &err) < 0)
			return;
		judge_failed(&w->reasons, "retrieval failed", why);
		if (put_row(w, &row, lh_time_monotonic(), &err) < 0)
			return;
	}
}

static int run_job(struct worker *w, const struct job *j, struct lh_err *err)
{
	double start = lh_time_monotonic();
	struct lh_err why = { 0 };
	struct bundle bundle;
	struct row row;
	int rc;

	if (start_row(w, j, &row, err) < 0 || found_read(&w->found, &j->hits, err) < 0)
		return -1;
	bundle_make(&bundle, &w->found);
	row.bundle = j->no_retrieval ? NULL : &bundle;
	rc = answer(w, j, row.bundle, &row, &why);
	/* A call that a signal interrupted was a run as well. */
	if ((!rc || w->reasons.len) && put_row(w, &row, start, err) < 0)
		return -1;
	if (rc < 0)
		*err = why;
	return rc;
}

/* Nothing can be retrieved: at the start that ends the run; later the damage may be
 * repaired for the next batch. */
static int put_off(struct worker *w, struct lh_batch *b, struct lh_err *err)
{
	size_t i;

	if (!atomic_load(&w->r->retrieved) || w->r->tool->once ||
	    (err->code != LH_ECORRUPT && err->code != LH_EIO))
		return -1;
	err->code = LH_EDATA;
	err->status = 503;
	for (i = 0; i < b->n; i++)
		lh_batch_reject(b, w->job[i].why.code ? &w->job[i].why : err);
	return 0;
}

static int on_batch(struct lh_batch *b, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	size_t i, n;

	for (n = 0; n < b->n; n++) {
		struct job *j = &w->job[n];

		j->why = (struct lh_err){ 0 };
		if (read_job(w, j, b->rec[n], &j->why) == 0)
			continue;
		if (j->why.code != LH_EDATA) {
			*err = j->why;
			return -1;
		}
		if (w->r->tool->on_error == LH_ON_ERROR_STOP)
			break;		/* the run ends here; n tasks are before it */
	}
	if (retrieve(w, n, err) < 0) {
		give_up(w, n, err);
		return put_off(w, b, err);
	}
	atomic_store(&w->r->retrieved, true);
	for (i = 0; i < b->n; i++) {
		if (i >= n || w->job[i].why.code) {
			lh_batch_reject(b, &w->job[i < n ? i : n].why);
			continue;
		}
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if (run_job(w, &w->job[i], err) < 0)
			return -1;
		lh_buf_add(b->out, w->row.p, w->row.len);
		lh_batch_accept(b);
	}
	return 0;
}

int run_tasks(struct replay *r, struct lh_held *held)
{
	/* If a model is asked, the pass over the corpus takes little of the time, and no
	 * record should wait for another's answer. */
	return lh_records_run(r->tool, &(struct lh_flow){
		.batch = on_batch, .batch_max = r->dry_run ? BATCH : 1, .held = held,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}

int run_task(struct held *held, const char *task, struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct worker *w = lh_calloc(1, sizeof *w);
	struct job *j;
	int rc = worker_init(w, held, err);

	lh_signal_defer(true);
	if (!rc) {
		j = &w->job[0];
		by_options(held->r, j);
		j->task = (struct lh_str){ task, strlen(task) };
		rc = retrieve(w, 1, err);
		if (rc < 0)
			give_up(w, 1, err);
		else
			rc = run_job(w, j, err);
		if (!rc)
			lh_buf_add(out, w->row.p, w->row.len);
	}
	worker_free(w);
	lh_signal_defer(false);
	return !rc && lh_signal_pending() ? lh_err_set(err, LH_EINTR, "interrupted") : rc;
}
