/* lh-score: assign evidence a category with its reasons.  See lh-score(1). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/table.h"
#include "distill/evidence.h"
#include "distill/score.h"
#include "distill/stage.h"
#include "distill/stages.h"
#include "json/bind.h"
#include "json/write.h"
#include "schema/schema_table.h"
#include "tool/op.h"

struct settings {
	struct lh_run_how how;
	bool check_drift, wire, evidence;
	char time[LH_TIME_LEN + 1];	/* the run's time in UTC; "": not given */
};

/* ---- records ---- */

struct score_worker {
	struct lh_scorer *scorer;
	const char *scored_at;
	bool evidence;			/* it is written with the scored run */
};

static void score_worker_free(void *arg)
{
	struct score_worker *w = arg;

	lh_scorer_free(w->scorer);
}

static int score_worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct settings *s = ctx;
	struct score_worker *w = context;

	(void)err;
	w->scored_at = s->time[0] ? s->time : NULL;
	w->evidence = s->evidence;
	w->scorer = lh_scorer_new();
	return 0;
}

static int score_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct score_worker *w = arg;

	if (lh_score_check(w->scorer, rec, err) < 0 ||
	    lh_score_one(w->scorer, rec, w->scored_at, NULL, out, err) < 0)
		return -1;
	if (w->evidence) {
		out->len--;	/* the brace */
		lh_buf_puts(out, ",\"evidence\":");
		lh_buf_add(out, rec->line, rec->len);
		lh_buf_putc(out, '}');
	}
	return 0;
}

/* Evidence in, scored runs out. */
static int filter_run(struct lh_tool *tool, struct settings *s)
{
	return lh_records_run(tool, &(struct lh_flow){
		.map = score_record, .shared = s,
		.context_size = sizeof(struct score_worker), .context_init = score_worker_init,
		.context_free = score_worker_free });
}

/* ---- a root ---- */

#define MESSAGES 20	/* about one file, unless --verbose */

struct report {
	struct lh_tool *tool;
	struct lh_score_file all;	/* of the files so far */
	const char *file;		/* the file of the messages so far, ... */
	unsigned messages;		/* ... and their number */
};

static void on_bad(void *ctx, const char *evidence, uint64_t line, const char *why)
{
	struct report *t = ctx;

	if (t->file != evidence) {
		t->file = evidence;
		t->messages = 0;
	}
	if (t->tool->quiet)
		return;
	if (t->messages < MESSAGES || t->tool->verbose)
		lh_tool_warn(t->tool, "%s:%llu: %s", evidence, (unsigned long long)line, why);
	else if (t->messages == MESSAGES)
		lh_tool_warn(t->tool, "%s: further messages suppressed (--verbose shows all)",
			     evidence);
	t->messages++;
}

static int on_file(void *ctx, const struct lh_score_file *f, struct lh_err *err)
{
	struct report *t = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_writer json = lh_write_to(&b);
	int i;

	t->all.read += f->read;
	t->all.written += f->written;
	t->all.skipped += f->skipped;
	t->all.deduped += f->deduped;
	lh_write_object(&json, NULL);
	lh_write_text(&json, "evidence_file", f->evidence);
	lh_write_text(&json, "scored_file", f->scored);
	lh_write_u64(&json, "rows_read", f->read);
	lh_write_u64(&json, "rows_written", f->written);
	lh_write_u64(&json, "rows_skipped", f->skipped);
	lh_write_u64(&json, "rows_deduped", f->deduped);
	for (i = 0; i < LH_CATEGORIES; i++)
		lh_write_u64(&json, lh_category_name((enum lh_category)i), f->by[i]);
	lh_write_end(&json);
	lh_buf_putc(&b, '\n');
	if (lh_tool_out(t->tool, b.p, b.len) < 0) {
		*err = t->tool->err;
		return -1;
	}
	return 0;
}

