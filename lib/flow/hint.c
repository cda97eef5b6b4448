/* hint.c - recognise input that is not JSON Lines by its first line.  See flow.h. */
#include <stdbool.h>
#include <string.h>

#include "flow.h"

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

/* Return what to do with a file of another kind, by its first bytes. */
static const char *other_file(struct lh_str line)
{
	if (line.n >= 4 && (!memcmp(line.p, "\xff\xfe\0\0", 4) ||
			    !memcmp(line.p, "\0\0\xfe\xff", 4)))
		return "the input is UTF-32, not UTF-8; iconv -f UTF-32 -t UTF-8 converts it";
	if (line.n >= 2 && (!memcmp(line.p, "\xff\xfe", 2) || !memcmp(line.p, "\xfe\xff", 2)))
		return "the input is UTF-16, not UTF-8; iconv -f UTF-16 -t UTF-8 converts it";
	if (line.n >= 2 && line.p[0] && !line.p[1])
		return "the input has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16LE "
		       "-t UTF-8 converts it";
	if (line.n >= 2 && !line.p[0])
		return "the input has NUL bytes, as UTF-16 has, not UTF-8; iconv -f UTF-16BE "
		       "-t UTF-8 converts it";
	if (line.n >= 4 && !memcmp(line.p, "PAR1", 4))
		return "the input is Parquet, not JSON Lines; lh-ingest makes a line of each row";
	return NULL;
}

const char *lh_hint_of(struct lh_str line)
{
	const char *end = line.p + line.n, *p = line.p, *next = other_file(line);

	if (next)
		return next;
	p += lh_mark_len(p, line.n);
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
