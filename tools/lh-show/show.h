/*
 * show - records for people.  main.c reads values and passes them, in order, to a view: table.c
 * or card.c.
 */
#ifndef SHOW_H
#define SHOW_H

#include "base/table.h"
#include "flow/flow.h"
#include "json/value.h"
#include "term/term.h"
#include "tool/tool.h"

/* The names, as --kind has them and in the order of its choices; several kinds may share one. */
#define KIND_NAMES "hits|verdicts|workers|evidence|scores|samples|chain|sessions|" \
	"operations|errors|plain"
enum kind_name {
	KIND_ANY = -1,		/* the kind is that of the records */
	KIND_HITS, KIND_VERDICTS, KIND_WORKERS, KIND_EVIDENCE, KIND_SCORES, KIND_SAMPLES,
	KIND_CHAIN, KIND_SESSIONS, KIND_OPERATIONS, KIND_ERRORS,
	KIND_PLAIN,
};

struct kind {
	enum kind_name name;
	const char *tells;	/* paths of the members that it has, separated by blanks */
	const char *columns;	/* paths; a path that ends with * has the columns of the
				   kind of that member */
};

/* The kinds; the last one, KIND_PLAIN, has all members as columns. */
#define KIND_COUNT 22
extern const struct kind kinds[KIND_COUNT];

/* Return the first kind that the value has, among those of that name (KIND_ANY: all); with a
 * name, the first of that name if it has none. */
const struct kind *kind_of(const struct lh_value *v, enum kind_name name);

struct settings {
	enum kind_name kind;
	const char *columns, *mark;
	bool table, card, diff;
	uint64_t width, sample;
};

struct show {
	struct lh_tool *tool;
	const struct settings *s;
	bool colored;
	size_t width;		/* cells of a line; 0: no limit */
	struct lh_term_pager pager;
	bool pager_wanted;	/* and not started yet */
	uint64_t shown;		/* values so far */
	struct lh_record json;
	struct lh_buf out, scratch;
	struct lh_intern marked;	/* the words of --mark, as marks_fold leaves them */
	void *view;		/* the view's own */
};

/* What a view does with each value in turn, and at the end of the input; -1 with *err.  take
 * returns 1 when it needs no more. */
struct view {
	size_t size;		/* of its own state, zeroed at the start */
	int (*take)(struct show *w, const struct lh_output *o, struct lh_err *err);
	int (*end)(struct show *w, struct lh_err *err);
	void (*free)(struct show *w);
};

extern const struct view table_view, card_view, diff_view;

/* Write w->out, to the pager if there is one: 0, or -1 with *err. */
int show_flush(struct show *w, struct lh_err *err);

/*
 * Clean text has no control, no invisible character and no byte that is not UTF-8: they are
 * escapes of JSON, or \xNN.
 */
#define CELL_MAX 65536		/* bytes of a value that a cell shows */
#define CELL_MORE "\xe2\x80\xa6"	/* the ellipsis that follows what is cut */

/* Append text as clean text. */
void cell_clean(struct lh_buf *out, const char *p, size_t n);

/* Append a checked value as the clean text of a cell: a string without its quotes, an array
 * of scalars as a list, the error of a verdict in words, anything else as it is written. */
void cell_value(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch);

/* Append the error of a verdict in words: true, or false if the value is none. */
bool cell_error(struct lh_buf *out, const struct lh_value *v);

/* Return whether the value is an array of scalars. */
bool cell_is_list(const struct lh_value *v);
enum lh_style cell_style(const struct lh_value *v);

/* Note the words of --mark; append clean text in a style, with those words in another. */
void marks_read(struct show *w);
void marks_put(struct show *w, enum lh_style style, const char *p, size_t n);

/* The values of a record that have no members or elements themselves, with their clean paths. */
struct leaf {
	struct lh_str path;
	size_t at;		/* of the path, in paths */
	struct lh_value v;
	bool taken;		/* by card.c: the other record has it, too */
};
struct leaves {
	struct leaf *leaf;
	size_t n, cap;
	struct lh_record json;
	struct lh_buf text, paths, scratch;
};

/* A table: its columns, and the texts of a row. */
#define COLUMNS_MAX 64
struct column {
	char *label;		/* owned; clean text */
	size_t width;		/* cells; of the widest text until the widths are set */
	bool numbers, others;	/* what is in it: numbers alone are to the right */
};
struct grid {
	struct column col[COLUMNS_MAX];
	size_t n, shown;	/* shown: those that fit, the first ones */
	bool more;		/* there were more than COLUMNS_MAX */
	struct lh_str text[COLUMNS_MAX];
	enum lh_type type[COLUMNS_MAX];
	enum lh_style style[COLUMNS_MAX];
};

/* Add a column, with a label made clean. */
void grid_add(struct grid *g, const char *label, size_t n);
/* Widen the columns for the row. */
void grid_measure(struct grid *g);
/* Give widths to as many columns as fit in the line, and append the header. */
void grid_open(struct show *w, struct grid *g);
void grid_row(struct show *w, const struct grid *g);
void grid_free(struct grid *g);

#endif
