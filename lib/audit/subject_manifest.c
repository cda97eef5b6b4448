/* subject_manifest.c - read and check manifests.  See subject_manifest.h. */
#include "subject_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"

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
