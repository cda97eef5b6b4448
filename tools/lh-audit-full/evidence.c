/* evidence.c - phases 2 and 3: evidence and scores. */
#include <stdio.h>

#include "child.h"

#define ULL(n) ((unsigned long long)(n))

/* Add a note about a finding: the first row, and the number of others. */
static void add_finding_note(struct audit *a, enum check_id id, const struct finding *f)
{
	if (f->first.p[0])
		check_note(a, id, "%s", f->first.p);
	if (f->rows > 1)
		check_note(a, id, "%llu such rows", ULL(f->rows));
}

/* Skipped rows are normal for it, so status 1 is as good as 0. */
static int dry_run(struct audit *a, bool damaged, struct lh_err *err)
{
	char jobs[24];
	char *argv[] = { "lh-materialize", "--dry-run", "--root", (char *)lh_root_path(a->root),
			 "--jobs", jobs, NULL };
	struct lh_child_how how = { .argv = argv };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc;

	snprintf(jobs, sizeof jobs, "%llu", ULL(a->tool->jobs));
	rc = child_run(a, CHECK_DRY_RUN, &how, NULL, 0, &out, err);
	if (!rc)
		check_set(a, CHECK_DRY_RUN, false, "exit 0 or 1", "did not run to its end");
	if (rc > 0) {
		check_set(a, CHECK_DRY_RUN, out.status <= 1 && !damaged, "exit 0 or 1", "exit %d",
			  out.status);
		if (out.last_line[0])
			check_note(a, CHECK_DRY_RUN, "%s", out.last_line);
	}
	return rc < 0 ? -1 : 0;
}

int phase_evidence(struct audit *a, struct lh_err *err)
{
	const struct census *c = &a->census;
	const struct finding *f = &c->found[FOUND_EVIDENCE];
	bool damaged = f->first.p[0];

	if (a->s->observer)
		check_set(a, CHECK_DRY_RUN, c->evidence && !damaged, "evidence rows > 0", "%llu",
			  ULL(c->evidence));
	else if (dry_run(a, damaged, err) < 0)
		return -1;
	add_finding_note(a, CHECK_DRY_RUN, f);
	check_set(a, CHECK_TIER1, c->tier1 > 0, "> 0", "%llu", ULL(c->tier1));
	return 0;
}

int phase_scores(struct audit *a, struct lh_err *err)
{
	const struct finding *f = &a->census.found[FOUND_SCORED];
	const uint64_t *n = a->census.scored;

	(void)err;
	check_set(a, CHECK_SCORED, n[LH_ACCEPTED] && !f->first.p[0], "accepted > 0",
		  "accepted %llu, partially_accepted %llu, rejected %llu, needs_human_review %llu",
		  ULL(n[LH_ACCEPTED]), ULL(n[LH_PARTIALLY_ACCEPTED]), ULL(n[LH_REJECTED]),
		  ULL(n[LH_NEEDS_HUMAN_REVIEW]));
	add_finding_note(a, CHECK_SCORED, f);
	return 0;
}
