/* anchor.c - lh-subject-audit anchor, and reading what it wrote. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include "lh_digest.h"
#include "lh_file.h"
#include "lh_mem.h"

#define SCHEMA "subject_anchor.v1"

/* ---- write ---- */

/* One log's line; a broken one is anchored as far as it is whole. */
static int put_log(struct lh_tool *tool, const struct settings *s, const char *name, struct lh_buf *out)
{
	struct lh_chain_check c = { .keys = &s->keys, .name = name, .jobs = (unsigned)tool->jobs, .max_row = tool->max_line };
	char *path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG, &tool->err), error[LH_CHAIN_ERROR];
	struct lh_chain_verdict v;
	struct lh_buf id;
	int rc;

	lh_buf_init(&id, LH_BUF_NOMAX);
	rc = path ? lh_chain_verify(path, &c, &v, &tool->err) : -1;
	if (rc == 0)
		rc = lh_chain_subject(path, tool->max_line, &id, &tool->err);
	if (rc == 0)
		lh_buf_puts(&id, name);
	if (rc >= 0 && v.fault) {
		lh_chain_error(&v, error);
		lh_tool_warn(tool, "%s: %s; the %llu rows before it are anchored", path, error, (unsigned long long)v.count);
		lh_tool_verdict_bad(tool);
	}
	if (rc >= 0) {
		lh_buf_puts(out, "{\"candidate_id\":");
		lh_buf_json(out, id.p ? id.p : "", id.len);
		lh_buf_printf(out, ",\"count\":%llu,\"tip\":\"%s\"}\n", (unsigned long long)v.count, v.tip);
		rc = id.failed ? lh_buf_check(&id, &tool->err) : lh_buf_check(out, &tool->err);
	}
	lh_buf_free(&id);
	free(path);
	return rc;
}

static void put_end(struct lh_tool *tool, const struct settings *s, size_t logs, struct lh_buf *out)
{
	char now[32], hex[LH_SHA256_HEX];
	unsigned char sum[32];

	lh_tool_time(tool, now);
	lh_buf_printf(out, "{\"schema\":\"" SCHEMA "\",\"ts\":\"%s\",\"logs\":%zu", now, logs);
	lh_hmac(s->keys.key[0], out->p ? out->p : "", out->len, NULL, 0, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_buf_printf(out, ",\"hmac\":\"%.*s\"}\n", LH_SHA256_HEX, hex);
}

int audit_anchor(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_subject_list l;
	struct lh_buf out;
	size_t i;
	int rc = 0;

	if (lh_subject_list(&l, s->dir, LH_SUBJECT_LOG, &tool->err) < 0)
		return -1;
	lh_buf_init(&out, LH_BUF_NOMAX);
	for (i = 0; i < l.n && rc == 0; i++)
		rc = put_log(tool, s, l.name[i], &out);
	if (rc == 0) {
		put_end(tool, s, l.n, &out);
		rc = print(tool, &out);
	}
	lh_buf_free(&out);
	lh_subject_list_free(&l);
	return rc;
}

/* ---- read ---- */

static int by_name(const void *a, const void *b)
{
	const struct anchor_log *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int no_anchor(const char *why, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "not an anchor: %s", why);
}

static int get_string(const struct lh_record *rec, const char *name, struct lh_buf *scratch, struct lh_str *s, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v || v->type != LH_STRING)
		return lh_err_set(err, LH_ECORRUPT, "not an anchor: missing string field \"%s\"", name);
	return lh_value_str(v, scratch, s, err);
}

static int take_log(struct anchor *a, const struct lh_record *rec, struct lh_buf *scratch, struct lh_err *err)
{
	const struct lh_value *count = lh_record_get(rec, "count");
	struct lh_str id, tip;
	struct anchor_log *log;
	int64_t n;

	if (lh_grow(&a->log, &a->cap, a->n + 1, sizeof *a->log, err) < 0)
		return -1;
	log = &a->log[a->n];
	lh_buf_reset(scratch);
	if (get_string(rec, "candidate_id", scratch, &id, err) < 0 || lh_subject_name(log->name, id.p, id.n, err) < 0)
		return -1;
	lh_buf_reset(scratch);
	if (get_string(rec, "tip", scratch, &tip, err) < 0)
		return -1;
	if (!count || count->type != LH_NUMBER || !lh_value_i64(count, &n) || n < 0 || tip.n >= LH_CHAIN_TIP)
		return no_anchor("no count or tip", err);
	log->at.count = (uint64_t)n;
	memcpy(log->at.tip, tip.p, tip.n);
	log->at.tip[tip.n] = '\0';
	a->n++;
	return 0;
}

