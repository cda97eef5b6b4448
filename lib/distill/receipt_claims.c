/* receipt_claims.c - read the newest receipts of a root.  See receipt.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lh/digest.h>
#include <lh/schema.h>
#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "receipt_parts.h"
#include "sample.h"
#include "root.h"

#define REPORT_MAX ((size_t)256 << 20)	/* a receipt of a million files */
#define PATH_LEN 256			/* of a receipt */
#define ULL(n) ((unsigned long long)(n))

#define COUNT(name, s, f) LH_BIND_U64(name, s, f, 0, INT64_MAX)

static const struct lh_bind listed_members[] = {
	{ LH_BIND_STRING("path", struct listed, path), .required = true },
	{ LH_BIND_STRING("sha256", struct listed, sha256), .required = true },
	{ COUNT("bytes", struct listed, bytes), .required = true },
	{ COUNT("record_count", struct listed, records), .required = true },
	LH_BIND_END
};
static const struct lh_bind side_members[] = {
	{ LH_BIND_TABLES("files", struct side, file, n, listed_members), .required = true },
	{ COUNT("record_count", struct side, records), .required = true },
	{ LH_BIND_STRING("hash", struct side, hash), .required = true },
	LH_BIND_END
};
static const struct lh_bind stats_members[] = {
	{ COUNT("accepted", struct counts, accepted), .required = true },
	{ COUNT("rejected", struct counts, rejected), .required = true },
	{ COUNT("quarantined", struct counts, quarantined), .required = true },
	{ COUNT("skipped", struct counts, skipped), .required = true },
	LH_BIND_END
};
static const struct lh_bind validation_members[] = {
	{ LH_BIND_BOOL("passed", struct validation, passed), .required = true },
	LH_BIND_END
};
static const struct lh_bind erased_members[] = {
	{ LH_BIND_STRING("receipt", struct erased, id), .required = true },
	{ COUNT("rows", struct erased, rows), .required = true },
	LH_BIND_END
};
static const struct lh_bind receipt_members[] = {
	{ LH_BIND_STRING("run_id", struct receipt, run_id), .required = true },
	{ LH_BIND_STRING("stage", struct receipt, stage), .required = true },
	{ LH_BIND_STRING("timestamp", struct receipt, timestamp), .required = true },
	{ LH_BIND_STRING("git_commit", struct receipt, git_commit), .required = true },
	{ LH_BIND_TABLE("inputs", struct receipt, in, side_members), .required = true },
	{ LH_BIND_TABLE("outputs", struct receipt, out, side_members), .required = true },
	{ LH_BIND_TABLE("stats", struct receipt, stats, stats_members), .required = true },
	{ LH_BIND_TABLE("validation", struct receipt, validation, validation_members),
	  .required = true },
	{ LH_BIND_TABLES("erased", struct receipt, erased, n_erased, erased_members) },
	LH_BIND_END
};

