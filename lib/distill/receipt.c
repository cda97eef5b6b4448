/* receipt.c - the receipt of a stage.  See receipt.h. */
#include "receipt_parts.h"

#include <stdio.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/file.h"
#include "sample.h"
#include "schema/schema_table.h"

#define NO_GIT "no git commit; zeros stand for it"
#define REPORT_MAX ((size_t)256 << 20)	/* a receipt of a million files */

/* ---- as they are read ---- */

#define COUNT(name, s, f) LH_BIND_U64(name, s, f, 0, INT64_MAX)
#define MUST(name, s, f) { COUNT(name, s, f), .required = true }
#define STAT(name, id) MUST(name, struct lh_receipt_counts, n[LH_COUNT_##id])
#define STAGE(name, id) MUST(name, struct lh_summary_stage, of.n[LH_COUNT_##id])
#define TOTAL(name, id) MUST("total_records_" name, struct lh_summary_text, total.n[LH_COUNT_##id])

static const struct lh_bind side_members[] = {
	{ LH_BIND_TABLES("files", struct lh_receipt_side, file, n, lh_listed_members),
	  .required = true },
	{ COUNT("record_count", struct lh_receipt_side, records), .required = true },
	{ LH_BIND_STRING("hash", struct lh_receipt_side, hash), .required = true },
	LH_BIND_END
};
static const struct lh_bind stats_members[] = {
	STAT("accepted", ACCEPTED), STAT("rejected", REJECTED), STAT("quarantined", QUARANTINED),
	STAT("skipped", SKIPPED),
	LH_BIND_END
};
static const struct lh_bind validation_members[] = {
	{ LH_BIND_BOOL("passed", struct lh_receipt_validation, passed), .required = true },
	LH_BIND_END
};
static const struct lh_bind erased_members[] = {
	{ LH_BIND_STRING("receipt", struct lh_receipt_erased, id), .required = true },
	{ COUNT("rows", struct lh_receipt_erased, rows), .required = true },
	LH_BIND_END
};
const struct lh_bind lh_receipt_members[] = {
	{ LH_BIND_STRING("run_id", struct lh_receipt, run_id), .required = true },
	{ LH_BIND_STRING("stage", struct lh_receipt, stage), .required = true },
	{ LH_BIND_STRING("timestamp", struct lh_receipt, timestamp), .required = true },
	{ LH_BIND_STRING("git_commit", struct lh_receipt, git_commit), .required = true },
	{ LH_BIND_TABLE("inputs", struct lh_receipt, in, side_members), .required = true },
	{ LH_BIND_TABLE("outputs", struct lh_receipt, out, side_members), .required = true },
	{ LH_BIND_TABLE("stats", struct lh_receipt, stats, stats_members), .required = true },
	{ LH_BIND_TABLE("validation", struct lh_receipt, validation, validation_members),
	  .required = true },
	{ LH_BIND_TABLES("erased", struct lh_receipt, erased, n_erased, erased_members) },
	LH_BIND_END
};

