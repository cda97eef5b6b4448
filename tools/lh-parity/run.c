/* run.c - run both sides, case by case.  See parity.h. */
#include "parity.h"

#include "base/signal.h"

#define BODY_MAX 16384	/* bytes of an answer that a report shows */

/* Keep the part of an answer that a report shows. */
static void keep_answer(struct answer *a, struct lh_str got, int status)
{
	lh_buf_add(&a->body, got.p, got.n < BODY_MAX ? got.n : BODY_MAX);
	a->len = got.n;
	a->status = status;
}

static void add_reason(struct lh_buf *detail, const char *side, const char *why)
{
	if (detail->len)
		lh_buf_puts(detail, "; ");
	lh_buf_puts(detail, side);
	lh_buf_puts(detail, ": ");
	put_clean(detail, why, strlen(why), false);
}

/* Run one case on both sides.  1: one of them cannot be run at all. */
static int judge_case(struct side side[2], struct kase *k, struct lh_err *err)
{
	struct lh_str got[2];
	bool failed = false;
	int i, status, rc;

	for (i = 0; i < 2; i++) {
		rc = side_ask(&side[i], k, &got[i], &status, err);
		if (rc < 0)
			return -1;
		keep_answer(&k->answer[i], got[i], status);
		if (rc && side[i].absent)
			return 1;
		if (rc)
			add_reason(&k->detail, side_name[i], side[i].why);
		failed |= rc > 0;
	}
	if (!failed && compare(side[0].probe, got[0], got[1], &k->detail, err) < 0)
		return -1;
	k->match = !failed && !k->detail.len;
	return 0;
}

/* Skip all cases of a side that cannot be run: nothing was compared, so nothing
 * failed. */
static void skip_all(struct probe *p, const struct side *side)
{
	size_t i;

	p->absent = true;
	for (i = 0; i < p->n; i++) {
		struct kase *k = &p->cases[i];

		if (k->skipped)
			continue;
		k->skipped = true;
		k->match = false;
		lh_buf_reset(&k->detail);
		add_reason(&k->detail, side->name, side->why);
	}
}

/* End a co-process, whose verdict applies to all that it answered. */
static int close_side(struct probe *p, struct side *side, struct lh_err *err)
{
	int expect = 0, rc;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (!p->cases[i].skipped && p->cases[i].expect_exit > expect)
			expect = p->cases[i].expect_exit;
	rc = side_close(side, expect, err);
	for (i = 0; (rc > 0 || (!rc && side->spoilt)) && i < p->n; i++) {
		struct kase *k = &p->cases[i];

		if (k->skipped || (side->spoilt && !k->match))
			continue;
		k->match = false;
		add_reason(&k->detail, side->name, side->why);
	}
	return rc < 0 ? -1 : 0;
}

static int all_cases(struct lh_tool *tool, struct probe *p, struct side side[2])
{
	struct lh_err *err = &tool->err;
	size_t i;
	int rc;

	lh_tool_doing(tool, p->name);
	for (i = 0; i < p->n; i++) {
		lh_tool_share(tool, i, p->n);
		if (p->cases[i].skipped)
			continue;
		rc = judge_case(side, &p->cases[i], err);
		lh_buf_free(&p->cases[i].line);
		if (rc < 0)
			return -1;
		if (rc) {
			skip_all(p, side[0].absent ? &side[0] : &side[1]);
			return 0;
		}
	}
	return close_side(p, &side[0], err) < 0 ? -1 : close_side(p, &side[1], err);
}

int probe_run(struct lh_tool *tool, struct probe *p)
{
	bool was = lh_signal_deferred();
	struct side side[2];
	int rc;
	size_t i;

	side_init(&side[0], p, 0);
	side_init(&side[1], p, 1);
	lh_signal_defer(true);	/* or the commands' process groups outlive this process */
	rc = all_cases(tool, p, side);
	side_free(&side[0]);
	side_free(&side[1]);
	lh_signal_defer(was);
	for (i = 0; i < p->n; i++) {
		p->skipped += p->cases[i].skipped;
		p->passed += p->cases[i].match;
	}
	p->failed = p->n - p->skipped - p->passed;
	return rc;
}
