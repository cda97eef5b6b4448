/* check.h - a unit test is a program: silent and 0 when all is well. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define check(cond) check_that(cond, __FILE__, __LINE__, #cond)

static inline void check_that(int ok, const char *file, int line, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	exit(1);
}

#endif
