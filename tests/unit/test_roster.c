/* Rosters: what a worker is, who wins, and what stops a start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "lh_roster.h"

static char dir[] = "/tmp/lh-test-roster-XXXXXX";
static char path[64];
static struct lh_err err;

static void write_file(const char *name, const void *p, size_t n)
{
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	check(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

static struct lh_roster *lines(const char *text)
{
	struct lh_roster *r;

	write_file("r.jsonl", text, strlen(text));
	r = lh_roster_open(path, 2, &err);
	check_why(r, err.msg);
	return r;
}

static bool is(struct lh_str s, const char *want)
{
	return s.n == strlen(want) && !memcmp(s.p, want, s.n);
}

static int find(const struct lh_roster *r, const char *id, struct lh_worker *w)
{
	static struct lh_buf scratch = { .max = LH_BUF_NOMAX };

	return lh_roster_find(r, id, strlen(id), &scratch, w, &err);
}

static void a_worker_has_what_its_line_says(void)
{
	struct lh_worker w;
	struct lh_roster *r = lines("{\"candidate_id\":\" W-1 \",\"name\":\"Jos\\u00e9\",\"status\":\"inactive\",\"city\":\" Toledo\",\"state\":\"OH\","
				    "\"role\":\"Welder\",\"skills\":[1],\"blacklisted_clients\":[\" ACME \",\"\",null,\"B\\u0026B\"]}\n"
				    "{\"candidate_id\":\"W-2\",\"name\":\"Ann\",\"status\":null,\"city\":\"\",\"state\":\" \",\"blacklisted_clients\":null}");

	check(lh_roster_count(r) == 2);
	check(find(r, "\tw-1", &w) == 1);
	check(is(w.candidate_id, "W-1") && is(w.name, "José") && is(w.status, "inactive"));
	check(is(w.city, " Toledo") && is(w.state, "OH") && is(w.role, "Welder"));
	check(lh_worker_blacklisted(&w, "acme", 4));
	check(lh_worker_blacklisted(&w, " b&b\n", 5));
	check(!lh_worker_blacklisted(&w, "acm", 3));
	check(!lh_worker_blacklisted(&w, "", 0));
	check(find(r, "W-2", &w) == 1);
	check(is(w.name, "Ann") && !w.status.n && !w.city.n && !w.state.n && !w.role.n && !w.blacklist_n);
	check(!lh_worker_blacklisted(&w, "acme", 4));
	check(find(r, "W-3", &w) == 0);
	check(find(r, " ", &w) == 0);
	lh_roster_close(r);
}

int main(void)
{
	check(mkdtemp(dir));
	a_worker_has_what_its_line_says();
	unlink(path);
	rmdir(dir);
	return 0;
}
