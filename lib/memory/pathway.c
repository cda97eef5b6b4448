/* pathway.c - open and replay a log of traces, and read traces.  See pathway.h. */
#include "pathway.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/rows.h"
#include "json/write.h"
#include "pathway_parts.h"

/* ---- events ---- */

int lh_pathway_uid_check(const char *what, size_t n, struct lh_err *err)
{
	if (!n)
		return lh_err_set(err, LH_EDATA, "empty %s", what);
	if (n > LH_PATHWAY_UID_MAX)
		return lh_err_data(err, 413, "%s is longer than %d bytes", what,
				   LH_PATHWAY_UID_MAX);
	return 0;
}

static struct lh_span span_of(const struct lh_pathway *p, uint64_t at, const struct lh_value *v)
{
	return (struct lh_span){ at + (uint64_t)(v->p - p->rec.line), (uint32_t)v->n };
}

/* Read a string that can be a uid, unescaped at the end of p->text. */
static int read_uid(struct lh_pathway *p, const char *what, const struct lh_value *v,
		    struct lh_str *uid, struct lh_err *err)
{
	if (!v || v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA,
				  v ? "\"%s\" is not a string" : "missing string field \"%s\"",
				  what);
	lh_buf_reset(&p->text);
	lh_value_str(v, &p->text, uid);
	return lh_pathway_uid_check(what, uid->n, err);
}

static int read_whole(const char *what, const struct lh_value *v, int64_t *to, struct lh_err *err)
{
	if (v->type != LH_NUMBER || !lh_value_i64(v, to))
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a whole number", what);
	return 0;
}

static int read_tags(struct lh_pathway *p, uint64_t at, const struct lh_value *v,
		     struct lh_trace *t, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type == LH_NULL)
		return 0;
	if (v->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"tags\" is not an array");
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA,
					  "\"tags\" holds something that is not a string");
	t->tags = span_of(p, at, v);
	return 0;
}

enum { UID, CONTENT, PREDECESSOR, CREATED, UPDATED, RETIRED, REPLAYS, TAGS, MEMBERS };

static void find_members(const struct lh_value *trace, struct lh_value got[MEMBERS])
{
	static const char *const names[] = {
		"uid",		 "content", "predecessor_uid", "created_at_ns",
		"updated_at_ns", "retired", "replay_count",    "tags",
	};
	struct lh_iter it;
	size_t i;

	memset(got, 0, MEMBERS * sizeof *got);
	for (lh_iter_init(&it, trace); lh_iter_next(&it); ) {
		for (i = 0; i < MEMBERS && !lh_value_is(&it.key, names[i], strlen(names[i])); i++)
			;
		if (i < MEMBERS)
			got[i] = it.val;
	}
}

/* Read the members of a trace other than its uid.  An absent time or count is 0; an
 * empty or null predecessor is none. */
static int read_trace(struct lh_pathway *p, uint64_t at, const struct lh_value got[MEMBERS],
		      struct lh_trace *t, struct lh_err *err)
{
	struct lh_str uid;

	if (!got[CONTENT].n)
		return lh_err_set(err, LH_EDATA, "missing field \"content\"");
	t->content = span_of(p, at, &got[CONTENT]);
	if (got[PREDECESSOR].n && got[PREDECESSOR].type != LH_NULL &&
	    !lh_value_is(&got[PREDECESSOR], "", 0)) {
		if (read_uid(p, "predecessor_uid", &got[PREDECESSOR], &uid, err) < 0)
			return -1;
		t->predecessor = span_of(p, at, &got[PREDECESSOR]);
	}
	if (got[CREATED].n && read_whole("created_at_ns", &got[CREATED], &t->created, err) < 0)
		return -1;
	if (got[UPDATED].n && read_whole("updated_at_ns", &got[UPDATED], &t->updated, err) < 0)
		return -1;
	if (got[REPLAYS].n && read_whole("replay_count", &got[REPLAYS], &t->replays, err) < 0)
		return -1;
	if (got[RETIRED].n && got[RETIRED].type != LH_TRUE && got[RETIRED].type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"retired\" is neither true nor false");
	t->retired = got[RETIRED].n && got[RETIRED].type == LH_TRUE;
	return got[TAGS].n ? read_tags(p, at, &got[TAGS], t, err) : 0;
}