/* A stage as the summary has it. */
struct stage {
	struct lh_str stage, input_hash, output_hash;
	uint64_t in, out;
	struct counts stats;
	bool passed;
};
struct summary {
	struct lh_str run_id, git_commit, started_at, ended_at, run_hash;
	struct stage *stage;
	size_t n;
	uint64_t in, out, rag, sft, pairs;
	struct counts stats;
	bool passed;
};
static const struct lh_bind stage_members[] = {
	{ LH_BIND_STRING("stage", struct stage, stage), .required = true },
	{ LH_BIND_STRING("input_hash", struct stage, input_hash), .required = true },
	{ LH_BIND_STRING("output_hash", struct stage, output_hash), .required = true },
	{ COUNT("records_in", struct stage, in), .required = true },
	{ COUNT("records_out", struct stage, out), .required = true },
	{ COUNT("accepted", struct stage, stats.accepted), .required = true },
	{ COUNT("rejected", struct stage, stats.rejected), .required = true },
	{ COUNT("quarantined", struct stage, stats.quarantined), .required = true },
	{ COUNT("skipped", struct stage, stats.skipped), .required = true },
	{ LH_BIND_BOOL("passed", struct stage, passed), .required = true },
	LH_BIND_END
};
static const struct lh_bind summary_members[] = {
	{ LH_BIND_STRING("run_id", struct summary, run_id), .required = true },
	{ LH_BIND_STRING("git_commit", struct summary, git_commit), .required = true },
	{ LH_BIND_STRING("started_at", struct summary, started_at), .required = true },
	{ LH_BIND_STRING("ended_at", struct summary, ended_at), .required = true },
	{ LH_BIND_STRING("run_hash", struct summary, run_hash), .required = true },
	{ LH_BIND_TABLES("stages", struct summary, stage, n, stage_members), .required = true },
	{ COUNT("total_records_in", struct summary, in), .required = true },
	{ COUNT("total_records_out", struct summary, out), .required = true },
	{ COUNT("total_records_accepted", struct summary, stats.accepted), .required = true },
	{ COUNT("total_records_rejected", struct summary, stats.rejected), .required = true },
	{ COUNT("total_records_quarantined", struct summary, stats.quarantined),
	  .required = true },
	{ COUNT("total_records_skipped", struct summary, stats.skipped), .required = true },
	{ COUNT("rag_records", struct summary, rag), .required = true },
	{ COUNT("sft_records", struct summary, sft), .required = true },
	{ COUNT("preference_pairs", struct summary, pairs), .required = true },
	{ LH_BIND_BOOL("overall_passed", struct summary, passed), .required = true },
	LH_BIND_END
};

/* A report as a file: its text, and what was read from it. */
struct report {
	char relpath[PATH_LEN];
	struct lh_buf file, text, scratch;
	struct lh_record rec;
	char why[512];		/* the first violation of its schema, "" without one */
};

/* When a receipt was written: by time, by the number of records, by the id of its run. */
struct chosen {
	char *id;
	int64_t ms;
	uint64_t records;
};

struct reading {
	struct lh_receipts *c;
	struct claims *claims;
	struct report report, summary_report;
	struct receipt receipt;
	struct summary summary;
	bool has_summary;	/* of the newest run, and it is one */
	int64_t ended;		/* that run */
	struct chosen chosen[LH_STAGES];
};

/* ---- reports ---- */

static void report_init(struct report *r)
{
	lh_buf_init(&r->file, REPORT_MAX);
	lh_record_init(&r->rec);
}

static void report_free(struct report *r)
{
	lh_buf_free(&r->file);
	lh_buf_free(&r->text);
	lh_buf_free(&r->scratch);
	lh_record_free(&r->rec);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct report *r = ctx;

	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%.*s: %.*s", (int)field->n, field->p,
			 (int)problem->n, problem->p);
}

/* Read a report of a run by its schema and table: 1, 0 if it does not exist, -1 with
 * LH_ECORRUPT if it is not one. */
static int report_read(struct report *r, const struct lh_root *root, const char *id,
		       const char *name, const char *schema, const struct lh_bind *table, void *to,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	long bad = 0;
	int rc;

	snprintf(r->relpath, sizeof r->relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, id, name);
	path = lh_root_join(root, r->relpath);
	rc = lh_file_read(path, &r->file, err);
	r->why[0] = '\0';
	if (rc <= 0)
		return rc;
	rc = lh_record_parse(&r->rec, r->file.p, r->file.len, err);
	if (!rc)
		bad = lh_schema_check_record(lh_schema_find(schema), &r->rec, &r->scratch,
					     on_violation, r);
	if (bad > 0)
		return lh_err_set(err, LH_ECORRUPT, "%s", r->why);
	if (!rc && !bad)
		rc = lh_bind(table, &r->rec, to, &r->text, err);
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return rc < 0 ? -1 : 1;
}

/* Read the receipt of a stage of a run: 1, 0 if there is none or it is not one, which is
 * reported, -1. */
static int read_receipt(struct reading *r, const char *id, enum lh_stage stage, bool *there,
			struct lh_err *err)
{
	const char *name = lh_stage_name(stage);
	int rc = report_read(&r->report, r->c->root, id, name, "stage_receipt", receipt_members,
			     &r->receipt, err);

