/* hint - recognise input that is not JSON Lines by its first line. */
#ifndef LH_HINT_H
#define LH_HINT_H

#include <lh/str.h>

/* Return what to do with input whose first line, blank ones apart, is this, if it cannot be JSON
 * Lines but is a JSON array, JSON over several lines, a table, Parquet, UTF-16 or UTF-32; or
 * NULL.  No line of JSON Lines is taken for one of them. */
const char *lh_hint_of(struct lh_str line);

#endif
