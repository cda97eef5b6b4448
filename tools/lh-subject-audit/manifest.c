/* manifest.c - lh-subject-audit manifest put, get, list and verify, and sweep. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"

#include "audit.h"
#include "base/mem.h"
#include "audit/erasures.h"
#include "file/file.h"
#include "json/write.h"
#include "base/time.h"

/* ---- put ---- */

struct put {
	struct lh_tool *tool;
	const struct settings *s;
};

/* Return whether there is a receipt of the erasure of an id, whose name is a hash of it: 1, 0. */
static int has_receipt(const struct settings *s, struct lh_str id, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	char hash[LH_SHA256_HEX];
	unsigned char sum[32];
	size_t i;

	for (i = 0; i < s->keys.n; i++) {
		lh_hmac(s->keys.key[i], id.p, id.n, NULL, 0, sum);
		lh_hex(sum, sizeof sum, hash);
		lh_buf_reset(&path);
		lh_buf_printf(&path, "%s/" LH_ERASURES_FOLDER "/%.*s.json%c", s->dir,
			      (int)sizeof hash, hash, '\0');
		if (access(path.p, F_OK) == 0)
			return 1;
		if (errno != ENOENT)
			return lh_err_sys(err, "%s", path.p);
	}
	return 0;
}

/* Report or refuse that a person who was erased is added again. */
static int check_return(const struct put *p, const char *path, const struct lh_manifest *m,
			bool erased, struct lh_err *err)
{
	int rc = erased ? 1 : has_receipt(p->s, m->candidate_id, err);

	if (rc <= 0)
		return rc;
	if (p->s->forbid_return)
		return lh_err_data(err, 409, "%s: the person was erased, and may not be added "
				   "again", path);
	lh_tool_message(p->tool, "%s: the person was erased, and is added again", path);
	return 0;
}

static bool is_erased(const struct lh_manifest *m)
{
	return lh_value_is(&m->json.status, "erased", 6);
}

/* Check what is in the place of a manifest: it may be another subject's, or none, or say that
 * this one was erased. */
static int check_place(const struct put *p, const char *path, const struct lh_manifest *m,
		       struct lh_err *err)
{
	struct lh_str id = m->candidate_id;
	struct lh_manifest old;
	int rc = lh_manifest_read(&old, path, err);

	/* a regular file that is not a manifest may be replaced */
	if (rc > 0 || (rc < 0 && err->code == LH_EDATA))
		return is_erased(m) ? 0 : check_return(p, path, m, false, err);
	if (rc < 0)
		return -1;
	if (!lh_manifest_is(&old, id.p, id.n))
		rc = lh_err_set(err, LH_EDATA, "%s: it belongs to another candidate_id", path);
	else if (is_erased(&old) && !is_erased(m))
		rc = check_return(p, path, m, true, err);
	lh_manifest_free(&old);
	return rc;
}

static int put_in(const struct put *p, const struct lh_manifest *m, struct lh_err *err)
{
	const char *dir = p->s->dir;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	char name[LH_SUBJECT_MAX + 1], *path = NULL;
	struct lh_str id = m->candidate_id;
	int rc = lh_manifest_name(name, dir, id.p, id.n, err);

	if (!rc) {
		path = lh_subject_path(dir, name, LH_SUBJECT_MANIFEST);
		rc = check_place(p, path, m, err);
	}
	lh_buf_add(&text, m->object.p, m->object.n);
	lh_buf_putc(&text, '\n');
	if (!rc)
		rc = lh_atomic_put(path, 0600, &text, err);
	free(path);
	return rc;
}

static int on_manifest(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	const struct put *p = arg;
	LH_SCOPED(lh_manifest_free) struct lh_manifest m;
	int rc = lh_manifest_bind(&m, rec, err);

	if (!rc)
		rc = put_in(p, &m, err);
	if (!rc)
		lh_buf_add(out, rec->line, rec->len);
	return rc;
}

static int put_manifest(struct lh_tool *tool, const struct settings *s)
{
	struct put p = { tool, s };
	struct lh_flow flow = {
		.map = on_manifest, .shared = &p, .files = tool->operands + 1,
		.n_files = tool->n_operands - 1,
	};

	tool->jobs = 1;
	if (lh_subject_make_dir(s->dir, &tool->err) < 0)
		return -1;
	return lh_records_run(tool, &flow);
}

/* ---- get, list, verify, sweep: each manifest in order ---- */

typedef int (*manifest_fn)(struct lh_tool *tool, const struct settings *s, const char *path,
			   const struct lh_manifest *m, struct lh_buf *out);

