/* receipt_check.c - the newest receipts of a root, and its files against them.  See receipt.h. */
#include "receipt_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/file.h"
#include "file/rows.h"
#include "sample.h"

#define ULL(n) ((unsigned long long)(n))

LH_PRINTF(3, 4) static void report(struct lh_receipts *c, enum lh_receipt_fault what,
				   const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->fault(c->ctx, what, text);
}

/* Report *err, whose message may begin with the root's path; -1 if it is not about the
 * contents of the root. */
static int report_finding(struct lh_receipts *c, enum lh_receipt_fault what, const char *relpath,
			  struct lh_err *err)
{
	const char *root = lh_root_path(c->root);
	size_t n = strlen(root);

	if (err->code == LH_EINTR)
		return -1;
	if (!strncmp(err->msg, root, n) && err->msg[n] == '/')
		report(c, what, "%s", err->msg + n + 1);
	else
		report(c, what, "%s: %s", relpath, err->msg);
	return 0;
}

/* ---- what was erased ---- */

static void report_unknown(struct lh_receipts *c, const char *relpath, struct lh_str id)
{
	report(c, LH_RECEIPT_BAD, "%s: rows were erased by %.*s, of which there is no "
			  "receipt%s", relpath, (int)(id.n < LH_ERASURE_ID ? id.n : LH_ERASURE_ID),
			  id.p, c->erasures.unfinished ? "; an erasure is not finished" : "");
}

/* Return how many rows the erasure took out of the files of a side. */
static uint64_t gone_from(const struct lh_receipts *c, const struct lh_erasure *x,
			  const struct lh_receipt_side *s)
{
	uint64_t rows = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		rows += lh_erasure_rows(x, lh_root_path(c->root), s->file[i].path);
	return rows;
}

/* Report what a receipt names as erased and no receipt of an erasure does. */
static void check_erased(struct lh_receipts *c, const char *relpath, const struct lh_receipt *r)
{
	const struct lh_erasure *x;
	uint64_t rows, gone;
	size_t i, k;

	for (i = 0; i < r->n_erased; i++) {
		const struct lh_receipt_erased *e = &r->erased[i];

		x = lh_erasures_find(&c->erasures, e->id);
		if (!x) {
			report_unknown(c, relpath, e->id);
			continue;
		}
		for (k = rows = 0; k <= i; k++)
			if (lh_str_is(r->erased[k].id, e->id.p, e->id.n))
				rows += r->erased[k].rows;
		gone = gone_from(c, x, &r->in) + gone_from(c, x, &r->out);
		if (rows > gone)
			report(c, LH_RECEIPT_BAD,
			       "%s: %s erased by %.*s, and its receipt has %llu", relpath,
			       LH_N(rows, "row was|rows were"), (int)e->id.n, e->id.p, ULL(gone));
	}
}

/* Count the tombstones of a text for each erasure; one of none is reported. */
static void count_tombstones(struct lh_receipts *c, const char *source, struct lh_str text,
			     uint64_t *rows)
{
	const struct lh_erasure *x;
	bool unknown = false;
	struct lh_str id;

	while (lh_tombstone_next(&text, &id)) {
		x = lh_erasures_find(&c->erasures, id);
		if (x)
			rows[x - c->erasures.v]++;
		else if (!unknown)
			report_unknown(c, source, id);
		unknown = unknown || !x;
	}
}

/* Report tombstones of a source that no receipt of an erasure explains. */
static int check_tombstones(struct lh_receipts *c, const char *source, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint64_t *rows = lh_calloc(c->erasures.n + 1, sizeof *rows);
	LH_SCOPED(lh_free_local) char *path = lh_root_join(c->root, source);
	struct lh_mapped m;
	uint64_t gone;
	size_t i;
	int fd, rc;

	errno = 0;
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	if (fd < 0)	/* what is wrong with it is reported elsewhere */
		return 0;
	rc = lh_mapped_fd(&m, fd, err);
	close(fd);
	if (rc < 0)
		return -1;
	count_tombstones(c, source, (struct lh_str){ m.p, m.n }, rows);
	lh_mapped_close(&m);
	for (i = 0; i < c->erasures.n; i++) {
		const struct lh_erasure *x = &c->erasures.v[i];

		gone = lh_erasure_rows(x, lh_root_path(c->root), lh_str_of(source));
		if (rows[i] > gone)
			report(c, LH_RECEIPT_BAD,
			       "%s: %s erased by %.*s, and its receipt has %llu", source,
			       LH_N(rows[i], "row was|rows were"), (int)x->id.n, x->id.p,
			       ULL(gone));
	}
	return 0;
}