	*there = rc != 0;
	if (rc < 0)
		return lh_receipt_finding(r->c, LH_RECEIPT_BAD, r->report.relpath, err);
	if (rc > 0 && !lh_str_is(r->receipt.stage, name, strlen(name))) {
		lh_receipt_report(r->c, LH_RECEIPT_BAD, "%s: stage is not %s", r->report.relpath,
				  name);
		rc = 0;
	}
	return rc;
}

/* ---- a receipt and itself ---- */

static int cmp_listed(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	int rc = memcmp(x->path.p, y->path.p, x->path.n < y->path.n ? x->path.n : y->path.n);

	return rc ? rc : x->path.n < y->path.n ? -1 : x->path.n > y->path.n;
}

/* Check that the hash and the count of a side are those of its files: 1, 0, -1. */
static int check_side(struct reading *r, const char *name, struct side *s)
{
	LH_SCOPED(lh_buf_free) struct lh_buf lines = { 0 };
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	uint64_t records = 0;
	size_t i;
	int rc;

	qsort(s->file, s->n, sizeof *s->file, cmp_listed);
	for (i = 0; i < s->n; i++) {
		records += s->file[i].records;
		lh_buf_add(&lines, s->file[i].path.p, s->file[i].path.n);
		lh_buf_putc(&lines, '\t');
		lh_buf_add(&lines, s->file[i].sha256.p, s->file[i].sha256.n);
		lh_buf_putc(&lines, '\n');
	}
	lh_sha256(lines.p, lines.len, sum);
	lh_hex(sum, sizeof sum, hex);
	rc = lh_str_is(s->hash, hex, sizeof hex) && s->records == records;
	if (!rc)
		lh_receipt_report(r->c, LH_RECEIPT_BAD,
				  "%s: %s.%s is not that of its files", r->report.relpath,
				  name, s->records == records ? "hash" : "record_count");
	return rc;
}

static bool same_str(struct lh_str a, struct lh_str b)
{
	return lh_str_is(a, b.p, b.n);
}

/* Return the first member in which receipt and summary differ, or NULL. */
static const char *contradiction(const struct receipt *c, const struct stage *s)
{
	const struct {
		const char *name;
		bool same;
	} member[] = {
		{ "inputs.record_count", c->in.records == s->in },
		{ "outputs.record_count", c->out.records == s->out },
		{ "stats.accepted", c->stats.accepted == s->stats.accepted },
		{ "stats.rejected", c->stats.rejected == s->stats.rejected },
		{ "stats.quarantined", c->stats.quarantined == s->stats.quarantined },
		{ "stats.skipped", c->stats.skipped == s->stats.skipped },
		{ "validation.passed", c->validation.passed == s->passed },
		{ "inputs.hash", same_str(c->in.hash, s->input_hash) },
		{ "outputs.hash", same_str(c->out.hash, s->output_hash) },
	};
	size_t i;

	for (i = 0; i < sizeof member / sizeof *member; i++)
		if (!member[i].same)
			return member[i].name;
	return NULL;
}

/* Return whether the receipt was written in the time of the run. */
static bool is_within(const struct receipt *c, const struct summary *s)
{
	int64_t from, at, to;

	return lh_time_read(s->started_at.p, s->started_at.n, &from) == 0 &&
	       lh_time_read(c->timestamp.p, c->timestamp.n, &at) == 0 &&
	       lh_time_read(s->ended_at.p, s->ended_at.n, &to) == 0 && from <= at && at <= to;
}

/* Compare the receipt that was read with the summary of its run: 1, 0. */
static int check_against_summary(struct reading *r)
{
	const struct receipt *c = &r->receipt;
	const struct summary *s = &r->summary;
	const char *differs = NULL;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (same_str(s->stage[i].stage, c->stage))
			break;
	if (i < s->n)
		differs = contradiction(c, &s->stage[i]);
	if (!differs && !same_str(c->git_commit, s->git_commit))
		differs = "git_commit";
	if (!differs && !is_within(c, s))
		differs = "timestamp";
	if (!differs && !same_str(c->run_id, s->run_id))
		differs = "run_id";
	if (i == s->n)
		lh_receipt_report(r->c, LH_RECEIPT_BAD, "%s: the summary has no such stage",
				  r->report.relpath);
	else if (differs)
		lh_receipt_report(r->c, LH_RECEIPT_BAD, "%s: %s is not as in summary.json",
				  r->report.relpath, differs);
	return i < s->n && !differs;
}

