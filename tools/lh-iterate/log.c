/* log.c - the session log, whose failures never stop a session. */
#include "iterate.h"

#include <pthread.h>
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"

struct session_log {
	struct lh_tool *tool;
	struct lh_applog file;
	pthread_mutex_t mutex;	/* flock does not exclude threads of the same process */
	uint64_t lost;
};

struct session_log *log_open(struct lh_tool *tool, const char *path)
{
	struct lh_err err;
	struct session_log *l = lh_calloc(1, sizeof *l);

	if (lh_applog_open(&l->file, path, 0600, tool->lock_timeout, &err) == 0) {
		l->tool = tool;
		pthread_mutex_init(&l->mutex, NULL);
		if (l->file.torn_at >= 0)
			lh_tool_warn(tool, "session log %s: a torn line at byte %lld", path,
				     (long long)l->file.torn_at);
		return l;
	}
	free(l);
	lh_tool_warn(tool, "no session log: %s", err.msg);
	return NULL;
}

void log_append(struct session_log *l, const struct lh_buf *row)
{
	struct lh_err err;

	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	if (lh_applog_append(&l->file, row->p, row->len, LH_SYNC_NONE, &err) < 0 && !l->lost++)
		lh_tool_warn(l->tool, "session log: %s", err.msg);
	pthread_mutex_unlock(&l->mutex);
}

void log_close(struct session_log *l)
{
	struct lh_err err;

	if (!l)
		return;
	if (l->lost)
		lh_tool_warn(l->tool, "session log: %s could not be written",
			     LH_N(l->lost, "row"));
	if (lh_applog_close(&l->file, &err) < 0)
		lh_tool_warn(l->tool, "session log: %s", err.msg);
	pthread_mutex_destroy(&l->mutex);
	free(l);
}
