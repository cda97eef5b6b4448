/* run.c - lh-distill run: the five stages, their receipts, what changed, a summary. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "distill.h"
#include "distill/stages.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "schema/schema_table.h"
#include "tlog/log.h"

/* ---- receipts as entries of a transparency log ---- */

#define RECEIPT_MAX ((size_t)256 << 20)

static int committed_open(struct lh_tlog_keyed *tree, struct lh_tool *tool,
			  const struct settings *s)
{
	return s->tlog ? lh_tlog_keyed_open(tree, s->tlog, s->tlog_key.v, s->tlog_key.n,
					    tool->lock_timeout, &tool->err) : 0;
}

struct committed {
	const struct lh_root *root;
	struct lh_buf entries, file;
};

/* Add the entry of one receipt, if it exists. */
static int add_receipt(struct committed *c, const char *id, enum lh_stage stage,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = NULL;
	char relpath[256], entry[LH_RECEIPT_ENTRY];
	unsigned char sum[32];
	int rc;

	snprintf(relpath, sizeof relpath, "%s/%s/%s.json", LH_ROOT_REPORTS, id,
		 lh_stage_name(stage));
	path = lh_root_join(c->root, relpath);
	rc = lh_file_read(path, &c->file, err);
	if (rc <= 0)
		return rc;
	lh_sha256(c->file.p, c->file.len, sum);
	lh_receipt_entry(sum, entry);
	lh_buf_add(&c->entries, entry, sizeof entry);
	return 0;
}

static int add_run(void *ctx, const char *id, struct lh_err *err)
{
	int stage, rc = 0;

	for (stage = 0; stage < LH_STAGES && !rc; stage++)
		rc = add_receipt(ctx, id, (enum lh_stage)stage, err);
	return rc;
}

/* Append the entries.  Those of earlier runs are among them: of a run that was killed before it
 * came here, they are appended now. */
static int append(struct lh_tlog *log, const struct lh_buf *entries, struct lh_err *err)
{
	size_t i, n = entries->len / LH_RECEIPT_ENTRY;
	LH_SCOPED(lh_free_local) struct lh_str *entry = lh_calloc(n + 1, sizeof *entry);
	LH_SCOPED(lh_free_local) uint64_t *index = lh_calloc(n + 1, sizeof *index);

	for (i = 0; i < n; i++)
		entry[i] = (struct lh_str){ entries->p + i * LH_RECEIPT_ENTRY, LH_RECEIPT_ENTRY };
	return lh_tlog_append_once(log, entry, n, index, err);
}

/* Append the receipts of all runs that the log of --tlog does not have, if there is one. */
static int committed_append(struct lh_tlog_keyed *tree, struct lh_tool *tool,
			    const struct lh_root *root)
{
	struct committed c = { .root = root };
	int rc = 0;

	if (!tree->log)
		return 0;
	lh_buf_init(&c.file, RECEIPT_MAX);
	rc = lh_run_each(root, add_run, &c, &tool->err);
	if (!rc)
		rc = append(tree->log, &c.entries, &tool->err);
	lh_buf_free(&c.entries);
	lh_buf_free(&c.file);
	return rc;
}

/* ---- what changed since the newest other run ---- */

#define SWING 0.20	/* of records out, beyond which people should look */

/* A stage of a stored summary, which passed its schema. */
struct before {
	struct lh_str stage, input_hash, output_hash;	/* p NULL: it is not known */
	int64_t records_in, records_out, accepted, quarantined;
};

struct prior {
	struct lh_value run_id;
	struct before *stage;
	size_t n;
};

static const struct lh_bind stage_members[] = {
	{ LH_BIND_STRING("stage", struct before, stage) },
	{ LH_BIND_STRING("input_hash", struct before, input_hash) },
	{ LH_BIND_STRING("output_hash", struct before, output_hash) },
	{ LH_BIND_I64("records_in", struct before, records_in, 0, INT64_MAX) },
	{ LH_BIND_I64("records_out", struct before, records_out, 0, INT64_MAX) },
	{ LH_BIND_I64("accepted", struct before, accepted, 0, INT64_MAX) },
	{ LH_BIND_I64("quarantined", struct before, quarantined, 0, INT64_MAX) },
	LH_BIND_END
};

static const struct lh_bind prior_members[] = {
	{ LH_BIND_SOME("run_id", struct prior, run_id) },
	{ LH_BIND_TABLES("stages", struct prior, stage, n, stage_members) },
	LH_BIND_END
};

