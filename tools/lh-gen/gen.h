/*
 * The outputs of lh-gen: one function per kind, which appends row number i (from 0)
 * of the stream with that seed, each line with its LF.
 */
#ifndef GEN_H
#define GEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "json/write.h"
#include "staffing/staffing.h"
#include "tool/op.h"

void gen_worker(struct lh_buf *out, uint64_t seed, uint64_t i);

/* Append one line; with LH_JOB_ORDER_STYLES a line in each style. */
void gen_query(struct lh_buf *out, uint64_t seed, uint64_t i, enum lh_job_order_style style);

/* Do the same for the demand in a file of records; "-" is stdin. */
int gen_queries_from(struct lh_tool *tool, const char *file, enum lh_job_order_style style);

enum draft_kind { DRAFT_FILL, DRAFT_EMAIL, DRAFT_SMS, DRAFT_PLAYBOOK, DRAFT_ALL };

/* Drafts about the first n workers of that seed. */
struct gen_drafts;
struct gen_drafts *gen_drafts_new(uint64_t seed, unsigned n, enum draft_kind kinds);
void gen_drafts_free(struct gen_drafts *g);
/* Append draft number i. */
void gen_draft(struct gen_drafts *g, struct lh_buf *out, uint64_t i);

/* ---- the vocabulary ---- */

enum gen_trade { TRADE_GOODS, TRADE_METAL, TRADE_FOOD, TRADE_CARE, TRADE_BUILD, TRADE_OFFICE,
		 TRADES };

struct gen_role {
	const char *name;
	unsigned weight;
	enum gen_trade trade;
	const char *skills[9];	/* each list ends in NULL */
	const char *certs[5];
	const char *duties[6];	/* whole sentences, may have placeholders */
};

struct gen_city {
	const char *name, *state, *area;	/* area: of its telephone numbers */
	enum gen_trade trade;			/* the main trade of the town */
	unsigned weight;
};

struct gen_archetype {
	const char *name;
	unsigned weight;
	const char *remarks[4];
};

struct gen_status {
	const char *name;
	unsigned weight;
};

extern const char *const gen_clients[];
extern const size_t gen_n_clients;
extern const char *const gen_first_names[];
extern const size_t gen_n_first_names;
extern const char *const gen_last_names[];
extern const size_t gen_n_last_names;
/* Append the form that a name has in an address. */
void gen_mail(struct lh_buf *b, const char *name);
extern const char *const gen_openers[];
extern const size_t gen_n_openers;
extern const char *const gen_closers[];
extern const size_t gen_n_closers;

/* ---- draws ---- */

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
