/* side.c - one command that answers cases.  See parity.h. */
#include <stdio.h>

#include "parity.h"

#define ANSWER_MAX ((size_t)64 << 20)

const char *const side_name[2] = { "left", "right" };

void side_init(struct side *s, const struct probe *p, int which)
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
	if (err->code == LH_EINTR || err->code == LH_ENOMEM)
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

int side_ask(struct side *s, const struct kase *k, struct lh_str *got, int *status,
	     struct lh_err *err)
{
	*got = (struct lh_str){ NULL, 0 };
	*status = -1;
	if (s->over)
		return 1;
	return s->probe->per_record ? ask_child(s, k, got, status, err)
		: ask_coproc(s, k, got, err);
}

int side_close(struct side *s, int expect, struct lh_err *err)
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

void side_free(struct side *s)
{
	struct lh_err unused;

	lh_coproc_stop(&s->coproc, &unused);
	lh_child_free(&s->child);
	lh_buf_free(&s->text);
	lh_record_free(&s->rec);
}
