/* Rows of the session log: their bytes, the truncated prompt, generated ids. */
#include <pthread.h>

#include "check.h"
#include "memory/session.h"

#define THREADS 4
#define IDS 2000

static void a_prompt_is_cut_by_code_points(void)
{
	char text[LH_SESSION_PROMPT * 4 + 8];
	size_t i;

	for (i = 0; i < LH_SESSION_PROMPT + 1; i++)
		memcpy(text + 4 * i, "\xf0\x9f\x98\x80", 4);
	check(lh_session_prompt(text, 4 * (LH_SESSION_PROMPT + 1)).n == 4 * LH_SESSION_PROMPT);
	check(lh_session_prompt(text, 4 * LH_SESSION_PROMPT).n == 4 * LH_SESSION_PROMPT);
	check(lh_session_prompt(text, 8).n == 8);
	check(lh_session_prompt("", 0).n == 0);
}

static void *mint(void *arg)
{
	char (*ids)[LH_SESSION_ID] = arg;
	int i;

	for (i = 0; i < IDS; i++)
		lh_session_mint(ids[i]);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return memcmp(a, b, LH_SESSION_ID);
}

static void ids_ascend_and_are_never_equal(void)
{
	static char ids[THREADS][IDS][LH_SESSION_ID];
	char (*all)[LH_SESSION_ID] = ids[0];
	pthread_t t[THREADS];
	int i, j;

	for (i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], NULL, mint, ids[i]) == 0);
	for (i = 0; i < THREADS; i++)
		check(pthread_join(t[i], NULL) == 0);
	for (i = 0; i < THREADS; i++)
		for (j = 1; j < IDS; j++)
			check(memcmp(ids[i][j - 1], ids[i][j], 16) < 0);
	qsort(all, THREADS * IDS, sizeof *all, by_text);
	for (i = 0; i < THREADS * IDS; i++) {
		check(strlen(all[i]) == 25 && all[i][16] == '-');
		check(strspn(all[i], "0123456789abcdef") == 16 &&
		      strspn(all[i] + 17, "0123456789abcdef") == 8);
		check(i == 0 || memcmp(all[i - 1], all[i], 16) < 0);
	}
}

static void a_clock_that_stands_numbers_its_ids(void)
{
	char id[LH_SESSION_ID];

	lh_session_mint_at(id, INT64_C(1777809600000), 1);
	check_why(strcmp(id, "18ac0c6976478000-00000001") == 0, id);
	lh_session_mint_at(id, 0, 0x123456789u);
	check_why(strcmp(id, "0000000000000000-23456789") == 0, id);
}

int main(void)
{
	test(a_prompt_is_cut_by_code_points());
	test(ids_ascend_and_are_never_equal());
	test(a_clock_that_stands_numbers_its_ids());
	return 0;
}