static void on_progress(void *ctx, enum lh_stage stage, uint64_t records)
{
	(void)stage;
	lh_tool_progress(ctx, records);
}

static int root_run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct report report = { .tool = tool };
	const struct lh_score_watch watch = { .bad = on_bad, .file = on_file, .ctx = &report };
	struct lh_stage_result res = { 0 };
	struct lh_run *run;
	int rc = -1;

	s->how.jobs = (unsigned)tool->jobs;
	s->how.lock_timeout = tool->lock_timeout;
	s->how.progress = on_progress;
	s->how.ctx = tool;
	run = lh_run_open(&s->how, tool->now, &tool->err);
	if (run)
		rc = lh_stage_score_watched(run, &res, &watch, &tool->err);
	if (!rc)
		lh_tool_warn(tool, "%llu read, %llu written, %llu skipped, %llu deduped",
			     (unsigned long long)report.all.read,
			    (unsigned long long)report.all.written,
			    (unsigned long long)report.all.skipped,
			    (unsigned long long)report.all.deduped);
	if (report.all.skipped)
		lh_tool_verdict_bad(tool);
	lh_stage_done(&res);
	lh_run_close(run);
	return rc;
}

/* ---- drift ---- */

/*
 * drift - of categories.
 *
 * Scored runs on file are compared with what the rules give today: evidence with its present
 * verdict, and scored runs from the file, are added in any order and joined by sig_hash and
 * stream; of several with the same key the last counts.  46 to 75 bytes for each pair.
 */
struct drift {
	struct lh_map pairs;		/* by key: category on file, and now */
	uint64_t count[LH_CATEGORIES][LH_CATEGORIES];	/* from, to */
	uint64_t unscored;		/* evidence without a scored run on file */
	uint64_t orphans;		/* scored runs without their evidence */
};

struct pair {
	unsigned char key[32];
	unsigned char on_file, now;	/* a category + 1; 0: not seen */
};

static struct pair *pair_of(const struct drift *d, size_t i)
{
	return &((struct pair *)(void *)d->pairs.entry)[i];
}

static struct pair *find_pair(struct drift *d, const unsigned char sig[32],
			      enum lh_stream stream, struct lh_err *err)
{
	unsigned char key[32];
	int64_t i;

	memcpy(key, sig, sizeof key);
	key[0] ^= (unsigned char)(stream + 1);
	i = lh_map_add(&d->pairs, key, sizeof key, sizeof(struct pair), NULL, err);
	return i < 0 ? NULL : pair_of(d, (size_t)i);
}

static int drift_scored(struct drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err)
{
	struct pair *p = find_pair(d, sig, stream, err);

	if (!p)
		return -1;
	p->on_file = (unsigned char)(category + 1);
	return 0;
}

static int drift_classified(struct drift *d, const unsigned char sig[32], enum lh_stream stream,
		    enum lh_category category, struct lh_err *err)
{
	struct pair *p = find_pair(d, sig, stream, err);

	if (!p)
		return -1;
	p->now = (unsigned char)(category + 1);
	return 0;
}

static void drift_finish(struct drift *d)
{
	const struct pair *p;
	size_t i;

	for (i = 0; i < d->pairs.n; i++) {
		p = pair_of(d, i);
		if (!p->on_file)
			d->unscored++;
		else if (!p->now)
			d->orphans++;
		else
			d->count[p->on_file - 1][p->now - 1]++;
	}
	lh_map_free(&d->pairs);
}

static uint64_t drift_total(const struct drift *d)
{
	uint64_t total = 0;
	size_t i, j;

	for (i = 0; i < LH_CATEGORIES; i++)
		for (j = 0; j < LH_CATEGORIES; j++)
			total += d->count[i][j];
	return total;
}

static uint64_t drift_matched(const struct drift *d)
{
	uint64_t matched = 0;
	size_t i;

	for (i = 0; i < LH_CATEGORIES; i++)
		matched += d->count[i][i];
	return matched;
}

