/*
 * subject.c - the files of a subject: their names, the manifest, accesses as a table.  See
 * subject.h and subject_manifest.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "audit/subject.h"
#include "base/time.h"
#include "subject_manifest.h"
#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "text/escape.h"

/* ---- names ---- */

#define HASH_HEX 12

static bool is_name_byte(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool is_name(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && is_name_byte((unsigned char)p[i]); i++)
		;
	return i == n;
}

int lh_subject_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n, struct lh_err *err)
{
	unsigned char sum[32];
	size_t i;

	if (!n)
		return lh_err_set(err, LH_EDATA, "candidate_id is empty");
	if (n > LH_SUBJECT_ID_MAX)
		return lh_err_set(err, LH_EDATA, "candidate_id is too long: over %d bytes",
				  LH_SUBJECT_ID_MAX);
	for (i = 0; i < n; i++)
		name[i] = is_name_byte((unsigned char)p[i]) ? p[i] : '_';
	name[n] = '\0';
	if (*name == '.')
		return lh_err_set(err, LH_EDATA, "candidate_id \"%s\" begins with a dot", name);
	if (is_name(p, n))
		return 0;
	lh_sha256(p, n, sum);
	name[n] = '~';
	lh_hex(sum, HASH_HEX / 2, name + n + 1);
	name[n + 1 + HASH_HEX] = '\0';
	return 0;
}

bool lh_subject_plain_name(char name[LH_SUBJECT_MAX + 1], const char *p, size_t n)
{
	size_t i, len = 0;

	for (i = 0; i < n && len <= LH_SUBJECT_ID_MAX; i++)
		/* else a continuation byte of a code point */
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			name[len++] = is_name_byte((unsigned char)p[i]) ? p[i] : '_';
	name[len] = '\0';
	return len && len <= LH_SUBJECT_ID_MAX && *name != '.' && !is_name(p, n);
}

bool lh_subject_named(const char *name, const char *p, size_t n)
{
	char own[LH_SUBJECT_MAX + 1];
	struct lh_err none;

	if (lh_subject_plain_name(own, p, n) && strcmp(own, name) == 0)
		return true;
	return lh_subject_name(own, p, n, &none) == 0 && strcmp(own, name) == 0;
}

bool lh_subject_of_path(char name[LH_SUBJECT_MAX + 1], const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path;
	size_t n = strlen(from), m = strlen(suffix);

	if (n <= m || n - m > LH_SUBJECT_MAX || strcmp(from + n - m, suffix) != 0)
		return false;
	memcpy(name, from, n - m);
	name[n - m] = '\0';
	return true;
}

char *lh_subject_path(const char *dir, const char *name, const char *suffix)
{
	struct lh_buf b = { 0 };

	lh_buf_puts(&b, dir);
	if (b.len && b.p[b.len - 1] != '/')
		lh_buf_putc(&b, '/');
	lh_buf_puts(&b, name);
	lh_buf_add(&b, suffix, strlen(suffix) + 1);
	return b.p;
}

int lh_subject_make_dir(const char *dir, struct lh_err *err)
{
	struct stat st;

	if (lh_own_mkdirs(dir, 0700, err) < 0)
		return -1;
	return stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)
		? lh_err_set(err, LH_EIO, "%s: not a folder", dir) : 0;
}

static void add_name(struct lh_subject_list *l, const char *file, const char *suffix)
{
	char name[LH_SUBJECT_MAX + 1];

	if (*file == '.' || !lh_subject_of_path(name, file, suffix))
		return;
	lh_grow(&l->name, &l->cap, l->n + 1, sizeof *l->name);
	l->name[l->n] = lh_strndup(name, strlen(name));
	l->n++;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int lh_subject_list(struct lh_subject_list *l, const char *dir, const char *suffix,
		    struct lh_err *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int rc = 0;

	*l = (struct lh_subject_list){ NULL, 0, 0 };
	if (!d)
		return lh_err_sys(err, "%s", dir);
	while (!rc && (errno = 0, e = readdir(d)))
		add_name(l, e->d_name, suffix);
	if (!rc && errno)
		rc = lh_err_sys(err, "%s: cannot read", dir);
	closedir(d);
	if (rc < 0)
		lh_subject_list_free(l);
	else if (l->n)
		qsort(l->name, l->n, sizeof *l->name, by_bytes);
	return rc;
}

void lh_subject_list_free(struct lh_subject_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->name[i]);
	free(l->name);
	*l = (struct lh_subject_list){ NULL, 0, 0 };
}

