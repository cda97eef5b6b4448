/*
 * Deterministic drawing: integers only, so that every machine draws the same, and a
 * row depends only on (seed, kind, row).
 *
 * The generator is splitmix64 (Steele, Lea, Flood 2014), seeded for each row.
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

/* The subject of a row, and the values for the placeholders of a sentence. */
struct gen_scene {
	const struct gen_role *role;
	const struct gen_city *city;
	const char *client;
	const char *hour;
	unsigned count, years, miles;
	const char *workplace;
};

enum gen_kind { GEN_KB = 0, GEN_WORKER = 1, GEN_QUERY = 2, GEN_DRAFT = 3 };

/* Make the tables for the weighted draws; call once, before anything else. */
void gen_init(void);

struct gen_rng gen_row(uint64_t seed, enum gen_kind kind, uint64_t row);

/* Draw evenly from 0..n-1. */
unsigned gen_pick(struct gen_rng *r, unsigned n);

/* Draw a city; a role, which depends on the city's trade; a client, which depends
 * on the city.  Demand for workers has the distribution of the workers. */
void gen_scene(struct gen_rng *r, struct gen_scene *s);
const char *gen_client(struct gen_rng *r, const struct gen_city *city);
const struct gen_archetype *gen_archetype(struct gen_rng *r);
const struct gen_status *gen_status(struct gen_rng *r);

/* Choose k of n (n <= 16) into which[0..k), in random order. */
void gen_some(struct gen_rng *r, unsigned n, unsigned k, unsigned char *which);

/* Append the sentence with its placeholders filled. */
void gen_fill(struct lh_buf *b, const char *sentence, const struct gen_scene *s);

#endif
