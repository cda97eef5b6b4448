/*
 * A program run once: its input, output, messages, the processes it leaves running,
 * and its end.
 */
#include "proc/run.h"

#include <signal.h>

#include "check.h"
#include "base/signal.h"

static struct lh_child_out out;
static struct lh_err err;

static int run(const char *command, const char *in, size_t max, double seconds)
{
	struct lh_child_how how = { .command = command, .max = max, .seconds = seconds };

	lh_child_free(&out);
	err.msg[0] = '\0';
	return lh_child_run(&how, in, strlen(in), &out, &err);
}

static void wrote(const char *want)
{
	check_why(out.out.len == strlen(want) &&
		  !memcmp(out.out.p ? out.out.p : "", want, out.out.len), want);
}

static void in_and_out(void)
{
	check_why(run("cat", "a\nb", 100, 0) == 0, err.msg);
	wrote("a\nb");
	check(out.status == 0 && !out.timed_out && !out.last_line[0]);
	/* a file, which may be opened again */
	check(run("cat /dev/stdin; cat", "ab", 100, 0) == 0);
	wrote("abab");
	check(run("exec <&-; exit 3", "nobody reads this", 100, 0) == 0);
	wrote("");
	check(out.status == 3);
	check(run("true", "", 0, 0) == 0 && out.status == 0);
}

static void said(void)
{
	check(run("echo one >&2; echo two >&2; echo >&2; exit 1", "", 100, 0) == 0);
	check(out.status == 1 && !strcmp(out.last_line, "two"));
	check(run("seq 100000 >&2; printf end >&2", "", 100, 0) == 0);
	check_why(!strcmp(out.last_line, "end"), out.last_line);
	check(run("head -c 100000 /dev/zero | tr '\\0' x >&2", "", 100, 0) == 0);
	check(strlen(out.last_line) == sizeof out.last_line - 1);
}

static void name_is_not_said_twice(void)
{
	char *argv[] = { "cat", "/nonexistent", NULL };
	struct lh_child_how how = { .argv = argv, .max = 10 };

	lh_child_free(&out);
	check(lh_child_run(&how, NULL, 0, &out, &err) == 0);
	check_why(out.status == 1 && !strncmp(out.last_line, "/nonexistent", 12), out.last_line);
}

static void limits(void)
{
	check(run("head -c 10 /dev/zero", "", 10, 0) == 0 && out.out.len == 10);
	check(run("head -c 11 /dev/zero", "", 10, 0) == -1 && err.code == LH_EIO);
	check_why(!strcmp(err.msg, "the command wrote more than 10 bytes"), err.msg);
	check(run("yes", "", 1 << 20, 0) == -1);	/* and does not go on forever */
	check(out.status == 128 + SIGTERM);
	check(run("seq 1000000", "", 0, 0) == 0 && out.status == 0 && out.out.len == 0);
}

/* The time in which a shell starts is not tested. */
static void run_until_it_writes(const char *command)
{
	double seconds;

	for (seconds = 0.1; seconds < 60; seconds *= 2) {
		check(run(command, "", 10, seconds) == 0);
		if (out.out.len)
			break;
	}
}

static void time_out(void)
{
	run_until_it_writes("echo a; sleep 100");
	check(out.timed_out && out.status == 128 + SIGTERM);
	wrote("a\n");
	check(run("exec >&- 2>&-; sleep 100", "", 10, 0.2) == 0 && out.timed_out);
	run_until_it_writes("trap '' TERM; echo; while :; do sleep 0.1; done");
	check(out.timed_out && out.status == 128 + SIGKILL);
}

static void left_behind(void)
{
	char pid[16];

	/* the shell's end counts, although a grandchild has its stdout */
	check(run("sleep 1000 & echo $!", "", 10, 60) == 0);
	check(out.status == 0 && !out.timed_out);
	snprintf(pid, sizeof pid, "%.*s", (int)out.out.len, out.out.p);
	for (int i = 0; i < 60000 && kill((pid_t)strtol(pid, NULL, 10), 0) == 0; i++)
		usleep(10000);
	check(kill((pid_t)strtol(pid, NULL, 10), 0) < 0);
	check(run("kill -9 $$", "", 10, 0) == 0 && out.status == 128 + SIGKILL);
}

static void surroundings(void)
{
	char *env[] = { "HOME=here", "LH_TEST_CHILD=a=b", NULL };
	struct lh_child_how how = { .command = "echo $HOME $LH_TEST_CHILD; pwd; yes | head -n 1",
				    .env = env, .folder = "/", .max = 100 };

	lh_child_free(&out);
	setenv("LH_TEST_CHILD", "old", 1);
	signal(SIGPIPE, SIG_IGN);
	check(lh_child_run(&how, NULL, 0, &out, &err) == 0);
	wrote("here a=b\n/\ny\n");
	check_why(!out.last_line[0], out.last_line);	/* yes: Broken pipe */
	how.folder = "/nonexistent";
	lh_child_free(&out);
	check(lh_child_run(&how, NULL, 0, &out, &err) == -1 && err.code == LH_EIO);
}

static void not_there(void)
{
	char *argv[] = { "lh-no-such-tool", NULL };
	struct lh_child_how how = { .argv = argv, .max = 10 };

	lh_child_free(&out);
	check(lh_child_run(&how, NULL, 0, &out, &err) == -1 && err.code == LH_EIO);
	check_why(!strcmp(err.msg, "cannot run lh-no-such-tool: No such file or directory"),
		  err.msg);
	check(run("lh-no-such-tool", "", 10, 0) == 0 && out.status == 127);
}

static void many_bytes(void)
{
	size_t n = (size_t)10 << 20;
	char *p = malloc(n);
	struct lh_child_how how = { .command = "cat", .max = n };

	check(p != NULL);
	memset(p, 'x', n);
	lh_child_free(&out);
	check(lh_child_run(&how, p, n, &out, &err) == 0);
	check(out.out.len == n && !memcmp(out.out.p, p, n));
	free(p);
}

/* Last: a second signal would end this process. */
static void interrupted(void)
{
	lh_signal_install();
	check(run("kill -TERM $PPID; sleep 100", "", 10, 60) == -1);
	check(err.code == LH_EINTR && out.status == 128 + SIGTERM);
}

/* A process that left the group may write forever; nothing waits for it. */
static void got_away(void)
{
	static const char *const command[] = {
		"for i in 1 2 3 4; do setsid yes & done; sleep 0.1",
		"for i in 1 2 3 4; do setsid yes >&2 & done; sleep 0.1",
	};
	size_t i;

	alarm(600);
	for (i = 0; i < 2; i++)
		check_why(run(command[i], "", i ? 100 : 0, 0) == 0 && out.status == 0, err.msg);
	alarm(0);
}

int main(void)
{
	test(in_and_out());
	test(said());
	test(name_is_not_said_twice());
	test(limits());
	test(time_out());
	test(left_behind());
	test(got_away());
	test(surroundings());
	test(not_there());
	test(many_bytes());
	test(interrupted());
	lh_child_free(&out);
	return 0;
}
