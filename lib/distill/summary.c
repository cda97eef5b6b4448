/* summary.c - the summary of a run.  See receipt.h. */
#include <lh/digest.h>
#include "json/write.h"
#include "schema/schema_table.h"
#include "receipt.h"

void lh_summary_settle(struct lh_summary *s)
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

void lh_summary_total(const struct lh_summary *s, struct lh_stage_result *t)
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

void lh_summary_print(struct lh_buf *b, const struct lh_summary *s)
{
	struct lh_writer json = lh_write_to(b);
	struct lh_stage_result t;
	size_t i;

	lh_summary_total(s, &t);
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
