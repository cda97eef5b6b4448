/* screen.c - the pager, from the first output on.  See show.h. */
#include <unistd.h>

#include "show.h"

/* Return whether an input is a terminal: a pager would take the keys that the user types. */
static bool reads_terminal(const struct lh_tool *t)
{
	size_t i;

	if (lh_tool_reads_stdin(t) && isatty(STDIN_FILENO))
		return true;
	for (i = 0; i < t->n_operands; i++)
		if (strcmp(t->operands[i], "-") && lh_term_is(t->operands[i]))
			return true;
	return false;
}

void screen_plan(struct show *w)
{
	struct lh_tool *t = w->tool;

	w->screen.messages = -1;
	if (w->s->no_pager || w->s->html || !lh_term_pager_wanted(NULL) || reads_terminal(t))
		return;
	w->screen.wanted = true;
	t->progress = LH_PROGRESS_NEVER;	/* the terminal is the pager's */
	w->rows = (size_t)lh_term_rows(STDOUT_FILENO);
}

int screen_start(struct show *w, struct lh_err *err)
{
	struct screen *s = &w->screen;

	if (!s->wanted)
		return 0;
	s->wanted = false;
	if (lh_term_pager_start(&s->pager, NULL, err) < 0)
		return -1;
	if (!s->pager.pid) {
		w->rows = 0;
		return 0;
	}
	lh_tool_ignore_sigpipe(w->tool);
	if (isatty(STDERR_FILENO)) {	/* messages are shown among the records */
		s->messages = dup(STDERR_FILENO);
		if (s->messages >= 0)
			dup2(STDOUT_FILENO, STDERR_FILENO);
	}
	return 0;
}

void screen_end(struct show *w)
{
	struct screen *s = &w->screen;
	struct lh_err err;

	if (!s->pager.pid)
		return;
	lh_tool_flush(w->tool);
	if (s->messages >= 0) {
		dup2(s->messages, STDERR_FILENO);
		close(s->messages);
	}
	if (lh_term_pager_end(&s->pager, &err) < 0) {
		lh_tool_warn(w->tool, "%s", err.msg);
		lh_tool_failed(w->tool);
	}
}
