/* regex.c - a tree as a program.  See regex_parts.h. */
#include "regex_parts.h"

#include <stdlib.h>

#include "base/mem.h"

struct emitter {
	struct lh_regex *re;
	bool backward;		/* the text is read from its end */
	struct lh_err *err;
};

static int emit(struct emitter *e, const struct lh_re_node *n);

/* Append an instruction; return its number, or -1. */
static int64_t put(struct emitter *e, enum lh_re_code code, size_t x, size_t y)
{
	struct lh_regex *re = e->re;

	if (re->ops == LH_RE_OPS)
		return lh_err_set(e->err, LH_EDATA, "the pattern is too large");
	if (lh_grow(&re->op, &re->cap_ops, re->ops + 1, sizeof *re->op, e->err) < 0)
		return -1;
	re->op[re->ops] = (struct lh_re_op){ code, (uint32_t)x, (uint32_t)y };
	return (int64_t)re->ops++;
}

static int emit_forward(struct emitter *e, const struct lh_re_node *n)
{
	const struct lh_re_node *c;

	for (c = n->child; c; c = c->next)
		if (emit(e, c) < 0)
			return -1;
	return 0;
}

static int emit_backward(struct emitter *e, const struct lh_re_node *n)
{
	const struct lh_re_node *c, **list;
	size_t count = 0, i;
	int rc = 0;

	for (c = n->child; c; c = c->next)
		count++;
	if (!count)
		return 0;
	list = lh_calloc(count, sizeof *list, e->err);
	if (!list)
		return -1;
	for (i = 0, c = n->child; c; c = c->next)
		list[i++] = c;
	while (!rc && i)
		rc = emit(e, list[--i]);
	free(list);
	return rc;
}

/* split 1 2; 1: child; jump end; 2: split ... */
static int emit_alternatives(struct emitter *e, const struct lh_re_node *n)
{
	const struct lh_re_node *c;
	int64_t split, jump, last = -1;
	size_t end;

	for (c = n->child; c->next; c = c->next) {
		split = put(e, LH_RE_OP_SPLIT, e->re->ops + 1, 0);
		if (split < 0 || emit(e, c) < 0)
			return -1;
		jump = put(e, LH_RE_OP_JUMP, (size_t)last, 0);
		if (jump < 0)
			return -1;
		last = jump;
		e->re->op[split].y = (uint32_t)e->re->ops;
	}
	if (emit(e, c) < 0)
		return -1;
	/* each jump has the number of the one before it */
	for (end = e->re->ops; last >= 0; last = jump) {
		jump = (int32_t)e->re->op[last].x;
		e->re->op[last].x = (uint32_t)end;
	}
	return 0;
}

static int emit_loop(struct emitter *e, const struct lh_re_node *child)
{
	int64_t split = put(e, LH_RE_OP_SPLIT, e->re->ops + 1, 0);

	if (split < 0 || emit(e, child) < 0 || put(e, LH_RE_OP_JUMP, (size_t)split, 0) < 0)
		return -1;
	e->re->op[split].y = (uint32_t)e->re->ops;
	return 0;
}

/* The child up to `times` times, each inside the one before. */
static int emit_optional(struct emitter *e, const struct lh_re_node *child, uint32_t times)
{
	int64_t last = -1, split;
	size_t end;

	for (; times; times--) {
		split = put(e, LH_RE_OP_SPLIT, e->re->ops + 1, (size_t)last);
		if (split < 0 || emit(e, child) < 0)
			return -1;
		last = split;
	}
	for (end = e->re->ops; last >= 0; last = split) {
		split = (int32_t)e->re->op[last].y;
		e->re->op[last].y = (uint32_t)end;
	}
	return 0;
}

static int emit_repeat(struct emitter *e, const struct lh_re_node *n)
{
	size_t before = e->re->ops;
	uint32_t i;

	for (i = 0; i < n->least; i++) {
		if (emit(e, n->child) < 0)
			return -1;
		if (e->re->ops == before)
			return 0;	/* of nothing, any number is nothing */
	}
	if (n->most == LH_RE_NO_END)
		return emit_loop(e, n->child);
	return emit_optional(e, n->child, n->most - n->least);
}

static int emit(struct emitter *e, const struct lh_re_node *n)
{
	switch (n->type) {
	case LH_RE_CAT:
		return e->backward ? emit_backward(e, n) : emit_forward(e, n);
	case LH_RE_ALT:
		return emit_alternatives(e, n);
	case LH_RE_REPEAT:
		return emit_repeat(e, n);
	case LH_RE_SET:
		return put(e, LH_RE_OP_SET, n->number, 0) < 0 ? -1 : 0;
	case LH_RE_ASSERT:
		return put(e, LH_RE_OP_ASSERT, n->assert, 0) < 0 ? -1 : 0;
	case LH_RE_LOOK:
		return put(e, LH_RE_OP_LOOK, n->number, n->negated) < 0 ? -1 : 0;
	}
	return -1;
}

/* Return whether a match of n can only begin at the beginning of the text. */
static bool is_anchored(const struct lh_re_node *n)
{
	const struct lh_re_node *c;

	switch (n->type) {
	case LH_RE_ASSERT:
		return n->assert == LH_RE_BEGIN;
	case LH_RE_CAT:
		for (c = n->child; c && c->type == LH_RE_LOOK; c = c->next)
			continue;
		return c && is_anchored(c);
	case LH_RE_ALT:
		for (c = n->child; c; c = c->next)
			if (!is_anchored(c))
				return false;
		return true;
	default:
		return false;
	}
}

static int emit_all(struct lh_regex *re, const struct lh_re_node *tree, struct lh_err *err)
{
	struct emitter e = { .re = re, .err = err };
	size_t i;

	for (i = 0; i < re->looks; i++) {
		/* ahead: from the end back to where it holds */
		e.backward = !re->look[i].behind;
		re->look[i].start = (uint32_t)re->ops;
		if (emit(&e, re->look[i].body) < 0 || put(&e, LH_RE_OP_MATCH, 0, 0) < 0)
			return -1;
	}
	e.backward = false;
	re->start = (uint32_t)re->ops;
	re->anchored = is_anchored(tree);
	return emit(&e, tree) < 0 || put(&e, LH_RE_OP_MATCH, 0, 0) < 0 ? -1 : 0;
}

struct lh_regex *lh_regex_new(struct lh_str pattern, struct lh_err *err)
{
	struct lh_regex *re = lh_calloc(1, sizeof *re, err);
	struct lh_arena arena = { 0 };
	struct lh_re_node *tree;

	if (!re)
		return NULL;
	err->column = 0;
	tree = lh_re_parse(re, &arena, pattern, err);
	if (!tree || emit_all(re, tree, err) < 0) {
		lh_regex_free(re);
		re = NULL;
	}
	lh_arena_free(&arena);
	return re;
}

void lh_regex_free(struct lh_regex *re)
{
	size_t i;

	if (!re)
		return;
	for (i = 0; i < re->sets; i++)
		free(re->set[i].range);
	free(re->set);
	free(re->op);
	free(re->look);
	free(re);
}
