/* report.h - what a report says, as JSON and as a page. */
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
	char error[LH_CHAIN_ERROR];	/* "" when the chain is whole */
	uint64_t rows, in_window;
	char root[LH_CHAIN_TIP];	/* the row that the manifest knows, or "" */
	bool root_seen;
};

/* What is wrong, once all rows were read. */
enum report_fault { REPORT_GOOD, REPORT_CHAIN, REPORT_MISSING, REPORT_SECOND };
enum report_fault report_fault(const struct report *r);

/* Every row of the log in the window, in order, up to the length that was
 * verified; text is the line, rec the object on it. */
typedef int (*row_fn)(void *ctx, const struct lh_record *rec, struct lh_err *err);
int report_rows(struct report *r, row_fn fn, void *ctx);

/* A sentence on what the chain says. */
void report_attest(const struct report *r, struct lh_buf *out);

/* The page, to the file of --html. */
int report_html(struct report *r);

#endif
