/*
 * csv - read CSV (RFC 4180) row by row, from any source of bytes.
 *
 *     struct lh_csv c = { .delimiter = ',', .max_row = 1 << 20, .max_cells = 100,
 *                         .read = read_file, .ctx = &file };
 *
 *     while ((rc = lh_csv_next(&c, &err)) != 0) {
 *             if (rc < 0 && err.code != LH_EDATA)
 *                     break;
 *             ... the row: c.row[0..c.n), its cells c.cell[0..c.cells) ...
 *     }
 *     lh_csv_free(&c);
 *
 * Rows end with LF, CRLF, CR alone, or the input.  Blank lines are skipped, and so are lines
 * of a Ctrl-Z or a form feed alone; a Ctrl-Z before the end of the input is left out.  A cell
 * that begins with a quote ends with the next single quote, and may hold delimiters, line ends
 * and doubled quotes; in any other cell a quote is text, and in every cell if there are no
 * quotes.  Any byte may be in a cell, also NUL.  A BOM at the beginning is skipped.
 *
 * A first line sep=X, as spreadsheets write it, is skipped; X is the delimiter unless one was
 * given.  With guess, a first row without a comma (a tab, with tsv) that has one of , ; | and tab
 * more often than the others is divided there, and so is one that has fewer commas, if the second
 * row has that delimiter as often.
 *
 * Errors: LH_EDATA is about one row: text after a closing quote, a quote that is not closed
 *         (it takes the rest of the input), invalid UTF-8, or more bytes than max_row.
 *         The next call reads the next row.  Anything else ends the input; LH_EIO is UTF-16
 *         or UTF-32, recognised by their BOM, or a page of HTML.
 * Memory: at most twice the longest row, and never more than twice max_row.
 */
#ifndef LH_CSV_H
#define LH_CSV_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/str.h"

#define LH_CSV_DOUBLED 0x80000000u	/* in n: the text has doubled quotes */
#define LH_CSV_MAX_ROW 0x7fffffffu

struct lh_csv_cell {
	uint32_t at;		/* offset in the row, after the opening quote */
	uint32_t n;		/* bytes, without the quotes around them; see LH_CSV_DOUBLED */
};

/* Whether cells may be in quotes. */
enum lh_csv_quotes { LH_CSV_QUOTES_UNLESS_TAB, LH_CSV_QUOTES, LH_CSV_NO_QUOTES };

struct lh_csv {
	char delimiter;		/* 0: what the line sep=X says, else a comma */
	bool tsv;		/* with 0: else a tab */
	bool guess;		/* with 0: or what the first row plainly has */
	enum lh_csv_quotes quotes;	/* UNLESS_TAB: unless the delimiter is a tab */
	uint64_t max_row;	/* bytes, at most LH_CSV_MAX_ROW */
	size_t max_cells;	/* more cells of a row than these are counted, not stored */
	/* Read up to n bytes: their number, 0 at the end, -1 with *err. */
	ssize_t (*read)(void *ctx, void *p, size_t n, struct lh_err *err);
	/* Take a piece of a row over max_row, or NULL; the rejection follows the last. */
	int (*long_row)(void *ctx, const char *p, size_t n, struct lh_err *err);
	void *ctx;

	/* what the first bytes of the input told, after the first call */
	struct lh_csv_first {
		char delimiter;		/* the one in use */
		char guessed;		/* the same, if guessed: 0 if not */
		char other;		/* one that the first row has as well, or 0 */
		bool lonely;		/* the first row is one cell, and has others */
		bool in_quotes;		/* the first row begins with a quote that is text */
	} first;

	/* the row, until the next call */
	const char *row;	/* n bytes, without the LF; none of a row over max_row */
	size_t n;
	const struct lh_csv_cell *cell;
	size_t cells;

	struct lh_csv_reader *reader;	/* private */
};

/* Read the next row: 1, 0 at the end, -1 with *err; see above. */
int lh_csv_next(struct lh_csv *c, struct lh_err *err);

/* Return whether cells of this input may be in quotes. */
static inline bool lh_csv_quoted(const struct lh_csv *c)
{
	return c->quotes == LH_CSV_QUOTES ||
	       (c->quotes == LH_CSV_QUOTES_UNLESS_TAB && c->first.delimiter != '\t');
}

/* Return the line of the input, from 1, on which the row begins. */
uint64_t lh_csv_line(const struct lh_csv *c);

/* Return the text of cell i: its bytes in the row, or in scratch when quotes are doubled in
 * it.  Valid until the next row, or the next use of scratch. */
static inline struct lh_str lh_csv_raw(const struct lh_csv *c, size_t i)
{
	return (struct lh_str){ c->row + c->cell[i].at, c->cell[i].n & ~LH_CSV_DOUBLED };
}
struct lh_str lh_csv_undouble(struct lh_str raw, struct lh_buf *scratch);

/* Begin a new input with the same settings; the memory is kept. */
void lh_csv_restart(struct lh_csv *c);
void lh_csv_free(struct lh_csv *c);

#endif
