/*
 * lh-gen drafts: requests for a validator, each with the verdict it must get.
 *
 * A draft is first made correct and then given faults on purpose, and the code that
 * adds a fault also states its verdict; so the verdict is known without reading the
 * finished draft.  Faults are stated in the order in which a validator finds them,
 * and the first one counts.
 *
 * The workers in drafts are those of lh-gen workers with the same seed.
 */
#ifndef GEN_DRAFTS_H
#define GEN_DRAFTS_H

#include <stdbool.h>

#include "gen.h"

#define DRAFT_TEXT 512	/* longest name, id or reason, and more */

/* The properties of a worker that a validator may check. */
struct gen_person {
	const struct gen_city *city;
	const char *first, *last, *role, *status, *banned[2];
	unsigned n_banned;
};

void gen_person(struct gen_person *p, struct lh_buf *scratch, uint64_t seed, uint64_t i);

struct draft {
	struct gen_rng r;
	enum draft_kind kind;
	const struct gen_person *people;
	unsigned n_people;
	struct lh_buf artifact;	/* its members, without braces */
	struct lh_buf context;	/* the same; empty: there is no context */
	struct lh_buf findings;	/* with commas between them */
	struct lh_buf error;	/* why it is refused; empty: it is not */
	struct lh_buf text;	/* scratch: draft_scratch */
};

/* Make artifact, context, findings and error, at random. */
void draft_fill(struct draft *d);
void draft_playbook(struct draft *d);

/* Return an empty buffer for a text; its former contents are lost. */
struct lh_buf *draft_scratch(struct draft *d);

/* Return true with a chance of one in n. */
static inline bool draft_one_in(struct draft *d, unsigned n)
{
	return gen_pick(&d->r, n) == 0;
}

/* One of an array of strings. */
#define DRAFT_ONE_OF(d, array) ((array)[gen_pick(&(d)->r, sizeof(array) / sizeof(*(array)))])

/* State that the draft is refused: variant Completeness, Consistency or Policy, or
 * Schema with a field.  The first call counts. */
void draft_refuse(struct draft *d, const char *variant, const char *fmt, ...) LH_PRINTF(3, 4);
void draft_misshapen(struct draft *d, const char *field, const char *fmt, ...) LH_PRINTF(3, 4);
void draft_warn(struct draft *d, const char *field, const char *fmt, ...) LH_PRINTF(3, 4);

/* Append "name":VALUE, after a comma if b is not empty; json is VALUE as it is,
 * text gets its quotes. */
void draft_json(struct lh_buf *b, const char *name, const char *json);
void draft_text(struct lh_buf *b, const char *name, const char *text);

/* Append the member with a value that is not a string, or an empty one, or omit it. */
void draft_no_text(struct draft *d, struct lh_buf *b, const char *name);

/* Print "w-17", or a full name; `to` has DRAFT_TEXT bytes. */
void draft_id(unsigned who, char *to);
void draft_name(const struct draft *d, unsigned who, char *to);
/* Print an id that no worker has. */
void draft_ghost(struct draft *d, char *to);

/* Copy s, or (one time in three) a form that must count as equal: in another case,
 * with white space around it. */
void draft_equal(struct draft *d, const char *s, char *to);

#endif
