/* hint.c - recognise input that is not JSON Lines by its first line.  See frame.h. */
#include <string.h>

#include "frame.h"

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

#define FIELD_MAX 64	/* bytes of a name in the header of a table */

/* Return whether the line is names with one separator between them. */
static bool is_header(const char *p, const char *end, char separator)
{
	const char *field = p;
	size_t fields = 1;

	for (; p < end; p++) {
		if (*p == separator) {
			if (p == field || p - field > FIELD_MAX)
				return false;
			field = p + 1;
			fields++;
		} else if ((unsigned char)*p < ' ' || strchr("{}[]:\\", *p) ||
			   (*p == ' ' && p == field)) {
			return false;
		}
	}
	return fields > 1 && p > field && p - field <= FIELD_MAX;
}

const char *lh_hint_of(struct lh_str line)
{
	const char *end = line.p + line.n, *p = line.p, *next;

	if (line.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	p = skip_space(p, end);
	if (p == end)
		return NULL;
	next = skip_space(p + 1, end);
	if (*p == '[' && (next == end || *next == '{'))
		return "the input is a JSON array, not JSON Lines; jq -c '.[]' makes a line of "
		       "each element";
	if (*p == '{' && next == end)
		return "the input is JSON over several lines, not JSON Lines; jq -c . makes a "
		       "line of each object";
	if (is_header(p, end, ',') || is_header(p, end, ';') || is_header(p, end, '\t'))
		return "the input looks like a table, not JSON Lines; lh-ingest makes a line of "
		       "each row";
	return NULL;
}
