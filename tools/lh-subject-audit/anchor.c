/* anchor.c - lh-subject-audit anchor. */
#include <stdlib.h>

#include "audit.h"
#include "tlog/log.h"
#include <lh/digest.h>

struct out {
	struct lh_buf lines;
	size_t logs;
	struct key_check key;
	bool tried;	/* the other logs, by this key */
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
	struct lh_chain_check c = {
		.keys = &s->keys, .name = log->name, .jobs = (unsigned)tool->jobs,
		.max_row = tool->max_line, .anchor = log->anchor,
		.lock_timeout = tool->lock_timeout,
	};
	char error[LH_CHAIN_ERROR];
	struct lh_chain_verdict v;
	struct out *o = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	int rc;

	if (lh_chain_verify(path, &c, &v, &tool->err) < 0)
		return -1;
	key_look(&o->key, &c, path, &v);
	if (key_is_wrong(&o->key) && !o->tried) {
		o->tried = true;
		if (key_try_others(&o->key, tool, s) < 0)
			return -1;
	}
	log_error(log, &v, error);
	if (*error) {
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
			lh_tool_warn(tool, "%s: %s; the %llu rows before it are anchored", path,
				     error, (unsigned long long)v.count);
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
		rc = write_checkpoint(&w, s->tlog, &tool->err);
		lh_hmac(s->keys.key[0], o.lines.p ? o.lines.p : "", o.lines.len, NULL, 0, sum);
		lh_hex(sum, sizeof sum, hex);
		lh_write_str(&w, "hmac", (struct lh_str){ hex, sizeof hex });
		lh_write_end(&w);
		lh_buf_putc(&o.lines, '\n');
		rc = rc ? rc : print(tool, &o.lines);
	}
	lh_buf_free(&o.lines);
	return rc;
}
