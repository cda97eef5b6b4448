/* commit.c - lh-subject-audit commit, rows into a transparency log, each once; and anchor. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "audit.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "file/file.h"
#include "json/write.h"
#include "tlog/log.h"

/* ---- a batch ---- */

/*
 * A row must become one entry, whenever the run is killed.  The entry of a row is always the
 * same, so a row is known in the tree by its hash; what has to be known is where to look.
 * DIR/.tlog says {"origin","size"}: every row of this folder that is among the first size entries
 * is in the cursor of its log.  That holds because it is written last, when every cursor of a run
 * is on disk, by one run at a time (DIR/.tlog.lock), and not by a run that passed over a log whose
 * rows it could not compute.  So a run looks at the entries from size on, before it appends: a
 * row that a killed run appended, and whose cursor it did not write, is found there and nowhere
 * else.  If a cursor is lost, its rows may be anywhere, and all entries are looked at.
 *
 * What is in the tree stays there after a power failure, so what it depends on is on disk first:
 * the rows of the log, the secret, and the names of both.
 */

/* A log with rows in the batch. */
struct committed_log {
	char *path;		/* of its cursor */
	struct lh_commit at;
	size_t first, rows;	/* in the batch */
	char tip[LH_CHAIN_TIP];
	bool changed;
};

struct batch {
	struct lh_tlog *tree;
	char (*entry)[LH_COMMIT_ENTRY];
	struct lh_str *text;
	size_t n;
	struct committed_log *log;	/* the last is the one at hand */
	size_t n_logs, cap;
	struct lh_map late;	/* the entries from `size` on */
	struct lh_lock lock;
	char *state;		/* the path of .tlog */
	uint64_t size;
	uint64_t appended;
};

/* ---- entries of many logs into a tree ---- */

#define ENTRIES ((size_t)1 << 16)	/* of a batch */

/* ---- .tlog ---- */

struct state {
	struct lh_str origin;
	uint64_t size;
};
static const struct lh_bind state_members[] = {
	{ LH_BIND_STRING("origin", struct state, origin), .required = true },
	{ LH_BIND_U64("size", struct state, size, 0, INT64_MAX), .required = true },
	LH_BIND_END
};

/* Set b->size to that of .tlog: 1; 0 if there is none, or it is torn. */
static int read_state(struct batch *b, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(b->tree);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX }, strings = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct state s = { .size = 0 };
	int rc = lh_file_read(b->state, &text, err);

	if (rc <= 0)
		return rc;
	if (lh_record_parse(&rec, text.p, text.len, err) < 0 ||
	    lh_bind(state_members, &rec, &s, &strings, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (!lh_str_is(head->origin, s.origin.p, s.origin.n))
		return lh_err_set(err, LH_EIO, "%s: its rows are in the log %.*s, not in %.*s",
				  b->state, (int)s.origin.n, s.origin.p, (int)head->origin.n,
				  head->origin.p);
	if (s.size > head->size)
		return lh_err_set(err, LH_ECORRUPT,
				  "%s: the log %.*s had %s, and has %llu: an older copy of it?",
				  b->state, (int)s.origin.n, s.origin.p,
				  LH_N(s.size, "entry|entries"), (unsigned long long)head->size);
	b->size = s.size;
	return 1;
}

static int write_state(struct batch *b, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(b->tree);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(&text);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "origin", head->origin);
	lh_write_u64(&w, "size", head->size);
	lh_write_end(&w);
	lh_buf_putc(&text, '\n');
	return lh_atomic_put(b->state, 0600, &text, err);
}

/* ---- open and close ---- */

/* Take the lock, finish what a killed writer of the tree began, and read .tlog.  lost: a cursor
 * is lost; none: there is neither a cursor nor a secret. */
static int batch_open(struct batch *b, const char *dir, struct lh_tlog *tree, double lock_timeout,
		      struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *lock = lh_subject_path(dir, ".tlog", ".lock");

	*b = (struct batch){ .tree = tree, .lock = { .fd = -1 } };
	b->state = lh_subject_path(dir, ".tlog", "");
	b->entry = lh_calloc(ENTRIES, sizeof *b->entry);
	b->text = lh_calloc(ENTRIES, sizeof *b->text);
	if (lh_lock_take(&b->lock, lock, dir, lock_timeout, err) < 0)
		return -1;
	/* A batch publishes the tree that a killed writer signed. */
	return lh_tlog_begin(tree, err) < 0 ? -1 : lh_tlog_commit(tree, err);
}

