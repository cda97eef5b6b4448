/* archive.c - compressed files and archives as streams, by libarchive.  See archive.h. */
#include "archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "file/file.h"

/* ---- one layer of compression ---- */

/*
 * gzip, zstd, xz, bzip2 or lz4, as a stream of that kind alone, which must reach to the end of the
 * source; NUL bytes may follow.
 *
 * libarchive does it, but for what it does not find by itself (3.6.2): it reads gzip without
 * comparing the checksum and the length after each member, so zlib does that; and it ends,
 * silently, at what follows a bzip2 or lz4 stream and is not another one.
 */

struct lh_undo;

/* Return the number of raw bytes at *p, valid until the next call; 0 at the end, -1 after an
 * error that it keeps. */
typedef ssize_t lh_undo_source(void *ctx, const void **p);

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
static la_ssize_t read_more(struct archive *a, void *ctx, const void **p)
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

/* NULL only for want of memory. */
static struct lh_undo *lh_undo_new(const char *kind, lh_undo_source *source, void *ctx,
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
	archive_read_set_read_callback(u->a, read_more);
	return u;
}

static void lh_undo_free(struct lh_undo *u)
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

static bool is_only_nul(const char *p, size_t n)
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
	bool nul = left <= u->n_last && is_only_nul(u->last + u->n_last - left, (size_t)left);
	const void *p;
	la_ssize_t n;

	while (nul && (n = read_more(u->a, u, &p)) > 0)
		nul = is_only_nul(p, (size_t)n);
	if (u->source_failed)
		return -1;
	return nul ? 0 : lh_err_set(err, LH_EIO, "damaged: there is something else after the %s "
				    "data", u->kind);
}

/* Return the number of bytes at *p, valid until the next call; 0 at the end; -1
 * with *err, which is unchanged if the source failed. */
static ssize_t lh_undo_read(struct lh_undo *u, const void **p, struct lh_err *err)
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

/* ---- streams ---- */

#define RATIO_FROM (UINT64_C(64) << 20)	/* less output is not limited, whatever its ratio */
#define TAR_END 1024		/* NULs that end a tar, ... */
#define TAR_RECORD 10240	/* ... and the size of an empty tar made by tar(1) */

/*
 * The end of a zip says how many members there are.  libarchive does not compare: in a pipe
 * it never sees a member whose first bytes are damaged, and a file whose end is
 * damaged it reads like a pipe.
 */
#define ZIP_END 22			/* bytes of the last record, before its comment */
#define ZIP_COMMENT 65535
#define ZIP64_END (56 + 20)		/* of the two records before it in a large zip */
#define ZIP_KEPT (ZIP64_END + ZIP_END + ZIP_COMMENT)

struct zip_end {
	size_t n;
	unsigned char p[ZIP_KEPT];	/* the last bytes so far */
};

#define MANY 0xffff		/* members that the last record cannot count */

static void zip_end_add(struct zip_end *z, const void *p, size_t n)
{
	size_t old;

	if (n > sizeof z->p) {
		p = (const char *)p + n - sizeof z->p;
		n = sizeof z->p;
	}
	old = z->n + n > sizeof z->p ? sizeof z->p - n : z->n;
	memmove(z->p, z->p + z->n - old, old);
	memcpy(z->p + old, p, n);
	z->n = old + n;
}

