/*
 * id_slots.c - build the hash table by which an index finds a row by its id.
 *
 * Ids may have been chosen to collide.  The seed of their hashes is 0 unless a
 * look-up would then read more than LH_INDEX_PROBES slots; further seeds are
 * derived from all ids together.  So ids cannot be chosen for the seeds that will
 * be tried, and the same ids always give the same table.
 */
#include "writer.h"

#include <string.h>

#include "base/mem.h"

#define SEED_TRIES 64	/* for ids not chosen to collide, the first one will do */

/* Derive the seed of that number from all ids, in the stored order. */
static uint64_t draw_seed(const struct lh_index_writer *w, uint64_t number)
{
	struct lh_xxh3_stream s;
	struct lh_str id;
	uint64_t i;

	lh_xxh3_begin_seeded(&s, number);
	for (i = 0; i < w->rows; i++) {
		id = lh_index_writer_id(w, lh_index_row_at(w, i));
		lh_xxh3_add(&s, id.p, id.n);
	}
	return lh_xxh3_end(&s);
}

/* Fill the table; false when a look-up would read too many slots. */
static bool fill_table(const struct lh_index_writer *w, uint32_t *hash, uint64_t slots,
		       uint64_t seed)
{
	uint64_t i, at, tried;
	struct lh_str id;
	uint32_t sum;

	memset(hash, 0, 8 * slots);
	for (i = 0; i < w->rows; i++) {
		id = lh_index_writer_id(w, lh_index_row_at(w, i));
		sum = (uint32_t)lh_xxh3_seeded(id.p, id.n, seed);
		at = sum & (slots - 1);
		for (tried = 0; hash[2 * at + 1]; at = (at + 1) & (slots - 1))
			if (++tried == LH_INDEX_PROBES)
				return false;
		hash[2 * at] = sum;
		hash[2 * at + 1] = (uint32_t)i + 1;
	}
	return lh_index_longest_run(hash, slots) < LH_INDEX_PROBES;
}

int lh_index_build_id_table(struct lh_index_writer *w, struct lh_err *err)
{
	uint64_t slots = 16, seed = 0, i;

	lh_table_free(&w->by_id);
	if (!w->rows)
		return 0;
	while (slots < 2 * w->rows)
		slots *= 2;
	lh_growable_room(&w->hash, 8 * slots);
	w->hash.n = 8 * slots;
	for (i = 0; !fill_table(w, (uint32_t *)(void *)w->hash.p, slots, seed);
	     seed = draw_seed(w, i))
		if (++i > SEED_TRIES)
			return lh_err_set(err, LH_EDATA, "ids that collide under each of %d seeds",
					  SEED_TRIES);
	w->id_seed = seed;
	return 0;
}
