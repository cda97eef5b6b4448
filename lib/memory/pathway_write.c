/* pathway_write.c - append events.  See pathway.h. */
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json/write.h"
#include "pathway_parts.h"
#include "memory/session.h"

/* Lock the log that the path leads to. */
static int lock_log(struct lh_pathway *p, struct lh_err *err)
{
	for (;;) {
		if (lh_pathway_open_log(p, true, err) < 0 ||
		    lh_flock(p->log.fd, LOCK_EX, p->log.path, p->log.lock_timeout, err) < 0)
			return -1;
		if (lh_is_still_named(p->log.fd, p->log.path))
			return 0;
		lh_pathway_forget(p);
	}
}

/* Lock the log and replay what others appended. */
static int begin_change(struct lh_pathway *p, struct lh_err *err)
{
	struct stat st;

	if (p->mode == LH_PATHWAY_READ)
		return lh_err_set(err, LH_EUSAGE, "%s: it was opened for reading", p->log.path);
	if (lock_log(p, err) < 0)
		return -1;
	lh_buf_reset(&p->line);
	if (fstat(p->log.fd, &st) < 0)
		lh_err_sys(err, "%s", p->log.path);
	else if (lh_pathway_replay(p, (uint64_t)st.st_size, err) == 0)
		return 0;
	flock(p->log.fd, LOCK_UN);
	return -1;
}

static int abandon_change(struct lh_pathway *p)
{
	flock(p->log.fd, LOCK_UN);
	return -1;
}

/* Append the event in p->line, if it can be read back, and apply it here. */
static int append_event(struct lh_pathway *p, struct lh_err *err)
{
	struct lh_value v;
	int rc = 0;

	if (p->line.len > p->max_line)
		rc = lh_err_data(err, 413, "the event is longer than %llu bytes",
				 (unsigned long long)p->max_line);
	if (!rc && (rc = lh_json_parse(&p->scan, p->line.p, p->line.len, &v, err)) < 0) {
		err->column = 0;	/* of the event, not of the input */
		lh_err_prefix(err, "as an event of the log");
	}
	if (rc < 0)
		return abandon_change(p);
	if (lh_applog_append(&p->log, p->line.p, p->line.len, LH_SYNC_NONE, err) < 0)
		return abandon_change(p);
	return lh_pathway_refresh(p, err);
}

/* Mint an unused uid from the clock, or by counting up if the clock is fixed. */
static struct lh_str mint_uid(const struct lh_pathway *p, const struct lh_pathway_new *t,
			      char uid[LH_SESSION_ID])
{
	uint64_t number = p->uids.n;

	do {
		if (t->fixed)
			lh_session_mint_at(uid, t->ns / 1000000, ++number);
		else
			lh_session_mint(uid);
	} while (lh_pathway_find(p, uid, strlen(uid)) >= 0);
	return (struct lh_str){ uid, strlen(uid) };
}

static int check_new(const struct lh_pathway_new *t, struct lh_err *err)
{
	struct lh_iter it;

	if (t->uid.n && lh_pathway_uid_check("uid", t->uid.n, err) < 0)
		return -1;
	if (t->tags && t->tags->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"tags\" must be an array of strings");
	if (t->tags)
		for (lh_iter_init(&it, t->tags); lh_iter_next(&it); )
			if (it.val.type != LH_STRING)
				return lh_err_set(err, LH_EDATA,
						  "\"tags\" must be an array of strings");
	return 0;
}

/* Append the event of a new trace, after begin_change. */
static int append_trace(struct lh_pathway *p, const char *op, const struct lh_pathway_new *t,
			uint32_t *i, struct lh_err *err)
{
	char minted[LH_SESSION_ID];
	struct lh_str uid = t->uid.n ? t->uid : mint_uid(p, t, minted);
	struct lh_writer json = lh_write_to(&p->line);
	int64_t at;

	if (p->uids.n >= UINT32_MAX - 1) {
		lh_err_set(err, LH_EDATA, "the log holds as many traces as it can");
		return abandon_change(p);
	}
	lh_write_object(&json, NULL);
	lh_write_text(&json, "op", op);
	lh_write_object(&json, "trace");
	lh_write_str(&json, "uid", uid);
	lh_write_value(&json, "content", t->content);
	if (t->predecessor.n)
		lh_write_str(&json, "predecessor_uid", t->predecessor);
	lh_write_i64(&json, "created_at_ns", t->ns);
	lh_write_i64(&json, "updated_at_ns", t->ns);
	lh_write_bool(&json, "retired", false);
	lh_write_u64(&json, "replay_count", 0);
	if (t->tags)
		lh_write_value(&json, "tags", t->tags);
	lh_write_end(&json);
	lh_write_end(&json);
	if (append_event(p, err) < 0)
		return -1;
	at = lh_pathway_find(p, uid.p, uid.n);
	if (at < 0)
		return lh_err_set(err, LH_ECORRUPT, "%s: what was appended is not there",
				  p->log.path);
	*i = (uint32_t)at;
	return 0;
}

