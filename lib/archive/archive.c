/* archive.c - compressed files and archives as streams.  See archive.h. */
#include "archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/buf.h>
#include "file/file.h"
#include "base/mem.h"
#include "decompress.h"

#define CHUNK ((size_t)256 << 10)
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

int lh_archive_entry(struct lh_archive *a, struct lh_archive_entry *to, struct lh_err *err)
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