/* ---- members ---- */

static bool is_time(const struct lh_value *v, struct lh_str text)
{
	return !v->escaped && lh_bind_is_time(v, text);
}

/* GENESIS, 64 lowercase hex digits, or nothing yet. */
static bool is_root(const struct lh_value *v, struct lh_str text)
{
	return !v->escaped &&
	       (!text.n || lh_value_is(v, "GENESIS", 7) || lh_bind_is_sha256(v, text));
}

#define TIME .is = is_time, .what = "time like 2026-05-03T12:00:00Z"
#define JSON(f) .as_written = LH_BIND_FIELD(struct lh_manifest, json.f)

static const char *const schemas[] = { "subject_manifest.v1", NULL };
static const char *const statuses[] = { "pending_consent",   "active", "withdrawn",
					"retention_expired", "erased", NULL };
static const char *const verticals[] = { "unknown", "general", "healthcare",
					 "finance", "other",   NULL };
static const char *const pii_statuses[] = { "pending_backfill_review",
					    "pending_first_contact",
					    "given",
					    "withdrawn",
					    "expired",
					    NULL };
static const char *const biometric_statuses[] = { "never_collected", "pending", "given",
						  "withdrawn",       "expired", NULL };

static const struct lh_bind general_pii[] = {
	{ LH_BIND_STRING("status", struct lh_consent, status), .required = true,
	  .choice = pii_statuses },
	LH_BIND_END
};
static const struct lh_bind biometric[] = {
	{ LH_BIND_STRING("status", struct lh_consent, status), .required = true,
	  .choice = biometric_statuses },
	{ LH_BIND_STRING("retention_until", struct lh_consent, retention_until), TIME },
	LH_BIND_END
};
static const struct lh_bind consents[] = {
	{ LH_BIND_TABLE("general_pii", struct lh_consents, general_pii, general_pii),
	  .required = true },
	{ LH_BIND_TABLE("biometric", struct lh_consents, biometric, biometric), .required = true },
	LH_BIND_END
};
static const struct lh_bind retention[] = {
	{ LH_BIND_STRING("general_pii_until", struct lh_retention, general_pii_until),
	  .required = true, TIME },
	{ LH_BIND_STRING("policy", struct lh_retention, policy), .required = true },
	LH_BIND_END
};
static const struct lh_bind dataset[] = {
	{ LH_BIND_STRING("name", struct lh_dataset, name), .required = true,
	  .as_written = LH_BIND_FIELD(struct lh_dataset, name_json) },
	{ LH_BIND_STRING("key_column", struct lh_dataset, key_column), .required = true },
	{ LH_BIND_STRING("key_value", struct lh_dataset, key_value), .required = true },
	LH_BIND_END
};

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("schema", struct lh_manifest, schema), .required = true,
	  .choice = schemas },
	{ LH_BIND_STRING("candidate_id", struct lh_manifest, candidate_id), .required = true,
	  JSON(candidate_id) },
	{ LH_BIND_STRING("created_at", struct lh_manifest, created_at), .required = true, TIME },
	{ LH_BIND_STRING("updated_at", struct lh_manifest, updated_at), .required = true, TIME },
	{ LH_BIND_STRING("status", struct lh_manifest, status), .required = true,
	  .choice = statuses, JSON(status) },
	{ LH_BIND_STRING("vertical", struct lh_manifest, vertical), .required = true,
	  .choice = verticals, JSON(vertical) },
	{ LH_BIND_TABLE("consent", struct lh_manifest, consent, consents), .required = true },
	{ LH_BIND_TABLE("retention", struct lh_manifest, retention, retention), .required = true },
	{ LH_BIND_TABLES("datasets", struct lh_manifest, dataset, n_datasets, dataset),
	  .required = true },
	{ LH_BIND_ARRAY("safe_views", struct lh_manifest, safe_views), .required = true,
	  .each = LH_BIND_IS(LH_STRING) },
	{ LH_BIND_STRING("audit_log_path", struct lh_manifest, audit_log_path), .required = true },
	{ LH_BIND_STRING("audit_log_chain_root", struct lh_manifest, audit_log_chain_root),
	  .required = true, .is = is_root, .what = "\"GENESIS\" or 64 lowercase hex digits" },
	{ LH_BIND_OBJECT("biometric_collection", struct lh_manifest, biometric_collection) },
	LH_BIND_END
};

