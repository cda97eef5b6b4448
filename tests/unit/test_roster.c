/* Rosters: what a worker is, which line counts, and what ends the opening. */
#include <pthread.h>

#define PATH "roster.data"
#include "index_make.h"
#include "validate/roster.h"

static struct lh_buf scratch;

static struct lh_roster *lines(const char *text)
{
	struct lh_roster *r;

	check_put("r.jsonl", text);
	r = lh_roster_open("r.jsonl", 2, &err);
	check_why(r, err.msg);
	return r;
}

static bool is(struct lh_str s, const char *want)
{
	return s.n == strlen(want) && !memcmp(s.p, want, s.n);
}

static int find(const struct lh_roster *r, const char *id, struct lh_worker *w)
{
	return lh_roster_find(r, id, strlen(id), &scratch, w, &err);
}

static void a_worker_has_what_its_line_says(void)
{
	struct lh_worker w;
	struct lh_roster *r =
		lines("{\"candidate_id\":\" W-1 \",\"name\":\"Jos\\u00e9\","
		      "\"status\":\"inactive\",\"city\":\" Toledo\",\"state\":\"OH\","
				    "\"role\":\"Welder\",\"skills\":[1],"
				    "\"blacklisted_clients\":[\" ACME \",\"\",null,"
				    "\"B\\u0026B\"]}\n"
				    "{\"candidate_id\":\"W-2\",\"name\":\"Ann\",\"status\":null,"
				    "\"city\":\"\",\"state\":\" \",\"blacklisted_clients\":null}");

	check(lh_roster_count(r) == 2);
	check(find(r, "\tw-1", &w) == 1);
	check(is(w.candidate_id, "W-1") && is(w.name, "José") && is(w.status, "inactive"));
	check(is(w.city, " Toledo") && is(w.state, "OH") && is(w.role, "Welder"));
	check(lh_worker_blacklisted(&w, "acme", 4));
	check(lh_worker_blacklisted(&w, " b&b\n", 5));
	check(!lh_worker_blacklisted(&w, "acm", 3));
	check(!lh_worker_blacklisted(&w, "", 0));
	check(find(r, "W-2", &w) == 1);
	check(is(w.name, "Ann") && !w.status.n && !w.city.n && !w.state.n && !w.role.n &&
	      !w.blacklist_n);
	check(!lh_worker_blacklisted(&w, "acme", 4));
	check(find(r, "W-3", &w) == 0);
	check(find(r, " ", &w) == 0);
	lh_roster_close(r);
}

static void only_ascii_letters_fold(void)
{
	struct lh_worker w;
	struct lh_roster *r = lines("{\"candidate_id\":\"É[K]@\",\"name\":\"A\"}");

	check(find(r, "É[k]@", &w) == 1);
	check(find(r, "é[k]@", &w) == 0);
	check(find(r, "É{k}@", &w) == 0);
	check(find(r, "É[k]`", &w) == 0);
	lh_roster_close(r);
}

static void ids_have_a_longest_length(void)
{
	char text[LH_ID_MAX + 64], id[LH_ID_MAX + 2];
	struct lh_worker w;
	struct lh_roster *r;

	memset(id, 'X', sizeof id);
	id[LH_ID_MAX] = '\0';
	snprintf(text, sizeof text, "{\"candidate_id\":\"%s\",\"name\":\"A\"}", id);
	r = lines(text);
	id[3] = 'x';
	check(find(r, id, &w) == 1 && w.candidate_id.n == LH_ID_MAX);
	id[LH_ID_MAX] = 'X';
	id[LH_ID_MAX + 1] = '\0';
	check(find(r, id, &w) == 0);
	lh_roster_close(r);
}

/* Strings whose lengths need two and three bytes. */
static void long_strings_come_back_whole(void)
{
	enum { N = 40000 };
	char *text = malloc(2 * N), *name = malloc(N), city[200];
	struct lh_worker w;
	struct lh_roster *r;

	check(text && name);
	memset(name, 'n', N - 1);
	name[N - 1] = '\0';
	memset(city, 'c', 128);
	city[128] = '\0';
	snprintf(text, 2 * N,
		 "{\"candidate_id\":\"1\",\"name\":\"%s\",\"city\":\"%s\","
		 "\"blacklisted_clients\":[\"%s\",\"Z\"]}", name, city, city);
	r = lines(text);
	check(find(r, "1", &w) == 1 && is(w.name, name) && is(w.city, city));
	check(lh_worker_blacklisted(&w, city, 128) && lh_worker_blacklisted(&w, "z", 1));
	lh_roster_close(r);
	free(text);
	free(name);
}

#define A_WORKER "{\"candidate_id\":\"W-1\",\"name\":\"A\"}\n"

