/* doctor.c - lh doctor: run the checks, print what they found.  See doctor.h. */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "json/write.h"
#include "lh.h"
#include "text/escape.h"

#define FOLD_MIN 20	/* cells of details, less of which are not folded */
#define COLUMN_MAX 40	/* cells of a subject that others are aligned with */

static const struct {
	const char *name;
	enum lh_style style;
} states[] = {
	[DOCTOR_OK] = { "ok", LH_STYLE_GOOD },
	[DOCTOR_WARNING] = { "warning", LH_STYLE_WARN },
	[DOCTOR_PROBLEM] = { "problem", LH_STYLE_BAD },
	[DOCTOR_ABSENT] = { "absent", LH_STYLE_DIM },
};

static int print_json(struct lh_tool *t, const struct finding *f)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "check", f->check);
	lh_write_bytes(&w, "subject", f->subject);
	lh_write_text(&w, "state", states[f->state].name);
	lh_write_bytes(&w, "detail", f->detail);
	lh_write_end(&w);
	return lh_tool_out_line(t, &line);
}

/* ---- for people ---- */

struct widths {
	size_t check, subject;
};

/* Return the subject as it is shown, to be reset with the buffer. */
static struct lh_str shown(struct lh_buf *b, const char *subject)
{
	lh_buf_reset(b);
	lh_escape_column(b, subject, strlen(subject));
	return (struct lh_str){ b->failed ? "" : b->p, b->failed ? 0 : b->len };
}

static struct widths measure(const struct doctor *d)
{
	struct widths w = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t i, n;

	for (i = 0; i < d->n; i++) {
		struct lh_str subject = shown(&b, d->v[i].subject);

		n = strlen(d->v[i].check);
		w.check = n > w.check ? n : w.check;
		n = lh_term_cells(subject.p, subject.n);
		w.subject = n > w.subject && n <= COLUMN_MAX ? n : w.subject;
	}
	return w;
}

static void pad(struct lh_buf *line, size_t used, size_t width)
{
	lh_buf_printf(line, "%*s", used < width ? (int)(width - used) + 2 : 2, "");
}

/* Append text that begins in a column, on a terminal broken at its width. */
static void put_folded(struct lh_buf *line, struct lh_str text, size_t column)
{
	size_t width = isatty(STDOUT_FILENO) ? (size_t)lh_term_columns(STDOUT_FILENO) : SIZE_MAX, n;

	while (width >= column + FOLD_MIN &&
	       (n = lh_term_fit(text.p, text.n, width - column)) < text.n) {
		const char *space = memrchr(text.p, ' ', n + 1);

		n = space && space > text.p ? (size_t)(space - text.p) : n;
		lh_buf_add(line, text.p, n);
		n += text.p[n] == ' ';
		text.p += n;
		text.n -= n;
		lh_buf_printf(line, "\n%*s", (int)column, "");
	}
	lh_buf_add(line, text.p, text.n);
}

static int print_row(struct lh_tool *t, const struct finding *f, const struct widths *w)
{
	bool colored = lh_term_colored(STDOUT_FILENO, t->color);
	size_t column = strlen("warning") + w->check + w->subject + 6, cells;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_buf line = { 0 };
	const char *state = states[f->state].name;
	struct lh_str subject = shown(&text, f->subject);

	lh_term_put(&line, colored, states[f->state].style, state, strlen(state));
	pad(&line, strlen(state), strlen("warning"));
	lh_buf_puts(&line, f->check);
	pad(&line, strlen(f->check), w->check);
	lh_term_put(&line, colored, LH_STYLE_HEADING, subject.p, subject.n);
	cells = lh_term_cells(subject.p, subject.n);
	pad(&line, cells, w->subject);
	column += cells > w->subject ? cells - w->subject : 0;
	put_folded(&line, shown(&text, f->detail), column);
	if (text.failed)
		line.failed = text.failed;
	return lh_tool_out_line(t, &line);
}

static int print_summary(struct lh_tool *t, const struct doctor *d)
{
	size_t i, n[sizeof states / sizeof *states] = { 0 };
	struct lh_buf line = { 0 };

	for (i = 0; i < d->n; i++)
		n[d->v[i].state]++;
	lh_buf_printf(&line, "%zu problem%s, %zu warning%s, %zu ok", n[DOCTOR_PROBLEM],
		      n[DOCTOR_PROBLEM] == 1 ? "" : "s", n[DOCTOR_WARNING],
		      n[DOCTOR_WARNING] == 1 ? "" : "s", n[DOCTOR_OK]);
	return lh_tool_out_line(t, &line);
}

static int print(struct lh_tool *t, const struct doctor *d, bool json)
{
	struct widths w;
	int rc = 0;
	size_t i;

	if (d->rc < 0)
		return -1;
	w = measure(d);
	for (i = 0; i < d->n && !rc; i++) {
		if (d->v[i].state == DOCTOR_PROBLEM)
			lh_tool_verdict_bad(t);
		rc = json ? print_json(t, &d->v[i]) : print_row(t, &d->v[i], &w);
	}
	return rc || json ? rc : print_summary(t, d);
}

int doctor_command(struct lh_tool *t, void *settings)
{
	const struct settings *s = settings;
	struct doctor d = { .err = &t->err, .deep = s->deep };
	size_t i;
	int rc;

	doctor_install(&d);
	doctor_models(&d);
	doctor_services(&d, &s->services);
	doctor_user(&d);
	for (i = 0; i < t->n_operands; i++)
		doctor_folder(&d, t->operands[i]);
	rc = print(t, &d, s->json);
	while (d.n) {
		free(d.v[--d.n].subject);
		free(d.v[d.n].detail);
	}
	free(d.v);
	return rc;
}
