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
#ifndef LH_BYTE_SOURCE_H
#define LH_BYTE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/buf.h>
#include <lh/str.h>

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
