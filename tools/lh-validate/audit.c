/* audit.c - each look-up in the roster leaves a row in that worker's log. */
#include <pthread.h>
#include <stdlib.h>

#include "lh_chain.h"
#include "lh_mem.h"
#include "validate.h"

#define SHOWN 20	/* messages; what comes after them is counted */

struct audit {
	struct lh_tool *tool;
	struct lh_chain_keys keys;
	struct lh_chain_log *log;
	const char *trace_id;
	pthread_mutex_t mutex;
	uint64_t failed;
};

struct audit *audit_open(struct lh_tool *tool, const struct settings *s)
{
	struct audit *a;

	if (!s->key_file.n) {
		lh_tool_usage(tool, "--audit-log: no key: name its file by --key-file or LH_SUBJECT_AUDIT_KEY");
		return NULL;
	}
	a = lh_calloc(1, sizeof *a, &tool->err);
	if (!a)
		return NULL;
	a->tool = tool;
	a->trace_id = getenv("LH_TRACE_ID");
	pthread_mutex_init(&a->mutex, NULL);
	if (lh_chain_keys_read(&a->keys, s->key_file.v, s->key_file.n, s->insecure_key, &tool->err) == 0)
		a->log = lh_chain_log_open(s->audit_log, &a->keys, LH_CHAIN_EACH, &tool->err);
	if (a->log)
		return a;
	audit_close(a);
	return NULL;
}

void audit_looked_up(void *ctx, const char *candidate_id, size_t n, bool found)
{
	static const struct lh_str exists = { "exists", 6 };
	struct audit *a = ctx;
	char now[32];
	struct lh_chain_row row = {
		.candidate_id = { candidate_id, n }, .ts = { now, 0 }, .kind = { "validator_lookup", 16 },
		.daemon = { "lh-validate", 11 }, .purpose = { "validator_worker_lookup", 23 }, .field = &exists, .n_fields = 1,
		.result = found ? "success" : "not_found",
	};
	struct lh_err err;

	lh_tool_time(a->tool, now);
	row.ts.n = strlen(now);
	if (a->trace_id)
		row.trace_id = (struct lh_str){ a->trace_id, strlen(a->trace_id) };
	if (lh_chain_append(a->log, &row, NULL, &err) == 0)
		return;
	pthread_mutex_lock(&a->mutex);
	if (a->failed++ < SHOWN)
		lh_tool_warn(a->tool, "no audit row for \"%.*s\": %s", (int)(n > 200 ? 200 : n), candidate_id, err.msg);
	pthread_mutex_unlock(&a->mutex);
}

void audit_close(struct audit *a)
{
	struct lh_err err;

	if (!a)
		return;
	if (lh_chain_log_close(a->log, &err) < 0)
		lh_tool_warn(a->tool, "%s", err.msg);
	if (a->failed > SHOWN)
		lh_tool_warn(a->tool, "%llu look-ups left no audit row", (unsigned long long)a->failed);
	lh_chain_keys_free(&a->keys);
	pthread_mutex_destroy(&a->mutex);
	free(a);
}
