/* lh_archive.c - compressed files and archives as streams.  See lh_archive.h. */
#include "lh_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lh_file.h"
#include "lh_gunzip_int.h"
#include "lh_mem.h"

#define CHUNK ((size_t)256 << 10)
#define RATIO_FROM (UINT64_C(64) << 20)	/* little output is no bomb, whatever its ratio */

struct lh_archive {
	struct lh_archive_source src;
	struct archive *a;
	struct lh_gunzip *gz;		/* undoes gzip before libarchive sees it, or NULL */
	bool regular, opened, raw;
	size_t head_at;
	uint64_t in, out;
	struct lh_err failed;		/* of our own callbacks; code LH_OK: none */
	char chunk[CHUNK];
};

/* Bytes of the source as they are: 0 at the end, -1 with a->failed. */
static ssize_t source_read(void *ctx, const void **p)
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

static int check_ratio(const struct lh_archive *a, uint64_t out, struct lh_err *err)
{
	if (!a->src.max_ratio || out <= RATIO_FROM || out / a->src.max_ratio <= a->in)
		return 0;
	return lh_err_set(err, LH_EIO, "expands more than %llu times (LH_MAX_RATIO)", (unsigned long long)a->src.max_ratio);
}

/* A failure is an end to libarchive, which would else throw away what it has
 * read ahead; when it comes to that end, a->failed is told. */
static la_ssize_t on_read(struct archive *la, void *ctx, const void **p)
{
	struct lh_archive *a = ctx;
	ssize_t n;

	/* what comes between and behind the members counts as well */
	if (a->failed.code || check_ratio(a, (uint64_t)archive_filter_bytes(la, 0), &a->failed) < 0)
		return 0;
	n = a->gz ? lh_gunzip_read(a->gz, p, &a->failed) : source_read(a, p);
	return n < 0 ? 0 : n;
}

/* zip keeps its list of members at the end; going there first needs a file. */
static la_int64_t on_seek(struct archive *la, void *ctx, la_int64_t at, int whence)
{
	struct lh_archive *a = ctx;
	off_t now;

	(void)la;
	a->head_at = a->src.n_head;
	now = lseek(a->src.fd, at, whence);
	return now < 0 ? ARCHIVE_FATAL : now;
}

static int failed(struct lh_archive *a, struct lh_err *err)
{
	const char *why = archive_error_string(a->a);

	if (a->failed.code) {
		*err = a->failed;
		return -1;
	}
	return lh_err_set(err, archive_errno(a->a) == ENOMEM ? LH_ENOMEM : LH_EIO, "damaged: %s", why ? why : "cut short");
}

static int set_up(struct lh_archive *a, struct lh_err *err)
{
	const char *kind = lh_archive_kind(a->src.head, a->src.n_head);

	if (kind && strcmp(kind, "gzip") == 0) {
		a->gz = lh_gunzip_new(source_read, a, err);
		if (!a->gz)
			return -1;
	}
	archive_read_support_filter_zstd(a->a);
	archive_read_support_filter_xz(a->a);
	archive_read_support_filter_bzip2(a->a);
	archive_read_support_filter_lz4(a->a);
	archive_read_support_format_tar(a->a);
	archive_read_support_format_zip(a->a);
	archive_read_support_format_raw(a->a);
	archive_read_support_format_empty(a->a);
	/* To the end of the input, where a check sum may stand, not of the tar. */
	archive_read_set_option(a->a, "tar", "read_concatenated_archives", "1");
	archive_read_set_callback_data(a->a, a);
	archive_read_set_read_callback(a->a, on_read);
	/* A head that was read from a pipe cannot be read again. */
	if (a->regular && !a->gz)
		archive_read_set_seek_callback(a->a, on_seek);
	return 0;
}

struct lh_archive *lh_archive_open(const struct lh_archive_source *src, struct lh_err *err)
{
	struct lh_archive *a = lh_calloc(1, sizeof *a, err);
	struct stat st;

	if (!a)
		return NULL;
	a->src = *src;
	a->regular = fstat(src->fd, &st) == 0 && S_ISREG(st.st_mode);
	a->a = archive_read_new();
	if (!a->a)
		lh_err_nomem(err);
	else if (set_up(a, err) == 0)
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
	lh_gunzip_free(a->gz);
	free(a);
}

/* The first header makes libarchive look at the bytes; what it takes them for
 * must be one layer of compression at most. */
static int begin(struct lh_archive *a, struct lh_err *err)
{
	if (archive_read_open1(a->a) != ARCHIVE_OK)
		return failed(a, err);
	a->opened = true;
	if (archive_filter_count(a->a) + (a->gz != NULL) > 2)
		return lh_err_set(err, LH_EIO, "holds %s again, which is not undone", archive_filter_name(a->a, 0));
	return 0;
}

static const char *name_of(struct archive_entry *e)
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

int lh_archive_entry(struct lh_archive *a, struct lh_archive_entry *to, struct lh_err *err)
{
	struct archive_entry *e;
	int rc;

	if (!a->opened && begin(a, err) < 0)
		return -1;
	rc = archive_read_next_header(a->a, &e);
	if (rc == ARCHIVE_EOF)
		return a->failed.code ? failed(a, err) : 0;
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return failed(a, err);
	a->raw = archive_format(a->a) == ARCHIVE_FORMAT_RAW;
	to->name = a->raw ? "" : name_of(e);
	to->what = a->raw ? NULL : what_is(e);
	to->size = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0;
	return 1;
}

int lh_archive_next(struct lh_archive *a, const char **name, struct lh_err *err)
{
	struct lh_archive_entry e;
	int rc;

	do {
		rc = lh_archive_entry(a, &e, err);
		if (rc > 0)
			*name = e.name;
	} while (rc > 0 && e.what);
	return rc;
}

ssize_t lh_archive_read(struct lh_archive *a, const void **p, struct lh_err *err)
{
	la_int64_t at;
	size_t n;
	int rc;

	do
		rc = archive_read_data_block(a->a, p, &n, &at);
	while (rc == ARCHIVE_RETRY || ((rc == ARCHIVE_OK || rc == ARCHIVE_WARN) && n == 0));
	if (rc == ARCHIVE_EOF)
		return a->failed.code ? failed(a, err) : 0;
	if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
		return failed(a, err);
	a->out += n;
	return check_ratio(a, a->out, err) < 0 ? -1 : (ssize_t)n;
}
