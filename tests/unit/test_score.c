/*
 * lh_score: input that no tool accepts, the interface for other validators, and an
 * allocation failing anywhere.
 */
#include "json_text.h"
#include "distill/score.h"

#define SIG "\"sig_hash\":\"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\""
#define FROM(stream) \
	"\"provenance\":{\"source_file\":\"data/_kb/" stream ".jsonl\",\"line_offset\":0," SIG "," \
	"\"recorded_at\":\"2026-05-03T12:00:00.000Z\"}"
#define EVIDENCE(stream, more) \
	"{\"run_id\":\"r\",\"task_id\":\"t\",\"timestamp\":\"2026-05-03T12:00:00Z\"," \
	"\"schema_version\":1," FROM(stream) more "}"

static struct lh_err err;

/* Members of the wrong type, which a schema finds, do no harm here. */
static void hostile(struct lh_scorer *s)
{
	static const char *const value[] = { "null", "true", "1", "-1e999", "\"\"", "\"\\u0000\"",
					     "[]", "[null,1,{},[],\"\"]", "{}",
					     "{\"gap_signals\":[]}" };
	static const char *const name[] = { "text", "latency_ms", "success_markers",
					    "failure_markers", "observer_verdict", "metadata" };
	static const char *const stream[] = { "audits", "auto_apply", "contract_analyses",
					    "mode_experiments", "observer_reviews", "outcomes",
					    "scrum_reviews", "" };
	const struct lh_record *rec;
	struct lh_judged got;
	char json[1024];
	size_t i, j, k;

	for (i = 0; i < sizeof value / sizeof *value; i++)
		for (j = 0; j < sizeof name / sizeof *name; j++)
			for (k = 0; k < sizeof stream / sizeof *stream; k++) {
				snprintf(json, sizeof json,
					 "{\"%s\":%s,\"provenance\":{\"source_file\":\"%s\"}}",
					 name[j], value[i], stream[k]);
				rec = record_of(json);
				lh_score_judge(s, rec, &got);
				check(got.reasons >= 1 && got.reason[0].n);
				check(lh_score_check(s, rec, &err) == -1 && err.code == LH_EDATA);
			}
	for (i = 0; i < sizeof value / sizeof *value; i++) {
		snprintf(json, sizeof json, "{\"provenance\":%s}", value[i]);
		lh_score_judge(s, record_of(json), &got);
		check(got.category == LH_NEEDS_HUMAN_REVIEW);
		check(got.reason[0].n == strlen("extraction_class=") &&
		      !memcmp(got.reason[0].p, "extraction_class=", got.reason[0].n));
	}
}

/* A scored run is not made without the members that it names. */
static void incomplete(struct lh_scorer *s)
{
	static const char *const json[] = {
		"{}",
		"{\"run_id\":\"r\",\"task_id\":1," FROM("audits") "}",
		"{\"run_id\":\"r\",\"task_id\":\"t\"}",
		"{\"run_id\":\"r\",\"task_id\":\"t\",\"provenance\":{}}",
		"{\"run_id\":\"r\",\"task_id\":\"t\",\"provenance\":{\"source_file\":\"a\","
		"\"line_offset\":\"0\"," SIG ",\"recorded_at\":\"x\"}}",
	};
	struct lh_buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof json / sizeof *json; i++) {
		check(lh_score_one(s, record_of(json[i]), NULL, NULL, &out, &err) == -1);
		check(err.code == LH_EDATA && strstr(err.msg, ": missing"));
		check(!out.len);
	}
	lh_buf_free(&out);
}

static void judged(struct lh_scorer *s)
{
	const struct lh_record *rec;
	enum lh_category category;
	struct lh_judged got;
	struct lh_scored on_file;
	struct lh_buf out = { 0 };

	rec = record_of(EVIDENCE("scrum_reviews",
				 ",\"success_markers\":[\"accepted_on_attempt_12\"]"));
	check_why(lh_score_check(s, rec, &err) == 0, err.msg);
	lh_score_judge(s, rec, &got);
	check(got.category == LH_PARTIALLY_ACCEPTED && got.reasons == 2);
	check(got.reason[0].n == 22 && !memcmp(got.reason[0].p, "accepted_on_attempt=12", 22));
	check(got.reason[1].n == 14 && !memcmp(got.reason[1].p, "high_cost=true", 14));
	check(lh_score_one(s, rec, "2026-06-01T00:00:00.000Z", &category, &out, &err) == 0);
	check(category == LH_PARTIALLY_ACCEPTED);
	lh_buf_putc(&out, '\0');
	check(lh_scored_read(record_of(out.p), &on_file, &err) == 0);
	check(on_file.category == category && on_file.current);
	check(on_file.stream == LH_SCRUM_REVIEWS && on_file.sig[0] == 0x44);
	lh_buf_free(&out);
}

static void names(void)
{
	char json[64];
	int i;

	for (i = 0; i < LH_CATEGORIES; i++) {
		snprintf(json, sizeof json, "{\"c\":\"%s\"}",
			 lh_category_name((enum lh_category)i));
		check(lh_category_read(lh_record_get(record_of(json), "c")) == (enum lh_category)i);
	}
	check(lh_category_read(lh_record_get(record_of("{\"c\":\"accept\"}"),
					     "c")) == LH_CATEGORY_NONE);
	check(lh_category_read(lh_record_get(record_of("{\"c\":0}"), "c")) == LH_CATEGORY_NONE);
}

int main(void)
{
	struct lh_scorer *s = lh_scorer_new();

	check(s);
	test(hostile(s));
	test(incomplete(s));
	test(judged(s));
	test(names());
	lh_scorer_free(s);
	return 0;
}