static const struct before *find(const struct prior *prior, const char *name)
{
	static const struct before unknown = { .records_in = 0 };
	size_t i;

	for (i = 0; i < prior->n; i++)
		if (lh_str_is(prior->stage[i].stage, name, strlen(name)))
			return &prior->stage[i];
	return &unknown;
}

/* Compare hashes: 1 the same, 0 not, -1 when there is none to compare with. */
static int same_hash(struct lh_str before, const char *hash)
{
	return before.p ? lh_str_is(before, hash, strlen(hash)) : -1;
}

static void put_match(struct lh_writer *json, const char *name, int is)
{
	if (is < 0)
		lh_write_null(json, name);
	else
		lh_write_bool(json, name, is);
}

static void put_delta(struct lh_writer *json, const char *name, uint64_t now, int64_t before)
{
	lh_write_i64(json, name, (int64_t)now - before);
}

static void put_stage(struct lh_writer *json, const struct lh_stage_result *r,
		      const struct prior *prior, struct whole *w)
{
	const struct before *b = find(prior, lh_stage_name(r->stage));
	int64_t was = b->records_out;
	int in = same_hash(b->input_hash, r->input_hash);
	int same = same_hash(b->output_hash, r->output_hash);
	double change = was ? ((double)r->records_out - (double)was) / (double)was : 0;

	lh_write_object(json, NULL);
	lh_write_text(json, "stage", lh_stage_name(r->stage));
	put_delta(json, "delta_in", r->records_in, b->records_in);
	put_delta(json, "delta_out", r->records_out, was);
	put_delta(json, "delta_accepted", r->accepted, b->accepted);
	put_delta(json, "delta_quarantined", r->quarantined, b->quarantined);
	if (was)
		lh_write_f64(json, "pct_change_out", change);
	else
		lh_write_null(json, "pct_change_out");
	put_match(json, "input_hash_match", in);
	put_match(json, "output_hash_match", same);
	lh_write_bool(json, "deterministic_violation", in == 1 && same == 0);
	lh_write_end(json);
	if (in == 1 && same == 0)
		w->severity = "alert";
	else if (fabs(change) > SWING && strcmp(w->severity, "alert"))
		w->severity = "warn";
}

static void put_drift(struct lh_buf *out, const struct whole *w, const struct prior *prior,
		      const struct lh_buf *stages)
{
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "schema_version",
		     lh_schema_version(lh_schema_find("drift_report")));
	lh_write_text(&json, "run_id", w->summary.run_id);
	if (prior->run_id.p)
		lh_write_value(&json, "prior_run_id", &prior->run_id);
	else
		lh_write_null(&json, "prior_run_id");
	lh_write_text(&json, "generated_at", w->summary.ended_at);
	lh_write_text(&json, "severity", w->severity);
	lh_write_raw(&json, "stages", (struct lh_str){ stages->p, stages->len });
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
}

/* Append drift.json, and set w->severity, w->prior and w->bad. */
static int drift_print(struct lh_buf *out, struct whole *w, struct lh_err *err)
{
	LH_SCOPED(lh_report_free) struct lh_report report;
	struct prior prior = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf stages = { 0 }, text = { 0 };
	struct lh_writer json = lh_write_to(&stages);
	int i, rc = report_newest(&w->prior, w->run->root, w->run->id, false, &w->bad, err);

	lh_report_init(&report);
	if (rc > 0)
		rc = report_read(&report, w->run->root, w->prior, "summary", "run_summary",
				 err);
	if (rc > 0 && lh_bind(prior_members, &report.rec, &prior, &text, err) < 0)
		rc = -1;
	lh_write_array(&json, NULL);
	for (i = 0; rc > 0 && i < LH_STAGES; i++)
		put_stage(&json, &w->stage[i], &prior, w);
	lh_write_end(&json);
	if (rc >= 0)
		put_drift(out, w, &prior, &stages);
	return rc < 0 ? -1 : 0;
}

/* ---- summary.json ---- */

/* Set passed and run_hash from the stages. */
static void settle(struct summary *s)
{
	struct lh_sha256 hash;
	unsigned char sum[32];
	size_t i;

	s->passed = true;
	lh_sha256_start(&hash);
	for (i = 0; i < LH_STAGES; i++) {
		s->passed = s->passed && s->stage[i].passed;
		if (i)
			lh_sha256_more(&hash, "|", 1);
		lh_sha256_more(&hash, s->stage[i].output_hash, LH_SHA256_HEX);
	}
	lh_sha256_end(&hash, sum);
	lh_hex(sum, sizeof sum, s->run_hash);
	s->run_hash[LH_SHA256_HEX] = '\0';
}

