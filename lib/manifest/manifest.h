/*
 * manifest - a list of files with their bytes, rows and SHA-256, and whether it is still true.
 *
 *     struct lh_files m = { .n = 0 };
 *     f = lh_files_add(&m, lh_str_of("data/_kb/audits.jsonl"));
 *     rc = lh_digest_cache_get(cache, f->path, &f->is, err);
 *     lh_files_write(&w, "files", &m);          [{"path","sha256","bytes","record_count"}]
 *     lh_files_hash(&m, hex);                   one hash over all
 *     ...
 *     rc = lh_files_check(&m, &how, err);       each file, read again
 *     lh_files_free(&m);
 *
 * Paths are relative to a folder.  Rows are the lines that are neither blank nor a tombstone
 * (file/rows.h).  Receipts of a distillation, what an erasure has replaced and the sums of an
 * export are such lists.
 *
 * Errors:  0, or -1 with *err, whose text names the file.
 * Memory:  a path and 80 bytes a file.
 * Threads: one thread per struct.
 */
#ifndef LH_MANIFEST_H
#define LH_MANIFEST_H

#include <sys/stat.h>

#include "json/bind.h"
#include "json/write.h"

/* Return the path of a file of a folder, which the caller frees; of "." the path itself. */
char *lh_files_path(const char *folder, const char *relpath);

/* ---- what a file is (digest.c) ---- */

struct lh_file_digest {
	uint64_t bytes, records;	/* records: rows */
	unsigned char sha256[32];
};

/* Set the digest of the next bytes of a file, UINT64_MAX for all: 1, 0 if it has fewer, -1. */
int lh_digest_read(int fd, uint64_t bytes, struct lh_file_digest *d, struct lh_err *err);

/* A file that was hashed before and has not changed since (device, inode, size, times) is not
 * read again: the cache of a folder stores its digest. */
struct lh_digest_cache *lh_digest_cache_new(const char *folder);
void lh_digest_cache_free(struct lh_digest_cache *f);	/* NULL is allowed */

/* Get the digest of a file: 1, 0 if it does not exist, -1. */
int lh_digest_cache_get(struct lh_digest_cache *f, const char *relpath, struct lh_file_digest *d,
			struct lh_err *err);

/* Store the digest of a file that was just replaced with these contents; `made`
 * describes its inode before the rename.  It is used for the present file if that
 * has the same inode and size, and was not written since. */
void lh_digest_cache_written(struct lh_digest_cache *f, const char *relpath,
			     const struct stat *made, const struct lh_file_digest *d);

/* Store the digest of a file that was just read to its end, if it has not changed
 * since `before`. */
void lh_digest_cache_read(struct lh_digest_cache *f, const char *relpath,
			  const struct stat *before, const struct lh_file_digest *d);

/* ---- a list (manifest.c) ---- */

struct lh_listed {
	char *path;
	struct lh_file_digest is;
	unsigned from;		/* the caller's: which of several lists it is from */
	unsigned order;		/* in which it was added */
};

/* A zeroed one is empty. */
struct lh_files {
	struct lh_listed *v;
	size_t n, cap;
};

/* Add a file; valid until the next call. */
struct lh_listed *lh_files_add(struct lh_files *m, struct lh_str path);
/* Remove all, or free. */
void lh_files_clear(struct lh_files *m);
void lh_files_free(struct lh_files *m);

/* Sort by path, and those of one path in the order in which they were added. */
void lh_files_sort(struct lh_files *m);
/* Return whether a sorted list has a file of that path. */
bool lh_files_has(const struct lh_files *m, const char *path);

/* ---- in JSON, and as one hash ---- */

/* A file as it is written; the texts are those of the record. */
struct lh_listed_text {
	struct lh_str path, sha256;
	uint64_t bytes, records;
};
extern const struct lh_bind lh_listed_members[];