int lh_manifest_bind(struct lh_manifest *m, const struct lh_record *rec, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];

	memset(m, 0, sizeof *m);
	m->object = (struct lh_value){ .p = rec->line, .n = rec->len, .type = LH_OBJECT };
	if (lh_bind(members, rec, m, &m->strings, err) < 0)
		return -1;
	return lh_subject_name(name, m->candidate_id.p, m->candidate_id.n, err);
}

/* ---- files ---- */

static int read_file(struct lh_buf *b, int fd, struct lh_err *err)
{
	ssize_t n;
	char *to;

	do {
		to = lh_buf_room(b, 4096);
		if (!to)
			return b->failed == LH_EDATA
				       ? lh_err_set(err, LH_EDATA, "longer than 16 MiB")
				       : 0;
		n = lh_read_some(fd, to, 4096, err);
		if (n > 0)
			lh_buf_took(b, (size_t)n);
	} while (n > 0);
	if (n == 0 && lh_buf_room(b, LH_PAD))
		memset(b->p + b->len, 0, LH_PAD);
	return (int)n;
}

/* Parse the text and check it, as one that m is to own. */
static int parse(struct lh_manifest *m, struct lh_buf *text, struct lh_err *err)
{
	struct lh_record rec = { 0 };
	int rc = lh_record_parse(&rec, text->p ? text->p : "", text->len, err);

	if (!rc)
		rc = lh_manifest_bind(m, &rec, err);
	m->rec = rec;
	m->text = *text;
	return rc;
}

int lh_manifest_read(struct lh_manifest *m, const char *path, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;
	struct lh_buf text;

	memset(m, 0, sizeof *m);
	lh_buf_init(&text, LH_MANIFEST_MAX);
	if (fd < 0)
		return errno == ENOENT ? 1 : -1;
	rc = read_file(&text, fd, err);
	close(fd);
	if (rc == 0)
		rc = parse(m, &text, err);
	else
		lh_buf_free(&text);
	if (rc == 0)
		return 0;
	lh_manifest_free(m);
	return lh_err_prefix(err, "%s", path);
}

bool lh_manifest_is(const struct lh_manifest *m, const char *id, size_t n)
{
	return lh_str_cmp(m->candidate_id, (struct lh_str){ id, n }) == 0;
}

int lh_manifest_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id, size_t n,
		     struct lh_err *err)
{
	struct lh_manifest m;
	bool theirs = false;
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	if (!lh_subject_plain_name(name, id, n))
		return lh_subject_name(name, id, n, err);
	path = lh_subject_path(dir, name, LH_SUBJECT_MANIFEST);
	rc = lh_manifest_read(&m, path, err);
	if (rc == 0) {
		theirs = lh_manifest_is(&m, id, n);
		lh_manifest_free(&m);
	} else if (rc < 0 && err->code != LH_EDATA) {
		return -1;
	}
	return theirs ? 0 : lh_subject_name(name, id, n, err);
}

void lh_manifest_free(struct lh_manifest *m)
{
	lh_record_free(&m->rec);
	lh_buf_free(&m->text);
	lh_buf_free(&m->strings);
	memset(m, 0, sizeof *m);
}

/* ---- accesses as the rows of a table ---- */

