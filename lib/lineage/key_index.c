/* key_index.c - keys of rows, sorted, in memory and on disk.  See key_index.h. */
#include "key_index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/xxh3.h"

#define MAGIC UINT64_C(0x347865646e69686c)	/* "lhindex4" */
#define OLDER UINT64_C(0x337865646e69686c)	/* "lhindex3", without lines that are no records */
#define OLDEST UINT64_C(0x327865646e69686c)	/* "lhindex2", without keys of persons */

static int damaged(struct lh_err *err, const char *what)
{
	return lh_err_set(err, LH_ECORRUPT, "the index is damaged: %s", what);
}

/* ---- a part ---- */

int lh_numbers_add(struct lh_numbers *to, const uint64_t *v, size_t n, struct lh_err *err)
{
	if (lh_grow(&to->v, &to->cap, to->n + n, sizeof *v, err) < 0)
		return -1;
	if (n)
		memcpy(to->v + to->n, v, n * sizeof *v);
	to->n += n;
	return 0;
}

void lh_key_part_free(struct lh_key_part *p)
{
	free(p->own_key.v);
	free(p->own_mark.v);
	*p = (struct lh_key_part){ 0 };
}

/* Sort by one byte of the key; equal ones stay in their order. */
static void sort_pass(const uint64_t *from, uint64_t *to, size_t n, unsigned shift)
{
	size_t start[257] = { 0 }, i;

	for (i = 0; i < n; i++)
		start[(from[i] >> shift & 255) + 1]++;
	for (i = 0; i < 256; i++)
		start[i + 1] += start[i];
	for (i = 0; i < n; i++)
		to[start[from[i] >> shift & 255]++] = from[i];
}

int lh_key_part_finish(struct lh_key_part *p, struct lh_err *err)
{
	uint64_t *a = p->own_key.v, *b;
	size_t n = p->own_key.n;

	if (n) {
		b = lh_calloc(n, sizeof *b, err);
		if (!b)
			return -1;
		sort_pass(a, b, n, 32);
		sort_pass(b, a, n, 40);
		sort_pass(a, b, n, 48);
		sort_pass(b, a, n, 56);
		free(b);
	}
	p->key = a;
	p->n_keys = n;
	p->mark = p->own_mark.v;
	p->n_marks = p->own_mark.n;
	return 0;
}

static size_t blocks_of(size_t keys)
{
	return (keys + LH_KEY_BLOCK - 1) / LH_KEY_BLOCK;
}

