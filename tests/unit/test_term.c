/* lh_term: colour when it is wanted, cells as terminals count them. */
#include "check.h"
#include "term/term.h"

#include <fcntl.h>
#include <locale.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <utf8proc.h>
#include <wchar.h>

#include "base/utf8.h"

/* A terminal of 132 columns and 50 rows, of which this is the program's end. */
static int open_terminal(int *master)
{
	struct winsize size = { .ws_col = 132, .ws_row = 50 };
	int slave;

	check(openpty(master, &slave, NULL, NULL, &size) == 0);
	return slave;
}

static void colour_is_for_terminals(void)
{
	int master, fd = open_terminal(&master), pipes[2];

	check(pipe(pipes) == 0);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	check(lh_term_colored(fd, LH_COLOR_AUTO));
	check(!lh_term_colored(pipes[1], LH_COLOR_AUTO));
	check(lh_term_colored(pipes[1], LH_COLOR_ALWAYS));
	check(!lh_term_colored(fd, LH_COLOR_NEVER));
	setenv("NO_COLOR", "1", 1);
	check(!lh_term_colored(fd, LH_COLOR_AUTO));
	check(lh_term_colored(fd, LH_COLOR_ALWAYS));
	setenv("NO_COLOR", "", 1);
	check(lh_term_colored(fd, LH_COLOR_AUTO));
	setenv("TERM", "dumb", 1);
	check(!lh_term_colored(fd, LH_COLOR_AUTO));
	check(lh_term_colored(fd, LH_COLOR_ALWAYS));
	unsetenv("TERM");
	check(!lh_term_colored(fd, LH_COLOR_AUTO));
}

static void the_size_is_the_window_s(void)
{
	struct winsize size = { .ws_col = 20, .ws_row = 5 };
	int master, fd = open_terminal(&master);

	setenv("COLUMNS", "100", 1);
	check(lh_term_columns(fd) == 132);
	check(ioctl(master, TIOCSWINSZ, &size) == 0);
	check(lh_term_columns(fd) == 20);
	size = (struct winsize){ 0 };
	check(ioctl(master, TIOCSWINSZ, &size) == 0);
	check(lh_term_columns(fd) == 100);
	check(lh_term_columns(-1) == 100);
	setenv("COLUMNS", "100x", 1);
	check(lh_term_columns(fd) == 80);
	setenv("COLUMNS", "99999999999999999999", 1);
	check(lh_term_columns(fd) == 10000);
	unsetenv("COLUMNS");
	check(lh_term_columns(fd) == 80);
}

static void styles_end_where_they_begin(void)
{
	struct lh_buf b = { 0 };

	lh_term_put(&b, true, LH_STYLE_BAD, "no", 2);
	lh_term_put(&b, true, LH_STYLE_PLAIN, "+", 1);
	lh_term_put(&b, true, LH_STYLE_GOOD, "", 0);
	lh_term_put(&b, false, LH_STYLE_KEY, "k", 1);
	lh_buf_putc(&b, '\0');
	check(strcmp(b.p, "\x1b[1;31mno\x1b[0m+k") == 0);
	lh_buf_free(&b);
}

static size_t cells(const char *s)
{
	return lh_term_cells(s, strlen(s));
}

static void cells_are_counted(void)
{
	check(cells("") == 0 && cells("plain ~") == 7);
	check(cells("Müller") == 6 && cells("Mu\u0308ller") == 6);
	check(cells("東京") == 4 && cells("한국") == 4 && cells("👍") == 2);
	check(cells("\u1112\u1161\u11ab") == 2);	/* one syllable of three letters */
	check(cells("\uff21") == 2 && cells("\uff71") == 1);
	check(cells("\t") == 4 && cells("\x1b[1m") == 4 + 3 && cells("\x7f") == 4);
	check(cells("a\xff" "b") == 6 && cells("\xe6\x9d") == 8);
	check(cells("\u200b") == 12 && cells("\u202e") == 12);	/* escaped byte by byte */
	check(lh_term_cells("a\0b", 3) == 6);
}

/* The C library's table agrees where its Unicode 14 has a character. */
static void cells_are_those_of_the_c_library(void)
{
	unsigned char s[4];
	unsigned apart = 0, alike = 0;
	uint32_t c;

	check(setlocale(LC_CTYPE, "C.UTF-8") != NULL);
	for (c = 0xa0; c < 0x110000; c++) {
		int theirs = c < 0xd800 || c > 0xdfff ? wcwidth((wchar_t)c) : -1;
		size_t n = theirs < 0 ? 0 : lh_utf8_put(c, s);

		if (!n)
			continue;
		if (lh_term_cells((char *)s, n) == (size_t)theirs)
			alike++;
		else if (lh_term_cells((char *)s, n) < 4)	/* not escaped */
			apart++;
	}
	check(alike > 250000);
	check(!strcmp(utf8proc_unicode_version(), "15.0.0"));
	check(apart == 72);	/* U+3248 to 324F and 4DC0 to 4DFF are wide there */
}

static size_t fit(const char *s, size_t n)
{
	return lh_term_fit(s, strlen(s), n);
}

static void a_prefix_ends_between_characters(void)
{
	check(fit("hello", 0) == 0 && fit("hello", 3) == 3 && fit("hello", 9) == 5);
	check(fit("東京", 1) == 0 && fit("東京", 2) == 3 && fit("東京", 3) == 3);
	check(fit("u\u0308x", 1) == 3 && fit("u\u0308", 1) == 3);
	check(fit("a\x01z", 4) == 1 && fit("a\x01z", 5) == 2);
	check(fit("a\xf0\x9f", 1) == 1);
}

int main(void)
{
	test(colour_is_for_terminals());
	test(the_size_is_the_window_s());
	test(styles_end_where_they_begin());
	test(cells_are_counted());
	test(cells_are_those_of_the_c_library());
	test(a_prefix_ends_between_characters());
	return 0;
}
