/* drift.c - compare evidence with the scored runs on file. */
#include "score.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "distill/score.h"
#include "distill/stages.h"
#include "json/bind.h"

struct check {
	struct lh_tool *tool;
	struct lh_root *root;
	struct lh_drift drift;
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

static int add(struct lh_drift *drift, const struct result *result, struct lh_err *err)
{
	const struct lh_scored *about = &result->about;

	return (result->on_file ? lh_drift_scored : lh_drift_classified)(drift, about->sig,
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

	lh_drift_finish(&c->drift);
	return rc;
}

static const struct lh_bind shift_members[] = {
	LH_OP_TEXT("from"), LH_OP_TEXT("to"), LH_OP_COUNT("count"), LH_BIND_END
};

const struct lh_bind drift_members[] = {
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
const struct lh_bind drift_request[] = {
	{ LH_BIND_ARRAY("records", struct request, records), .required = true,
	  .each = LH_BIND_IS(LH_OBJECT) },
	LH_BIND_END
};

static int compare(struct lh_scorer *scorer, const struct lh_value *records,
		   struct lh_drift *drift, struct lh_err *err)
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
	struct lh_drift drift = { .unscored = 0 };
	struct request q;
	int rc = lh_bind(drift_request, rec, &q, NULL, err);

	if (!rc)
		rc = compare(((struct worker *)context)->scorer, &q.records, &drift, err);
	err->column = 0;
	lh_drift_finish(&drift);
	if (!rc)
		lh_drift_json(out, &drift);
	lh_drift_free(&drift);
	return rc;
}

int drift_requests_run(struct lh_tool *tool, void *settings)
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
	struct lh_drift *d = &c->drift;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	if (d->unscored)
		lh_tool_message(c->tool, "not scored yet: %llu", (unsigned long long)d->unscored);
	if (d->orphans)
		lh_tool_message(c->tool, "scored, but without their evidence: %llu",
				(unsigned long long)d->orphans);
	if (lh_drift_matched(d) != lh_drift_total(d))
		lh_tool_verdict_bad(c->tool);
	lh_drift_json(&b, d);
	lh_buf_putc(&b, '\n');
	return lh_tool_out(c->tool, b.p, b.len);
}

int drift_run(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct check c = { .tool = tool };
	int rc = s->how.root ? read_root(&c, s->how.root) : read_files(&c, NULL, 0);

	if (!rc)
		rc = print_report(&c);
	lh_drift_free(&c.drift);
	return rc;
}
