/*
 * lh-export: make samples of scored evidence, and store what is refused.  See
 * lh-export(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signal.h"
#include "base/table.h"
#include "base/time.h"
#include "distill/evidence.h"
#include "distill/sample.h"
#include "distill/stages.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"
#include "schema/schema.h"
#include "schema/schema_table.h"
#include "tool/op.h"

enum { VERB_RAG = 1, VERB_SFT = 2, VERB_PREFERENCE = 4 };

struct settings {
	struct lh_run_how run;
	struct lh_export how;
	const char *quarantine;
};

/* ---- the filter ---- */

struct filter {
	struct lh_tool *tool;
	enum lh_exporter x;
	const struct settings *s;
	char recorded_at[LH_TIME_LEN + 1];
	const char *scored_at;		/* NULL: the time at which the evidence was recorded */
	struct lh_quarantine *refused;
	struct lh_map seen;		/* ids that were written */
	struct pairing *pairing;	/* of preference */
	atomic_ullong bare;		/* scored runs without their evidence */
};

/* The memory of a thread. */
struct worker {
	struct filter *f;
	struct lh_scorer *scorer;
	struct lh_sampler *sampler;
	struct lh_buf scored;
	struct lh_record rec;		/* the scored run in it */
	struct lh_record carried;	/* the evidence in a scored run */
	const struct lh_schema *evidence;
	struct lh_buf text, scratch;
};

/* ---- a sample, or a refusal ---- */

/* The result of a record; its text is the errors, what is refused or the source, and the
 * sample, so many bytes each. */
struct result {
	enum lh_refusal refused;
	size_t errors, source, sample;
	char id[LH_SAMPLE_ID];
};

static void put_refusal(struct result *r, struct lh_buf *out, enum lh_refusal why,
			const struct lh_buf *errors, const struct lh_record *source)
{
	r->refused = why;
	r->errors = errors->len;
	r->source = source->len;
	lh_buf_add(out, errors->p, errors->len);
	lh_buf_add(out, source->line, source->len);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct worker *w = ctx;

	lh_buf_reset(&w->text);
	lh_buf_add(&w->text, field->p, field->n);
	lh_buf_puts(&w->text, ": ");
	lh_buf_add(&w->text, problem->p, problem->n);
	if (w->scored.len)
		lh_buf_putc(&w->scored, ',');
	lh_buf_json(&w->scored, w->text.p, w->text.len);
}

/* Refuse a record that is not evidence, with all violations of its schema. */
static int refuse_unscored(struct worker *w, struct result *r, struct lh_buf *out,
			   enum lh_refusal why, const struct lh_record *rec)
{
	lh_buf_reset(&w->scored);
	lh_schema_check_record(w->evidence, rec, &w->scratch, on_violation, w);
	put_refusal(r, out, why, &w->scored, rec);
	return 1;
}

static int worker_score(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
			struct lh_err *err);

/* Make *rec the evidence that a scored run has with it; its score is made again.  0, -1. */
static int take_evidence(struct worker *w, struct lh_record **rec, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(*rec, "evidence");

	if (!lh_record_get(*rec, "evidence_run_id") || lh_record_get(*rec, "run_id"))
		return 0;
	if (!v || v->type != LH_OBJECT) {
		w->f->bare++;
		return 0;
	}
	if (lh_record_parse(&w->carried, v->p, v->n, err) < 0)
		return -1;
	*rec = &w->carried;
	return 0;
}

static int on_evidence(struct lh_record *rec, void *result, struct lh_buf *out, void *worker,
		       struct lh_err *err)
{
	struct worker *w = worker;
	const struct lh_sample_result *sampled = lh_sampler_result(w->sampler);
	struct result *r = result;
	size_t at = out->len, sample;
	enum lh_refusal why;
	int rc = take_evidence(w, &rec, err) < 0 ? -1 : worker_score(w, rec, &why, err);

	if (rc == 0)
		return refuse_unscored(w, r, out, why, rec);
	if (rc > 0)
		rc = lh_sample_scored(w->sampler, &w->rec);
	if (rc > 0) {
		lh_buf_add(out, w->rec.line, w->rec.len);
		sample = out->len;
		rc = lh_sample_make(w->sampler, rec, out, err);
		*r = (struct result){ LH_NOT_REFUSED, 0, w->rec.len, out->len - sample, "" };
		memcpy(r->id, sampled->id, sizeof r->id);
	}
	if (rc == 0) {
		out->len = at;
		put_refusal(r, out, sampled->refused, &sampled->errors, &w->rec);
	}
	return rc < 0 ? -1 : 1;
}