static uint64_t little_endian(const unsigned char *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* Return the number of members of the zip whose last record is at p[at]. */
static uint64_t member_count(const unsigned char *p, size_t at)
{
	const unsigned char *large = p + at - ZIP64_END;
	uint64_t n = little_endian(p + at + 10, 2);

	if (n == MANY && at >= ZIP64_END && memcmp(large, "PK\6\6", 4) == 0)
		n = little_endian(large + 32, 8);
	return n;
}

static int zip_end_check(const struct zip_end *z, uint64_t members, struct lh_err *err)
{
	size_t at = z->n, room;

	while (at--) {
		room = z->n - at;
		if (room < ZIP_END || memcmp(z->p + at, "PK\5\6", 4) ||
		    room - ZIP_END < little_endian(z->p + at + 20, 2))
			continue;
		if (member_count(z->p, at) == members)
			return 0;
		return lh_err_set(err, LH_EIO, "damaged: %llu of its %llu members were found",
				  (unsigned long long)members,
				  (unsigned long long)member_count(z->p, at));
	}
	return lh_err_set(err, LH_EIO, "damaged: the zip's end is missing");
}

struct lh_archive {
	struct lh_archive_source src;
	struct lh_undo *undo;		/* NULL: no compression */
	struct archive *a;		/* reads the archive; NULL: a single file */
	bool regular;			/* can be read again from another offset */
	bool opened, zip, single_told;
	size_t head_at;
	uint64_t in, out, entries;
	struct lh_buf examined;		/* uncompressed bytes that were examined already, ... */
	size_t examined_at;		/* ... and are returned from here on */
	struct lh_err failed;		/* from our own callbacks; code LH_OK: none */
	/* from bytes that were already returned; code LH_OK: none */
	struct lh_err after;
	struct zip_end end;
	char chunk[CHUNK];
};

/* Return raw bytes of the source: 0 at the end, -1 with a->failed. */
static ssize_t read_source(void *ctx, const void **p)
{
	struct lh_archive *a = ctx;
	struct pollfd f = { .fd = a->src.fd, .events = POLLIN };
	ssize_t n;

	if (a->head_at < a->src.n_head) {
		*p = (const char *)a->src.head + a->head_at;
		n = (ssize_t)(a->src.n_head - a->head_at);
		a->head_at = a->src.n_head;
	} else {
		if (!a->regular && a->src.before_wait && poll(&f, 1, 0) == 0)
			a->src.before_wait(a->src.ctx);
		*p = a->chunk;
		n = lh_read_some(a->src.fd, a->chunk, sizeof a->chunk, &a->failed);
	}
	a->in += n > 0 ? (uint64_t)n : 0;
	return n;
}

/* Count n more bytes of output; fail beyond the maximum ratio. */
static int count_output(struct lh_archive *a, size_t n, struct lh_err *err)
{
	a->out += n;
	if (!a->src.max_ratio || a->out <= RATIO_FROM || a->out / a->src.max_ratio <= a->in)
		return 0;
	return lh_err_set(err, LH_EIO, "expands more than %llu times (LH_MAX_RATIO)",
			  (unsigned long long)a->src.max_ratio);
}

/* Return decompressed bytes. */
static ssize_t read_decompressed(struct lh_archive *a, const void **p)
{
	ssize_t n;

	if (a->failed.code)
		return -1;
	n = a->undo ? lh_undo_read(a->undo, p, &a->failed) : read_source(a, p);
	if (n > 0 && a->undo && count_output(a, (size_t)n, &a->failed) < 0)
		return -1;
	return n;
}

/* The same from the beginning. */
static ssize_t read_begun(struct lh_archive *a, const void **p)
{
	size_t at = a->examined_at;

	a->examined_at = a->examined.len;
	if (at == a->examined.len)
		return read_decompressed(a, p);
	*p = a->examined.p + at;
	return (ssize_t)(a->examined.len - at);
}

/* Report a failure to libarchive as the end, because it would otherwise discard
 * what it has read ahead; at that end a->failed is reported. */
static la_ssize_t on_read(struct archive *la, void *ctx, const void **p)
{
	struct lh_archive *a = ctx;
	ssize_t n = read_begun(a, p);

	(void)la;
	if (n > 0 && a->zip && !a->regular)
		zip_end_add(&a->end, *p, (size_t)n);
	return n < 0 ? 0 : n;
}

/* zip has its list of members at the end; seeking there first needs a file. */
static la_int64_t on_seek(struct archive *la, void *ctx, la_int64_t at, int whence)
{
	struct lh_archive *a = ctx;
	off_t now;

	(void)la;
	a->examined_at = a->examined.len;
	now = lseek(a->src.fd, at, whence);
	return now < 0 ? ARCHIVE_FATAL : now;
}

static int report_failure(struct lh_archive *a, struct lh_err *err)
{
	const char *why = archive_error_string(a->a);

	if (a->failed.code) {
		*err = a->failed;
		return -1;
	}
	if (archive_errno(a->a) == ENOMEM)
		return lh_err_nomem(err);
	return lh_err_set(err, LH_EIO, "damaged: %s", why ? why : "cut short");
}

struct lh_archive *lh_archive_open(const struct lh_archive_source *src, struct lh_err *err)
{
	struct lh_archive *a = lh_calloc(1, sizeof *a);
	const char *kind = lh_archive_kind(src->head, src->n_head);
	struct stat st;

	a->src = *src;
	a->regular = fstat(src->fd, &st) == 0 && S_ISREG(st.st_mode);
	if (!kind || strcmp(kind, "tar") == 0 || strcmp(kind, "zip") == 0)
		return a;
	a->undo = lh_undo_new(kind, read_source, a, err);
	if (a->undo)
		return a;
	lh_archive_free(a);
	return NULL;
}

void lh_archive_free(struct lh_archive *a)
{
	if (!a)
		return;
	if (a->a)
		archive_read_free(a->a);
	lh_undo_free(a->undo);
	lh_buf_free(&a->examined);
	free(a);
}

static bool only_nul(const struct lh_buf *b)
{
	return b->len && !*b->p && memcmp(b->p, b->p + 1, b->len - 1) == 0;
}

/* Read until the first bytes decide: *kind of the archive, or NULL.  A failure is
 * reported after the bytes before it were returned. */
static int read_head(struct lh_archive *a, const char **kind, struct lh_err *err)
{
	struct lh_buf *b = &a->examined;
	const void *p;
	ssize_t n = 1;

	while (n > 0 && (!lh_archive_decided(b->p, b->len) ||
			 (only_nul(b) && b->len < TAR_RECORD))) {
		n = read_decompressed(a, &p);
		if (n > 0)
			lh_buf_add(b, p, (size_t)n);
	}
	*kind = only_nul(b) && b->len >= TAR_END ? "tar" : lh_archive_kind(b->p, b->len);
	if (!*kind || strcmp(*kind, "tar") == 0 || strcmp(*kind, "zip") == 0)
		return 0;
	return lh_err_set(err, LH_EIO, "holds %s" LH_ARCHIVE_AGAIN, *kind);
}

/* The archive must be of the kind that its first bytes indicate; libarchive gets no
 * other choice. */
static int begin(struct lh_archive *a, struct lh_err *err)
{
	const char *kind;

	a->opened = true;
	if (read_head(a, &kind, err) < 0)
		return -1;
	if (!kind)
		return 0;
	a->a = archive_read_new();
	if (!a->a)
		return lh_err_nomem(err);
	a->zip = strcmp(kind, "zip") == 0;
	/* A head that was read from a pipe cannot be read again. */
	a->regular = a->regular && !a->undo;
	if ((a->zip ? archive_read_support_format_zip : archive_read_support_format_tar)(a->a) <
	    ARCHIVE_WARN)
		return report_failure(a, err);
	/* Read to the end of the input, where a checksum may be, not only to the
	 * end of the tar. */
	archive_read_set_option(a->a, "tar", "read_concatenated_archives", "1");
	archive_read_set_callback_data(a->a, a);
	archive_read_set_read_callback(a->a, on_read);
	if (a->regular)
		archive_read_set_seek_callback(a->a, on_seek);
	if (archive_read_open1(a->a) == ARCHIVE_OK)
		return 0;
	/* libarchive gives every reason but this one */
	return archive_error_string(a->a) || a->failed.code ? report_failure(a, err)
							    : lh_err_nomem(err);
}

static const char *entry_name(struct archive_entry *e)
{
	const char *name = archive_entry_pathname_utf8(e);

	if (!name)
		name = archive_entry_pathname(e);
	return name && *name ? name : "(no name)";
}

static const char *what_is(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return "hard link";
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return NULL;
	case AE_IFLNK:
		return "symbolic link";
	case AE_IFDIR:
		return "folder";
	case AE_IFIFO:
		return "FIFO";
	case AE_IFCHR:
	case AE_IFBLK:
		return "device";
	default:
		return "thing of another kind";
	}
}

