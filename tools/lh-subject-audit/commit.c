/* commit.c - lh-subject-audit commit: rows into a transparency log, each once. */
#include "commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include <lh/digest.h>

struct commit {
	struct lh_tool *tool;
	const struct settings *s;
	struct batch batch;
	struct lh_hmac *secret;		/* of the log at hand */
	struct key_check key;
	bool tried;			/* the other logs, by this key */
	bool passed_over;		/* a log with a secret was */
	bool failed;			/* the tree or a cursor cannot be written; the reason: */
	struct lh_err why;
	uint64_t logs, rows;
};

/* ---- the cursors of the folder ---- */

/* Add the cursor of a log: 1 if it was read, 0 if it is torn. */
static int add_cursor(struct anchor *a, const char *dir, const char *name, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_subject_path(dir, name, LH_SUBJECT_COMMIT);
	LH_SCOPED(lh_commit_free) struct lh_commit c = { .count = 0 };
	int rc = lh_commit_read(&c, path, err);

	if (rc <= 0)
		return rc < 0 && err->code != LH_EDATA ? -1 : 0;
	lh_grow(&a->log, &a->cap, a->n + 1, sizeof *a->log);
	a->log[a->n] = (struct anchor_log){ .at.count = c.count };
	memcpy(a->log[a->n].name, name, strlen(name) + 1);
	memcpy(a->log[a->n].at.tip, c.tip, sizeof c.tip);
	a->n++;
	return 1;
}

/* Read all cursors, as an anchor with which the logs are compared.  *lost: one is torn, or
 * there is a secret without one. */
static int read_cursors(const char *dir, struct anchor *a, bool *lost, bool *none,
			struct lh_err *err)
{
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list cursors = { NULL, 0, 0 },
		secrets = { NULL, 0, 0 };
	size_t i;
	int rc = 1;

	*lost = false;
	if (lh_subject_list(&cursors, dir, LH_SUBJECT_COMMIT, err) < 0 ||
	    lh_subject_list(&secrets, dir, LH_SUBJECT_SECRET, err) < 0)
		return -1;
	for (i = 0; i < cursors.n && rc >= 0; i++) {
		rc = add_cursor(a, dir, cursors.name[i], err);
		*lost = *lost || rc == 0;
	}
	for (i = 0; i < secrets.n && rc >= 0; i++)
		*lost = *lost || !anchor_find(a, secrets.name[i]);
	*none = !cursors.n && !secrets.n;
	return rc < 0 ? -1 : 0;
}

/* ---- a log ---- */

/* Say what is wrong with a log, unless it is the key. */
static void name_log(struct commit *c, const char *path, const struct log *log,
		     const struct lh_chain_verdict *v, const char *error)
{
	unsigned long long rows = v->count, then = log->anchor ? log->anchor->count : 0;

	c->passed_over = true;
	lh_tool_verdict_bad(c->tool);
	if (key_is_wrong(&c->key))
		return;
	if (v->fault != LH_CHAIN_ANCHOR)
		log_say(c->tool, path, log, v, error);
	else if (rows < then)
		lh_tool_message(c->tool, "%s: shortened: it has %llu rows, and %llu are committed",
				path, rows, then);
	else
		lh_tool_message(c->tool, "%s: replaced: its row %llu is not the one that is "
				"committed", path, then - 1);
}

static int take_row(void *ctx, uint64_t row, struct lh_str line, struct lh_str row_hmac,
		    struct lh_err *err)
{
	struct commit *c = ctx;
	uint8_t opening[LH_OPENING];
	char entry[LH_COMMIT_ENTRY];

	(void)row;
	lh_opening_of(c->secret, row_hmac, opening);
	lh_commit_entry(opening, line, entry);
	if (batch_add(&c->batch, entry, row_hmac, err) == 0)
		return 0;
	c->failed = true;
	c->why = *err;
	return -1;
}

/* Have the rows on disk: their writer may not have synced them, or was killed before. */
static int sync_log(const char *path, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc = 0;

	if (fd < 0)
		return -1;
	if (fdatasync(fd) < 0)
		rc = lh_err_sys(err, "%s: cannot sync", path);
	close(fd);
	return rc;
}

