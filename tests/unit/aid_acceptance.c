/*
 * aid_acceptance - a program for the tests of the invariants: it checks the files
 * of three runs ("first" and "again" in the root A, "other" in B), which the test
 * may have changed, and prints the numbers of the invariants that do not hold.
 */
#include "../../tools/lh-distill/acceptance_check.c"
#include "../../tools/lh-distill/reports.c"

int acceptance_tell(struct acceptance *a, const char *name, bool passed, const char *expected,
		    const char *actual)
{
	(void)name;
	(void)expected;
	(void)actual;
	a->reported++;
	if (!passed)
		printf("%s%u", a->failed++ ? " " : "", a->reported);
	return 0;
}

static void take(char *to, const struct lh_value *v)
{
	snprintf(to, 65, "%.*s", (int)v->n - 2, v->p + 1);
}

/* Read a stored run again. */
static int recall(struct whole *w, struct lh_run *run, const struct lh_root *root, char *id,
		  struct lh_err *err)
{
	struct lh_report r;
	struct lh_iter it;
	struct lh_value v;
	int64_t n;
	int i = 0, rc;

	run->id = id;
	w->run = run;
	lh_report_init(&r);
	rc = report_read(&r, root, id, "summary", "run_summary", err);
	if (rc > 0) {
		take(w->summary.run_hash, lh_record_get(&r.rec, "run_hash"));
		for (lh_iter_init(&it, lh_record_get(&r.rec, "stages"));
		     lh_iter_next(&it) && i < LH_STAGES; i++) {
			if (lh_value_get(&it.val, "output_hash", &v))
				take(w->stage[i].output_hash, &v);
			if (lh_value_get(&it.val, "accepted", &v) && lh_value_i64(&v, &n))
				w->stage[i].accepted = (uint64_t)n;
			if (lh_value_get(&it.val, "quarantined", &v) && lh_value_i64(&v, &n))
				w->stage[i].quarantined = (uint64_t)n;
		}
	}
	lh_report_free(&r);
	return rc > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	static char first[] = "first", other[] = "other", again[] = "again";
	struct lh_err err = { .msg = "usage: aid_acceptance A B" };
	struct lh_run run[RUNS] = { { .root = NULL } };
	struct acceptance a = { .reported = 0 };
	int rc = -1;

	if (argc == 3 && (a.root[0] = lh_root_open(argv[1], &err)) &&
	    (a.root[1] = lh_root_open(argv[2], &err)) &&
	    !recall(&a.run[RUN_FIRST], &run[0], a.root[0], first, &err) &&
	    !recall(&a.run[RUN_OTHER], &run[1], a.root[1], other, &err) &&
	    !recall(&a.run[RUN_AGAIN], &run[2], a.root[0], again, &err))
		rc = acceptance_check(&a, &err);
	lh_root_close(a.root[0]);
	lh_root_close(a.root[1]);
	printf("\n");
	if (rc < 0)
		fprintf(stderr, "aid_acceptance: %s\n", err.msg);
	return rc < 0 ? 2 : a.failed || a.reported != INVARIANTS;
}
