/* lh_shard: what "I/N" is read as, and that each row is in one shard. */
#undef NDEBUG
#include <assert.h>
#include <stdio.h>

#include "check.h"
#include "base/xxh3.h"

static void test_reading(void)
{
	static const char *const bad[] = { "", "/", "1", "1/", "/2", "2/2", "3/2", "-1/2", "+1/2",
					   " 1/2", "1/2 ", "1/2/3", "0/0", "0/65537", "1.0/2",
					   "0x1/2", "18446744073709551616/18446744073709551617" };
	struct lh_shard s = { 7, 9 };
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert(lh_shard_read(bad[i], &s) == -1 && s.i == 7 && s.n == 9);
	assert(lh_shard_read("0/1", &s) == 0 && s.i == 0 && s.n == 1);
	assert(lh_shard_read("65535/65536", &s) == 0 && s.i == 65535 && s.n == 65536);
	assert(lh_shard_read("003/08", &s) == 0 && s.i == 3 && s.n == 8);
}

static void test_each_row_is_in_one_shard(void)
{
	uint64_t n, in[7] = { 0 };
	unsigned row;

	for (row = 0; row < 7000; row++) {
		char id[16];
		size_t len = (size_t)snprintf(id, sizeof id, "w-%u", row);
		unsigned found = 0;
		struct lh_shard s = { 0, 7 };

		for (; s.i < 7; s.i++) {
			bool has = lh_shard_has(&s, id, len);

			found += has;
			in[s.i] += has;
			assert(has == (lh_shard_of(id, len, 7) == s.i));
		}
		assert(found == 1);
	}
	for (n = 0; n < 7; n++)
		assert(in[n] > 850 && in[n] < 1150);
}

static void test_known_answers(void)
{
	/* XXH3 of "" is 2d06800538d394c2, of "abc" 78af5f94892f3950 */
	assert(lh_shard_of("", 0, 1000) == 0x2d06800538d394c2 % 1000);
	assert(lh_shard_of("abc", 3, 8) == 0);
	assert(lh_shard_has(&(struct lh_shard){ 0 }, "abc", 3));
	assert(lh_shard_has(&(struct lh_shard){ 0, 1 }, "abc", 3));
	assert(!lh_shard_has(&(struct lh_shard){ 1, 8 }, "abc", 3));
}

int main(void)
{
	test(test_reading());
	test(test_each_row_is_in_one_shard());
	test(test_known_answers());
	return 0;
}
