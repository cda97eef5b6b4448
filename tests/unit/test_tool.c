/* The parts below the frame: times, and children that answer. */
#include <signal.h>

#include "check.h"
#include "proc/coproc.h"
#include "base/time.h"

static struct lh_err err;

static void time_is(const char *text, const char *want)
{
	char out[32] = "";
	int64_t ms;

	if (lh_time_read(text, strlen(text), &ms) == 0)
		lh_time_print(ms, out);
	if (strcmp(out, want))
		fprintf(stderr, "%s: %s, not %s\n", text, out, want);
	check(strcmp(out, want) == 0);
}

static void times(void)
{
	time_is("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z");
	time_is("2026-05-03T12:00:00.1239Z", "2026-05-03T12:00:00.123Z");
	time_is("2026-05-03T00:30:00+02:00", "2026-05-02T22:30:00.000Z");
	time_is("2026-05-03t12:00:00.5-00:30", "2026-05-03T12:30:00.500Z");
	time_is("2000-02-29T23:59:59z", "2000-02-29T23:59:59.000Z");
	time_is("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
	time_is("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z");
	time_is("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z");
	time_is("1900-02-29T00:00:00Z", "");
	time_is("2026-04-31T00:00:00Z", "");
	time_is("2026-05-03T12:00:60Z", "");
	time_is("2026-05-03T12:00:00.Z", "");
	time_is("2026-05-03T12:00:00", "");
	time_is("2026-05-03T12:00:00Zz", "");
	time_is("2026-05-03 12:00:00Z", "");
	time_is("2026-05-03T12:00:00+24:00", "");
	time_is("", "");
}

static void children(void)
{
	char *cat[] = { "cat", NULL }, *quick[] = { "true", NULL },
		*slow[] = { "sleep", "100", NULL };
	char *fails[] = { "sh", "-c", "read x; echo sh: noise >&2; echo sh: the reason >&2; exit 2",
			  NULL };
	char *absent[] = { "lh-no-such-tool", NULL };
	size_t n = 5000000;
	char *big = malloc(n);
	struct lh_coproc c = { 0 };
	struct lh_str reply;

	check(lh_coproc_stop(&c, &err) == 0);
	check(lh_coproc_start(&c, cat, LH_KEYS_NONE, &err) == 0);
	check(lh_coproc_ask(&c, "hello", 5, 600, &reply, &err) == 0 && reply.n == 5 &&
	      memcmp(reply.p, "hello", 5) == 0);
	check(lh_coproc_ask(&c, "", 0, 600, &reply, &err) == 0 && reply.n == 0);
	memset(big, 'x', n);
	check(lh_coproc_ask(&c, big, n, 600, &reply, &err) == 0 && reply.n == n &&
	      memcmp(reply.p, big, n) == 0);
	check(lh_coproc_ask(&c, "again", 5, 600, &reply, &err) == 0 && reply.n == 5);
	check(lh_coproc_stop(&c, &err) == 0);

	check(lh_coproc_start(&c, quick, LH_KEYS_NONE, &err) == 0);
	check(lh_coproc_ask(&c, big, n, 600, &reply, &err) < 0 && err.code == LH_EIO);
	check(strcmp(err.msg, "true ended without an answer") == 0);
	check(lh_coproc_ask(&c, "x", 1, 600, &reply, &err) < 0 &&
	      strcmp(err.msg, "true is not running") == 0);
	lh_coproc_stop(&c, &err);

	check(lh_coproc_start(&c, slow, LH_KEYS_NONE, &err) == 0);
	check(lh_coproc_ask(&c, "x", 1, 0.1, &reply, &err) < 0 && err.code == LH_ENET);
	check(strcmp(err.msg, "sleep did not answer within 0.1 seconds") == 0);
	lh_coproc_stop(&c, &err);

	check(lh_coproc_start(&c, fails, LH_KEYS_NONE, &err) == 0);
	check(lh_coproc_ask(&c, "x", 1, 600, &reply, &err) < 0 && err.code == LH_EIO);
	check(strcmp(err.msg, "the reason") == 0);
	lh_coproc_stop(&c, &err);

	setenv("PATH", "/usr/bin", 1);	/* an unreadable folder would be EACCES */
	check(lh_coproc_start(&c, absent, LH_KEYS_NONE, &err) < 0);
	check(strcmp(err.msg, "cannot run lh-no-such-tool: No such file or directory") == 0);
	lh_coproc_stop(&c, &err);
	free(big);
}

int main(void)
{
	test(times());
	test(children());
	return 0;
}
