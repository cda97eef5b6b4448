/* term.c - colour, and the size of a terminal.  See term.h. */
#include "term.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SIZE_MAX_CELLS 10000

bool lh_term_knows_sequences(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

bool lh_term_colored(int fd, enum lh_color when)
{
	const char *no = getenv("NO_COLOR");

	if (when != LH_COLOR_AUTO)
		return when == LH_COLOR_ALWAYS;
	return !(no && *no) && lh_term_knows_sequences(fd);
}

int lh_term_columns(int fd)
{
	const char *text = getenv("COLUMNS");
	struct winsize size = { 0 };
	char *end = "";
	long n = 0;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	if (!n && text)
		n = strtol(text, &end, 10);
	return n < 1 || *end ? 80 : n > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : (int)n;
}

const char *lh_term_style(enum lh_style style)
{
	static const char *const begin[] = {
		[LH_STYLE_PLAIN] = "",		 [LH_STYLE_KEY] = "\x1b[1;34m",
		[LH_STYLE_STRING] = "\x1b[32m",	 [LH_STYLE_NUMBER] = "\x1b[36m",
		[LH_STYLE_LITERAL] = "\x1b[35m", [LH_STYLE_HEADING] = "\x1b[1m",
		[LH_STYLE_DIM] = "\x1b[2m",	 [LH_STYLE_GOOD] = "\x1b[32m",
		[LH_STYLE_WARN] = "\x1b[1;33m",	 [LH_STYLE_BAD] = "\x1b[1;31m",
	};

	return begin[style];
}

void lh_term_put(struct lh_buf *b, bool colored, enum lh_style style, const char *p, size_t n)
{
	if (!colored || style == LH_STYLE_PLAIN || !n) {
		lh_buf_add(b, p, n);
		return;
	}
	lh_buf_puts(b, lh_term_style(style));
	lh_buf_add(b, p, n);
	lh_buf_puts(b, LH_TERM_RESET);
}