static int put_sample(struct filter *f, const char *id, const struct lh_str *sample,
		      const struct lh_str *source, struct lh_err *err);

static int put_refused(struct filter *f, enum lh_refusal why, const struct lh_str *source,
		       const struct lh_buf *errors, struct lh_err *err);

static int on_result(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const struct result *r = o->result;
	struct lh_buf errors = { .p = (char *)o->text, .len = r->errors };
	struct lh_str source = { o->text + r->errors, r->source };
	struct lh_str sample = { source.p + r->source, r->sample };

	if (r->refused == LH_NOT_REFUSED)
		return put_sample(ctx, r->id, &sample, &source, err);
	return put_refused(ctx, r->refused, &source, &errors, err);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	w->f = ctx;
	w->evidence = lh_schema_find("evidence_record");
	w->scorer = lh_scorer_new();
	w->sampler = lh_sampler_new(w->f->x, &w->f->s->how, w->f->recorded_at, err);
	return w->sampler ? 0 : -1;
}

static void worker_free(void *worker)
{
	struct worker *w = worker;

	lh_scorer_free(w->scorer);
	lh_sampler_free(w->sampler);
	lh_buf_free(&w->scored);
	lh_buf_free(&w->text);
	lh_buf_free(&w->scratch);
	lh_record_free(&w->rec);
	lh_record_free(&w->carried);
}

