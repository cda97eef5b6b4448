/*
 * fuzz_lines - for any sizes of reads and limits, the lines returned are those of a
 * plain search for LF, and lines over the limit are returned in pieces.
 *
 * Input: the limit, lines per block, the largest read; then the text.
 */
#include "fuzz.h"

#include "flow/flow.h"

/* Check that these are the next n bytes of the text. */
static void expect(const uint8_t **at, const uint8_t *end, const char *p, size_t n)
{
	never((size_t)(end - *at) < n || (n && memcmp(*at, p, n)));
	*at += n;
}

/* Check a block of whole lines, none of them over the limit. */
static void whole(const struct lh_lines *l, const struct lh_bytes *b, bool last)
{
	const char *p = b->p, *end = p + b->n, *lf;
	size_t lines = 0;

	never(!b->n || (!last && end[-1] != '\n'));
	for (; p < end; p = lf ? lf + 1 : end, lines++)
		lf = memchr(p, '\n', (size_t)(end - p));
	never(l->max_lines && lines > l->max_lines);
}

static void piecewise(struct lh_lines *l, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = *at;
	struct lh_err err;
	const char *p;
	ssize_t n;

	while ((n = lh_lines_piece(l, &p, &err)) > 0) {
		never(memchr(p, '\n', (size_t)n));
		expect(at, end, p, (size_t)n);
	}
	never(n < 0 || (uint64_t)(*at - from) <= l->max_line);
	never(*at < end && *(*at)++ != '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lh_bytes block = { NULL, 0, 0 };
	struct lh_lines l = { .wake = -1, .read = feed_read };
	struct feed feed;
	const uint8_t *at, *end = data + size;
	struct lh_err err;

	if (size < 3)
		return 0;
	l.max_line = data[0] + 1u;
	l.max_lines = data[1] % 8;
	l.target = 16 + data[1] / 8;
	feed = (struct feed){ data + 3, end, data[2] + 1u };
	l.ctx = &feed;
	at = feed.p;
	lh_lines_open(&l, -1);
	l.regular = true;	/* always readable */
	for (;;) {
		switch (lh_lines_next(&l, &block, &err)) {
		case LH_LINES_BLOCK:
			whole(&l, &block, at + block.n == end);
			expect(&at, end, block.p, block.n);
			continue;
		case LH_LINES_LONG:
			piecewise(&l, &at, end);
			continue;
		case LH_LINES_END:
			never(at != end);
			break;
		default:
			abort();
		}
		break;
	}
	free(block.p);
	lh_lines_free(&l);
	return 0;
}
