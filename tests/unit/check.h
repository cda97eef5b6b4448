/* check.h - a unit test is a program: silent and 0 when all is well. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(cond) check_why(cond, "")

/* why: what is said beside, as an error's message. */
#define check_why(cond, why) do { if (!(cond)) check_failed(__FILE__, __LINE__, #cond, why); } while (0)

static inline void check_failed(const char *file, int line, const char *what, const char *why)
{
	fprintf(stderr, "%s:%d: failed: %s%s%s\n", file, line, what, *why ? ": " : "", why);
	exit(1);
}

#endif
