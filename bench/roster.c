/* roster.c - what lh_roster costs: load FILE, then look workers up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lh_roster.h"
#include "lh_time.h"

#define FINDS 5000000u

/* ns for a look-up of ids from all over the roster, with their case changed. */
static double look_up(const struct lh_roster *r, unsigned n)
{
	struct lh_worker w;
	struct lh_buf scratch;
	struct lh_err err;
	char id[32];
	unsigned i, at = 1;
	size_t found = 0;
	double from;

	lh_buf_init(&scratch, LH_BUF_NOMAX);
	from = lh_time_monotonic();
	for (i = 0; i < FINDS; i++) {
		at = at * 1664525u + 1013904223u;
		found += (size_t)lh_roster_find(r, id, (size_t)snprintf(id, sizeof id, "w-%u", at % n), &scratch, &w, &err);
	}
	from = lh_time_monotonic() - from;
	lh_buf_free(&scratch);
	fprintf(stderr, "found %zu of %u, ", found, FINDS);
	return from / FINDS * 1e9;
}

int main(int argc, char **argv)
{
	unsigned jobs = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	double from = lh_time_monotonic();
	struct lh_roster *r;
	struct lh_err err;

	r = argc > 1 ? lh_roster_open(argv[1], jobs, &err) : NULL;
	if (!r) {
		fprintf(stderr, "%s\n", argc > 1 ? err.msg : "FILE [JOBS [find]]");
		return 1;
	}
	fprintf(stderr, "%.3f s, %llu workers\n", lh_time_monotonic() - from, (unsigned long long)lh_roster_count(r));
	if (argc > 3)
		fprintf(stderr, "%.0f ns a look-up\n", look_up(r, (unsigned)lh_roster_count(r)));
	lh_roster_close(r);
	return 0;
}
