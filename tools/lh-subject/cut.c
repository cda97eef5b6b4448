/* cut.c - how data are taken out of a place, by its kind.  See erase.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "index/index.h"

#include "archive/archive.h"
#include "audit/commitment.h"
#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "erase.h"
#include "file/rows.h"
#include "index/index_tools.h"
#include "manifest/manifest.h"
#include "observe/observe.h"
#include "store/store.h"

#define BLOCK ((size_t)256 << 10)

/* ---- lines ---- */

/* The lines of a place, as they are read, and written without those that are erased. */
struct cutting {
	const struct target *t;		/* whose hits are the lines; NULL: none is erased */
	struct lh_str stone;		/* what takes the place of a line; n 0: nothing */
	struct cuts *cuts;		/* of a file of a root; or NULL */
	const char *path;
	int fd;				/* what is written; 0: nothing */
	struct lh_child_writer pack;	/* to that, if it is compressed */
	bool packs;
	uint64_t line;			/* lines read */
	uint64_t at, rows;		/* bytes read, lines erased */
	size_t next;
	struct lh_buf out;		/* what was not written yet */
};

/* Return whether the line at hand is erased: it is still the one that was found. */
static bool is_erased(struct cutting *c, struct lh_str line)
{
	const struct target *t = c->t;
	unsigned char hash[LH_HASH_SIZE];

	while (t && c->next < t->n && (t->hit[c->next].line < c->line ||
				       t->hit[c->next].rest != REST_LEFT))
		c->next++;
	if (!t || c->next == t->n || t->hit[c->next].line != c->line)
		return false;
	row_hash(line, hash);
	return !memcmp(hash, t->hit[c->next].sha256, sizeof hash);
}

static int put(struct cutting *c, struct lh_err *err)
{
	int rc = !c->out.len ? 0
		: c->packs ? lh_child_writer_more(&c->pack, c->out.p, c->out.len, err)
			   : lh_write_all(c->fd, c->out.p, c->out.len, err);

	lh_buf_reset(&c->out);
	return rc ? lh_err_prefix(err, "%s", c->path) : 0;
}

static int on_line(struct place_lines *l, struct lh_str line, struct lh_err *err)
{
	struct cutting *c = l->ctx;
	const struct lh_cut cut = { NULL, c->at, line.n, c->stone.n };

	c->line++;
	c->at += line.n;
	if (is_erased(c, line)) {
		if (c->cuts) {
			lh_grow(&c->cuts->v, &c->cuts->cap, c->cuts->n + 1, sizeof cut);
			c->cuts->v[c->cuts->n++] = cut;
		}
		c->rows++;
		line = c->stone;
	}
	if (c->fd)
		lh_buf_add(&c->out, line.p, line.n);
	return c->out.len < BLOCK ? 0 : put(c, err);
}

/* Read the lines of an open file, and write them in the compression that they have. */
static int cut_through(struct cutting *c, int from, struct lh_err *err)
{
	struct place_lines lines = { .path = c->path, .fn = on_line, .ctx = c };
	char head[LH_ARCHIVE_SNIFF];
	const ssize_t n = c->fd ? pread(from, head, sizeof head, 0) : 0;
	const char *kind = n > 0 ? lh_archive_kind(head, (size_t)n) : NULL;
	int rc = kind ? lh_child_writer_start(&c->pack, kind, c->fd, err) : 0;

	c->packs = kind && !rc;
	if (!rc)
		rc = place_lines(&lines, from, err);
	if (!rc)
		rc = put(c, err);
	if (!rc && c->packs)
		rc = lh_child_writer_end(&c->pack, err);
	if (c->packs)
		lh_child_writer_stop(&c->pack);
	lh_buf_free(&c->out);
	return rc;
}

/* ---- what a place is ---- */

