/* logs.c - the logs of a folder, those that an anchor says should be there, keys and times. */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/time.h"
#include "audit.h"
#include "base/mem.h"
#include "file/file.h"

/* ---- changed keys ---- */

struct keys {
	struct lh_tool *tool;
	struct settings *s;
};

/* The state that lh_held reopens is the keys: one state, as there is one thread and nothing
 * made with them is kept between blocks. */
static void *keys_open(void *ctx, const void *before, struct lh_err *err)
{
	struct keys *k = ctx;

	return before && lh_chain_keys_renew(&k->s->keys, err) < 0 ? NULL : k;
}

static void keys_failed(void *ctx, const struct lh_err *why)
{
	lh_tool_warn(((struct keys *)ctx)->tool, "%s", why->msg);
}

static bool keys_stale(void *ctx, const void *state)
{
	(void)state;
	return lh_chain_keys_stale(&((struct keys *)ctx)->s->keys);
}

static void keys_close(void *state)
{
	(void)state;
}

static int go_on(void *context, void *state, struct lh_err *err)
{
	(void)context;
	(void)state;
	(void)err;
	return 0;
}

int run_with_keys(struct lh_tool *tool, void *settings, struct lh_flow *flow)
{
	struct keys keys = { tool, settings };
	struct lh_held_how how = {
		.open = keys_open, .stale = keys_stale, .close = keys_close, .ctx = &keys,
		/* error records of requests do not name the file of a key */
		.failed = tool->verb->bit == V_REQUESTS ? keys_failed : NULL,
	};
	int rc;

	tool->jobs = 1;
	flow->renew = go_on;
	flow->held = lh_held_open(&how, &tool->err);
	rc = !flow->held ? -1 : flow->map ? lh_records_run(tool, flow)
					: lh_op_flow(tool, settings, flow);
	lh_held_close(flow->held);
	return rc;
}

/* ---- --from and --to ---- */

bool window_read(const char *text, size_t n, bool end, char to[WINDOW_TIME])
{
	const char *const time = end ? "T23:59:59.999999999Z" : "T00:00:00Z";
	struct lh_moment at;
	int day;

	if (n < WINDOW_TIME && lh_moment_read(text, n, &at) == 0) {
		snprintf(to, WINDOW_TIME, "%.*s", (int)n, text);
		return true;
	}
	if (n != 7 && n != 10)
		return false;
	for (day = end && n == 7 ? 31 : 1; day; day--) {	/* the last that the month has */
		if (n == 7)
			snprintf(to, WINDOW_TIME, "%.7s-%02d%s", text, day, time);
		else
			snprintf(to, WINDOW_TIME, "%.10s%s", text, time);
		if (lh_moment_read(to, strlen(to), &at) == 0)
			return true;
	}
	return false;
}

bool window_is_backwards(const char *from, const char *to)
{
	struct lh_moment a, b;

	return from && to && lh_moment_read(from, strlen(from), &a) == 0 &&
	       lh_moment_read(to, strlen(to), &b) == 0 && lh_moment_before(b, a);
}

int window_settle(struct lh_tool *tool, struct settings *s)
{
	const struct {
		const char *name, **text;
		char *to;
	} end[] = {
		{ "--from", &s->from, s->from_time }, { "--to", &s->to, s->to_time }
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!*end[i].text)
			continue;
		if (!window_read(*end[i].text, strlen(*end[i].text), i == 1, end[i].to))
			return lh_tool_usage(tool,
					     "%s: \"%s\" is not a time like 2026-05-03T12:00:00Z, "
					     "a day like 2026-05-03 or a month like 2026-05",
					     end[i].name, *end[i].text);
		*end[i].text = end[i].to;
	}
	if (window_is_backwards(s->from, s->to))
		return lh_tool_usage(tool, "--from %s is after --to %s", s->from, s->to);
	return 0;
}

/* ---- logs ---- */

struct lh_chain_check check_of(const struct lh_tool *tool, const struct settings *s,
			       const char *name, const struct lh_chain_anchor *anchor)
{
	return (struct lh_chain_check){
		.keys = &s->keys, .name = name, .jobs = (unsigned)tool->jobs,
		.max_row = tool->max_line, .lock_timeout = tool->lock_timeout, .anchor = anchor,
	};
}

struct logs {
	struct log *log;	/* sorted by name, the first n of them */
	size_t n, all, cap;
};

int print(struct lh_tool *tool, struct lh_buf *b)
{
	int rc = lh_tool_out(tool, b->p, b->len);

	lh_buf_reset(b);
	return rc;
}

void operand_failed(struct lh_tool *tool, int *rc)
{
	lh_tool_warn(tool, "%s", tool->err.msg);
	tool->err.msg[0] = '\0';
	*rc = -1;
}

