/* report.c - lh-subject-audit report: subject_audit_response.v1. */
#include "report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include <lh/time.h>

#define CHUNK 65536

/* ---- the rows ---- */

/* A row whose time cannot be read is always included. */
static bool in_window(const struct settings *s, const struct lh_record *rec)
{
	const struct lh_value *ts = lh_record_get(rec, "ts");
	struct lh_moment at, from, to;

	if (!ts || ts->type != LH_STRING || lh_moment_read(ts->p + 1, ts->n - 2, &at) < 0)
		return true;
	if (s->from && lh_moment_read(s->from, strlen(s->from), &from) == 0 && lh_moment_before(at, from))
		return false;
	return !(s->to && lh_moment_read(s->to, strlen(s->to), &to) == 0 && lh_moment_before(to, at));
}

static int take_line(struct report *r, struct lh_record *rec, const char *p, size_t n, row_fn fn, void *ctx)
{
	const struct lh_value *mac;

	r->rows++;
	if (lh_record_parse(rec, p, n, &r->tool->err) < 0)
		return r->tool->err.code == LH_EDATA ? 0 : -1;	/* the verdict has the fault */
	mac = lh_record_get(rec, "row_hmac");
	if (r->rows <= r->v.count && mac && lh_value_is(mac, r->root, strlen(r->root)))
		r->root_seen = true;
	if (!in_window(r->s, rec))
		return 0;
	r->in_window++;
	return fn ? fn(ctx, rec, &r->tool->err) : 0;
}

/* Process the whole lines in b and remove them. */
static int take_lines(struct report *r, struct lh_record *rec, struct lh_buf *b, row_fn fn, void *ctx)
{
	size_t at = 0;
	char *lf;
	int rc = 0;

	while (!rc && at < b->len && (lf = memchr(b->p + at, '\n', b->len - at))) {
		rc = take_line(r, rec, b->p + at, (size_t)(lf - b->p) - at, fn, ctx);
		at = (size_t)(lf - b->p) + 1;
	}
	if (at)
		memmove(b->p, b->p + at, b->len - at);
	b->len -= at;
	return rc;
}

