/* lineage_subject.c - manifest and look-ups of a subject. */
#include <stdlib.h>
#include <unistd.h>

#include <lh/chain.h>

#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "file/rows.h"
#include "lineage_parts.h"

#define VALIDATOR "validator_lookup"	/* kind of the accessor that judges a draft */

struct accessor {
	struct lh_str kind, daemon, purpose, trace_id;
};
struct access {
	struct lh_str ts, result;
	struct accessor by;
	struct lh_value fields;
};
static const struct lh_bind accessor_members[] = {
	{ LH_BIND_STRING("kind", struct accessor, kind), .lax = true },
	{ LH_BIND_STRING("daemon", struct accessor, daemon), .lax = true },
	{ LH_BIND_STRING("purpose", struct accessor, purpose), .lax = true },
	{ LH_BIND_STRING("trace_id", struct accessor, trace_id), .lax = true },
	LH_BIND_END
};
static const struct lh_bind access_members[] = {
	{ LH_BIND_STRING("ts", struct access, ts), .lax = true },
	{ LH_BIND_TABLE("accessor", struct access, by, accessor_members), .lax = true },
	{ LH_BIND_ARRAY("fields_accessed", struct access, fields), .lax = true },
	{ LH_BIND_STRING("result", struct access, result), .lax = true },
	LH_BIND_END
};

struct subject {
	struct lh_lineage *l;
	struct lh_writer *w;
	struct lh_str id;
	char *dir;		/* of the logs */
	size_t below;		/* bytes of dir before what is relative to the root */
};

static void write_str(struct lh_writer *w, const char *name, struct lh_str s)
{
	if (s.p)
		lh_write_str(w, name, s);
}

static int write_manifest(struct subject *s, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1], *path;
	struct lh_manifest m = { .n_datasets = 0 };
	struct lh_writer *w = s->w;
	int rc = lh_manifest_name(name, s->dir, s->id.p, s->id.n, err);

	if (rc < 0)
		return -1;
	path = lh_subject_path(s->dir, name, LH_SUBJECT_MANIFEST, err);
	rc = path ? lh_manifest_read(&m, path, err) : -1;
	if (!rc && lh_manifest_is(&m, s->id.p, s->id.n)) {
		lh_write_object(w, NULL);
		lh_write_text(w, "step", "manifest");
		lh_write_bytes(w, "file", path + s->below);
		lh_write_u64(w, "line", 1);
		write_str(w, "status", m.status);
		write_str(w, "vertical", m.vertical);
		write_str(w, "general_pii", m.consent.general_pii.status);
		write_str(w, "biometric", m.consent.biometric.status);
		write_str(w, "general_pii_until", m.retention.general_pii_until);
		write_str(w, "audit_log_chain_root", m.audit_log_chain_root);
		lh_write_u64(w, "datasets", m.n_datasets);
		lh_write_end(w);
		rc = 1;
	} else if (rc < 0 && err->code != LH_ENOMEM) {
		s->l->how.warn(s->l->how.ctx, true, err->msg);
		rc = 0;
	} else if (rc > 0) {
		rc = 0;
	}
	lh_manifest_free(&m);
	free(path);
	return rc;
}

static void write_access(struct subject *s, const char *file, uint64_t line,
			 const struct access *a)
{
	struct lh_writer *w = s->w;
	bool judged = a->by.kind.p && lh_str_is(a->by.kind, VALIDATOR, sizeof VALIDATOR - 1);

	lh_write_object(w, NULL);
	lh_write_text(w, "step", judged ? "verdict" : "look-up");
	lh_write_bytes(w, "file", file);
	lh_write_u64(w, "line", line);
	write_str(w, "ts", a->ts);
	write_str(w, "daemon", a->by.daemon);
	write_str(w, "kind", a->by.kind);
	write_str(w, "purpose", a->by.purpose);
	write_str(w, "trace_id", a->by.trace_id);
	if (a->fields.p)
		lh_write_value(w, "fields_accessed", &a->fields);
	write_str(w, "result", a->result);
	lh_write_end(w);
}

