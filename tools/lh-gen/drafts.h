/*
 * lh-gen drafts: requests for a validator, each with the verdict it must get.
 *
 * A draft is made sound first and then spoilt on purpose: whoever spoils it
 * says what verdict that earns, so the verdict is known without any reading of
 * the finished draft.  Faults are told in the order in which a validator looks
 * for them, and the first one told stands.
 *
 * The workers that drafts are about are those of lh-gen workers, same seed.
 */
#ifndef GEN_DRAFTS_H
#define GEN_DRAFTS_H

#include <stdbool.h>

#include "draw.h"
#include "gen.h"

#define DRAFT_TEXT 512	/* longest name, id or reason, and more */

/* What of a worker a validator may look at. */
struct gen_person {
	const struct gen_name *first, *last;
	const struct gen_city *city;
	const char *role, *status, *banned[2];
	unsigned n_banned;
};

void gen_person(struct gen_person *p, struct lh_buf *scratch, uint64_t seed, uint64_t i);

struct draft {
	struct gen_rng r;
	enum draft_kind kind;
	const struct gen_person *people;
	unsigned n_people;
	struct lh_buf artifact;	/* its members, without braces */
	struct lh_buf context;	/* the same; nothing in it: there is no context */
	struct lh_buf findings;	/* with commas between them */
	struct lh_buf error;	/* why it is refused; nothing in it: it is not */
	struct lh_buf text;	/* scratch: draft_scratch */
};

/* Make artifact, context, findings and error, at random. */
void draft_fill(struct draft *d);
void draft_message(struct draft *d);
void draft_playbook(struct draft *d);

/* Room for a text in the making, empty; the last one is gone. */
struct lh_buf *draft_scratch(struct draft *d);

/* One chance in n. */
static inline bool draft_one_in(struct draft *d, unsigned n)
{
	return gen_pick(&d->r, n) == 0;
}

/* One of an array of strings. */
#define DRAFT_ONE_OF(d, array) ((array)[gen_pick(&(d)->r, sizeof(array) / sizeof(*(array)))])

/* It is refused: variant Completeness, Consistency or Policy, or Schema with a
 * field.  The first call counts. */
void draft_refuse(struct draft *d, const char *variant, const char *fmt, ...) LH_PRINTF(3, 4);
void draft_misshapen(struct draft *d, const char *field, const char *fmt, ...) LH_PRINTF(3, 4);
void draft_warn(struct draft *d, const char *field, const char *fmt, ...) LH_PRINTF(3, 4);

/* Append "name":VALUE, with a comma when b is not empty; json is VALUE as it
 * stands, text gets its quotes. */
void draft_json(struct lh_buf *b, const char *name, const char *json);
void draft_text(struct lh_buf *b, const char *name, const char *text);
void draft_number(struct lh_buf *b, const char *name, unsigned value);

/* Append the member with a value that is no string or an empty one, or leave
 * it out. */
void draft_no_text(struct draft *d, struct lh_buf *b, const char *name);

/* "w-17", and a full name; to has DRAFT_TEXT bytes. */
void draft_id(unsigned who, char *to);
void draft_name(const struct draft *d, unsigned who, char *to);
/* An id that no worker has. */
void draft_ghost(struct draft *d, char *to);

/* s, or (one time in three) s as something that must count as equal: in
 * another case, with white space around it. */
void draft_equal(struct draft *d, const char *s, char *to);

/* A worker for whom fits says yes, or -1 when none of some thousand will do. */
long draft_find(struct draft *d, bool (*fits)(const void *ctx, unsigned who), const void *ctx);

#endif
