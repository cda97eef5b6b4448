/* row.c - the artifacts that the model is shown, and a run as a row.  See replay.h. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "file/file.h"
#include "model/http.h"
#include "replay.h"
#include "validate/validate_parts.h"

/* ---- artifacts ---- */

static bool is_class(const struct artifact *a, const char *name)
{
	size_t n = strlen(name);

	return a->success_score.n == n && !memcmp(a->success_score.p, name, n);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Return the line without its bullet: -, *, + or a number with . or ), and blanks. */
static struct lh_str drop_bullet(struct lh_str s)
{
	size_t i = 0;

	while (i < s.n && is_digit(s.p[i]))
		i++;
	if (i < s.n &&
	    (i ? s.p[i] == '.' || s.p[i] == ')' : s.p[i] == '-' || s.p[i] == '*' || s.p[i] == '+'))
		i++;
	else
		return s;
	return i < s.n && lh_is_blank(s.p[i]) ? lh_trim(s.p + i, s.n - i) : s;
}

static bool is_step(const struct lh_str *s)
{
	static const char *const verb[] = { "verify", "check", "assert", "ensure" };
	struct word_iter it;
	size_t i;

	word_iter_init(&it, s->p, s->n);
	if (!word_next(&it) || it.word.p != s->p)
		return false;
	for (i = 0; i < sizeof verb / sizeof *verb; i++)
		if (lh_fold_equal(it.word.p, it.word.n, verb[i], strlen(verb[i])))
			return true;
	return false;
}

static bool has_step(const struct bundle *b, const struct lh_str *s)
{
	size_t i;

	for (i = 0; i < b->n_steps; i++)
		if (b->step[i].n == s->n && !memcmp(b->step[i].p, s->p, s->n))
			return true;
	return false;
}

static uint64_t estimate(const struct bundle *b)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < b->n_success; i++)
		n += lh_quantize_points(b->success[i]->preview.p, b->success[i]->preview.n);
	for (i = 0; i < b->n_failure; i++)
		n += lh_quantize_points(b->failure[i]->preview.p, b->failure[i]->preview.n);
	for (i = 0; i < b->n_steps; i++)
		n += lh_quantize_points(b->step[i].p, b->step[i].n);
	return (n + 3) / 4;
}

void bundle_make(struct bundle *b, const struct found *f)
{
	size_t i;

	memset(b, 0, sizeof *b);
	b->all = f->v;
	b->n = f->n;
	for (i = 0; i < f->n; i++) {
		if (is_class(&f->v[i], "accepted") && b->n_success < SUCCESSES)
			b->success[b->n_success++] = &f->v[i];
		if (is_class(&f->v[i], "partially_accepted") && b->n_failure < FAILURES)
			b->failure[b->n_failure++] = &f->v[i];
	}
	for (i = 0; i < b->n_success; i++) {
		struct lh_str rest = b->success[i]->content, line;

		while (b->n_steps < STEPS && lh_next_line(&rest, &line)) {
			line = drop_bullet(lh_trim(line.p, line.n));
			if (is_step(&line) && !has_step(b, &line))
				b->step[b->n_steps++] = line;
		}
	}
	b->tokens = estimate(b);
}

static void write_artifact(struct lh_writer *w, const struct artifact *a)
{
	struct lh_iter it;

	lh_write_object(w, NULL);
	lh_write_str(w, "rag_id", a->rag_id);
	lh_write_str(w, "source_run_id", a->source_run_id);
	lh_write_str(w, "title", a->title);
	lh_write_str(w, "content_preview", a->preview);
	lh_write_str(w, "success_score", a->success_score);
	lh_write_array(w, "tags");	/* as they are in the sample */
	for (lh_iter_init(&it, &a->tags); lh_iter_next(&it); )
		lh_write_value(w, NULL, &it.val);
	lh_write_end(w);
	lh_write_f64(w, "score", a->score);
	lh_write_end(w);
}

static void write_chosen(struct lh_writer *w, const char *name, const struct artifact *const *v,
			 size_t n)
{
	size_t i;

	lh_write_array(w, name);
	for (i = 0; i < n; i++)
		write_artifact(w, v[i]);
	lh_write_end(w);
}

static void bundle_write(struct lh_writer *w, const char *name, const struct bundle *b)
{
	size_t i;

	lh_write_object(w, name);
	lh_write_array(w, "retrieved_playbooks");
	for (i = 0; i < b->n; i++)
		write_artifact(w, &b->all[i]);
	lh_write_end(w);
	write_chosen(w, "prior_successful_outputs", b->success, b->n_success);
	write_chosen(w, "failure_patterns", b->failure, b->n_failure);
	lh_write_array(w, "validation_steps");
	for (i = 0; i < b->n_steps; i++)
		lh_write_str(w, NULL, b->step[i]);
	lh_write_end(w);
	lh_write_u64(w, "bundle_token_estimate", b->tokens);
	lh_write_end(w);
}

/* ---- rows ---- */

#define LOG "data/_kb/replay_runs.jsonl"

static void hash(const char *p, size_t n, char hex[LH_SHA256_HEX])
{
	unsigned char sum[32];

	lh_sha256(p, n, sum);
	lh_hex(sum, sizeof sum, hex);
}

