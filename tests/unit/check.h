/*
 * check.h - a unit test is a program that writes TAP: main calls each of its tests
 * with test(), and a failed check is reported on stderr and ends the program.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define check(cond) check_why(cond, "")

/* why: reported as well, such as an error's message. */
#define check_why(cond, why) \
	do { if (!(cond)) check_failed(__FILE__, __LINE__, #cond, why); } while (0)

/* Run a test and print "ok N - CALL"; the plan is printed when the program ends. */
#define test(call) do { check_begin(#call); call; check_ok(); } while (0)

/* A test that takes seconds and has a smaller one beside it: not with LH_SCALE=check. */
#define test_full(call) \
	do { \
		check_begin(#call); \
		if (check_is_small()) { \
			check_skip("make check-full"); \
		} else { \
			call; \
			check_ok(); \
		} \
	} while (0)

/* A test of how good results are, in which the sanitizers find nothing that others do not. */
#ifdef __SANITIZE_ADDRESS__
#define test_plain test_full
#else
#define test_plain test
#endif

static struct {
	pid_t pid;		/* children print no lines */
	unsigned n;
	const char *name;	/* of the current test */
} check_now;

static inline void check_failed(const char *file, int line, const char *what, const char *why)
{
	fprintf(stderr, "%s:%d: failed: %s%s%s\n", file, line, what, *why ? ": " : "", why);
	exit(1);
}

/* Called at exit; a program that ends with exec calls it itself. */
static inline void check_end(void)
{
	if (check_now.pid != getpid())
		return;
	if (check_now.name)
		printf("not ok %u - %s\n", check_now.n, check_now.name);
	else
		printf("1..%u\n", check_now.n);
	fflush(stdout);
}

static inline void check_begin(const char *name)
{
	if (!check_now.n)
		atexit(check_end);
	check_now.pid = getpid();
	check_now.n++;
	check_now.name = name;
}

static inline bool check_is_small(void)
{
	const char *scale = getenv("LH_SCALE");

	return scale && strcmp(scale, "check") == 0;
}

static inline void check_skip(const char *why)
{
	printf("ok %u - %s # skip %s\n", check_now.n, check_now.name, why);
	fflush(stdout);
	check_now.name = NULL;
}

static inline void check_ok(void)
{
	printf("ok %u - %s\n", check_now.n, check_now.name);
	fflush(stdout);	/* a child must not write it again */
	check_now.name = NULL;
}

/* ---- kernels ---- */

/* Run tests in a process whose vectors are computed by that kernel. */
static inline void check_kernel(const char *name, void (*tests)(const char *name))
{
	pid_t pid = fork();
	int status;

	if (pid > 0) {
		check_why(waitpid(pid, &status, 0) == pid && status == 0, name);
		return;
	}
	setenv("LH_KERNEL", name, 1);
	tests(name);
	fflush(stdout);
	_exit(0);
}

/* ---- files ---- */

static char check_home[200];

static inline void check_remove_home(void)
{
	char command[220];

	if (check_now.pid != getpid())
		return;
	snprintf(command, sizeof command, "rm -rf '%s'", check_home);
	check(system(command) == 0);
}

/* Go to a folder of the program's own, in memory if possible, which is removed at its end. */
static inline void check_folder(void)
{
	const char *in = getenv("TMPDIR");

	if (!in)
		in = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(check_home, sizeof check_home, "%s/lh-test-XXXXXX", in);
	check(mkdtemp(check_home) && chdir(check_home) == 0);
	check_now.pid = getpid();
	atexit(check_remove_home);
}

static inline void check_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "w");

	check_why(f && fwrite(p, 1, n, f) == n && fclose(f) == 0, path);
}

static inline void check_put(const char *path, const char *text)
{
	check_write(path, text, strlen(text));
}

/* Return the bytes of a file, to be freed. */
static inline void *check_read(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	void *p;

	check_why(f && fseek(f, 0, SEEK_END) == 0, path);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n + 1);
	check_why(p && fread(p, 1, *n, f) == *n && fclose(f) == 0, path);
	return p;
}

static inline void check_holds(const char *path, const char *text)
{
	size_t n;
	void *p = check_read(path, &n);

	check_why(n == strlen(text) && !memcmp(p, text, n), path);
	free(p);
}

#endif
