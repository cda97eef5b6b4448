/* What is a NAME.commit. Openings and entries: tests/oracle/commitment.py. */
#include "audit/commitment.h"
#include "check.h"
#include "file/file.h"

#define TIP "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int read_text(const char *text, struct lh_commit *c)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_err err;

	lh_buf_puts(&b, text);
	check(lh_atomic_put("x.commit", 0600, &b, &err) == 0);
	return lh_commit_read(c, "x.commit", &err);
}

static void round_trip(void)
{
	static const struct lh_str tip = { TIP, 64 };
	static const uint64_t want[] = { 120, 121, 122, 123, 200, 201 };
	struct lh_commit c = { .count = 0 }, again;
	struct lh_err err;
	uint64_t i, index;

	check(lh_commit_read(&again, "none.commit", &err) == 0);
	lh_commit_add(&c, 120, 3, tip);
	lh_commit_add(&c, 123, 1, tip);
	lh_commit_add(&c, 200, 2, tip);
	check(c.n == 2 && c.count == 6);
	check(lh_commit_write(&c, "x.commit", &err) == 0);
	check(lh_commit_read(&again, "x.commit", &err) == 1);
	check(again.n == 2 && again.count == 6 && !strcmp(again.tip, TIP));
	for (i = 0; i < 6; i++) {
		lh_commit_find(&again, i, &index);
		check(index == want[i]);
	}
	lh_commit_free(&c);
	lh_commit_free(&again);
}

/* Each is a lost cursor, and none is believed. */
static void damaged(void)
{
	static const char *const bad[] = {
		"", "{", "{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[0,1,1]]",
		"{\"count\":2,\"tip\":\"" TIP "\",\"runs\":[[0,1,1]]}",
		"{\"count\":1,\"tip\":\"GENESIS\",\"runs\":[[0,1,1]]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[1,1,1]]}",
		"{\"count\":3,\"tip\":\"" TIP "\",\"runs\":[[0,1,2],[1,9,1]]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[0,-1,1]]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[0,1,1,1]]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[0,1]]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[7]}",
		"{\"count\":0,\"tip\":\"" TIP "\",\"runs\":[]}",
		"{\"count\":1,\"tip\":\"" TIP "\",\"runs\":[[0,281474976710657,1]]}",
	};
	struct lh_commit c;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check_why(read_text(bad[i], &c) == -1 && !c.n && !c.run, bad[i]);
}

int main(void)
{
	check_folder();
	test(round_trip());
	test(damaged());
	return 0;
}