static int lh_archive_entry(struct lh_archive *a, struct lh_archive_entry *to, struct lh_err *err);

/* A single file is its own only entry; an empty one has none. */
static int open_single(struct lh_archive *a, struct lh_archive_entry *to, struct lh_err *err)
{
	bool first = !a->single_told;

	a->single_told = true;
	if (a->examined.len && first) {
		*to = (struct lh_archive_entry){ .name = "" };
		return 1;
	}
	if (a->failed.code)
		*err = a->failed;
	return a->failed.code ? -1 : 0;
}

/* libarchive reports no more members; the end of a zip says how many there must be. */
static int at_end(struct lh_archive *a, struct lh_err *err)
{
	const void *p;

	if (a->zip && a->regular) {
		a->examined_at = a->examined.len;
		a->regular = false;
		if (lseek(a->src.fd, -(off_t)ZIP_KEPT, SEEK_END) < 0 &&
		    lseek(a->src.fd, 0, SEEK_SET) < 0)
			return lh_err_sys(err, "cannot seek");
	}
	while (a->zip && on_read(a->a, a, &p) > 0)
		;
	if (a->failed.code)
		return report_failure(a, err);
	return a->zip ? zip_end_check(&a->end, a->entries, err) : 0;
}

/* Return whether libarchive's warning is only about a name that is not UTF-8. */
static bool is_name_warning(struct archive *a)
{
	const char *why = archive_error_string(a);

	return why && strstr(why, "converted");
}

