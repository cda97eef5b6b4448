/* regex_search.c - a program over a text, with all alternatives at once.  See regex_parts.h. */
#include "regex_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

/* One pass over the text. */
struct pass {
	const struct lh_regex *re;
	struct lh_regex_run *run;
	const unsigned char *text, *end;
	uint32_t *list, *pending, *stack, *mark;
	size_t n, n_pending;	/* instructions of sets: those that wait, those to go on from */
	size_t look_size;
	bool matched;
};

static bool is_word(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= 'a' && c <= 'z');
}

static bool holds(const struct pass *ps, enum lh_re_assert kind, const unsigned char *at)
{
	bool edge;

	switch (kind) {
	case LH_RE_BEGIN:
		return at == ps->text;
	case LH_RE_END:
		return at == ps->end;
	default:
		edge = (at > ps->text && is_word(at[-1])) != (at < ps->end && is_word(*at));
		return edge == (kind == LH_RE_WORD);
	}
}

static bool look_holds(const struct pass *ps, const struct lh_re_op *op, const unsigned char *at)
{
	size_t i = (size_t)(at - ps->text);
	const char *bits = ps->run->look.p + op->x * ps->look_size;

	return (bits[i >> 3] >> (i & 7) & 1) != (char)op->y;
}

static inline void push(struct pass *ps, size_t *top, uint32_t pc)
{
	if (ps->mark[pc] != ps->run->turn) {
		ps->mark[pc] = ps->run->turn;
		ps->stack[(*top)++] = pc;
	}
}

/* Follow everything from pc that consumes no character. */
static void follow(struct pass *ps, uint32_t from, const unsigned char *at)
{
	const struct lh_re_op *op;
	size_t top = 0;
	uint32_t pc;

	push(ps, &top, from);
	while (top) {
		pc = ps->stack[--top];
		op = &ps->re->op[pc];
		switch ((enum lh_re_code)op->code) {
		case LH_RE_OP_SET:
			ps->list[ps->n++] = pc;
			break;
		case LH_RE_OP_SPLIT:
			push(ps, &top, op->y);
			push(ps, &top, op->x);
			break;
		case LH_RE_OP_JUMP:
			push(ps, &top, op->x);
			break;
		case LH_RE_OP_ASSERT:
			if (holds(ps, (enum lh_re_assert)op->x, at))
				push(ps, &top, pc + 1);
			break;
		case LH_RE_OP_LOOK:
			if (look_holds(ps, op, at))
				push(ps, &top, pc + 1);
			break;
		case LH_RE_OP_MATCH:
			ps->matched = true;
			break;
		}
	}
}

/* All that is reached at a place of the text: those that go on, and a match that begins. */
static void arrive(struct pass *ps, uint32_t start, bool may_begin, const unsigned char *at)
{
	size_t i;

	if (!++ps->run->turn) {
		memset(ps->mark, 0, ps->run->cap * sizeof *ps->mark);
		ps->run->turn = 1;
	}
	ps->n = 0;
	ps->matched = false;
	for (i = 0; i < ps->n_pending; i++)
		follow(ps, ps->pending[i], at);
	if (may_begin)
		follow(ps, start, at);
}

static void step(struct pass *ps, uint32_t c)
{
	size_t i;

	ps->n_pending = 0;
	for (i = 0; i < ps->n; i++)
		if (lh_re_has(&ps->re->set[ps->re->op[ps->list[i]].x], c))
			ps->pending[ps->n_pending++] = ps->list[i] + 1;
}

static int spend(uint64_t *steps, size_t n, struct lh_err *err)
{
	if (*steps < n)
		return lh_err_data(err, 413, "the record needs too many steps");
	*steps -= n;
	return 0;
}

static int search(struct pass *ps, uint64_t *steps, struct lh_err *err)
{
	const struct lh_regex *re = ps->re;
	const unsigned char *p = ps->text;

	for (;;) {
		arrive(ps, re->start, !re->anchored || p == ps->text, p);
		if (ps->matched)
			return 1;
		if (p == ps->end || (re->anchored && !ps->n))
			return 0;
		if (spend(steps, ps->n + 1, err) < 0)
			return -1;
		step(ps, lh_utf8_get(&p));
	}
}

static inline void note(char *bits, size_t i)
{
	bits[i >> 3] |= (char)(1 << (i & 7));
}

/* Note each place before which the body of an assertion ends. */
static int look_behind(struct pass *ps, uint32_t start, char *bits, uint64_t *steps,
		       struct lh_err *err)
{
	const unsigned char *p = ps->text;

	for (;;) {
		arrive(ps, start, true, p);
		if (ps->matched)
			note(bits, (size_t)(p - ps->text));
		if (p == ps->end)
			return 0;
		if (spend(steps, ps->n + 1, err) < 0)
			return -1;
		step(ps, lh_utf8_get(&p));
	}
}

/* Note each place at which the body of an assertion begins; the program is reversed. */
static int look_ahead(struct pass *ps, uint32_t start, char *bits, uint64_t *steps,
		      struct lh_err *err)
{
	const unsigned char *p = ps->end, *q;

	for (;;) {
		arrive(ps, start, true, p);
		if (ps->matched)
			note(bits, (size_t)(p - ps->text));
		if (p == ps->text)
			return 0;
		if (spend(steps, ps->n + 1, err) < 0)
			return -1;
		for (p--; (*p & 0xc0) == 0x80; p--)
			continue;
		q = p;
		step(ps, lh_utf8_get(&q));
	}
}

static int run_looks(struct pass *ps, uint64_t *steps, struct lh_err *err)
{
	const struct lh_regex *re = ps->re;
	struct lh_buf *b = &ps->run->look;
	size_t i;
	char *bits;
	int rc = 0;

	ps->look_size = (size_t)(ps->end - ps->text) / 8 + 1;
	lh_buf_reset(b);
	if (!lh_buf_room(b, re->looks * ps->look_size))
		return lh_buf_check(b, err);
	memset(b->p, 0, re->looks * ps->look_size);
	for (i = 0; !rc && i < re->looks; i++) {
		bits = b->p + i * ps->look_size;
		ps->n_pending = 0;
		rc = re->look[i].behind ? look_behind(ps, re->look[i].start, bits, steps, err)
					: look_ahead(ps, re->look[i].start, bits, steps, err);
	}
	ps->n_pending = 0;
	return rc;
}

static int make_room(struct lh_regex_run *run, size_t ops, struct lh_err *err)
{
	uint32_t *word;

	if (run->cap >= ops)
		return 0;
	word = lh_calloc(ops, 4 * sizeof *word, err);
	if (!word)
		return -1;
	free(run->word);
	run->word = word;
	run->cap = ops;
	run->turn = 0;
	return 0;
}

int lh_regex_search(const struct lh_regex *re, struct lh_regex_run *run, struct lh_str text,
		    uint64_t *steps, struct lh_err *err)
{
	const unsigned char *p = (const unsigned char *)text.p;
	struct pass ps = { .re = re, .run = run, .text = p, .end = p + text.n };

	if (make_room(run, re->ops, err) < 0)
		return -1;
	ps.list = run->word;
	ps.pending = ps.list + run->cap;
	ps.stack = ps.pending + run->cap;
	ps.mark = ps.stack + run->cap;
	if (re->looks && run_looks(&ps, steps, err) < 0)
		return -1;
	return search(&ps, steps, err);
}

void lh_regex_run_free(struct lh_regex_run *run)
{
	free(run->word);
	lh_buf_free(&run->look);
	*run = (struct lh_regex_run){ 0 };
}
