/*
 * described - what a tool says about itself with --describe-options.
 *
 * Owner: the texts point into the struct described, which described_free frees.
 */
#ifndef DESCRIBED_H
#define DESCRIBED_H

#include "tool/tool.h"

#include <lh/json.h>

/* What can be typed at a place: an operand, or the value of an option. */
struct slot {
	struct lh_str value;			/* its kind */
	bool repeatable;
	const struct lh_str *files, *choices;	/* patterns, and words */
	size_t n_files, n_choices;
};

struct command {
	struct lh_str name, help;
	struct slot *operands;
	size_t n_operands;
};

struct option {
	struct lh_str key, name, type, help;	/* key: the letter */
	struct slot slot;
	const struct lh_str *commands;
	size_t n_commands;
	bool given;				/* on a command line; set by its reader */
};

struct described {
	struct command *commands;
	size_t n_commands;
	struct slot *operands;			/* of a tool without commands */
	size_t n_operands;
	struct option *options;
	size_t n_options;

	struct lh_record record;		/* memory of the texts */
	struct lh_buf line, text;
};

/* Read what the tool of that name says into *d, to be freed in any case.  0, or -1 with *err
 * filled. */
int described_read(struct described *d, const char *name, struct lh_err *err);
void described_free(struct described *d);

#endif
