/* report.h - the contents of a report, as JSON and as a page. */
#ifndef REPORT_H
#define REPORT_H

#include "audit.h"

struct report {
	struct lh_tool *tool;
	const struct settings *s;
	const char *id, *generated_at;
	char *log;			/* its path */
	char *second;			/* another log of the same subject, or NULL */
	bool has_manifest;
	struct lh_manifest manifest;
	struct lh_chain_verdict v;
	uint64_t anchored;		/* rows of the anchor that contradicts the log */
	char error[LH_CHAIN_ERROR];	/* "" if the chain is intact */
	bool wrong_key;			/* why report_find failed */
	uint64_t rows, in_window;
	char root[LH_CHAIN_TIP];	/* the row that is the manifest's root, or "" */
	bool root_seen;
};

/* Find the subject's manifest and log, and verify the log: 1; 0 if there is neither.  s, id and
 * generated_at are set.  The caller frees r in any case. */
int report_find(struct report *r);
void report_free(struct report *r);

/* Append the report as JSON; flush is called between its parts, and may empty the buffer. */
int report_json(struct report *r, struct lh_buf *out,
		int (*flush)(struct report *r, struct lh_buf *out));

/* What is wrong, after all rows were read. */
enum report_fault { REPORT_GOOD, REPORT_CHAIN, REPORT_MISSING, REPORT_SECOND, REPORT_ANCHOR };
enum report_fault report_fault(const struct report *r);

/* Call fn for every row of the log in the window, in order, up to the verified
 * length; text is the line, rec the object on it. */
typedef int (*row_fn)(void *ctx, const struct lh_record *rec, struct lh_err *err);
int report_rows(struct report *r, row_fn fn, void *ctx);

/* Write the page to the file of --html, or to standard output. */
int report_html(struct report *r);

#endif