/* The last line: is all before its hmac signed by us? */
static int take_end(const struct anchor *a, const struct lh_record *rec, const char *all, const struct lh_chain_keys *keys, struct lh_err *err)
{
	const struct lh_value *schema = lh_record_get(rec, "schema"), *mac = lh_record_get(rec, "hmac"), *logs = lh_record_get(rec, "logs");
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	const char *signed_end;
	int64_t n;
	size_t i;

	if (!schema || schema->type != LH_STRING || !lh_value_is(schema, SCHEMA, strlen(SCHEMA)))
		return no_anchor("its last line is not of schema " SCHEMA, err);
	if (!mac || mac->type != LH_STRING || mac->n != LH_SHA256_HEX + 2)
		return no_anchor("no hmac", err);
	signed_end = mac->p - strlen(",\"hmac\":");
	if (signed_end < rec->line || memcmp(signed_end, ",\"hmac\":", 8) != 0)
		return no_anchor("its hmac does not come last", err);
	for (i = 0; i < keys->n; i++) {
		lh_hmac(keys->key[i], all, (size_t)(signed_end - all), NULL, 0, sum);
		lh_hex(sum, sizeof sum, hex);
		if (lh_const_eq(hex, mac->p + 1, sizeof hex))
			break;
	}
	if (i == keys->n || mac->p + mac->n + 1 != rec->line + rec->len)
		return lh_err_set(err, LH_ECORRUPT, "forged, or made with another key: its hmac does not verify");
	if (!logs || logs->type != LH_NUMBER || !lh_value_i64(logs, &n) || n != (int64_t)a->n)
		return no_anchor("its number of logs", err);
	return 0;
}

static int parse(struct anchor *a, const struct lh_buf *all, const struct lh_chain_keys *keys, struct lh_err *err)
{
	const char *p = all->p, *end = p + all->len, *lf;
	struct lh_record rec;
	struct lh_buf scratch;
	int rc = 0;

	lh_record_init(&rec);
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	while (!rc) {
		lf = p ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!lf) {
			rc = no_anchor("no whole last line", err);
			break;
		}
		rc = lh_record_parse(&rec, p, (size_t)(lf - p), err);
		if (!rc && lf + 1 == end) {
			rc = take_end(a, &rec, all->p, keys, err);
			break;
		}
		if (!rc)
			rc = take_log(a, &rec, &scratch, err);
		p = lf + 1;
	}
	lh_buf_free(&scratch);
	lh_record_free(&rec);
	return rc;
}

/* It may come through a pipe. */
static int read_all(struct lh_buf *b, const char *path, struct lh_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	char *to;

	if (fd < 0)
		return lh_err_sys(err, "cannot open");
	do {
		to = lh_buf_room(b, 65536);
		n = to ? lh_read_some(fd, to, 65536, err) : lh_buf_check(b, err);
		if (n > 0)
			lh_buf_took(b, (size_t)n);
	} while (n > 0);
	close(fd);
	return (int)n;
}

int anchor_read(struct anchor *a, const char *path, const struct lh_chain_keys *keys, struct lh_err *err)
{
	struct lh_buf all;
	int rc;

	lh_buf_init(&all, LH_BUF_NOMAX);
	rc = read_all(&all, path, err);
	if (!rc)
		rc = parse(a, &all, keys, err);
	lh_buf_free(&all);
	if (rc < 0) {
		anchor_free(a);
		return err->code == LH_ENOMEM ? -1 : lh_err_prefix(err, "%s", path);
	}
	if (a->n)
		qsort(a->log, a->n, sizeof *a->log, by_name);
	return 0;
}

void anchor_free(struct anchor *a)
{
	free(a->log);
	*a = (struct anchor){ NULL, 0, 0 };
}

const struct lh_chain_anchor *anchor_find(const struct anchor *a, const char *name)
{
	struct anchor_log key, *found;

	if (!a->n)
		return NULL;
	memcpy(key.name, name, strlen(name) + 1);
	found = bsearch(&key, a->log, a->n, sizeof key, by_name);
	return found ? &found->at : NULL;
}
