/* receipts.c - phase 5: the newest run, and its receipts. */
#include "audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "distill/receipt.h"
#include "json/bind.h"
#include "crypto/digest.h"
#include "schema/schema.h"

/* ---- which run is the newest ---- */

struct search {
	struct audit *a;
	struct lh_report report;
	int64_t at;
	char *bad;		/* the id of the run whose summary is in a->bad_summary */
};

/* Of several keep the one with the least id, whatever their order. */
static void record_bad_run(struct search *s, const char *id, const struct lh_err *why)
{
	char *copy;

	if (s->bad && strcmp(s->bad, id) <= 0)
		return;
	copy = lh_strndup(id, strlen(id));
	free(s->bad);
	s->bad = copy;
	lh_buf_reset(&s->a->bad_summary);
	if (why->code == LH_EIO)	/* the message has the name of the file */
		lh_buf_puts(&s->a->bad_summary, check_reason(s->a, why));
	else
		lh_buf_printf(&s->a->bad_summary, "%s: %s", s->report.relpath, why->msg);
}

struct ending {
	struct lh_str at;
};
static const struct lh_bind summary[] = {
	{ LH_BIND_STRING("ended_at", struct ending, at), .lax = true },
	LH_BIND_END
};

/* Read when the run ended from its summary: 1, 0 without one, -1. */
static int read_end_time(struct search *s, const char *id, int64_t *at, struct lh_err *err)
{
	struct ending v = { .at = { NULL, 0 } };
	int rc = lh_report_read(&s->report, s->a->root, id, "summary", NULL, summary, &v, err);

	if (!rc || (rc < 0 && !check_is_finding(err)))
		return rc;
	if (rc > 0 && (!v.at.p || lh_time_read(v.at.p, v.at.n, at) < 0))
		rc = lh_err_set(err, LH_ECORRUPT, "ended_at is not a time");
	if (rc < 0) {
		*at = INT64_MIN;
		record_bad_run(s, id, err);
	}
	return 1;
}

static int check_run(void *ctx, const char *id, struct lh_err *err)
{
	struct search *s = ctx;
	struct audit *a = s->a;
	int64_t at;
	char *copy;
	int rc = read_end_time(s, id, &at, err);

	if (rc <= 0 || (a->run_id && (at < s->at || (at == s->at && strcmp(id, a->run_id) < 0))))
		return rc < 0 ? -1 : 0;
	copy = lh_strndup(id, strlen(id));
	free(a->run_id);
	a->run_id = copy;
	s->at = at;
	return 0;
}

int newest_run(struct audit *a, struct lh_err *err)
{
	struct search s = { .a = a };
	int rc;

	lh_report_init(&s.report);
	rc = lh_run_each(a->root, check_run, &s, err);
	if (rc < 0 && check_is_finding(err)) {
		lh_buf_reset(&a->bad_summary);
		lh_buf_puts(&a->bad_summary, check_reason(a, err));
		rc = 0;
	}
	lh_buf_putc(&a->bad_summary, '\0');
	lh_report_free(&s.report);
	free(s.bad);
	return rc;
}

/* ---- its receipts ---- */

/* A report of the run, and its faults. */
struct report {
	struct audit *a;
	struct lh_report is;
	const char *but;	/* a field that another check covers, or NULL */
	bool parsed;
	char why[1600];		/* the first fault, "" if there is none */
};

static int read_report(struct report *r, const char *name, struct lh_err *err)
{
	int rc = lh_report_read(&r->is, r->a->root, r->a->run_id, name, NULL, NULL, NULL, err);

	r->parsed = rc > 0;
	r->why[0] = '\0';
	if (rc >= 0)
		return rc;
	if (!check_is_finding(err))
		return -1;
	if (err->code == LH_EIO)	/* the message has the name of the file */
		snprintf(r->why, sizeof r->why, "%s", check_reason(r->a, err));
	else
		snprintf(r->why, sizeof r->why, "%s: %s", r->is.relpath, err->msg);
	return 1;
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct report *r = ctx;

	if (r->but && field->n == strlen(r->but) && !memcmp(field->p, r->but, field->n))
		return;
	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%s: %.*s: %.*s", r->is.relpath, (int)field->n,
			 field->p, (int)problem->n, problem->p);
}

/* The same, and it must be of that schema. */
static int check_report(struct report *r, const char *name, const char *schema, struct lh_err *err)
{
	int rc = read_report(r, name, err);

	if (rc > 0 && !r->why[0])
		lh_schema_check_record(lh_schema_find(schema), &r->is.rec, &r->is.scratch,
				       on_violation, r);
	return rc;
}

