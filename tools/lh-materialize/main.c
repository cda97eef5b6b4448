/* lh-materialize: convert rows of past work to evidence.  See lh-materialize(1). */
#include <stdio.h>
#include <stdlib.h>

#include "distill/evidence.h"
#include "distill/stages.h"
#include "json/write.h"
#include "schema/schema_table.h"
#include "tool/op.h"

struct settings {
	struct lh_run_how run;
	const char *source, *sources;
	bool dry_run;
	int dedup;		/* enum lh_dedup; -1: not given */
};

/* Report an unknown name, with those that --source and --sources accept. */
static int unknown_source(struct lh_tool *tool, const char *option, const char *given, size_t n)
{
	char all[512] = "";
	size_t len = 0;
	int s;

	for (s = 0; s < LH_STREAMS; s++)
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", !s ? ""
					: s + 1 < LH_STREAMS ? ", " : " or ",
					lh_stream_name((enum lh_stream)s));
	return lh_tool_usage(tool, "%s: \"%.*s\" is not %s", option, n > 100 ? 100 : (int)n, given,
			     all);
}

/* ---- one stream ---- */

struct filter {
	enum lh_stream stream;
	char recorded_at[LH_TIME_LEN + 1];
};

struct worker {
	enum lh_stream stream;
	struct lh_evidence *e;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_evidence_free(w->e);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct filter *f = ctx;
	struct worker *w = context;

	(void)err;
	w->stream = f->stream;
	w->e = lh_evidence_new(f->recorded_at);
	return 0;
}

static int on_row(struct lh_record *row, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;

	return lh_evidence_make(w->e, w->stream, row, row->number - 1, out, err);
}

static int filter_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	const char *at = s->run.recorded_at ? s->run.recorded_at : tool->now;
	struct filter f = { .stream = lh_stream_read(s->source, strlen(s->source)) };
	int64_t ms;

	if (f.stream == LH_STREAM_NONE)
		return unknown_source(tool, "--source", s->source, strlen(s->source));
	if (!at || lh_time_read(at, strlen(at), &ms) < 0)
		ms = lh_time_clock();
	lh_time_print(ms, f.recorded_at);
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_row, .shared = &f, .tombstones = true,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}

/* ---- a root ---- */

static void print_source(const struct lh_run *run, const struct lh_collect *c,
			 enum lh_stream stream, struct lh_buf *out)
{
	const struct lh_collected *g = &c->of[stream];
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_text(&json, "source_file_relpath", lh_stream_source(stream));
	lh_write_bool(&json, "rows_present", g->present);
	lh_write_u64(&json, "rows_read", g->read);
	lh_write_u64(&json, "rows_written", g->written);
	lh_write_u64(&json, "rows_skipped", g->skipped);
	lh_write_u64(&json, "rows_deduped", g->deduped);
	lh_write_array(&json, "output_files");
	if (g->written && !run->how.dry) {
		lh_write_key(&json, NULL);
		lh_buf_printf(out, "\"%s/%s.jsonl\"", c->output, lh_stream_name(stream));
	}
	lh_write_end(&json);
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
}

/* Append the counts of the sources that were read, a line of JSON each. */
static void print_sources(const struct lh_run *run, const struct lh_collect *c, struct lh_buf *out)
{
	int s;

	for (s = 0; s < LH_STREAMS; s++)
		if (!c->sources || c->sources & 1u << s)
			print_source(run, c, (enum lh_stream)s, out);
}

/* Read "a,b" as a set. */
static int read_sources(struct lh_tool *tool, const char *list, unsigned *set)
{
	const char *end;
	enum lh_stream s;

	*set = 0;
	for (; list; list = *end ? end + 1 : NULL) {
		end = strchrnul(list, ',');
		s = lh_stream_read(list, (size_t)(end - list));
		if (s == LH_STREAM_NONE)
			return unknown_source(tool, "--sources", list, (size_t)(end - list));
		*set |= 1u << s;
	}
	return 0;
}

