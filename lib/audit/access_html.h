/*
 * access_html - accesses of a subject's log as the rows of a table, for the subject.
 *
 *     lh_html_open(&page, title, LH_ACCESS_STYLE);
 *     lh_buf_puts(&page, LH_ACCESS_BEGIN);
 *     rc = lh_access_html(&page, &rec, &text, err);		(each row)
 *     lh_buf_puts(&page, LH_ACCESS_END);
 *
 * Threads: any number.
 */
#ifndef LH_ACCESS_HTML_H
#define LH_ACCESS_HTML_H

#include "json/write.h"

/* Columns have fixed widths, so that long words are broken within them; if there is
 * no room for five columns, a row is a block of labelled lines.  Text that cannot
 * be broken, such as one letter with hundreds of marks, is cut off. */
#define LH_ACCESS_STYLE \
	"p,dt,dd,li,.verdict{overflow-wrap:anywhere}\n" \
	"p,dd,li,td,.verdict{overflow:hidden}\n" \
	"table{table-layout:fixed}th.when{width:15rem}\n" \
	"@media(max-width:56rem){table,tbody,tr,td{display:block}thead{display:none}\n" \
	"tr{border-top:2px solid var(--line);padding:.4rem 0}\n" \
	"td{border:0;padding:.1rem 0}td::before{content:attr(data-label) " LH_JSON(": ") \
	";color:var(--dim)}}\n"

#define LH_ACCESS_BEGIN \
	"<table>\n<thead><tr><th class=\"when\">When</th><th>Who</th><th>What " \
	"for</th><th>Which data</th>" \
	"<th>Outcome</th></tr></thead>\n<tbody>\n"
#define LH_ACCESS_END "</tbody>\n</table>\n"

/* Append a row of a log; text is memory for its strings. */
int lh_access_html(struct lh_buf *out, const struct lh_record *rec, struct lh_buf *text,
		   struct lh_err *err);

#endif