struct shift {
	const char *from, *to;
	uint64_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct shift *x = a, *y = b;
	int from = strcmp(x->from, y->from);

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return from ? from : strcmp(x->to, y->to);
}

static size_t find_shifts(const struct drift *d, struct shift *out)
{
	size_t n = 0;
	int i, j;

	for (i = 0; i < LH_CATEGORIES; i++)
		for (j = 0; j < LH_CATEGORIES; j++)
			if (i != j && d->count[i][j])
				out[n++] = (struct shift){ lh_category_name((enum lh_category)i),
							   lh_category_name((enum lh_category)j),
							   d->count[i][j] };
	qsort(out, n, sizeof *out, by_count);
	return n;
}

static void drift_json(struct lh_buf *out, const struct drift *d)
{
	uint64_t total = drift_total(d), matched = drift_matched(d);
	struct shift shift[LH_CATEGORIES * LH_CATEGORIES];
	size_t n = find_shifts(d, shift), i;
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "total", total);
	lh_write_u64(&json, "matched", matched);
	lh_write_u64(&json, "mismatched", total - matched);
	lh_write_f64(&json, "drift_rate", total ? (double)(total - matched) / (double)total : 0);
	lh_write_text(&json, "scorer_version", LH_SCORER_VERSION);
	lh_write_array(&json, "shifts");
	for (i = 0; i < n; i++) {
		lh_write_object(&json, NULL);
		lh_write_text(&json, "from", shift[i].from);
		lh_write_text(&json, "to", shift[i].to);
		lh_write_u64(&json, "count", shift[i].count);
		lh_write_end(&json);
	}
	lh_write_end(&json);
	lh_write_end(&json);
}

static void drift_free(struct drift *d)
{
	lh_map_free(&d->pairs);
	*d = (struct drift){ 0 };
}

/* ---- the check ---- */

struct check {
	struct lh_tool *tool;
	struct lh_root *root;
	struct drift drift;
};

/* The result of a record: its signature, stream and category. */
struct result {
	struct lh_scored about;
	bool on_file;		/* a scored run, not evidence */
};

struct worker {
	struct lh_scorer *scorer;
};

static int worker_init(void *context, void *check, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	(void)check;
	w->scorer = lh_scorer_new();
	return 0;
}

static void worker_free(void *context)
{
	lh_scorer_free(((struct worker *)context)->scorer);
}

static int judge(struct lh_scorer *scorer, struct lh_record *rec, struct result *result,
		 struct lh_err *err)
{
	struct lh_judged judged;

	result->on_file = lh_record_get(rec, "evidence_run_id") != NULL;
	if (result->on_file) {
		if (lh_scored_read(rec, &result->about, err) < 0)
			return -1;
	} else {
		if (lh_score_check(scorer, rec, err) < 0)
			return -1;
		lh_score_judge(scorer, rec, &judged);
		if (lh_score_sig(rec, result->about.sig, &result->about.stream, err) < 0)
			return -1;
		result->about.category = judged.category;
	}
	return 0;
}

static int add(struct drift *drift, const struct result *result, struct lh_err *err)
{
	const struct lh_scored *about = &result->about;

	return (result->on_file ? drift_scored : drift_classified)(drift, about->sig,
								     about->stream,
								     about->category, err);
}

static int on_record(struct lh_record *rec, void *to, struct lh_buf *out, void *context,
		     struct lh_err *err)
{
	(void)out;
	return judge(((struct worker *)context)->scorer, rec, to, err) < 0 ? -1 : 1;
}

static int on_result(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	return add(&((struct check *)ctx)->drift, o->result, err);
}

static int read_files(struct check *c, char **operands, size_t n)
{
	int rc = lh_records_run(c->tool, &(struct lh_flow){
		.fill = on_record, .result_size = sizeof(struct result), .sink = on_result,
		.shared = c, .plain = c->root != NULL, .tombstones = c->root != NULL,
		.files = operands, .n_files = n,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });

	drift_finish(&c->drift);
	return rc;
}