/* Apply add or revise. */
static int apply_trace(struct lh_pathway *p, uint64_t at, bool revises, struct lh_err *err)
{
	const struct lh_value *trace = lh_record_get(&p->rec, "trace");
	struct lh_value got[MEMBERS];
	struct lh_trace t = { .replays = 0 };
	unsigned char hash[32];
	struct lh_str uid;
	bool is_new;

	if (!trace || trace->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA,
				  trace ? "\"trace\" is not an object" :
					  "missing object field \"trace\"");
	find_members(trace, got);
	if (read_trace(p, at, got, &t, err) < 0)
		return -1;
	if (revises && !t.predecessor.n)
		return lh_err_set(err, LH_EDATA, "missing string field \"predecessor_uid\"");
	if (read_uid(p, "uid", got[UID].n ? &got[UID] : NULL, &uid, err) < 0)
		return -1;
	t.uid = span_of(p, at, &got[UID]);
	lh_sha256(uid.p, uid.n, hash);
	if (lh_hashset_has(&p->uids, hash))
		return lh_err_set(err, LH_EDATA, "its uid is known already");
	lh_grow(&p->trace, &p->cap, p->uids.n + 1, sizeof *p->trace);
	if (lh_hashset_add(&p->uids, hash, &is_new, err) < 0)
		return -1;
	p->trace[p->uids.n - 1] = t;
	p->retired += t.retired;
	return 0;
}

static int find_trace(struct lh_pathway *p, struct lh_trace **t, struct lh_err *err)
{
	struct lh_str uid;
	int64_t i;

	if (read_uid(p, "uid", lh_record_get(&p->rec, "uid"), &uid, err) < 0)
		return -1;
	i = lh_pathway_find(p, uid.p, uid.n);
	if (i < 0)
		return lh_err_set(err, LH_EDATA, "unknown uid");
	*t = &p->trace[i];
	return 0;
}

/* Apply update.  Its time is that of the trace in the event, if there is one. */
static int apply_update(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	const struct lh_value *content = lh_record_get(&p->rec, "content"),
			      *in_event = lh_record_get(&p->rec, "trace");
	struct lh_value got[MEMBERS];
	struct lh_trace *t;
	int64_t ns;

	if (!content)
		return lh_err_set(err, LH_EDATA, "missing field \"content\"");
	if (find_trace(p, &t, err) < 0)
		return -1;
	ns = t->updated;
	if (in_event && in_event->type == LH_OBJECT) {
		find_members(in_event, got);
		if (got[UPDATED].n && read_whole("updated_at_ns", &got[UPDATED], &ns, err) < 0)
			return -1;
	}
	t->updated = ns;
	t->content = span_of(p, at, content);
	return 0;
}

static int apply_retire(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	struct lh_trace *t;

	(void)at;
	if (find_trace(p, &t, err) < 0)
		return -1;
	p->retired += !t->retired;
	t->retired = true;
	return 0;
}

static int apply_replay(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	struct lh_trace *t;

	(void)at;
	if (find_trace(p, &t, err) < 0)
		return -1;
	t->replays += t->replays < INT64_MAX;
	return 0;
}

static int apply_add(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	return apply_trace(p, at, false, err);
}

static int apply_revise(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	return apply_trace(p, at, true, err);
}

static const struct {
	const char *op;
	int (*apply)(struct lh_pathway *p, uint64_t at, struct lh_err *err);
} ops[] = {
	{ "add", apply_add },	    { "update", apply_update }, { "revise", apply_revise },
	{ "retire", apply_retire }, { "replay", apply_replay },
};

/* Apply the event in p->rec, which begins at offset at of the log.  Returns 1 when it
 * changed something, 0 when it must be skipped, with the reason in err->msg, -1 without
 * memory. */
static int lh_pathway_apply(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	const struct lh_value *op = lh_record_get(&p->rec, "op");
	size_t i, n = sizeof ops / sizeof *ops;

	if (!op || op->type != LH_STRING) {
		lh_err_set(err, LH_EDATA,
			   op ? "\"op\" is not a string" : "missing string field \"op\"");
		return 0;
	}
	for (i = 0; i < n && !lh_value_is(op, ops[i].op, strlen(ops[i].op)); i++)
		;
	if (i == n) {
		lh_err_set(err, LH_EDATA,
			   "\"op\" is not one of add, update, revise, retire, replay");
		return 0;
	}
	if (ops[i].apply(p, at, err) == 0)
		return 1;
	return err->code == LH_EDATA ? 0 : -1;
}

/* ---- the log ---- */

#define BLOCK ((size_t)256 << 10)
#define WINDOW ((size_t)16 << 10)
#define MAX_LINE ((uint64_t)256 << 20)

