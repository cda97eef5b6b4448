/*
 * byte_source.c - kinds of compression, and the bytes of a file, to be read twice.  See archive.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "archive/archive.h"
#include "base/mem.h"
#include "file/file.h"

/* ---- kinds ---- */

#define TAR_HEAD 512
#define TAR_SUM 148		/* offset of a tar header's checksum: octal digits, 8 bytes */
#define TAR_MAGIC 257
#define ZIP_NAME 30		/* offset of the first member's name in a zip */

/*
 * Recognize a tar by the checksum of its header: old ones have no "ustar", and the
 * word mustard has it as well.  NUL is in every header and in no line of JSON.  A
 * header with a wrong checksum is that of a damaged tar if it has either mark: they
 * are too far apart to be damaged together.
 */
static bool is_tar(const unsigned char *p, size_t n)
{
	unsigned sum = 8 * ' ', is = 0;
	size_t i = TAR_SUM;
	bool marked;

	if (n < TAR_HEAD || !memchr(p, 0, TAR_HEAD))
		return false;
	while (i < TAR_SUM + 7 && p[i] == ' ')
		i++;
	for (; i < TAR_SUM + 8 && p[i] >= '0' && p[i] <= '7'; i++)
		is = is * 8 + p[i] - '0';
	marked = memcmp(p + TAR_MAGIC, "ustar", 5) == 0 ||
		(i == TAR_SUM + 6 && memcmp(p + i, "\0 ", 2) == 0);
	for (i = 0; i < TAR_HEAD; i++)
		sum += i >= TAR_SUM && i < TAR_SUM + 8 ? 0 : p[i];
	return marked || sum == is;
}

const char *lh_archive_kind(const void *p, size_t n)
{
	static const struct {
		const char *kind, *magic;
		size_t n;
	} table[] = {
		{ "gzip", "\x1f\x8b\x08", 3 },
		{ "zstd", "\x28\xb5\x2f\xfd", 4 },
		{ "xz", "\xfd" "7zXZ\0", 6 },
		{ "bzip2", "BZh", 3 },
		{ "lz4", "\x04\x22\x4d\x18", 4 },
		{ "zip", "PK\3\4", 4 },
		{ "zip", "PK\5\6", 4 },
	};
	const char *s = p;
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		if (n < table[i].n || memcmp(s, table[i].magic, table[i].n))
			continue;
		if (*s == 'B' && (n < 4 || s[3] < '1' || s[3] > '9'))
			continue;
		return table[i].kind;
	}
	/* a zstd skippable frame, which may come first */
	if (n >= 4 && (s[0] & 0xf0) == 0x50 && memcmp(s + 1, "\x2a\x4d\x18", 3) == 0)
		return "zstd";
	return is_tar(p, n) ? "tar" : NULL;
}

