/* phase2.c - phases 2 and 3: evidence and scores. */
#include "audit.h"

#define ULL(n) ((unsigned long long)(n))

/* Note what a census found, and how much more there is. */
static void note(struct audit *a, enum check_id id, const struct finding *f)
{
	if (f->first.p[0])
		check_note(a, id, "%s", f->first.p);
	if (f->rows > 1)
		check_note(a, id, "%llu such rows", ULL(f->rows));
}

int phase_evidence(struct audit *a, struct lh_err *err)
{
	const struct census *c = &a->census;
	const struct finding *f = &c->found[FOUND_EVIDENCE];

	(void)err;
	check_set(a, CHECK_DRY_RUN, c->evidence && !f->first.p[0], "evidence rows > 0", "%llu", ULL(c->evidence));
	note(a, CHECK_DRY_RUN, f);
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
		  ULL(n[LH_ACCEPTED]), ULL(n[LH_PARTIALLY_ACCEPTED]), ULL(n[LH_REJECTED]), ULL(n[LH_NEEDS_HUMAN_REVIEW]));
	note(a, CHECK_SCORED, f);
	return 0;
}
