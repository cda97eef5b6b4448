/* lh_lru: which entries are kept and which are removed. */
#undef NDEBUG
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

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

static void *make_it(void *arg)
{
	struct timespec pause = { 0, 20000000 };

	nanosleep(&pause, NULL);
	put(arg, 1, 10);
	return NULL;
}

static void a_promised_value_is_waited_for(void)
{
	struct lh_lru *l = lh_lru_new(4);
	unsigned char key[32];
	struct lh_buf out = { 0 };
	pthread_t other;

	key_number(1, key);
	assert(lh_lru_claim(l, key, &out) == LH_LRU_MINE);
	assert(lh_lru_claim(l, key, &out) == LH_LRU_BUSY);
	assert(get(l, 1) == -1 && !out.len);
	assert(pthread_create(&other, NULL, make_it, l) == 0);
	assert(lh_lru_wait(l, key, &out) && out.len == sizeof(unsigned));
	pthread_join(other, NULL);
	assert(lh_lru_claim(l, key, &out) == LH_LRU_HIT);

	key_number(2, key);
	assert(lh_lru_claim(l, key, &out) == LH_LRU_MINE);
	lh_lru_drop(l, key);
	assert(!lh_lru_wait(l, key, &out));
	assert(lh_lru_claim(l, key, &out) == LH_LRU_MINE);
	lh_lru_drop(l, key);
	put(l, 3, 30);
	put(l, 4, 40);
	put(l, 5, 50);
	put(l, 6, 60);
	assert(!lh_lru_wait(l, key, &out));	/* it was removed */
	lh_buf_free(&out);
	lh_lru_free(l);
}

static void a_promise_gives_way_to_nothing(void)
{
	struct lh_lru *l = lh_lru_new(2);
	unsigned char first[32], second[32], third[32];
	struct lh_buf out = { 0 };

	key_number(1, first);
	key_number(2, second);
	key_number(3, third);
	assert(lh_lru_claim(l, first, &out) == LH_LRU_MINE);
	put(l, 4, 40);
	put(l, 5, 50);		/* instead of 4, which is newer than the promise */
	assert(get(l, 4) == -1 && get(l, 5) == 50);
	assert(lh_lru_claim(l, first, &out) == LH_LRU_BUSY);
	assert(lh_lru_claim(l, second, &out) == LH_LRU_MINE);
	assert(get(l, 5) == -1 && lh_lru_count(l) == 2);

	assert(lh_lru_claim(l, third, &out) == LH_LRU_ALONE);
	assert(lh_lru_claim(l, third, &out) == LH_LRU_ALONE);
	assert(!lh_lru_wait(l, third, &out));
	put(l, 3, 30);		/* there is no room */
	assert(get(l, 3) == -1);

	lh_lru_drop(l, second);
	assert(lh_lru_claim(l, third, &out) == LH_LRU_MINE);
	assert(lh_lru_claim(l, first, &out) == LH_LRU_BUSY);
	put(l, 1, 10);
	put(l, 3, 30);
	assert(get(l, 1) == 10 && get(l, 3) == 30);
	assert(!out.len);
	lh_buf_free(&out);
	lh_lru_free(l);
}

int main(void)
{
	test(a_promised_value_is_waited_for());
	test(a_promise_gives_way_to_nothing());
	test(the_one_used_longest_ago_gives_way());
	test(many_stay_findable());
	test(none_keeps_none());
	test(spaces_do_not_mix());
	return 0;
}