static void a_bad_line_stops_the_start(void)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
		{ "{\"name\":\"A\"}", ":3: missing \"candidate_id\" (string)" },
		{ "{\"candidate_id\":null,\"name\":\"A\"}",
		  ":3: missing \"candidate_id\" (string)" },
		{ "{\"candidate_id\":\" \\t\",\"name\":\"A\"}",
		  ":3: missing \"candidate_id\" (string)" },
		{ "{\"candidate_id\":7,\"name\":\"A\"}", ":3: \"candidate_id\" must be a string" },
		{ "{\"candidate_id\":\"W-2\"}", ":3: missing \"name\" (string)" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"\"}", ":3: \"name\" must not be empty" },
		{ "{\"candidate_id\":\"W-2\",\"name\":[\"A\"]}", ":3: \"name\" must be a string" },
		{ " {\"candidate_id\":\"W-2\",\"name\":\"A\",\"status\":true}",
		  ":3: \"status\" must be a string" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"city\":{}}",
		  ":3: \"city\" must be a string" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"state\":1}",
		  ":3: \"state\" must be a string" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"role\":[]}",
		  ":3: \"role\" must be a string" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"blacklisted_clients\":\"C\"}",
		  ":3: \"blacklisted_clients\" must be an array of strings or nulls" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"blacklisted_clients\":[\"C\",1]}",
		  ":3: blacklisted_clients[1] must be a string or null" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\",\"name\":\"B\"}",
		  ":3:34: duplicate key \"name\"" },
		{ "[\"W-2\",\"A\"]", ":3: not a JSON object" },
		{ "W-2,A", ":3:1: expected a value" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"A\"", ":3:33: unexpected end of line" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"\xff\"}", ":3:31: invalid UTF-8" },
		{ "{\"candidate_id\":\"W-2\",\"name\":\"\\ud800\"}",
		  ":3:31: lone surrogate in string" },
	};
	char text[512], want[256];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, A_WORKER "\n%s\n{\n", bad[i].line);
		check_put("bad.jsonl", text);
		check_why(!lh_roster_open("bad.jsonl", 2, &err), bad[i].line);
		snprintf(want, sizeof want, "bad.jsonl%s", bad[i].why);
		check_why(err.code == LH_EDATA && !strcmp(err.msg, want), err.msg);
	}
}

/* ---- many lines, several threads ---- */

#define MANY 100000u

static void of_many_lines_the_first_bad_one_is_named(void)
{
	FILE *f = fopen("many.jsonl", "w");
	unsigned i;

	for (i = 0; i < MANY; i++) {
		fprintf(f, "{\"candidate_id\":\"W-%u\"", i);
		if (i != 60000 && i != 60001 && i != 99999)
			fprintf(f, ",\"name\":\"Name %u\",\"text\":\"words of nobody\"", i);
		fprintf(f, "}\n");
	}
	check(fclose(f) == 0);
	for (i = 1; i <= 4; i++) {
		check(!lh_roster_open("many.jsonl", i, &err));
		check_why(!strcmp(err.msg, "many.jsonl:60001: missing \"name\" (string)"), err.msg);
	}
}

/* ---- an index ---- */

static const char *const rows[][2] = {
	{ "W-1",
	  "{\"candidate_id\":\"W-1\",\"name\":\"A\",\"city\":\"Tol\\u0065do\","
	  "\"blacklisted_clients\":[\"X\"]}" },
	{ "row2", "{\"candidate_id\":\"W-2\",\"name\":\"B\"}" },
	{ "W-3", "{\"name\":\"C\"}" },
	{ "W-4", "{\"candidate_id\":\"W-44\",\"name\":\"D\"}" },
	{ "W-5", "{\"candidate_id\":\"W-5\",\"name\":\"E\"}" },
	{ "W-6", "{\"candidate_id\":\"W-6\",\"name\":\"F\"}" },
	{ "row7", "{\"candidate_id\":\"w-2\",\"name\":\"G\"}" },
	{ "last", "{\"candidate_id\":\"W-9\"}" },	/* no worker: of some indexes alone */
};
enum { WORKERS = sizeof rows / sizeof *rows - 1 };

static struct index_row row_of(const char *id, const char *meta)
{
	struct index_row r = { .v = { 1, 2 }, .dim = 2, .meta = meta };

	snprintf(r.id, sizeof r.id, "%s", id);
	return r;
}

static void known_row(struct index_row *r, unsigned i)
{
	*r = row_of(rows[i][0], rows[i][1]);
}

static void build(unsigned n)
{
	struct lh_index_params p;

	lh_index_params_default(&p);
	index_build(&p, known_row, 0, n, 1);
}

static struct lh_roster *open_index(void)
{
	struct lh_roster *r = lh_roster_open(PATH, 1, &err);

	check_why(r, err.msg);
	return r;
}

