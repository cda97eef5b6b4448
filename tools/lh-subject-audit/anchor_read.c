/* anchor_read.c - read the output of lh-subject-audit anchor. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include <lh/digest.h>
#include "file/file.h"
#include "base/mem.h"

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

/* Read the name of a log from the line, or else from the id: then it is the id's
 * log in dir, unless that is NULL. */
static int take_name(struct anchor_log *log, const struct lh_record *rec, const char *dir, struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str name;

	lh_buf_reset(scratch);
	if (!lh_record_get(rec, "log"))
		return dir ? lh_chain_log_name(log->name, dir, log->id, log->id_n, err) :
			     lh_subject_name(log->name, log->id, log->id_n, err);
	if (get_string(rec, "log", scratch, &name, err) < 0)
		return -1;
	if (!name.n || name.n > LH_SUBJECT_MAX || *name.p == '.' || memchr(name.p, '/', name.n) || memchr(name.p, '\0', name.n))
		return no_anchor("a log's name", err);
	memcpy(log->name, name.p, name.n);
	log->name[name.n] = '\0';
	log->named = true;
	return 0;
}

static int take_end_of_log(struct anchor_log *log, const struct lh_record *rec, struct lh_buf *scratch, struct lh_err *err)
{
	const struct lh_value *count = lh_record_get(rec, "count");
	struct lh_str tip;
	int64_t n;

	lh_buf_reset(scratch);
	if (get_string(rec, "tip", scratch, &tip, err) < 0)
		return -1;
	if (!count || count->type != LH_NUMBER || !lh_value_i64(count, &n) || n < 0 || tip.n >= LH_CHAIN_TIP)
		return no_anchor("no count or tip", err);
	log->at.count = (uint64_t)n;
	memcpy(log->at.tip, tip.p, tip.n);
	log->at.tip[tip.n] = '\0';
	return 0;
}

static int take_log(struct anchor *a, const struct lh_record *rec, const char *dir, struct lh_buf *scratch, struct lh_err *err)
{
	struct anchor_log *log;
	struct lh_str id;

	if (lh_grow(&a->log, &a->cap, a->n + 1, sizeof *a->log, err) < 0)
		return -1;
	log = &a->log[a->n];
	memset(log, 0, sizeof *log);
	lh_buf_reset(scratch);
	if (get_string(rec, "candidate_id", scratch, &id, err) < 0)
		return -1;
	log->id = lh_strndup(id.p, id.n, err);
	log->id_n = id.n;
	if (!log->id)
		return -1;
	a->n++;
	if (take_name(log, rec, dir, scratch, err) < 0)
		return -1;
	return take_end_of_log(log, rec, scratch, err);
}

/* Check the last line: its hmac must sign everything before it with one of the keys. */
static int take_end(const struct anchor *a, const struct lh_record *rec, const char *all, const struct lh_chain_keys *keys, struct lh_err *err)
{
	const struct lh_value *schema = lh_record_get(rec, "schema"), *mac = lh_record_get(rec, "hmac"), *logs = lh_record_get(rec, "logs");
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	const char *signed_end;
	int64_t n;
	size_t i;

	if (!schema || schema->type != LH_STRING || !lh_value_is(schema, ANCHOR_SCHEMA, strlen(ANCHOR_SCHEMA)))
		return no_anchor("its last line is not of schema " ANCHOR_SCHEMA, err);
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

static int parse(struct anchor *a, const char *dir, const struct lh_buf *all, const struct lh_chain_keys *keys, struct lh_err *err)
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
			rc = take_log(a, &rec, dir, &scratch, err);
		p = lf + 1;
	}
	lh_buf_free(&scratch);
	lh_record_free(&rec);
	return rc;
}

/* Read the whole file, which may be a pipe. */
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

int anchor_read(struct anchor *a, const char *path, const char *dir, const struct lh_chain_keys *keys, struct lh_err *err)
{
	struct lh_buf all;
	int rc;

	lh_buf_init(&all, LH_BUF_NOMAX);
	rc = read_all(&all, path, err);
	if (!rc)
		rc = parse(a, dir, &all, keys, err);
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
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->log[i].id);
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

const struct lh_chain_anchor *anchor_find_id(const struct anchor *a, const char *id, size_t n, const char *name)
{
	char plain[LH_SUBJECT_MAX + 1];
	size_t i;

	if (name && !(lh_subject_plain_name(plain, id, n) && strcmp(plain, name) == 0))
		return NULL;
	for (i = 0; i < a->n; i++)
		if (!(name && a->log[i].named) && a->log[i].id_n == n && memcmp(a->log[i].id, id, n) == 0)
			return &a->log[i].at;
	return NULL;
}
