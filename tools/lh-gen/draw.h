/*
 * Deterministic drawing: integers only, so that every machine draws the same,
 * and a row depends on nothing but (seed, kind, row).
 *
 * The generator is splitmix64 (Steele, Lea, Flood 2014), started anew per row.
 */
#ifndef GEN_DRAW_H
#define GEN_DRAW_H

#include <stdint.h>

#include <lh/buf.h>
#include "json/write.h"
#include "vocabulary.h"

struct gen_rng {
	uint64_t s;
};

/* What a row is about; what a sentence's holes are filled with. */
struct gen_scene {
	const struct gen_role *role;
	const struct gen_city *city;
	const char *client;
	const char *hour;
	unsigned count, years, miles;
	const char *workplace;
};

enum gen_kind { GEN_KB = 0, GEN_WORKER = 1, GEN_QUERY = 2, GEN_DRAFT = 3 };

/* Make the tables behind the weighted draws; once, before anything else. */
void gen_init(void);

struct gen_rng gen_row(uint64_t seed, enum gen_kind kind, uint64_t row);

/* Evenly from 0..n-1. */
unsigned gen_pick(struct gen_rng *r, unsigned n);

/* A city; a role, which follows the city's trade; a client, which follows the
 * city: demand for workers is drawn from the distribution of the workers. */
void gen_scene(struct gen_rng *r, struct gen_scene *s);
const char *gen_client(struct gen_rng *r, const struct gen_city *city);
const struct gen_archetype *gen_archetype(struct gen_rng *r);
const struct gen_status *gen_status(struct gen_rng *r);

/* Choose k of n (n <= 16) into which[0..k), in random order. */
void gen_some(struct gen_rng *r, unsigned n, unsigned k, unsigned char *which);

/* Append the sentence with its holes filled. */
void gen_fill(struct lh_buf *b, const char *sentence, const struct gen_scene *s);

#endif
