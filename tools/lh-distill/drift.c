/* drift.c - what changed since the newest other run: drift.json, version 2. */
#include <math.h>

#include "distill.h"
#include "json/bind.h"
#include "json/write.h"
#include "schema/schema_table.h"

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

int drift_print(struct lh_buf *out, struct whole *w, struct lh_err *err)
{
	LH_SCOPED(report_free) struct report report;
	struct prior prior = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf stages = { 0 }, text = { 0 };
	struct lh_writer json = lh_write_to(&stages);
	int i, rc = report_newest(&w->prior, w->run->root, w->run->id, false, &w->bad, err);

	report_init(&report);
	if (rc > 0)
		rc = report_read(&report, w->run->root, w->prior, "summary.json", "run_summary",
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
