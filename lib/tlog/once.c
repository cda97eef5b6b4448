/* once.c - find entries by their hashes, and append those that are not there.  See once.h. */
#include "once.h"
#include "note.h"

#include <stdlib.h>

#include "base/mem.h"
#include <lh/digest.h>

#define SEARCHES 4	/* by reading all hashes; for more they are kept in memory */

int lh_tlog_keyed_open(struct lh_tlog_keyed *k, const char *dir, const char *const *key_file,
		       size_t n, double lock_timeout, struct lh_err *err)
{
	*k = (struct lh_tlog_keyed){ .signer = lh_calloc(n + 1, sizeof *k->signer) };
	for (; k->n < n; k->n++)
		if (lh_signer_read(&k->signer[k->n], key_file[k->n], err) < 0)
			return -1;
	k->log = lh_tlog_open_writer(dir, k->signer, n, lock_timeout, err);
	return k->log ? 0 : -1;
}

void lh_tlog_keyed_close(struct lh_tlog_keyed *k)
{
	lh_tlog_close(k->log);
	while (k->n)
		lh_signer_free(k->signer[--k->n]);
	free(k->signer);
	*k = (struct lh_tlog_keyed){ .log = NULL };
}

/* ---- find ---- */

/* Call fn for the hashes of the entries from an index on; 1 from fn ends it. */
typedef int leaf_fn(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
		    struct lh_err *err);

static int each_leaf(struct lh_tlog *log, uint64_t from, leaf_fn *fn, void *ctx,
		     struct lh_err *err)
{
	uint64_t size = lh_tlog_head(log)->size, n = from / LH_TLOG_TILE, index;
	uint8_t (*hash)[LH_TLOG_HASH];
	int i, width, rc = 0;

	for (; n * LH_TLOG_TILE < size && !rc; n++) {
		width = lh_tlog_tile(log, 0, n, &hash, err);
		if (width < 0)
			return -1;
		for (i = 0; i < width && !rc; i++) {
			index = n * LH_TLOG_TILE + (uint64_t)i;
			if (index >= from)
				rc = fn(ctx, hash[i], index, err);
		}
	}
	return rc;
}

struct wanted {
	const uint8_t *hash;
	uint64_t *index;
};

static int compare_leaf(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
			struct lh_err *err)
{
	struct wanted *w = ctx;

	(void)err;
	*w->index = index;
	return memcmp(hash, w->hash, LH_TLOG_HASH) == 0;
}

struct place {
	uint8_t hash[LH_TLOG_HASH];
	uint64_t index;
};

static int put_leaf(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
		    struct lh_err *err)
{
	struct lh_map *map = ctx;
	bool is_new;
	int64_t at = lh_map_add(map, hash, LH_TLOG_HASH, sizeof(struct place), &is_new, err);

	if (at >= 0 && is_new)
		((struct place *)(void *)map->entry)[at].index = index;
	return at < 0 ? -1 : 0;
}

int lh_tlog_index(struct lh_tlog *log, uint64_t from, struct lh_map *map, struct lh_err *err)
{
	return each_leaf(log, from, put_leaf, map, err);
}

bool lh_tlog_index_find(const struct lh_map *map, const uint8_t leaf[LH_TLOG_HASH],
			uint64_t *index)
{
	int64_t at = lh_map_find(map, leaf, LH_TLOG_HASH, sizeof(struct place));

	if (at >= 0)
		*index = ((const struct place *)(const void *)map->entry)[at].index;
	return at >= 0;
}

int lh_tlog_look_up(struct lh_tlog_finder *f, const uint8_t leaf[LH_TLOG_HASH], uint64_t *index,
		    struct lh_err *err)
{
	if (f->searches < SEARCHES) {
		f->searches++;
		return each_leaf(f->log, 0, compare_leaf, &(struct wanted){ leaf, index }, err);
	}
	if (lh_tlog_index(f->log, f->size, &f->map, err) < 0)
		return -1;
	f->size = lh_tlog_head(f->log)->size;
	return lh_tlog_index_find(&f->map, leaf, index);
}

/* ---- append ---- */

/* Append those that are missing, between begin and commit. */
static int add_missing(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *index,
		       struct lh_err *err)
{
	struct lh_tlog_finder f = { .log = log };
	uint8_t leaf[LH_TLOG_HASH];
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc >= 0; i++) {
		lh_tlog_leaf(entry[i].p, entry[i].n, leaf);
		rc = lh_tlog_look_up(&f, leaf, &index[i], err);
		if (!rc)
			rc = lh_tlog_add(log, entry[i].p, entry[i].n, &index[i], NULL, err);
	}
	lh_map_free(&f.map);
	return rc < 0 ? -1 : lh_tlog_commit(log, err);
}

int lh_tlog_append_once(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *index,
			struct lh_err *err)
{
	int rc = lh_tlog_begin(log, err);

	if (rc < 0)
		return -1;
	/* The lock is held: no other process appends what was not found. */
	rc = add_missing(log, entry, n, index, err);
	if (rc < 0)
		lh_tlog_cancel(log);
	return rc;
}

void lh_receipt_entry(const uint8_t sha256[LH_TLOG_HASH], char entry[LH_RECEIPT_ENTRY])
{
	static const char version[] = "lh-receipt/v1 ";

	memcpy(entry, version, sizeof version - 1);
	lh_hex(sha256, LH_TLOG_HASH, entry + sizeof version - 1);
}
