/*
 * The outputs of lh-gen: one function per kind, which appends row number i (from 0)
 * of the stream with that seed, each line with its LF.
 */
#ifndef GEN_H
#define GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "distill/root.h"
#include "json/write.h"
#include "staffing/staffing.h"
#include "tool/op.h"
#include "tool/tool.h"

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

/* ---- drafts ---- */

/*
 * Requests for a validator, each with the verdict it must get.
 *
 * A draft is first made correct and then given faults on purpose, and the code that
 * adds a fault also states its verdict; so the verdict is known without reading the
 * finished draft.  Faults are stated in the order in which a validator finds them,
 * and the first one counts.
 *
 * The workers in drafts are those of lh-gen workers with the same seed.
 */
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

/* ---- sources of a distillation ---- */

/*
 * Rows of the twelve source streams that lh-distill starts from, each
 * with the category that its evidence must get.
 *
 * The code that makes a row also states its category, so that it is known without
 * reading the finished row.  The stream and the subject of row i depend only on i
 * and the seed; the number of subjects grows with i, so that some rows share theirs
 * at any size, and none is shared by too many.
 */
struct kb_settings {
	const char *root, *expect;	/* expect may be NULL */
	uint64_t n, seed;
	bool dirty;
};

int kb_run(struct lh_tool *tool, const struct kb_settings *s);

/* The fault of a row. */
enum kb_fault {
	KB_SOUND,
	/* while it is made: */
	KB_NO_TIME, KB_NO_SUCH_TIME, KB_NO_IDENTITY, KB_ODD_KIND,
	/* afterwards: */
	KB_CUT, KB_LIST, KB_REPEAT, KB_HUGE, KB_LONE, KB_BYTES, KB_DEEP,
	KB_FAULTS
};

/* A row under construction. */
struct kb_row {
	struct gen_rng r;
	uint64_t i;
	enum kb_fault fault;
	bool spaced;		/* in Python's style: spaces, ASCII only */
	bool first;		/* no member yet */
	struct lh_buf *out;
	struct lh_buf text;	/* scratch: kb_scratch */
	char file[96];		/* its subject: kb_subject */
};

/* ---- members ---- */

void kb_json(struct kb_row *row, const char *name, const char *json);
void kb_text(struct kb_row *row, const char *name, const char *text);
void kb_number(struct kb_row *row, const char *name, uint64_t n);

/* Call kb_list, any number of kb_item, kb_list_end. */
void kb_list(struct kb_row *row, const char *name);
void kb_item(struct kb_row *row, const char *text);
void kb_list_end(struct kb_row *row);

/* Append a member that a row needs, or needs in one type: faults are made here. */
void kb_time(struct kb_row *row, const char *name);
void kb_identity(struct kb_row *row, const char *name, const char *text);
void kb_body(struct kb_row *row, const char *name, const char *text);
void kb_body_list(struct kb_row *row, const char *name, unsigned n);	/* of remarks */

/* Append the file that is the subject, under one of the three names for it. */
void kb_file(struct kb_row *row);

/* ---- texts ---- */

/* Choose row->file. */
void kb_subject(struct kb_row *row);

/* Return the number of subjects so far, if there are `few` for each of every
 * `every` rows. */
unsigned kb_subjects(const struct kb_row *row, unsigned few, unsigned every);

/* Return n sentences about row->file, or of a client's demand, valid until the next
 * call. */
const char *kb_remarks(struct kb_row *row, unsigned n);
const char *kb_demand(struct kb_row *row, unsigned n);

/* Return "PREFIX17", valid until the next call. */
const char *kb_name(struct kb_row *row, const char *prefix, uint64_t n);

const char *kb_model(struct kb_row *row);

static inline unsigned kb_pick(struct kb_row *row, unsigned n)
{
	return gen_pick(&row->r, n);
}

static inline bool kb_one_in(struct kb_row *row, unsigned n)
{
	return gen_pick(&row->r, n) == 0;
}

#define KB_ONE_OF(row, array) ((array)[kb_pick(row, sizeof(array) / sizeof(*(array)))])

#endif
