/* fuzz_reply - an HTTP answer that lh-load reads in pieces is the answer that it reads at
 * once, and is within its limits. */
#include "fuzz.h"

#include "../../tools/lh-load/reply.c"

struct result {
	enum reply_is is;
	struct reply r;
	size_t used;
	struct lh_buf body;
};

/* Read p[0..n) in pieces of so many bytes, each in memory of its own. */
static void read_in(struct result *to, const char *p, size_t n, size_t piece)
{
	size_t used, now;
	char *copy;

	*to = (struct result){ .is = REPLY_MORE };
	reply_start(&to->r);
	while (to->is == REPLY_MORE && to->used < n) {
		now = n - to->used < piece ? n - to->used : piece;
		copy = malloc(now);
		must(copy);
		memcpy(copy, p + to->used, now);
		to->is = reply_feed(&to->r, copy, now, &used, &to->body);
		free(copy);
		never(used > now || (used < now && to->is == REPLY_MORE));
		to->used += used;
	}
	if (to->is == REPLY_MORE)
		to->is = reply_end(&to->r);
}

static void check(const struct result *a, const struct result *b)
{
	never((a->is == REPLY_BAD) != (b->is == REPLY_BAD));
	never(a->is == REPLY_BAD ? !a->r.fault || !b->r.fault : a->used != b->used);
	if (a->is == REPLY_BAD)
		return;
	never(a->r.status != b->r.status || a->r.status < 200 || a->r.close != b->r.close);
	never(a->body.len != b->body.len || a->r.bytes != a->body.len ||
	      (a->body.len && memcmp(a->body.p, b->body.p, a->body.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const size_t piece[] = { 1, 3, n ? 1 + data[0] % 50u : 1 };
	struct result whole, parts;
	size_t i;

	read_in(&whole, (const char *)data, n, n ? n : 1);
	for (i = 0; i < sizeof piece / sizeof *piece; i++) {
		read_in(&parts, (const char *)data, n, piece[i]);
		check(&whole, &parts);
		reply_free(&parts.r);
		lh_buf_free(&parts.body);
	}
	reply_free(&whole.r);
	lh_buf_free(&whole.body);
	return 0;
}
