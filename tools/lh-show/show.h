/* show - records for people.  main.c reads values and passes them, in order, to a view. */
#ifndef SHOW_H
#define SHOW_H

#include "base/table.h"
#include "term/term.h"
#include "tool/records.h"

struct settings {
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
	bool failed;		/* nothing can be written, as the err of the tool says */
	uint64_t shown;		/* values so far */
	struct lh_record json;
	struct lh_buf out, scratch;
	struct lh_intern marked;	/* the words of --mark */
	void *view;		/* the view's own */
};

/* What a view does with each value in turn, and at the end of the input; -1 with the tool's err.
 * take returns 1 when it needs no more. */
struct view {
	size_t size;		/* of its own state, zeroed at the start */
	int (*take)(struct show *w, const struct lh_output *o);
	int (*end)(struct show *w);
};

extern const struct view table_view, card_view, diff_view;

/* Write w->out, to the pager if there is one. */
void show_flush(struct show *w);

#endif