#define NOTES 10	/* faults of a check that are named */

/* What the receipts' own faults are, by the check that they concern. */
struct faults {
	struct audit *a;
	unsigned of[CHECKS];	/* how many */
};

static void on_fault(void *ctx, enum lh_receipt_fault what, const char *text)
{
	static const enum check_id concerns[] = {
		[LH_RECEIPT_MISSING] = CHECK_FIVE, [LH_RECEIPT_BAD] = CHECK_RECEIPTS,
		[LH_RECEIPT_SUMMARY] = CHECK_SUMMARY, [LH_RECEIPT_RUN_HASH] = CHECK_RUN_HASH,
		[LH_RECEIPT_DIFFERS] = CHECK_RECEIPTS, [LH_RECEIPT_UNCOVERED] = CHECK_RECEIPTS,
	};
	struct faults *f = ctx;
	enum check_id id = concerns[what];

	if (f->of[id] < NOTES || what == LH_RECEIPT_UNCOVERED)
		check_note(f->a, id, "%s", text);
	f->of[id] += what != LH_RECEIPT_UNCOVERED;
}

/* Compare the files of the root with the newest receipts. */
static int receipts(struct faults *f, struct lh_err *err)
{
	struct audit *a = f->a;
	LH_SCOPED(lh_free_local) char *subjects = audit_subjects(a->root, a->s);
	struct lh_receipts c = {
		.root = a->root, .run_id = a->run_id, .fault = on_fault, .ctx = f,
		.subjects = subjects
	};
	unsigned n;

	if (lh_receipts_check(&c, err) < 0)
		return -1;
	n = f->of[CHECK_RECEIPTS];
	if (n > NOTES)
		check_note(a, CHECK_RECEIPTS, "%u more", n - NOTES);
	check_set(a, CHECK_FIVE, c.there == LH_STAGES, "5 of 5", "%u of %d, run %s", c.there,
		  LH_STAGES, a->run_id);
	check_set(a, CHECK_RECEIPTS, !n, "all receipts, and every file as they say",
		  "%u of %u receipts, %s compared, %s", c.good, c.there,
		  LH_N(c.files, "file"), LH_N(n, "fault"));
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

static int check_summary(struct report *r, const struct faults *f, struct lh_err *err)
{
	const char *bad = r->a->bad_summary.p;
	bool is_hash = false, valid;
	int rc;

	r->but = "run_hash";
	rc = check_report(r, "summary", "run_summary", err);
	if (rc < 0)
		return -1;
	if (*bad && strcmp(bad, r->why))
		check_note(r->a, CHECK_SUMMARY, "%s", bad);
	if (r->why[0])
		check_note(r->a, CHECK_SUMMARY, "%s", r->why);
	valid = rc > 0 && !r->why[0] && !*bad && !f->of[CHECK_SUMMARY];
	check_set(r->a, CHECK_SUMMARY, valid, "schema_version 1, git_commit of 40 hex digits",
		  "%s", valid ? "valid" : "not valid");
	if (r->parsed && check_hash(&r->is.rec, &is_hash, err) < 0)
		return -1;
	check_set(r->a, CHECK_RUN_HASH, is_hash && !f->of[CHECK_RUN_HASH],
		  "64 lowercase hex digits", "%s",
		  !is_hash		  ? "something else"
		  : f->of[CHECK_RUN_HASH] ? "of something else"
					  : "64 lowercase hex digits");
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

int phase_receipts(struct audit *a, struct lh_err *err)
{
	/* without a run all of these fail */
	static const enum check_id of[] = { CHECK_FIVE, CHECK_RECEIPTS, CHECK_SUMMARY,
					    CHECK_RUN_HASH, CHECK_DRIFT };
	struct report r = { .a = a };
	struct faults f = { .a = a };
	size_t i;
	int rc;

	if (!a->run_id) {
		for (i = 0; i < sizeof of / sizeof *of; i++) {
			check_set(a, of[i], false, "a run", "no run with a summary");
			if (*a->bad_summary.p)
				check_note(a, of[i], "%s", a->bad_summary.p);
		}
		return 0;
	}
	lh_report_init(&r.is);
	rc = receipts(&f, err);
	if (!rc)
		rc = check_summary(&r, &f, err);
	if (!rc)
		rc = drift(&r, err);
	lh_report_free(&r.is);
	return rc;
}