static const struct lh_bind stage_members[] = {
	{ LH_BIND_STRING("stage", struct lh_summary_stage, stage), .required = true },
	{ LH_BIND_STRING("input_hash", struct lh_summary_stage, input_hash), .required = true },
	{ LH_BIND_STRING("output_hash", struct lh_summary_stage, output_hash), .required = true },
	STAGE("records_in", IN), STAGE("records_out", OUT), STAGE("accepted", ACCEPTED),
	STAGE("rejected", REJECTED), STAGE("quarantined", QUARANTINED), STAGE("skipped", SKIPPED),
	{ LH_BIND_BOOL("passed", struct lh_summary_stage, passed), .required = true },
	LH_BIND_END
};
const struct lh_bind lh_summary_members[] = {
	{ LH_BIND_STRING("run_id", struct lh_summary_text, run_id), .required = true },
	{ LH_BIND_STRING("git_commit", struct lh_summary_text, git_commit), .required = true },
	{ LH_BIND_STRING("started_at", struct lh_summary_text, started_at), .required = true },
	{ LH_BIND_STRING("ended_at", struct lh_summary_text, ended_at), .required = true },
	{ LH_BIND_STRING("run_hash", struct lh_summary_text, run_hash), .required = true },
	{ LH_BIND_TABLES("stages", struct lh_summary_text, stage, n, stage_members),
	  .required = true },
	TOTAL("in", IN), TOTAL("out", OUT), TOTAL("accepted", ACCEPTED),
	TOTAL("rejected", REJECTED), TOTAL("quarantined", QUARANTINED), TOTAL("skipped", SKIPPED),
	MUST("rag_records", struct lh_summary_text, samples[0]),
	MUST("sft_records", struct lh_summary_text, samples[1]),
	MUST("preference_pairs", struct lh_summary_text, samples[2]),
	{ LH_BIND_BOOL("overall_passed", struct lh_summary_text, passed), .required = true },
	LH_BIND_END
};

void lh_report_init(struct lh_report *r)
{
	*r = (struct lh_report){ .relpath = "" };
	lh_buf_init(&r->file, REPORT_MAX);
	lh_record_init(&r->rec);
}

void lh_report_free(struct lh_report *r)
{
	lh_buf_free(&r->file);
	lh_buf_free(&r->text);
	lh_buf_free(&r->scratch);
	lh_record_free(&r->rec);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_report *r = ctx;

	if (!r->why[0])
		snprintf(r->why, sizeof r->why, "%.*s: %.*s", (int)field->n, field->p,
			 (int)problem->n, problem->p);
}

int lh_report_read(struct lh_report *r, const struct lh_root *root, const char *id,
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
	if (!rc && schema)
		bad = lh_schema_check_record(lh_schema_find(schema), &r->rec, &r->scratch,
					     on_violation, r);
	if (bad > 0)
		return lh_err_set(err, LH_ECORRUPT, "%s", r->why);
	if (!rc && !bad && table)
		rc = lh_bind(table, &r->rec, to, &r->text, err);
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return rc < 0 ? -1 : 1;
}

/* ---- the files of a stage ---- */

/* One side of a receipt. */
struct side {
	struct lh_run *run;
	struct lh_files files;
};

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct side *s = ctx;
	struct lh_file_digest is;
	int rc = lh_digest_cache_get(s->run->facts, relpath, &is, err);

	if (rc > 0)
		lh_files_add(&s->files, lh_str_of(relpath))->is = is;
	return rc < 0 ? -1 : 0;
}

static int add_sources(struct side *s, unsigned sources, struct lh_err *err)
{
	int i, rc = 0;

	for (i = 0; !rc && i < LH_STREAMS; i++)
		if (!sources || sources & 1u << i)
			rc = add_file(s, lh_stream_source((enum lh_stream)i), err);
	return rc;
}

static int add_inputs(struct side *s, const struct lh_stage_result *res, struct lh_err *err)
{
	const struct lh_root *root = s->run->root;

	if (res->stage == LH_STAGE_COLLECT)
		return add_sources(s, res->sources, err);
	if (lh_root_each(root, LH_ROOT_EVIDENCE, add_file, s, err) < 0)
		return -1;
	return res->stage == LH_STAGE_SCORE ? 0
		: lh_root_each(root, LH_ROOT_SCORED, add_file, s, err);
}

static int add_outputs(struct side *s, const struct lh_stage_result *res, struct lh_err *err)
{
	const enum lh_exporter x = (enum lh_exporter)(res->stage - LH_STAGE_RAG);
	const struct lh_root *root = s->run->root;

	if (res->stage == LH_STAGE_SCORE)
		return lh_root_each(root, LH_ROOT_SCORED, add_file, s, err);
	if (res->stage == LH_STAGE_COLLECT)
		return add_file(s, LH_ROOT_SKIPS, err) < 0 ? -1
			: lh_root_each(root, LH_ROOT_EVIDENCE, add_file, s, err);
	return add_file(s, lh_exporter_output(x), err) < 0 ? -1
		: add_file(s, lh_exporter_quarantine(x), err);
}

