/* anchor_read.c - read the output of lh-subject-audit anchor. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

/* Report a line whose members are wrong: LH_ECORRUPT. */
static int bad_line(struct lh_err *err)
{
	if (err->code != LH_EDATA)
		return -1;
	err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "not an anchor");
}

/* ---- the line of a log ---- */

struct line {
	struct lh_str id, log, tip;
	uint64_t count;
};

static const struct lh_bind line_members[] = {
	{ LH_BIND_STRING("candidate_id", struct line, id), .required = true },
	{ LH_BIND_STRING("log", struct line, log), .not_null = true },
	{ LH_BIND_STRING("tip", struct line, tip), .required = true },
	{ LH_BIND_U64("count", struct line, count, 0, INT64_MAX), .required = true },
	LH_BIND_END
};

/* Set the name of a log to that of the line, or else to that of the id's log in dir, unless
 * dir is NULL. */
static int set_name(struct anchor_log *log, struct lh_str name, const char *dir, struct lh_err *err)
{
	if (!name.p)
		return dir ? lh_chain_log_name(log->name, dir, log->id, log->id_n, err)
			   : lh_subject_name(log->name, log->id, log->id_n, err);
	if (!name.n || name.n > LH_SUBJECT_MAX || *name.p == '.' || memchr(name.p, '/', name.n) ||
	    memchr(name.p, '\0', name.n))
		return no_anchor("a log's name", err);
	memcpy(log->name, name.p, name.n);
	log->name[name.n] = '\0';
	log->named = true;
	return 0;
}

static int add_log(struct anchor *a, const struct lh_record *rec, const char *dir,
		   struct lh_buf *scratch, struct lh_err *err)
{
	struct line line = { .count = 0 };
	struct anchor_log *log;

	if (lh_bind(line_members, rec, &line, scratch, err) < 0)
		return bad_line(err);
	lh_grow(&a->log, &a->cap, a->n + 1, sizeof *a->log);
	log = &a->log[a->n];
	memset(log, 0, sizeof *log);
	log->id = lh_strndup(line.id.p, line.id.n);
	log->id_n = line.id.n;
	a->n++;
	if (set_name(log, line.log, dir, err) < 0)
		return -1;
	if (line.tip.n >= LH_CHAIN_TIP)
		return no_anchor("its tip is too long", err);
	log->at.count = line.count;
	memcpy(log->at.tip, line.tip.p, line.tip.n);
	log->at.tip[line.tip.n] = '\0';
	return 0;
}

/* ---- the last line ---- */

struct end {
	struct lh_str schema, checkpoint;
	struct lh_value hmac;
	uint64_t logs;
};
static const char *const schemas[] = { ANCHOR_SCHEMA, NULL };

static const struct lh_bind end_members[] = {
	{ LH_BIND_STRING("schema", struct end, schema), .required = true, .choice = schemas },
	{ LH_BIND_VALUE("hmac", struct end, hmac, LH_BIND_IS(LH_STRING)), .required = true },
	{ LH_BIND_U64("logs", struct end, logs, 0, INT64_MAX), .required = true },
	{ LH_BIND_STRING("checkpoint", struct end, checkpoint), .no_nul = true },
	LH_BIND_END
};

/* Is the hmac the last member, and as anchor writes it: without white space around it? */
static bool hmac_is_last(const struct lh_record *rec)
{
	const struct lh_value *key = &rec->member[rec->n - 1].key;
	const struct lh_value *mac = &rec->member[rec->n - 1].val;

	return !key->escaped && lh_value_is(key, "hmac", 4) && key->p[-1] == ',' &&
	       mac->p == key->p + key->n + 1 && mac->p + mac->n + 1 == rec->line + rec->len;
}

/* Is everything before the hmac signed with one of the keys? */
static bool is_signed(const struct lh_record *rec, const struct lh_value *mac, const char *all,
		      const struct lh_chain_keys *keys)
{
	const char *end = rec->member[rec->n - 1].key.p - 1;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	size_t i;

	for (i = 0; i < keys->n; i++) {
		lh_hmac(keys->key[i], all, (size_t)(end - all), NULL, 0, sum);
		lh_hex(sum, sizeof sum, hex);
		if (lh_const_eq(hex, mac->p + 1, sizeof hex))
			return true;
	}
	return false;
}