/* ---- receipts ---- */

/* When a receipt was written: by time, by the number of records, by the id of its run. */
struct chosen {
	char *id;
	int64_t ms;
	uint64_t records;
	struct lh_files files;	/* that it names */
};

struct reading {
	struct lh_receipts *c;
	struct lh_claims *claims;
	struct lh_report report, summary_report;
	struct lh_files side;
	struct lh_receipt receipt;
	struct lh_summary_text summary;
	bool has_summary;	/* of the newest run, and it is one */
	int64_t ended;		/* that run */
	struct chosen chosen[LH_STAGES];
};

/* Read a receipt into an empty one: nothing of the one before stays. */
static int bind_receipt(struct reading *r, const char *id, const char *name, struct lh_err *err)
{
	r->receipt = (struct lh_receipt){ .n_erased = 0 };
	return lh_report_read(&r->report, r->c->root, id, name, "stage_receipt",
			      lh_receipt_members, &r->receipt, err);
}

/* Read the receipt of a stage of a run: 1, 0 if there is none or it is not one, which is
 * reported, -1. */
static int read_receipt(struct reading *r, const char *id, enum lh_stage stage, bool *there,
			struct lh_err *err)
{
	const char *name = lh_stage_name(stage);
	int rc = bind_receipt(r, id, name, err);

	*there = rc != 0;
	if (rc < 0)
		return report_finding(r->c, LH_RECEIPT_BAD, r->report.relpath, err);
	if (rc > 0 && !lh_str_is(r->receipt.stage, name, strlen(name))) {
		report(r->c, LH_RECEIPT_BAD, "%s: stage is not %s", r->report.relpath, name);
		rc = 0;
	}
	return rc;
}

/* ---- a receipt and itself ---- */

/* Check that the hash and the count of a side are those of its files. */
static bool check_side(struct reading *r, const char *name, const struct lh_receipt_side *s)
{
	char hex[LH_SHA256_HEX + 1];
	bool same_count;

	lh_files_clear(&r->side);
	lh_files_take(&r->side, s->file, s->n);
	lh_files_sort(&r->side);
	lh_files_hash(&r->side, hex);
	same_count = s->records == lh_files_records(&r->side);
	if (same_count && lh_str_is(s->hash, hex, LH_SHA256_HEX))
		return true;
	report(r->c, LH_RECEIPT_BAD, "%s: %s.%s is not that of its files", r->report.relpath, name,
	       same_count ? "hash" : "record_count");
	return false;
}

static bool same_str(struct lh_str a, struct lh_str b)
{
	return lh_str_is(a, b.p, b.n);
}

/* Return the first member in which receipt and summary differ, or NULL. */
static const char *contradiction(const struct lh_receipt *c, const struct lh_summary_stage *s)
{
	static const char *const name[LH_COUNTS] = {
		"inputs.record_count", "outputs.record_count", "stats.accepted", "stats.rejected",
		"stats.quarantined", "stats.skipped"
	};
	struct lh_receipt_counts own = c->stats;
	int i;

	own.n[LH_COUNT_IN] = c->in.records;
	own.n[LH_COUNT_OUT] = c->out.records;
	for (i = 0; i < LH_COUNTS; i++)
		if (own.n[i] != s->of.n[i])
			return name[i];
	return c->validation.passed != s->passed ? "validation.passed"
		: !same_str(c->in.hash, s->input_hash) ? "inputs.hash"
		: !same_str(c->out.hash, s->output_hash) ? "outputs.hash" : NULL;
}

/* Return whether the receipt was written in the time of the run. */
static bool is_within(const struct lh_receipt *c, const struct lh_summary_text *s)
{
	int64_t from, at, to;

	return lh_time_read(s->started_at.p, s->started_at.n, &from) == 0 &&
	       lh_time_read(c->timestamp.p, c->timestamp.n, &at) == 0 &&
	       lh_time_read(s->ended_at.p, s->ended_at.n, &to) == 0 && from <= at && at <= to;
}

/* Compare the receipt that was read with the summary of its run: 1, 0. */
static int check_against_summary(struct reading *r)
{
	const struct lh_receipt *c = &r->receipt;
	const struct lh_summary_text *s = &r->summary;
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
		report(r->c, LH_RECEIPT_BAD, "%s: the summary has no such stage",
				  r->report.relpath);
	else if (differs)
		report(r->c, LH_RECEIPT_BAD, "%s: %s is not as in summary.json",
				  r->report.relpath, differs);
	return i < s->n && !differs;
}

