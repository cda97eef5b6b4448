/* summary.c - the summary of a run.  See receipt.h. */
#include <lh/digest.h>
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

static void put_count(struct lh_buf *b, const char *name, uint64_t v)
{
	lh_buf_puts(b, name);
	lh_buf_u64(b, v);
}

static void put_stage(struct lh_buf *b, const struct lh_stage_result *r)
{
	lh_buf_printf(b, "{\"stage\":\"%s\"", lh_stage_name(r->stage));
	put_count(b, ",\"records_in\":", r->records_in);
	put_count(b, ",\"records_out\":", r->records_out);
	put_count(b, ",\"accepted\":", r->accepted);
	put_count(b, ",\"rejected\":", r->rejected);
	put_count(b, ",\"quarantined\":", r->quarantined);
	put_count(b, ",\"skipped\":", r->skipped);
	lh_buf_printf(b, ",\"passed\":%s", r->passed ? "true" : "false");
	put_count(b, ",\"duration_ms\":", r->duration_ms);
	lh_buf_printf(b, ",\"input_hash\":\"%s\",\"output_hash\":\"%s\"}", r->input_hash, r->output_hash);
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
	struct lh_stage_result t;
	size_t i;

	lh_summary_total(s, &t);
	lh_buf_puts(b, "{\"schema_version\":1,\"run_id\":");
	lh_buf_json(b, s->run_id, strlen(s->run_id));
	lh_buf_printf(b, ",\"started_at\":\"%s\",\"ended_at\":\"%s\",\"git_commit\":\"%s\",\"stages\":[", s->started_at, s->ended_at, s->git_commit);
	for (i = 0; i < LH_STAGES; i++) {
		if (i)
			lh_buf_putc(b, ',');
		put_stage(b, &s->stage[i]);
	}
	put_count(b, "],\"total_records_in\":", t.records_in);
	put_count(b, ",\"total_records_out\":", t.records_out);
	put_count(b, ",\"total_records_accepted\":", t.accepted);
	put_count(b, ",\"total_records_rejected\":", t.rejected);
	put_count(b, ",\"total_records_quarantined\":", t.quarantined);
	put_count(b, ",\"total_records_skipped\":", t.skipped);
	put_count(b, ",\"rag_records\":", s->stage[LH_STAGE_RAG].accepted);
	put_count(b, ",\"sft_records\":", s->stage[LH_STAGE_SFT].accepted);
	put_count(b, ",\"preference_pairs\":", s->stage[LH_STAGE_PREFERENCE].accepted);
	lh_buf_printf(b, ",\"overall_passed\":%s,\"run_hash\":\"%s\"", s->passed ? "true" : "false", s->run_hash);
	put_count(b, ",\"total_duration_ms\":", s->duration_ms);
	lh_buf_putc(b, '}');
}