static int check_end(struct anchor *a, const struct lh_record *rec, const char *all,
		     const struct lh_chain_keys *keys, struct lh_buf *scratch, struct lh_err *err)
{
	struct end end = { .logs = 0 };

	if (lh_bind(end_members, rec, &end, scratch, err) < 0)
		return bad_line(err);
	if (end.hmac.n != LH_SHA256_HEX + 2)
		return no_anchor("no hmac", err);
	if (!hmac_is_last(rec))
		return no_anchor("its hmac does not come last", err);
	if (!is_signed(rec, &end.hmac, all, keys))
		return lh_err_set(err, LH_ECORRUPT,
				  "forged, or made with another key: its hmac does not verify");
	if (end.logs != a->n)
		return no_anchor("its number of logs", err);
	if (end.checkpoint.p)
		a->checkpoint = lh_strndup(end.checkpoint.p, end.checkpoint.n);
	return 0;
}

static int parse(struct anchor *a, const char *dir, const struct lh_buf *all,
		 const struct lh_chain_keys *keys, struct lh_err *err)
{
	const char *p = all->p, *end = p + all->len, *lf;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	int rc = 0;

	while (!rc) {
		lf = p ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!lf) {
			rc = no_anchor("no whole last line", err);
			break;
		}
		rc = lh_record_parse(&rec, p, (size_t)(lf - p), err);
		if (!rc && lf + 1 == end) {
			rc = check_end(a, &rec, all->p, keys, &scratch, err);
			break;
		}
		if (!rc)
			rc = add_log(a, &rec, dir, &scratch, err);
		p = lf + 1;
	}
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
		n = lh_read_some(fd, to, 65536, err);
		if (n > 0)
			lh_buf_took(b, (size_t)n);
	} while (n > 0);
	close(fd);
	return (int)n;
}

static int read_file(struct anchor *a, const char *path, const char *dir,
		     const struct lh_chain_keys *keys, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf all = { 0 };
	int rc = read_all(&all, path, err);

	if (!rc)
		rc = parse(a, dir, &all, keys, err);
	if (rc < 0) {
		anchor_free(a);
		return err->code == LH_ENOMEM ? -1 : lh_err_prefix(err, "%s", path);
	}
	if (a->n)
		qsort(a->log, a->n, sizeof *a->log, by_name);
	return 0;
}

/* Append the path of the newest anchor of a folder, by name as the nightly script names
 * them, with a NUL. */
static int find_newest(struct lh_buf *path, const char *folder, struct lh_err *err)
{
	char newest[NAME_MAX + 1] = "";
	const struct dirent *e;
	DIR *d = opendir(folder);

	if (!d)
		return lh_err_sys(err, "%s", folder);
	while ((e = readdir(d)))
		if (!fnmatch("anchor-*.jsonl", e->d_name, 0) && strcmp(e->d_name, newest) > 0)
			snprintf(newest, sizeof newest, "%s", e->d_name);
	closedir(d);
	if (*newest) {
		lh_buf_printf(path, "%s/%s", folder, newest);
		lh_buf_putc(path, '\0');
	}
	return 0;
}

int anchor_read(struct anchor *a, const char *path, const char *dir,
		const struct lh_chain_keys *keys, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf newest = { 0 };
	struct stat st;
	int rc;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return read_file(a, path, dir, keys, err);
	rc = find_newest(&newest, path, err);
	if (!rc && !newest.len)
		rc = lh_err_set(err, LH_EIO, "%s: no anchor-TIME.jsonl is in it", path);
	return rc ? rc : read_file(a, newest.p, dir, keys, err);
}

int anchor_for(struct anchor *a, struct lh_tool *tool, const struct settings *s)
{
	const char *folder = getenv("LH_ANCHORS");
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	int rc = 0;

	if (s->against)
		return anchor_read(a, s->against, s->dir, &s->keys, &tool->err);
	lh_buf_printf(&path, "%s/anchor.jsonl", s->dir);
	lh_buf_putc(&path, '\0');
	if (access(path.p, F_OK) < 0) {
		lh_buf_reset(&path);
		if (folder && *folder)
			rc = find_newest(&path, folder, &tool->err) < 0
				? lh_err_prefix(&tool->err, "LH_ANCHORS") : 0;
	}
	if (!rc && path.len)
		rc = anchor_read(a, path.p, s->dir, &s->keys, &tool->err);
	return rc;
}

void anchor_free(struct anchor *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		free(a->log[i].id);
	free(a->log);
	free(a->checkpoint);
	*a = (struct anchor){ .n = 0 };
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

const struct lh_chain_anchor *anchor_find_id(const struct anchor *a, const char *id, size_t n,
					     const char *name)
{
	char plain[LH_SUBJECT_MAX + 1];
	size_t i;

	if (name && !(lh_subject_plain_name(plain, id, n) && strcmp(plain, name) == 0))
		return NULL;
	for (i = 0; i < a->n; i++)
		if (!(name && a->log[i].named) && a->log[i].id_n == n &&
		    memcmp(a->log[i].id, id, n) == 0)
			return &a->log[i].at;
	return NULL;
}