static void on_skip(void *tool, enum lh_stream stream, uint64_t line, const char *reasons, size_t n)
{
	lh_tool_verbose(tool, "%s:%llu: %.*s", lh_stream_source(stream), (unsigned long long)line,
			n > 1000 ? 1000 : (int)n, reasons);
}

static void on_progress(void *tool, enum lh_stage stage, uint64_t records)
{
	(void)stage;
	lh_tool_progress(tool, records);
}

static int print(struct lh_tool *tool, const struct lh_run *run, const struct lh_collect *c)
{
	struct lh_buf out = { 0 };

	print_sources(run, c, &out);
	return lh_tool_out_text(tool, &out);
}

static int root_run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct lh_collect how = { .dedup = s->dedup == LH_DEDUP_DAY, .max_line = tool->max_line,
				  .skipped = on_skip, .ctx = tool };
	struct lh_stage_result res = { 0 };
	struct lh_run *run;
	int rc;

	if (read_sources(tool, s->sources, &how.sources) < 0)
		return -1;
	s->run.jobs = (unsigned)tool->jobs;
	s->run.dry = s->dry_run;
	s->run.lock_timeout = tool->lock_timeout;
	s->run.progress = on_progress;
	s->run.ctx = tool;
	run = lh_run_open(&s->run, tool->now, &tool->err);
	rc = run ? lh_stage_collect(run, &res, &how, &tool->err) : -1;
	if (!rc)
		rc = print(tool, run, &how);
	if (!rc) {
		const struct lh_collected *all = &how.all;

		lh_tool_warn(tool, "%s read, %llu written, %llu skipped, %llu deduped",
			     LH_N(all->read, "row"), (unsigned long long)all->written,
			     (unsigned long long)all->skipped, (unsigned long long)all->deduped);
	}
	if (!rc && how.all.skipped)
		lh_tool_verdict_bad(tool);
	lh_stage_done(&res);
	lh_run_close(run);
	return rc;
}

#define STREAMS "distilled_facts|distilled_procedures|distilled_config_hints|contract_analyses|" \
	"mode_experiments|scrum_reviews|observer_escalations|audit_facts|auto_apply|" \
	"observer_reviews|audits|outcomes"

static const struct lh_option options[] = {
	{ 0, "source", "STREAM", "filter: rows of this stream in, evidence out",
	  LH_TEXT(struct settings, source, .words = STREAMS) },
	LH_RUN_OPTIONS(struct settings, run, 0),
	{ 0, "sources", "STREAM,...", "only read these sources of the root (default: all)",
	  LH_TEXT(struct settings, sources, .words = STREAMS) },
	{ 0, "dedup", "all|day",
	  "which evidence makes a row known: of all days or of this one (default all)",
	  LH_CHOICE(struct settings, dedup) },
	{ 0, "dry-run", NULL, "count, and write nothing", LH_FLAG(struct settings, dry_run) },
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;

	if (!s->source) {
		if (tool->n_operands)
			return lh_tool_usage(tool, "operands are read with --source alone");
		if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
			return lh_tool_usage(tool,
					     "--rejects and --on-error go with --source: a root "
					     "keeps what it skips");
		return 0;
	}
	if (s->sources || s->dry_run || s->run.run_id || s->dedup >= 0 ||
	    s->run.root != getenv("LH_DISTILL_ROOT"))
		return lh_tool_usage(tool,
				     "--source reads no root: --root, --sources, --dry-run,"
				     " --run-id and --dedup exclude it");
	return 0;
}

static const struct lh_op ops[] = {
	{ "", .command = root_run, .writes = true },
	{ "", .in = lh_op_any, .out = lh_evidence_members, .command = filter_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->source != NULL];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-materialize",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "turn rows of past work into evidence records",
		.example = "echo '{\"file\":\"a.rs\",\"reviewed_at\":\"2026-05-03T12:00:00Z\"}' |\n"
			   "      lh-materialize --source scrum_reviews",
		.options = options,
		.check = check,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .dedup = -1 });
}
