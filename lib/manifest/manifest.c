/* manifest.c - lists of files.  See manifest.h. */
#include "manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/file.h"

struct lh_listed *lh_files_add(struct lh_files *m, struct lh_str path)
{
	struct lh_listed *f;

	lh_grow(&m->v, &m->cap, m->n + 1, sizeof *m->v);
	f = &m->v[m->n];
	*f = (struct lh_listed){ .path = lh_strndup(path.p, path.n), .order = (unsigned)m->n++ };
	return f;
}

void lh_files_clear(struct lh_files *m)
{
	while (m->n)
		free(m->v[--m->n].path);
}

void lh_files_free(struct lh_files *m)
{
	lh_files_clear(m);
	free(m->v);
	*m = (struct lh_files){ .n = 0 };
}

static int by_path(const void *a, const void *b)
{
	const struct lh_listed *x = a, *y = b;
	int rc = strcmp(x->path, y->path);

	return rc ? rc : (x->order > y->order) - (x->order < y->order);
}

void lh_files_sort(struct lh_files *m)
{
	if (m->n)
		qsort(m->v, m->n, sizeof *m->v, by_path);
}

static int is_of(const void *path, const void *listed)
{
	return strcmp(path, ((const struct lh_listed *)listed)->path);
}

bool lh_files_has(const struct lh_files *m, const char *path)
{
	return m->n && bsearch(path, m->v, m->n, sizeof *m->v, is_of);
}

/* ---- in JSON, and as one hash ---- */

const struct lh_bind lh_listed_members[] = {
	{ LH_BIND_STRING("path", struct lh_listed_text, path), .required = true },
	{ LH_BIND_STRING("sha256", struct lh_listed_text, sha256), .required = true },
	{ LH_BIND_U64("bytes", struct lh_listed_text, bytes, 0, INT64_MAX), .required = true },
	{ LH_BIND_U64("record_count", struct lh_listed_text, records, 0, INT64_MAX),
	  .required = true },
	LH_BIND_END
};

const struct lh_listed_text *lh_files_take(struct lh_files *m,
					      const struct lh_listed_text *t, size_t n)
{
	const struct lh_listed_text *end = t + n;
	struct lh_listed *f;

	for (; n && t < end; t++) {
		f = lh_files_add(m, t->path);
		f->is.bytes = t->bytes;
		f->is.records = t->records;
		if (strlen(f->path) != t->path.n ||
		    !lh_unhex(t->sha256.p, t->sha256.n, f->is.sha256))
			return t;
	}
	return NULL;
}

static void put_hex(const struct lh_listed *f, char hex[LH_SHA256_HEX + 1])
{
	lh_hex(f->is.sha256, sizeof f->is.sha256, hex);
	hex[LH_SHA256_HEX] = '\0';
}

void lh_files_write(struct lh_writer *w, const char *name, const struct lh_files *m)
{
	char hex[LH_SHA256_HEX + 1];
	const struct lh_listed *f;

	lh_write_array(w, name);
	for (f = m->v; f < m->v + m->n; f++) {
		put_hex(f, hex);
		lh_write_object(w, NULL);
		lh_write_text(w, "path", f->path);
		lh_write_text(w, "sha256", hex);
		lh_write_u64(w, "bytes", f->is.bytes);
		lh_write_u64(w, "record_count", f->is.records);
		lh_write_end(w);
	}
	lh_write_end(w);
}

uint64_t lh_files_records(const struct lh_files *m)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < m->n; i++)
		n += m->v[i].is.records;
	return n;
}

void lh_files_hash(const struct lh_files *m, char hex[65])
{
	const struct lh_listed *f;
	unsigned char sum[32];
	struct lh_sha256 hash;

	lh_sha256_start(&hash);
	for (f = m->v; f < m->v + m->n; f++) {
		put_hex(f, hex);
		lh_sha256_more(&hash, f->path, strlen(f->path));
		lh_sha256_more(&hash, "\t", 1);
		lh_sha256_more(&hash, hex, LH_SHA256_HEX);
		lh_sha256_more(&hash, "\n", 1);
	}
	lh_sha256_end(&hash, sum);
	lh_hex(sum, sizeof sum, hex);
	hex[LH_SHA256_HEX] = '\0';
}

void lh_files_sums(struct lh_buf *out, const struct lh_files *m)
{
	char hex[LH_SHA256_HEX + 1];
	const struct lh_listed *f;

	for (f = m->v; f < m->v + m->n; f++) {
		put_hex(f, hex);
		lh_buf_printf(out, "%s  %s\n", hex, f->path);
	}
}

/* ---- rows that were cut out of files ---- */

uint64_t lh_cut_rows(const struct lh_cut *cut, size_t n, const char *path, uint64_t bytes,
		     uint64_t *left)
{
	uint64_t rows = 0;
	size_t i;

	*left = bytes;
	for (i = 0; i < n; i++) {
		if (cut[i].at >= bytes || strcmp(path, cut[i].path) != 0)
			continue;
		*left -= cut[i].n < bytes - cut[i].at ? cut[i].n : bytes - cut[i].at;
		*left += cut[i].is;
		rows++;
	}
	return rows;
}

/* Set the digest of the first bytes of a file: 1, 0 if it has fewer, -1. */
static int digest_first(const char *folder, const char *relpath, uint64_t bytes,
			struct lh_file_digest *d, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_files_path(folder, relpath);
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return -1;
	rc = lh_digest_read(fd, bytes, d, err);
	close(fd);
	return rc;
}

/* Set a file to what is left of it: 1, 0 if it is listed as it is, -1. */
static int cut_file(struct lh_listed *f, const char *folder, uint64_t left, struct lh_err *err)
{
	struct lh_file_digest now;
	int rc = digest_first(folder, f->path, f->is.bytes, &now, err);

	if (rc < 0 || (rc && !memcmp(now.sha256, f->is.sha256, sizeof now.sha256)))
		return rc < 0 ? -1 : 0;
	rc = digest_first(folder, f->path, left, &now, err);
	if (rc > 0)
		f->is = now;
	return rc;
}

int lh_files_cut(struct lh_files *m, const char *folder, const struct lh_cut *cut, size_t n,
		    uint64_t *rows, bool *changed, struct lh_err *err)
{
	uint64_t own, left;
	size_t i;
	int rc;

	for (i = 0; i < m->n; i++) {
		own = lh_cut_rows(cut, n, m->v[i].path, m->v[i].is.bytes, &left);
		rc = own ? cut_file(&m->v[i], folder, left, err) : 0;
		if (rc < 0)
			return -1;
		*rows += rc ? own : 0;
		*changed |= rc;
	}
	return 0;
}
