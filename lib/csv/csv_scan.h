/*
 * csv_scan - find the cells of one row in a buffer of CSV.
 *
 * A scan stops where the buffer ends, and goes on when more bytes have arrived: no byte
 * is examined twice.  A cell that begins with a quote ends at a single quote; a quote in
 * another cell is text.
 *
 * Private to lib/csv.
 */
#ifndef LH_CSV_SCAN_H
#define LH_CSV_SCAN_H

#include "csv.h"

enum lh_csv_state {
	LH_CSV_CELL,		/* before the first byte of a cell */
	LH_CSV_PLAIN,		/* in a cell without quotes */
	LH_CSV_QUOTED,		/* in a quoted cell */
	LH_CSV_QUOTE,		/* after a quote in it */
	LH_CSV_CR,		/* after the row, and a CR that an LF may follow */
};

struct lh_csv_scan {
	const char *row, *end;	/* the row's first byte; the end of the buffer */
	const char *at;		/* the next byte to examine */
	const char *start;	/* the first byte of the cell, after its quote */
	enum lh_csv_state state;
	char delimiter, quote;	/* quote 0: cells have none */
	bool doubled;
	size_t bad_cell;	/* the first with text after its closing quote, from 1; or 0 */
	struct lh_csv_cell *cell;
	size_t n, room;		/* cells found; cells that can be stored */
};

/* Scan on: true at the end of the row (at is after its line end), false at the end of the
 * buffer. */
bool lh_csv_scan(struct lh_csv_scan *s);

/* Store the cell that ends before end. */
static inline void lh_csv_store(struct lh_csv_scan *s, const char *end)
{
	if (s->n < s->room)
		s->cell[s->n] = (struct lh_csv_cell){
			(uint32_t)(s->start - s->row),
			(uint32_t)(end - s->start) | (s->doubled ? LH_CSV_DOUBLED : 0) };
	s->n++;
}

#endif
