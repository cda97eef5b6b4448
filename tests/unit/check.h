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

#endif
