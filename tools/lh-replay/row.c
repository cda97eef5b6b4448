/* row.c - a run as a row, and the log of runs.  See replay.h. */
#include "replay.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>
#include "file/file.h"
#include "base/mem.h"
#include "model/http.h"

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