/* Process one manifest.  id: whose it must be, or NULL. */
static int process_one(struct lh_tool *tool, const struct settings *s, const char *name,
		       const char *id, manifest_fn fn, struct lh_buf *out)
{
	char *path = lh_subject_path(s->dir, name, LH_SUBJECT_MANIFEST);
	struct lh_manifest m;
	int rc = lh_manifest_read(&m, path, &tool->err);

	if (rc > 0)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: there is no such manifest", path);
	else if (!rc) {
		if (id && !lh_manifest_is(&m, id, strlen(id)))
			rc = lh_err_set(&tool->err, LH_EIO,
					"%s: it belongs to another candidate_id", path);
		else
			rc = fn(tool, s, path, &m, out);
		lh_manifest_free(&m);
	}
	free(path);
	return rc < 0 ? -1 : 0;
}

/* Process those of the ids, or all: a bad one is a bad verdict, and the next follows.  What
 * verifies has to have found one. */
static int process_each(struct lh_tool *tool, const struct settings *s, char **ids, size_t n,
			manifest_fn fn, struct lh_buf *out)
{
	LH_SCOPED(lh_subject_list_free) struct lh_subject_list all = { NULL, 0, 0 };
	char name[LH_SUBJECT_MAX + 1];
	size_t i;
	int rc = 0;

	if (!n && lh_subject_list(&all, s->dir, LH_SUBJECT_MANIFEST, &tool->err) < 0)
		return -1;
	if (!n && tool->verb->bit == V_MANIFEST && *tool->operands[0] == 'v')
		lh_tool_verdict_over(tool, all.n, "manifests", s->dir);
	for (i = 0; i < (n ? n : all.n); i++) {
		lh_tool_share(tool, i, n ? n : all.n);
		if (n && lh_manifest_name(name, s->dir, ids[i], strlen(ids[i]), &tool->err) < 0) {
			operand_failed(tool, &rc);
			continue;
		}
		if (process_one(tool, s, n ? name : all.name[i], n ? ids[i] : NULL, fn, out) == 0)
			continue;
		if (tool->err.code == LH_EDATA) {
			lh_tool_warn(tool, "%s", tool->err.msg);
			lh_tool_verdict_bad(tool);
		} else {
			operand_failed(tool, &rc);
		}
	}
	return rc;
}

static int print_manifest(struct lh_tool *tool, const struct settings *s, const char *path,
			  const struct lh_manifest *m, struct lh_buf *out)
{
	(void)tool, (void)s, (void)path;
	lh_json_compact(out, m->object.p, m->object.n);
	lh_buf_putc(out, '\n');
	return 0;
}

static int list(struct lh_tool *tool, const struct settings *s, const char *path,
		const struct lh_manifest *m, struct lh_buf *out)
{
	struct lh_writer w = lh_write_to(out);

	(void)tool, (void)s;
	lh_write_object(&w, NULL);
	lh_write_value(&w, "candidate_id", &m->json.candidate_id);
	lh_write_value(&w, "status", &m->json.status);
	lh_write_value(&w, "vertical", &m->json.vertical);
	lh_write_str(&w, "general_pii_until", m->retention.general_pii_until);
	lh_write_bytes(&w, "file", path);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return 0;
}

/* Verify the log of the manifest's subject. */
static int verify_log(struct lh_tool *tool, const struct settings *s, const struct lh_manifest *m,
		      struct lh_chain_verdict *v)
{
	char name[LH_SUBJECT_MAX + 1], *log = NULL;
	const struct lh_chain_check c = check_of(tool, s, name, NULL);
	struct lh_str id = m->candidate_id;
	int rc;

	if (lh_chain_log_name(name, s->dir, id.p, id.n, &tool->err) == 0)
		log = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	rc = log ? lh_chain_verify(log, &c, v, &tool->err) : -1;
	free(log);
	return rc;
}

static bool is_any(struct lh_str s, const char *a, const char *b)
{
	return lh_str_is(s, a, strlen(a)) || lh_str_is(s, b, strlen(b));
}

/* Return what the manifest of an erased subject still has, or NULL. */
static const char *not_erased(const struct lh_manifest *m)
{
	if (!is_erased(m))
		return NULL;
	return !is_any(m->consent.general_pii.status, "withdrawn", "withdrawn")
		       ? "erased, but consent.general_pii is not withdrawn"
	       : !is_any(m->consent.biometric.status, "withdrawn", "never_collected")
		       ? "erased, but consent.biometric is not withdrawn"
	       : m->n_datasets ? "erased, but there are datasets"
			       : NULL;
}

/* Check that the manifest's root is at the end of the log, and that nothing of an erased subject
 * is in it. */