/* Check the receipts of the newest run. */
static int check_run(struct reading *r, struct lh_err *err)
{
	struct lh_receipts *c = r->c;
	bool there, in, out;
	int i, rc;

	for (i = 0; c->run_id && i < LH_STAGES; i++) {
		rc = read_receipt(r, c->run_id, (enum lh_stage)i, &there, err);
		if (rc < 0)
			return -1;
		c->there += there;
		if (!there)
			report(c, LH_RECEIPT_MISSING, "no %s.json",
					  lh_stage_name((enum lh_stage)i));
		if (!rc)
			continue;
		in = check_side(r, "inputs", &r->receipt.in);
		out = check_side(r, "outputs", &r->receipt.out);
		c->good += in && out && (!r->has_summary || check_against_summary(r));
	}
	return 0;
}

/* ---- the summary ---- */

/* Return the first sum of the summary that is not that of its stages, or NULL. */
static const char *wrong_total(const struct lh_summary_text *s)
{
	static const char *const name[LH_COUNTS] = {
		"total_records_in", "total_records_out", "total_records_accepted",
		"total_records_rejected", "total_records_quarantined", "total_records_skipped"
	};
	static const char *const samples[] = { "rag_records", "sft_records", "preference_pairs" };
	uint64_t total[LH_COUNTS] = { 0 }, exported[3] = { 0 };
	const char *stage;
	bool passed = true;
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		for (k = 0; k < LH_COUNTS; k++)
			total[k] += s->stage[i].of.n[k];
		passed &= s->stage[i].passed;
		for (k = 0; k < 3; k++) {
			stage = lh_stage_name((enum lh_stage)(LH_STAGE_RAG + k));
			if (lh_str_is(s->stage[i].stage, stage, strlen(stage)))
				exported[k] = s->stage[i].of.n[LH_COUNT_ACCEPTED];
		}
	}
	for (k = 0; k < LH_COUNTS; k++)
		if (total[k] != s->total.n[k])
			return name[k];
	for (k = 0; k < 3; k++)
		if (exported[k] != s->samples[k])
			return samples[k];
	return passed != s->passed ? "overall_passed" : NULL;
}

/* Return whether the run_hash is the SHA-256 over the output hashes, joined by "|". */
static bool is_run_hash(const struct lh_summary_text *s)
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
	const struct lh_summary_text *s = &r->summary;
	const char *wrong;
	int rc;

	if (!r->c->run_id)
		return 0;
	rc = lh_report_read(&r->summary_report, r->c->root, r->c->run_id, "summary", "run_summary",
			 lh_summary_members, &r->summary, err);
	if (rc < 0)
		return err->code == LH_EINTR ? -1 : 0;
	r->has_summary = rc > 0;
	if (!r->has_summary)
		return 0;
	lh_time_read(s->ended_at.p, s->ended_at.n, &r->ended);
	wrong = wrong_total(s);
	if (wrong)
		report(r->c, LH_RECEIPT_SUMMARY, "%s: %s is not that of its stages",
				  r->summary_report.relpath, wrong);
	if (!is_run_hash(s))
		report(r->c, LH_RECEIPT_RUN_HASH,
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
	const struct lh_receipt *c = &r->receipt;
	struct chosen own = { .id = (char *)id, .records = c->out.records };
	struct chosen *best = &r->chosen[stage];

	if (lh_time_read(c->timestamp.p, c->timestamp.n, &own.ms) < 0 || !is_newer(&own, best))
		return;
	*newer = own.ms > r->ended;
	own.id = lh_strndup(id, strlen(id));
	own.files = best->files;
	free(best->id);
	*best = own;
	lh_files_clear(&best->files);
	lh_files_take(&best->files, c->in.file, c->in.n);
	lh_files_take(&best->files, c->out.file, c->out.n);
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
	int rc = lh_report_read(&r->report, r->c->root, id, "summary", "run_summary",
				ending_members, &ending, err);

	*complete = rc != 0;
	if (rc < 0)
		return err->code == LH_EINTR ? -1 : 1;
	return !rc || !ending.at.p || lh_time_read(ending.at.p, ending.at.n, &ms) < 0 ||
	       ms >= r->ended;
}