/* Check the receipts of the newest run. */
static int check_run(struct reading *r, struct lh_err *err)
{
	struct lh_receipts *c = r->c;
	bool there;
	int i, rc, in, out;

	for (i = 0; c->run_id && i < LH_STAGES; i++) {
		rc = read_receipt(r, c->run_id, (enum lh_stage)i, &there, err);
		if (rc < 0)
			return -1;
		c->there += there;
		if (!there)
			lh_receipt_report(c, LH_RECEIPT_MISSING, "no %s.json",
					  lh_stage_name((enum lh_stage)i));
		if (!rc)
			continue;
		in = check_side(r, "inputs", &r->receipt.in);
		out = in < 0 ? -1 : check_side(r, "outputs", &r->receipt.out);
		if (out < 0)
			return -1;
		c->good += in && out && (!r->has_summary || check_against_summary(r));
	}
	return 0;
}

/* ---- the summary ---- */

/* Return the first sum of the summary that is not that of its stages, or NULL. */
static const char *wrong_total(const struct summary *s)
{
	struct stage t = { .passed = true };
	uint64_t exported[LH_STAGES] = { 0 };
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		t.in += s->stage[i].in;
		t.out += s->stage[i].out;
		t.stats.accepted += s->stage[i].stats.accepted;
		t.stats.rejected += s->stage[i].stats.rejected;
		t.stats.quarantined += s->stage[i].stats.quarantined;
		t.stats.skipped += s->stage[i].stats.skipped;
		t.passed &= s->stage[i].passed;
		for (k = 0; k < LH_STAGES; k++)
			if (lh_str_is(s->stage[i].stage, lh_stage_name((enum lh_stage)k),
				      strlen(lh_stage_name((enum lh_stage)k))))
				exported[k] = s->stage[i].stats.accepted;
	}
	return t.in != s->in			      ? "total_records_in"
	       : t.out != s->out		      ? "total_records_out"
	       : t.stats.accepted != s->stats.accepted ? "total_records_accepted"
	       : t.stats.rejected != s->stats.rejected ? "total_records_rejected"
	       : t.stats.quarantined != s->stats.quarantined ? "total_records_quarantined"
	       : t.stats.skipped != s->stats.skipped   ? "total_records_skipped"
	       : exported[LH_STAGE_RAG] != s->rag      ? "rag_records"
	       : exported[LH_STAGE_SFT] != s->sft      ? "sft_records"
	       : exported[LH_STAGE_PREFERENCE] != s->pairs ? "preference_pairs"
	       : t.passed != s->passed		      ? "overall_passed"
						      : NULL;
}

/* Return whether the run_hash is the SHA-256 over the output hashes, joined by "|". */
static bool is_run_hash(const struct summary *s)
{
	struct lh_sha256 hash;
	unsigned char sum[32];
	char hex[LH_SHA256_HEX];
	size_t i;

	lh_sha256_start(&hash);
	for (i = 0; i < s->n; i++) {
		if (i)
			lh_sha256_more(&hash, "|", 1);
		lh_sha256_more(&hash, s->stage[i].output_hash.p, s->stage[i].output_hash.n);
	}
	lh_sha256_end(&hash, sum);
	lh_hex(sum, sizeof sum, hex);
	return lh_str_is(s->run_hash, hex, sizeof hex);
}

/* Read the summary of the newest run; one that has not the form of one is no matter of
 * this check. */
