/* replays.c - phase 7: replay past work, and check that nothing leaves the machine. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit.h"
#include "proc/coproc.h"
#include "base/utf8.h"
#include "file/file.h"
#include "file/rows.h"
#include "json/bind.h"
#include "json/write.h"
#include "json/json.h"
#include "model/chat.h"
#include "base/mem.h"
#include "base/signal.h"

#define REPLAY_SECONDS 300.0
#define ROW_MAX ((size_t)64 << 20)
#define TAIL 50		/* rows */

static const char *const tasks[] = {
	"audit phase 3 and list the findings that are still open",
	"verify the latest review of the gateway before it is merged",
	"check the drift of the nightly distillation",
};
#define TASKS (sizeof tasks / sizeof tasks[0])

/* The needs of the replays: a folder for their log, and a port that refuses
 * connections. */
struct replay {
	struct audit *a;
	struct lh_tmpdir folder;
	char *set_log;		/* LH_REPLAY_LOG=the log in that folder */
	const char *log;	/* its path, in set_log */
	int port;		/* bound, without a listener */
	char set[LH_PROVIDERS][64];
	char *env[LH_PROVIDERS + 2];
	struct lh_child_out out;
	struct lh_record row;
	struct lh_buf scratch;
};

/* Set every model's address to one without a listener: a replay that is not dry
 * fails at once, and nothing leaves the machine.  Keys are not used then, so the
 * child gets none, and bad ones are not a finding. */
static int close_port(struct replay *r, struct lh_err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int i;

	r->port = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->port < 0 || bind(r->port, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(r->port, (struct sockaddr *)&at, &n) < 0)
		return lh_err_sys(err, "cannot bind a port of 127.0.0.1");
	for (i = 0; i < LH_PROVIDERS; i++) {
		snprintf(r->set[i], sizeof r->set[i], "%s=http://127.0.0.1:%u",
			 lh_provider_url_name((enum lh_provider)i), ntohs(at.sin_port));
		r->env[i] = r->set[i];
	}
	return 0;
}

static int prepare_replay(struct replay *r, struct lh_err *err)
{
	static const char name[] = "LH_REPLAY_LOG=", file[] = "/replay_runs.jsonl";
	size_t n, last = 0;

	if (close_port(r, err) < 0 || lh_tmpdir_make(&r->folder, "lh-audit", err) < 0)
		return -1;
	n = sizeof name + strlen(r->folder.path) + sizeof file;
	r->set_log = lh_calloc(n, 1);
	snprintf(r->set_log, n, "%s%s%s", name, r->folder.path, file);
	r->log = r->set_log + sizeof name - 1;
	while (r->env[last])
		last++;
	r->env[last] = r->set_log;
	return 0;
}

/* Read the log's row from the last line of stdout. */
static int take_row(struct replay *r, struct lh_err *err)
{
	const struct lh_buf *out = &r->out.out;
	const char *end = out->p, *lf;

	if (out->len)
		end += out->len;
	while (end > out->p && end[-1] == '\n')
		end--;
	lf = end > out->p ? memrchr(out->p, '\n', (size_t)(end - out->p)) : NULL;
	lf = lf ? lf + 1 : out->p;
	if (lf == end)
		return lh_err_set(err, LH_EDATA, "no row");
	if (lh_record_parse(&r->row, lf, (size_t)(end - lf), err) < 0)
		return lh_err_prefix(err, "its row");
	return 0;
}

enum how { DRY_RUN, LOCAL_ONLY };