int state_of_place(struct erasure *e, const char *path, enum place_kind k, struct state *now)
{
	const struct place *p = place_named(e->s, path);
	struct cutting lines = { .path = path };
	struct lh_index_stats st = { .live = 0 };
	struct lh_index *ix = NULL;
	struct lh_file_digest d;
	int fd, rc;

	*now = (struct state){ .rows = 0 };
	if (!p)
		return 0;
	fd = place_open(p, e->err);
	if (fd < 0)
		return e->err->status == 404 || errno == ENOENT ? 0 : -1;
	rc = lh_digest_read(fd, UINT64_MAX, &d, e->err) < 0 ? -1 : 0;
	now->bytes = d.bytes;
	lh_hex(d.sha256, sizeof d.sha256, now->sha256);
	if (place_is[k].cut == CUT_LINES)
		now->rows = d.records;
	if (!rc && place_is[k].cut == CUT_INDEX) {
		ix = lh_index_open(path, e->err);
		rc = ix ? 0 : -1;
		if (ix)
			lh_index_get_stats(ix, &st);
		lh_index_close(ix);
		now->rows = st.live;
	} else if (!rc && k == PLACE_OBJECT) {
		rc = cut_through(&lines, fd, e->err);
		now->rows = lines.line;
	}
	close(fd);
	return rc;
}

int erase_hold_root(struct erasure *e, const char *path)
{
	struct held_root *h;
	size_t i;

	for (i = 0; i < e->n_held; i++)
		if (!strcmp(e->held[i].path, path))
			return 0;
	lh_grow(&e->held, &e->cap_held, e->n_held + 1, sizeof *h);
	h = &e->held[e->n_held++];
	*h = (struct held_root){ path, lh_root_open(path, e->err) };
	return h->root ? lh_root_lock(h->root, e->tool->lock_timeout, e->err) : -1;
}

/* ---- a file of lines ---- */

static const char *const cursors[] = { ".cursor", ".otlp.cursor" };

/* Put the new file in the place of the old one, with the cursors of a log. */
static int put_in_place(struct erasure *e, const char *path, bool log, int fd,
			struct lh_atomic *out)
{
	struct lh_lock lock[2] = { { .fd = -1 }, { .fd = -1 } };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && log && i < 2; i++) {
		LH_SCOPED(lh_free_local) char *cursor = lh_format("%s%s", path, cursors[i]);

		if (access(cursor, F_OK) < 0)
			continue;
		rc = lh_cursor_lock(&lock[i], cursor, e->tool->lock_timeout, e->err);
		if (!rc && lh_cursor_move(cursor, fd, out->fd, e->err) < 0)
			rc = -1;
	}
	if (!rc)
		rc = lh_atomic_commit(out, e->err);
	lh_lock_drop(&lock[0]);
	lh_lock_drop(&lock[1]);
	return rc;
}

/* Write the file anew, under its lock. */
static int rewrite(struct erasure *e, const struct target *t, int fd, struct cutting *c)
{
	const struct place *p = place_of(e, t);
	struct lh_atomic out;
	int rc;

	if (p->root && erase_hold_root(e, p->root) < 0)
		return -1;
	lh_atomic_sweep_locked(p->path);
	if (lh_atomic_open(&out, p->path, 0600, e->err) < 0)
		return -1;
	c->fd = out.fd;
	rc = cut_through(c, fd, e->err);
	if (!rc && c->rows)
		rc = erasure_note(e, t, c->cuts);
	if (!rc && c->rows)
		rc = put_in_place(e, p->path, c->stone.n > 0, fd, &out);
	lh_atomic_close(&out);
	return rc;
}

static int cut_lines(struct erasure *e, const struct target *t)
{
	const struct place *p = place_of(e, t);
	LH_SCOPED(lh_buf_free) struct lh_buf stone = { 0 };
	struct cuts cuts = { .n = 0 };
	struct cutting c = { .t = t, .path = p->path,
			     .cuts = p->root ? &cuts : NULL };
	int fd = lh_open_regular(p->path, O_RDONLY, 0, e->err), rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (!strcmp(t->action, "tombstone")) {
		lh_tombstone(&stone, lh_str_of(e->id), e->started);
		lh_buf_putc(&stone, '\n');
		c.stone = (struct lh_str){ stone.p, stone.len };
	}
	rc = lh_flock(fd, LOCK_EX, p->path, e->tool->lock_timeout, e->err);
	if (!rc && lh_is_still_named(fd, p->path))	/* else the next round finds it again */
		rc = rewrite(e, t, fd, &c);
	free(cuts.v);
	close(fd);
	return rc;
}