static int lh_archive_entry(struct lh_archive *a, struct lh_archive_entry *to, struct lh_err *err)
{
	struct archive_entry *e;
	int rc;

	if (!a->opened && begin(a, err) < 0)
		return -1;
	if (!a->a)
		return open_single(a, to, err);
	rc = archive_read_next_header(a->a, &e);
	if (rc == ARCHIVE_EOF)
		return at_end(a, err);
	if (rc != ARCHIVE_OK && !(rc == ARCHIVE_WARN && is_name_warning(a->a)))
		return report_failure(a, err);
	a->entries++;
	to->name = entry_name(e);
	to->what = what_is(e);
	if (!to->what && archive_entry_sparse_count(e))
		return lh_err_set(err, LH_EIO, "%s: is a sparse file, whose holes would be lost",
				  to->name);
	to->size = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0;
	return 1;
}

int lh_archive_next(struct lh_archive *a, const char **name, struct lh_err *err)
{
	struct lh_archive_entry e;
	int rc;

	do
		rc = lh_archive_entry(a, &e, err);
	while (rc > 0 && e.what);
	if (rc > 0)
		*name = e.name;	/* that of an entry passed over is gone by now */
	return rc;
}

/* Read a block of a member.  A warning here is a wrong checksum or size, and may
 * come with the last bytes, which are returned first. */
static ssize_t read_block(struct lh_archive *a, const void **p, struct lh_err *err)
{
	la_int64_t at;
	size_t n = 0;
	int rc;

	do
		rc = archive_read_data_block(a->a, p, &n, &at);
	while (rc == ARCHIVE_RETRY || (rc == ARCHIVE_OK && n == 0));
	if (rc == ARCHIVE_EOF)
		return a->failed.code ? report_failure(a, err) : 0;
	if (rc == ARCHIVE_WARN && n)
		report_failure(a, &a->after);
	else if (rc != ARCHIVE_OK)
		return report_failure(a, err);
	return a->zip && count_output(a, n, err) < 0 ? -1 : (ssize_t)n;
}

ssize_t lh_archive_read(struct lh_archive *a, const void **p, struct lh_err *err)
{
	ssize_t n;

	if (a->after.code) {
		*err = a->after;
		return -1;
	}
	if (a->a)
		return read_block(a, p, err);
	n = read_begun(a, p);
	if (n < 0)
		*err = a->failed;
	return n;
}
