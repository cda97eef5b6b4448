/*
 * term - output for a person at a terminal: colour, width in cells, a pager.
 *
 *     bool colored = lh_term_colored(STDOUT_FILENO, LH_COLOR_AUTO);
 *
 *     lh_term_put(&b, colored, LH_STYLE_KEY, name, n);
 *     n = lh_term_fit(text, n, lh_term_columns(STDOUT_FILENO) - lh_term_cells(name, n));
 *
 * Styles are the base colours of ANSI, bold and dim, which the user's terminal chooses
 * to suit its background; neither black nor white is among them, and yellow is bold.
 *
 * Nothing depends on the locale: text is UTF-8.
 */
#ifndef LH_TERM_H
#define LH_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

enum lh_color { LH_COLOR_AUTO, LH_COLOR_ALWAYS, LH_COLOR_NEVER };

/* Return whether fd is a terminal that knows escape sequences: TERM is set and not "dumb". */
bool lh_term_knows_sequences(int fd);

/* Return whether text for fd is coloured: always, never, or with LH_COLOR_AUTO if fd knows
 * escape sequences, and NO_COLOR is empty or not set. */
bool lh_term_colored(int fd, enum lh_color when);

/* Return the columns of the terminal at fd: as the kernel knows them, else COLUMNS, else 80.
 * Asked anew each time, as windows change; 1 to 10,000. */
int lh_term_columns(int fd);

enum lh_style {
	LH_STYLE_PLAIN,
	LH_STYLE_KEY,		/* bold blue */
	LH_STYLE_STRING,	/* green */
	LH_STYLE_NUMBER,	/* cyan */
	LH_STYLE_LITERAL,	/* magenta: true, false, null */
	LH_STYLE_HEADING,	/* bold */
	LH_STYLE_DIM,
	LH_STYLE_GOOD,		/* green */
	LH_STYLE_WARN,		/* bold yellow */
	LH_STYLE_BAD		/* bold red */
};

/* The sequence that ends every style. */
#define LH_TERM_RESET "\x1b[0m"

/* Return the sequence that begins a style; "" for LH_STYLE_PLAIN. */
const char *lh_term_style(enum lh_style style);

/* Append n bytes in a style, or as they are unless colored.  Text from outside is escaped
 * before (text/escape.h). */
void lh_term_put(struct lh_buf *b, bool colored, enum lh_style style, const char *p, size_t n);

/*
 * Return the cells that n bytes of text take: two for a wide character, none for a
 * combining one.  A byte that is not UTF-8, and each byte of a character that moves or
 * hides others (a control, a direction mark), counts as the four of its escape \xNN.
 */
size_t lh_term_cells(const char *p, size_t n);

/* Return the length in bytes of the longest prefix that fits in cells.  Characters are not
 * cut, nor parted from their combining ones. */
size_t lh_term_fit(const char *p, size_t n, size_t cells);

/* A program that shows stdout page by page.  An all zero struct is none. */
struct lh_term_pager {
	pid_t pid;		/* 0: none */
	const char *command;
	int out;		/* the terminal */
};

/* Return whether there is to be a pager: stdout is a terminal, and PAGER is neither empty nor
 * "cat". */
bool lh_term_pager_wanted(void);

/*
 * Start the pager, if it is wanted, and make it the reader of stdout: PAGER, else
 * "less -FRX", but none where less is not installed.  Start it when
 * there is something to show: less takes the terminal at once, without echo and with keys of
 * its own, and SIGINT does not end this process any more.  PAGER runs through
 * /bin/sh -c, with LESS=FRX unless LESS is set.  SIGINT, which is then for the pager, is
 * ignored by this process while the pager runs; the command stays the caller's.
 *
 * A process that waits for something else finds with poll that the pager has ended: stdout
 * then has POLLERR.
 *
 * Returns 0, also for none; -1 with *err filled.  Nothing may have been written to stdout.
 */
int lh_term_pager_start(struct lh_term_pager *pager, struct lh_err *err);

/* Close stdout for the pager, wait until the user has left it, and make stdout the
 * terminal again.  Everything must have been flushed.  An all zero struct may be ended.
 * Returns -1 with *err filled if the command does not exist or cannot be run, or if it failed,
 * so that the user may not have seen everything: if its status is not 0, or it was ended by
 * another signal than SIGINT and SIGPIPE, with which a pager may be left. */
int lh_term_pager_end(struct lh_term_pager *pager, struct lh_err *err);

#endif
