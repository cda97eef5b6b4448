/* roster.c - measure lh_roster: opening FILE, and FINDS look-ups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "validate/roster.h"
#include "base/time.h"

struct id {
	char text[16];
};

/* Return the seconds per look-up; all ids must be found. */
static double look_up(const struct lh_roster *r, const struct id *ids, unsigned n)
{
	struct lh_buf scratch = { 0 };
	double from = lh_time_monotonic();
	struct lh_worker w;
	struct lh_err err;
	unsigned i;

	for (i = 0; i < n; i++)
		if (lh_roster_find(r, ids[i].text, strlen(ids[i].text), &scratch, &w, &err) != 1)
			exit(1);
	lh_buf_free(&scratch);
	return (lh_time_monotonic() - from) / n;
}

/* Make ids of generated workers from the whole roster. */
static struct id *make_ids(unsigned n, unsigned workers)
{
	struct id *ids = calloc(n, sizeof *ids);
	unsigned i, at = 1;

	for (i = 0; ids && i < n; i++) {
		at = at * 1664525u + 1013904223u;
		snprintf(ids[i].text, sizeof ids[i].text, "w-%u", 1 + (at >> 8) % workers);
	}
	return ids;
}

int main(int argc, char **argv)
{
	unsigned jobs = argc > 2 ? (unsigned)atoi(argv[2]) : 1,
		 n = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	double from = lh_time_monotonic();
	struct lh_roster *r;
	struct lh_err err;
	struct id *ids;

	r = argc > 1 ? lh_roster_open(argv[1], jobs, &err) : NULL;
	if (!r) {
		fprintf(stderr, "%s\n", argc > 1 ? err.msg : "roster FILE [JOBS [FINDS]]");
		return 1;
	}
	printf("open %.6f\n", lh_time_monotonic() - from);
	ids = n ? make_ids(n, (unsigned)lh_roster_count(r)) : NULL;
	if (ids) {
		printf("find %.1f\n", look_up(r, ids, n) * 1e9);
		/* for an index: the first id that needs the table */
		memcpy(ids[0].text, "W", 1);
		from = lh_time_monotonic();
		look_up(r, ids, 1);
		printf("first %.6f\n", lh_time_monotonic() - from);
	}
	free(ids);
	lh_roster_close(r);
	return 0;
}