/* A member of another type counts as absent, and an element as empty. */
struct accessor {
	struct lh_str daemon, kind, purpose, token;
};
struct row {
	struct lh_str ts, result;
	struct accessor accessor;
	const struct lh_str *field;	/* NULL: not an array */
	size_t n_fields;
};

static const struct lh_bind accessor[] = {
	{ LH_BIND_STRING("daemon", struct accessor, daemon), .lax = true },
	{ LH_BIND_STRING("kind", struct accessor, kind), .lax = true },
	{ LH_BIND_STRING("purpose", struct accessor, purpose), .lax = true },
	{ LH_BIND_STRING("token", struct accessor, token), .lax = true },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("ts", struct row, ts), .lax = true },
	{ LH_BIND_TABLE("accessor", struct row, accessor, accessor), .lax = true },
	{ LH_BIND_STRINGS("fields_accessed", struct row, field, n_fields), .lax = true },
	{ LH_BIND_STRING("result", struct row, result), .lax = true },
	LH_BIND_END
};

static void put_result(struct lh_buf *out, struct lh_str result)
{
	static const struct {
		struct lh_str result;
		const char *words;
	} words[] = {
		{ { "success", 7 }, "data were read" },
		{ { "not_found", 9 }, "nothing was found" },
		{ { "denied", 6 }, "access was denied" },
		{ { "error", 5 }, "the attempt failed" },
	};
	size_t i;

	for (i = 0; i < 4; i++)
		if (lh_str_cmp(result, words[i].result) == 0) {
			lh_buf_puts(out, words[i].words);
			return;
		}
	lh_html_data(out, result.p, result.n);
}

/* Append what was looked at.  The members of an answer that shows this record are those of its own
 * format, which say nothing to a reader. */
static void put_data(struct lh_buf *out, const struct row *row)
{
	size_t i;

	for (i = 0; i < row->n_fields; i++)
		if (lh_str_is(row->field[i], "row_hmac", 8)) {
			lh_buf_puts(out, "this record: who looked, at what and when");
			return;
		}
	for (i = 0; i < row->n_fields; i++)
		lh_escape_printf(out, lh_html_data, i ? ", %.*s" : "%.*s", (int)row->field[i].n,
				 row->field[i].p);
	if (row->field && !row->n_fields)
		lh_buf_puts(out, "none");
}

int lh_access_html(struct lh_buf *out, const struct lh_record *rec, struct lh_buf *text,
		   struct lh_err *err)
{
	struct row row = { .ts = { "", 0 }, .result = { "", 0 } };
	char at[LH_TIME_LEN + 1];
	int64_t ms;

	if (lh_bind(row_members, rec, &row, text, err) < 0)
		return -1;
	lh_buf_puts(out, "<tr><td data-label=\"When\">");
	if (lh_time_read(row.ts.p, row.ts.n, &ms) < 0) {
		lh_html_data(out, row.ts.p, row.ts.n);
	} else {
		lh_time_print(ms, at);
		lh_buf_printf(out, "<time datetime=\"%.*s\">%.10s %.8s UTC</time>",
			      (int)row.ts.n, row.ts.p, at, at + 11);
	}
	lh_buf_puts(out, "</td><td data-label=\"Who\">");
	if (row.accessor.token.n)
		lh_escape_printf(out, lh_html_data, "%.*s, by ", (int)row.accessor.token.n,
				 row.accessor.token.p);
	lh_escape_printf(out, lh_html_data,
			 "%.*s (%.*s)</td><td data-label=\"What for\">"
			 "%.*s</td><td data-label=\"Which data\">",
			 (int)row.accessor.daemon.n, row.accessor.daemon.p,
			 (int)row.accessor.kind.n, row.accessor.kind.p,
			 (int)row.accessor.purpose.n, row.accessor.purpose.p);
	put_data(out, &row);
	lh_buf_puts(out, "</td><td data-label=\"Outcome\">");
	put_result(out, row.result);
	lh_buf_puts(out, "</td></tr>\n");
	return 0;
}
