/*
 * lh-gen kb: rows of the twelve source streams that lh-distill starts from, each
 * with the category that its evidence must get.
 *
 * The code that makes a row also states its category, so that it is known without
 * reading the finished row.  The stream and the subject of row i depend only on i
 * and the seed; the number of subjects grows with i, so that some rows share theirs
 * at any size, and none is shared by too many.
 */
#ifndef GEN_KB_H
#define GEN_KB_H

#include <stdbool.h>

#include "gen.h"
#include "distill/root.h"
#include "tool/tool.h"

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