/* Write the rows of a log from number `from` on (from 0); 1, or -1. */
static int write_accesses(struct subject *s, const char *path, uint64_t from, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new(err);
	struct lh_record *rec = &s->l->rec;
	struct access a;
	struct lh_row row;
	uint64_t i;
	int rc = rows ? lh_rows_open(rows, path, err) : -1;

	for (i = 0; rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0; i++) {
		if (i < from)
			continue;
		a = (struct access){ .ts = { NULL, 0 } };
		if (lh_record_parse(rec, row.p, row.n, err) < 0 && err->code != LH_EDATA)
			rc = -1;
		else if (rec->n && lh_bind(access_members, rec, &a, &s->l->ids.text, err) < 0)
			rc = -1;
		if (rc > 0)
			write_access(s, path + s->below, row.line, &a);
	}
	lh_rows_free(rows);
	return rc < 0 ? -1 : 1;
}

/* Count the rows of a log: 1, 0 if it does not exist, -1. */
static int count(const char *path, uint64_t *n, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new(err);
	struct lh_row row;
	int rc = rows ? lh_rows_open(rows, path, err) : -1, found = rc;

	*n = 0;
	while (rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0)
		++*n;
	lh_rows_free(rows);
	return rc < 0 ? -1 : found;
}

/* Write what the keys say of the chain. */
static int write_state(struct subject *s, const char *path, const char *name, struct lh_err *err)
{
	struct lh_chain_check check = { .keys = s->l->how.keys, .name = name,
					.jobs = (unsigned)s->l->how.jobs,
					.lock_timeout = LH_LOCK_TIMEOUT };
	struct lh_chain_verdict v;
	char why[LH_CHAIN_ERROR];

	if (!s->l->how.keys) {
		lh_write_text(s->w, "state", "not verified");
		return 0;
	}
	if (lh_chain_verify(path, &check, &v, err) < 0)
		return -1;
	lh_chain_error(&v, why);
	lh_write_text(s->w, "state", lh_chain_state_name(v.state));
	if (*why)
		lh_write_text(s->w, "error", why);
	return 0;
}

static int write_log(struct subject *s, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1], *path;
	uint64_t n, most = s->l->how.most;
	struct lh_writer *w = s->w;
	int rc = lh_chain_log_name(name, s->dir, s->id.p, s->id.n, err);

	if (rc < 0)
		return -1;
	path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG, err);
	rc = path ? count(path, &n, err) : -1;
	if (rc < 0 && err->code == LH_EIO) {
		s->l->how.warn(s->l->how.ctx, true, err->msg);
		rc = 0;
	}
	if (rc > 0) {
		lh_write_object(w, NULL);
		lh_write_text(w, "step", "chain");
		lh_write_bytes(w, "file", path + s->below);
		lh_write_u64(w, "rows", n);
		rc = write_state(s, path, name, err);
		if (n > most)
			lh_write_u64(w, "more", n - most);
		lh_write_array(w, "steps");
		if (!rc)
			rc = write_accesses(s, path, n > most ? n - most : 0, err);
		lh_write_end(w);
		lh_write_end(w);
	}
	free(path);
	return rc;
}

int lh_lineage_subject(struct lh_lineage *l, struct lh_writer *w, struct lh_str id,
		       struct lh_err *err)
{
	struct subject s = { .l = l, .w = w, .id = id };
	char name[LH_SUBJECT_MAX + 1];
	size_t at = w->out->len;
	int manifest = 0, log = 0;
	bool comma = w->comma;

	if (lh_subject_name(name, id.p, id.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	if (l->how.subjects)
		s.dir = lh_strndup(l->how.subjects, strlen(l->how.subjects), err);
	else
		s.dir = lh_root_join(l->root, LH_SUBJECT_DIR, err);
	if (!s.dir)
		return -1;
	s.below = l->how.subjects ? 0 : strlen(s.dir) - strlen(LH_SUBJECT_DIR);
	lh_write_object(w, NULL);
	lh_write_text(w, "step", "subject");
	lh_write_str(w, "candidate_id", id);
	lh_write_array(w, "steps");
	manifest = write_manifest(&s, err);
	log = manifest < 0 ? -1 : write_log(&s, err);
	lh_write_end(w);
	lh_write_end(w);
	free(s.dir);
	if (manifest > 0 || log)
		return log < 0 ? -1 : 1;
	w->out->len = at;
	w->comma = comma;
	return manifest < 0 ? -1 : 0;
}
