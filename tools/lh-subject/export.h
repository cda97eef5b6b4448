/*
 * export.h - what the files of export share.  See subject.h.
 *
 * The rows that find lists are read into an unnamed file below TMPDIR, since only then it is known
 * which runs and samples are the person's.  A second one gets what goes into the archive: the rows
 * without other persons' data, then what describes them.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "base/table.h"
#include "subject.h"

#define EXPORT_TITLE "Your data"

/* An unnamed file that is written at its end. */
struct spool {
	int fd;
	uint64_t n;
	struct lh_buf held;
};

struct export_row {
	size_t hit, file;
	uint64_t at, n;			/* in the rows that were read */
	uint64_t line;			/* in its file, from 1 */
	uint64_t bytes;			/* as it is in the archive */
	unsigned char sha256[32];
	bool whole;			/* a file by itself, not a line */
	bool redacted;
};

struct export_file {
	char *name;
	uint64_t at, n;			/* in what was made */
	unsigned char sha256[32];
	size_t place;			/* of its rows; NO_HIT: none */
	size_t rows, redacted;
};

struct export {
	struct lh_tool *tool;
	struct settings *s;
	struct person *who;
	struct lh_err *err;
	struct hits hits;
	struct spool read, made;
	struct export_row *row;
	size_t n, cap;
	struct export_file *file;
	size_t n_files, cap_files;
	struct lh_intern own;		/* run ids, and ids of samples, of the person's rows */
	struct lh_buf text;		/* a row at hand */
	char now[32];
	uint64_t unproved;		/* rows of the log without a proof, with --tlog */
};

/* ---- export.c ---- */

int spool_add(struct spool *s, const void *p, size_t n, struct lh_err *err);
/* Set *out to n bytes of a spool. */
int spool_read(struct spool *s, uint64_t at, uint64_t n, struct lh_buf *out, struct lh_err *err);
/* Begin a file of the archive, and end it. */
struct export_file *export_begin(struct export *x, const char *name, size_t place);
int export_end(struct export *x);

/* ---- export_rows.c ---- */

/* Read the rows of all hits into x->read. */
int export_read(struct export *x);

/* ---- export_redact.c ---- */

/* Append a row without other persons' data: 1; 0 if it has none, and is as it was; -1. */
int export_redact(struct export *x, const struct export_row *row, struct lh_str text,
		  struct lh_buf *out);
/* Note the runs and samples that a row names as the person's. */
int export_note_own(struct export *x, enum place_kind kind, struct lh_str text);

/* ---- export_page.c ---- */

int export_page(struct export *x);

/* ---- export_archive.c ---- */

/* Write the files to the archive, in this order of names. */
int export_archive(struct export *x);
/* Return whether a file is an archive of export. */
bool export_is_archive(const char *path);

#endif
