/* decompress.c - undo one layer of compression.  See decompress.h. */
#include "decompress.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "stream_end.h"

struct lh_undo {
	ssize_t (*source)(void *ctx, const void **p);
	void *ctx;
	struct archive *a;
	const char *kind;
	bool opened, source_failed;
	bool bounded;		/* zstd and xz: one stream at a time */
	bool later;		/* not the first stream */
	struct lh_stream_end end;
	const char *last;	/* the newest bytes of the source, ... */
	size_t n_last;
	size_t rest;		/* ... of which so many were not given */
	uint64_t given;		/* to this archive */
};

/* Return how many bytes of the source are not given yet: 0 at its end, and with
 * u->source_failed. */
static size_t refill(struct lh_undo *u)
{
	const void *p;
	ssize_t n;

	if (u->rest || u->source_failed)
		return u->rest;
	n = u->source(u->ctx, &p);
	u->source_failed = n < 0;
	if (n <= 0)
		return 0;
	u->last = p;
	u->n_last = u->rest = (size_t)n;
	return u->rest;
}

/* Report a failure to libarchive as the end, because it would otherwise discard
 * what it has read ahead; at that end lh_undo_read reports it. */
static la_ssize_t on_read(struct archive *a, void *ctx, const void **p)
{
	struct lh_undo *u = ctx;
	size_t n = u->end.ended ? 0 : refill(u);

	(void)a;
	if (!n)
		return 0;
	*p = u->last + u->n_last - u->rest;
	if (u->bounded)
		n = lh_stream_end_scan(&u->end, *p, n);
	u->rest -= n;
	u->given += n;
	return (la_ssize_t)n;
}

/* Make the archive of the next stream. */
static int new_archive(struct lh_undo *u, struct lh_err *err)
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
	size_t i = 0;

	archive_read_free(u->a);
	u->a = archive_read_new();
	if (!u->a)
		return lh_err_nomem(err);
	u->opened = false;
	u->given = 0;
	while (strcmp(table[i].kind, u->kind))
		i++;
	table[i].support(u->a);
	archive_read_support_format_raw(u->a);
	archive_read_support_format_empty(u->a);
	archive_read_set_callback_data(u->a, u);
	archive_read_set_read_callback(u->a, on_read);
	return 0;
}

struct lh_undo *lh_undo_new(const char *kind, ssize_t (*source)(void *ctx, const void **p),
			    void *ctx, struct lh_err *err)
{
	struct lh_undo *u = lh_calloc(1, sizeof *u);
	bool xz = strcmp(kind, "xz") == 0;

	*u = (struct lh_undo){ .source = source, .ctx = ctx, .kind = kind,
			       .bounded = xz || strcmp(kind, "zstd") == 0, .end.xz = xz };
	if (new_archive(u, err) == 0)
		return u;
	free(u);
	return NULL;
}

void lh_undo_free(struct lh_undo *u)
{
	if (u)
		archive_read_free(u->a);
	free(u);
}

static int failed(struct lh_undo *u, struct lh_err *err)
{
	const char *why = archive_error_string(u->a);

	if (u->source_failed)
		return -1;
	if (archive_errno(u->a) == ENOMEM)
		return lh_err_nomem(err);
	return lh_err_set(err, LH_EIO, "damaged: %s", why ? why : "cut short");
}

static int something_else(const struct lh_undo *u, struct lh_err *err)
{
	return lh_err_set(err, LH_EIO, "damaged: there is something else after the %s data",
			  u->kind);
}

/* Start: 1, 0 if nothing was compressed, -1. */
static int start_filter(struct lh_undo *u, struct lh_err *err)
{
	struct archive_entry *e;
	int rc;

	u->opened = true;
	if (archive_read_open1(u->a) != ARCHIVE_OK)	/* out of memory is a reason not given */
		return archive_error_string(u->a) || u->source_failed ? failed(u, err)
								      : lh_err_nomem(err);
	/* this filter, and the one that every archive has */
	if (archive_filter_count(u->a) != 2)
		return u->later ? something_else(u, err)
				: lh_err_set(err, LH_EIO, "damaged: begins like %s, and is none",
					     u->kind);
	rc = archive_read_next_header(u->a, &e);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return failed(u, err);
	return rc == ARCHIVE_OK;
}

/* Pass over NULs: 1 if other bytes follow, 0 at the end, -1. */
static int skip_nul(struct lh_undo *u)
{
	while (refill(u)) {
		while (u->rest && !u->last[u->n_last - u->rest])
			u->rest--;
		if (u->rest)
			return 1;
	}
	return u->source_failed ? -1 : 0;
}

/* Pass over NULs and over zstd's frames without data, which libarchive does not begin
 * with: 1 if a stream follows, 0 at the end, -1. */
static int skip_empty(struct lh_undo *u, struct lh_err *err)
{
	unsigned char first;
	size_t n;
	int rc;

	for (;;) {
		u->end = (struct lh_stream_end){ .xz = u->end.xz };
		rc = skip_nul(u);
		if (rc <= 0)
			return rc;
		first = (unsigned char)u->last[u->n_last - u->rest];
		if (!lh_stream_end_begins(&u->end, first))
			return something_else(u, err);
		if ((first & 0xf0) != 0x50)
			return 1;
		while (!u->end.ended && (n = refill(u)))
			u->rest -= lh_stream_end_scan(&u->end, u->last + u->n_last - n, n);
		if (!u->end.ended)
			return u->source_failed ? -1 : something_else(u, err);
	}
}

/* Check at libarchive's end of a stream: 1 if another one follows, 0 if it is the end
 * of the source. */
static int check_end(struct lh_undo *u, struct lh_err *err)
{
	uint64_t left = u->given - (uint64_t)archive_filter_bytes(u->a, -1);
	size_t taken = u->n_last - u->rest;
	int rc;

	/* what it was given and did not take */
	if (left > taken || (left && u->end.ended))
		return something_else(u, err);
	u->rest += (size_t)left;
	if (!u->end.ended) {
		rc = skip_nul(u);
		return rc > 0 ? something_else(u, err) : rc;
	}
	rc = skip_empty(u, err);
	u->later = true;
	return rc > 0 && new_archive(u, err) < 0 ? -1 : rc;
}

static ssize_t read_stream(struct lh_undo *u, const void **p, struct lh_err *err)
{
	la_int64_t at;
	size_t n = 0;
	int rc = ARCHIVE_OK;

	if (!u->opened) {
		rc = start_filter(u, err);
		if (rc < 0)
			return -1;
		rc = rc ? ARCHIVE_OK : ARCHIVE_EOF;
	}
	while (rc == ARCHIVE_OK && !n)
		rc = archive_read_data_block(u->a, p, &n, &at);
	if (rc == ARCHIVE_EOF)
		return 0;
	return rc == ARCHIVE_OK ? (ssize_t)n : failed(u, err);
}

ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err)
{
	ssize_t n;
	int rc = u->bounded && !u->later && !u->opened ? skip_empty(u, err) : 1;

	while (rc > 0) {
		n = read_stream(u, p, err);
		if (n)
			return n;
		rc = check_end(u, err);
	}
	return rc;
}
