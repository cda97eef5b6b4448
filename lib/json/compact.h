/*
 * compact - JSON text without the white space between its tokens, as jq -c writes it; strings
 * and numbers keep every byte.
 */
#ifndef LH_COMPACT_H
#define LH_COMPACT_H

#include <lh/buf.h>

/* Append a text that was checked as JSON, and is not in the memory of out; LH_PAD readable
 * bytes follow it. */
void lh_json_compact(struct lh_buf *out, const char *p, size_t n);

#endif