static int read_summary(struct reading *r, struct lh_err *err)
{
	const struct summary *s = &r->summary;
	const char *wrong;
	int rc;

	if (!r->c->run_id)
		return 0;
	rc = report_read(&r->summary_report, r->c->root, r->c->run_id, "summary", "run_summary",
			 summary_members, &r->summary, err);
	if (rc < 0)
		return err->code == LH_ENOMEM || err->code == LH_EINTR ? -1 : 0;
	r->has_summary = rc > 0;
	if (!r->has_summary)
		return 0;
	lh_time_read(s->ended_at.p, s->ended_at.n, &r->ended);
	wrong = wrong_total(s);
	if (wrong)
		lh_receipt_report(r->c, LH_RECEIPT_SUMMARY, "%s: %s is not that of its stages",
				  r->summary_report.relpath, wrong);
	if (!is_run_hash(s))
		lh_receipt_report(r->c, LH_RECEIPT_RUN_HASH,
				  "%s: run_hash is not that of its stages",
				  r->summary_report.relpath);
	return 0;
}

/* ---- the newest receipt of each stage ---- */

static bool is_newer(const struct chosen *a, const struct chosen *b)
{
	if (!b->id || a->ms != b->ms)
		return !b->id || a->ms > b->ms;
	return a->records != b->records ? a->records > b->records : strcmp(a->id, b->id) > 0;
}

static void choose(struct reading *r, const char *id, enum lh_stage stage, bool *newer)
{
	struct chosen own = { .id = (char *)id, .records = r->receipt.out.records };
	struct chosen *best = &r->chosen[stage];
	struct lh_str at = r->receipt.timestamp;
	char *copy;

	if (lh_time_read(at.p, at.n, &own.ms) < 0 || !is_newer(&own, best))
		return;
	copy = lh_strndup(id, strlen(id));
	*newer = own.ms > r->ended;
	free(best->id);
	*best = own;
	best->id = copy;
}

struct ending {
	struct lh_str at;
};
static const struct lh_bind ending_members[] = {
	{ LH_BIND_STRING("ended_at", struct ending, at), .lax = true },
	LH_BIND_END
};

/* Return whether the receipts of a run may be newer than those of the newest: 1, 0, -1. */
static int is_candidate(struct reading *r, const char *id, bool *complete, struct lh_err *err)
{
	struct ending ending = { .at = { NULL, 0 } };
	int64_t ms;
	int rc = report_read(&r->report, r->c->root, id, "summary", "run_summary", ending_members,
			     &ending, err);

	*complete = rc != 0;
	if (rc < 0)
		return err->code == LH_ENOMEM || err->code == LH_EINTR ? -1 : 1;
	return !rc || !ending.at.p || lh_time_read(ending.at.p, ending.at.n, &ms) < 0 ||
	       ms >= r->ended;
}

/* Return whether the run has a file that is written after its last stage: 1, 0, -1. */
static int has_drift(const struct reading *r, const char *id)
{
	char relpath[PATH_LEN];
	LH_SCOPED(lh_free_local) char *path = NULL;

	snprintf(relpath, sizeof relpath, "%s/%s/drift.json", LH_ROOT_REPORTS, id);
	path = lh_root_join(r->c->root, relpath);
	return access(path, F_OK) == 0;
}

static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct reading *r = ctx;
	bool newest = r->c->run_id && !strcmp(id, r->c->run_id), complete = true, newer = false;
	int i, rc = newest ? 1 : is_candidate(r, id, &complete, err);

	if (rc <= 0)
		return rc;
	for (i = 0; i < LH_STAGES; i++) {
		rc = report_read(&r->report, r->c->root, id, lh_stage_name((enum lh_stage)i),
				 "stage_receipt", receipt_members, &r->receipt, err);
		if (rc < 0 && newest && err->code != LH_ENOMEM && err->code != LH_EINTR)
			continue;	/* check_run has reported it */
		if (rc < 0 &&
		    lh_receipt_finding(r->c, LH_RECEIPT_BAD, r->report.relpath, err) < 0)
			return -1;
		if (rc <= 0)
			continue;
		lh_receipt_erased(r->c, r->report.relpath, &r->receipt);
		choose(r, id, (enum lh_stage)i, &newer);
	}
	if (complete || !newer)
		return 0;
	rc = has_drift(r, id);
	if (rc > 0)
		lh_receipt_report(r->c, LH_RECEIPT_SUMMARY,
				  "%s/%s: the newest run has a drift.json but no summary.json: it "
				  "was killed, or the summary was removed", LH_ROOT_REPORTS, id);
	return rc < 0 ? -1 : 0;
}