static int batch_look(struct batch *b, bool lost, bool none, struct lh_err *err)
{
	int rc = read_state(b, err);

	if (rc < 0)
		return -1;
	if (none)
		b->size = lh_tlog_head(b->tree)->size;
	else if (lost || !rc)
		b->size = 0;
	return lh_tlog_index(b->tree, b->size, &b->late, err);
}

static void free_log(struct committed_log *l)
{
	lh_commit_free(&l->at);
	free(l->path);
}

static void batch_close(struct batch *b)
{
	while (b->n_logs)
		free_log(&b->log[--b->n_logs]);
	free(b->log);
	free(b->entry);
	free(b->text);
	lh_map_free(&b->late);
	lh_lock_drop(&b->lock);
	free(b->state);
}

/* ---- entries ---- */

/* Append the entries of the batch, then write the cursors of their logs. */
static int flush(struct batch *b, struct lh_err *err)
{
	uint64_t first = 0;
	size_t i;

	/* The names of logs and secrets are in the folder of .tlog. */
	if (b->n && (lh_sync_folder(b->state, err) < 0 ||
		     lh_tlog_append(b->tree, b->text, b->n, &first, err) < 0))
		return -1;
	b->appended += b->n;
	b->n = 0;
	for (i = 0; i < b->n_logs; i++) {
		struct committed_log *l = &b->log[i];

		if (l->rows)
			lh_commit_add(&l->at, first + l->first, l->rows, lh_str_of(l->tip));
		if ((l->rows || l->changed) && lh_commit_write(&l->at, l->path, err) < 0)
			return -1;
		l->rows = 0;
		l->changed = false;
	}
	for (i = 0; i + 1 < b->n_logs; i++)
		free_log(&b->log[i]);
	if (b->n_logs > 1)
		b->log[0] = b->log[b->n_logs - 1];
	b->n_logs = b->n_logs > 0;
	return 0;
}

/* Begin with a log: its cursor, which is taken over, and its path, which is copied. */
static void batch_begin_log(struct batch *b, const char *cursor, struct lh_commit *at)
{
	struct committed_log *l;

	lh_grow(&b->log, &b->cap, b->n_logs + 1, sizeof *b->log);
	l = &b->log[b->n_logs];
	*l = (struct committed_log){ .path = lh_strndup(cursor, strlen(cursor)) };
	l->at = *at;
	*at = (struct lh_commit){ .count = 0 };
	b->n_logs++;
}

/* Find a row that a killed run has appended; it comes after those in the batch. */
static int find_late(struct batch *b, const char entry[LH_COMMIT_ENTRY], struct lh_str row_hmac,
		     struct lh_err *err)
{
	uint8_t hash[LH_TLOG_HASH];
	uint64_t index;

	if (!b->late.n)
		return 0;
	lh_tlog_leaf(entry, LH_COMMIT_ENTRY, hash);
	if (!lh_tlog_index_find(&b->late, hash, &index))
		return 0;
	if (b->log[b->n_logs - 1].rows && flush(b, err) < 0)
		return -1;
	b->log[b->n_logs - 1].changed = true;
	lh_commit_add(&b->log[b->n_logs - 1].at, index, 1, row_hmac);
	return 1;
}

