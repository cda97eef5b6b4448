/* subject_manifest.c - read and check manifests.  See lh/subject_manifest.h. */
#include <lh/subject_manifest.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file/file.h"
#include <lh/time.h>

enum kind { TEXT, TIME, CHOICE, LIST, OBJECT, ROOT };

/* Every member of a manifest; optional ones may be absent or null. */
static const struct member {
	const char *path;
	enum kind kind;
	bool optional;
	const char *choices;	/* each between bars */
} members[] = {
	{ "schema", CHOICE, false, "|subject_manifest.v1|" },
	{ "candidate_id", TEXT, false, NULL },
	{ "created_at", TIME, false, NULL },
	{ "updated_at", TIME, false, NULL },
	{ "status", CHOICE, false, "|pending_consent|active|withdrawn|retention_expired|erased|" },
	{ "vertical", CHOICE, false, "|unknown|general|healthcare|finance|other|" },
	{ "consent", OBJECT, false, NULL },
	{ "consent.general_pii", OBJECT, false, NULL },
	{ "consent.general_pii.status", CHOICE, false,
	  "|pending_backfill_review|pending_first_contact|given|withdrawn|expired|" },
	{ "consent.biometric", OBJECT, false, NULL },
	{ "consent.biometric.status", CHOICE, false,
	  "|never_collected|pending|given|withdrawn|expired|" },
	{ "consent.biometric.retention_until", TIME, true, NULL },
	{ "retention", OBJECT, false, NULL },
	{ "retention.general_pii_until", TIME, false, NULL },
	{ "retention.policy", TEXT, false, NULL },
	{ "datasets", LIST, false, NULL },
	{ "safe_views", LIST, false, NULL },
	{ "audit_log_path", TEXT, false, NULL },
	{ "audit_log_chain_root", ROOT, false, NULL },
	{ "biometric_collection", OBJECT, true, NULL },
};

bool lh_manifest_get(const struct lh_record *rec, const char *path, struct lh_value *v)
{
	struct lh_value at = { .p = rec->line, .n = rec->len, .type = LH_OBJECT };
	char name[64];
	size_t n;

	for (; *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		if (n >= sizeof name || at.type != LH_OBJECT)
			return false;
		memcpy(name, path, n);
		name[n] = '\0';
		if (!lh_value_get(&at, name, v))
			return false;
		at = *v;
	}
	return true;
}

bool lh_manifest_text(const struct lh_record *rec, const char *path, struct lh_buf *out)
{
	struct lh_err err;
	struct lh_value v;
	struct lh_buf scratch;
	struct lh_str s;
	bool is;

	if (!lh_manifest_get(rec, path, &v) || v.type != LH_STRING)
		return false;
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	is = lh_value_str(&v, &scratch, &s, &err) == 0;
	if (is)
		lh_buf_add(out, s.p, s.n);
	else
		out->failed = LH_ENOMEM;
	lh_buf_free(&scratch);
	return is;
}

