/* compact.c - JSON on one line.  See write.h. */
#include "write.h"

#include "json_scanner.h"

void lh_json_compact(struct lh_buf *out, const char *p, size_t n)
{
	const char *end = p + n, *from;
	bool escaped;

	while (p < end) {
		for (from = p; p < end && (unsigned char)*p > ' '; )
			p = *p == '"' ? lh_skip_string(p, end, &escaped) : p + 1;
		lh_buf_add(out, from, (size_t)(p - from));
		while (p < end && (unsigned char)*p <= ' ')
			p++;
	}
}
