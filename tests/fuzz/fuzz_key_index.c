/*
 * fuzz_key_index - a hostile index of keys: a valid one with bytes replaced, and then, for
 * inputs that begin with an odd byte, with all checksums made right again, opened and
 * searched in memory without a spare byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xxh3.h"
#include "lineage/key_index.h"

#define FILES 3
#define KEYS 1300
#define LINES 200

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct lh_err err;
static char *good, *image;
static size_t size;

static void add_file(struct lh_key_writer *w, unsigned f)
{
	char path[] = "data/a.jsonl";
	struct lh_key_part p = { .end = 1000, .lines = LINES, .rows = LINES };
	struct lh_file_state state = { .size = 1000 };
	uint64_t i, v;

	path[5] = (char)('a' + f);
	for (i = 0; i < KEYS; i++) {
		v = (i * 2654435761u & 0xffffffffu) << 32 | (1 + i % LINES);
		if (lh_numbers_add(&p.own_key, &v, 1, &err) < 0)
			abort();
	}
	for (v = 0; v < LINES; v += LH_MARK_LINES)
		if (lh_numbers_add(&p.own_mark, &v, 1, &err) < 0)
			abort();
	if (lh_key_part_finish(&p, &err) < 0 ||
	    lh_key_writer_add(w, path, f, &state, &p, &err) < 0)
		abort();
	lh_key_part_free(&p);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char folder[] = "/tmp/fuzz_key_index.XXXXXX", path[64];
	struct lh_key_writer w;
	struct lh_buf text = { 0 };

	(void)argc;
	(void)argv;
	if (!mkdtemp(folder))
		abort();
	snprintf(path, sizeof path, "%s/index", folder);
	if (lh_key_writer_open(&w, path, &err) < 0)
		abort();
	for (unsigned f = 0; f < FILES; f++)
		add_file(&w, f);
	if (lh_key_writer_commit(&w, &err) < 0 || lh_file_read(path, &text, &err) <= 0)
		abort();
	lh_key_writer_close(&w);
	unlink(path);
	rmdir(folder);
	size = text.len;
	good = text.p;
	image = aligned_alloc(64, (size + 63) / 64 * 64);
	if (!image)
		abort();
	return 0;
}

/* Return whether n bytes from `at` on are before the end. */
static bool inside(uint64_t at, uint64_t n, size_t each)
{
	size_t room = size - sizeof(struct lh_index_end);

	return at % 8 == 0 && at <= room && n <= (room - at) / each;
}

static void mend_file(struct lh_indexed_file *f)
{
	uint64_t blocks = (f->n_keys + LH_KEY_BLOCK - 1) / LH_KEY_BLOCK, i, left;
	struct lh_key_block *block = (struct lh_key_block *)(void *)(image + f->blocks_at);

	if (!inside(f->keys_at, f->n_keys, 8) || !inside(f->blocks_at, blocks, sizeof *block) ||
	    !inside(f->marks_at, f->n_marks, 8) || f->marks_at < f->blocks_at)
		return;
	for (i = 0; i < blocks; i++) {
		left = f->n_keys - i * LH_KEY_BLOCK;
		block[i].sum = lh_xxh3(image + f->keys_at + i * LH_KEY_BLOCK * 8,
				       (left < LH_KEY_BLOCK ? left : LH_KEY_BLOCK) * 8);
	}
	f->sum = lh_xxh3(block, f->marks_at + f->n_marks * 8 - f->blocks_at);
}

/* Make the checksums right where what they are of is within the index. */
static void mend(void)
{
	struct lh_index_end *end = (void *)(image + size - sizeof *end);
	uint64_t i;

	if (inside(end->files_at, end->n_files, sizeof(struct lh_indexed_file)))
		for (i = 0; i < end->n_files; i++)
			mend_file((struct lh_indexed_file *)(void *)(image + end->files_at) + i);
	if (inside(end->files_at, 0, 1) && inside(end->paths_at, end->paths_n, 1) &&
	    end->paths_at >= end->files_at)
		end->sum = lh_xxh3(image + end->files_at,
				   end->paths_at + end->paths_n - end->files_at);
	end->end_sum = lh_xxh3(end, offsetof(struct lh_index_end, end_sum));
}

/* Search every file for a few keys, and for every line found its mark. */
static void search(const struct lh_key_index *x)
{
	struct lh_numbers lines = { 0 };
	struct lh_key_part p;
	uint64_t first, at;
	size_t i, k;

	for (i = 0; i < x->n; i++) {
		if (lh_key_index_part(x, &x->file[i], &p, &err) < 0)
			continue;
		lines.n = 0;
		for (k = 0; k < 20; k++)
			if (lh_key_part_find(&p, (uint32_t)(k * 2654435761u), 100, &lines,
					     &err) < 0 && err.code != LH_ECORRUPT)
				abort();
		for (k = 0; k < lines.n; k++)
			if (lines.v[k] && lines.v[k] <= p.lines &&
			    lh_key_part_seek(&p, lines.v[k], &first, &at, &err) < 0)
				abort();
	}
	free(lines.v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_key_index x = { .n = 0 };
	size_t i, at;

	memcpy(image, good, size);
	for (i = 1; i + 3 <= n; i += 3) {
		/* most of what is not a key is at the end */
		at = data[i] | (size_t)data[i + 1] << 8;
		at = size - 1 - at % size;
		image[at] = (char)data[i + 2];
	}
	if (n && data[0] % 2)
		mend();
	if (lh_key_index_check(&x, image, size, &err) == 0) {
		lh_key_index_find(&x, "data/b.jsonl");
		search(&x);
	} else if (n < 4) {
		abort();	/* the good one is */
	}
	return 0;
}