/* Replay a task: 1 with its row, 0 if there is none (a note has the reason), -1. */
static int replay_task(struct replay *r, enum check_id id, const char *task, enum how what,
		       struct lh_err *err)
{
	char *argv[] = { "lh-replay", "-q", "--retries", "0", "--root",
			 (char *)lh_root_path(r->a->root), "--log", (char *)r->log, NULL };
	struct lh_child_how how = { .command = r->a->s->replay_command, .argv = argv,
				    .keys = LH_KEYS_NONE, .env = r->env, .seconds = REPLAY_SECONDS,
				    .max = ROW_MAX };
	LH_SCOPED(lh_buf_free) struct lh_buf record = { 0 };
	int rc;
	struct lh_writer w = lh_write_to(&record);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "task", task);
	if (what == DRY_RUN) {
		lh_write_bool(&w, "dry_run", true);
	} else {
		lh_write_bool(&w, "local_only", true);
		lh_write_bool(&w, "allow_escalation", true);
	}
	lh_write_end(&w);
	lh_buf_putc(&record, '\n');
	lh_child_free(&r->out);
	rc = child_run(r->a, id, &how, record.p, record.len, &r->out, err);
	if (rc <= 0)
		return rc;
	if (take_row(r, err) == 0)
		return 1;
	if (!check_is_finding(err))
		return -1;
	check_note(r->a, id, "%s: %s", task, r->out.status > 1 && *r->out.last_line
		   ? r->out.last_line : err->msg);
	return 0;
}

struct result {
	bool passed;
	const struct lh_str *reason;
	size_t n_reasons;
};
struct row {
	struct result result;
	const struct lh_str *model;	/* that were asked */
	size_t n_models;
};
static const struct lh_bind result_members[] = {
	{ LH_BIND_BOOL("passed", struct result, passed), .lax = true },
	{ LH_BIND_STRINGS("reasons", struct result, reason, n_reasons), .lax = true },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_TABLE("validation_result", struct row, result, result_members), .lax = true },
	{ LH_BIND_STRINGS("escalation_path", struct row, model, n_models), .lax = true },
	LH_BIND_END
};

/* Check that the replay of that row passed.  If not, a note has the first reason. */
static int has_passed(struct replay *r, const char *task, struct lh_err *err)
{
	struct lh_str why = { "not passed", strlen("not passed") };
	struct row row = { .n_models = 0 };

	if (lh_bind(row_members, &r->row, &row, &r->scratch, err) < 0)
		return -1;
	if (row.result.passed && r->out.status)
		check_note(r->a, CHECK_REPLAYS, "%s: passed, but ended with status %d", task,
			   r->out.status);
	if (row.result.passed)
		return !r->out.status;
	if (row.result.n_reasons && row.result.reason[0].p)
		why = row.result.reason[0];
	check_note(r->a, CHECK_REPLAYS, "%s: %.*s", task, (int)(why.n < 300 ? why.n : 300), why.p);
	return 0;
}

static int three_replays(struct replay *r, struct lh_err *err)
{
	unsigned good = 0;
	size_t i;
	int rc;

	for (i = 0; i < TASKS; i++) {
		rc = replay_task(r, CHECK_REPLAYS, tasks[i], DRY_RUN, err);
		if (rc > 0)
			rc = has_passed(r, tasks[i], err);
		if (rc < 0)
			return -1;
		good += rc > 0;
	}
	check_set(r->a, CHECK_REPLAYS, good == TASKS, "3/3", "%u/%zu", good, TASKS);
	return 0;
}

/* Make a call that fails, with an escalation that only local_only forbids. */
static int check_local_only(struct replay *r, struct lh_err *err)
{
	struct row row = { .n_models = 0 };
	int rc = replay_task(r, CHECK_GUARD, tasks[0], LOCAL_ONLY, err);

	if (rc > 0)
		rc = lh_bind(row_members, &r->row, &row, &r->scratch, err);
	check_set(r->a, CHECK_GUARD, row.n_models == 1, "1 model", "%s",
		  LH_N(row.n_models, "model"));
	return rc < 0 ? -1 : 0;
}

/* ---- the log ---- */

struct tail {
	unsigned rows, bad;
	char fault[256];	/* of the last bad one */
};

/* Parse a row.  It is copied, because parsing needs LH_PAD bytes after it. */
static int parse_row(struct replay *r, struct tail *t, struct lh_str row, struct lh_err *err)
{
	int rc;

	t->rows++;
	lh_buf_reset(&r->scratch);
	if (row.n > ROW_MAX) {
		rc = lh_err_set(err, LH_EDATA, "longer than %zu bytes", ROW_MAX);
	} else {
		lh_buf_add(&r->scratch, row.p, row.n);
		rc = lh_record_parse(&r->row, r->scratch.p, row.n, err);
	}
	if (rc < 0 && !check_is_finding(err))
		return -1;
	if (rc < 0 && !t->bad++)
		snprintf(t->fault, sizeof t->fault, "row %u from the end: %.200s", t->rows,
			 err->msg);
	return 0;
}

