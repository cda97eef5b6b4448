/* term.c - colour, and the size of a terminal.  See term.h. */
#include "term.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_CELLS 10000

bool lh_term_knows_sequences(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term && *term && strcmp(term, "dumb");
}

bool lh_term_is(const char *path)
{
	bool is = false;
	struct stat st;
	int fd;

	/* other files are not opened: a FIFO would have a reader then */
	if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
		return false;
	fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		is = isatty(fd);
		close(fd);
	}
	return is;
}

bool lh_term_colored(int fd, enum lh_color when)
{
	const char *no = getenv("NO_COLOR");

	if (when != LH_COLOR_AUTO)
		return when == LH_COLOR_ALWAYS;
	return !(no && *no) && lh_term_knows_sequences(fd);
}

/* Return a size of the terminal: what the kernel says, else the variable, else usual. */
static int size_of(unsigned kernel, const char *name, int usual)
{
	const char *text = getenv(name);
	char *end;
	long n = kernel;

	if (!n && text)
		n = strtol(text, &end, 10);
	if (!kernel && text && *end)
		n = 0;
	return n < 1 ? usual : n > SIZE_MAX_CELLS ? SIZE_MAX_CELLS : (int)n;
}

int lh_term_columns(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		size.ws_col = 0;
	return size_of(size.ws_col, "COLUMNS", 80);
}

int lh_term_rows(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		size.ws_row = 0;
	return size_of(size.ws_row, "LINES", 24);
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
