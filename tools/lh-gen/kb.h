/*
 * lh-gen kb: rows of the twelve source streams that lh-distill starts from,
 * each with the category that its evidence must be scored.
 *
 * Whoever makes a row says what it is worth by how it was made, so the category
 * is known without any reading of the finished row.  Row i of all belongs to a
 * stream and to a subject by i and the seed alone; there are more subjects the
 * greater i is, so that some rows share theirs at any size, and none is shared
 * by too many.
 */
#ifndef GEN_KB_H
#define GEN_KB_H

#include <stdbool.h>

#include "draw.h"
#include "distill/stream.h"
#include "tool/tool.h"

struct kb_settings {
	const char *root, *expect;	/* expect may be NULL */
	uint64_t n, seed;
	bool dirty;
};

int kb_run(struct lh_tool *tool, const struct kb_settings *s);

/* What is wrong with a row. */
enum kb_fault {
	KB_SOUND,
	/* to be minded while it is made: */
	KB_NO_TIME, KB_NO_SUCH_TIME, KB_NO_IDENTITY, KB_ODD_KIND,
	/* and when it is made: */
	KB_CUT, KB_LIST, KB_REPEAT, KB_HUGE, KB_LONE, KB_BYTES, KB_DEEP,
	KB_FAULTS
};

/* A row in the making. */
struct kb_row {
	struct gen_rng r;
	uint64_t i;
	enum kb_fault fault;
	bool spaced;		/* written as Python writes: spaces, ASCII alone */
	bool first;		/* no member yet */
	struct lh_buf *out;
	struct lh_buf text;	/* scratch: kb_scratch */
	char file[96];		/* what it is about: kb_subject */
};

/* Append a row of the stem with its LF; the category its evidence gets. */
const char *kb_make(struct kb_row *row, enum lh_stream stem);

/* Do to the finished row that starts at out->p + start what its fault says. */
void kb_spoil(struct kb_row *row, size_t start);

/* ---- members ---- */

void kb_json(struct kb_row *row, const char *name, const char *json);
void kb_text(struct kb_row *row, const char *name, const char *text);
void kb_number(struct kb_row *row, const char *name, uint64_t n);

/* kb_list, any number of kb_item, kb_list_end. */
void kb_list(struct kb_row *row, const char *name);
void kb_item(struct kb_row *row, const char *text);
void kb_list_end(struct kb_row *row);

/* What a row cannot be without, or has to be of one kind: here faults are. */
void kb_time(struct kb_row *row, const char *name);
void kb_identity(struct kb_row *row, const char *name, const char *text);
void kb_body(struct kb_row *row, const char *name, const char *text);
void kb_body_list(struct kb_row *row, const char *name, unsigned n);	/* of remarks */

/* The file it is about, by one of the three names for it. */
void kb_file(struct kb_row *row);

/* ---- what it says ---- */

/* Choose row->file. */
void kb_subject(struct kb_row *row);

/* How many subjects there are so far, when there are few for each of every
 * one's rows. */
unsigned kb_subjects(const struct kb_row *row, unsigned few, unsigned every);

/* n sentences about row->file, or of a client's demand; good until the next. */
const char *kb_remarks(struct kb_row *row, unsigned n);
const char *kb_demand(struct kb_row *row, unsigned n);

/* "PREFIX17"; good until the next. */
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
