/*
 * regex_parts - shared by the files of the regular expressions.
 *
 *     regex_parse.c    the pattern as a tree
 *     regex_set.c      sets of characters
 *     regex.c          the tree as a program
 *     regex_search.c   the program over a text
 */
#ifndef LH_REGEX_PARTS_H
#define LH_REGEX_PARTS_H

#include "arena.h"
#include "regex.h"

#define LH_RE_MOST 1114111u	/* the last code point */
#define LH_RE_DEPTH 200		/* groups inside each other */
#define LH_RE_OPS 20000		/* of a program */

/* Ranges of code points, in order and apart; those of ASCII as bits, too. */
struct lh_re_set {
	uint64_t ascii[2];
	uint32_t *range;	/* first and last of each */
	size_t n, cap;
};

static inline bool lh_re_has(const struct lh_re_set *s, uint32_t c)
{
	size_t low = 0, high = s->n, mid;

	if (c < 128)
		return s->ascii[c >> 6] >> (c & 63) & 1;
	while (low < high) {
		mid = (low + high) / 2;
		if (c > s->range[2 * mid + 1])
			low = mid + 1;
		else
			high = mid;
	}
	return low < s->n && c >= s->range[2 * low];
}

enum lh_re_type {
	LH_RE_CAT,		/* the children one after the other; without any: empty */
	LH_RE_ALT,		/* one of the children */
	LH_RE_SET, LH_RE_REPEAT, LH_RE_ASSERT, LH_RE_LOOK
};

enum lh_re_assert { LH_RE_BEGIN, LH_RE_END, LH_RE_WORD, LH_RE_NO_WORD };

#define LH_RE_NO_END UINT32_MAX

struct lh_re_node {
	enum lh_re_type type;
	enum lh_re_assert assert;
	bool behind, negated;		/* of a look */
	uint32_t least, most;		/* of a repetition */
	uint32_t number;		/* of a set, or a look */
	struct lh_re_node *child, *last, *next;
};

enum lh_re_code { LH_RE_OP_SET, LH_RE_OP_SPLIT, LH_RE_OP_JUMP, LH_RE_OP_ASSERT, LH_RE_OP_LOOK,
		  LH_RE_OP_MATCH };

struct lh_re_op {
	uint32_t code;		/* enum lh_re_code */
	uint32_t x, y;		/* set; where to; kind; look, negated */
};

struct lh_re_look {
	struct lh_re_node *body;
	uint32_t start;
	bool behind;
};

struct lh_regex {
	struct lh_re_op *op;
	size_t ops, cap_ops;
	struct lh_re_set *set;
	size_t sets, cap_sets;
	struct lh_re_look *look;	/* inner ones before outer ones */
	size_t looks, cap_looks;
	uint32_t start;
	bool anchored;			/* a match begins at the beginning of the text */
};

/* Parse into a tree in the arena, and the sets and looks of re; NULL with *err. */
struct lh_re_node *lh_re_parse(struct lh_regex *re, struct lh_arena *tree, struct lh_str pattern,
			       struct lh_err *err);

int lh_re_add(struct lh_re_set *s, uint32_t first, uint32_t last, struct lh_err *err);
int lh_re_add_set(struct lh_re_set *s, const struct lh_re_set *other, struct lh_err *err);
/* Put the ranges in order and join them; negated: take all others instead. */
int lh_re_set_end(struct lh_re_set *s, bool negated, struct lh_err *err);
/* Add what a letter after a backslash means, d, w or s. */
int lh_re_add_class(struct lh_re_set *s, char letter, struct lh_err *err);
/* Add the characters with a property: 1, 0 if it is unknown, or -1. */
int lh_re_add_property(struct lh_re_set *s, struct lh_str name, struct lh_err *err);

#endif