int lh_pathway_open_log(struct lh_pathway *p, bool create, struct lh_err *err)
{
	struct lh_applog log;

	if (p->log.fd >= 0)
		return 0;
	if (p->mode == LH_PATHWAY_READ) {
		p->log.fd = lh_open_regular(p->log.path, O_RDONLY, 0, err);
		return p->log.fd < 0 ? -1 : 0;
	}
	if (!create && access(p->log.path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (lh_applog_open(&log, p->log.path, 0600, p->log.lock_timeout, err) < 0)
		return -1;
	lh_applog_close(&p->log, err);
	p->log = log;
	return 0;
}

void lh_pathway_forget(struct lh_pathway *p)
{
	close(p->log.fd);
	p->log.fd = -1;
	p->at = p->lines = p->reported_at = p->reported_n = 0;
	p->erased_at = UINT64_MAX;
	p->skipping = false;
	p->events = p->retired = p->skipped = 0;
	lh_map_free(&p->uids);
	lh_buf_reset(&p->block);
	lh_buf_reset(&p->window);
}

struct lh_pathway *lh_pathway_open(const char *path, enum lh_pathway_mode mode,
				   const struct lh_pathway_hooks *hooks, double lock_timeout,
				   struct lh_err *err)
{
	struct lh_pathway *p = lh_calloc(1, sizeof *p);

	p->mode = mode;
	p->hooks = hooks;
	p->max_line = hooks && hooks->max_line ? hooks->max_line : MAX_LINE;
	p->erased_at = UINT64_MAX;
	p->log.fd = -1;
	p->log.lock_timeout = lock_timeout;
	p->log.path = lh_strndup(path, strlen(path));
	if (lh_pathway_open_log(p, mode == LH_PATHWAY_WRITE, err) == 0 &&
	    lh_pathway_refresh(p, err) == 0)
		return p;
	lh_pathway_close(p, &(struct lh_err){ 0 });
	return NULL;
}

bool lh_pathway_in_place(const struct lh_pathway *p)
{
	struct stat st;

	return p->log.fd < 0 ||
	       (stat(p->log.path, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->ino);
}

int lh_pathway_close(struct lh_pathway *p, struct lh_err *err)
{
	int rc;

	if (!p)
		return 0;
	rc = lh_applog_close(&p->log, err);
	lh_record_free(&p->rec);
	lh_record_free(&p->scan);
	lh_buf_free(&p->block);
	lh_buf_free(&p->window);
	lh_buf_free(&p->text);
	lh_buf_free(&p->line);
	lh_map_free(&p->uids);
	free(p->trace);
	free(p);
	return rc;
}

void lh_pathway_get_stats(const struct lh_pathway *p, struct lh_pathway_stats *st)
{
	*st = (struct lh_pathway_stats){ p->events, p->uids.n, p->retired, p->skipped };
}

/* ---- replay ---- */

static void report_skipped(struct lh_pathway *p, uint64_t at, const char *why)
{
	p->skipped++;
	if (p->hooks && p->hooks->skipped)
		p->hooks->skipped(p->hooks->ctx, p->lines, at, why);
}

static void skip_long_line(struct lh_pathway *p, uint64_t at)
{
	char why[80];

	snprintf(why, sizeof why, "torn line skipped: it is longer than %llu bytes",
		 (unsigned long long)p->max_line);
	report_skipped(p, at, why);
}

/* Replay a line without its LF; whole: it had one.  Returns 1 when done, 0 for an
 * unfinished last line that is not an event, -1 without memory. */
static int replay_line(struct lh_pathway *p, const char *s, size_t n, uint64_t at, bool whole,
		       struct lh_err *err)
{
	char why[sizeof err->msg + 40];
	int rc;

	if (at == 0 && n >= 3 && !memcmp(s, "\xef\xbb\xbf", 3))
		s += 3, n -= 3, at += 3;
	p->lines++;
	if (lh_line_empty(s, n)) {
		if (!lh_line_blank(s, n) && at < p->erased_at)
			p->erased_at = at;
		return 1;
	}
	if (n > p->max_line) {
		skip_long_line(p, at);
		return 1;
	}
	if (lh_record_parse(&p->rec, s, n, err) < 0) {
		if (p->reported_at != at || p->reported_n != n) {
			snprintf(why, sizeof why, "torn line skipped: %s",
				 whole ? err->msg : "it has no end");
			report_skipped(p, at, why);
		}
		p->reported_at = at;
		p->reported_n = n;
		return whole;
	}
	rc = lh_pathway_apply(p, at + (uint64_t)(p->rec.line - s), err);
	if (rc < 0)
		return -1;
	if (rc) {
		p->events++;
	} else {
		snprintf(why, sizeof why, "event skipped: %s", err->msg);
		report_skipped(p, at, why);
	}
	return 1;
}

/* Replay the lines of the block, which begins at offset p->at of the log: up to its
 * last LF, or all of it at the end of the log. */
static int replay_block(struct lh_pathway *p, bool last, struct lh_err *err)
{
	const char *s = p->block.p, *end = s + p->block.len, *lf = NULL;
	int rc = 1;

	for (; s < end; s = lf + 1) {
		uint64_t at = p->at + (uint64_t)(s - p->block.p);

		lf = memchr(s, '\n', (size_t)(end - s));
		if (p->skipping && lf) {
			p->skipping = false;
			continue;
		}
		if (p->skipping || (!lf && !last))
			break;
		rc = replay_line(p, s, (size_t)((lf ? lf : end) - s), at, lf != NULL, err);
		if (rc < 0)
			return -1;
		if (!lf) {
			p->lines--;	/* its LF is still to come */
			s = rc ? end : s;
			break;
		}
	}
	if (p->skipping)
		s = end;
	p->at += (uint64_t)(s - p->block.p);
	p->block.len = (size_t)(end - s);
	memmove(p->block.p, s, p->block.len);
	return 0;
}

/* Make room when a line fills the block, or skip the line if it is too long. */
static void make_room(struct lh_pathway *p)
{
	if (p->block.len <= p->max_line) {
		lh_buf_grow(&p->block, p->block.len ? p->block.len : BLOCK);
		return;
	}
	p->lines++;
	skip_long_line(p, p->at);
	p->skipping = true;
	p->at += p->block.len;
	p->block.len = 0;
}

int lh_pathway_replay(struct lh_pathway *p, uint64_t size, struct lh_err *err)
{
	if (size < p->at)
		return lh_err_set(err, LH_ECORRUPT, "%s: it got shorter while it was read",
				  p->log.path);
	lh_buf_reset(&p->block);
	while (p->at + p->block.len < size) {
		uint64_t from = p->at + p->block.len, left = size - from;
		ssize_t n;

		if (p->block.cap - p->block.len < LH_PAD)
			make_room(p);
		if (left > p->block.cap - p->block.len)
			left = p->block.cap - p->block.len;
		n = pread(p->log.fd, p->block.p + p->block.len, left, (off_t)from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return lh_err_sys(err, "%s: read failed", p->log.path);
		if (n == 0)
			return lh_err_set(err, LH_ECORRUPT, "%s: it got shorter while it was read",
					  p->log.path);
		p->block.len += (size_t)n;
		if (replay_block(p, from + (uint64_t)n == size, err) < 0)
			return -1;
		if (from + (uint64_t)n == size)
			break;		/* the rest is an unfinished line */
	}
	if (p->block.cap > 4 * BLOCK)
		lh_buf_free(&p->block);
	return 0;
}

int lh_pathway_refresh(struct lh_pathway *p, struct lh_err *err)
{
	struct stat st;
	int rc;

	if (lh_pathway_open_log(p, false, err) < 0)
		return -1;
	if (p->log.fd < 0)
		return 0;
	/* Under this lock no other process is writing, or removing a torn line. */
	if (lh_flock(p->log.fd, LOCK_SH, p->log.path, p->log.lock_timeout, err) < 0)
		return -1;
	rc = fstat(p->log.fd, &st);
	flock(p->log.fd, LOCK_UN);
	if (rc < 0)
		return lh_err_sys(err, "%s", p->log.path);
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return lh_pathway_replay(p, (uint64_t)st.st_size, err);
}

/* ---- traces ---- */

int64_t lh_pathway_find(const struct lh_pathway *p, const char *uid, size_t n)
{
	unsigned char h[32];

	lh_sha256(uid, n, h);
	return lh_hashset_find(&p->uids, h);
}

bool lh_pathway_retired(const struct lh_pathway *p, uint32_t i)
{
	return p->trace[i].retired;
}

int64_t lh_pathway_created(const struct lh_pathway *p, uint32_t i)
{
	return p->trace[i].created;
}

/* Fill the window so that it holds n bytes from offset at on. */
static int move_window(struct lh_pathway *p, uint64_t at, size_t n, struct lh_err *err)
{
	size_t before = at < WINDOW / 2 ? at : WINDOW / 2,
	       want = before + (n > WINDOW / 2 ? n : WINDOW / 2), have = 0;

	lh_buf_reset(&p->window);
	p->window_at = at - before;	/* the next request may be on either side */
	if (!lh_buf_room(&p->window, want))
		return 0;
	while (have < before + n) {
		ssize_t got = pread(p->log.fd, p->window.p + have, want - have,
				    (off_t)(p->window_at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lh_err_sys(err, "%s: read failed", p->log.path);
		if (got == 0)
			return lh_err_set(err, LH_ECORRUPT, "%s: it got shorter while it was read",
					  p->log.path);
		have += (size_t)got;
	}
	p->window.len = have;
	return 0;
}

/* Read and check the value of a span; valid until the next call. */
static int read_span(struct lh_pathway *p, const struct lh_span *span, struct lh_value *v,
		    struct lh_err *err)
{
	if ((span->at < p->window_at || span->at + span->n > p->window_at + p->window.len) &&
	    move_window(p, span->at, span->n, err) < 0)
		return -1;
	if (lh_json_parse(&p->scan, p->window.p + (span->at - p->window_at), span->n, v, err) == 0)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: byte %llu is not what it was", p->log.path,
			  (unsigned long long)span->at);
}

int lh_pathway_content(struct lh_pathway *p, uint32_t i, struct lh_value *v, struct lh_err *err)
{
	return read_span(p, &p->trace[i].content, v, err);
}

int lh_pathway_tags(struct lh_pathway *p, uint32_t i, struct lh_value *v, struct lh_err *err)
{
	*v = (struct lh_value){ .n = 0 };
	return p->trace[i].tags.n ? read_span(p, &p->trace[i].tags, v, err) : 0;
}

static int write_span(struct lh_pathway *p, struct lh_writer *json, const char *name,
		      const struct lh_span *span, struct lh_err *err)
{
	struct lh_value v;

	if (!span->n)
		return 0;
	if (read_span(p, span, &v, err) < 0)
		return -1;
	lh_write_value(json, name, &v);
	return 0;
}

int lh_pathway_put_with(struct lh_pathway *p, uint32_t i, const struct lh_value *content,
			int64_t updated, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(out);
	const struct lh_trace *t = &p->trace[i];

	lh_write_object(&json, NULL);
	if (write_span(p, &json, "uid", &t->uid, err) < 0)
		return -1;
	if (content)
		lh_write_value(&json, "content", content);
	else if (write_span(p, &json, "content", &t->content, err) < 0)
		return -1;
	if (write_span(p, &json, "predecessor_uid", &t->predecessor, err) < 0)
		return -1;
	lh_write_i64(&json, "created_at_ns", t->created);
	lh_write_i64(&json, "updated_at_ns", updated);
	lh_write_bool(&json, "retired", t->retired);
	lh_write_i64(&json, "replay_count", t->replays);
	if (write_span(p, &json, "tags", &t->tags, err) < 0)
		return -1;
	lh_write_end(&json);
	return 0;
}

int lh_pathway_put(struct lh_pathway *p, uint32_t i, struct lh_buf *out, struct lh_err *err)
{
	return lh_pathway_put_with(p, i, NULL, p->trace[i].updated, out, err);
}

/* ---- predecessors ---- */

int64_t lh_pathway_predecessor(struct lh_pathway *p, uint32_t i, struct lh_err *err)
{
	struct lh_value v;
	struct lh_str uid;
	int64_t at;

	if (!p->trace[i].predecessor.n)
		return -1;
	lh_buf_reset(&p->text);
	if (read_span(p, &p->trace[i].predecessor, &v, err) < 0)
		return -3;
	lh_value_str(&v, &p->text, &uid);
	at = lh_pathway_find(p, uid.p, uid.n);
	if (at >= 0)
		return at;
	return p->erased_at < p->trace[i].predecessor.at ? -1 : -2;
}

/* Brent's algorithm: a mark that is moved at each power of two is met again in a cycle,
 * and only there. */
int lh_pathway_ends(struct lh_pathway *p, uint32_t i, struct lh_err *err)
{
	uint64_t steps = 0, next_mark = 1;
	int64_t at = i, mark = i;

	for (;;) {
		at = lh_pathway_predecessor(p, (uint32_t)at, err);
		if (at == -3)
			return -1;
		if (at < 0)
			return 0;
		if (at == mark)
			return lh_err_set(err, LH_EDATA, "the way back runs in a cycle");
		if (++steps == next_mark) {
			mark = at;
			next_mark *= 2;
		}
	}
}