static void pending_rows_of_an_index_count(void)
{
	const struct index_row put[] = {
		row_of("W-6", "{\"candidate_id\":\"W-6\",\"name\":\"New\"}"),
		row_of("row8", "{\"candidate_id\":\"W-2\",\"name\":\"Newer\"}"),
		row_of("W-1", NULL),
	};
	struct lh_index_change *c;
	struct lh_worker w;
	struct lh_roster *r;

	build(WORKERS);
	c = index_begin();
	check(lh_index_change_delete(c, "W-5", 3, &err) == 0);
	for (size_t i = 0; i < 3; i++)
		index_put(c, &put[i]);
	check(lh_index_change_delete(c, "row7", 4, &err) == 0);
	index_end(c);
	r = open_index();
	check(lh_roster_count(r) == 6);
	check(find(r, "W-6", &w) == 1 && is(w.name, "New"));
	check(find(r, "W-5", &w) == 0);
	check(find(r, "w-5", &w) == 0);
	check(find(r, "w-6", &w) == 1 && is(w.name, "New"));
	check(find(r, "W-2", &w) == 1 && is(w.name, "Newer"));
	check(find(r, "W-1", &w) == 1 && is(w.name, "A"));
	check(find(r, "w-1", &w) == 1 && is(w.name, "A"));
	lh_roster_close(r);
	check(unlink(LOG_PATH) == 0);
}

static void a_row_that_is_no_worker_is_no_miss(void)
{
	struct lh_worker w;
	struct lh_roster *r;

	build(WORKERS + 1);
	r = open_index();
	check(find(r, "W-1", &w) == 1);
	check(find(r, "last", &w) == -1);
	check_why(
		err.code == LH_ECORRUPT &&
			strstr(err.msg,
			       PATH ": metadata of id \"last\": missing \"name\" (string)"),
		err.msg);
	check(find(r, "W-99", &w) == -1 && find(r, "W-2", &w) == -1);
	check_why(err.code == LH_ECORRUPT && strstr(err.msg, "metadata of id \"last\""), err.msg);
	check(find(r, "W-1", &w) == 1);
	lh_roster_close(r);
}

/* Every byte of ids, hash and metadata, damaged in turn: the index then gives a
 * worker or an error, and never reports that there is none. */
static void a_damaged_index_never_misses(void)
{
	static const char *const ids[] = { "W-1", "w-1", "w-2", "W-3", "W-44", "W-6" };
	unsigned tried = 0, errors = 0;
	struct lh_roster *r;
	struct lh_worker w;
	size_t size, at, i;
	char *p;

	build(WORKERS);
	p = check_read(PATH, &size);
	check(size > 4096);
	for (at = 0; at < size; at++) {
		if (!p[at] && at % 16)
			continue;
		p[at] ^= 1 << at % 8;
		check_write(PATH, p, size);
		p[at] ^= 1 << at % 8;
		tried++;
		r = lh_roster_open(PATH, 1, &err);
		for (i = 0; r && i < sizeof ids / sizeof *ids; i++) {
			int got = find(r, ids[i], &w);

			errors += got < 0;
			check_why(got == 1 || (got == -1 && err.code == LH_ECORRUPT), ids[i]);
		}
		check_why(r || at < 8 || err.code == LH_ECORRUPT, err.msg);
		lh_roster_close(r);
	}
	check(tried > 1000 && errors > 1000);
	free(p);
}

static void *ask(void *roster)
{
	struct lh_buf own = { 0 };
	struct lh_worker w;
	struct lh_err e;
	bool good = lh_roster_find(roster, "w-6", 3, &own, &w, &e) == 1 && is(w.name, "F");

	good = lh_roster_find(roster, "W-1", 3, &own, &w, &e) == 1 && is(w.name, "A") && good;
	good = lh_roster_find(roster, "nobody", 6, &own, &w, &e) == 0 && good;
	lh_buf_free(&own);
	return good ? roster : NULL;
}

static void threads_may_miss_at_once(void)
{
	struct lh_roster *r;
	pthread_t t[4];
	size_t i;
	void *good;

	build(WORKERS);
	r = open_index();
	for (i = 0; i < 4; i++)
		check(pthread_create(&t[i], NULL, ask, r) == 0);
	for (i = 0; i < 4; i++)
		check(pthread_join(t[i], &good) == 0 && good);
	lh_roster_close(r);
}

int main(void)
{
	check_folder();
	test(a_worker_has_what_its_line_says());
	test(only_ascii_letters_fold());
	test(ids_have_a_longest_length());
	test(long_strings_come_back_whole());
	test(a_bad_line_stops_the_start());
	test(of_many_lines_the_first_bad_one_is_named());
	test(pending_rows_of_an_index_count());
	test(a_row_that_is_no_worker_is_no_miss());
	test(a_damaged_index_never_misses());
	test(threads_may_miss_at_once());
	return 0;
}