/* Commit the rows of a log that was verified from its cursor on. */
static int commit_rows(struct commit *c, const char *path, const char *cursor, const char *secret,
		       uint64_t rows)
{
	struct lh_err *err = &c->tool->err;
	LH_SCOPED(lh_commit_free) struct lh_commit at = { .count = 0 };
	uint64_t from;
	int rc = lh_commit_read(&at, cursor, err);

	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	from = at.count;
	if (rc > 0 && from >= rows)
		return 0;
	if (sync_log(path, err) < 0)
		return -1;
	c->secret = lh_opening_key(secret, true, err);
	if (!c->secret)
		return -1;
	batch_begin_log(&c->batch, cursor, &at);
	rc = lh_commit_rows(path, from, rows, take_row, c, err);
	lh_hmac_free(c->secret);
	return rc;
}

static int commit_verified(struct commit *c, const char *path, const struct log *log,
			   const struct lh_chain_verdict *v)
{
	LH_SCOPED(lh_free_local) char *cursor = lh_subject_path(c->s->dir, log->name,
								LH_SUBJECT_COMMIT);
	LH_SCOPED(lh_free_local) char *secret = lh_subject_path(c->s->dir, log->name,
								LH_SUBJECT_SECRET);

	if (access(secret, F_OK) < 0 && errno == ENOENT && access(cursor, F_OK) == 0) {
		lh_tool_message(c->tool, "%s: not committed: it has a %s and no %s, which was "
				"destroyed", path, LH_SUBJECT_COMMIT, LH_SUBJECT_SECRET);
		lh_tool_verdict_bad(c->tool);
		return 0;
	}
	c->logs++;
	c->rows += v->count;
	return v->count ? commit_rows(c, path, cursor, secret, v->count) : 0;
}

/* Commit what is new of one log; ctx is a struct commit. */
static int commit_log(struct lh_tool *tool, const struct settings *s, const char *path,
		      const struct log *log, void *ctx)
{
	struct lh_chain_check check = {
		.keys = &s->keys, .name = log->name, .jobs = (unsigned)tool->jobs,
		.max_row = tool->max_line, .lock_timeout = tool->lock_timeout,
		.anchor = log->anchor,
	};
	char error[LH_CHAIN_ERROR];
	struct lh_chain_verdict v;
	struct commit *c = ctx;
	int rc;

	if (c->failed)
		return 0;
	rc = lh_chain_verify(path, &check, &v, &tool->err);
	if (!rc) {
		key_look(&c->key, &check, path, &v);
		if (key_is_wrong(&c->key) && !c->tried) {
			c->tried = true;
			rc = key_try_others(&c->key, tool, s);
		}
	}
	if (!rc) {
		log_error(log, &v, error);
		if (*error) {
			name_log(c, path, log, &v, error);
			return 0;
		}
		rc = commit_verified(c, path, log, &v);
	}
	c->passed_over = c->passed_over || rc < 0;
	return c->failed ? 0 : rc;
}

/* ---- the command ---- */

static int commit_all(struct commit *c, struct lh_tlog *tree)
{
	static const char *const names[] = { "logs", "rows", "committed", "size" };
	struct lh_tool *tool = c->tool;
	LH_SCOPED(anchor_free) struct anchor cursors = { .n = 0 };
	bool lost, none;
	int rc;

	if (batch_open(&c->batch, c->s->dir, tree, tool->lock_timeout, &tool->err) < 0 ||
	    read_cursors(c->s->dir, &cursors, &lost, &none, &tool->err) < 0 ||
	    batch_look(&c->batch, lost, none, &tool->err) < 0)
		return -1;
	rc = each_log(tool, c->s, &cursors, commit_log, c, NULL);
	if (c->failed) {
		tool->err = c->why;
		return -1;
	}
	if (key_is_wrong(&c->key))
		return key_error(&tool->err);
	if (batch_end(&c->batch, c->passed_over, rc ? &c->why : &tool->err) < 0) {
		if (rc)
			lh_tool_warn(tool, "%s", c->why.msg);
		return -1;
	}
	return rc ? rc : lh_tool_out_counts(tool, names, (const uint64_t []){
			c->logs, c->rows, c->batch.appended, lh_tlog_head(tree)->size }, 4);
}

int audit_commit(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct commit c = { .tool = tool, .s = s };
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	int rc = lh_tlog_keyed_open(&tree, s->tlog, s->tlog_key.v, s->tlog_key.n,
				    tool->lock_timeout, &tool->err);

	if (rc < 0)
		return -1;
	rc = commit_all(&c, tree.log);
	batch_close(&c.batch);
	return rc;
}