bool lh_archive_workbook(const char *file, const void *p, size_t n)
{
	static const char *const ending[] = { ".xlsx", ".xlsm", ".xlsb", ".ods" };
	static const char *const first[] = { "[Content_Types].xml", "_rels/", "docProps/", "xl/",
		"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" };
	static const char before[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";	/* of .xls */
	const char *s = p;
	size_t i, k;

	if (n >= sizeof before - 1 && !memcmp(s, before, sizeof before - 1))
		return true;
	for (i = 0; i < sizeof ending / sizeof *ending; i++)
		if (lh_archive_named(file, ending[i]))
			return true;
	for (i = 0; i < sizeof first / sizeof *first; i++) {
		k = strlen(first[i]);
		if (n >= ZIP_NAME + k && !memcmp(s, "PK\3\4", 4) &&
		    !memcmp(s + ZIP_NAME, first[i], k))
			return true;
	}
	return false;
}

bool lh_archive_decided(const void *p, size_t n)
{
	const char *s = p;

	if (n >= LH_ARCHIVE_SNIFF || lh_archive_kind(p, n))
		return true;
	return n && (*s == '{' || *s == ' ' || *s == '\xef' || memchr(s, '\n', n));
}

size_t lh_archive_stem(const char *name)
{
	static const char *const packed[] = { ".gz", ".zst", ".xz", ".bz2", ".lz4" };
	size_t n = strlen(name), i, k;

	for (i = 0; i < sizeof packed / sizeof packed[0]; i++) {
		k = strlen(packed[i]);
		if (n > k && strcasecmp(name + n - k, packed[i]) == 0)
			return n - k;
	}
	return n;
}

bool lh_archive_named(const char *name, const char *ending)
{
	size_t n = lh_archive_stem(name), k = strlen(ending);

	return n >= k && strncasecmp(name + n - k, ending, k) == 0;
}

/* ---- bytes ---- */

#define KEPT_IN_MEMORY ((size_t)16 << 20)

struct lh_byte_source_member {
	char *name;		/* of an archive, else NULL */
	uint64_t kept_end;	/* its bytes among the kept ones end here */
};

const char *lh_byte_source_name(const struct lh_byte_source *s)
{
	const char *name = s->next ? s->member[s->next - 1].name : NULL;

	return name ? name : s->file;
}

/* Return whether the file is an object in S3, which lh-cat reads as a child. */
static bool is_object(const char *file)
{
	return strncmp(file, "s3://", 5) == 0;
}

int lh_byte_source_open(struct lh_byte_source *s, const char *file, struct lh_err *err)
{
	struct stat st;

	s->file = file;
	s->kept_fd = s->fd = s->start = -1;
	if (is_object(file))
		return 0;
	s->fd = strcmp(file, "-") ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (s->fd < 0)
		return errno == EINTR ? lh_err_set(err, LH_EINTR, "interrupted") :
					lh_err_sys(err, "cannot open");
	if (fstat(s->fd, &st) < 0)
		return lh_err_sys(err, "cannot stat");
	if (S_ISDIR(st.st_mode))
		return lh_err_set(err, LH_EIO, "is a directory");
	if (lh_same_file(s->fd, STDOUT_FILENO) || (s->output && lh_same_file(s->fd, s->output)))
		return lh_err_set(err, LH_EIO, "is both input and output");
	s->start = S_ISREG(st.st_mode) ? lseek(s->fd, 0, SEEK_CUR) : -1;
	return 0;
}

void lh_byte_source_close(struct lh_byte_source *s)
{
	size_t i;

	if (s->fd > STDIN_FILENO)
		close(s->fd);
	if (s->file && s->kept_fd >= 0)
		close(s->kept_fd);
	lh_child_reader_stop(s->cat);
	for (i = 0; i < s->n; i++)
		free(s->member[i].name);
	free(s->member);
	lh_buf_free(&s->head);
	lh_buf_free(&s->kept);
	memset(s, 0, sizeof *s);
}

/* ---- the bytes kept of a pipe ---- */

static int open_kept_file(struct lh_byte_source *s, struct lh_err *err)
{
	const char *folder = getenv("TMPDIR");

	if (!folder || !*folder)
		folder = "/tmp";
	s->kept_fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return s->kept_fd < 0 ? lh_err_sys(err, "%s: cannot make a temporary file", folder) : 0;
}

static int keep(struct lh_byte_source *s, const char *p, size_t n, struct lh_err *err)
{
	if (s->kept_fd < 0 && s->kept.len + n <= KEPT_IN_MEMORY) {
		lh_buf_add(&s->kept, p, n);
	} else if ((s->kept_fd < 0 && open_kept_file(s, err) < 0) ||
		   lh_pwrite_all(s->kept_fd, p, n, (off_t)(s->kept_n - s->kept.len), err) < 0) {
		return -1;
	}
	s->kept_n += n;
	s->kept_at = s->kept_n;
	s->member[s->next - 1].kept_end = s->kept_n;
	return 0;
}

/* Read kept bytes of the member: their number, 0 if none are left. */
static ssize_t read_kept(struct lh_byte_source *s, char *p, size_t n, struct lh_err *err)
{
	uint64_t left = s->member[s->next - 1].kept_end - s->kept_at;
	ssize_t got;

	if (n > left)
		n = (size_t)left;
	if (!n)
		return 0;
	if (s->kept_at < s->kept.len) {
		if (n > s->kept.len - s->kept_at)
			n = s->kept.len - (size_t)s->kept_at;
		memcpy(p, s->kept.p + s->kept_at, n);
		got = (ssize_t)n;
	} else {
		got = pread(s->kept_fd, p, n, (off_t)(s->kept_at - s->kept.len));
		if (got <= 0)
			return lh_err_sys(err, "cannot read the temporary file");
	}
	s->kept_at += (uint64_t)got;
	return got;
}

/* ---- the bytes of the file ---- */

/* Call waiting, if a read would wait. */
static int before_read(const struct lh_byte_source *s, struct lh_err *err)
{
	struct pollfd p = { .fd = s->cat ? s->cat->from : s->fd, .events = POLLIN };

	if (!s->waiting || (s->start >= 0 && !s->cat) || (poll(&p, 1, 0) > 0 && p.revents))
		return 0;
	return s->waiting(s->ctx, err);
}

/* Read from the child or the descriptor. */
static ssize_t read_live(struct lh_byte_source *s, void *p, size_t n, struct lh_err *err)
{
	ssize_t got;

	if (s->failed.code) {
		*err = s->failed;
		return -1;
	}
	if (before_read(s, err) < 0)
		return -1;
	got = s->cat ? lh_child_reader_read(s->cat, p, n, err) : lh_read_some(s->fd, p, n, err);
	if (got < 0)
		s->failed = *err;
	return got;
}

/* Add bytes to the head: 1, 0 at the end, -1. */
static int grow_head(struct lh_byte_source *s, struct lh_err *err)
{
	char *to = lh_buf_room(&s->head, LH_BYTE_SOURCE_HEAD);
	ssize_t got;

	if (!to)
		return 0;
	got = read_live(s, to, LH_BYTE_SOURCE_HEAD, err);
	lh_buf_took(&s->head, got > 0 ? (size_t)got : 0);
	return got < 0 ? -1 : got > 0;
}

static void clear_head(struct lh_byte_source *s)
{
	lh_buf_reset(&s->head);
	s->head_at = 0;
}

/* Start the child that decodes the file, whose first bytes are the head. */
static int start_child(struct lh_byte_source *s, struct lh_err *err)
{
	size_t n = s->start >= 0 ? 0 : s->head.len;

	if (s->start >= 0 && lseek(s->fd, s->start, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	s->cat = lh_child_reader_start(s->fd, s->head.p, n, err);
	clear_head(s);
	return s->cat ? grow_head(s, err) : -1;	/* which finds the first member of an archive */
}

/* Enter the file. */
static int enter(struct lh_byte_source *s, struct lh_err *err)
{
	int more = 1;

	clear_head(s);
	if (s->fd < 0) {	/* an object */
		s->cat = lh_child_reader_object(s->file, err);
		return s->cat && grow_head(s, err) >= 0 ? 1 : -1;
	}
	while (more > 0 && !lh_archive_decided(s->head.p, s->head.len))
		more = grow_head(s, err);
	s->workbook = lh_archive_workbook(s->file, s->head.p, s->head.len);
	if (more >= 0 && !s->workbook && lh_archive_kind(s->head.p, s->head.len))
		more = start_child(s, err);
	return more < 0 ? -1 : 1;
}

/* Go to the next member of the child's archive. */
static int next_member(struct lh_byte_source *s, struct lh_err *err)
{
	int more = 1;

	while (more > 0) {
		clear_head(s);
		more = grow_head(s, err);
	}
	return more < 0 ? -1 : s->cat->more;
}

static int add_member(struct lh_byte_source *s)
{
	const char *name = s->cat && s->cat->more ? s->cat->name : NULL;
	size_t n = name ? strlen(s->file) + strlen(name) + 2 : 0;

	lh_grow(&s->member, &s->cap, s->n + 1, sizeof *s->member);
	s->member[s->n] = (struct lh_byte_source_member){ NULL, s->kept_n };
	if (name) {
		s->member[s->n].name = lh_calloc(n, 1);
		snprintf(s->member[s->n].name, n, "%s/%s", s->file, name);
		s->cat->more = false;
	}
	s->next = ++s->n;
	return 1;
}

int lh_byte_source_next(struct lh_byte_source *s, struct lh_err *err)
{
	int rc;

	if (s->next < s->n) {		/* one that was read before the rewind */
		s->kept_at = s->next ? s->member[s->next - 1].kept_end : 0;
		s->next++;
		return 1;
	}
	if (s->n)
		rc = s->cat ? next_member(s, err) : 0;
	else
		rc = enter(s, err);
	return rc > 0 ? add_member(s) : rc;
}

ssize_t lh_byte_source_read(struct lh_byte_source *s, void *p, size_t n, struct lh_err *err)
{
	ssize_t got = read_kept(s, p, n, err);

	if (got || s->next < s->n)
		return got;
	got = (ssize_t)(s->head.len - s->head_at);
	if (got) {
		if ((size_t)got > n)
			got = (ssize_t)n;
		memcpy(p, s->head.p + s->head_at, (size_t)got);
		s->head_at += (size_t)got;
	} else {
		got = read_live(s, p, n, err);
	}
	if (got > 0 && s->keep && s->start < 0 && keep(s, p, (size_t)got, err) < 0)
		return -1;
	return got;
}

int lh_byte_source_peek(struct lh_byte_source *s, struct lh_str *head, struct lh_err *err)
{
	int more = 1;

	while (more > 0 && s->head.len < LH_BYTE_SOURCE_HEAD &&
	       !(s->head.len && memchr(s->head.p, '\n', s->head.len)))
		more = grow_head(s, err);
	*head = (struct lh_str){ s->head.p, s->head.len };
	return more < 0 ? -1 : 0;
}

int lh_byte_source_rewind(struct lh_byte_source *s, struct lh_err *err)
{
	size_t i;

	s->next = 0;
	s->kept_at = 0;
	if (s->start < 0)
		return 0;
	lh_child_reader_stop(s->cat);
	s->cat = NULL;
	for (i = 0; i < s->n; i++)
		free(s->member[i].name);
	s->n = 0;
	clear_head(s);
	s->failed.code = LH_OK;
	return lseek(s->fd, s->start, SEEK_SET) < 0 ? lh_err_sys(err, "cannot seek") : 0;
}
