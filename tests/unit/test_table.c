/* lh_table: after any order of changes it knows the keys that are there. */
#include "check.h"
#include "base/table.h"

#define KEYS 300
#define CHANGES 200000

static char name[KEYS][8];
static int number[KEYS];	/* that key has it; -1: it is not there */
static int key_at[KEYS];	/* of an entry */

static struct lh_str key(uint32_t i)
{
	return (struct lh_str){ name[i], strlen(name[i]) };
}

static struct lh_str key_of(const void *ctx, uint32_t i)
{
	(void)ctx;
	return key((uint32_t)key_at[i]);
}

static void check_all(const struct lh_table *t)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < KEYS; i++) {
		check(lh_table_find(t, key(i), key_of, NULL) == number[i]);
		n += number[i] >= 0;
	}
	check(t->n == n);
}

static void changes_in_any_order(void)
{
	struct lh_table t = { .n = 0 }, copy = { .n = 0 };
	uint32_t i, k;

	for (i = 0; i < KEYS; i++) {
		snprintf(name[i], sizeof name[i], "k%u", i);
		number[i] = -1;
		key_at[i] = (int)i;
	}
	check_all(&t);
	for (i = 0; i < CHANGES; i++) {
		k = (uint32_t)rand() % KEYS;
		if (rand() % 2) {
			lh_table_set(&t, key(k), k, key_of, NULL);
			number[k] = (int)k;
		} else {
			lh_table_remove(&t, key(k), key_of, NULL);
			number[k] = -1;
		}
		if (i % 1000 == 0)
			check_all(&t);
	}
	check_all(&t);
	lh_table_copy(&copy, &t);
	lh_table_clear(&t);
	check_all(&copy);
	for (i = 0; i < KEYS; i++)
		check(lh_table_find(&t, key(i), key_of, NULL) == -1);
	lh_table_free(&t);
	lh_table_free(&copy);
}

/* The key has another entry from then on. */
static void a_key_moves(void)
{
	struct lh_table t = { .n = 0 };

	key_at[7] = 3;
	lh_table_set(&t, key(3), 3, key_of, NULL);
	lh_table_set(&t, key(3), 7, key_of, NULL);
	check(t.n == 1 && lh_table_find(&t, key(3), key_of, NULL) == 7);
	lh_table_free(&t);
}

int main(void)
{
	test(changes_in_any_order());
	test(a_key_moves());
	return 0;
}
