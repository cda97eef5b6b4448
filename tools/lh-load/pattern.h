/*
 * pattern - JSON, or the path of a request, with variables in it.
 *
 *     {"to":"$email","body":"Hello ${name}","fills":[{"candidate_id":"$ids[0]"}]}
 *
 * A string that is "$name" becomes the value of the variable, any JSON; "${name}" in a
 * string becomes its text.  After the name a path may follow: $ids[0], ${row.city}.  All
 * other bytes stay as they are; "\u0024" is a $ that names no variable.
 *
 * Owner:  a pattern points into the text that it was made from.
 * Errors: LH_EDATA.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include "path.h"

#define NAMES_MAX 32

struct names {			/* the variables of a scenario */
	char *name[NAMES_MAX];
	size_t n;
};

/* Return the number of a new one, or of the one of that name; -1 with *err. */
long names_add(struct names *names, struct lh_str name, struct lh_err *err);
void names_free(struct names *names);

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

/* Make the pattern of a JSON value. */
int pattern_json(struct pattern *p, const struct lh_value *v, const struct names *names,
		 struct lh_err *err);
/* Make the pattern of a path of an address: "/v1/vectors/index/${name}". */
int pattern_address(struct pattern *p, struct lh_str text, const struct names *names,
		    struct lh_err *err);
void pattern_free(struct pattern *p);

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

#endif
