/* newest_run.c - phase 5: the receipts of the newest run. */
#include "audit.h"

#include <stdio.h>

#include <lh/digest.h>
#include "json/bind.h"
#include <lh/schema.h>

#define REPORT_MAX ((size_t)256 << 20)	/* a receipt of a million files */

/* A report of the run, and its faults. */
struct report {
	struct audit *a;
	char relpath[512];
	struct lh_buf text, scratch;
	struct lh_record rec;
	const char *but;	/* a field that another check covers, or NULL */
	bool parsed;
	char why[1600];		/* the first fault, "" if there is none */
};

static int read_report(struct report *r, const char *name, struct lh_err *err)
{
	int rc;

	snprintf(r->relpath, sizeof r->relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, r->a->run_id,
		 name);
	rc = root_file(r->a, r->relpath, &r->text, err);
	if (rc > 0 && lh_record_parse(&r->rec, r->text.p, r->text.len, err) < 0)
		rc = -1;
	r->parsed = rc > 0;
	r->why[0] = '\0';
	if (rc >= 0)
		return rc;
	if (!check_is_finding(err))
		return -1;
	if (err->code == LH_EIO)	/* the message has the name of the file */
		snprintf(r->why, sizeof r->why, "%s", check_reason(r->a, err));
	else
		snprintf(r->why, sizeof r->why, "%s: %s", r->relpath, err->msg);
	return 1;
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct report *r = ctx;

	if (r->but && field->n == strlen(r->but) && !memcmp(field->p, r->but, field->n))
		return;
	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%s: %.*s: %.*s", r->relpath, (int)field->n,
			 field->p, (int)problem->n, problem->p);
}

/* The same, and it must be of that schema. */
static int check_report(struct report *r, const char *name, const char *schema, struct lh_err *err)
{
	int rc = read_report(r, name, err);

	if (rc > 0 && !r->why[0] &&
	    lh_schema_check_record(lh_schema_find(schema), &r->rec, &r->scratch, on_violation, r,
				   err) < 0)
		return -1;
	return rc;
}

static int receipts(struct report *r, struct lh_err *err)
{
	int i, rc, there = 0, valid = 0;
	const char *name;

	r->but = NULL;
	for (i = 0; i < LH_STAGES; i++) {
		name = lh_stage_name((enum lh_stage)i);
		rc = check_report(r, name, "stage_receipt", err);
		if (rc < 0)
			return -1;
		if (!rc)
			check_note(r->a, CHECK_FIVE, "no %s.json", name);
		if (r->why[0])
			check_note(r->a, CHECK_RECEIPTS, "%s", r->why);
		there += rc > 0;
		valid += rc > 0 && !r->why[0];
	}
	check_set(r->a, CHECK_FIVE, there == LH_STAGES, "5 of 5", "%d of %d, run %s", there,
		  LH_STAGES, r->a->run_id);
	check_set(r->a, CHECK_RECEIPTS, valid == there, "all that are there", "%d of %d", valid,
		  there);
	return 0;
}

struct hashed {
	struct lh_str run_hash;
};
static const struct lh_bind hashed[] = {
	{ LH_BIND_JSON("run_hash", struct hashed, run_hash, LH_BIND_IS(LH_STRING)), .lax = true },
	LH_BIND_END
};

/* Set *is to whether the run_hash is a SHA-256. */
static int check_hash(const struct lh_record *rec, bool *is, struct lh_err *err)
{
	struct hashed h = { .run_hash = { NULL, 0 } };
	unsigned char hash[32];

	if (lh_bind(hashed, rec, &h, NULL, err) < 0)
		return -1;
	*is = h.run_hash.p && lh_unhex(h.run_hash.p + 1, h.run_hash.n - 2, hash);
	return 0;
}

static int summary(struct report *r, struct lh_err *err)
{
	const char *bad = r->a->bad_summary.p;
	bool is_hash = false;
	int rc;

	r->but = "run_hash";
	rc = check_report(r, "summary", "run_summary", err);
	if (rc < 0)
		return -1;
	if (*bad && strcmp(bad, r->why))
		check_note(r->a, CHECK_SUMMARY, "%s", bad);
	if (r->why[0])
		check_note(r->a, CHECK_SUMMARY, "%s", r->why);
	check_set(r->a, CHECK_SUMMARY, rc > 0 && !r->why[0] && !*bad,
		  "schema_version 1, git_commit of 40 hex digits", "%s",
		  rc && !r->why[0] && !*bad ? "valid" : "not valid");
	if (r->parsed && check_hash(&r->rec, &is_hash, err) < 0)
		return -1;
	check_set(r->a, CHECK_RUN_HASH, is_hash, "64 lowercase hex digits", "%s",
		  is_hash ? "64 lowercase hex digits" : "something else");
	return 0;
}

static int drift(struct report *r, struct lh_err *err)
{
	int rc = read_report(r, "drift", err);

	if (rc < 0)
		return -1;
	check_set(r->a, CHECK_DRIFT, rc && !r->why[0], "parses", "%s",
		  !rc		      ? "absent"
			  : r->why[0] ? "does not parse"
				      : "parses");
	if (r->why[0])
		check_note(r->a, CHECK_DRIFT, "%s", r->why);
	return 0;
}

/* Without a run all of these fail. */
static void no_run(struct audit *a)
{
	static const enum check_id of[] = { CHECK_FIVE, CHECK_RECEIPTS, CHECK_SUMMARY,
					    CHECK_RUN_HASH, CHECK_DRIFT };
	size_t i;

	for (i = 0; i < sizeof of / sizeof *of; i++) {
		check_set(a, of[i], false, "a run", "no run with a summary");
		if (*a->bad_summary.p)
			check_note(a, of[i], "%s", a->bad_summary.p);
	}
}

int phase_receipts(struct audit *a, struct lh_err *err)
{
	struct report r = { .a = a };
	int rc;

	if (!a->run_id) {
		no_run(a);
		return 0;
	}
	lh_buf_init(&r.text, REPORT_MAX);
	lh_record_init(&r.rec);
	rc = receipts(&r, err);
	if (!rc)
		rc = summary(&r, err);
	if (!rc)
		rc = drift(&r, err);
	lh_record_free(&r.rec);
	lh_buf_free(&r.scratch);
	lh_buf_free(&r.text);
	return rc;
}
