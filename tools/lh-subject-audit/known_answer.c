/*
 * known_answer.c - lh-subject-audit known-answer: a row with which two programs can
 * compare their MACs.
 */
#include "audit.h"
#include <lh/canon.h>
#include <lh/digest.h>

static const char row[] =
	"{\"schema\":\"subject_audit.v1\",\"ts\":\"2026-05-03T12:00:00Z\",\"candidate_id\":\"WORKER-FIXED\","
	"\"accessor\":{\"kind\":\"gateway_lookup\",\"daemon\":\"gateway\",\"purpose\":\"parity_test\","
	"\"trace_id\":\"trace-fixed\"},\"fields_accessed\":[\"name\"],\"result\":\"success\","
	"\"prev_chain_hash\":\"GENESIS\"}";

static int make(struct lh_buf *canon, char hex[LH_SHA256_HEX], struct lh_err *err)
{
	unsigned char key[32], sum[32];
	struct lh_hmac *h = NULL;
	struct lh_record rec;
	struct lh_buf text;
	struct lh_value v;
	size_t i;
	int rc;

	for (i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	lh_record_init(&rec);
	lh_buf_init(&text, LH_BUF_NOMAX);
	lh_buf_puts(&text, row);
	rc = lh_buf_check(&text, err);
	if (!rc)
		rc = lh_json_parse(&rec, text.p, text.len, &v, err);
	if (!rc)
		rc = lh_canon_audit(canon, &v, NULL, 0, err);
	if (!rc)
		h = lh_hmac_new(key, sizeof key, err);
	if (h) {
		lh_hmac(h, "GENESIS", 7, canon->p, canon->len, sum);
		lh_hex(sum, sizeof sum, hex);
	}
	lh_hmac_free(h);
	lh_buf_free(&text);
	lh_record_free(&rec);
	return h ? 0 : -1;
}

int audit_known_answer(struct lh_tool *tool, void *settings)
{
	char hex[LH_SHA256_HEX];
	struct lh_buf canon, b;
	int rc;

	(void)settings;
	lh_buf_init(&canon, LH_BUF_NOMAX);
	lh_buf_init(&b, LH_BUF_NOMAX);
	rc = make(&canon, hex, &tool->err);
	if (rc == 0) {
		lh_buf_puts(&b, "{\"mode\":\"known_answer\",\"canonical\":");
		lh_buf_json(&b, canon.p, canon.len);
		lh_buf_printf(&b, ",\"hmac\":\"%.*s\",\"canonical_bytes_len\":%zu}\n", LH_SHA256_HEX, hex, canon.len);
		rc = print(tool, &b);
	}
	lh_buf_free(&canon);
	lh_buf_free(&b);
	return rc;
}