static int by_name(const void *a, const void *b)
{
	const struct log *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void sort(struct logs *l)
{
	if (l->all)
		qsort(l->log, l->all, sizeof *l->log, by_name);
	l->n = l->all;
}

static struct log *find_log(const struct logs *l, const char *name)
{
	struct log key = { .name = (char *)name };

	return l->n ? bsearch(&key, l->log, l->n, sizeof key, by_name) : NULL;
}

static struct log *add_log(struct logs *l, const char *name)
{
	struct log *log;

	lh_grow(&l->log, &l->cap, l->all + 1, sizeof *l->log);
	log = &l->log[l->all];
	*log = (struct log){ .name = lh_strndup(name, strlen(name)) };
	l->all++;
	return log;
}

static int add_present(struct logs *l, const char *dir, struct lh_err *err)
{
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	size_t i;
	int rc = lh_subject_list(&there, dir, LH_SUBJECT_LOG, err);

	for (i = 0; i < there.n && !rc; i++)
		add_log(l, there.name[i]);
	sort(l);
	return rc;
}

static void add_anchored(struct logs *l, const struct anchor *a)
{
	struct log *log;
	size_t i;

	for (i = 0; i < a->n; i++) {
		log = find_log(l, a->log[i].name);
		if (!log)
			log = add_log(l, a->log[i].name);
		log->anchor = &a->log[i].at;
	}
	sort(l);
}

/* Add the log of a manifest whose root is a row. */
static int add_rooted(struct logs *l, const char *dir, const struct lh_manifest *m,
		      struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];

	if (m->audit_log_chain_root.n < LH_CHAIN_TIP - 1)
		return 0;
	if (lh_chain_log_name(name, dir, m->candidate_id.p, m->candidate_id.n, err) < 0)
		return -1;
	if (find_log(l, name))
		return 0;
	add_log(l, name)->has_root = true;
	return 0;
}

static int add_manifest(struct lh_tool *tool, struct logs *l, const char *dir, const char *name)
{
	char *path = lh_subject_path(dir, name, LH_SUBJECT_MANIFEST);
	struct lh_manifest m;
	int rc = lh_manifest_read(&m, path, &tool->err);

	free(path);
	if (rc)
		return rc < 0 ? -1 : 0;
	rc = add_rooted(l, dir, &m, &tool->err);
	lh_manifest_free(&m);
	return rc;
}

char *operand_id(struct lh_tool *tool, const struct settings *s, const char *operand)
{
	LH_SCOPED(lh_buf_free) struct lh_buf id = { 0 };
	LH_SCOPED(lh_free_local) char *path = NULL;
	char name[LH_SUBJECT_MAX + 1];
	struct lh_err none;
	size_t n = strlen(operand);

	if (!lh_subject_of_path(name, operand, LH_SUBJECT_LOG)) {
		if (n > LH_SUBJECT_MAX || !strchr(operand, '~') || strchr(operand, '/'))
			return lh_strndup(operand, n);
		memcpy(name, operand, n + 1);
	}
	path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	if (lh_chain_subject(path, tool->max_line, tool->lock_timeout, &id, &none) > 0 &&
	    lh_subject_named(name, id.p, id.len) && !memchr(id.p, '\0', id.len))
		return lh_strndup(id.p, id.len);
	return lh_strndup(operand, n);
}

char *operand_log(struct lh_tool *tool, const struct settings *s, const char *operand)
{
	LH_SCOPED(lh_free_local) char *id = operand_id(tool, s, operand);
	char name[LH_SUBJECT_MAX + 1], *path;
	struct lh_err none;

	if (access(operand, F_OK) == 0 ||
	    lh_chain_log_name(name, s->dir, id, strlen(id), &none) < 0)
		return lh_strndup(operand, strlen(operand));
	path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return lh_strndup(operand, strlen(operand));
}

/* Add the logs of manifests.  Only manifests without a log of their name are read.
 * A file that is not a manifest may have been one: that is a bad verdict. */
static int add_manifests(struct lh_tool *tool, const struct settings *s, struct logs *l,
			 uint64_t *failures)
{
	const char *dir = s->dir;
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list there;
	size_t i;
	int rc = lh_subject_list(&there, dir, LH_SUBJECT_MANIFEST, &tool->err);

	for (i = 0; i < there.n && !rc; i++) {
		if (find_log(l, there.name[i]) || add_manifest(tool, l, dir, there.name[i]) == 0)
			continue;
		++*failures;
		lh_tool_warn(tool, "%s", tool->err.msg);
		if (tool->err.code == LH_EDATA)
			lh_tool_verdict_bad(tool);
		else
			lh_tool_failed(tool);
	}
	sort(l);
	return rc;
}

int each_log(struct lh_tool *tool, const struct settings *s, const struct anchor *a, log_fn fn,
	     void *ctx, uint64_t *failures)
{
	struct logs l = { .n = 0 };
	uint64_t here;
	char *path;
	size_t i;
	int failed = 0, rc = add_present(&l, s->dir, &tool->err);

	if (!rc)
		add_anchored(&l, a);
	if (!failures)
		failures = &here;
	*failures = 0;
	if (!rc)
		rc = add_manifests(tool, s, &l, failures);
	for (i = 0; !rc && i < l.n; i++) {
		path = lh_subject_path(s->dir, l.log[i].name, LH_SUBJECT_LOG);
		if (fn(tool, s, path, &l.log[i], ctx) < 0) {
			operand_failed(tool, &failed);
			++*failures;
		}
		free(path);
		lh_tool_share(tool, i + 1, l.n);
	}
	for (i = 0; i < l.all; i++)
		free(l.log[i].name);
	free(l.log);
	return rc ? rc : failed;
}

/* ---- the output of anchor ---- */

static int anchor_by_name(const void *a, const void *b)
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

static int anchor_add_log(struct anchor *a, const struct lh_record *rec, const char *dir,
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
			rc = anchor_add_log(a, &rec, dir, &scratch, err);
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
		return lh_err_prefix(err, "%s", path);
	}
	if (a->n)
		qsort(a->log, a->n, sizeof *a->log, anchor_by_name);
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
	found = bsearch(&key, a->log, a->n, sizeof key, anchor_by_name);
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
