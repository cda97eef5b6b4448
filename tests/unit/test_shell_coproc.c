/* A command of the user as a co-process: its answers, its limits, its end. */
#include "proc/coproc.h"

#include <signal.h>

#include "check.h"
#include "base/signal.h"

static struct lh_coproc c;
static struct lh_err err;
static struct lh_str reply;
static bool more;

static void start(const char *command, size_t max)
{
	lh_coproc_stop(&c, &err);
	check_why(lh_shell_coproc_start(&c, command, max, &err) == 0, err.msg);
}

static int ask(const char *line, double seconds)
{
	return lh_coproc_ask(&c, line, strlen(line), seconds, &reply, &err);
}

static bool answers(const char *line, const char *want)
{
	return ask(line, 60) == 0 && reply.n == strlen(want) && memcmp(reply.p, want, reply.n) == 0;
}

static void line_for_line(void)
{
	start("sed -u s/a/b/", 100);
	check(answers("a", "b"));
	check(answers("", ""));
	check(answers("xax", "xbx"));
	check(lh_coproc_close(&c, 60, &more, &err) == 0 && !more && c.status == 0);
	check(ask("a", 1) == -1);
	check(lh_coproc_close(&c, 1, &more, &err) == -1);
}

static void status_and_words(void)
{
	char said[100];

	start("cat; echo one >&2; echo two >&2; exit 3", 100);
	check(answers("a", "a"));
	check(lh_coproc_close(&c, 60, &more, &err) == 0 && c.status == 3);
	lh_coproc_stderr_tail(&c, said, sizeof said);
	check_why(!strcmp(said, "two"), said);
	start("lh-no-such-command", 100);
	check(ask("a", 60) == -1 && err.code == LH_EIO && c.status == 127);
	start("read x; kill -KILL $$", 100);
	check(ask("a", 60) == -1 && c.status == 128 + SIGKILL);
}

static void limits(void)
{
	start("cat", 3);
	check(answers("abc", "abc"));
	check(ask("abcd", 60) == -1 && err.code == LH_EIO);
	check_why(!strcmp(err.msg, "the command wrote more than 3 bytes"), err.msg);
	start("tr -d '\\n' </dev/zero", 1 << 20);
	check(ask("a", 60) == -1 && err.code == LH_EIO);
	start("cat", 100);
	check(answers("a", "a"));
	start("sleep 100", 100);
	check(ask("a", 0.1) == -1 && err.code == LH_ENET && c.status == 128 + SIGTERM);
	start("trap '' TERM; cat; while :; do sleep 0.1; done", 100);
	check(answers("a", "a"));
	check(lh_coproc_close(&c, 0.1, &more, &err) == -1 && err.code == LH_ENET &&
	      c.status == 128 + SIGKILL);
}

static void unasked(void)
{
	start("cat; echo more", 100);
	check(answers("a", "a"));
	check(lh_coproc_close(&c, 60, &more, &err) == 0 && more);
	start("cat; yes", 100);
	check(answers("a", "a"));
	check(lh_coproc_close(&c, 60, &more, &err) == 0 && more);
	start("read x; printf 'a\\nb\\n'; cat", 100);
	check(answers("1", "a"));
	check(ask("2", 60) == -1 && err.code == LH_ECORRUPT);
}

/* An answer that arrives before its line was sent does not cut that line. */
static void too_early(void)
{
	static char line[300000];

	memset(line, 'x', sizeof line - 1);
	start("echo early; read x; echo ${#x}", 100);
	usleep(100000);
	check(answers(line, "early"));
	check(ask("b", 60) == -1 || (reply.n == 6 && !memcmp(reply.p, "299999", 6)));
}

static void reads_nothing(void)
{
	static char line[300000];

	memset(line, 'x', sizeof line - 1);
	start("exec <&-; echo a; sleep 0.1", 100);
	check(answers(line, "a"));
}

/* Last: a second signal would end this process. */
static void interrupted(void)
{
	lh_signal_install();
	lh_signal_defer(true);
	start("kill -TERM $PPID; sleep 100", 100);
	check(ask("a", 60) == -1 && err.code == LH_EINTR);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test(line_for_line());
	test(status_and_words());
	test(limits());
	test(unasked());
	test(too_early());
	test(reads_nothing());
	test(interrupted());
	lh_coproc_stop(&c, &err);
	return 0;
}