int report_rows(struct report *r, row_fn fn, void *ctx)
{
	uint64_t left = r->v.bytes;
	struct lh_record rec;
	struct lh_buf b;
	int fd, rc = 0;
	ssize_t n = 1;
	char *to;

	r->rows = r->in_window = 0;
	if (!left)
		return 0;
	fd = open(r->log, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(&r->tool->err, "%s", r->log);
	lh_record_init(&rec);
	lh_buf_init(&b, LH_BUF_NOMAX);
	while (!rc && left && n > 0) {
		to = lh_buf_room(&b, CHUNK + LH_PAD);
		n = to ? lh_read_some(fd, to, left < CHUNK ? (size_t)left : CHUNK, &r->tool->err) : lh_buf_check(&b, &r->tool->err);
		if (n <= 0) {
			rc = (int)n;
			break;
		}
		lh_buf_took(&b, (size_t)n);
		left -= (uint64_t)n;
		rc = take_lines(r, &rec, &b, fn, ctx);
	}
	lh_buf_free(&b);
	lh_record_free(&rec);
	close(fd);
	return rc;
}

/* ---- JSON ---- */

enum report_fault report_fault(const struct report *r)
{
	if (*r->error)
		return REPORT_CHAIN;
	if (*r->root && !r->root_seen)
		return REPORT_MISSING;
	return r->second ? REPORT_SECOND : REPORT_GOOD;
}

void report_attest(const struct report *r, struct lh_buf *out)
{
	unsigned long long rows = r->v.count, listed = r->in_window;
	const char *s = rows == 1 ? "" : "s";

	switch (report_fault(r)) {
	case REPORT_CHAIN:
		lh_buf_printf(out, "The audit log is damaged (%s): only its first %llu row%s known to be complete and unaltered.", r->error, rows,
			      rows == 1 ? " is" : "s are");
		break;
	case REPORT_MISSING:
		lh_buf_printf(out, "Rows are missing from the audit log: the manifest knows a row that is not among the %llu row%s there, so the "
			      "log was cut back, replaced or removed.", rows, s);
		break;
	case REPORT_SECOND:
		lh_buf_puts(out, "The report is incomplete: there is a second log of this subject, ");
		lh_buf_puts(out, r->second);
		lh_buf_puts(out, ", whose rows are not listed.");
		break;
	default:
		lh_buf_printf(out, "The audit log's chain of %llu row%s verifies from the first row to the last; ", rows, s);
		if (listed == 1)
			lh_buf_puts(out, "the one row in the window is listed.");
		else
			lh_buf_printf(out, "all %llu rows in the window are listed.", listed);
	}
}

struct rows_out {
	struct report *r;
	struct lh_buf b;
	bool any;
};

static int put_row(void *ctx, const struct lh_record *rec, struct lh_err *err)
{
	struct rows_out *o = ctx;

	(void)err;
	if (o->any)
		lh_buf_putc(&o->b, ',');
	o->any = true;
	lh_buf_add(&o->b, rec->line, rec->len);
	return print(o->r->tool, &o->b);
}

static void put_time(struct lh_buf *b, const char *name, const char *time)
{
	lh_buf_printf(b, time ? "\"%s\":\"%s\"" : "\"%s\":null", name, time);
}

/* Append the names of the manifest's datasets. */
static void put_datasets(struct lh_buf *b, const struct report *r)
{
	struct lh_value list, name;
	struct lh_iter it;
	bool any = false;

	lh_buf_putc(b, '[');
	if (r->has_manifest && lh_manifest_get(&r->manifest.rec, "datasets", &list))
		for (lh_iter_init(&it, &list); lh_iter_next(&it); any = true)
			if (lh_value_get(&it.val, "name", &name)) {
				lh_buf_puts(b, any ? "," : "");
				lh_buf_add(b, name.p, name.n);
			}
	lh_buf_putc(b, ']');
}

static void put_views(struct lh_buf *b, const struct report *r)
{
	struct lh_value v;

	if (r->has_manifest && lh_manifest_get(&r->manifest.rec, "safe_views", &v))
		lh_json_compact(b, &v);
	else
		lh_buf_puts(b, "[]");
}

static void put_head(struct lh_buf *b, const struct report *r)
{
	struct lh_value v = { .p = r->manifest.rec.line, .n = r->manifest.rec.len, .type = LH_OBJECT };

	lh_buf_puts(b, "{\"schema\":\"subject_audit_response.v1\",");
	put_text(b, "candidate_id", r->id);
	lh_buf_putc(b, ',');
	put_time(b, "generated_at", r->generated_at);
	lh_buf_puts(b, ",\"window\":{");
	put_time(b, "from", r->s->from);
	lh_buf_putc(b, ',');
	put_time(b, "to", r->s->to);
	lh_buf_puts(b, "},\"manifest\":");
	if (r->has_manifest)
		lh_json_compact(b, &v);
	else
		lh_buf_puts(b, "null");
	lh_buf_puts(b, ",\"audit_log\":{\"rows\":[");
}

static void put_tail(struct lh_buf *b, const struct report *r)
{
	static const char *const faults[] = { NULL, NULL, ROOT_MISMATCH, "a second log" };
	enum report_fault fault = report_fault(r);
	struct lh_buf text;

	lh_buf_printf(b, "],\"rows_in_window\":%llu,\"chain_verified\":%s,\"chain_rows_total\":%llu,\"chain_root\":\"%s\",",
		      (unsigned long long)r->in_window, fault ? "false" : "true", (unsigned long long)r->rows, r->v.tip);
	put_time(b, "chain_error", fault == REPORT_CHAIN ? r->error : faults[fault]);
	lh_buf_puts(b, "},\"datasets_referenced\":");
	put_datasets(b, r);
	lh_buf_puts(b, ",\"safe_views_available\":");
	put_views(b, r);
	lh_buf_init(&text, LH_BUF_NOMAX);
	report_attest(r, &text);
	lh_buf_putc(&text, '\0');
	lh_buf_putc(b, ',');
	if (text.failed)
		b->failed = text.failed;
	else
		put_text(b, "completeness_attestation", text.p);
	lh_buf_free(&text);
	lh_buf_puts(b, "}\n");
}

static int report_json(struct report *r)
{
	struct rows_out o = { .r = r };
	int rc;

	lh_buf_init(&o.b, LH_BUF_NOMAX);
	put_head(&o.b, r);
	rc = print(r->tool, &o.b);
	if (rc == 0)
		rc = report_rows(r, put_row, &o);
	if (rc == 0) {
		put_tail(&o.b, r);
		rc = print(r->tool, &o.b);
	}
	lh_buf_free(&o.b);
	return rc;
}

/* ---- manifest and logs ---- */

static int find_manifest(struct report *r)
{
	char name[LH_SUBJECT_MAX + 1], *path = NULL;
	struct lh_buf root;
	int rc = lh_manifest_name(name, r->s->dir, r->id, strlen(r->id), &r->tool->err);

	if (!rc)
		path = lh_subject_path(r->s->dir, name, LH_SUBJECT_MANIFEST, &r->tool->err);
	rc = path ? lh_manifest_read(&r->manifest, path, &r->tool->err) : -1;
	free(path);
	if (rc || !lh_manifest_is(&r->manifest, r->id, strlen(r->id)))
		return rc < 0 ? -1 : 0;
	r->has_manifest = true;
	lh_buf_init(&root, LH_BUF_NOMAX);
	lh_manifest_text(&r->manifest.rec, "audit_log_chain_root", &root);
	if (root.len == LH_CHAIN_TIP - 1)	/* else it is GENESIS, or not known yet */
		memcpy(r->root, root.p, root.len);
	rc = lh_buf_check(&root, &r->tool->err);
	lh_buf_free(&root);
	return rc;
}

/* Find the log: 1 if it exists, and is not another subject's with the same file name. */
static int find_log(struct report *r, const char *name)
{
	struct lh_buf id;
	int rc;

	r->log = lh_subject_path(r->s->dir, name, LH_SUBJECT_LOG, &r->tool->err);
	if (!r->log)
		return -1;
	if (access(r->log, F_OK) < 0)
		return 0;
	lh_buf_init(&id, LH_BUF_NOMAX);
	rc = lh_chain_subject(r->log, r->tool->max_line, r->tool->lock_timeout, &id, &r->tool->err);
	if (rc > 0)
		rc = id.len == strlen(r->id) && memcmp(id.p, r->id, id.len) == 0;
	else if (rc == 0)
		rc = 1;		/* its first row has no id: the verdict will report it */
	lh_buf_free(&id);
	return rc;
}

/* If the log is one that another program named, there may be a second one with the
 * id's own name. */
static int find_second(struct report *r, const char *name)
{
	char own[LH_SUBJECT_MAX + 1];
	struct stat st;

	if (lh_subject_name(own, r->id, strlen(r->id), &r->tool->err) < 0 || strcmp(own, name) == 0)
		return 0;
	r->second = lh_subject_path(r->s->dir, own, LH_SUBJECT_LOG, &r->tool->err);
	if (!r->second)
		return -1;
	if (stat(r->second, &st) < 0 || !st.st_size) {
		free(r->second);
		r->second = NULL;
	}
	return 0;
}

static int find(struct report *r)
{
	struct lh_chain_check c = { .keys = &r->s->keys, .jobs = (unsigned)r->tool->jobs, .max_row = r->tool->max_line, .lock_timeout = r->tool->lock_timeout };
	char name[LH_SUBJECT_MAX + 1];
	int log;

	if (!lh_utf8_valid(r->id, strlen(r->id)))
		return lh_tool_usage(r->tool, "the ID is not valid UTF-8");
	if (lh_chain_log_name(name, r->s->dir, r->id, strlen(r->id), &r->tool->err) < 0 || find_manifest(r) < 0)
		return -1;
	log = find_log(r, name);
	if (log < 0 || find_second(r, name) < 0)
		return -1;
	c.name = name;
	r->v = (struct lh_chain_verdict){ .tip = "GENESIS", .state = LH_CHAIN_INTACT };
	if (log && lh_chain_verify(r->log, &c, &r->v, &r->tool->err) < 0)
		return -1;
	lh_chain_error(&r->v, r->error);
	return log || r->has_manifest;
}

int audit_report(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct report r = { .tool = tool, .s = s, .id = tool->operands[0] };
	char now[32];
	int rc;

	lh_tool_time(tool, now);
	r.generated_at = now;
	lh_record_init(&r.manifest.rec);
	rc = find(&r);
	if (rc == 0)
		lh_tool_warn(tool, "%s: no log and no manifest in %s", r.id, s->dir);
	if (rc == 0)
		lh_tool_verdict_bad(tool);
	if (rc > 0) {
		rc = report_json(&r);
		if (report_fault(&r))
			lh_tool_verdict_bad(tool);
		if (!rc && s->html)
			rc = report_html(&r);
	}
	lh_manifest_free(&r.manifest);
	free(r.log);
	free(r.second);
	return rc;
}