static int verify(struct lh_tool *tool, const struct settings *s, const char *path,
		  const struct lh_manifest *m, struct lh_buf *out)
{
	struct lh_str root = m->audit_log_chain_root;
	struct lh_writer w = lh_write_to(out);
	char error[LH_CHAIN_ERROR];
	const char *left = not_erased(m);
	struct lh_chain_verdict v;
	struct lh_str tip;

	if (verify_log(tool, s, m, &v) < 0)
		return -1;
	lh_chain_error(&v, error);
	tip = (struct lh_str){ v.tip, strlen(v.tip) };
	if (!*error && lh_str_cmp(root.n ? root : (struct lh_str){ "GENESIS", 7 }, tip) != 0)
		memcpy(error, ROOT_MISMATCH, sizeof ROOT_MISMATCH);
	if (!*error && left)
		snprintf(error, sizeof error, "%s", left);
	lh_write_object(&w, NULL);
	lh_write_value(&w, "candidate_id", &m->json.candidate_id);
	lh_write_bytes(&w, "file", path);
	lh_write_str(&w, "audit_log_chain_root", root);
	lh_write_str(&w, "tip", tip);
	lh_write_u64(&w, "count", v.count);
	lh_write_bool(&w, "verified", !*error);
	lh_write_text(&w, "error", *error ? error : NULL);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	if (*error)
		lh_tool_verdict_bad(tool);
	return 0;
}

int audit_manifest(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *what = tool->operands[0];
	manifest_fn fn = strcmp(what, "get") == 0  ? print_manifest
			 : strcmp(what, "list") == 0 ? list
						     : verify;
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	int rc;

	if (strcmp(what, "put") == 0)
		return put_manifest(tool, s);
	rc = process_each(tool, s, tool->operands + 1, tool->n_operands - 1, fn, &out);
	if (print(tool, &out) < 0)
		rc = -1;
	return rc;
}

/* ---- sweep ---- */

static bool is_before(struct lh_str time, struct lh_moment as_of)
{
	struct lh_moment until;

	return time.p && lh_moment_read(time.p, time.n, &until) == 0 &&
	       lh_moment_before(until, as_of);
}

static int put_expired(struct lh_tool *tool, const struct settings *s, const char *path,
		       const struct lh_manifest *m, struct lh_buf *out)
{
	struct lh_str pii_until = m->retention.general_pii_until;
	struct lh_str biometric_until = m->consent.biometric.retention_until;
	const struct lh_value *status = &m->json.status;
	struct lh_writer w = lh_write_to(out);
	struct lh_moment as_of = { 0, 0 };
	bool pii, biometric;

	(void)tool;
	lh_moment_read(s->as_of, strlen(s->as_of), &as_of);
	pii = is_before(pii_until, as_of);
	biometric = is_before(biometric_until, as_of);
	if (!(pii || biometric) || is_erased(m) ||
	    lh_value_is(status, "retention_expired", 17))
		return 0;
	lh_write_object(&w, NULL);
	lh_write_value(&w, "candidate_id", &m->json.candidate_id);
	lh_write_value(&w, "status", status);
	lh_write_array(&w, "expired");
	if (pii)
		lh_write_text(&w, NULL, "general_pii");
	if (biometric)
		lh_write_text(&w, NULL, "biometric");
	lh_write_end(&w);
	lh_write_str(&w, "general_pii_until", pii_until);
	if (biometric_until.p)
		lh_write_str(&w, "biometric_retention_until", biometric_until);
	else
		lh_write_null(&w, "biometric_retention_until");
	lh_write_text(&w, "as_of", s->as_of);
	lh_write_bytes(&w, "file", path);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return 0;
}

/* Write DIR/_retention_sweep_<date>.jsonl, with the date of the sweep in UTC. */
static int write_sweep(struct lh_tool *tool, const struct settings *s, const struct lh_buf *out)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	char name[sizeof "_retention_sweep_" + LH_TIME_LEN];
	int64_t ms = 0;

	memcpy(name, "_retention_sweep_", 17);
	lh_time_read(s->as_of, strlen(s->as_of), &ms);
	lh_time_print(ms, name + 17);
	name[17 + sizeof "2026-05-03" - 1] = '\0';
	path = lh_subject_path(s->dir, name, ".jsonl");
	return lh_atomic_put(path, 0600, out, &tool->err);
}

int audit_sweep(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	char now[32];
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	int rc;

	if (!s->as_of) {
		lh_tool_time(tool, now);
		s->as_of = now;
	}
	rc = process_each(tool, s, NULL, 0, put_expired, &out);
	if (!rc && s->apply)
		rc = write_sweep(tool, s, &out);
	if (print(tool, &out) < 0)
		rc = -1;
	return rc;
}
