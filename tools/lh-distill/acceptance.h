/*
 * acceptance.h - three runs over a known root, and the invariants they must
 * satisfy.
 *
 *     acceptance.c           the verb: two fresh roots, three runs, the lines; the built-in root
 *     acceptance_check.c     the invariants
 *
 * The first two runs are in a root each, the third is in the first root again, all
 * with one recorded_at.
 */
#ifndef ACCEPTANCE_H
#define ACCEPTANCE_H

#include "distill.h"
#include "file/file.h"

#define INVARIANTS 22

enum { RUN_FIRST, RUN_OTHER, RUN_AGAIN, RUNS };

struct acceptance {
	struct lh_tool *tool;
	struct lh_tmpdir folder[2];	/* of the roots */
	struct lh_root *root[2];
	struct whole run[RUNS];		/* run[RUN_AGAIN] is in root[0] */
	unsigned reported, failed;
};

/* The sources of the built-in root: text NULL if there is none. */
struct acceptance_source {
	enum lh_stream stream;
	const char *text;
};

/* Check all invariants and print each.  0 also if some do not hold. */
int acceptance_check(struct acceptance *a, struct lh_err *err);

/* Print the next invariant; expected and actual are JSON.  Errors: in the error of the tool. */
int acceptance_tell(struct acceptance *a, const char *name, bool passed, const char *expected,
		    const char *actual);

#endif