static const struct lh_bind shift_members[] = {
	LH_OP_TEXT("from"), LH_OP_TEXT("to"), LH_OP_COUNT("count"), LH_BIND_END
};

static const struct lh_bind drift_members[] = {
	LH_OP_COUNT("total"),
	LH_OP_COUNT("matched"),
	LH_OP_COUNT("mismatched"),
	{ LH_BIND_ONLY("drift_rate", LH_BIND_TO_F64), .required = true, .min = 0, .max = 1 },
	LH_OP_TEXT("scorer_version"),
	{ LH_BIND_ONLY("shifts", LH_BIND_TO_TABLES), .required = true, .table = shift_members },
	LH_BIND_END
};

/* ---- requests: each record has the records to compare ---- */

struct request {
	struct lh_value records;
};
static const struct lh_bind drift_request[] = {
	{ LH_BIND_ARRAY("records", struct request, records), .required = true,
	  .each = LH_BIND_IS(LH_OBJECT) },
	LH_BIND_END
};

static int compare(struct lh_scorer *scorer, const struct lh_value *records,
		   struct drift *drift, struct lh_err *err)
{
	struct result result;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	struct lh_iter it;
	size_t i = 0;
	int rc = 0;

	for (lh_iter_init(&it, records); !rc && lh_iter_next(&it); i++) {
		memset(&result, 0, sizeof result);
		rc = lh_record_parse(&rec, it.val.p, it.val.n, err);
		if (!rc)
			rc = judge(scorer, &rec, &result, err);
		if (!rc)
			rc = add(drift, &result, err);
		else
			lh_err_prefix(err, "records[%zu]", i);
	}
	return rc;
}

static int on_request(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct drift drift = { .unscored = 0 };
	struct request q;
	int rc = lh_bind(drift_request, rec, &q, NULL, err);

	if (!rc)
		rc = compare(((struct worker *)context)->scorer, &q.records, &drift, err);
	err->column = 0;
	drift_finish(&drift);
	if (!rc)
		drift_json(out, &drift);
	drift_free(&drift);
	return rc;
}

static int drift_requests_run(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_request, .context_size = sizeof(struct worker),
		.context_init = worker_init, .context_free = worker_free });
}

/* ---- a root ---- */

/* Return the path of a file of the root, "" if it does not exist. */
static char *path_of(const struct check *c, const char *relpath)
{
	char *path = lh_root_join(c->root, relpath);

	if (access(path, F_OK) < 0 && errno == ENOENT)
		*path = '\0';
	return path;
}

/* Process a file of evidence, its mirror, or both; alone: only if the first does
 * not exist. */
static int on_pair(struct check *c, const char *evidence, const char *scored, bool alone)
{
	LH_SCOPED(lh_free_local) char *a = path_of(c, evidence), *b = path_of(c, scored);
	char *operands[2];
	size_t n = 0;

	if (*a)
		operands[n++] = a;
	if (*b)
		operands[n++] = b;
	return alone && *a ? 0 : read_files(c, operands, n);
}

static int on_evidence(void *ctx, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *scored = lh_score_mirror(relpath);

	(void)err;
	return on_pair(ctx, relpath, scored, false);
}

static int on_scored(void *ctx, const char *relpath, struct lh_err *err)
{
	const char *rest = relpath + strlen(LH_ROOT_SCORED);
	size_t n = strlen(LH_ROOT_EVIDENCE) + strlen(rest) + 1;
	LH_SCOPED(lh_free_local) char *evidence = lh_calloc(n, 1);

	(void)err;
	snprintf(evidence, n, "%s%s", LH_ROOT_EVIDENCE, rest);
	return on_pair(ctx, evidence, relpath, true);
}