/* Return the first of n keys, a step apart, that is not less than v. */
static size_t lower_bound(const uint64_t *key, size_t step, size_t n, uint64_t v)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (key[mid * step] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Check block i, and set n to the number of its keys. */
static int check_block(const struct lh_key_part *p, size_t i, size_t *n, struct lh_err *err)
{
	size_t left = p->n_keys - i * LH_KEY_BLOCK;

	*n = left < LH_KEY_BLOCK ? left : LH_KEY_BLOCK;
	if (p->block && lh_xxh3(p->key + i * LH_KEY_BLOCK, *n * 8) != p->block[i].sum)
		return damaged(err, "keys");
	return 0;
}

int lh_key_part_find(const struct lh_key_part *p, uint32_t key, size_t max,
		     struct lh_numbers *lines, struct lh_err *err)
{
	uint64_t v = (uint64_t)key << 32, line;
	size_t blocks = blocks_of(p->n_keys), i = 0, at, n;

	if (p->block)
		i = lower_bound(&p->block->first, 2, blocks, v);
	else
		i = lower_bound(p->key, LH_KEY_BLOCK, blocks, v);
	for (i -= i > 0; i < blocks; i++) {
		if (check_block(p, i, &n, err) < 0)
			return -1;
		at = i * LH_KEY_BLOCK;
		n += at;
		for (at += lower_bound(p->key + at, 1, n - at, v); at < n; at++) {
			if (p->key[at] >> 32 != key || lines->n >= max)
				return 0;
			line = p->before + (uint32_t)p->key[at];
			if (line > p->before + p->lines)
				return damaged(err, "a line");
			if (lh_numbers_add(lines, &line, 1, err) < 0)
				return -1;
		}
	}
	return 0;
}

int lh_key_part_seek(const struct lh_key_part *p, uint64_t line, uint64_t *first, uint64_t *at,
		     struct lh_err *err)
{
	uint64_t i = (line - p->before - 1) / LH_MARK_LINES;

	if (i >= p->n_marks)
		return damaged(err, "marks");
	*first = p->before + i * LH_MARK_LINES + 1;
	*at = p->mark[i];
	return 0;
}

/* ---- read ---- */

/* Return whether n things of a size that begin at `at` are within the first `size` bytes. */
static bool fits(uint64_t at, uint64_t n, size_t each, uint64_t size)
{
	return at % 8 == 0 && at <= size && n <= (size - at) / each;
}

int lh_key_index_check(struct lh_key_index *x, const char *p, size_t n, struct lh_err *err)
{
	struct lh_index_end end;
	size_t i;

	if (n < sizeof end || n % 8)
		return damaged(err, "its size");
	memcpy(&end, p + n - sizeof end, sizeof end);
	if (end.magic != MAGIC || end.size != n ||
	    lh_xxh3(&end, offsetof(struct lh_index_end, end_sum)) != end.end_sum)
		return damaged(err, "its end");
	n -= sizeof end;
	if (!fits(end.files_at, end.n_files, sizeof *x->file, n) ||
	    end.paths_at != end.files_at + end.n_files * sizeof *x->file ||
	    !fits(end.paths_at, end.paths_n, 1, n) ||
	    lh_xxh3(p + end.files_at, end.paths_at + end.paths_n - end.files_at) != end.sum)
		return damaged(err, "its files");
	x->map = (struct lh_mapped){ p, n };
	x->file = (const struct lh_indexed_file *)(const void *)(p + end.files_at);
	x->n = end.n_files;
	for (i = 0; i < x->n; i++)
		if (x->file[i].path_at < end.paths_at || x->file[i].path_n == 0 ||
		    x->file[i].path_at >= end.paths_at + end.paths_n ||
		    x->file[i].path_n >= end.paths_at + end.paths_n - x->file[i].path_at ||
		    p[x->file[i].path_at + x->file[i].path_n])
			return damaged(err, "a path");
	return 0;
}

static bool is_trusted(int fd, uid_t owner)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == owner) &&
	       !(st.st_mode & 022);
}

/* Return whether it is of an older version, which counts as absent. */
static bool is_older(const struct lh_mapped *map)
{
	struct lh_index_end end;

	if (map->n < sizeof end)
		return false;
	memcpy(&end, map->p + map->n - sizeof end, sizeof end);
	return end.magic == OLDER || end.magic == OLDEST;
}

int lh_key_index_open(struct lh_key_index *x, const char *path, uid_t owner, struct lh_err *err)
{
	struct lh_mapped map = { NULL, 0 };
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc = 0;

	*x = (struct lh_key_index){ .n = 0 };
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
	if (is_trusted(fd, owner))
		rc = lh_mapped_fd(&map, fd, err) < 0 ? -1 : 1;
	close(fd);
	if (rc > 0 && is_older(&map)) {
		lh_mapped_close(&map);
		return 0;
	}
	if (rc > 0 && lh_key_index_check(x, map.p, map.n, err) < 0) {
		lh_mapped_close(&map);
		*x = (struct lh_key_index){ .n = 0 };
		return lh_err_prefix(err, "%s", path);
	}
	if (rc > 0)
		x->map = map;
	return rc;
}

void lh_key_index_close(struct lh_key_index *x)
{
	lh_mapped_close(&x->map);
	*x = (struct lh_key_index){ .n = 0 };
}

