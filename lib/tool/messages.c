/* messages.c - messages on stderr.  See tool.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file/file.h"
#include "frame.h"
#include "text/escape.h"

#define MESSAGE_MAX 8192
#define TAIL 16		/* bytes of a message kept for the ends of styles, and the LF */

struct text {
	char p[MESSAGE_MAX];
	size_t n;
};

static void put_text(struct text *t, const char *s, size_t n)
{
	size_t room = t->n < sizeof t->p - TAIL ? sizeof t->p - TAIL - t->n : 0;

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

static void begin(struct text *t, bool colored, enum lh_style style)
{
	if (colored)
		put_text(t, lh_term_style(style), strlen(lh_term_style(style)));
}

/* End a style; there is room for it also in a full text. */
static void end(struct text *t, bool colored)
{
	if (!colored)
		return;
	memcpy(t->p + t->n, LH_TERM_RESET, strlen(LH_TERM_RESET));
	t->n += strlen(LH_TERM_RESET);
}

void lh_message_at(struct lh_tool *t, enum lh_style style, const char *file, uint64_t line,
		   size_t column, const char *text)
{
	bool colored = lh_term_colored(STDERR_FILENO, t->color);
	struct text m = { .n = 0 };
	struct lh_err ignored;
	const char *erase;

	flockfile(stderr);	/* progress is another thread's */
	erase = lh_progress_erase(t);
	put_text(&m, erase, strlen(erase));
	begin(&m, colored, style);
	put_escaped(&m, t->name);
	put_text(&m, ":", 1);
	end(&m, colored);
	put_text(&m, " ", 1);
	if (file) {
		begin(&m, colored, LH_STYLE_HEADING);
		/* Put "file:line:column:". */
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
		end(&m, colored);
		put_text(&m, " ", 1);
	}
	put_escaped(&m, text);
	m.p[m.n++] = '\n';
	lh_write_all(STDERR_FILENO, m.p, m.n, &ignored);
	funlockfile(stderr);
}

static void write_message(struct lh_tool *t, enum lh_style style, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof text, fmt, ap);
	lh_message_at(t, style, NULL, 0, 0, text);
}

void lh_tool_warn(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_message(t, LH_STYLE_WARN, fmt, ap);
	va_end(ap);
}

void lh_tool_message(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t->quiet)
		return;
	va_start(ap, fmt);
	write_message(t, LH_STYLE_HEADING, fmt, ap);
	va_end(ap);
}

void lh_tool_verbose(struct lh_tool *t, const char *fmt, ...)
{
	va_list ap;

	if (!t->verbose)
		return;
	va_start(ap, fmt);
	write_message(t, LH_STYLE_HEADING, fmt, ap);
	va_end(ap);
}
