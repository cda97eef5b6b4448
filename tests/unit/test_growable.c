/* A growable array has the requested room, whatever its size before. */

#include "check.h"
#include "base/mem.h"

static void there_is_room(void)
{
	static const size_t step[] = { 1900000, 3000000, 9000000, 1, 5000000, 20000000 };
	struct lh_growable r = { 0 };
	size_t i, before;

	for (i = 0; i < sizeof step / sizeof *step; i++) {
		before = r.n;
		lh_growable_room(&r, step[i]);
		check(r.n == before);
		check(r.cap - r.n >= step[i]);
		memset(r.p + r.n, (int)i + 1, step[i]);
		r.n += step[i];
		check(!before || r.p[before - 1] == (char)i);
	}
	check(r.p[0] == 1 && r.p[r.n - 1] == (char)i);
	lh_growable_free(&r);
	check(!r.p && !r.cap);
}

int main(void)
{
	test(there_is_room());
	return 0;
}