static int one_run(struct filter *f)
{
	return lh_records_run(f->tool, &(struct lh_flow){
		.fill = on_evidence, .result_size = sizeof(struct result), .sink = on_result,
		.shared = f,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}

/* ---- pairs ---- */

#define BLOCK ((size_t)256 << 10)	/* bytes written at a time */

struct pairing {
	struct filter *f;
	struct lh_pairs *pairs;
	int fd;			/* the lines: evidence, its scored run, ... */
	uint64_t at;		/* bytes in it */
	struct lh_buf block;
	struct lh_sampler *sampler;
	struct lh_pair pair;
	struct lh_buf sample;
};

/* The result of a record that may be one side of a pair; its text is the task id, the
 * evidence and the scored run, so many bytes each. */
struct side {
	enum lh_category category;
	uint32_t task, evidence, scored;
};

static int on_half(struct lh_record *rec, void *side, struct lh_buf *out, void *worker,
		   struct lh_err *err)
{
	struct worker *w = worker;
	const struct lh_sample_result *result = lh_sampler_result(w->sampler);
	enum lh_refusal why;
	int rc = take_evidence(w, &rec, err) < 0 ? -1 : worker_score(w, rec, &why, err);

	if (rc > 0)
		rc = lh_sample_scored(w->sampler, &w->rec);
	if (rc > 0)
		rc = lh_sample_side(w->sampler, rec);
	if (rc <= 0)
		return rc;
	*(struct side *)side = (struct side){
		result->category, (uint32_t)result->task_id.n, (uint32_t)rec->len,
		(uint32_t)w->rec.len
	};
	lh_buf_add(out, result->task_id.p, result->task_id.n);
	lh_buf_add(out, rec->line, rec->len);
	lh_buf_add(out, w->rec.line, w->rec.len);
	return 1;
}

static int flush(struct pairing *p, struct lh_err *err)
{
	if (p->block.len && lh_write_all(p->fd, p->block.p, p->block.len, err) < 0)
		return lh_err_prefix(err, "temporary file");
	lh_buf_reset(&p->block);
	return 0;
}

static int on_side(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct pairing *p = ((struct filter *)ctx)->pairing;
	const struct side *s = o->result;
	struct lh_str task = { o->text, s->task };
	struct lh_row_at at = { p->at, p->at + s->evidence, s->evidence, s->scored, 0, 0, 0 };

	if (lh_pairs_add(p->pairs, &task, s->category, &at, err) < 0)
		return -1;
	lh_buf_add(&p->block, o->text + s->task, o->n - s->task);
	p->at += o->n - s->task;
	return p->block.len >= BLOCK ? flush(p, err) : 0;
}

static int read_side(struct pairing *p, int side, const struct lh_row_at *at, struct lh_err *err)
{
	static const char path[] = "the temporary file";

	return lh_pair_read(&p->pair, side, false, at, p->fd, path, err) < 0 ||
	       lh_pair_read(&p->pair, side, true, at, p->fd, path, err) < 0 ? -1 : 0;
}

static int on_pair(void *ctx, const struct lh_row_at *chosen, const struct lh_row_at *rejected,
		   struct lh_err *err)
{
	struct pairing *p = ctx;
	const struct lh_sample_result *result = lh_sampler_result(p->sampler);
	struct lh_side a = { .scored = &p->pair.rec[1], .evidence = &p->pair.rec[0] };
	struct lh_side b = { .scored = &p->pair.rec[3], .evidence = &p->pair.rec[2] };
	struct lh_str source;
	int rc;

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	lh_buf_reset(&p->sample);
	if (read_side(p, 0, chosen, err) < 0 || read_side(p, 1, rejected, err) < 0)
		return -1;
	rc = lh_sample_pair(p->sampler, &a, &b, &p->sample, err);
	if (rc < 0)
		return -1;
	lh_pair_source(&p->pair, &source);
	if (!rc)
		return put_refused(p->f, result->refused, &source, &result->errors, err);
	return put_sample(p->f, result->id, &(struct lh_str){ p->sample.p, p->sample.len }, &source,
			  err);
}

/* A file without a name: nothing remains of it, however the process ends. */
static int open_spool(struct lh_err *err)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 ||
	    (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd >= 0 ? fd : lh_err_sys(err, "%s: no temporary file", folder);
	if (snprintf(path, sizeof path, "%s/lh-export-XXXXXX", folder) >= (int)sizeof path)
		errno = ENAMETOOLONG;
	else if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
		unlink(path);
	return fd >= 0 ? fd : lh_err_sys(err, "%s: no temporary file", folder);
}

static int pair_all(struct pairing *p)
{
	struct lh_tool *t = p->f->tool;

	if (lh_records_run(t,
			   &(struct lh_flow){ .fill = on_half,
					      .result_size = sizeof(struct side),
					      .sink = on_side,
					      .shared = p->f,
					      .context_size = sizeof(struct worker),
					      .context_init = worker_init,
					      .context_free = worker_free }) < 0)
		return -1;
	if (flush(p, &t->err) < 0)
		return -1;
	return lh_pairs_each(p->pairs, on_pair, p, &t->err);
}

static int pair_run(struct filter *f)
{
	struct lh_err *err = &f->tool->err;
	struct pairing p = { .f = f, .fd = -1 };
	int rc = -1;

	f->pairing = &p;
	p.sampler = lh_sampler_new(f->x, &f->s->how, f->recorded_at, err);
	p.pairs = p.sampler ? lh_pairs_new() : NULL;
	p.fd = p.pairs ? open_spool(err) : -1;
	if (p.fd >= 0)
		rc = pair_all(&p);
	if (p.fd >= 0)
		close(p.fd);
	lh_pairs_free(p.pairs);
	lh_sampler_free(p.sampler);
	lh_pair_free(&p.pair);
	lh_buf_free(&p.sample);
	lh_buf_free(&p.block);
	return rc;
}

/* ---- evidence in, samples out ---- */

struct run {
	struct lh_str id;
};

/* ---- on the threads ---- */

/* Set *why to the reason why evidence could not be scored. */
static int explain(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
		   struct lh_err *err)
{
	static const struct lh_bind members[] = {
		{ LH_BIND_STRING("run_id", struct run, id), .lax = true, .filled = true },
		LH_BIND_END
	};
	struct run run = { .id.p = NULL };
	struct lh_provenance from;
	bool whole;

	if (lh_provenance_read(evidence, &from, &w->scratch, err) < 0)
		return -1;
	whole = from.source_file.p && from.line_offset.p && from.sig_hash.p && from.recorded_at.p;
	if (lh_bind(members, evidence, &run, &w->scratch, err) < 0)
		return -1;
	*why = !whole ? LH_MISSING_PROVENANCE : !run.id.p ? LH_MISSING_SOURCE_RUN_ID :
		LH_SCHEMA_VIOLATION;
	return 0;
}

/* Score a record: 1 with w->rec; 0 if it is not evidence, with *why; -1. */
static int worker_score(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
			struct lh_err *err)
{
	lh_buf_reset(&w->scored);
	if (lh_score_check(w->scorer, evidence, err) < 0 ||
	    lh_score_one(w->scorer, evidence, w->f->scored_at, NULL, &w->scored, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		return explain(w, evidence, why, err);
	}
	if (lh_record_parse(&w->rec, w->scored.p, w->scored.len, err) < 0)
		return -1;
	return 1;
}

/* ---- in order ---- */

static int put_refused(struct filter *f, enum lh_refusal why, const struct lh_str *source,
		       const struct lh_buf *errors, struct lh_err *err)
{
	struct lh_refused r = { .why = why, .source = *source, .errors = errors };

	return lh_quarantine_read(f->refused, &r, err);
}

/* Write a sample, unless one with its id was written; then refuse source. */
static int put_sample(struct filter *f, const char *id, const struct lh_str *sample,
		      const struct lh_str *source, struct lh_err *err)
{
	unsigned char key[32] = { 0 };
	bool is_new;

	memcpy(key, id, strnlen(id, sizeof key));
	if (lh_hashset_add(&f->seen, key, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return put_refused(f, LH_DUPLICATE_ID, source, NULL, err);
	return lh_tool_out(f->tool, sample->p, sample->n) < 0 || lh_tool_out(f->tool, "\n", 1) < 0
		? -1
		: 0;
}

/* ---- the run ---- */

static int filter_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s)
{
	struct filter f = { .tool = tool, .x = x, .s = s };
	int rc = -1;
	const char *at;
	int64_t ms;

	at = f.s->run.recorded_at ? f.s->run.recorded_at : f.tool->now;
	if (at && lh_time_read(at, strlen(at), &ms) == 0) {
		lh_time_print(ms, f.recorded_at);
		f.scored_at = f.recorded_at;
	} else {
		lh_time_print(lh_time_clock(), f.recorded_at);
	}
	f.refused = lh_quarantine_new(x, f.recorded_at);
	if (!s->quarantine ||
	    lh_quarantine_file(f.refused, s->quarantine, tool->lock_timeout, &tool->err) == 0)
		rc = (x == LH_PREFERENCE ? pair_run : one_run)(&f);
	if (lh_quarantine_commit(f.refused, rc ? &(struct lh_err){ 0 } : &tool->err) < 0)
		rc = -1;
	if (!s->quarantine) {
		/* Refused records were not stored: report at least how many there were. */
		const uint64_t *count = lh_quarantine_counts(f.refused);
		int i;

		for (i = 0; i < LH_REFUSALS; i++)
			if (count[i])
				lh_tool_message(f.tool, "%llu refused: %s",
						(unsigned long long)count[i],
						lh_refusal_name((enum lh_refusal)i));
	}
	if (f.bare)
		lh_tool_message(tool, "%s without evidence, of which no sample can be made: "
				"lh-score --evidence passes it on",
				LH_N(f.bare, "scored run is|scored runs are"));
	lh_quarantine_free(f.refused);
	lh_map_free(&f.seen);
	return rc;
}

/* ---- a root ---- */

static void on_progress(void *tool, enum lh_stage stage, uint64_t records)
{
	(void)stage;
	lh_tool_progress(tool, records);
}

static int print(struct lh_tool *tool, enum lh_exporter x, const struct lh_export *e)
{
	struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);
	int i;

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "scored_files_read", e->files);
	lh_write_u64(&json, "records_read", e->read);
	lh_write_u64(&json, x == LH_PREFERENCE ? "pairs_exported" : "records_exported",
		     e->exported);
	lh_write_u64(&json, "records_quarantined", e->quarantined);
	lh_write_object(&json, "quarantine_summary");
	for (i = 0; i < LH_REFUSALS; i++)
		lh_write_u64(&json, lh_refusal_name((enum lh_refusal)i), e->refused[i]);
	lh_write_end(&json);
	lh_write_text(&json, "output_path", lh_exporter_output(x));
	lh_write_end(&json);
	return lh_tool_out_line(tool, &b);
}

/* Report what the verification of the file found. */
static void report_faults(struct lh_tool *tool, const struct lh_stage_result *res)
{
	LH_SCOPED(lh_buf_free) struct lh_buf list = { 0 }, scratch = { 0 };
	struct lh_value all;
	struct lh_iter it;
	struct lh_str s;

	lh_buf_putc(&list, '[');
	lh_buf_add(&list, res->errors.p, res->errors.len);
	lh_buf_putc(&list, ']');
	all = (struct lh_value){ .p = list.p, .n = list.len, .type = LH_ARRAY };
	for (lh_iter_init(&it, &all); lh_iter_next(&it); lh_buf_reset(&scratch)) {
		lh_value_str(&it.val, &scratch, &s);
		lh_tool_warn(tool, "%.*s", (int)s.n, s.p);
	}
	lh_tool_verdict_bad(tool);
}

static int root_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s)
{
	static const enum lh_stage stages[] = { LH_STAGE_RAG, LH_STAGE_SFT, LH_STAGE_PREFERENCE };
	struct lh_stage_result res = { 0 };
	struct lh_run *run;
	int rc = -1;

	s->run.jobs = (unsigned)tool->jobs;
	s->run.lock_timeout = tool->lock_timeout;
	s->run.progress = on_progress;
	s->run.ctx = tool;
	run = lh_run_open(&s->run, tool->now, &tool->err);
	if (run)
		rc = lh_stage_export(run, stages[x], &res, &s->how, &tool->err);
	if (!rc)
		rc = print(tool, x, &s->how);
	if (!rc && !res.passed)
		report_faults(tool, &res);
	if (!rc)
		lh_tool_message(tool, "%llu read, %llu exported, %llu quarantined",
				(unsigned long long)s->how.read,
			    (unsigned long long)s->how.exported,
			    (unsigned long long)s->how.quarantined);
	lh_stage_done(&res);
	lh_run_close(run);
	return rc;
}

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "export the scored runs of this root",
	  LH_TEXT(struct settings, run.root) },
	{ 0, "include-review", NULL, "also needs_human_review",
	  LH_FLAG(struct settings, how.include_review, .verbs = VERB_RAG) },
	{ 0, "include-partial", NULL, "also partially_accepted",
	  LH_FLAG(struct settings, how.include_partial, .verbs = VERB_SFT) },
	{ 0, "verify-paths", "DIR", "source_files must be files below DIR",
	  LH_TEXT(struct settings, how.verify_paths) },
	{ 0, "quarantine", "FILE", "filter: append refused records to FILE",
	  LH_TEXT(struct settings, quarantine) },
	{ 0, "recorded-at", "TIME", "created_at of samples (default: --now)",
	  LH_TIME(struct settings, run.recorded_at) },
	{ 0, "run-id", "ID", "id of the run in a root (default: a UUID)",
	  LH_TEXT(struct settings, run.run_id) },
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static bool is_file(const struct stat *file, const char *operand)
{
	struct stat st;
	int rc = strcmp(operand, "-") ? stat(operand, &st) : fstat(STDIN_FILENO, &st);

	return rc == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Refused records would be read, and refused again, without end. */
static int check_quarantine(struct lh_tool *tool, const struct settings *s)
{
	struct stat file;
	bool same = false;
	size_t i;

	if (!s->quarantine || stat(s->quarantine, &file) < 0 || !S_ISREG(file.st_mode))
		return 0;
	for (i = 0; i < tool->n_operands; i++)
		same |= is_file(&file, tool->operands[i]);
	if (same || (!tool->n_operands && is_file(&file, "-")))
		return lh_tool_usage(tool, "--quarantine: %s is also the input", s->quarantine);
	return 0;
}

/* Refuse options of the other mode. */
static int check_options(struct lh_tool *tool, const struct settings *s)
{
	if (!s->run.root && s->run.run_id)
		return lh_tool_usage(tool, "--run-id is for a --root");
	if (!s->run.root)
		return check_quarantine(tool, s);
	if (tool->n_operands)
		return lh_tool_usage(tool, "--root takes no operand: %s", tool->operands[0]);
	if (s->quarantine)
		return lh_tool_usage(tool, "--quarantine: a root has a quarantine of its own");
	if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
		return lh_tool_usage(tool,
				     "--rejects and --on-error are for a filter, not for a --root");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	enum lh_exporter x = tool->verb->bit == VERB_RAG ? LH_RAG
		: tool->verb->bit == VERB_SFT		 ? LH_SFT
							 : LH_PREFERENCE;
	struct settings *s = settings;

	if (check_options(tool, s) < 0)
		return -1;
	return (s->run.root ? root_run : filter_run)(tool, x, s);
}

static const struct lh_op ops[] = {
	{ "rag", "[FILE]...", "samples for retrieval", VERB_RAG, .in = lh_evidence_members,
	  .out = lh_rag_members, .command = run },
	{ "sft", "[FILE]...", "instructions and responses for fine-tuning", VERB_SFT,
	  .in = lh_evidence_members, .out = lh_sft_members, .command = run },
	{ "preference", "[FILE]...", "pairs of a better and a worse answer", VERB_PREFERENCE,
	  .in = lh_evidence_members, .out = lh_preference_members, .command = run },
	LH_OP_END
};

int main(int argc, char **argv)
{
	struct settings s = { .quarantine = NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-export",
		.synopsis = "rag|sft|preference [OPTION]... [FILE]...",
		.summary = "turn scored evidence into samples",
		.example = "lh-export rag --root r | jq .quarantine_summary",
		.options = options,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
