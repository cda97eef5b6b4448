/* erase_store.c - rows of objects, and what manifests say of them.  See erase.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "erase.h"
#include "store/store.h"

#define BLOCK ((size_t)64 << 10)

/* ---- the new object ---- */

struct packing {
	struct lh_child_writer writer;
	bool packs;
	int fd;
};

static int pack(void *to, const void *p, size_t n, struct lh_err *err)
{
	struct packing *k = to;

	return k->packs ? lh_child_writer_more(&k->writer, p, n, err)
			: lh_write_all(k->fd, p, n, err);
}

/* Write the rows that stay to k->fd, in the compression of the object that is open as fd. */
static int repack(struct line_filter *f, struct packing *k, int fd, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_calloc(1, BLOCK);
	LH_SCOPED(lh_byte_source_close) struct lh_byte_source from = { .fd = -1 };
	char head[LH_ARCHIVE_SNIFF], name[40];
	ssize_t n = pread(fd, head, sizeof head, 0);
	const char *kind = n > 0 ? lh_archive_kind(head, (size_t)n) : NULL;
	int rc;

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	if (lh_byte_source_open(&from, name, err) < 0)
		return -1;
	rc = kind ? lh_child_writer_start(&k->writer, kind, k->fd, err) : 0;
	k->packs = kind && !rc;
	if (!rc && (rc = lh_byte_source_next(&from, err)) > 0)
		rc = 0;
	while (!rc && (n = lh_byte_source_read(&from, block, BLOCK, err)) > 0)
		rc = line_filter_more(f, block, (size_t)n, err);
	if (!rc)
		rc = n < 0 ? -1 : line_filter_end(f, err);
	if (!rc && k->packs)
		rc = lh_child_writer_end(&k->writer, err);
	if (k->packs)
		lh_child_writer_stop(&k->writer);
	return rc;
}

/* Put the new object in the place of the one with that ETag: another is left to the next round. */
static int put(struct lh_store *s, const char *key, const char *etag, int fd, struct lh_err *err)
{
	struct lh_transfer done;
	struct lh_object o;

	if (lh_store_head(s, key, &o, err) < 0)
		return err->status == 404 ? 0 : -1;
	if (strcmp(o.etag, etag))
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "temporary file");
	return lh_store_put(s, key, &(struct lh_put){ .fd = fd }, &done, err);
}

int erase_object(struct erasure *e, const struct target *t)
{
	const struct place *p = place_of(e, t);
	struct lh_err *err = &e->tool->err;
	struct lh_store *s = lh_store_open(p->store, NULL, err);
	struct packing k = { .fd = -1 };
	struct line_filter f = { .e = e, .t = t, .line = 1, .write = pack, .to = &k };
	char etag[LH_ETAG_MAX] = "";
	struct lh_object o;
	int rc = s ? lh_store_head(s, place_key(p), &o, err) : -1, fd = -1;

	if (rc < 0 && s && err->status == 404) {
		lh_store_close(s);
		return 0;
	}
	if (!rc) {
		snprintf(etag, sizeof etag, "%s", o.etag);
		fd = place_open(p, err);
		k.fd = fd < 0 ? -1 : lh_store_spool(err);
		rc = k.fd < 0 ? -1 : repack(&f, &k, fd, err);
	}
	if (!rc && f.rows < t->rest[REST_LEFT])	/* it is another object by now */
		etag[0] = '\0';
	if (!rc)
		rc = put(s, place_key(p), etag, k.fd, err);
	if (fd >= 0)
		close(fd);
	if (k.fd >= 0)
		close(k.fd);
	lh_store_close(s);
	return rc;
}

/* ---- after it ---- */

struct settling {
	struct erasure *e;
	const char *path;
};

static void on_gone(void *ctx, const char *version)
{
	struct settling *s = ctx;

	lh_tool_verbose(s->e->tool, "%s: version %s deleted", s->path, version);
}

static void on_stays(void *ctx, const char *version, const struct lh_err *why)
{
	struct settling *s = ctx;
	struct lh_writer w = lh_write_to(&s->e->old_versions);

	w.comma = s->e->old_versions.len > 0;
	lh_write_object(&w, NULL);
	erasure_write_path(s->e, &w, PLACE_OBJECT, s->path);
	lh_write_text(&w, "version", version);
	lh_write_bytes(&w, "why", why->msg);
	lh_write_end(&w);
	lh_tool_warn(s->e->tool, "%s: old versions stay: %s", s->path, why->msg);
}

/* Make the manifests that describe the object as it was describe it as it is. */
static int renew_manifests(struct erasure *e, const struct place *object, const struct was *was,
			   const struct was *now)
{
	const struct lh_catalog_how how = { .now = e->started,
					    .lock_timeout = e->tool->lock_timeout };
	const struct lh_catalog_renewal r = {
		.key = lh_str_of(place_key(object)), .was_size = was->bytes, .size = now->bytes,
		.was_sha256 = was->sha256, .sha256 = now->sha256,
		.rows = was->rows > now->rows ? was->rows - now->rows : 0
	};
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_err *err = &e->tool->err;
	size_t i;
	int rc = 0;

	for (i = 0; rc >= 0 && i < e->s->places.n; i++) {
		const struct place *p = &e->s->places.v[i];
		LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
		LH_SCOPED(lh_free_local) char *folder = NULL;
		const char *slash = strrchr(p->path, '/');

		if (p->kind != PLACE_DATASET)
			continue;
		folder = lh_strndup(slash ? p->path : ".", slash ? (size_t)(slash - p->path) : 1);
		lh_buf_init(&text, LH_CATALOG_MANIFEST_MAX);
		rc = lh_file_read(p->path, &text, err);
		if (rc > 0 && lh_catalog_dataset_parse(&m, text.p, text.len, err) == 0)
			rc = lh_catalog_renew(folder, m.name, &r, &how, err);
		lh_buf_free(&text);
	}
	return rc < 0 ? -1 : 0;
}

int object_settle(struct erasure *e, const struct was *was)
{
	const struct lh_old_versions each = { on_gone, on_stays,
					      &(struct settling){ e, was->path } };
	struct lh_err *err = &e->tool->err;
	const struct place *p = place_named(e, was->path);
	struct lh_store *s;
	struct was now;
	int rc;

	if (!p || !p->store)
		return 0;
	if (state_of_place(e, was->path, was->kind, &now) < 0 ||
	    renew_manifests(e, p, was, &now) < 0)
		return -1;
	s = lh_store_open(p->store, NULL, err);
	rc = s ? lh_store_delete_old(s, place_key(p), &each, err) : -1;
	lh_store_close(s);
	return rc;
}