/* ---- the text ---- */

void lh_receipt_side_write(struct lh_writer *w, const char *name, const struct lh_files *m)
{
	char hash[LH_SHA256_HEX + 1];

	lh_files_hash(m, hash);
	lh_write_object(w, name);
	lh_files_write(w, "files", m);
	lh_write_u64(w, "record_count", lh_files_records(m));
	lh_write_text(w, "hash", hash);
	lh_write_end(w);
}

/* Append the JSON strings of list, and one more unless it is NULL. */
static void put_list(struct lh_writer *json, const char *name, const struct lh_buf *list,
		     const char *more)
{
	lh_write_array(json, name);
	lh_buf_add(json->out, list->p, list->len);
	json->comma = list->len > 0;
	if (more)
		lh_write_text(json, NULL, more);
	lh_write_end(json);
}

static void put_receipt(struct lh_buf *b, const struct lh_run *run,
			const struct lh_stage_result *res, const struct side *in,
			const struct side *out)
{
	struct lh_writer json = lh_write_to(b);
	char time[LH_TIME_LEN + 1];

	lh_run_time(run, time);
	lh_write_object(&json, NULL);
	lh_write_u64(&json, "schema_version",
		     lh_schema_version(lh_schema_find("stage_receipt")));
	lh_write_text(&json, "run_id", run->id);
	lh_write_text(&json, "stage", lh_stage_name(res->stage));
	lh_write_text(&json, "timestamp", time);
	lh_write_text(&json, "git_commit", run->git_commit);
	lh_receipt_side_write(&json, "inputs", &in->files);
	lh_receipt_side_write(&json, "outputs", &out->files);
	lh_write_object(&json, "stats");
	lh_write_u64(&json, "accepted", res->accepted);
	lh_write_u64(&json, "rejected", res->rejected);
	lh_write_u64(&json, "quarantined", res->quarantined);
	lh_write_u64(&json, "skipped", res->skipped);
	lh_write_end(&json);
	lh_write_object(&json, "validation");
	lh_write_bool(&json, "passed", res->passed);
	put_list(&json, "errors", &res->errors, NULL);
	put_list(&json, "warnings", &res->warnings, run->no_git ? NO_GIT : NULL);
	lh_write_end(&json);
	lh_write_u64(&json, "duration_ms", res->duration_ms);
	lh_write_end(&json);
	lh_buf_putc(b, '\n');
}

int lh_report_write(struct lh_run *run, const char *name, const struct lh_buf *text,
		    struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *relpath = lh_format("%s/%s/%s", LH_ROOT_REPORTS, run->id,
							   name);

	return lh_root_put(run->root, relpath, text, err);
}

static int write_receipt(struct lh_run *run, struct lh_stage_result *res, struct side *in,
			 struct side *out, struct lh_err *err)
{
	char name[32];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (add_inputs(in, res, err) || add_outputs(out, res, err))
		return -1;
	lh_files_sort(&in->files);
	lh_files_sort(&out->files);
	lh_files_hash(&in->files, res->input_hash);
	lh_files_hash(&out->files, res->output_hash);
	res->records_in = lh_files_records(&in->files);
	res->records_out = lh_files_records(&out->files);
	res->duration_ms = run->fixed ? 0 : (uint64_t)((lh_time_monotonic() - res->start) * 1e3);
	put_receipt(&b, run, res, in, out);
	snprintf(name, sizeof name, "%s.json", lh_stage_name(res->stage));
	return lh_report_write(run, name, &b, err);
}

int lh_receipt_write(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
{
	struct side in = { .run = run }, out = { .run = run };
	int rc = run->how.dry ? 0 : write_receipt(run, res, &in, &out, err);

	lh_files_free(&in.files);
	lh_files_free(&out.files);
	return rc;
}
