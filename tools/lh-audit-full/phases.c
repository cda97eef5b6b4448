/* phases.c - phases 0, 2, 3, 4 and 6: documents, evidence, scores, exports, acceptance. */
#include "audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "distill/root.h"
#include "file/file.h"
#include "json/bind.h"

#define ULL(n) ((unsigned long long)(n))

/* ---- the programs that phases run ---- */

/* A tool that ran out of memory is not a finding about the root. */
static bool found_no_memory(const struct lh_child_how *how, const struct lh_child_out *out)
{
	return !how->command && out->status == 2 && strstr(out->last_line, ": out of memory");
}

int child_run(struct audit *a, enum check_id id, const struct lh_child_how *how, const void *in,
	      size_t n, struct lh_child_out *out, struct lh_err *err)
{
	const char *name = how->command ? "the command" : how->argv[0];

	if (lh_child_run(how, in, n, out, err) < 0) {
		if (!check_is_finding(err))
			return -1;
		check_note(a, id, "%s", err->msg);
		return 0;
	}
	if (found_no_memory(how, out))
		return lh_err_set(err, LH_EIO, "%s: out of memory", name);
	if (out->timed_out)
		check_note(a, id, "%s took more than %g seconds", name, how->seconds);
	else if (out->status > 128)
		check_note(a, id, "%s was ended by signal %d", name, out->status - 128);
	return !out->timed_out && out->status <= 128;
}

/* ---- 0: documents and streams ---- */

/* Return 1 if there is a regular file of that name, 0 if nothing is there, -1 with
 * the reason (it is not a regular file). */
static int root_has(const struct audit *a, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(a->root, relpath);
	struct stat st;
	int rc = 1;

	if (lstat(path, &st) < 0)
		rc = errno == ENOENT || errno == ENOTDIR ? 0 : lh_err_sys(err, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = lh_not_regular(path, st.st_mode, err);
	return rc;
}

static int check_recon(struct audit *a, struct lh_err *err)
{
	int rc = root_has(a, AUDIT_RECON, err);

	if (rc < 0 && !check_is_finding(err))
		return -1;
	check_set(a, CHECK_RECON, rc > 0, AUDIT_RECON, "%s",
		  rc > 0 ? "present" : rc ? check_reason(a, err) : "absent");
	return 0;
}

int phase_documents(struct audit *a, struct lh_err *err)
{
	int i, rc, there = 0;

	if (check_recon(a, err) < 0)
		return -1;
	for (i = 0; i < TIER1; i++) {
		rc = root_has(a, lh_stream_source((enum lh_stream)i), err);
		if (rc < 0 && !check_is_finding(err))
			return -1;
		if (rc < 0)
			check_note(a, CHECK_STREAMS, "%s", check_reason(a, err));
		there += rc > 0;
	}
	check_set(a, CHECK_STREAMS, there > 0, "> 0 of 8", "%d of %d", there, TIER1);
	return 0;
}

/* ---- 2 and 3: evidence and scores ---- */

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

/* ---- 4: exports ---- */

static void check_none(struct audit *a, enum check_id id, enum finding_id finding, unsigned exports)
{
	const struct finding *f = &a->census.found[finding];
	int x;

	if (f->rows || !f->first.p[0])
		check_set(a, id, !f->rows, "0", "%llu", ULL(f->rows));
	else
		check_set(a, id, false, "0", "not readable");
	if (f->first.p[0])
		check_note(a, id, "%s", f->first.p);
	for (x = 0; x < LH_EXPORTERS; x++)
		if (exports & 1u << x && !a->census.exported[x] && !f->first.p[0])
			check_note(a, id, "%s: %s", lh_exporter_output((enum lh_exporter)x),
				   a->census.found_export[x] ? "empty" : "absent");
}

int phase_exports(struct audit *a, struct lh_err *err)
{
	const struct finding *damaged = &a->census.found[FOUND_QUARANTINE];
	uint64_t n = a->census.quarantined;

	(void)err;
	check_none(a, CHECK_SFT, FOUND_SFT, 1u << LH_SFT);
	check_none(a, CHECK_RAG, FOUND_RAG, 1u << LH_RAG);
	check_none(a, CHECK_SELF_PAIR, FOUND_SELF_PAIR, 1u << LH_PREFERENCE);
	check_none(a, CHECK_SAME_TEXT, FOUND_SAME_TEXT, 1u << LH_PREFERENCE);
	check_none(a, CHECK_PROVENANCE, FOUND_PROVENANCE, (1u << LH_EXPORTERS) - 1);
	check_set(a, CHECK_QUARANTINE, n && !damaged->first.p[0], "> 0", "%llu", ULL(n));
	if (damaged->first.p[0])
		check_note(a, CHECK_QUARANTINE, "%s", damaged->first.p);
	return 0;
}

/* ---- 6: acceptance ---- */

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