void lh_json_compact(struct lh_buf *out, const struct lh_value *v)
{
	const char *p = v->p, *end = p + v->n;
	bool quoted = false;

	for (; p < end; p++) {
		if (quoted && *p == '\\')
			lh_buf_putc(out, *p++);
		else if (*p == '"')
			quoted = !quoted;
		if (quoted || (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r'))
			lh_buf_putc(out, *p);
	}
}

/* ---- checks ---- */

static bool chosen(const struct lh_value *v, const char *choices)
{
	size_t n;

	for (choices++; *choices; choices += n + 1) {
		n = strcspn(choices, "|");
		if (lh_value_is(v, choices, n))
			return true;
	}
	return false;
}

static bool is_time(const char *p, size_t n)
{
	int64_t ms;

	return lh_time_read(p, n, &ms) == 0;
}

/* Return whether the text is GENESIS, 64 lowercase hex digits, or empty. */
static bool is_root(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n && ((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')); i++)
		;
	return n == 0 || (n == 64 && i == 64) || (n == 7 && memcmp(p, "GENESIS", 7) == 0);
}

static int wrong(struct lh_err *err, const char *path, const char *why)
{
	return lh_err_set(err, LH_EDATA, "\"%s\" %s", path, why);
}

static int check_member(const struct member *m, const struct lh_value *v, struct lh_err *err)
{
	const char *p = v->p + 1;
	size_t n = v->n - 2;

	if (m->kind == OBJECT)
		return v->type == LH_OBJECT ? 0 : wrong(err, m->path, "is not an object");
	if (m->kind == LIST)
		return v->type == LH_ARRAY ? 0 : wrong(err, m->path, "is not an array");
	if (v->type != LH_STRING)
		return wrong(err, m->path, "is not a string");
	if (m->kind == TIME && (v->escaped || !is_time(p, n)))
		return wrong(err, m->path, "is not a time like 2026-05-03T12:00:00Z");
	if (m->kind == ROOT && (v->escaped || !is_root(p, n)))
		return wrong(err, m->path, "is neither GENESIS nor 64 lowercase hex digits");
	if (m->kind == CHOICE && !chosen(v, m->choices))
		return lh_err_set(err, LH_EDATA, "\"%s\" is %.*s, not one of %.*s", m->path,
				  (int)(v->n > 100 ? 100 : v->n), v->p,
				  (int)strlen(m->choices) - 2, m->choices + 1);
	return 0;
}

static int check_lists(const struct lh_record *rec, struct lh_err *err)
{
	static const char *const names[] = { "name", "key_column", "key_value" };
	const struct lh_value *list = lh_record_get(rec, "datasets");
	struct lh_value v;
	struct lh_iter it;
	size_t i;

	for (lh_iter_init(&it, list); lh_iter_next(&it); )
		for (i = 0; i < 3; i++)
			if (it.val.type != LH_OBJECT || !lh_value_get(&it.val, names[i], &v) ||
			    v.type != LH_STRING)
				return lh_err_set(err, LH_EDATA,
						  "\"datasets\" holds one without a string \"%s\"",
						  names[i]);
	list = lh_record_get(rec, "safe_views");
	for (lh_iter_init(&it, list); lh_iter_next(&it); )
		if (it.val.type != LH_STRING)
			return wrong(err, "safe_views", "holds something that is not a string");
	return 0;
}

int lh_manifest_check(const struct lh_record *rec, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];
	struct lh_buf id;
	struct lh_value v;
	size_t i;
	int rc;

	for (i = 0; i < sizeof members / sizeof *members; i++) {
		const struct member *m = &members[i];

		if (!lh_manifest_get(rec, m->path, &v)) {
			if (!m->optional)
				return lh_err_set(err, LH_EDATA, "missing member \"%s\"", m->path);
		} else if (!(m->optional && v.type == LH_NULL) && check_member(m, &v, err) < 0) {
			return -1;
		}
	}
	if (check_lists(rec, err) < 0)
		return -1;
	lh_buf_init(&id, LH_BUF_NOMAX);
	lh_manifest_text(rec, "candidate_id", &id);
	rc = lh_buf_check(&id, err);
	if (!rc)
		rc = lh_subject_name(name, id.p, id.len, err);
	lh_buf_free(&id);
	return rc;
}

/* ---- files ---- */

static int read_file(struct lh_buf *b, int fd, struct lh_err *err)
{
	ssize_t n;
	char *to;

	do {
		to = lh_buf_room(b, 4096);
		if (!to)
			return b->failed == LH_EDATA ? lh_err_set(err, LH_EDATA,
								  "longer than 16 MiB")
								  : lh_buf_check(b, err);
		n = lh_read_some(fd, to, 4096, err);
		if (n > 0)
			lh_buf_took(b, (size_t)n);
	} while (n > 0);
	if (n == 0 && lh_buf_room(b, LH_PAD))
		memset(b->p + b->len, 0, LH_PAD);
	return (int)n;
}

int lh_manifest_read(struct lh_manifest *m, const char *path, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	lh_record_init(&m->rec);
	lh_buf_init(&m->text, LH_MANIFEST_MAX);
	if (fd < 0)
		return errno == ENOENT ? 1 : -1;
	rc = read_file(&m->text, fd, err);
	close(fd);
	if (rc == 0)
		rc = lh_record_parse(&m->rec, m->text.p ? m->text.p : "", m->text.len, err);
	if (rc == 0)
		rc = lh_manifest_check(&m->rec, err);
	if (rc == 0)
		return 0;
	lh_manifest_free(m);
	return err->code == LH_ENOMEM ? -1 : lh_err_prefix(err, "%s", path);
}

bool lh_manifest_is(const struct lh_manifest *m, const char *id, size_t n)
{
	const struct lh_value *v = lh_record_get(&m->rec, "candidate_id");

	return v && lh_value_is(v, id, n);
}

int lh_manifest_name(char name[LH_SUBJECT_MAX + 1], const char *dir, const char *id, size_t n,
		     struct lh_err *err)
{
	struct lh_manifest m;
	bool theirs = false;
	char *path;
	int rc;

	if (!lh_subject_plain_name(name, id, n))
		return lh_subject_name(name, id, n, err);
	path = lh_subject_path(dir, name, LH_SUBJECT_MANIFEST, err);
	rc = path ? lh_manifest_read(&m, path, err) : -1;
	free(path);
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
}
