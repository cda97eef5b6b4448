/*
 * show - records for people.  main.c reads values and passes them, in order, to a view:
 * table.c, card.c, pretty.c (--json) or diff.c.  Each view writes with show_flush.
 */
#ifndef SHOW_H
#define SHOW_H

#include "cell.h"
#include "file/file.h"
#include "kind.h"
#include "term/term.h"
#include "tool/tool.h"

struct settings {
	enum kind_name kind;
	const char *columns;
	bool card, json, diff, no_pager;
	const char *html;	/* the file of the page; "-": stdout; NULL: none */
	uint64_t width, lines, sample;
};

/* A value, or a line that is none, and where it is from. */
struct item {
	const char *file;
	uint64_t line;
	struct lh_str text;	/* JSON text, or the line as it is */
	const char *why;	/* why it is no value; NULL: it is one */
};

/* The pager, which is started when there is something to show, and where messages went
 * before. */
struct screen {
	struct lh_term_pager pager;
	bool wanted;		/* and not started yet */
	int messages;		/* -1: they go where they went */
};

struct show {
	struct lh_tool *tool;
	const struct settings *s;
	bool colored;
	size_t width;		/* cells of a line; 0: no limit */
	uint64_t most;		/* lines of a row of a table; 0: no limit */
	struct screen screen;
	struct lh_atomic page;	/* with --html FILE */
	bool to_file;
	size_t rows;		/* rows of a screen, if a pager shows them; else 0 */
	size_t lines;		/* lines of the screen so far, with rows */
	uint64_t shown;		/* items so far */
	size_t span;		/* columns of the open table of the page, or 0 */
	struct lh_record json;
	struct lh_buf out, scratch;
	void *view;		/* the view's own */
};

/* What a view does with each item in turn, and at the end of the input; -1 with *err.  take
 * returns 1 when it needs no more. */
struct view {
	int (*begin)(struct show *w, struct lh_err *err);
	int (*take)(struct show *w, const struct item *item, struct lh_err *err);
	int (*end)(struct show *w, struct lh_err *err);
	void (*free)(struct show *w);
};

extern const struct view table_view, card_view, pretty_view, diff_view;

/* Decide whether there will be a pager: for a terminal, unless an input is one, too. */
void screen_plan(struct show *w);

/* Start the pager if it is wanted.  Nothing may have been written to stdout. */
int screen_start(struct show *w, struct lh_err *err);

/* Wait until the user has left the pager, if there is one. */
void screen_end(struct show *w);

/* Parse the text of an item, followed by LH_PAD bytes. */
int show_parse(struct show *w, const struct item *item, struct lh_value *v, struct lh_err *err);

/* Write w->out if it has at least so many bytes, to the pager if it is wanted: 0, or -1 with
 * *err. */
int show_flush(struct show *w, size_t least, struct lh_err *err);
#define SHOW_BLOCK 65536

/* Append the line of an item that is none, or that no column shows, marked. */
void show_marked(struct show *w, const struct item *item);

/* Append clean text in a style of the terminal, or as an element of the page. */
void show_text(struct show *w, enum lh_style style, const char *p, size_t n);

/* Append so many spaces. */
void show_spaces(struct lh_buf *out, size_t n);

/* The rows of a table, for every view that has one: the header, and a row of c->text in
 * c->style. */
struct columns;
extern const char table_style[];
void table_put_header(struct show *w, struct columns *c);
void table_put_row(struct show *w, const struct columns *c);
void table_put_end(struct show *w);

/* Return the style of a value. */
enum lh_style show_style(const struct lh_value *v);

/* Append the beginning and the end of the page, if --html is given; style is CSS. */
void show_page_open(struct show *w, const char *style);
void show_page_close(struct show *w);

#endif