/* ---- indexes ---- */

static int delete_records(struct erasure *e, const struct target *t, const char *path)
{
	struct lh_index_change *c;
	bool due;
	size_t i;
	int rc = 0;

	for (i = 0; i < t->n && !(t->hit[i].id && t->hit[i].rest == REST_LEFT); i++)
		;
	if (i == t->n)
		return 0;
	c = lh_index_change_open(path, e->tool->lock_timeout, e->err);
	if (!c)
		return -1;
	for (; !rc && i < t->n; i++)
		if (t->hit[i].id && t->hit[i].rest == REST_LEFT)
			rc = lh_index_change_delete(c, t->hit[i].id, strlen(t->hit[i].id), e->err);
	if (!rc)
		rc = lh_index_change_commit(c, &due, e->err);
	lh_index_change_close(c);
	return rc;
}

/* A delete alone leaves vector, words and metadata in the file, so the index is compacted. */
static int cut_index(struct erasure *e, const struct target *t)
{
	const char *path = place_of(e, t)->path;
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);

	if (delete_records(e, t, path) < 0)
		return -1;
	if (access(log, F_OK) == 0 && lh_index_compact(path, (unsigned)e->tool->jobs,
						       e->tool->lock_timeout, e->err) < 0)
		return -1;
	lh_atomic_sweep_locked(path);
	lh_atomic_sweep_locked(log);
	return 0;
}

/* ---- objects ---- */

/* Put the new object in the place of the one with that ETag: another is left to the next round.  S3
 * takes no such condition of a put from a store, so that it is compared just before. */
static int put_object(struct lh_store *s, const struct place *p, const char *etag, int fd,
		      struct lh_err *err)
{
	char match[LH_ETAG_MAX + 2];
	struct lh_put put = { .fd = fd };
	struct lh_transfer done;
	struct lh_object o;

	if (lh_store_head(s, place_key(p), &o, err) < 0)
		return err->status == 404 ? 0 : -1;
	if (strcmp(o.etag, etag))
		return 0;
	snprintf(match, sizeof match, "\"%s\"", etag);
	put.when.match = lh_store_is_s3(p->store) ? NULL : match;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "temporary file");
	return lh_store_put(s, place_key(p), &put, &done, err) == 0 || err->status == 412 ? 0 : -1;
}

struct locking {
	const char *key;		/* of an object */
	struct lh_lock lock;
	double timeout;
};

/* Wait for an lh-ingest that changes the dataset of the object, lest it copies rows from the object
 * as it was. */
static int lock_dataset(void *ctx, const struct lh_catalog_dataset *m, const char *folder,
			struct lh_err *err)
{
	struct locking *l = ctx;
	LH_SCOPED(lh_free_local) char *id = lh_strndup(m->dataset_id.p, m->dataset_id.n);
	size_t k = 0;

	while (k < m->n_objects && !lh_str_is(m->object[k].key, l->key, strlen(l->key)))
		k++;
	return k == m->n_objects || l->lock.path ? 0
		: lh_catalog_lock(&l->lock, folder, id, l->timeout, err);
}

static int cut_object(struct erasure *e, const struct target *t)
{
	const struct place *p = place_of(e, t);
	struct lh_store *s = lh_store_open(p->store, NULL, e->err);
	struct cutting c = { .t = t, .path = p->path,
			     .fd = s ? lh_store_spool(e->err) : -1 };
	struct locking l = { place_key(p), { .fd = -1 }, e->tool->lock_timeout };
	char etag[LH_ETAG_MAX] = "";
	struct lh_object o;
	int fd = -1, rc = -1;

	if (c.fd >= 0 && datasets_each(e->s, lock_dataset, &l, e->err) < 0)
		rc = -1;
	else if (c.fd >= 0 && lh_store_head(s, place_key(p), &o, e->err) < 0)
		rc = e->err->status == 404 ? 0 : -1;
	else if (c.fd >= 0 && snprintf(etag, sizeof etag, "%s", o.etag) >= 0)
		fd = place_open(p, e->err);
	if (fd >= 0) {
		rc = cut_through(&c, fd, e->err);
		if (!rc && c.rows)
			rc = put_object(s, p, etag, c.fd, e->err);
		close(fd);
	}
	lh_lock_drop(&l.lock);
	if (c.fd >= 0)
		close(c.fd);
	lh_store_close(s);
	return rc;
}