static int read_tail(struct replay *r, const struct lh_mapped *m, struct tail *t,
		     struct lh_err *err)
{
	const char *p = m->p, *end = p + m->n, *lf;
	struct lh_str row;

	while (end > p && t->rows < TAIL) {
		lf = memrchr(p, '\n', (size_t)(end - p));
		row.p = lf ? lf + 1 : p;
		row.n = (size_t)(end - row.p);
		end = lf ? lf : p;
		row = lh_trim(row.p, row.n);
		if (!lh_line_empty(row.p, row.n) && parse_row(r, t, row, err) < 0)
			return -1;
	}
	return 0;
}

/* Check the log's tail: 1 if it parses or is absent, 0, -1. */
static int check_tail(struct replay *r, struct tail *t, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(r->a->root, AUDIT_REPLAYS);
	struct lh_mapped m;
	int fd, rc;

	fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (fd < 0 && errno == ENOENT)
		return 1;
	rc = fd < 0 ? -1 : lh_mapped_fd(&m, fd, err);
	if (fd >= 0)
		close(fd);
	if (!rc) {
		rc = read_tail(r, &m, t, err);
		lh_mapped_close(&m);
	}
	if (rc < 0 && check_is_finding(err)) {
		t->bad++;
		snprintf(t->fault, sizeof t->fault, "%.200s", check_reason(r->a, err));
		rc = 0;
	}
	return rc < 0 ? -1 : !t->bad;
}

static void report_tail(struct replay *r, enum check_id id, const struct tail *t)
{
	if (t->bad)
		check_note(r->a, id, "%s", t->fault);
	check_set(r->a, id, !t->bad, "each of the last 50 rows parses", "%u of %u",
		  t->rows > t->bad ? t->rows - t->bad : 0, t->rows);
}

/* ---- the phase ---- */

static int check_live(struct replay *r, struct lh_err *err)
{
	int rc = prepare_replay(r, err);

	if (!rc)
		rc = three_replays(r, err);
	if (!rc)
		rc = check_local_only(r, err);
	return rc;
}

/* A replay that cannot run fails the checks, and the log is still checked. */
static int run_live(struct replay *r, struct lh_err *err)
{
	struct lh_err why;
	bool was = lh_signal_deferred();
	int rc;

	lh_signal_defer(true);	/* the folder must be removed in any case */
	rc = check_live(r, err);
	if (lh_tmpdir_remove(&r->folder, &why) < 0)
		check_note(r->a, CHECK_REPLAYS, "%s", why.msg);
	lh_signal_defer(was);
	if (rc < 0 && check_is_finding(err)) {
		check_set(r->a, CHECK_REPLAYS, false, "3/3", "%s", err->msg);
		check_set(r->a, CHECK_GUARD, false, "1 model", "%s", err->msg);
		rc = 0;
	}
	return lh_signal_pending() ? lh_err_set(err, LH_EINTR, "interrupted") : rc;
}

int phase_replay(struct audit *a, struct lh_err *err)
{
	struct replay r = { .a = a, .port = -1 };
	struct tail t = { .rows = 0 };
	int rc = check_tail(&r, &t, err);

	if (rc >= 0) {
		rc = a->s->observer ? 0 : run_live(&r, err);
		report_tail(&r, CHECK_TAIL, &t);
	}
	if (rc >= 0 && a->s->observer) {
		report_tail(&r, CHECK_REPLAYS, &t);
		check_note(a, CHECK_REPLAYS,
			   "observer: the tail of the replay log is judged instead");
		check_skip(a, CHECK_GUARD, OBSERVER);
	}
	lh_child_free(&r.out);
	lh_record_free(&r.row);
	lh_buf_free(&r.scratch);
	if (r.port >= 0)
		close(r.port);
	free(r.set_log);
	return rc < 0 ? -1 : 0;
}
