/* lineage_subject.c - manifest and look-ups of a subject; which file an operand FILE:LINE names. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/subject.h"
#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "lineage_parts.h"

/* ---- manifest and look-ups of a subject ---- */

#define TORN "incomplete last line"
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
	uint64_t line;		/* of the log, which was asked for; 0: none */
};

/* A log as it was when it was opened. */
struct log {
	int fd;
	const char *path;
	uint64_t size, rows;	/* rows: those that are whole */
	uint64_t asked;		/* the rows before the line that was asked for */
	bool torn;		/* the last line has no LF: */
	uint64_t torn_at, torn_line;
};

char *lh_lineage_subjects(const struct lh_lineage *l)
{
	const char *dir = l->how.subjects;

	return dir ? lh_strndup(dir, strlen(dir))
		   : lh_root_join(l->root, LH_SUBJECT_DIR);
}

static void write_str(struct lh_writer *w, const char *name, struct lh_str s)
{
	if (s.p)
		lh_write_str(w, name, s);
}

static int write_manifest(struct subject *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	char name[LH_SUBJECT_MAX + 1];
	LH_SCOPED(lh_manifest_free) struct lh_manifest m = { .n_datasets = 0 };
	struct lh_writer *w = s->w;
	int rc = lh_manifest_name(name, s->dir, s->id.p, s->id.n, err);

	if (rc < 0)
		return -1;
	path = lh_subject_path(s->dir, name, LH_SUBJECT_MANIFEST);
	rc = lh_manifest_read(&m, path, err);
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
		return 1;
	}
	if (rc < 0)
		s->l->how.warn(s->l->how.ctx, true, err->msg);
	return 0;
}

static void write_access(struct subject *s, const char *file, uint64_t line,
			 const struct access *a, const char *error)
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
	if (error)
		lh_write_text(w, "error", error);
	lh_write_end(w);
}

/* ---- the log ---- */

/* Call fn for each whole row, with the number of rows before it. */
typedef int row_fn(struct subject *s, struct log *log, const struct lh_file_row *row, uint64_t i,
		   struct lh_err *err);
static int each_whole(struct subject *s, struct log *log, row_fn *fn, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	struct lh_file_row row;
	uint64_t i;
	int rc = lh_rows_open_fd(rows, log->fd, log->path, err);

	for (i = 0; rc > 0 && (rc = lh_rows_next(rows, &row, err)) > 0; i++) {
		if (row.at + row.n >= log->size) {
			log->torn_line = row.line;
			log->torn_at = row.at;
			break;
		}
		rc = fn(s, log, &row, i, err);
	}
	lh_rows_free(rows);
	return rc < 0 ? -1 : 0;
}

static int count(struct subject *s, struct log *log, const struct lh_file_row *row, uint64_t i,
		 struct lh_err *err)
{
	(void)err;
	if (row->line == s->line)
		log->asked = i;
	log->rows = i + 1;
	log->torn_line = row->line + 1;
	log->torn_at = row->at + row->n + 1;
	return 1;
}