/* Add the entry of the next row of that log. */
static int batch_add(struct batch *b, const char entry[LH_COMMIT_ENTRY], struct lh_str row_hmac,
		     struct lh_err *err)
{
	struct committed_log *l;
	int rc = find_late(b, entry, row_hmac, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	l = &b->log[b->n_logs - 1];
	if (!l->rows++)
		l->first = b->n;
	memcpy(l->tip, row_hmac.p, LH_CHAIN_TIP - 1);
	memcpy(b->entry[b->n], entry, LH_COMMIT_ENTRY);
	b->text[b->n] = (struct lh_str){ b->entry[b->n], LH_COMMIT_ENTRY };
	return ++b->n == ENTRIES ? flush(b, err) : 0;
}

/* Append what is left, and write .tlog unless a log was passed over. */
static int batch_end(struct batch *b, bool passed_over, struct lh_err *err)
{
	if (flush(b, err) < 0)
		return -1;
	if (passed_over || lh_tlog_head(b->tree)->size == b->size)
		return 0;
	/* A cursor that a killed run has renamed may not be on disk under that name. */
	return lh_sync_folder(b->state, err) < 0 ? -1 : write_state(b, err);
}

/* ---- commit ---- */

struct commit {
	struct lh_tool *tool;
	const struct settings *s;
	struct batch batch;
	struct lh_hmac *secret;		/* of the log at hand */
	struct key_check key;
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
		lh_tool_message(c->tool, "%s: shortened: it has %s, and %llu are committed", path,
				LH_N(rows, "row"), then);
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
	const struct lh_chain_check check = check_of(tool, s, log->name, log->anchor);
	char error[LH_CHAIN_ERROR];
	struct lh_chain_verdict v;
	struct commit *c = ctx;
	int rc;

	if (c->failed)
		return 0;
	rc = lh_chain_verify(path, &check, &v, &tool->err);
	if (!rc)
		rc = key_settle(&c->key, tool, s, &check, path, &v);
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

/* ---- anchor ---- */

struct out {
	struct lh_buf lines;
	struct lh_buf accepted;		/* logs that --accept took, as members of an array */
	size_t logs;
	struct key_check key;
	bool broken;	/* a log is not a continuation of the anchor that it was compared with */
};

/* Write the line of a log.  It has the name if the id does not give it: for a log that
 * another program named, and for one without rows. */
static void write_log(struct out *o, const struct log *log, const struct lh_buf *id,
		     const struct lh_chain_verdict *v, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(&o->lines);
	char name[LH_SUBJECT_MAX + 1];
	const char *p = id->len ? id->p : log->name;
	size_t n = id->len ? id->len : strlen(log->name);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "candidate_id", (struct lh_str){ p, n });
	lh_write_u64(&w, "count", v->count);
	lh_write_text(&w, "tip", v->tip);
	if (lh_subject_name(name, p, n, err) < 0 || strcmp(name, log->name) != 0)
		lh_write_text(&w, "log", log->name);
	lh_write_end(&w);
	lh_buf_putc(&o->lines, '\n');
	o->logs++;
}

/* Write the end of a log, as an anchor or a verdict has it. */
static void write_end_of(struct lh_writer *w, const char *name, uint64_t count, const char *tip)
{
	lh_write_object(w, name);
	lh_write_u64(w, "count", count);
	lh_write_text(w, "tip", tip);
	lh_write_end(w);
}

/* Accept a log that is sound, but is not the one of its anchor: true if it was asked for. */
static bool accept_log(struct lh_tool *tool, const struct settings *s, const char *path,
		       const struct log *log, const struct lh_chain_verdict *v, struct out *o)
{
	struct lh_writer w = lh_write_to(&o->accepted);

	if (!s->accept || !log->anchor || v->fault != LH_CHAIN_ANCHOR || v->torn)
		return false;
	if (o->accepted.len)
		lh_buf_putc(&o->accepted, ',');
	lh_write_object(&w, NULL);
	lh_write_bytes(&w, "log", log->name);
	write_end_of(&w, "was", log->anchor->count, log->anchor->tip);
	write_end_of(&w, "now", v->count, v->tip);
	lh_write_end(&w);
	lh_tool_message(tool, "%s: accepted with %s, where the anchor has %llu", path,
			LH_N(v->count, "row"), (unsigned long long)log->anchor->count);
	return true;
}

/* Write who accepted what, and why.  Of sudo(8) it is known for whom it runs. */
static void write_accepted(struct lh_writer *w, const struct settings *s, const struct out *o)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *sudo = getenv("SUDO_USER");
	LH_SCOPED(lh_buf_free) struct lh_buf list = { 0 };
	char uid[24];

	snprintf(uid, sizeof uid, "%lu", (unsigned long)getuid());
	lh_buf_putc(&list, '[');
	lh_buf_add(&list, o->accepted.p, o->accepted.len);
	lh_buf_putc(&list, ']');
	lh_write_object(w, "accepted");
	lh_write_bytes(w, "reason", s->accept);
	lh_write_bytes(w, "user", pw ? pw->pw_name : uid);
	if (sudo && *sudo)
		lh_write_bytes(w, "sudo_user", sudo);
	lh_write_raw(w, "logs", (struct lh_str){ list.p, list.len });
	lh_write_end(w);
}

