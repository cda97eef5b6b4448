/* compiled.c - see compiled.h. */
#include "compiled.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/xxh3.h"
#include "file/file.h"
#include "gguf.h"

#define VERSION 5
#define BYTE_ORDER_MARK 0x01020304u
#define PAGE 4096u
#define TABLES_MAX ((uint64_t)1 << 30)	/* bytes */

struct lh_compiled {
	struct lh_compiled_header h;
	struct lh_mapped map;
	char *tables;			/* the file's bytes from PAGE up to the data */
	char *path;
	struct stat st;
};
_Static_assert(sizeof(struct lh_compiled_header) <= PAGE, "the header is in the first page");

static uint64_t round_up(uint64_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

static uint64_t header_sum(const struct lh_compiled_header *h)
{
	return lh_xxh3(h, offsetof(struct lh_compiled_header, xxh3));
}

/* ---- writing ---- */

/* Write bytes, and zeros up to the next page. */
static int write_pages(struct lh_atomic *to, const void *p, size_t n, struct lh_err *err)
{
	static const char zeros[PAGE];

	if (lh_atomic_write(to, p, n, err) < 0)
		return -1;
	return lh_atomic_write(to, zeros, round_up(n) - n, err);
}

int lh_compiled_write(struct lh_compiling *m, const char *path, mode_t mode, struct lh_err *err)
{
	struct lh_atomic to;
	int rc;
	struct lh_compiled_header *h = &m->h;
	uint64_t at = PAGE;

	memcpy(h->magic, LH_LHM_MAGIC, sizeof h->magic);
	h->version = VERSION;
	h->byte_order = BYTE_ORDER_MARK;
	for (size_t i = 0; i < LH_PARTS; i++) {
		h->part[i].at = at;
		h->part[i].bytes = m->part[i].n;
		h->part[i].xxh3 = lh_xxh3(m->part[i].p, m->part[i].n);
		at = round_up(at + m->part[i].n);
	}
	h->file_bytes = at;
	h->xxh3 = header_sum(h);
	if (lh_atomic_open(&to, path, 0600, err) < 0)
		return -1;
	rc = write_pages(&to, &m->h, sizeof m->h, err);
	for (size_t i = 0; !rc && i < LH_PARTS; i++)
		rc = write_pages(&to, m->part[i].p, m->part[i].n, err);
	if (!rc && fchmod(to.fd, mode) < 0)
		rc = lh_err_sys(err, "%s", path);
	if (!rc)
		rc = lh_atomic_commit(&to, err);
	lh_atomic_close(&to);
	return rc;
}

/* ---- opening ---- */

int lh_compiled_wrong(const struct lh_compiled *c, const char *what, struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: %s", c->path, what);
}

static int read_at(int fd, void *to, size_t n, off_t at, struct lh_err *err)
{
	ssize_t got;

	for (size_t done = 0; done < n; done += (size_t)got) {
		got = pread(fd, (char *)to + done, n - done, at + (off_t)done);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			return lh_err_sys(err, "cannot read");
		else if (!got)
			return lh_err_set(err, LH_ECORRUPT, "truncated");
	}
	return 0;
}

/* Check that each part is where it would be written. */
static int check_places(const struct lh_compiled *c, struct lh_err *err)
{
	const struct lh_compiled_header *h = &c->h;
	uint64_t at = PAGE;

	for (size_t i = 0; i < LH_PARTS; i++) {
		if (h->part[i].at != at)
			return lh_err_set(err, LH_ECORRUPT, "part %zu is at %llu, not %llu", i,
					  (unsigned long long)h->part[i].at,
					  (unsigned long long)at);
		if (h->part[i].bytes > h->file_bytes - at)
			return lh_err_set(err, LH_ECORRUPT, "part %zu ends after the file", i);
		at = round_up(at + h->part[i].bytes);
	}
	if (at != h->file_bytes)
		return lh_err_set(err, LH_ECORRUPT, "its parts do not end with the file");
	return 0;
}

static int read_header(struct lh_compiled *c, int fd, struct lh_err *err)
{
	struct lh_compiled_header *h = &c->h;

	if (read_at(fd, h, sizeof h->magic, 0, err) < 0 ||
	    memcmp(h->magic, LH_LHM_MAGIC, sizeof h->magic) != 0)
		return lh_err_set(err, LH_ECORRUPT, "not a compiled model");
	if (read_at(fd, h, sizeof *h, 0, err) < 0)
		return -1;
	if (h->byte_order != BYTE_ORDER_MARK)
		return lh_err_set(err, LH_ECORRUPT, "compiled in the other byte order");
	if (h->version != VERSION)
		return lh_err_set(err, LH_ECORRUPT, "compiled by another version, %u, not %d",
				  h->version, VERSION);
	if (h->xxh3 != header_sum(h))
		return lh_err_set(err, LH_ECORRUPT, "damaged: the header has another checksum");
	if (h->file_bytes != (uint64_t)c->st.st_size || h->file_bytes % PAGE)
		return lh_err_set(err, LH_ECORRUPT, "%llu bytes, not %llu",
				  (unsigned long long)c->st.st_size,
				  (unsigned long long)h->file_bytes);
	if (!memchr(h->source.name, 0, sizeof h->source.name) ||
	    !lh_utf8_valid(h->source.name, strlen(h->source.name)))
		return lh_err_set(err, LH_ECORRUPT, "its model has no name");
	return check_places(c, err);
}

static int read_tables(struct lh_compiled *c, int fd, struct lh_err *err)
{
	uint64_t n = c->h.part[LH_TABLES].at - PAGE;

	if (n > TABLES_MAX)
		return lh_err_set(err, LH_ECORRUPT, "tables of more than %llu bytes",
				  (unsigned long long)TABLES_MAX);
	c->tables = lh_calloc_table(n, 1);
	if (read_at(fd, c->tables, n, PAGE, err) < 0)
		return -1;
	for (size_t i = 0; i < LH_TABLES; i++)
		if (lh_xxh3(c->tables + c->h.part[i].at - PAGE, c->h.part[i].bytes) !=
		    c->h.part[i].xxh3)
			return lh_err_set(err, LH_ECORRUPT,
					  "damaged: part %zu has another checksum", i);
	return 0;
}

static int read_all(struct lh_compiled *c, int fd, struct lh_err *err)
{
	if (lh_mapped_fd(&c->map, fd, err) < 0)
		return -1;
	if (fstat(fd, &c->st) < 0)
		return lh_err_sys(err, "cannot read");
	if (read_header(c, fd, err) < 0 || read_tables(c, fd, err) < 0)
		return -1;
	if (c->map.n != c->h.file_bytes)
		return lh_err_set(err, LH_ECORRUPT, "truncated");
	return 0;
}

struct lh_compiled *lh_compiled_open(const char *path, struct lh_err *err)
{
	struct lh_compiled *c = lh_calloc(1, sizeof *c);
	int fd, rc;

	c->path = lh_strndup(path, strlen(path));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		lh_err_sys(err, "%s", path);
	rc = fd < 0 ? -1 : read_all(c, fd, err);
	if (fd >= 0 && rc < 0)
		lh_err_prefix(err, "%s", path);
	if (fd >= 0)
		close(fd);
	if (!rc)
		return c;
	lh_compiled_close(c);
	return NULL;
}

void lh_compiled_close(struct lh_compiled *c)
{
	if (!c)
		return;
	lh_mapped_close(&c->map);
	free(c->tables);
	free(c->path);
	free(c);
}

const struct lh_compiled_header *lh_compiled_header(const struct lh_compiled *c)
{
	return &c->h;
}

const char *lh_compiled_path(const struct lh_compiled *c)
{
	return c->path;
}

const void *lh_compiled_part(const struct lh_compiled *c, enum lh_compiled_part part, size_t each,
			     size_t *n)
{
	uint64_t at = c->h.part[part].at, bytes = c->h.part[part].bytes;

	*n = bytes % each ? 0 : bytes / each;
	if (bytes % each)
		return NULL;
	return part < LH_TABLES ? c->tables + at - PAGE : c->map.p + at;
}

/* ---- its model ---- */

int lh_compiled_trusted(const struct lh_compiled *c, const struct stat *model, struct lh_err *err)
{
	const struct stat *st = &c->st;

	if (st->st_uid != geteuid() && st->st_uid && st->st_uid != model->st_uid)
		return lh_compiled_wrong(c, "belongs to another user", err);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return lh_compiled_wrong(c, "others than its owner can write to it", err);
	return 0;
}

/* Read the model, whose mtime is another than before. */
static int compare(const struct lh_compiled *c, const char *path, struct lh_err *err)
{
	struct lh_gguf *g = lh_gguf_open(path, err);
	bool same = g && lh_gguf_sum(g) == c->h.source.xxh3;

	lh_gguf_close(g);
	if (!g)
		return -1;
	return same ? 0 : lh_compiled_wrong(c, "the model has changed since", err);
}

int lh_compiled_fits(const struct lh_compiled *c, const char *path, const struct stat *model,
		     struct lh_err *err)
{
	const struct lh_compiled_source *s = &c->h.source;

	if ((uint64_t)model->st_size != s->bytes)
		return lh_compiled_wrong(c, "the model has changed since", err);
	if (model->st_mtim.tv_sec == s->seconds && model->st_mtim.tv_nsec == s->nanoseconds)
		return 0;
	return compare(c, path, err);
}

int lh_compiled_verify(const struct lh_compiled *c, struct lh_err *err)
{
	const struct lh_compiled_header *h = &c->h;

	for (size_t i = LH_TABLES; i < LH_PARTS; i++)
		if (lh_xxh3(c->map.p + h->part[i].at, h->part[i].bytes) != h->part[i].xxh3)
			return lh_compiled_wrong(c, "damaged: its weights have another checksum",
						 err);
	return 0;
}