/* Add files as they were read.  Return the first whose SHA-256 is none, which ends it; or NULL. */
const struct lh_listed_text *lh_files_take(struct lh_files *m,
					      const struct lh_listed_text *t, size_t n);
void lh_files_write(struct lh_writer *w, const char *name, const struct lh_files *m);

/* Return the number of rows of all files. */
uint64_t lh_files_records(const struct lh_files *m);
/* Set SHA-256 over the lines "<path>\t<sha256>\n", in hex with a NUL. */
void lh_files_hash(const struct lh_files *m, char hex[65]);
/* Append the lines "<sha256>  <path>\n", as sha256sum(1) reads them. */
void lh_files_sums(struct lh_buf *out, const struct lh_files *m);

/* ---- is it still true? (check.c) ---- */

enum lh_listed_fault {
	LH_LISTED_GONE, LH_LISTED_CUT,
	LH_LISTED_CHANGED,	/* the first bytes are not those that were listed */
	LH_LISTED_GROWN,
};

struct lh_files_check {
	const char *folder;
	/* Return whether a file may have grown; NULL: none. */
	bool (*may_grow)(const char *path);
	/* Report a file: newest is the last entry of its path, differs, of one that was changed,
	 * that which does not hold; size: of the file. */
	void (*fault)(void *ctx, enum lh_listed_fault what, const struct lh_listed *newest,
		      const struct lh_listed *differs, uint64_t size);
	/* Report a file that cannot be read: 0, or -1 to end with *err. */
	int (*unread)(void *ctx, const struct lh_listed *newest, struct lh_err *err);
	void *ctx;
	uint64_t files, bytes;	/* set: that were compared */
};

/* Compare the files of a sorted list.  Of a path that is there more than once the last entry is
 * the newest, which must be all of the file; the others must be its first bytes. */
int lh_files_check(const struct lh_files *m, struct lh_files_check *how,
		      struct lh_err *err);

/* ---- rows that were cut out of files ---- */

/* A row of n bytes that began at `at`, in whose place are so many now. */
struct lh_cut {
	const char *path;	/* relative to the folder */
	uint64_t at, n, is;
};

/* Return how many rows were cut out of the first bytes of a file, and set *left to what
 * is left of these bytes. */
uint64_t lh_cut_rows(const struct lh_cut *cut, size_t n, const char *path, uint64_t bytes,
		     uint64_t *left);
/* Set each file of a list from which rows were cut to what is left of it, *rows to those of the
 * cuts that apply, and *changed if there are such.  A file that is listed as it is now stays. */
int lh_files_cut(struct lh_files *m, const char *folder, const struct lh_cut *cut, size_t n,
		    uint64_t *rows, bool *changed, struct lh_err *err);

/* ---- files that grow by whole lines (append.c) ---- */

/*
 * Killed at any point, a file has all of the added lines or none: a copy with them replaces it
 * (lh_atomic).  Nothing is written before the first line, so that a run that adds nothing
 * changes nothing.  An existing last line without LF is given one first.  Folders on the way are
 * created and synced.
 *
 *     struct lh_append *a = lh_append_open(folder, "exports/rag/playbooks.jsonl", NULL, err);
 *     while (...)
 *             lh_append_line(a, line, n, err);
 *     rc = lh_append_commit(a, err);
 *     lh_append_close(a);             (without a commit: nothing happened)
 */
struct lh_append;
/* cache gets the digest of a new file, or NULL. */
struct lh_append *lh_append_open(const char *folder, const char *relpath,
				 struct lh_digest_cache *cache, struct lh_err *err);
/* LF is added */
int lh_append_line(struct lh_append *a, const char *line, size_t n, struct lh_err *err);
uint64_t lh_append_lines(const struct lh_append *a);	/* so far */
int lh_append_commit(struct lh_append *a, struct lh_err *err);
void lh_append_close(struct lh_append *a);

/* Create the folders that a file of a folder is in. */
int lh_files_folders(const char *folder, const char *relpath, struct lh_err *err);

#endif