const struct lh_indexed_file *lh_key_index_find(const struct lh_key_index *x, const char *path)
{
	size_t lo = 0, hi = x->n, mid;
	int order;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		order = strcmp(x->map.p + x->file[mid].path_at, path);
		if (!order)
			return &x->file[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int lh_key_index_part(const struct lh_key_index *x, const struct lh_indexed_file *f,
		      struct lh_key_part *p, struct lh_err *err)
{
	size_t blocks = blocks_of(f->n_keys), n = x->map.n;

	if (!fits(f->keys_at, f->n_keys, 8, n) ||
	    !fits(f->blocks_at, blocks, sizeof *p->block, n) ||
	    !fits(f->marks_at, f->n_marks, 8, n) ||
	    f->marks_at != f->blocks_at + blocks * sizeof *p->block || f->lines > UINT32_MAX ||
	    f->n_marks != (f->lines + LH_MARK_LINES - 1) / LH_MARK_LINES ||
	    lh_xxh3(x->map.p + f->blocks_at,
		    f->marks_at + f->n_marks * 8 - f->blocks_at) != f->sum)
		return damaged(err, "a file");
	*p = (struct lh_key_part){
		.end = f->end, .lines = f->lines, .rows = f->rows, .digest = f->digest,
		.key = (const uint64_t *)(const void *)(x->map.p + f->keys_at),
		.n_keys = f->n_keys,
		.mark = (const uint64_t *)(const void *)(x->map.p + f->marks_at),
		.n_marks = f->n_marks,
		.block = (const struct lh_key_block *)(const void *)(x->map.p + f->blocks_at),
	};
	return 0;
}

/* ---- write ---- */

int lh_key_writer_open(struct lh_key_writer *w, const char *path, struct lh_err *err)
{
	*w = (struct lh_key_writer){ .out.fd = -1 };
	return lh_atomic_open(&w->out, path, 0600, err);
}

static int put(struct lh_key_writer *w, const void *p, size_t n, struct lh_err *err)
{
	w->at += n;
	return lh_atomic_write(&w->out, p, n, err);
}

/* Append blocks and marks to out. */
static int list_blocks(struct lh_buf *out, const struct lh_key_part *p, struct lh_err *err)
{
	size_t i, left, n;

	for (i = 0; i < p->n_keys; i += LH_KEY_BLOCK) {
		struct lh_key_block block;

		left = p->n_keys - i;
		n = left < LH_KEY_BLOCK ? left : LH_KEY_BLOCK;
		block = (struct lh_key_block){ p->key[i], lh_xxh3(p->key + i, n * 8) };
		lh_buf_add(out, &block, sizeof block);
	}
	lh_buf_add(out, p->mark, p->n_marks * 8);
	return lh_buf_check(out, err);
}

int lh_key_writer_add(struct lh_key_writer *w, const char *path, uint32_t place,
		      const struct lh_file_state *state, const struct lh_key_part *p,
		      struct lh_err *err)
{
	size_t n = strlen(path);
	struct lh_indexed_file f = {
		.state = *state, .end = p->end, .lines = p->lines, .rows = p->rows,
		.digest = p->digest, .keys_at = w->at, .n_keys = p->n_keys,
		.blocks_at = w->at + p->n_keys * 8,
		.marks_at = w->at + p->n_keys * 8 +
			    blocks_of(p->n_keys) * sizeof(struct lh_key_block),
		.n_marks = p->n_marks, .path_at = w->paths.len, .path_n = (uint32_t)n,
		.place = place,
	};
	LH_SCOPED(lh_buf_free) struct lh_buf list = { 0 };
	int rc = put(w, p->key, p->n_keys * 8, err);

	if (!rc)
		rc = list_blocks(&list, p, err);
	if (!rc)
		rc = put(w, list.p, list.len, err);
	f.sum = lh_xxh3(list.p, list.len);
	lh_buf_add(&w->files, &f, sizeof f);
	lh_buf_add(&w->paths, path, n + 1);
	return rc;
}

int lh_key_writer_commit(struct lh_key_writer *w, struct lh_err *err)
{
	static const char zeros[8];
	struct lh_index_end end = {
		.files_at = w->at, .n_files = w->files.len / sizeof(struct lh_indexed_file),
		.paths_at = w->at + w->files.len, .magic = MAGIC,
	};
	struct lh_indexed_file *f = (struct lh_indexed_file *)(void *)w->files.p;
	size_t i;

	if (lh_buf_check(&w->files, err) < 0)
		return -1;
	for (i = 0; i < end.n_files; i++)
		f[i].path_at += end.paths_at;
	lh_buf_add(&w->paths, zeros, -w->paths.len % 8);
	end.paths_n = w->paths.len;
	lh_buf_add(&w->files, w->paths.p, w->paths.len);
	if (lh_buf_check(&w->paths, err) < 0 || lh_buf_check(&w->files, err) < 0)
		return -1;
	end.sum = lh_xxh3(w->files.p, w->files.len);
	end.size = w->at + w->files.len + sizeof end;
	end.end_sum = lh_xxh3(&end, offsetof(struct lh_index_end, end_sum));
	if (put(w, w->files.p, w->files.len, err) < 0 || put(w, &end, sizeof end, err) < 0)
		return -1;
	return lh_atomic_commit(&w->out, err);
}

void lh_key_writer_close(struct lh_key_writer *w)
{
	lh_atomic_close(&w->out);
	lh_buf_free(&w->files);
	lh_buf_free(&w->paths);
}
