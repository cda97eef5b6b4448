/* erase_rest.c - whole files, the subject's manifest and audit log.  See erase.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/commitment.h"
#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "erase.h"

static int remove_file(const char *path, struct lh_err *err)
{
	if (unlink(path) == 0)
		return lh_sync_folder(path, err);
	return errno == ENOENT ? 0 : lh_err_sys(err, "%s: cannot remove", path);
}

int erase_file(struct erasure *e, const struct target *t)
{
	return remove_file(place_of(e, t)->path, &e->tool->err);
}

/* What is being written is left to the next round. */
int erase_spool(struct erasure *e, const struct target *t)
{
	const char *path = place_of(e, t)->path;
	int fd = lh_open_regular(path, O_RDONLY, 0, &e->tool->err), rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && lh_is_still_named(fd, path))
		rc = remove_file(path, &e->tool->err);
	close(fd);
	return rc;
}

/* Overwrite a secret before its name goes, so that it is not in a block that is free. */
int erase_secret(struct erasure *e, const struct target *t)
{
	static const char zeros[LH_OPENING];
	const char *path = place_of(e, t)->path;
	struct lh_err *err = &e->tool->err;
	int fd = lh_open_regular(path, O_WRONLY, 0, err), rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = lh_pwrite_all(fd, zeros, sizeof zeros, 0, err);
	if (!rc && fsync(fd) < 0)
		rc = lh_err_sys(err, "%s: cannot sync", path);
	close(fd);
	return rc ? rc : remove_file(path, err);
}

char *own_path(struct erasure *e, const char *ending)
{
	char name[LH_SUBJECT_MAX + 1];
	const struct lh_str id = e->who.id;
	struct lh_err *err = &e->tool->err;
	int rc = strcmp(ending, LH_SUBJECT_MANIFEST)
		? lh_chain_log_name(name, e->s->subjects, id.p, id.n, err)
		: lh_manifest_name(name, e->s->subjects, id.p, id.n, err);

	return rc < 0 ? NULL : lh_subject_path(e->s->subjects, name, ending);
}

/* ---- the audit log ---- */

/* Return whether the log ends with the row of this erasure: 1, 0, -1. */
static int is_ended(const char *path, const char *id, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int fd = lh_open_regular(path, O_RDONLY, 0, err);
	struct stat st;
	ssize_t n;
	char *to;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	to = lh_buf_room(&text, 65536);
	n = fstat(fd, &st) == 0
		? pread(fd, to, 65536, st.st_size > 65536 ? st.st_size - 65536 : 0) : -1;
	close(fd);
	if (n < 0)
		return lh_err_sys(err, "%s: read failed", path);
	return memmem(to, (size_t)n, id, strlen(id)) != NULL;
}

static int append_end(struct erasure *e)
{
	struct lh_err *err = &e->tool->err, later;
	const struct lh_chain_row row = {
		.candidate_id = e->who.id, .ts = lh_str_of(e->started), .result = "success",
		.accessor = { .kind = lh_str_of("erasure"), .daemon = lh_str_of("lh-subject"),
			      .purpose = lh_str_of("erased"), .trace_id = lh_str_of(e->id) },
	};
	struct lh_chain_log *log = lh_chain_log_open(e->s->subjects, &e->keys, LH_CHAIN_EACH,
						     e->tool->lock_timeout, err);
	int rc = log ? lh_chain_append(log, &row, NULL, err) : -1;

	if (log && lh_chain_log_close(log, rc ? &later : err) < 0)
		rc = -1;
	return rc;
}

/* Set tip to the last row_hmac of the log. */
static int read_tip(struct erasure *e, const char *path, char tip[LH_CHAIN_TIP])
{
	const struct lh_chain_check check = { .keys = &e->keys, .jobs = 1,
					      .lock_timeout = e->tool->lock_timeout };
	struct lh_chain_verdict v;
	char why[LH_CHAIN_ERROR];

	if (lh_chain_verify(path, &check, &v, &e->tool->err) < 0)
		return -1;
	lh_chain_error(&v, why);
	if (*why)
		return lh_err_set(&e->tool->err, LH_ECORRUPT, "%s: %s", path, why);
	memcpy(tip, v.tip, LH_CHAIN_TIP);
	return 0;
}

/* ---- the manifest ---- */

static void write_consent(struct lh_writer *w, const char *name, struct lh_str was)
{
	lh_write_object(w, name);
	lh_write_text(w, "status", lh_str_is(was, "never_collected", 15) ? "never_collected"
								       : "withdrawn");
	lh_write_end(w);
}

/* Append a manifest that has nothing of the person but the id. */
static void write_manifest(struct lh_buf *out, const struct erasure *e,
			   const struct lh_manifest *m, const char *tip)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "schema", m->schema);
	lh_write_str(&w, "candidate_id", m->candidate_id);
	lh_write_str(&w, "created_at", m->created_at);
	lh_write_text(&w, "updated_at", e->started);
	lh_write_text(&w, "status", "erased");
	lh_write_text(&w, "vertical", "unknown");
	lh_write_object(&w, "consent");
	write_consent(&w, "general_pii", m->consent.general_pii.status);
	write_consent(&w, "biometric", m->consent.biometric.status);
	lh_write_end(&w);
	lh_write_object(&w, "retention");
	lh_write_text(&w, "general_pii_until", e->started);
	lh_write_text(&w, "policy", "erased");
	lh_write_end(&w);
	lh_write_raw(&w, "datasets", lh_str_of("[]"));
	lh_write_raw(&w, "safe_views", lh_str_of("[]"));
	lh_write_str(&w, "audit_log_path", m->audit_log_path);
	lh_write_text(&w, "audit_log_chain_root", tip);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
}

static int renew_manifest(struct erasure *e, const char *tip)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *path = own_path(e, LH_SUBJECT_MANIFEST);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_manifest m;
	int rc = path ? lh_manifest_read(&m, path, err) : -1;

	if (rc)
		return rc < 0 ? -1 : 0;
	write_manifest(&text, e, &m, tip);
	if (lh_manifest_is(&m, e->who.id.p, e->who.id.n) &&
	    (text.len != m.text.len || memcmp(text.p, m.text.p, text.len)))
		rc = lh_atomic_put(path, 0600, &text, err);
	lh_manifest_free(&m);
	return rc;
}

int erase_end_log(struct erasure *e)
{
	struct lh_err *err = &e->tool->err;
	LH_SCOPED(lh_free_local) char *path = own_path(e, LH_SUBJECT_LOG);
	LH_SCOPED(lh_free_local) char *commit = own_path(e, LH_SUBJECT_COMMIT);
	char tip[LH_CHAIN_TIP] = "GENESIS";
	int rc;

	if (!path || !commit)
		return -1;
	if (e->s->with_log) {
		if (remove_file(commit, err) < 0)
			return -1;
		return renew_manifest(e, tip);
	}
	rc = is_ended(path, e->id, err);
	if (!rc)
		rc = append_end(e);
	if (rc >= 0)
		rc = read_tip(e, path, tip);
	return rc ? rc : renew_manifest(e, tip);
}
