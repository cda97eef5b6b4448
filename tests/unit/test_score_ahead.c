/* lh_score_ahead: what is scored while it is collected is what would be scored
 * from the file, and counts only if the file still is what was scored. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "distill/receipt.h"
#include "distill/score_ahead.h"

#define AT "2026-05-03T12:00:00.000Z"
#define SOURCE "data/_kb/audits.jsonl"
#define EVIDENCE "data/evidence/2026/05/03/audits.jsonl"
#define SCORED "data/scored-runs/2026/05/03/audits.jsonl"
#define ROWS 3

static struct lh_err err;
static char want[4096], got[4096];	/* mirrors */

static void put(const char *path, const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void get(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "r");

	check(f);
	to[fread(to, 1, size - 1, f)] = '\0';
	check(strlen(to) < size - 1 && fclose(f) == 0);
}

/* A root with a source of three rows, one of which comes twice. */
static void fresh(void)
{
	int i;

	check(system("rm -rf data reports && mkdir -p data/_kb") == 0);
	for (i = 0; i < ROWS + 1; i++) {
		char row[256];

		snprintf(row, sizeof row, "{\"finding_id\":\"f\\u00e9-%d\",\"phase\":4,\"ts\":\"" AT "\",\"severity\":\"%s\",\"evidence\":\"a \\\"b\\\"\"}\n",
			 i % ROWS, i % ROWS ? "info" : "high");
		put(SOURCE, "a", row);
	}
}

static void nothing(void)
{
}

static void a_line_more(void)
{
	static char line[4096];

	get(EVIDENCE, line, sizeof line);
	*strchr(line, '\n') = '\0';
	memcpy(strstr(line, "\"sig_hash\":\"") + 12, "0123456789", 10);
	put(EVIDENCE, "a", line);
}

static void another_verdict(void)
{
	static char all[4096];

	get(EVIDENCE, all, sizeof all);
	memcpy(strstr(all, "audit_severity_info"), "audit_severity_high", 19);
	put(EVIDENCE, "w", all);
}

/* Somebody who asks for no lock has scored the first row. */
static void a_mirror(void)
{
	char *end = strchr(want, '\n');

	check(end && system("mkdir -p data/scored-runs/2026/05/03") == 0);
	end[1] = '\0';
	put(SCORED, "w", want);
}

/* Something that is no scored run of these rows, and must not be lost. */
static void another_mirror(void)
{
	char *sig;

	a_mirror();
	get(SCORED, want, sizeof want);
	sig = strstr(want, "\"sig_hash\":\"");
	check(sig);
	memcpy(sig + 12, "0123456789", 10);
	put(SCORED, "w", want);
}

static void an_old_mirror(void)
{
	put(SCORED, "w", want);
}

/* Collect, let something happen, score; whole or stage by stage.  The mirror
 * goes to text; was it scored ahead? */
static bool run(bool whole, void (*meanwhile)(void), uint64_t written, char *text)
{
	struct lh_run *r = lh_run_open(&(struct lh_run_how){ .recorded_at = AT, .run_id = "r", .whole = whole }, NULL, &err);
	struct lh_stage_result res;
	bool ahead;

	check_why(r && lh_stage_collect(r, &res, NULL, &err) == 0 && res.accepted == written, err.msg);
	lh_stage_done(&res);
	ahead = r->ahead != NULL;
	check(access(SCORED, F_OK) < 0 || meanwhile == an_old_mirror);
	meanwhile();
	check_why(lh_stage_score(r, &res, &err) == 0, err.msg);
	lh_stage_done(&res);
	lh_run_close(r);
	get(SCORED, text, sizeof got);
	return ahead;
}

static void comes_to_the_same(void (*meanwhile)(void))
{
	fresh();
	check(!run(false, meanwhile, ROWS, want));
	fresh();
	check(run(true, meanwhile, ROWS, got));
	check_why(!strcmp(want, got), got);
	check(system("test -z \"$(find . -name '.*lh-tmp*')\"") == 0);
}

/* Rows that are on file may be scored already: then the file is read. */
static void not_where_something_is_on_file(void)
{
	fresh();
	check(run(true, nothing, ROWS, want));
	put(SOURCE, "a", "{\"finding_id\":\"g\",\"phase\":4,\"ts\":\"" AT "\",\"severity\":\"low\"}\n");
	check(!run(true, an_old_mirror, 1, got));
	check(strlen(got) > strlen(want) && !strncmp(got, want, strlen(want)));
	check(unlink(EVIDENCE) == 0);
	check(!run(true, an_old_mirror, ROWS + 1, got));
	check(!strncmp(got, want, strlen(want)) && strchr(got + strlen(want), '\n'));
}

static void a_mirror_of_others_stays(void)
{
	static char all[sizeof want];

	fresh();
	check(run(true, nothing, ROWS, all));
	memcpy(want, all, sizeof want);
	fresh();
	check(run(true, a_mirror, ROWS, got));
	check_why(!strcmp(got, all), got);
	memcpy(want, all, sizeof want);
	fresh();
	check(run(true, another_mirror, ROWS, got));
	check_why(!strncmp(got, want, strlen(want)) && !strcmp(got + strlen(want), all), got);
}

int main(void)
{
	char dir[] = "/tmp/lh-test-ahead.XXXXXX";

	check(mkdtemp(dir) && chdir(dir) == 0);
	test(comes_to_the_same(nothing));
	test(comes_to_the_same(a_line_more));
	test(comes_to_the_same(another_verdict));
	test(not_where_something_is_on_file());
	test(a_mirror_of_others_stays());
	check(chdir("/") == 0);
	check_end();
	return execlp("rm", "rm", "-rf", dir, (char *)NULL);
}
