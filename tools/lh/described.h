/*
 * described - what the tools say about themselves with --describe-options.
 *
 * Owner: the texts point into the struct described, which described_free frees.
 */
#ifndef DESCRIBED_H
#define DESCRIBED_H

#include "tool/tool.h"

#include <lh/json.h>

/* What can be typed at a place: an operand, or the value of an option. */
struct slot {
	struct lh_str name, value;
	bool repeatable;
	const struct lh_str *files, *choices;
	size_t n_files, n_choices;
};

struct command {
	struct lh_str name, help;
	struct slot *operands;
	size_t n_operands;
};

struct option {
	struct lh_str key, name, type, help;	/* key: the letter */
	struct slot slot;			/* its name: of the argument */
	const struct lh_str *commands;
	size_t n_commands;
};

struct described {
	struct lh_str tool, summary;
	struct command *commands;
	size_t n_commands;
	struct slot *operands;
	size_t n_operands;
	struct option *options;
	size_t n_options;

	struct lh_record record;	/* memory of the texts */
	struct lh_buf line, text;
};

/* Read what all tools say, lh first.  A program that says nothing, or something else, is left
 * out.  Sets *all and *n; 0, or -1 with *err filled. */
int described_read(struct described **all, size_t *n, struct lh_err *err);
void described_free(struct described *all, size_t n);

#endif
