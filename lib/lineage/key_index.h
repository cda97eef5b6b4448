/*
 * key_index - where the keys of files of lines are: in memory, and in an index file.
 *
 * A part (struct lh_key_part) covers whole lines of one file from a line on: the keys of
 * their rows, sorted, and the offset of every 64th line.  It is in memory, or in an index
 * file, which is mapped:
 *
 *     keys, blocks, marks     of each file; see struct lh_indexed_file
 *     files                   one struct lh_indexed_file for each, sorted by path
 *     paths
 *     end                     struct lh_index_end
 *
 * All numbers are little-endian, and all parts begin at a multiple of 8 bytes.  Every part has
 * a checksum, that of the keys in blocks of 512, and nothing is used before its checksum was
 * verified: damage is LH_ECORRUPT, never a key that is not found.
 *
 * The file holds hashes and offsets, and the paths of files, but no data.
 *
 * Threads: one thread per struct.
 */
#ifndef LH_KEY_INDEX_H
#define LH_KEY_INDEX_H

#include "file/file.h"
#include <lh/str.h>

#define LH_MARK_LINES 64
#define LH_KEY_BLOCK 512

/* Numbers.  A zeroed struct has none. */
struct lh_numbers {
	uint64_t *v;
	size_t n, cap;
};
int lh_numbers_add(struct lh_numbers *to, const uint64_t *v, size_t n, struct lh_err *err);

/* The state of a file by which a change of it is detected. */
struct lh_file_state {
	uint64_t device, inode, size;
	int64_t modified, changed;	/* nanoseconds */
};

struct lh_key_block {
	uint64_t first, sum;
};

struct lh_key_part {
	uint64_t from, end;	/* offsets: of its first line, after the LF of its last */
	uint64_t before;	/* lines of the file before its first */
	uint64_t lines, rows;	/* rows: lines that are not empty */
	uint64_t digest;	/* XXH3 of the file up to end */
	/* key << 32 | line in the part, from 1; sorted */
	const uint64_t *key;
	size_t n_keys;
	/* offset of the part's line 1, 65, 129, ... */
	const uint64_t *mark;
	size_t n_marks;
	const struct lh_key_block *block;	/* NULL: in memory, and nothing is verified */
	struct lh_numbers own_key, own_mark;	/* in memory: what key and mark point to */
};

void lh_key_part_free(struct lh_key_part *p);

/* Sort the keys that were added to own_key, and set key and mark. */
int lh_key_part_finish(struct lh_key_part *p, struct lh_err *err);

/* Append to *lines the lines, counted in the file from 1, whose rows may have
 * the key; at most max.  LH_ECORRUPT. */
int lh_key_part_find(const struct lh_key_part *p, uint32_t key, size_t max,
		     struct lh_numbers *lines, struct lh_err *err);

/* Set *at to the offset of line `first`, which is at most 63 before the given line of the file
 * (from 1), which the part has. */
int lh_key_part_seek(const struct lh_key_part *p, uint64_t line, uint64_t *first, uint64_t *at,
		     struct lh_err *err);

/* ---- the file ---- */

struct lh_indexed_file {
	struct lh_file_state state;
	uint64_t end, lines, rows, digest;
	uint64_t keys_at, n_keys, blocks_at, marks_at, n_marks;
	uint64_t sum;		/* XXH3 of blocks and marks */
	uint64_t path_at;
	uint32_t path_n, place;
};

/* At the end of the file. */
struct lh_index_end {
	uint64_t files_at, n_files, paths_at, paths_n;
	uint64_t sum;		/* XXH3 of files and paths */
	uint64_t size;		/* of the whole index */
	uint64_t magic;
	uint64_t end_sum;	/* XXH3 of the members above */
};

struct lh_key_index {
	struct lh_mapped map;
	const struct lh_indexed_file *file;
	size_t n;
};

/* Use a text in memory as an index, which must outlive *x.  LH_ECORRUPT. */
int lh_key_index_check(struct lh_key_index *x, const char *p, size_t n, struct lh_err *err);

/* Open a regular file: 1, 0 if it does not exist or is of an older version, -1; LH_ECORRUPT if it
 * is damaged.  Its owner must be this user or `owner`, and no other user may write it; else it
 * counts as absent. */
int lh_key_index_open(struct lh_key_index *x, const char *path, uid_t owner, struct lh_err *err);
void lh_key_index_close(struct lh_key_index *x);

/* Return the file of that path, or NULL. */
const struct lh_indexed_file *lh_key_index_find(const struct lh_key_index *x, const char *path);

/* Set *p to the part of a file, from its first line.  LH_ECORRUPT. */
int lh_key_index_part(const struct lh_key_index *x, const struct lh_indexed_file *f,
		      struct lh_key_part *p, struct lh_err *err);

struct lh_key_writer {
	struct lh_atomic out;
	uint64_t at;
	struct lh_buf files, paths;
};
int lh_key_writer_open(struct lh_key_writer *w, const char *path, struct lh_err *err);

/* Add a file, in the order of paths, with a part from its first line. */
int lh_key_writer_add(struct lh_key_writer *w, const char *path, uint32_t place,
		      const struct lh_file_state *state, const struct lh_key_part *p,
		      struct lh_err *err);
int lh_key_writer_commit(struct lh_key_writer *w, struct lh_err *err);
void lh_key_writer_close(struct lh_key_writer *w);

#endif