/* Write the checkpoint of the transparency log as it is now. */
static int write_checkpoint(struct lh_writer *w, const char *dir, struct lh_err *err)
{
	struct lh_tlog *tree = dir ? lh_tlog_open(dir, err) : NULL;

	if (dir && !tree)
		return -1;
	if (tree)
		lh_write_str(w, "checkpoint", lh_tlog_head(tree)->note);
	lh_tlog_close(tree);
	return 0;
}

/* Anchor one log with exactly the rows that were verified; a broken one as far as
 * it is intact. */
static int anchor_log(struct lh_tool *tool, const struct settings *s, const char *path,
		      const struct log *log, void *ctx)
{
	const struct lh_chain_check c = check_of(tool, s, log->name, log->anchor);
	char error[LH_CHAIN_ERROR];
	struct lh_chain_verdict v;
	struct out *o = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	int rc;

	if (lh_chain_verify(path, &c, &v, &tool->err) < 0)
		return -1;
	if (tool->allow_empty && v.fault == LH_CHAIN_NO_ROWS)
		v.fault = LH_CHAIN_WHOLE;
	if (key_settle(&o->key, tool, s, &c, path, &v) < 0)
		return -1;
	log_error(log, &v, error);
	if (*error && !accept_log(tool, s, path, log, &v, o)) {
		if (key_is_wrong(&o->key))
			;	/* said at the end; none is called forged for that */
		else if (v.fault == LH_CHAIN_NO_ROWS ||
			 (v.fault == LH_CHAIN_ANCHOR && log->anchor))
			log_say(tool, path, log, &v, error);
		else if (s->against || v.absent)
			lh_tool_warn(tool, "%s: %s%s", path,
				     v.state == LH_CHAIN_TORN ? "torn, repair it first: " : "",
				     error);
		else
			lh_tool_warn(tool, "%s: %s; the %s anchored", path, error,
				     LH_N(v.count, "row before it is|rows before it are"));
		lh_tool_verdict_bad(tool);
		o->broken = true;
	}
	if (v.absent)
		return 0;
	rc = lh_chain_subject(path, tool->max_line, tool->lock_timeout, &id, &tool->err);
	if (rc < 0)
		return -1;
	write_log(o, log, &id, &v, &tool->err);
	return 0;
}

int audit_anchor(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(anchor_free) struct anchor a = { .n = 0 };
	struct out o = { .logs = 0 };
	int rc;

	if (s->against && anchor_read(&a, s->against, s->dir, &s->keys, &tool->err) < 0)
		return -1;
	rc = each_log(tool, s, &a, anchor_log, &o, NULL);
	if (!rc && key_is_wrong(&o.key))
		rc = key_error(&tool->err);
	if (!rc && !(s->against && o.broken)) {
		/* Write the last line; its MAC is of all that comes before the member. */
		struct lh_writer w = lh_write_to(&o.lines);
		char now[32], hex[LH_SHA256_HEX];
		unsigned char sum[32];

		lh_tool_time(tool, now);
		lh_write_object(&w, NULL);
		lh_write_text(&w, "schema", ANCHOR_SCHEMA);
		lh_write_text(&w, "ts", now);
		lh_write_u64(&w, "logs", o.logs);
		if (o.accepted.len)
			write_accepted(&w, s, &o);
		rc = write_checkpoint(&w, s->tlog, &tool->err);
		lh_hmac(s->keys.key[0], o.lines.p ? o.lines.p : "", o.lines.len, NULL, 0, sum);
		lh_hex(sum, sizeof sum, hex);
		lh_write_str(&w, "hmac", (struct lh_str){ hex, sizeof hex });
		lh_write_end(&w);
		lh_buf_putc(&o.lines, '\n');
		rc = rc ? rc : print(tool, &o.lines);
	}
	if (!rc && !o.broken)
		lh_tool_verdict_over(tool, o.logs, "logs", s->dir);
	if (!rc && s->accept && !o.accepted.len && !o.broken)
		lh_tool_message(tool, "--accept: all is as anchored; there is nothing to accept");
	lh_buf_free(&o.lines);
	lh_buf_free(&o.accepted);
	return rc;
}