static int on_run(void *ctx, const char *id, struct lh_err *err)
{
	struct reading *r = ctx;
	LH_SCOPED(lh_free_local) char *drift = lh_format("%s/%s/drift.json", LH_ROOT_REPORTS, id);
	bool newest = r->c->run_id && !strcmp(id, r->c->run_id), complete = true, newer = false;
	int i, rc = newest ? 1 : is_candidate(r, id, &complete, err);

	if (rc <= 0)
		return rc;
	for (i = 0; i < LH_STAGES; i++) {
		rc = bind_receipt(r, id, lh_stage_name((enum lh_stage)i), err);
		if (rc < 0 && newest && err->code != LH_EINTR)
			continue;	/* check_run has reported it */
		if (rc < 0 &&
		    report_finding(r->c, LH_RECEIPT_BAD, r->report.relpath, err) < 0)
			return -1;
		if (rc <= 0)
			continue;
		check_erased(r->c, r->report.relpath, &r->receipt);
		choose(r, id, (enum lh_stage)i, &newer);
	}
	/* drift.json is written after the last stage */
	if (!complete && newer && lh_root_has(r->c->root, drift, err) > 0)
		report(r->c, LH_RECEIPT_SUMMARY,
				  "%s/%s: the newest run has a drift.json but no summary.json: it "
				  "was killed, or the summary was removed", LH_ROOT_REPORTS, id);
	return 0;
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

/* Take what the chosen receipts say. */
static void take_claims(struct reading *r)
{
	struct lh_claims *to = r->claims;
	unsigned i, done = 0;
	char relpath[LH_REPORT_PATH];
	struct lh_listed *own;
	size_t k;

	for (; (i = next_chosen(r, done)) < LH_STAGES; done |= 1u << i) {
		const struct lh_files *f = &r->chosen[i].files;

		snprintf(relpath, sizeof relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, r->chosen[i].id,
			 lh_stage_name((enum lh_stage)i));
		to->receipt[i] = lh_strndup(relpath, strlen(relpath));
		for (k = 0; k < f->n; k++) {
			if (!is_known_path(f->v[k].path)) {
				report(r->c, LH_RECEIPT_BAD, "%s: no stage has a file \"%.200s\"",
				       relpath, f->v[k].path);
				continue;
			}
			own = lh_files_add(&to->all, lh_str_of(f->v[k].path));
			own->is = f->v[k].is;
			own->from = i;
		}
	}
	lh_files_sort(&to->all);
}

int lh_claims_read(struct lh_claims *c, struct lh_receipts *what, struct lh_err *err)
{
	struct reading r = { .c = what, .claims = c, .ended = INT64_MIN };
	int i, rc;

	lh_report_init(&r.report);
	lh_report_init(&r.summary_report);
	rc = read_summary(&r, err);
	if (!rc)
		rc = check_run(&r, err);
	if (!rc)
		rc = lh_run_each(what->root, on_run, &r, err);
	if (!rc)
		take_claims(&r);
	for (i = 0; i < LH_STAGES; i++) {
		free(r.chosen[i].id);
		lh_files_free(&r.chosen[i].files);
	}
	lh_report_free(&r.report);
	lh_report_free(&r.summary_report);
	lh_files_free(&r.side);
	return rc;
}

void lh_claims_free(struct lh_claims *c)
{
	int i;

	for (i = 0; i < LH_STAGES; i++)
		free(c->receipt[i]);
	lh_files_free(&c->all);
}

/* ---- files that no receipt names ---- */

struct others {
	struct lh_receipts *c;
	const struct lh_claims *claims;
	enum lh_stage stage;	/* whose receipt should name them */
};

/* Report a file that no receipt names. */
static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	const struct others *o = ctx;
	const struct lh_claims *all = o->claims;

	(void)err;
	if (lh_files_has(&all->all, relpath))
		return 0;
	if (all->receipt[o->stage])
		report(o->c, LH_RECEIPT_DIFFERS, "%s: no receipt names it", relpath);
	else
		report(o->c, o->c->run_id ? LH_RECEIPT_UNCOVERED : LH_RECEIPT_DIFFERS,
				  "%s: not compared, there is no receipt of %s", relpath,
				  lh_stage_name(o->stage));
	return 0;
}

/* The same for a file that may not exist. */
static int look_for(struct others *o, const char *relpath, struct lh_err *err)
{
	return lh_root_has(o->c->root, relpath, err) > 0 ? on_file(o, relpath, err) : 0;
}

static void check_sources(struct others *o)
{
	struct lh_err unused;
	const char *name;
	int i;

	for (i = 0; i < LH_STREAMS; i++) {
		name = lh_stream_source((enum lh_stream)i);
		if (!lh_files_has(&o->claims->all, name) &&
		    lh_root_has(o->c->root, name, &unused) > 0)
			report(o->c, LH_RECEIPT_UNCOVERED,
					  "%s: not compared, no receipt names it yet", name);
	}
}