static int refuse_known(struct lh_pathway *p, struct lh_str uid, struct lh_err *err)
{
	lh_err_data(err, 409, "uid \"%.*s\" is known already", (int)(uid.n > 100 ? 100 : uid.n),
		    uid.p);
	return abandon_change(p);
}

int lh_pathway_add(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
		   struct lh_err *err)
{
	if (check_new(t, err) < 0 || begin_change(p, err) < 0)
		return -1;
	if (t->uid.n && lh_pathway_find(p, t->uid.p, t->uid.n) >= 0)
		return refuse_known(p, t->uid, err);
	return append_trace(p, "add", t, i, err);
}

static int refuse_unknown(struct lh_pathway *p, const char *what, struct lh_str uid,
			  struct lh_err *err)
{
	lh_err_data(err, 404, "unknown %s \"%.*s\"", what, (int)(uid.n > 100 ? 100 : uid.n), uid.p);
	return abandon_change(p);
}

int lh_pathway_revise(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
		      struct lh_err *err)
{
	if (check_new(t, err) < 0 ||
	    lh_pathway_uid_check("predecessor_uid", t->predecessor.n, err) < 0 ||
	    begin_change(p, err) < 0)
		return -1;
	if (lh_pathway_find(p, t->predecessor.p, t->predecessor.n) < 0)
		return refuse_unknown(p, "predecessor_uid", t->predecessor, err);
	if (t->uid.n && lh_pathway_find(p, t->uid.p, t->uid.n) >= 0)
		return refuse_known(p, t->uid, err);
	return append_trace(p, "revise", t, i, err);
}

/* Append an event that names a trace by its uid only, after begin_change. */
static int append_uid(struct lh_pathway *p, const char *op, struct lh_str uid, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(&p->line);

	lh_write_object(&json, NULL);
	lh_write_text(&json, "op", op);
	lh_write_str(&json, "uid", uid);
	lh_write_end(&json);
	return append_event(p, err);
}

int lh_pathway_add_idempotent(struct lh_pathway *p, const struct lh_pathway_new *t, uint32_t *i,
			      struct lh_err *err)
{
	int64_t known;

	if (check_new(t, err) < 0 || lh_pathway_uid_check("uid", t->uid.n, err) < 0 ||
	    begin_change(p, err) < 0)
		return -1;
	known = lh_pathway_find(p, t->uid.p, t->uid.n);
	if (known < 0)
		return append_trace(p, "add", t, i, err);
	*i = (uint32_t)known;
	return append_uid(p, "replay", t->uid, err);
}

/* Begin a change and find the trace of that uid. */
static int begin_existing(struct lh_pathway *p, struct lh_str uid, uint32_t *i, struct lh_err *err)
{
	int64_t known;

	if (lh_pathway_uid_check("uid", uid.n, err) < 0 || begin_change(p, err) < 0)
		return -1;
	known = lh_pathway_find(p, uid.p, uid.n);
	if (known < 0)
		return refuse_unknown(p, "uid", uid, err);
	*i = (uint32_t)known;
	return 0;
}

int lh_pathway_update(struct lh_pathway *p, struct lh_str uid, const struct lh_value *content,
		      int64_t ns, uint32_t *i, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(&p->line);

	if (begin_existing(p, uid, i, err) < 0)
		return -1;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "op", "update");
	lh_write_key(&json, "trace");
	if (lh_pathway_put_with(p, *i, content, ns, &p->line, err) < 0)
		return abandon_change(p);
	lh_write_str(&json, "uid", uid);
	lh_write_value(&json, "content", content);
	lh_write_end(&json);
	return append_event(p, err);
}

int lh_pathway_retire(struct lh_pathway *p, struct lh_str uid, uint32_t *i, struct lh_err *err)
{
	if (begin_existing(p, uid, i, err) < 0)
		return -1;
	if (p->trace[*i].retired) {
		abandon_change(p);
		return 0;
	}
	return append_uid(p, "retire", uid, err);
}

int lh_pathway_sync(struct lh_pathway *p, struct lh_err *err)
{
	if (p->log.fd < 0 || fdatasync(p->log.fd) == 0)
		return 0;
	return lh_err_sys(err, "%s: cannot sync", p->log.path);
}
