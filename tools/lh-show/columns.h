/*
 * columns - the columns of a table: which they are, their widths, and the cells of a row.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include "kind.h"

#define COLUMNS_MAX 64
#define COLUMN_WIDEST 1000	/* cells; what is wider is wrapped */
#define COLUMN_WORD 24		/* cells of a word that a column is kept wide enough for */
#define COLUMN_GAP 2

struct column {
	char *path, *label;	/* owned; the label is clean text */
	size_t path_n, label_n;
	size_t name;		/* where the name of the last member begins in the path */
	size_t natural;		/* cells of the widest text of the sample */
	size_t least;		/* cells of its widest word, up to COLUMN_WORD */
	size_t width;		/* cells given to it */
	bool found;		/* a record has it */
	bool error;		/* its name is "error" */
	char *same;		/* owned; the text of all rows of the sample, or NULL */
	size_t same_n;
	enum lh_type same_type;
	bool numbers, others;	/* what the sample has in it: numbers alone are to the right */
};

struct columns {
	struct column col[COLUMNS_MAX];
	size_t n, shown;	/* shown: those that fit, the first ones */
	size_t constant;	/* columns that follow the n of the table: each has its same */
	uint64_t rows;		/* of the sample */
	size_t line;		/* cells of a line; 0: no limit */
	bool needed;		/* all are shown, however narrow */
	bool members;		/* they are members of the record: paths are names */
	uint64_t left_out;	/* names beyond COLUMNS_MAX in the sample, each time they occur */
	/* the row */
	struct lh_value cell[COLUMNS_MAX];	/* p NULL: none */
	struct lh_str text[COLUMNS_MAX];	/* clean */
	struct lh_buf texts, scratch;
	int style[COLUMNS_MAX];	/* enum lh_style; set by the caller */
	char rank[24];
};

/* Add the columns of a list of paths, separated by one of the bytes of by; spaces around a path
 * are not part of it. */
void columns_add_list(struct columns *c, const char *list, const char *by, const char *prefix);

/* Add the members of an object, or "value" for another value. */
void columns_add_members(struct columns *c, const struct lh_value *v, const char *prefix);

/* Set the label of a column to a text, made clean. */
void columns_label(struct column *col, const char *p, size_t n);

/* Make labels of the last names of the paths, where that leaves them distinct.  The dots in a
 * member's own name do not part it. */
void columns_shorten(struct columns *c);

/* Find the cells of a row, and make their text; rank: what "rank" is if it is no member, or 0.
 * Returns how many cells the record has, or -1. */
int columns_row(struct columns *c, const struct lh_value *v, uint64_t rank);

/* Widen the columns for the row. */
void columns_measure(struct columns *c);

/* Compare the row with the first one of the sample. */
void columns_compare(struct columns *c);

/* Remove the columns in which there was nothing. */
void columns_drop_empty(struct columns *c);

/* Take out of the table the columns in which two or more rows are all the same, unless no
 * other column has anything. */
void columns_part_constant(struct columns *c);

/* Set what is the same to the text of the row: 1 if that is another one, 0, or -1. */
bool columns_same(struct columns *c, size_t i);

/* Give widths to as many columns as fit in a line of so many cells; 0: no limit. */
void columns_lay_out(struct columns *c, size_t line);

/* Widen the columns shown for the numbers and words of a row that came after the sample,
 * as far as the line has room; the other columns become narrower, but keep their words. */
void columns_fit(struct columns *c);

void columns_free(struct columns *c);

#endif
