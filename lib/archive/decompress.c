/* decompress.c - undo one layer of compression.  See decompress.h. */
#include "decompress.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

/* ---- gzip, whose checksums libarchive does not compare ---- */

#define CHUNK (256u << 10)
#define GZIP_ONLY (15 + 16)	/* inflateInit2: the largest window, a gzip header */

struct gunzip {
	lh_undo_source *source;
	void *ctx;
	z_stream z;
	bool in_member, any;
	unsigned char chunk[CHUNK];
};

static struct gunzip *gunzip_new(lh_undo_source *source, void *ctx)
{
	struct gunzip *g = lh_calloc(1, sizeof *g);

	g->source = source;
	g->ctx = ctx;
	if (inflateInit2(&g->z, GZIP_ONLY) == Z_OK)
		return g;
	free(g);
	return NULL;
}

static void gunzip_free(struct gunzip *g)
{
	if (g)
		inflateEnd(&g->z);
	free(g);
}

/* Get more input: 1, 0 at its end, -1. */
static int fill_input(struct gunzip *g)
{
	const void *p;
	ssize_t n = g->source(g->ctx, &p);

	if (n <= 0)
		return (int)n;
	g->z.next_in = (unsigned char *)p;
	g->z.avail_in = (unsigned)n;
	return 1;
}

/* Between members: 1 if another one begins, 0 at the end, -1. */
static int next_member(struct gunzip *g, struct lh_err *err)
{
	int rc;

	for (;;) {
		while (g->any && g->z.avail_in && !*g->z.next_in) {
			g->z.next_in++;
			g->z.avail_in--;
		}
		if (g->z.avail_in)
			break;
		rc = fill_input(g);
		if (rc <= 0)
			return rc;
	}
	if (g->any && *g->z.next_in != 0x1f)
		return lh_err_set(err, LH_EIO,
				  "damaged: there is something else after the gzip data");
	inflateReset(&g->z);
	g->in_member = g->any = true;
	return 1;
}

static ssize_t gunzip_read(struct gunzip *g, const void **p, struct lh_err *err)
{
	int rc;

	g->z.next_out = g->chunk;
	g->z.avail_out = sizeof g->chunk;
	while (g->z.avail_out == sizeof g->chunk) {
		if (!g->in_member) {
			rc = next_member(g, err);
			if (rc <= 0)
				return rc;
		}
		if (!g->z.avail_in) {
			rc = fill_input(g);
			if (rc < 0)
				return -1;
			if (!rc)
				return lh_err_set(err, LH_EIO, "damaged: gzip: truncated");
		}
		rc = inflate(&g->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			g->in_member = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return lh_err_set(err, LH_EIO, "damaged: gzip: %s",
					  g->z.msg ? g->z.msg : "invalid data");
	}
	*p = g->chunk;
	return (ssize_t)(sizeof g->chunk - g->z.avail_out);
}

/* ---- the others ---- */

struct lh_undo {
	lh_undo_source *source;
	void *ctx;
	struct gunzip *gz;	/* of gzip; else a */
	struct archive *a;
	const char *kind;
	bool opened, source_failed;
	uint64_t given;		/* bytes of the source */
	const char *last;	/* the newest of them */
	size_t n_last;
};

/* Return the next bytes of the source; a failure as the end, because libarchive would
 * otherwise discard what it has read ahead; at that end lh_undo_read reports it. */
static la_ssize_t on_read(struct archive *a, void *ctx, const void **p)
{
	struct lh_undo *u = ctx;
	ssize_t n = u->source_failed ? 0 : u->source(u->ctx, p);

	(void)a;
	u->source_failed |= n < 0;
	if (n <= 0)
		return 0;
	u->last = *p;
	u->n_last = (size_t)n;
	u->given += (uint64_t)n;
	return n;
}

struct lh_undo *lh_undo_new(const char *kind, lh_undo_source *source, void *ctx,
			    struct lh_err *err)
{
	static const struct {
		const char *kind;
		int (*support)(struct archive *);
	} table[] = {
		{ "zstd", archive_read_support_filter_zstd },
		{ "xz", archive_read_support_filter_xz },
		{ "bzip2", archive_read_support_filter_bzip2 },
		{ "lz4", archive_read_support_filter_lz4 },
	};
	struct lh_undo *u = lh_calloc(1, sizeof *u);
	size_t i = 0;

	*u = (struct lh_undo){ .source = source, .ctx = ctx, .kind = kind };
	if (!strcmp(kind, "gzip"))
		u->gz = gunzip_new(source, ctx);
	else
		u->a = archive_read_new();
	if (!u->gz && !u->a) {
		free(u);
		lh_err_nomem(err);
		return NULL;
	}
	if (u->gz)
		return u;
	while (strcmp(table[i].kind, kind))
		i++;
	table[i].support(u->a);
	archive_read_support_format_raw(u->a);
	archive_read_support_format_empty(u->a);
	archive_read_set_callback_data(u->a, u);
	archive_read_set_read_callback(u->a, on_read);
	return u;
}

void lh_undo_free(struct lh_undo *u)
{
	if (!u)
		return;
	gunzip_free(u->gz);
	archive_read_free(u->a);
	free(u);
}

static int failed(struct lh_undo *u, struct lh_err *err)
{
	const char *why = archive_error_string(u->a);

	if (u->source_failed)
		return -1;
	if (archive_errno(u->a) == ENOMEM || (!why && !u->opened))
		return lh_err_nomem(err);
	return lh_err_set(err, LH_EIO, "damaged: %s", why ? why : "cut short");
}

/* Start: 1, 0 if nothing was compressed, -1. */
static int start_filter(struct lh_undo *u, struct lh_err *err)
{
	struct archive_entry *e;
	int rc = archive_read_open1(u->a);

	if (rc != ARCHIVE_OK)	/* out of memory is a reason not given */
		return failed(u, err);
	u->opened = true;
	/* this filter, and the one that every archive has */
	if (archive_filter_count(u->a) != 2)
		return lh_err_set(err, LH_EIO, "damaged: begins like %s, and is none", u->kind);
	rc = archive_read_next_header(u->a, &e);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return failed(u, err);
	return rc == ARCHIVE_OK;
}

static bool only_nul(const char *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* libarchive ends at whatever follows a bzip2 or lz4 stream and is not another one: only NULs
 * may. */
static int check_end(struct lh_undo *u, struct lh_err *err)
{
	uint64_t left = u->given - (uint64_t)archive_filter_bytes(u->a, -1);
	bool nul = left <= u->n_last && only_nul(u->last + u->n_last - left, (size_t)left);
	const void *p;
	la_ssize_t n;

	while (nul && (n = on_read(u->a, u, &p)) > 0)
		nul = only_nul(p, (size_t)n);
	if (u->source_failed)
		return -1;
	return nul ? 0 : lh_err_set(err, LH_EIO, "damaged: there is something else after the %s "
				    "data", u->kind);
}

ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err)
{
	int rc = ARCHIVE_OK;
	la_int64_t at;
	size_t n = 0;

	if (u->gz)
		return gunzip_read(u->gz, p, err);
	if (!u->opened) {
		rc = start_filter(u, err);
		if (rc < 0)
			return -1;
		rc = rc ? ARCHIVE_OK : ARCHIVE_EOF;
	}
	while (rc == ARCHIVE_OK && !n)
		rc = archive_read_data_block(u->a, p, &n, &at);
	if (rc == ARCHIVE_EOF)
		return check_end(u, err);
	return rc == ARCHIVE_OK ? (ssize_t)n : failed(u, err);
}