static int check_others(struct lh_receipts *c, const struct lh_claims *all, struct lh_err *err)
{
	static const enum lh_stage of[LH_EXPORTERS] = {
		[LH_RAG] = LH_STAGE_RAG, [LH_SFT] = LH_STAGE_SFT,
		[LH_PREFERENCE] = LH_STAGE_PREFERENCE
	};
	struct others o = { .c = c, .claims = all, .stage = LH_STAGE_COLLECT };
	int i;

	check_sources(&o);
	if (look_for(&o, LH_ROOT_SKIPS, err) < 0 ||
	    lh_root_each(c->root, LH_ROOT_EVIDENCE, on_file, &o, err) < 0)
		return -1;
	o.stage = LH_STAGE_SCORE;
	if (lh_root_each(c->root, LH_ROOT_SCORED, on_file, &o, err) < 0)
		return -1;
	for (i = 0; i < LH_EXPORTERS; i++) {
		o.stage = of[i];
		if (look_for(&o, lh_exporter_output((enum lh_exporter)i), err) < 0 ||
		    look_for(&o, lh_exporter_quarantine((enum lh_exporter)i), err) < 0)
			return -1;
	}
	return 0;
}

/* ---- files that receipts name ---- */

struct comparing {
	struct lh_receipts *c;
	const struct lh_claims *claims;
};

/* Return whether the file may have grown since the newest receipt that names it. */
static bool is_source(const char *path)
{
	return !strncmp(path, LH_ROOT_SOURCES "/", sizeof LH_ROOT_SOURCES) &&
	       strcmp(path, LH_ROOT_SKIPS) != 0;
}

static void on_fault(void *ctx, enum lh_listed_fault what, const struct lh_listed *newest,
		     const struct lh_listed *differs, uint64_t size)
{
	const struct comparing *k = ctx;
	const char *path = newest->path, *receipt = k->claims->receipt[newest->from];

	if (what == LH_LISTED_GONE)
		report(k->c, LH_RECEIPT_DIFFERS, "%s: is gone: %s names it", path, receipt);
	else if (what == LH_LISTED_CHANGED)
		report(k->c, LH_RECEIPT_DIFFERS, "%s: was changed: the SHA-256 of its %s%llu bytes "
		       "is not the one in %s", path, size > differs->is.bytes ? "first " : "",
		       ULL(differs->is.bytes), k->claims->receipt[differs->from]);
	else
		report(k->c, LH_RECEIPT_DIFFERS, "%s: %s: it has %llu bytes, and had %llu when %s "
		       "was written", path, what == LH_LISTED_CUT ? "was cut" : "has grown",
		       ULL(size), ULL(newest->is.bytes), receipt);
}

static int on_unread(void *ctx, const struct lh_listed *newest, struct lh_err *err)
{
	const struct comparing *k = ctx;

	return report_finding(k->c, LH_RECEIPT_DIFFERS, newest->path, err);
}

static int check_all(struct lh_receipts *c, const struct lh_claims *claims, struct lh_err *err)
{
	struct comparing k = { c, claims };
	struct lh_files_check how = {
		.folder = lh_root_path(c->root), .may_grow = is_source, .fault = on_fault,
		.unread = on_unread, .ctx = &k
	};
	int rc = lh_files_check(&claims->all, &how, err);

	c->files = how.files;
	c->bytes = how.bytes;
	if (!rc && check_others(c, claims, err) < 0)
		rc = report_finding(c, LH_RECEIPT_DIFFERS, LH_ROOT_EVIDENCE, err);
	return rc;
}

int lh_receipts_check(struct lh_receipts *c, struct lh_err *err)
{
	struct lh_claims all = { .all = { .n = 0 } };
	int i, rc = 0;

	if (c->subjects && lh_erasures_read(&c->erasures, c->subjects, err) < 0)
		rc = report_finding(c, LH_RECEIPT_BAD, c->subjects, err);
	if (!rc)
		rc = lh_claims_read(&all, c, err);
	if (!rc)
		rc = check_all(c, &all, err);
	for (i = 0; !rc && i < LH_STREAMS; i++)
		rc = check_tombstones(c, lh_stream_source((enum lh_stream)i), err);
	lh_erasures_free(&c->erasures);
	lh_claims_free(&all);
	return rc;
}
