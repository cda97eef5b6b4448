/* lh_lru: which entries are kept and which are removed. */
#undef NDEBUG
#include <assert.h>

#include "check.h"
#include "crypto/digest.h"
#include "../../tools/lh-embed/lru.c"

static void key_number(unsigned n, unsigned char key[32])
{
	char text[16];

	lh_lru_key("m", text, (size_t)snprintf(text, sizeof text, "%u", n), key);
}

static void put(struct lh_lru *l, unsigned n, unsigned value)
{
	unsigned char key[32];

	key_number(n, key);
	lh_lru_put(l, key, &value, sizeof value);
}

/* Return the value of n, or -1. */
static long get(struct lh_lru *l, unsigned n)
{
	unsigned char key[32];
	struct lh_buf out = { 0 };
	unsigned value = 0;
	bool hit;

	key_number(n, key);
	hit = lh_lru_get(l, key, &out);
	if (hit) {
		assert(out.len == sizeof value);
		memcpy(&value, out.p, sizeof value);
	}
	lh_buf_free(&out);
	return hit ? (long)value : -1;
}

static void the_one_used_longest_ago_gives_way(void)
{
	struct lh_lru *l = lh_lru_new(3);

	put(l, 1, 10);
	put(l, 2, 20);
	put(l, 3, 30);
	assert(get(l, 1) == 10);
	put(l, 4, 40);
	assert(get(l, 2) == -1);
	assert(get(l, 1) == 10 && get(l, 3) == 30 && get(l, 4) == 40);
	put(l, 1, 11);
	put(l, 5, 50);
	assert(get(l, 1) == 11 && get(l, 3) == -1);
	lh_lru_free(l);
}

static void many_stay_findable(void)
{
	struct lh_lru *l = lh_lru_new(1000);
	unsigned i;

	for (i = 0; i < 5000; i++) {
		put(l, i, i * 7);
		assert(get(l, i) == (long)i * 7);
	}
	for (i = 0; i < 5000; i++)
		assert(get(l, i) == (i < 4000 ? -1 : (long)i * 7));
	lh_lru_free(l);
}

static void none_keeps_none(void)
{
	struct lh_lru *l = lh_lru_new(0);

	put(l, 1, 1);
	assert(get(l, 1) == -1);
	lh_lru_free(l);
}

static void spaces_do_not_mix(void)
{
	unsigned char a[32], b[32];

	lh_lru_key("m", "xy", 2, a);
	lh_lru_key("mx", "y", 1, b);
	assert(!lh_const_eq(a, b, 32));
}

int main(void)
{
	test(the_one_used_longest_ago_gives_way());
	test(many_stay_findable());
	test(none_keeps_none());
	test(spaces_do_not_mix());
	return 0;
}
