/*
 * archive - the contents of compressed files and archives, as streams, in this process or
 * from lh-cat as a child.
 *
 * gzip, zstd, xz, bzip2 and lz4, each around a single file or a tar; zip.  Read
 * from front to back, from pipes as well.  Nothing is ever extracted: a member's
 * name is only text for messages; links, devices and folders are skipped, and a
 * file compressed twice is refused.  Against decompression bombs there is a maximum
 * ratio of output bytes to input bytes.
 *
 * The functions before struct lh_archive_source are independent; everything else here
 * needs libarchive, which takes milliseconds to load, so that only lh-cat calls it.
 *
 *     a = lh_archive_open(&src, err);
 *     while ((rc = lh_archive_next(a, &name, err)) > 0)
 *             while ((n = lh_archive_read(a, &p, err)) > 0)
 *                     ... p[0..n), valid until the next call
 *     lh_archive_free(a);
 *
 * Errors: LH_EIO with libarchive's reason: damaged, truncated, over the maximum ratio.
 *         Every warning of libarchive is damage, except a name that is not UTF-8.
 *         A file that was compressed twice is refused with LH_ARCHIVE_AGAIN in the reason.
 */
#ifndef LH_ARCHIVE_H
#define LH_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define LH_ARCHIVE_AGAIN " again, which is not undone"
#define LH_ARCHIVE_SNIFF 512	/* bytes that decide the type of a file */

/* Return "gzip", "zstd", "xz", "bzip2", "lz4", "tar" or "zip" by the first bytes of
 * the file, NULL if it is none of them. */
const char *lh_archive_kind(const void *p, size_t n);

/* Return whether a file is the workbook of a spreadsheet: by its name (.xlsx, .ods), or as a zip by
 * the name of its first member, to which a "mimetype" adds its text. */
bool lh_archive_workbook(const char *file, const void *p, size_t n);

/* Return whether the first n bytes are enough to decide.  A line of text is. */
bool lh_archive_decided(const void *p, size_t n);

/* Return the length of a file's name without the ending of a compressed one: ".gz", ".zst",
 * ".xz", ".bz2" or ".lz4". */
size_t lh_archive_stem(const char *name);

/* Return whether the name has that ending, before the one of a compressed file. */
bool lh_archive_named(const char *name, const char *ending);

struct lh_archive_source {
	const void *head;	/* bytes that were already read, ... */
	size_t n_head;
	int fd;			/* ... and the descriptor of the rest */
	uint64_t max_ratio;	/* output bytes per input byte; 0: any */
	void (*before_wait)(void *ctx);	/* called before a read that would wait, or NULL */
	void *ctx;
};

struct lh_archive;
struct lh_archive *lh_archive_open(const struct lh_archive_source *src, struct lh_err *err);
void lh_archive_free(struct lh_archive *a);

/* Go to the next regular file: 1, 0 at the end, -1.  *name is "" if the source is
 * one compressed file and not an archive. */
int lh_archive_next(struct lh_archive *a, const char **name, struct lh_err *err);

/* The same for every entry, for code that validates an archive. */
struct lh_archive_entry {
	const char *name;
	const char *what;	/* "symbolic link", "folder", ...; NULL: a regular file */
	uint64_t size;		/* as stated in the archive */
};

ssize_t lh_archive_read(struct lh_archive *a, const void **p, struct lh_err *err);

/*
 * child_archive - lh-cat as a child process that reads or writes an archive.
 *
 * With LH_CAT_FRAMES=lines in its environment the child writes frames instead of
 * lines, so that the borders between members and the reason of a failure cross the
 * pipe as well: one byte of kind, four bytes of length (little-endian), the
 * payload.
 *
 *     M  a member begins; payload: its name, empty for a file that is not an archive
 *     D  bytes of it
 *     E  reading failed; payload: the reason
 *     Z  the end
 *
 * With LH_CAT_FRAMES=zstd, or another kind of lh_archive_kind that is a compression, the
 * direction is reversed: bytes arrive on stdin as D and Z, and one file so compressed leaves
 * on stdout.
 *
 * Its stdin is the compressed file.  The bytes that were already read from it, to
 * determine its type, are passed on descriptor 3, which it reads first.
 *
 * Private to lib and lh-cat.
 */

#define LH_CAT_ENV "LH_CAT_FRAMES"
#define LH_CAT_LINES "lines"
#define LH_CAT_HEAD_FD 3
#define LH_CAT_FRAME 5			/* bytes before a payload */
#define LH_CAT_FRAME_MAX 65536		/* of a payload */

struct lh_child_reader {
	pid_t pid;
	int from;			/* its stdout */
	uint32_t frame_left;			/* unread bytes of the current frame */
	bool started, more, ended;	/* more: name is a member not yet begun */
	char name[LH_CAT_FRAME_MAX + 1];
};