/* Compute the sums over the stages. */
static void sum_up(const struct summary *s, struct lh_stage_result *t)
{
	size_t i;

	*t = (struct lh_stage_result){ .passed = s->passed };
	for (i = 0; i < LH_STAGES; i++) {
		t->records_in += s->stage[i].records_in;
		t->records_out += s->stage[i].records_out;
		t->accepted += s->stage[i].accepted;
		t->rejected += s->stage[i].rejected;
		t->quarantined += s->stage[i].quarantined;
		t->skipped += s->stage[i].skipped;
	}
}

/* Append the RunSummary, compact and without LF. */
static void print_summary(struct lh_buf *b, const struct summary *s)
{
	struct lh_writer json = lh_write_to(b);
	struct lh_stage_result t;
	size_t i;

	sum_up(s, &t);
	lh_write_object(&json, NULL);
	lh_write_u64(&json, "schema_version",
		     lh_schema_version(lh_schema_find("run_summary")));
	lh_write_text(&json, "run_id", s->run_id);
	lh_write_text(&json, "started_at", s->started_at);
	lh_write_text(&json, "ended_at", s->ended_at);
	lh_write_text(&json, "git_commit", s->git_commit);
	lh_write_array(&json, "stages");
	for (i = 0; i < LH_STAGES; i++) {
		const struct lh_stage_result *r = &s->stage[i];

		lh_write_object(&json, NULL);
		lh_write_text(&json, "stage", lh_stage_name(r->stage));
		lh_write_u64(&json, "records_in", r->records_in);
		lh_write_u64(&json, "records_out", r->records_out);
		lh_write_u64(&json, "accepted", r->accepted);
		lh_write_u64(&json, "rejected", r->rejected);
		lh_write_u64(&json, "quarantined", r->quarantined);
		lh_write_u64(&json, "skipped", r->skipped);
		lh_write_bool(&json, "passed", r->passed);
		lh_write_u64(&json, "duration_ms", r->duration_ms);
		lh_write_text(&json, "input_hash", r->input_hash);
		lh_write_text(&json, "output_hash", r->output_hash);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	lh_write_u64(&json, "total_records_in", t.records_in);
	lh_write_u64(&json, "total_records_out", t.records_out);
	lh_write_u64(&json, "total_records_accepted", t.accepted);
	lh_write_u64(&json, "total_records_rejected", t.rejected);
	lh_write_u64(&json, "total_records_quarantined", t.quarantined);
	lh_write_u64(&json, "total_records_skipped", t.skipped);
	lh_write_u64(&json, "rag_records", s->stage[LH_STAGE_RAG].accepted);
	lh_write_u64(&json, "sft_records", s->stage[LH_STAGE_SFT].accepted);
	lh_write_u64(&json, "preference_pairs", s->stage[LH_STAGE_PREFERENCE].accepted);
	lh_write_bool(&json, "overall_passed", s->passed);
	lh_write_text(&json, "run_hash", s->run_hash);
	lh_write_u64(&json, "total_duration_ms", s->duration_ms);
	lh_write_end(&json);
}

/* ---- summary.md: for people ---- */

static void put_cell(struct lh_buf *b, uint64_t n)
{
	lh_buf_puts(b, " | ");
	lh_buf_u64(b, n);
}

static void put_row(struct lh_buf *b, const char *name, const struct lh_stage_result *r,
		    uint64_t ms)
{
	lh_buf_printf(b, "| %s", name);
	put_cell(b, r->records_in);
	put_cell(b, r->records_out);
	put_cell(b, r->accepted);
	put_cell(b, r->rejected);
	put_cell(b, r->quarantined);
	put_cell(b, r->skipped);
	lh_buf_puts(b, r->passed ? " | yes" : " | **no**");
	put_cell(b, ms);
	lh_buf_puts(b, " |\n");
}

/* Append the texts of a list of JSON strings, one per line; escapes stay, so that a
 * text cannot begin a line of its own. */
static bool put_texts(struct lh_buf *b, const char *stage, const char *kind,
		      const struct lh_buf *list)
{
	const char *p = list->p, *end = p + list->len, *from;

	while (list->len && p < end) {
		for (from = ++p; *p != '"'; p++)
			p += *p == '\\';
		lh_buf_printf(b, "- %s: %s: ", stage, kind);
		lh_buf_add(b, from, (size_t)(p - from));
		lh_buf_putc(b, '\n');
		p += 2;		/* the quote, and the comma */
	}
	return list->len;
}

static void print_markdown(struct lh_buf *b, const struct whole *w)
{
	static const struct { enum lh_stage stage; const char *what, *where; } of[] = {
		{ LH_STAGE_RAG, "retrieval samples", "rag/playbooks.jsonl" },
		{ LH_STAGE_SFT, "fine-tuning samples", "sft/instruction_response.jsonl" },
		{ LH_STAGE_PREFERENCE, "preference pairs", "preference/chosen_rejected.jsonl" },
	};
	const struct summary *s = &w->summary;
	struct lh_stage_result total;
	size_t i;
	bool any = false;

	lh_buf_printf(b, "# Distillation run %s: %s\n\n", s->run_id,
		      s->passed ? "passed" : "NOT passed");
	lh_buf_printf(b, "- started %s, ended %s\n", s->started_at, s->ended_at);
	lh_buf_printf(b, "- recorded at %s\n- commit `%s`%s\n- run hash `%s`\n",
		      w->run->recorded_at, s->git_commit,
		      w->run->no_git ? " (there is none)" : "", s->run_hash);
	if (w->prior)
		lh_buf_printf(b, "- drift: %s, against run %s (drift.json)\n\n## Stages\n\n",
			      w->severity, w->prior);
	else
		lh_buf_puts(b, "- drift: none, this is the first run\n\n## Stages\n\n");
	lh_buf_puts(b,
		    "| stage | in | out | accepted | rejected | quarantined | skipped | passed | "
		    "ms |\n"
		       "|---|---:|---:|---:|---:|---:|---:|:---:|---:|\n");
	for (i = 0; i < LH_STAGES; i++)
		put_row(b, lh_stage_name((enum lh_stage)i), &s->stage[i], s->stage[i].duration_ms);
	sum_up(s, &total);
	put_row(b, "total", &total, s->duration_ms);
	lh_buf_puts(b, "\n## Samples\n\n");
	for (i = 0; i < sizeof of / sizeof *of; i++)
		lh_buf_printf(b, "- %llu %s in `%s/%s`\n",
			      (unsigned long long)s->stage[of[i].stage].accepted, of[i].what,
			      LH_ROOT_EXPORTS, of[i].where);
	lh_buf_puts(b, "\n## Errors and warnings\n\n");
	for (i = 0; i < LH_STAGES; i++) {
		const struct lh_stage_result *r = &s->stage[i];

		any |= put_texts(b, lh_stage_name(r->stage), "error", &r->errors);
		any |= put_texts(b, lh_stage_name(r->stage), "warning", &r->warnings);
	}
	if (!any)
		lh_buf_puts(b, "none\n");
}

/* ---- the five stages in sequence ---- */

static int run_stage(struct whole *w, enum lh_stage i, struct lh_err *err)
{
	switch (i) {
	case LH_STAGE_COLLECT:
		return lh_stage_collect(w->run, &w->stage[i], NULL, err);
	case LH_STAGE_SCORE:
		return lh_stage_score(w->run, &w->stage[i], err);
	default:
		return lh_stage_exports(w->run, &w->stage[i], err);
	}
}

/* The exports are one step: they share one pass. */
static int run_stages(struct whole *w, whole_fn *ended, void *ctx, struct lh_err *err)
{
	size_t i, next;

	for (i = 0; i < LH_STAGES; i = next) {
		next = i < LH_STAGE_RAG ? i + 1 : LH_STAGES;
		lh_run_progress(w->run, (enum lh_stage)i, 0);
		if (run_stage(w, (enum lh_stage)i, err) < 0)
			return lh_err_prefix(err, "%s", i < LH_STAGE_RAG
					     ? lh_stage_name((enum lh_stage)i) : "export");
		for (; ended && i < next; i++)
			ended(ctx, &w->stage[i]);
	}
	return 0;
}

static int write_reports(struct whole *w, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc = drift_print(&b, w, err);

	if (!rc)
		rc = lh_report_write(w->run, "drift.json", &b, err);
	lh_buf_reset(&b);
	print_markdown(&b, w);
	if (!rc)
		rc = lh_report_write(w->run, "summary.md", &b, err);
	print_summary(&w->json, &w->summary);
	lh_buf_putc(&w->json, '\n');
	return rc ? rc : lh_report_write(w->run, "summary.json", &w->json, err);
}

/* Run everything in the open run, which began at start. */
static int run_all(struct whole *w, double start, whole_fn *ended, void *ctx, struct lh_err *err)
{
	struct summary *s = &w->summary;

	if (w->run->how.recorded_at)
		lh_run_time(w->run, s->started_at);
	else	/* the same, so that its records lead to the run */
		memcpy(s->started_at, w->run->recorded_at, sizeof s->started_at);
	if (run_stages(w, ended, ctx, err) < 0)
		return -1;
	lh_run_time(w->run, s->ended_at);
	s->run_id = w->run->id;
	s->git_commit = w->run->git_commit;
	s->stage = w->stage;
	s->duration_ms = w->run->fixed ? 0 : (uint64_t)((lh_time_monotonic() - start) * 1e3);
	settle(s);
	return write_reports(w, err);
}

int whole_run(struct whole *w, const struct lh_run_how *how, const char *now, whole_fn *ended,
	      void *ctx, struct lh_err *err)
{
	double start = lh_time_monotonic();

	*w = (struct whole){ .severity = "ok" };
	w->run = lh_run_open(how, now, err);
	return w->run ? run_all(w, start, ended, ctx, err) : -1;
}

void whole_free(struct whole *w)
{
	size_t i;

	for (i = 0; i < LH_STAGES; i++)
		lh_stage_done(&w->stage[i]);
	lh_run_close(w->run);
	free(w->prior);
	lh_buf_free(&w->json);
	lh_buf_free(&w->bad);
}

/* ---- the command ---- */

/* What is printed in passing. */
struct shown {
	struct lh_tool *tool;
	bool progress;
};

static void on_progress(void *ctx, enum lh_stage stage, uint64_t records)
{
	struct shown *s = ctx;

	lh_tool_doing(s->tool, lh_stage_name(stage));
	lh_tool_progress(s->tool, records);
}

static void run_ended(void *ctx, const struct lh_stage_result *r)
{
	struct shown *s = ctx;
	unsigned long long in = r->records_in, out = r->records_out;

	if (s->progress || s->tool->verbose)
		lh_tool_warn(s->tool,
			     "%s: %llu in, %llu out, %llu accepted, %llu rejected,"
			     " %llu quarantined, %llu skipped, %llu ms",
			     lh_stage_name(r->stage), in, out, (unsigned long long)r->accepted,
			     (unsigned long long)r->rejected,
			     (unsigned long long)r->quarantined, (unsigned long long)r->skipped,
			     (unsigned long long)r->duration_ms);
	if (r->passed)
		return;
	lh_tool_verdict_bad(s->tool);
	lh_tool_warn(s->tool, "%s has not passed: %.*s", lh_stage_name(r->stage),
		     (int)r->errors.len, r->errors.p);
}

/* Return whether there is a file that evidence could come from. */
static bool any_source(const struct lh_root *root)
{
	bool found = false;
	int i;

	for (i = 0; !found && i < LH_STREAMS; i++) {
		char *path = lh_root_join(root, lh_stream_source((enum lh_stream)i));

		found = access(path, F_OK) == 0;
		free(path);
	}
	return found;
}

/* Fail without sources: a run over the wrong folder would have nothing to do, without a
 * message. */
static void check_sources(struct lh_tool *tool, const struct lh_run *run)
{
	if (any_source(run->root))
		return;
	lh_tool_warn(tool, "%s: none of the twelve sources is in %s",
		     lh_root_path(run->root), LH_ROOT_SOURCES);
	lh_tool_verdict_bad(tool);
}

static int print(struct lh_tool *tool, const struct whole *w)
{
	/* Report what else the mail of a cron job should have. */
	warn_bad(tool, &w->bad);
	if (w->run->no_git)
		lh_tool_verbose(tool, "no git commit, zeros stand for it: %s",
				w->run->why_no_git.msg);
	if (strcmp(w->severity, "ok"))
		lh_tool_message(tool, "drift: %s, against run %s", w->severity, w->prior);
	check_sources(tool, w->run);
	return lh_tool_out(tool, w->json.p, w->json.len);
}

int distill_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_tlog_keyed_close) struct lh_tlog_keyed tree = { .log = NULL };
	struct shown shown = { tool, lh_tool_shows_progress(tool) };
	struct lh_run_how how = s->run;
	struct whole w;
	int rc;

	how.lock_timeout = tool->lock_timeout;
	how.progress = on_progress;
	how.ctx = &shown;
	if (committed_open(&tree, tool, s) < 0)
		return -1;
	rc = whole_run(&w, &how, tool->now, run_ended, &shown, &tool->err);
	if (!rc)
		rc = committed_append(&tree, tool, w.run->root);
	if (!rc)
		rc = print(tool, &w);
	whole_free(&w);
	return rc;
}
