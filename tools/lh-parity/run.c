/*
 * run.c - the cases of a fixture through the commands of both sides, case by case.  See parity.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "json/bind.h"
#include "parity.h"
#include "tool/records.h"

/* ---- cases ---- */

struct reader {
	struct probe *probe;
	struct lh_record rec;
	struct lh_buf scratch;
};

struct record {
	struct lh_str name;		/* p NULL: its line is its name */
	struct lh_str skip;		/* why; p NULL: it is not skipped */
	int64_t expect_exit;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("name", struct record, name), .lax = true },
	{ LH_BIND_STRING("skip", struct record, skip) },
	{ LH_BIND_I64("expect_exit", struct record, expect_exit, 0, 255) },
	LH_BIND_END
};

static int check(struct lh_record *rec, struct lh_buf *out, void *ctx, struct lh_err *err)
{
	struct reader *r = ctx;
	struct record record = { .expect_exit = 0 };
	struct lh_value text;
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	int rc = lh_bind(members, rec, &record, &scratch, err);

	if (!rc && !record.skip.p && r->probe->field.text)
		rc = lh_path_string(&r->probe->field, rec, &text, err);
	lh_buf_add(out, rec->line, rec->len);
	return rc;
}

static struct kase *one_more(struct probe *p)
{
	struct kase *k;
	int i;

	lh_grow(&p->cases, &p->cap, p->n + 1, sizeof *p->cases);
	k = &p->cases[p->n++];
	*k = (struct kase){ .expect_exit = 0 };
	for (i = 0; i < 2; i++) {
		k->answer[i].status = -1;
	}
	return k;
}

static int on_case(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct reader *r = ctx;
	struct kase *k = one_more(r->probe);
	struct record record = { .expect_exit = 0 };

	lh_buf_add(&k->line, o->text, o->n);
	if (lh_record_parse(&r->rec, k->line.p, o->n, err) < 0 ||
	    lh_bind(members, &r->rec, &record, &r->scratch, err) < 0)
		return -1;
	if (record.name.p)
		lh_buf_add(&k->name, record.name.p, record.name.n);
	else
		lh_buf_u64(&k->name, o->line);
	k->expect_exit = (int)record.expect_exit;
	k->skipped = record.skip.p;
	lh_buf_add(&k->detail, record.skip.p, record.skip.n);
	return 0;
}

int cases_read(struct lh_tool *tool, struct probe *p)
{
	struct reader r = { .probe = p };
	char *operands[] = { (char *)p->fixture };
	int rc;

	if (p->field.text)
		lh_records_want(tool, "--field", &p->field);
	rc = lh_records_run(tool,
			    &(struct lh_flow){ .map = check,
					       .sink = on_case,
					       .shared = &r,
					       .files = operands,
					       .n_files = 1 });
	lh_record_free(&r.rec);
	lh_buf_free(&r.scratch);
	if (!rc && !p->n)
		rc = lh_err_set(&tool->err, LH_EIO, "%s: no case in it", p->fixture);
	return rc;
}

void cases_free(struct probe *p)
{
	size_t i;
	int j;

	for (i = 0; i < p->n; i++) {
		struct kase *k = &p->cases[i];

		lh_buf_free(&k->line);
		lh_buf_free(&k->name);
		lh_buf_free(&k->detail);
		for (j = 0; j < 2; j++)
			lh_buf_free(&k->answer[j].body);
	}
	free(p->cases);
	p->cases = NULL;
	p->n = p->cap = 0;
}

/* ---- a side ---- */

#define ANSWER_MAX ((size_t)64 << 20)

const char *const side_name[2] = { "left", "right" };

static void side_init(struct side *s, const struct probe *p, int which)
{
	memset(s, 0, sizeof *s);
	s->probe = p;
	s->name = side_name[which];
	s->command = p->command[which];
}

/* Record that there is no answer, to this case or ever again; the caller knows which. */
static int none(struct side *s, const char *why)
{
	snprintf(s->why, sizeof s->why, "%s", why);
	return 1;
}

/* Return whether a POSIX shell ends with this status if it cannot find a command,
 * or not run it. */
static bool not_to_be_had(int status)
{
	return status == 126 || status == 127;
}

