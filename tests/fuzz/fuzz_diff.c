/*
 * fuzz_diff - for any bytes, sizes of reads and limits, a diff is read the same in pieces as at
 * once; parts are bytes of the input, in order, and their paths survive quoting.
 *
 * Input: the limit of a part, the largest read; then the diff.
 */
#include <stdlib.h>
#include <string.h>

#include "../../tools/lh-review/diff.c"
#include "../../tools/lh-review/diff_lines.c"
#include "../../tools/lh-review/diff_names.c"
#include "feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(struct lh_str path)
{
	static struct lh_buf quoted, name;

	if (!path.n || memchr(path.p, '\0', path.n))
		abort();
	lh_buf_reset(&quoted);
	lh_buf_reset(&name);
	lh_diff_quote(path, &quoted);
	if (quoted.p[0] != '"' && quoted.len == path.n)
		return;
	if (lh_diff_unquote((struct lh_str){ quoted.p, quoted.len }, &name) != quoted.len ||
	    name.len != path.n || memcmp(name.p, path.p, path.n))
		abort();
}

/* Append all parts. */
static void read_all(struct feed feed, uint64_t max_file, struct lh_buf *out)
{
	struct lh_diff d = { .max_file = max_file, .read = feed_read, .ctx = &feed };
	size_t size = (size_t)(feed.end - feed.p);
	struct lh_err err = { 0 };
	uint64_t total = 0, line = 0;
	int rc;

	while ((rc = lh_diff_next(&d, &err)) > 0) {
		check_path(d.path);
		total += d.size;
		if (total > size || d.line <= line || d.text.len != (d.size > max_file ? 0 : d.size))
			abort();
		line = d.line;
		lh_buf_add(out, d.path.p, d.path.n);
		lh_buf_printf(out, " %llu %llu\n", (unsigned long long)d.line,
			      (unsigned long long)d.size);
		lh_buf_add(out, d.text.p, d.text.len);
	}
	if (rc < 0)
		lh_buf_printf(out, "%llu: %s", (unsigned long long)d.line, err.msg);
	lh_diff_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lh_buf once = { 0 }, pieces = { 0 };
	uint64_t max_file;

	if (size < 2)
		return 0;
	max_file = data[0] ? data[0] * UINT64_C(16) : UINT64_MAX;
	read_all((struct feed){ data + 2, data + size, SIZE_MAX }, max_file, &once);
	read_all((struct feed){ data + 2, data + size, data[1] + 1u }, max_file, &pieces);
	if (!once.failed && !pieces.failed &&
	    (once.len != pieces.len || (once.len && memcmp(once.p, pieces.p, once.len))))
		abort();
	lh_buf_free(&once);
	lh_buf_free(&pieces);
	return 0;
}