/* Start the child on fd; head[0..n) are the bytes before it.  NULL and *err on
 * failure. */
struct lh_child_reader *lh_child_reader_start(int fd, const void *head, size_t n,
					      struct lh_err *err);

/* The same for "s3://BUCKET/KEY", which the child opens. */
struct lh_child_reader *lh_child_reader_object(const char *object, struct lh_err *err);

/* Read bytes of the current member; 0 at its end: then either more is set or
 * everything is read.  Has the signature that lh_lines needs. */
ssize_t lh_child_reader_read(void *cat, void *p, size_t n, struct lh_err *err);

/* Stop the child, whatever it is doing. */
void lh_child_reader_stop(struct lh_child_reader *c);

/*
 * Write a compressed file to fd:
 *
 *     rc = lh_child_writer_start(&p, "zstd", fd, err);
 *     ... lh_child_writer_more(&p, bytes, n, err) ...
 *     rc = lh_child_writer_end(&p, err);	(the file is complete if this is 0)
 *     lh_child_writer_stop(&p);
 */
struct lh_child_writer {
	pid_t pid;			/* 0: not running */
	int to;				/* a socket: its stdin */
	int stderr_fd;			/* a file in memory: its stderr */
};
int lh_child_writer_start(struct lh_child_writer *p, const char *kind, int fd, struct lh_err *err);
int lh_child_writer_more(struct lh_child_writer *p, const void *bytes, size_t n,
			 struct lh_err *err);
int lh_child_writer_end(struct lh_child_writer *p, struct lh_err *err);
void lh_child_writer_stop(struct lh_child_writer *p);

/*
 * byte_source - the bytes of a file, decompressed, that can be read again from their
 * beginning.
 *
 * A regular file is read again from its descriptor.  What came through a pipe is kept:
 * in memory, and beyond some megabytes in an unnamed file below TMPDIR.  Compressed files
 * and archives are read through lh-cat, a child process; an archive gives one member
 * after the other.
 *
 *     struct lh_byte_source s;
 *
 *     rc = lh_byte_source_open(&s, "workers.csv.zst", err);
 *     while ((rc = lh_byte_source_next(&s, err)) > 0)         each member; of a file, itself
 *             while ((n = lh_byte_source_read(&s, p, sizeof p, err)) > 0)
 *                     ...
 *     lh_byte_source_close(&s);
 */

#define LH_BYTE_SOURCE_HEAD 4096

struct lh_byte_source_member;

struct lh_byte_source {
	/* Set by the caller: keep what comes from a pipe, to be read again; a descriptor that
	 * must be of another file, or 0; prepare for a wait for input, or NULL. */
	bool keep;
	int output;
	int (*waiting)(void *ctx, struct lh_err *err);
	void *ctx;

	const char *file;	/* "-": stdin; the caller's */
	int fd;
	off_t start;		/* where reading began; -1: not a regular file */
	struct lh_child_reader *cat;	/* the child that decodes it, or NULL */
	bool workbook;		/* it is the workbook of a spreadsheet */
	struct lh_buf head;	/* bytes read ahead, given from head_at on */
	size_t head_at;

	struct lh_byte_source_member *member;	/* those entered so far, n of them */
	size_t n, cap, next;
	struct lh_buf kept;	/* the bytes of a pipe */
	int kept_fd;		/* the file of those after `kept`, or -1 */
	uint64_t kept_n, kept_at;
	struct lh_err failed;	/* why reading ended, for the time after a rewind */
};

/* Open a file ("-" is stdin).  *s is zeroed but for what the caller sets. */
int lh_byte_source_open(struct lh_byte_source *s, const char *file, struct lh_err *err);

/* Go to the first or next member: 1, 0 when there is none, -1. */
int lh_byte_source_next(struct lh_byte_source *s, struct lh_err *err);

/* Read up to n bytes of the member: their number, 0 at its end, -1. */
ssize_t lh_byte_source_read(struct lh_byte_source *s, void *p, size_t n, struct lh_err *err);

/* Look at the first bytes of the member, without reading them: LH_BYTE_SOURCE_HEAD, or fewer
 * that have a line end or are all. */
int lh_byte_source_peek(struct lh_byte_source *s, struct lh_str *head, struct lh_err *err);

/* Begin again before the first member.  A pipe must have been read with keep. */
int lh_byte_source_rewind(struct lh_byte_source *s, struct lh_err *err);

/* Return the name in messages: "a.csv", "-", "a.zip/one.csv". */
const char *lh_byte_source_name(const struct lh_byte_source *s);

void lh_byte_source_close(struct lh_byte_source *s);

#endif