/* Read the files of a root.  Errors of both walks are the tool's. */
static int read_root(struct check *c, const char *path)
{
	int rc = -1;

	c->root = lh_root_open(path, &c->tool->err);
	if (c->root && lh_root_each(c->root, LH_ROOT_EVIDENCE, on_evidence, c, &c->tool->err) == 0)
		rc = lh_root_each(c->root, LH_ROOT_SCORED, on_scored, c, &c->tool->err);
	lh_root_close(c->root);
	return rc;
}

static int print_report(struct check *c)
{
	struct drift *d = &c->drift;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (d->unscored)
		lh_tool_message(c->tool, "not scored yet: %llu", (unsigned long long)d->unscored);
	if (d->orphans)
		lh_tool_message(c->tool, "scored, but without their evidence: %llu",
				(unsigned long long)d->orphans);
	if (drift_matched(d) != drift_total(d))
		lh_tool_verdict_bad(c->tool);
	drift_json(&b, d);
	lh_buf_putc(&b, '\n');
	return lh_tool_out(c->tool, b.p, b.len);
}

static int drift_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct check c = { .tool = tool };
	int rc = s->how.root ? read_root(&c, s->how.root) : read_files(&c, NULL, 0);

	if (!rc)
		rc = print_report(&c);
	drift_free(&c.drift);
	return rc;
}

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "score all evidence of this root", LH_TEXT(struct settings, how.root) },
	{ 0, "check-drift", NULL, "compare the rules with stored scored runs",
	  LH_FLAG(struct settings, check_drift) },
	{ 0, "wire", NULL, "with --check-drift: each record holds what to compare",
	  LH_FLAG(struct settings, wire) },
	{ 0, "evidence", NULL, "add the evidence to its scored run, for lh-export",
	  LH_FLAG(struct settings, evidence) },
	{ 0, "recorded-at", "TIME", "scored_at of scored runs (default: --now)",
	  LH_TIME(struct settings, how.recorded_at) },
	{ 0, "run-id", "ID", "id of the run in a root (default: a UUID)",
	  LH_TEXT(struct settings, how.run_id) },
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

/* Refuse options of another mode. */
static int check_options(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	bool writes_root = s->how.root && !s->check_drift;

	if (s->how.root && tool->n_operands)
		return lh_tool_usage(tool, "--root takes no operand: %s", tool->operands[0]);
	if (s->how.run_id && !writes_root)
		return lh_tool_usage(tool, "--run-id is for scoring a --root");
	if (s->wire && (!s->check_drift || s->how.root))
		return lh_tool_usage(tool, "--wire is for --check-drift without a --root");
	if (s->evidence && (s->check_drift || s->how.root))
		return lh_tool_usage(tool, "--evidence is for a filter, which scores records");
	if (s->how.recorded_at && s->check_drift)
		return lh_tool_usage(tool, "--recorded-at: --check-drift records nothing");
	if (writes_root && (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP))
		return lh_tool_usage(tool,
				     "--rejects and --on-error are for a filter, not for a --root");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	const char *time = s->how.recorded_at ? s->how.recorded_at : tool->now;
	int64_t ms;

	if (time && lh_time_read(time, strlen(time), &ms) == 0)
		lh_time_print(ms, s->time);
	return filter_run(tool, s);
}

static const struct lh_op ops[] = {
	{ "", .in = lh_evidence_members, .out = lh_scored_members, .command = run },
	{ "", .about = "score all evidence of a root", .command = root_run, .writes = true },
	{ "", .about = "compare the rules with stored scored runs", .in = lh_op_any,
	  .out = drift_members, .command = drift_run },
	{ "", .about = "compare the rules with the scored runs of each record",
	  .in = drift_request, .out = drift_members, .command = drift_requests_run },
	LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	const struct settings *s = settings;

	return &ops[s->check_drift ? 2 + s->wire : s->how.root != NULL];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-score",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "put evidence into categories by fixed rules",
		.example = "lh-score evidence.jsonl | jq -r .category | sort | uniq -c",
		.options = options,
		.check = check_options,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){ .check_drift = false });
}
