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

struct lh_undo {
	ssize_t (*source)(void *ctx, const void **p);
	void *ctx;
	struct archive *a;
	const char *kind;
	bool opened, source_failed;
	const char *last;	/* the newest bytes of the source; they end at given */
	size_t n_last;
	uint64_t source_at;
};

/* Report a failure to libarchive as the end, because it would otherwise discard
 * what it has read ahead; at that end lh_undo_read reports it. */
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
	u->source_at += (uint64_t)n;
	return n;
}

static int add_filter(struct archive *a, const char *kind)
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

	while (strcmp(table[i].kind, kind))
		i++;
	return table[i].support(a);
}

struct lh_undo *lh_undo_new(const char *kind, ssize_t (*source)(void *ctx, const void **p),
			    void *ctx, struct lh_err *err)
{
	struct lh_undo *u = lh_calloc(1, sizeof *u, err);

	if (!u)
		return NULL;
	*u = (struct lh_undo){ .source = source, .ctx = ctx, .kind = kind,
			       .a = archive_read_new() };
	if (!u->a) {
		free(u);
		lh_err_nomem(err);
		return NULL;
	}
	add_filter(u->a, kind);
	archive_read_support_format_raw(u->a);
	archive_read_support_format_empty(u->a);
	archive_read_set_callback_data(u->a, u);
	archive_read_set_read_callback(u->a, on_read);
	return u;
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
		return lh_err_set(err, LH_EIO, "damaged: begins like %s, and is none", u->kind);
	rc = archive_read_next_header(u->a, &e);
	if (rc != ARCHIVE_OK && rc != ARCHIVE_EOF)
		return failed(u, err);
	return rc == ARCHIVE_OK;
}

static bool only_nul(const char *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return !n;
}

/* Check at libarchive's end: 0 if it is the end of the source. */
static int check_end(struct lh_undo *u, struct lh_err *err)
{
	uint64_t left = u->source_at - (uint64_t)archive_filter_bytes(u->a, -1);
	const void *p;

	do {
		if (left > u->n_last || !only_nul(u->last + u->n_last - left, (size_t)left))
			return lh_err_set(err, LH_EIO,
					  "damaged: there is something else after the %s data",
					  u->kind);
		left = (uint64_t)on_read(u->a, u, &p);
	} while (left);
	return u->source_failed ? -1 : 0;
}

ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err)
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
		return check_end(u, err);
	return rc == ARCHIVE_OK ? (ssize_t)n : failed(u, err);
}