struct renewing {
	struct lh_catalog_renewal r;
	struct lh_catalog_how how;
};

static int renew_dataset(void *ctx, const struct lh_catalog_dataset *m, const char *folder,
			 struct lh_err *err)
{
	const struct renewing *n = ctx;

	return lh_catalog_renew(folder, m->name, &n->r, &n->how, err);
}

/* Make the manifests that describe the object as it was describe it as it is. */
static int settle_object(struct erasure *e, const struct line *was)
{
	const struct place *p = place_named(e->s, was->path);
	struct renewing n = { { .was_size = was->bytes, .was_sha256 = was->sha256.p },
			      { .now = e->started, .lock_timeout = e->tool->lock_timeout } };
	struct state now;

	if (!p || !p->store)
		return 0;
	if (state_of_place(e, was->path, was->is, &now) < 0)
		return -1;
	n.r.key = lh_str_of(place_key(p));
	n.r.size = now.bytes;
	n.r.sha256 = now.sha256;
	n.r.rows = was->rows > now.rows ? was->rows - now.rows : 0;
	return datasets_each(e->s, renew_dataset, &n, e->err);
}

static void sweep_cursors(const char *log)
{
	struct lh_err unused;
	struct lh_lock lock;
	size_t i;

	for (i = 0; i < 2; i++) {
		LH_SCOPED(lh_free_local) char *path = lh_format("%s%s", log, cursors[i]);

		if (access(path, F_OK) == 0 && lh_cursor_lock(&lock, path, 0, &unused) == 0)
			lh_lock_drop(&lock);
	}
}

int place_settle(struct erasure *e, const struct line *l)
{
	if (!l->path || l->again)
		return 0;
	if (l->is == PLACE_INDEX || l->is == PLACE_PLAYBOOK)
		lh_index_sweep_lock(l->path);
	else if (l->is == PLACE_LOG)
		sweep_cursors(l->path);
	return l->is == PLACE_OBJECT ? settle_object(e, l) : 0;
}

/* ---- whole files ---- */

int remove_file(const char *path, struct lh_err *err)
{
	if (unlink(path) == 0)
		return lh_sync_folder(path, err);
	return errno == ENOENT ? 0 : lh_err_sys(err, "%s: cannot remove", path);
}

/* What is still being written is left to the next round. */
static int cut_file(struct erasure *e, const struct target *t)
{
	const struct place *p = place_of(e, t);
	int fd = lh_open_regular(p->path, O_RDONLY, 0, e->err), rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (p->kind != PLACE_SPOOL ||
	    (flock(fd, LOCK_EX | LOCK_NB) == 0 && lh_is_still_named(fd, p->path)))
		rc = remove_file(p->path, e->err);
	close(fd);
	return rc;
}

/* ---- the person's own log and manifest ---- */

/* Return where the person's file with that ending is, to be freed. */
static char *own_path(struct erasure *e, const char *ending)
{
	char name[LH_SUBJECT_MAX + 1];
	const struct lh_str id = e->who->id;
	int rc = strcmp(ending, LH_SUBJECT_MANIFEST)
		? lh_chain_log_name(name, e->s->subjects, id.p, id.n, e->err)
		: lh_manifest_name(name, e->s->subjects, id.p, id.n, e->err);

	return rc < 0 ? NULL : lh_subject_path(e->s->subjects, name, ending);
}

/* Return 2 if a row of the log is of this erasure, which ends the search. */
static int is_of(void *id, const struct lh_file_row *row, struct lh_err *err)
{
	(void)err;
	return memmem(row->p, row->n, id, strlen(id)) ? 2 : 0;
}

