/* scenario.h - what a mix is made of: scenarios, their steps, and the data they draw from. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <regex.h>

#include "json/json.h"
#include "load.h"

/* ---- a place in JSON ---- */

/*
 * [*] stands for all elements of an array; the elements of a path without it are one
 * value at most.  A name cannot contain "." or "[".
 *
 * Errors: LH_EDATA for a text that is not a path.
 */

#define PATH_PARTS 16

struct path_part {
	const char *name;	/* of a member; NULL: an element */
	size_t index;
	bool all;		/* all elements */
};

struct path {
	struct path_part part[PATH_PARTS];
	size_t n;		/* 0: the value itself */
	bool many;		/* has [*] */
	char *text;		/* what the names point into */
};

/* Call found for each value that the path leads to, until it returns other than 0.
 * Returns that; 0 if all were found, of an empty array too; 1 if one is not there.  found
 * returns 0, or below 0, or above 1. */
int path_walk(const struct path *p, const struct lh_value *from,
	      int (*found)(void *ctx, const struct lh_value *v), void *ctx);

/* Set *out to the value of a path without [*]; false: it is not there. */
bool path_value(const struct path *p, const struct lh_value *from, struct lh_value *out);

/* ---- patterns ---- */

/*
 *     {"to":"$email","body":"Hello ${name}","fills":[{"candidate_id":"$ids[0]"}]}
 *
 * A string that is "$name" becomes the value of the variable, any JSON; "${name}" in a
 * string becomes its text.  After the name a path may follow: $ids[0], ${row.city}.  All
 * other bytes stay as they are; "\u0024" is a $ that names no variable.
 *
 * Owner:  a pattern points into the text that it was made from.
 * Errors: LH_EDATA.
 */

#define NAMES_MAX 32

struct names {			/* the variables of a scenario */
	char *name[NAMES_MAX];
	size_t n;
};

struct piece {
	struct lh_str text;	/* as written; of a variable without $ and braces */
	long variable;		/* -1: literal text */
	bool whole;		/* becomes the value as JSON, not its text */
	struct path path;
};

struct pattern {
	struct piece *piece;
	size_t n, cap;
};

/* Append the JSON with the values of the variables. */
int pattern_put_json(const struct pattern *p, const struct lh_value *value, struct lh_buf *out,
		     struct lh_err *err);
/* Append the address; texts of variables are percent-encoded. */
int pattern_put_address(const struct pattern *p, const struct lh_value *value, struct lh_buf *out,
			struct lh_err *err);

/* Return whether it is one variable and nothing else. */
bool pattern_is_variable(const struct pattern *p);
/* Set *out to the value of a piece. */
int piece_value(const struct piece *piece, const struct lh_value *value, struct lh_value *out,
		struct lh_err *err);

/* ---- scenarios ---- */

/*
 * Owner:  a set owns all that was read into it.
 * Errors: LH_EDATA with the place in the scenario.
 */

enum op { OP_EQ, OP_NE, OP_MIN, OP_MAX, OP_NONE_OF, OP_SAME_AS, OP_MATCHES, OPS };
extern const char *const op_names[OPS];

struct condition {
	enum op op;
	struct lh_str text;	/* the operand, as written */
	struct pattern operand;
	struct lh_value fixed;	/* an operand without variables; p NULL: it has some */
	bool compiled;
	regex_t regex;
};

struct expected {		/* of a place in an answer */
	struct path path;
	struct lh_str text;	/* the path as written */
	struct condition *condition;
	size_t n;
};

struct take {
	long variable;
	struct path path;
	struct lh_str name, text;
};

struct step {
	struct lh_str to;	/* as written: "POST /v1/validate" */
	char method[16];
	struct pattern address, body;
	bool has_body;
	unsigned status;	/* expected; 0: any 2xx */
	struct take *take;
	struct expected *expected;
	size_t n_take, n_expected;
};

struct draw {
	long variable;
	struct lh_str data;	/* the name of the rows */
	const struct rows *rows;
};

struct scenario {
	struct lh_str name;
	double weight, until;	/* until: the sum of the weights up to this one */
	struct names names;
	struct step *step;
	struct draw *draw;
	size_t n_steps, n_draws;

	uint64_t count, failures;	/* of its runs */
	struct lh_buf first_failure;
	struct histogram durations;
};

struct rows {
	struct lh_str name;
	struct lh_value *row;
	size_t n;
};

struct line;

struct set {
	struct scenario **scenario;
	struct rows *rows;
	struct line **line;	/* the texts */
	size_t n_scenarios, n_rows, n_lines, cap_scenarios, cap_rows, cap_lines;
};

/* Read a line of a file of scenarios. */
int set_add(struct set *set, struct lh_str line, struct lh_err *err);
/* Check the set as a whole, after the last line. */
int set_end(struct set *set, struct lh_err *err);
void set_free(struct set *set);

#endif
