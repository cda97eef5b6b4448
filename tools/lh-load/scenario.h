/*
 * scenario - what a mix is made of: scenarios, their steps, and the data they draw from.
 *
 * Owner:  a set owns all that was read into it.
 * Errors: LH_EDATA with the place in the scenario.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <regex.h>

#include "histogram.h"
#include "pattern.h"

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
