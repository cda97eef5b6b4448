/* messages.c - messages and progress on stderr.  See tool.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file/file.h"
#include "frame.h"
#include "text/escape.h"
#include <lh/time.h>

#define MESSAGE_MAX 8192
#define CLEAR "\r\x1b[K"

struct text {
	char p[MESSAGE_MAX];
	size_t n;
};

static void put_text(struct text *t, const char *s, size_t n)
{
	size_t room = sizeof t->p - 1 - t->n;	/* one byte is for the LF */

	if (n > room)
		n = room;
	memcpy(t->p + t->n, s, n);
	t->n += n;
}

static void put_escaped(struct text *t, const char *s)
{
	size_t left = strlen(s), n;
	char hex[5];

	while (left) {
		n = lh_escape_char_len(s, left);
		if (n) {
			put_text(t, s, n);
		} else {
			n = 1;
			snprintf(hex, sizeof hex, "\\x%02x", (unsigned char)*s);
			put_text(t, hex, 4);
		}
		s += n;
		left -= n;
	}
}

static void put_number(struct text *t, uint64_t v)
{
	char s[24];

	put_text(t, s, (size_t)snprintf(s, sizeof s, "%llu", (unsigned long long)v));
}

void lh_message_at(struct lh_tool *t, const char *file, uint64_t line, size_t column,
		   const char *text)
{
	struct text m = { .n = 0 };
	struct lh_err ignored;

	if (t->state->progress.shown && t->state->progress.tty)
		put_text(&m, CLEAR, strlen(CLEAR));
	t->state->progress.shown = false;
	put_escaped(&m, t->name);
	put_text(&m, ": ", 2);
	if (file) {
		put_escaped(&m, file);
		put_text(&m, ":", 1);
		if (line) {
			put_number(&m, line);
			put_text(&m, ":", 1);
		}
		if (line && column) {
			put_number(&m, column);
			put_text(&m, ":", 1);
		}
		put_text(&m, " ", 1);
	}
	put_escaped(&m, text);
	m.p[m.n++] = '\n';
	lh_write_all(STDERR_FILENO, m.p, m.n, &ignored);
}

static void write_message(struct lh_tool *t, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof text, fmt, ap);
	lh_message_at(t, NULL, 0, 0, text);
}

void lh_tool_warn(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_message(t, fmt, ap);
	va_end(ap);
}

void lh_tool_message(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t->quiet)
		return;
	va_start(ap, fmt);
	write_message(t, fmt, ap);
	va_end(ap);
}

void lh_tool_verbose(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->verbose)
		return;
	va_start(ap, fmt);
	write_message(t, fmt, ap);
	va_end(ap);
}

bool lh_progress_wanted(const struct lh_tool *t)
{
	return t->progress == LH_PROGRESS_ALWAYS ||
	       (t->progress == LH_PROGRESS_AUTO && !t->quiet && t->state->progress.tty);
}

/* Return whether progress is to be shown now; *took is the time since its start. */
static bool due(const struct lh_tool *t, bool at_once, double *took)
{
	struct lh_tool_state *s = t->state;
	double now;

	if (!lh_progress_wanted(t))
		return false;
	now = lh_time_monotonic();
	if (!at_once && now - s->progress.last < 0.2)
		return false;
	s->progress.last = now;
	*took = now - s->progress.start;
	return true;
}

static void show(struct lh_tool *t, const char *text)
{
	struct lh_tool_state *s = t->state;
	struct lh_err ignored;
	char line[200];
	int n = snprintf(line, sizeof line, "%s%s: %s%s%s%s", s->progress.tty ? CLEAR : "", t->name,
			 s->progress.what ? s->progress.what : "", s->progress.what ? ": " : "",
			 text, s->progress.tty ? "" : "\n");

	lh_write_all(STDERR_FILENO, line, (size_t)n, &ignored);
	s->progress.shown = true;
}

/* Write to s, of n bytes, the time left, from the share that is done. */
static void put_left(char *s, size_t n, double took, uint64_t done, uint64_t of)
{
	double left;

	*s = '\0';
	if (!done || done >= of)
		return;
	left = took * (double)(of - done) / (double)done;
	if (left > 5400)
		snprintf(s, n, ", %.1f h left", left / 3600);
	else if (left > 90)
		snprintf(s, n, ", %.0f min left", left / 60);
	else
		snprintf(s, n, ", %.0f s left", left);
}

void lh_progress_tick(struct lh_tool *t)
{
	const struct lh_tool_state *s = t->state;
	unsigned long long n = s->records;
	char text[80], left[32];
	double took;

	if (!due(t, false, &took))
		return;
	put_left(left, sizeof left, took, s->progress.done, s->progress.of);
	snprintf(text, sizeof text, "%llu records, %.0f/s%s", n, took > 0 ? (double)n / took : 0.0,
		 left);
	show(t, text);
}

void lh_tool_share(struct lh_tool *t, uint64_t done, uint64_t of)
{
	char text[80], left[32];
	double took;

	if (!of || !due(t, done == of, &took))
		return;
	put_left(left, sizeof left, took, done, of);
	snprintf(text, sizeof text, "%.0f %%%s", 100.0 * (double)done / (double)of, left);
	show(t, text);
}

void lh_tool_progress(struct lh_tool *t, uint64_t records)
{
	t->state->records = records;
	lh_progress_tick(t);
}

void lh_tool_doing(struct lh_tool *t, const char *what)
{
	if (what != t->state->progress.what)
		t->state->progress.start = lh_time_monotonic();
	t->state->progress.what = what;
}

void lh_progress_clear(struct lh_tool *t)
{
	struct lh_err ignored;

	if (t->state->progress.shown && t->state->progress.tty)
		lh_write_all(STDERR_FILENO, CLEAR, strlen(CLEAR), &ignored);
	t->state->progress.shown = false;
}
