/*
 * child_archive - lh-cat as a child, seen from the tool that reads from it, or has
 * it write.
 *
 * The child is told by LH_CAT_FRAMES=lines to write frames instead of lines, so
 * that the borders between members and the reason of a failure cross the pipe
 * as well: one byte of kind, four bytes of length (little-endian), the payload.
 *
 *     M  a member begins; payload: its name, empty for a file that is no archive
 *     D  bytes of it
 *     E  no more can be read; payload: the reason
 *     Z  that was all
 *
 * LH_CAT_FRAMES=entries is for whoever judges an archive: links, devices and
 * folders come as well, and what is compressed inside stays as it is.  The
 * payload of M is then "SIZE<tab>WHAT<tab>NAME", WHAT empty for a regular file.
 *
 * LH_CAT_FRAMES=pack turns it round: the same frames (M as with entries, WHAT
 * always empty; no E) come on stdin, and a tar archive in zstd leaves on stdout,
 * of which nothing depends but on the members' names and bytes.
 *
 * Its stdin is the compressed file.  What was read from there already, to see
 * what it is, is handed over on descriptor 3, which it reads first.
 *
 * Private to liblh and lh-cat.
 */
#ifndef LH_CHILD_ARCHIVE_H
#define LH_CHILD_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/err.h>

#define LH_CAT_ENV "LH_CAT_FRAMES"
#define LH_CAT_LINES "lines"
#define LH_CAT_ENTRIES "entries"
#define LH_CAT_PACK "pack"
#define LH_CAT_HEAD_FD 3
#define LH_CAT_FRAME 5			/* bytes before a payload */
#define LH_CAT_FRAME_MAX 65536		/* of a payload */

struct lh_child_reader {
	pid_t pid;
	int from;			/* its stdout */
	int said;			/* entries: a file in memory, its stderr; else -1 */
	uint32_t left;			/* of the frame that is being read */
	bool started, more, ended;	/* more: name is a member not yet begun */
	char name[LH_CAT_FRAME_MAX + 1];
};

/* Start it on fd, with the n bytes at head before.  NULL and *err. */
struct lh_child_reader *lh_child_reader_start(int fd, const void *head, size_t n, struct lh_err *err);

/* The same with LH_CAT_ENTRIES.  What the child says is then kept to be our
 * error, and a -1 of lh_child_reader_read with ended set judges the archive; any other
 * one says that it could not be read. */
struct lh_child_reader *lh_child_reader_entries(int fd, struct lh_err *err);

/* With entries and more: what begins.  Valid until the next read. */
struct lh_child_reader_entry {
	const char *name, *what;	/* what is "" for a regular file */
	uint64_t size;
};
int lh_child_reader_entry(struct lh_child_reader *c, struct lh_child_reader_entry *e, struct lh_err *err);

/* Bytes of the current member; 0 at its end: then either more is set or all
 * is read.  As lh_lines reads. */
ssize_t lh_child_reader_read(void *cat, void *p, size_t n, struct lh_err *err);

/* End it, whatever it is doing. */
void lh_child_reader_stop(struct lh_child_reader *c);

/*
 * An archive to be written to fd:
 *
 *     rc = lh_child_writer_start(&p, fd, err);
 *     ... lh_child_writer_member(&p, name, size, err), lh_child_writer_more(&p, bytes, n, err) ...
 *     rc = lh_child_writer_end(&p, err);	(nothing is there before this is 0)
 *     lh_child_writer_stop(&p);
 */
struct lh_child_writer {
	pid_t pid;			/* 0 when not running */
	int to;				/* a socket: its stdin */
	int said;			/* a file in memory: its stderr */
};
int lh_child_writer_start(struct lh_child_writer *p, int fd, struct lh_err *err);
int lh_child_writer_member(struct lh_child_writer *p, const char *name, uint64_t size, struct lh_err *err);
int lh_child_writer_more(struct lh_child_writer *p, const void *bytes, size_t n, struct lh_err *err);
int lh_child_writer_end(struct lh_child_writer *p, struct lh_err *err);
void lh_child_writer_stop(struct lh_child_writer *p);

#endif