/* Write a row, if it is among the newest or was asked for. */
static int write_if_shown(struct subject *s, struct log *log, const struct lh_file_row *row,
			  uint64_t i, struct lh_err *err)
{
	struct lh_record *rec = &s->l->rec;
	struct access a = { .ts = { NULL, 0 } };
	const char *error = NULL;

	if (i != log->asked && log->rows - i > s->l->how.most)
		return 1;
	if (lh_record_parse(rec, row->p, row->n, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		error = "not a record";
	} else if (lh_bind(access_members, rec, &a, &s->l->ids.text, err) < 0) {
		return -1;
	}
	write_access(s, log->path + s->below, row->line, &a, error);
	return 1;
}

/* Set the size of the log, and whether its last line lacks its LF. */
static int measure(struct log *log, struct lh_err *err)
{
	struct stat st;
	char last = '\n';

	if (fstat(log->fd, &st) < 0)
		return lh_err_sys(err, "%s", log->path);
	log->size = (uint64_t)st.st_size;
	if (log->size && pread(log->fd, &last, 1, (off_t)log->size - 1) < 0)
		return lh_err_sys(err, "%s", log->path);
	log->torn = last != '\n';
	return 0;
}

/* Open the log and count its rows: 1, 0 if it does not exist, -1.  If its last line is not
 * whole, a writer may be about to finish it, so that the lock decides. */
static int open_log(struct subject *s, struct log *log, struct lh_err *err)
{
	int rc;

	log->fd = lh_open_regular(log->path, O_RDONLY, 0, err);
	if (log->fd < 0)
		return errno == ENOENT ? 0 : -1;
	rc = measure(log, err);
	if (!rc && log->torn) {
		rc = lh_flock(log->fd, LOCK_SH, log->path, LH_LOCK_TIMEOUT, err);
		if (!rc)
			rc = measure(log, err);
		flock(log->fd, LOCK_UN);
	}
	log->torn_line = 1;
	log->asked = UINT64_MAX;
	if (!rc)
		rc = each_whole(s, log, count, err);
	return rc < 0 ? -1 : 1;
}

static void count_broken(void *ctx, uint64_t row, enum lh_chain_fault fault)
{
	(void)row;
	*(uint64_t *)ctx += fault == LH_CHAIN_MAC;
}

/* Return whether no row of a log verifies, which is no sign of tampering. */
static bool is_other_key(const struct log *log, const struct lh_chain_check *how)
{
	struct lh_chain_check all = *how;
	struct lh_chain_verdict v;
	struct lh_err unused;
	uint64_t broken = 0;

	all.broken = count_broken;
	all.ctx = &broken;
	return lh_chain_verify(log->path, &all, &v, &unused) == 0 && broken == log->rows &&
	       v.state != LH_CHAIN_UNAUTHENTICATED;
}

static void write_other_key(struct subject *s, const struct log *log)
{
	lh_write_u64(s->w, "rows", log->rows);
	lh_write_text(s->w, "state", "not verified");
	lh_write_text(s->w, "error", "no row verifies with this key: is it the right one?");
	if (log->torn)
		lh_write_u64(s->w, "torn_at", log->torn_at);
	s->l->broken = true;
}

/* Write what the keys say of the chain, or at least whether it is whole. */
static int write_state(struct subject *s, const struct log *log, const char *name,
		       struct lh_err *err)
{
	struct lh_chain_check check = { .keys = s->l->how.keys, .name = name,
					.jobs = (unsigned)s->l->how.jobs,
					.lock_timeout = LH_LOCK_TIMEOUT };
	struct lh_chain_verdict v = { .state = log->torn ? LH_CHAIN_TORN : LH_CHAIN_EMPTY };
	const bool seen = log->torn || !log->rows;	/* without a key */
	const char *state = seen ? lh_chain_state_name(v.state) : "not verified";
	const char *error = log->torn ? TORN : seen ? lh_chain_fault_text(LH_CHAIN_NO_ROWS) : NULL;
	uint64_t line = log->torn_line;

	if (s->l->how.keys) {
		if (lh_chain_verify(log->path, &check, &v, err) < 0)
			return -1;
		if (v.fault == LH_CHAIN_MAC && is_other_key(log, &check)) {
			write_other_key(s, log);
			return 0;
		}
		state = lh_chain_state_name(v.state);
		error = !v.fault ? NULL : v.state == LH_CHAIN_TORN ? TORN
				 : lh_chain_fault_text(v.fault);
		line = v.row + 1;
	}
	if (error && v.state != LH_CHAIN_EMPTY)
		lh_write_u64(s->w, "line", line);
	lh_write_u64(s->w, "rows", log->rows);
	lh_write_text(s->w, "state", state);
	if (error)
		lh_write_text(s->w, "error", error);
	if (log->torn)
		lh_write_u64(s->w, "torn_at", log->torn_at);
	s->l->broken |= error || log->torn;
	return 0;
}

/* Write the log that is open. */
static int write_open_log(struct subject *s, struct log *log, const char *name,
			  struct lh_err *err)
{
	uint64_t most = s->l->how.most, more = log->rows > most ? log->rows - most : 0;
	struct lh_writer *w = s->w;
	int rc;

	more -= log->asked < more;
	lh_write_object(w, NULL);
	lh_write_text(w, "step", "chain");
	lh_write_bytes(w, "file", log->path + s->below);
	rc = write_state(s, log, name, err);
	if (more)
		lh_write_u64(w, "more", more);
	lh_write_array(w, "steps");
	if (!rc)
		rc = each_whole(s, log, write_if_shown, err);
	lh_write_end(w);
	lh_write_end(w);
	return rc;
}

static int write_log(struct subject *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	char name[LH_SUBJECT_MAX + 1];
	struct log log = { .fd = -1 };
	int rc = lh_chain_log_name(name, s->dir, s->id.p, s->id.n, err);

	if (rc < 0)
		return -1;
	log.path = path = lh_subject_path(s->dir, name, LH_SUBJECT_LOG);
	rc = open_log(s, &log, err);
	if (rc < 0 && err->code == LH_EIO)
		rc = lh_lineage_left_out(s->l, err);
	if (rc > 0)
		rc = write_open_log(s, &log, name, err) < 0 ? -1 : 1;
	if (log.fd >= 0)
		close(log.fd);
	return rc;
}

int lh_lineage_subject(struct lh_lineage *l, struct lh_writer *w, struct lh_str id, uint64_t line,
		       struct lh_err *err)
{
	struct subject s = { .l = l, .w = w, .id = id, .line = line };
	char name[LH_SUBJECT_MAX + 1];
	size_t at = w->out->len;
	int manifest = 0, log = 0;
	bool comma = w->comma;

	if (lh_subject_name(name, id.p, id.n, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	s.dir = lh_lineage_subjects(l);
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

/* ---- paths ---- */

/* Return the absolute path, without links, of a file that may have been removed: what exists
 * of the path is resolved, and the rest is appended. */
static char *absolute(const char *path)
{
	LH_SCOPED(lh_free_local) char *head = lh_strndup(path, strlen(path)), *full = NULL;
	size_t n = strlen(head);

	while (!(full = realpath(n ? head : ".", NULL)) && n) {
		while (n && head[n - 1] == '/')
			n--;
		while (n && head[n - 1] != '/')
			n--;
		head[n] = '\0';
	}
	/* without that the working directory has been removed */
	return lh_format("%s%s%s", full ? full : "", path[n] ? "/" : "", path + n);
}

/* Return what follows the folder in the path of a file below it, or NULL, also of NULL. */
static const char *below(const char *folder, const char *path)
{
	size_t n = strlen(folder);

	n -= n && folder[n - 1] == '/';
	return path && !strncmp(path, folder, n) && path[n] == '/' ? path + n + 1 : NULL;
}

/* The paths that FILE can stand for: it is relative to the root or to the working
 * directory. */
struct paths {
	char *root;		/* absolute, as these: */
	char *full[2];		/* relative to the root (NULL: it is absolute), and not */
	const char *given;
};

static void paths_of(struct paths *p, const struct lh_lineage *l, const char *path)
{
	LH_SCOPED(lh_free_local) char *joined = NULL;

	p->root = absolute(lh_root_path(l->root));
	p->full[1] = absolute(path);
	p->given = path;
	if (*path == '/')
		return;
	joined = lh_root_join(l->root, path);
	p->full[0] = absolute(joined);
}

/* Return the i-th path that FILE can have in a row or below the root, or NULL. */
static const char *path_in_root(const struct paths *p, size_t i)
{
	return i ? below(p->root, p->full[i - 1]) : p->given;
}

/* ---- files that have no keys ---- */

/* Return whether a file has a line that is not blank: 1, 0, -1. */
static int has_line(struct lh_lineage *l, const char *path, uint64_t line, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	struct lh_file_row row = { .line = 0 };
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && row.line < line)
		rc = lh_rows_next(rows, &row, err);
	lh_rows_free(rows);
	if (rc < 0)
		return lh_lineage_left_out(l, err);
	return rc > 0 && line && row.line == line;
}

/* Set *run to the id of a run if the path, relative to the root, is that of a receipt. */
static bool is_receipt(const char *path, struct lh_buf *run)
{
	const char *id = below(LH_ROOT_REPORTS, path), *name = id ? strchr(id, '/') : NULL;
	size_t stage, n;

	if (!name)
		return false;
	for (stage = 0; stage < LH_STAGES; stage++) {
		n = strlen(lh_stage_name((enum lh_stage)stage));
		if (!strncmp(name + 1, lh_stage_name((enum lh_stage)stage), n) &&
		    !strcmp(name + 1 + n, ".json")) {
			lh_buf_add(run, id, (size_t)(name - id));
			return true;
		}
	}
	return false;
}

/* ---- subjects ---- */

struct row_of {
	struct lh_str id;
};
static const struct lh_bind row_of_members[] = {
	{ LH_BIND_STRING("candidate_id", struct row_of, id), .lax = true, .filled = true },
	LH_BIND_END
};

/* Set *id to that of the first row whose log can have the name: rows may be damaged. */
static int id_of_log(struct lh_lineage *l, const char *path, const char *name,
		     struct lh_buf *id, struct lh_err *err)
{
	struct lh_rows *rows = lh_rows_new();
	struct row_of of;
	struct lh_file_row row;
	int rc = lh_rows_open(rows, path, err);

	while (rc > 0 && !id->len && (rc = lh_rows_next(rows, &row, err)) > 0) {
		of = (struct row_of){ .id = { NULL, 0 } };
		if (lh_record_parse(&l->rec, row.p, row.n, err) < 0)
			rc = err->code == LH_EDATA ? 1 : -1;
		else if (lh_bind(row_of_members, &l->rec, &of, &l->ids.text, err) < 0)
			rc = -1;
		else if (of.id.p && lh_subject_named(name, of.id.p, of.id.n))
			lh_buf_add(id, of.id.p, of.id.n);
	}
	lh_rows_free(rows);
	return rc < 0 ? lh_lineage_left_out(l, err) : 0;
}

static int id_of_manifest(const char *path, const char *name, struct lh_buf *id,
			  struct lh_err *err)
{
	LH_SCOPED(lh_manifest_free) struct lh_manifest m = { .n_datasets = 0 };
	int rc = lh_manifest_read(&m, path, err);

	if (!rc && lh_subject_named(name, m.candidate_id.p, m.candidate_id.n))
		lh_buf_add(id, m.candidate_id.p, m.candidate_id.n);
	/* a damaged one is reported where the subject's steps are written */
	return 0;
}

/* Set *id to that of the subject whose files have the name, according to its log or its
 * manifest, first to the one that was asked for. */
static int id_of_name(struct lh_lineage *l, const char *dir, const char *name, bool log,
		      struct lh_buf *id, struct lh_err *err)
{
	char *path;
	int i, rc = 0;

	for (i = 0; i < 2 && !rc && !id->len; i++, log = !log) {
		path = lh_subject_path(dir, name, log ? LH_SUBJECT_LOG : LH_SUBJECT_MANIFEST);
		rc = log ? id_of_log(l, path, name, id, err) : id_of_manifest(path, name, id, err);
		free(path);
	}
	if (!rc && !id->len)
		lh_buf_puts(id, name);
	return rc;
}

/* Set *id to that of a subject if the path is one of its files and has that line: 1, 0, -1. */
static int subject_line(struct lh_lineage *l, const char *dir, const char *path, uint64_t line,
			struct lh_buf *id, struct lh_err *err)
{
	char name[LH_SUBJECT_MAX + 1];
	const char *file = below(dir, path);
	bool log;
	int rc;

	if (!file || strchr(file, '/'))
		return 0;
	log = lh_subject_of_path(name, path, LH_SUBJECT_LOG);
	if (!log && !lh_subject_of_path(name, path, LH_SUBJECT_MANIFEST))
		return 0;
	rc = has_line(l, path, line, err);
	if (rc > 0 && id_of_name(l, dir, name, log, id, err) < 0)
		rc = -1;
	return rc;
}

static int find_subject(struct lh_lineage *l, const struct paths *p, struct lh_meant *m,
			struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *dir = lh_lineage_subjects(l);
	LH_SCOPED(lh_free_local) char *full = absolute(dir);
	int i, rc = 0;

	for (i = 0; i < 2 && !rc; i++)
		rc = subject_line(l, full, p->full[i], m->line, &m->subject, err);
	return rc;
}

/* ---- FILE:LINE ---- */

/* Find the file: 1, 0 if it is none that lines are asked for by, -1. */
static int find_file(struct lh_lineage *l, const struct paths *p, struct lh_meant *m,
		     lh_line_fn *fn, struct lh_err *err)
{
	const char *path;
	size_t i, f;
	int rc;

	for (i = 0; i < 3; i++) {
		path = path_in_root(p, i);
		if (!path)
			continue;
		f = lh_lineage_file_of(l, lh_str_of(path));
		rc = fn(l, m, &(struct lh_lineage_hit){ f, m->line }, path, err);
		if (rc || f < l->n_files)
			return rc < 0 ? -1 : 1;
		if (is_receipt(path, &m->run)) {
			char *full = lh_root_join(l->root, path);

			rc = has_line(l, full, m->line, err);
			free(full);
			m->as = rc > 0 ? "line" : NULL;
			return rc < 0 ? -1 : 1;
		}
	}
	rc = find_subject(l, p, m, err);
	m->as = rc > 0 ? "line" : NULL;
	return rc;
}

const char *lh_operand_line(struct lh_str operand, uint64_t *line)
{
	const char *const end = operand.p + operand.n;
	const char *const colon = operand.n ? memrchr(operand.p, ':', operand.n) : NULL;
	const char *p = colon;

	if (!colon || colon == operand.p || colon + 1 == end)
		return NULL;
	for (*line = 0; ++p < end; *line = *line * 10 + (uint64_t)(*p - '0'))
		if (*p < '0' || *p > '9' || *line > UINT32_MAX)
			return NULL;
	return colon;
}

int lh_lineage_place(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		     lh_line_fn *fn, struct lh_err *err)
{
	struct paths paths = { .root = NULL };
	uint64_t line;
	const char *colon = lh_operand_line(operand, &line);
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	if (!colon)
		return 0;
	path = lh_strndup(operand.p, (size_t)(colon - operand.p));
	m->line = line;
	paths_of(&paths, l, path);
	rc = find_file(l, &paths, m, fn, err);
	free(paths.root);
	free(paths.full[0]);
	free(paths.full[1]);
	return rc;
}