static int ask_coproc(struct side *s, const struct kase *k, struct lh_str *got, struct lh_err *err)
{
	if (!s->started && lh_shell_coproc_start(&s->coproc, s->command, ANSWER_MAX, err) < 0)
		return -1;
	s->started = true;
	if (lh_coproc_ask(&s->coproc, k->line.p, k->line.len, s->probe->timeout, got, err) == 0) {
		s->answered = true;
		return 0;
	}
	if (err->code == LH_EINTR)
		return -1;
	s->over = true;
	s->spoilt = err->code == LH_ECORRUPT;
	if (!s->answered && not_to_be_had(s->coproc.status) && err->code == LH_EIO) {
		s->absent = true;
		lh_coproc_stderr_tail(&s->coproc, s->why, sizeof s->why);
		return *s->why ? 1 : none(s, "no such command");
	}
	return none(s, err->msg);
}

/* Make the stdin of a process per case: the record and an LF, or the text in one of
 * its fields. */
static int set_text(struct side *s, const struct kase *k, struct lh_err *err)
{
	struct lh_path field = LH_PATH(s->probe->field.text);
	struct lh_value v;
	struct lh_str text;

	lh_buf_reset(&s->text);
	if (!field.text) {
		lh_buf_add(&s->text, k->line.p, k->line.len);
		lh_buf_putc(&s->text, '\n');
		return 0;
	}
	if (lh_record_parse(&s->rec, k->line.p, k->line.len, err) < 0 ||
	    lh_path_string(&field, &s->rec, &v, err) < 0)
		return -1;
	lh_value_str(&v, &s->text, &text);
	if (text.p != s->text.p)
		lh_buf_add(&s->text, text.p, text.n);
	return 0;
}

static int ask_child(struct side *s, const struct kase *k, struct lh_str *got, int *status,
		     struct lh_err *err)
{
	struct lh_child_how how = { .command = s->command, .keys = LH_KEYS_ALL,
				    .seconds = s->probe->timeout, .max = ANSWER_MAX };

	if (set_text(s, k, err) < 0)
		return -1;
	lh_child_free(&s->child);
	if (lh_child_run(&how, s->text.p, s->text.len, &s->child, err) < 0) {
		s->answered = true;
		return err->code == LH_EIO ? none(s, err->msg) : -1;
	}
	*status = s->child.status;
	if (s->child.timed_out) {
		s->answered = true;	/* or equivalent: there is output */
		snprintf(s->why, sizeof s->why, "the command did not answer within %g seconds",
			 s->probe->timeout);
		return 1;
	}
	*got = (struct lh_str){ s->child.out.p, s->child.out.len };
	if (!s->answered && !got->n && not_to_be_had(*status) && *status != k->expect_exit) {
		s->absent = true;
		return none(s, *s->child.last_line ? s->child.last_line : "no such command");
	}
	s->answered = true;
	if (*status != k->expect_exit) {
		snprintf(s->why, sizeof s->why, "exit status %d, expected %d%s%s", *status,
			 k->expect_exit,
			 *s->child.last_line ? ": " : "", s->child.last_line);
		return 1;
	}
	if (got->n && got->p[got->n - 1] == '\n')
		got->n--;
	return 0;
}

/* Get the answer of a side: 0 and *got, valid until the next call; 1 if there is no
 * answer, for the reason in s->why; -1. */
static int side_ask(struct side *s, const struct kase *k, struct lh_str *got, int *status,
		    struct lh_err *err)
{
	*got = (struct lh_str){ NULL, 0 };
	*status = -1;
	if (s->over)
		return 1;
	return s->probe->per_record ? ask_child(s, k, got, status, err)
		: ask_coproc(s, k, got, err);
}

/* End a co-process: 0; 1 if it did not end properly, for the reason in s->why; -1. */
static int side_close(struct side *s, int expect, struct lh_err *err)
{
	char last[512];
	bool more;

	if (!s->started || s->over)
		return 0;
	s->over = true;
	if (lh_coproc_close(&s->coproc, s->probe->timeout, &more, err) < 0)
		return err->code == LH_ENET ? none(s, err->msg) : -1;
	if (more)
		return none(s, "the command wrote more than it was asked for");
	if (s->coproc.status == expect)
		return 0;
	lh_coproc_stderr_tail(&s->coproc, last, sizeof last);
	snprintf(s->why, sizeof s->why, "exit status %d at the end, expected %d%s%s",
		 s->coproc.status, expect, *last ? ": " : "", last);
	return 1;
}

static void side_free(struct side *s)
{
	struct lh_err unused;

	lh_coproc_stop(&s->coproc, &unused);
	lh_child_free(&s->child);
	lh_buf_free(&s->text);
	lh_record_free(&s->rec);
}

/* ---- both sides ---- */

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
