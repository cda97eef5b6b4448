/* page.h - a manual page as text, where no program is installed that shows one. */
#ifndef LH_PAGE_H
#define LH_PAGE_H

#include <lh/buf.h>

/* Append page, n bytes of mdoc as the pages of this tree are written, to out: as
 * plain text of at most 78 columns, but for lines of examples, which stay whole. */
void page_text(const char *page, size_t n, struct lh_buf *out);

#endif
