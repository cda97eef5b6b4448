/*
 * known_answer.c - lh-subject-audit known-answer: a row with which two programs can
 * compare their MACs.
 */
#include "audit.h"
#include <lh/canon.h>
#include <lh/digest.h>

static void write_row(struct lh_buf *b)
{
	struct lh_writer w = lh_write_to(b);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "schema", "subject_audit.v1");
	lh_write_text(&w, "ts", "2026-05-03T12:00:00Z");
	lh_write_text(&w, "candidate_id", "WORKER-FIXED");
	lh_write_object(&w, "accessor");
	lh_write_text(&w, "kind", "gateway_lookup");
	lh_write_text(&w, "daemon", "gateway");
	lh_write_text(&w, "purpose", "parity_test");
	lh_write_text(&w, "trace_id", "trace-fixed");
	lh_write_end(&w);
	lh_write_array(&w, "fields_accessed");
	lh_write_text(&w, NULL, "name");
	lh_write_end(&w);
	lh_write_text(&w, "result", "success");
	lh_write_text(&w, "prev_chain_hash", "GENESIS");
	lh_write_end(&w);
}

static int make(struct lh_buf *canon, char hex[LH_SHA256_HEX], struct lh_err *err)
{
	unsigned char key[32], sum[32];
	struct lh_hmac *h;
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value v;
	size_t i;

	for (i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	write_row(&text);
	if (lh_json_parse(&rec, text.p, text.len, &v, err) < 0 ||
	    lh_canon_audit(canon, &v, NULL, 0, err) < 0)
		return -1;
	h = lh_hmac_new(key, sizeof key);
	lh_hmac(h, "GENESIS", 7, canon->p, canon->len, sum);
	lh_hex(sum, sizeof sum, hex);
	lh_hmac_free(h);
	return 0;
}

int audit_known_answer(struct lh_tool *tool, void *settings)
{
	char hex[LH_SHA256_HEX];
	LH_SCOPED(lh_buf_free) struct lh_buf canon = { 0 }, b = { 0 };
	int rc;

	(void)settings;
	rc = make(&canon, hex, &tool->err);
	if (rc == 0) {
		struct lh_writer w = lh_write_to(&b);

		lh_write_object(&w, NULL);
		lh_write_text(&w, "mode", "known_answer");
		lh_write_str(&w, "canonical", (struct lh_str){ canon.p, canon.len });
		lh_write_str(&w, "hmac", (struct lh_str){ hex, LH_SHA256_HEX });
		lh_write_u64(&w, "canonical_bytes_len", canon.len);
		lh_write_end(&w);
		lh_buf_putc(&b, '\n');
		rc = print(tool, &b);
	}
	return rc;
}