/* Set tip to the last row_hmac of the log. */
static int read_tip(struct erasure *e, const char *path, char tip[LH_CHAIN_TIP])
{
	const struct lh_chain_check check = { .keys = &e->keys, .jobs = 1,
					      .lock_timeout = e->tool->lock_timeout };
	struct lh_chain_verdict v;
	char why[LH_CHAIN_ERROR];

	if (lh_chain_verify(path, &check, &v, e->err) < 0)
		return -1;
	lh_chain_error(&v, why);
	if (*why)
		return lh_err_set(e->err, LH_ECORRUPT, "%s: %s", path, why);
	memcpy(tip, v.tip, LH_CHAIN_TIP);
	return 0;
}

/* Append a manifest that has nothing of the person but the id. */
static void write_manifest(struct lh_buf *out, const struct erasure *e,
			   const struct lh_manifest *m, const char *tip)
{
	const struct lh_str consent[] = { m->consent.general_pii.status,
					  m->consent.biometric.status };
	struct lh_writer w = lh_write_to(out);
	int i;

	lh_write_object(&w, NULL);
	lh_write_str(&w, "schema", m->schema);
	lh_write_str(&w, "candidate_id", m->candidate_id);
	lh_write_str(&w, "created_at", m->created_at);
	lh_write_text(&w, "updated_at", e->started);
	lh_write_text(&w, "status", "erased");
	lh_write_text(&w, "vertical", "unknown");
	lh_write_object(&w, "consent");
	for (i = 0; i < 2; i++) {
		lh_write_key(&w, i ? "biometric" : "general_pii");
		lh_buf_printf(out, LH_JSON({"status":"%s"}),
			      lh_str_is(consent[i], "never_collected", 15) ? "never_collected"
									   : "withdrawn");
	}
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
	LH_SCOPED(lh_free_local) char *path = own_path(e, LH_SUBJECT_MANIFEST);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_manifest m;
	int rc = path ? lh_manifest_read(&m, path, e->err) : -1;

	if (rc)
		return rc < 0 ? -1 : 0;
	write_manifest(&text, e, &m, tip);
	if (lh_manifest_is(&m, e->who->id.p, e->who->id.n) &&
	    (text.len != m.text.len || memcmp(text.p, m.text.p, text.len)))
		rc = lh_atomic_put(path, 0600, &text, e->err);
	lh_manifest_free(&m);
	return rc;
}

int erase_end_log(struct erasure *e)
{
	const struct lh_chain_row row = {
		.candidate_id = e->who->id, .ts = lh_str_of(e->started), .result = "success",
		.accessor = { .kind = lh_str_of("erasure"), .daemon = lh_str_of("lh-subject"),
			      .purpose = lh_str_of("erased"), .trace_id = lh_str_of(e->id) },
	};
	LH_SCOPED(lh_free_local) char *path = own_path(e, LH_SUBJECT_LOG);
	LH_SCOPED(lh_free_local) char *commit = own_path(e, LH_SUBJECT_COMMIT);
	char tip[LH_CHAIN_TIP] = "GENESIS";
	int rc;

	if (!path || !commit)
		return -1;
	if (e->s->want.with_log)
		return remove_file(commit, e->err) < 0 ? -1 : renew_manifest(e, tip);
	rc = lh_rows_each(path, is_of, e->id, e->err);
	if (rc == 0 || rc == 1)
		rc = append_row(e->tool, e->s, &e->keys, &row);
	if (rc >= 0)
		rc = read_tip(e, path, tip);
	return rc ? rc : renew_manifest(e, tip);
}

/* ---- a place ---- */

int cut_place(struct erasure *e, const struct target *t)
{
	const struct place *p = place_of(e, t);
	const bool records = t->n && t->hit->id && !t->hit->line;	/* of an index */

	if (place_is[p->kind].cut == CUT_LINES && !records)
		return cut_lines(e, t);
	if (erasure_note(e, t, NULL) < 0)
		return -1;
	switch (place_is[p->kind].cut) {
	case CUT_OBJECT:
		return cut_object(e, t);
	case CUT_FILE:
		return cut_file(e, t);
	default:
		return cut_index(e, t);	/* a roster may be one */
	}
}
