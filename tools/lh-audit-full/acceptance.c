/* acceptance.c - phase 6: run lh-distill acceptance. */
#include "child.h"
#include "json/bind.h"

#define INVARIANTS 22
#define GATE_SECONDS 1800.0
#define LINES_MAX ((size_t)4 << 20)

struct invariant {
	bool passed;
	struct lh_value n, name;
};
static const struct lh_bind invariant[] = {
	{ LH_BIND_BOOL("passed", struct invariant, passed), .lax = true },
	{ LH_BIND_SOME("n", struct invariant, n), .null = true },
	{ LH_BIND_SOME("name", struct invariant, name), .null = true },
	LH_BIND_END
};

/* Count an invariant that holds; a note names one that does not. */
static int count_line(struct audit *a, const struct lh_record *rec, unsigned *passed,
		      struct lh_err *err)
{
	struct invariant v = { .passed = false };

	if (lh_bind(invariant, rec, &v, NULL, err) < 0)
		return -1;
	*passed += v.passed;
	if (!v.passed && v.n.p && v.name.p)
		check_note(a, CHECK_ACCEPTANCE, "%.*s %.*s", (int)v.n.n, v.n.p, (int)v.name.n,
			   v.name.p);
	return 0;
}

/* Count the lines that hold. */
static int count(struct audit *a, const struct lh_buf *lines, unsigned *passed, struct lh_err *err)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_str rest = { lines->p, lines->len }, line;
	int rc = 0;

	while (!rc && lh_next_line(&rest, &line)) {
		rc = lh_record_parse(&rec, line.p, line.n, err);
		if (!rc)
			rc = count_line(a, &rec, passed, err);
	}
	if (rc < 0 && check_is_finding(err)) {
		check_note(a, CHECK_ACCEPTANCE, "lh-distill: %s", err->msg);
		rc = 0;
	}
	return rc;
}

int phase_gate(struct audit *a, struct lh_err *err)
{
	char *argv[] = { "lh-distill", "acceptance", "-q", NULL, NULL, NULL };
	struct lh_child_how how = { .argv = argv, .seconds = GATE_SECONDS, .max = LINES_MAX };
	struct lh_child_out out;
	unsigned passed = 0;
	int rc;

	if (a->s->observer) {
		check_skip(a, CHECK_ACCEPTANCE, OBSERVER);
		return 0;
	}
	if (a->s->acceptance_fixture) {
		argv[3] = "--fixture";
		argv[4] = (char *)a->s->acceptance_fixture;
	}
	rc = child_run(a, CHECK_ACCEPTANCE, &how, NULL, 0, &out, err);
	if (rc > 0)
		rc = count(a, &out.out, &passed, err);
	if (rc >= 0 && out.status > 1 && *out.last_line)
		check_note(a, CHECK_ACCEPTANCE, "lh-distill: %s", out.last_line);
	check_set(a, CHECK_ACCEPTANCE, passed == INVARIANTS && out.status == 0, "22/22", "%u/%u",
		  passed, INVARIANTS);
	lh_child_free(&out);
	return rc < 0 ? -1 : 0;
}