void row_print(struct lh_buf *out, const struct row *r)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;
	char task[LH_SHA256_HEX];
	char time[LH_SHA256_HEX];
	char id[sizeof "replay::" + 24];

	lh_write_object(&w, NULL);
	/* Make the id of the beginnings of two hashes, replay:TASK:TIME. */
	hash(r->task.p, r->task.n, task);
	hash(r->recorded_at, strlen(r->recorded_at), time);
	snprintf(id, sizeof id, "replay:%.12s:%.12s", task, time);
	lh_write_text(&w, "schema", "replay_run.v1");
	lh_write_text(&w, "recorded_run_id", id);
	lh_write_str(&w, "task", r->task);
	lh_write_str(&w, "task_hash", (struct lh_str){ task, sizeof task });
	lh_write_text(&w, "task_class", r->task_class);
	lh_write_object(&w, "retrieved_artifacts");
	lh_write_array(&w, "rag_ids");
	for (i = 0; r->bundle && i < r->found->n; i++)
		lh_write_str(&w, NULL, r->found->v[i].rag_id);
	lh_write_end(&w);
	lh_write_end(&w);
	if (r->bundle)
		bundle_write(&w, "context_bundle", r->bundle);
	else
		lh_write_null(&w, "context_bundle");
	lh_write_str(&w, "model_response", r->answer);
	lh_write_text(&w, "model_used", r->model_used);
	lh_write_array(&w, "escalation_path");
	for (i = 0; i < r->n_path; i++)
		lh_write_text(&w, NULL, r->path[i]);
	lh_write_end(&w);
	lh_write_object(&w, "validation_result");
	lh_write_bool(&w, "passed", !r->reasons->len);
	lh_write_array(&w, "reasons");
	if (r->reasons->len)
		lh_write_raw(&w, NULL, (struct lh_str){ r->reasons->p, r->reasons->len });
	lh_write_end(&w);
	lh_write_end(&w);
	lh_write_text(&w, "recorded_at", r->recorded_at);
	lh_write_u64(&w, "duration_ms", r->duration_ms);
	lh_write_bool(&w, "dry_run", r->dry_run);
	lh_write_bool(&w, "no_retrieval", r->no_retrieval);
	lh_trace_write(&w, r->trace);
	lh_write_end(&w);
}

/* ---- the log ---- */

struct replay_log {
	struct lh_applog file;
	pthread_mutex_t mutex;	/* flock does not exclude threads of the same process */
};

static bool is_log(const struct lh_applog *log, const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	bool same = fd >= 0 && lh_same_file(fd, log->fd);

	if (fd >= 0)
		close(fd);
	return same;
}

/* Check that the log is not an input, and that others may not write to it. */
static int check(const struct replay *r, const struct lh_applog *log, struct lh_err *err)
{
	struct lh_tool *t = r->tool;
	bool same = is_log(log, r->corpus_path) ||
		(!r->task && lh_tool_reads_stdin(t) && lh_same_file(STDIN_FILENO, log->fd));
	size_t i;

	for (i = 0; !same && i < t->n_operands; i++)
		same = is_log(log, t->operands[i]);
	if (same)
		return lh_err_set(err, LH_EUSAGE, "--log: %s is also the input", log->path);
	if (is_log(log, r->index_path))
		return lh_err_set(err, LH_EUSAGE, "--log: %s is also the index", log->path);
	if (is_log(log, t->rejects))
		return lh_err_set(err, LH_EUSAGE, "--log: %s is also where rejects go", log->path);
	return 0;
}

struct replay_log *log_open(struct replay *r, struct lh_err *err)
{
	char *path = r->log_path ? lh_strndup(r->log_path, strlen(r->log_path))
				 : lh_root_join(r->root, LOG);
	struct replay_log *l = lh_calloc(1, sizeof *l);
	int rc = 0;

	if (!r->log_path)
		rc = lh_root_folders(r->root, LOG, err);
	if (!rc)
		rc = lh_applog_open(&l->file, path, 0600, r->tool->lock_timeout, err);
	if (!rc && l->file.torn_at >= 0)
		lh_tool_warn(r->tool, "%s: a torn line at byte %lld", path,
			     (long long)l->file.torn_at);
	if (!rc)
		rc = check(r, &l->file, err);
	free(path);
	if (!rc) {
		pthread_mutex_init(&l->mutex, NULL);
		return l;
	}
	lh_applog_close(&l->file, &(struct lh_err){ 0 });
	free(l);
	return NULL;
}

int log_append(struct replay_log *l, const char *row, size_t n, struct lh_err *err)
{
	int rc;

	pthread_mutex_lock(&l->mutex);
	rc = lh_applog_append(&l->file, row, n, LH_SYNC_NONE, err);
	pthread_mutex_unlock(&l->mutex);
	return rc;
}

int log_close(struct replay_log *l, struct lh_err *err)
{
	int rc;

	if (!l)
		return 0;
	rc = lh_applog_close(&l->file, err);
	pthread_mutex_destroy(&l->mutex);
	free(l);
	return rc;
}