/* ---- claims ---- */

/* Return whether a stage may read or write a file of that name. */
static bool is_known_path(const char *p)
{
	int i;

	if (strstr(p, "/../") || strstr(p, "//"))
		return false;
	for (i = 0; i < LH_STREAMS; i++)
		if (!strcmp(p, lh_stream_source((enum lh_stream)i)))
			return true;
	for (i = 0; i < LH_EXPORTERS; i++)
		if (!strcmp(p, lh_exporter_output((enum lh_exporter)i)) ||
		    !strcmp(p, lh_exporter_quarantine((enum lh_exporter)i)))
			return true;
	return !strcmp(p, LH_ROOT_SKIPS) ||
	       !strncmp(p, LH_ROOT_EVIDENCE "/", sizeof LH_ROOT_EVIDENCE) ||
	       !strncmp(p, LH_ROOT_SCORED "/", sizeof LH_ROOT_SCORED);
}

static void add_claims(struct reading *r, const struct side *s, unsigned from, unsigned order)
{
	struct claims *c = r->claims;
	struct claim *v;
	size_t i;

	for (i = 0; i < s->n; i++) {
		lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
		v = &c->v[c->n];
		*v = (struct claim){ .bytes = s->file[i].bytes, .from = from, .order = order };
		v->path = lh_strndup(s->file[i].path.p, s->file[i].path.n);
		c->n++;
		if (strlen(v->path) == s->file[i].path.n && is_known_path(v->path) &&
		    lh_unhex(s->file[i].sha256.p, s->file[i].sha256.n, v->sha256))
			continue;
		lh_receipt_report(r->c, LH_RECEIPT_BAD, "%s: no stage has a file \"%.200s\"",
				  r->report.relpath, v->path);
		free(c->v[--c->n].path);
	}
}

/* Return which of the chosen receipts is the next in time after those in `done`, or
 * LH_STAGES. */
static unsigned next_chosen(const struct reading *r, unsigned done)
{
	unsigned i, best = LH_STAGES;

	for (i = 0; i < LH_STAGES; i++)
		if (r->chosen[i].id && !(done & 1u << i) &&
		    (best == LH_STAGES || r->chosen[i].ms < r->chosen[best].ms))
			best = i;
	return best;
}

static int take_claims(struct reading *r, struct lh_err *err)
{
	unsigned i, order, done = 0;
	int rc;

	for (order = 0; (i = next_chosen(r, done)) < LH_STAGES; order++) {
		done |= 1u << i;
		rc = report_read(&r->report, r->c->root, r->chosen[i].id,
				 lh_stage_name((enum lh_stage)i), "stage_receipt",
				 receipt_members, &r->receipt, err);
		if (rc <= 0)	/* it was there before */
			return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: has gone meanwhile",
							r->report.relpath);
		r->claims->receipt[i] =
			lh_strndup(r->report.relpath, strlen(r->report.relpath));
		add_claims(r, &r->receipt.in, i, order);
		add_claims(r, &r->receipt.out, i, order);
	}
	return 0;
}

static int cmp_claim(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int rc = strcmp(x->path, y->path);

	return rc ? rc : x->order < y->order ? -1 : x->order > y->order;
}

int lh_claims_read(struct claims *c, struct lh_receipts *what, struct lh_err *err)
{
	struct reading r = { .c = what, .claims = c, .ended = INT64_MIN };
	int i, rc;

	report_init(&r.report);
	report_init(&r.summary_report);
	rc = read_summary(&r, err);
	if (!rc)
		rc = check_run(&r, err);
	if (!rc)
		rc = lh_run_each(what->root, on_run, &r, err);
	if (!rc)
		rc = take_claims(&r, err);
	if (!rc && c->n)
		qsort(c->v, c->n, sizeof *c->v, cmp_claim);
	for (i = 0; i < LH_STAGES; i++)
		free(r.chosen[i].id);
	report_free(&r.report);
	report_free(&r.summary_report);
	return rc;
}

void lh_claims_free(struct claims *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->v[i].path);
	for (i = 0; i < LH_STAGES; i++)
		free(c->receipt[i]);
	free(c->v);
}
