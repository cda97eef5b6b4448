/* Whatever a form says of a line, the scanner and the validator of schemas say too. */
#include "check.h"
#include "schema/form.h"

#define HEX "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea"
#define AT "2026-05-03T12:00:00.000Z"
#define FROM "\"provenance\":{\"source_file\":\"data/_kb/audits.jsonl\",\"line_offset\":0,\"sig_hash\":\"" HEX "\",\"recorded_at\":\"" AT "\"}"

static const struct {
	const char *schema, *line;
} good[] = {
	{ "evidence_record",
	  "{\"run_id\":\"F-1\",\"task_id\":\"phase:1\",\"timestamp\":\"2026-01-01T00:40:25+02:00\",\"schema_version\":1," FROM ",\"text\":\"a \\\"b\\\" \xc3\xa9 \\u00e9\\n\","
	  "\"model_role\":\"reviewer\",\"observer_verdict\":\"accept\",\"observer_notes\":[\"a\",\"b\"],\"observer_confidence\":70,\"success_markers\":[],"
	  "\"retrieved_context\":{\"matrix_corpora\":[\"x\"],\"matrix_hits\":3},\"prompt_tokens\":12,\"cost_usd\":0.0125,\"latency_ms\":1.50,"
	  "\"metadata\":{\"topic\":\"t\",\"n\":-1.5e3,\"ok\":true,\"none\":null}}" },
	{ "scored_run",
	  "{\"schema_version\":1,\"evidence_run_id\":\"F-1\",\"evidence_task_id\":\"phase:1\",\"category\":\"accepted\",\"reasons\":[\"severity=low\"],"
	  "\"scored_at\":\"" AT "\",\"scorer_version\":\"v1.0.0\",\"sub_scores\":{\"observer_verdict\":\"accept\",\"scored_sig\":\"" HEX "\"}," FROM "}" },
	{ "rag_sample",
	  "{\"schema_version\":1,\"id\":\"rag-5131d61943e413cf\",\"title\":\"audits: phase:8\",\"content\":\"c\",\"embedding_text\":\"e\",\"tags\":[\"audits\"],"
	  "\"source_run_id\":\"F-1\",\"success_score\":\"accepted\",\"source_category\":\"accepted\",\"created_at\":\"" AT "\"," FROM "}" },
	{ "sft_sample",
	  "{\"schema_version\":1,\"id\":\"sft-1b6c1f6c8ad384ac\",\"instruction\":\"Audit phase 8.\",\"context\":\"\",\"response\":\"r\","
	  "\"source_run_id\":\"F-1\",\"quality_score\":\"accepted\",\"created_at\":\"" AT "\"," FROM "}" },
	{ "preference_sample",
	  "{\"schema_version\":1,\"id\":\"pref-29bd73ee999eb850\",\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\",\"reason\":\"a over b\","
	  "\"chosen_run_id\":\"1\",\"rejected_run_id\":\"2\",\"created_at\":\"" AT "\"," FROM "}" },
};
#define GOOD (sizeof good / sizeof *good)

static struct lh_record rec, want;
static struct lh_err err;
static struct lh_buf text, scratch;
static struct lh_form form;

static void none(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	(void)field;
	(void)problem;
}

static bool same(const struct lh_value *a, const struct lh_value *b)
{
	return a->p == b->p && a->n == b->n && a->type == b->type && a->escaped == b->escaped;
}

/* Does the form know the first n bytes of the text?  Then all must agree. */
static bool known(size_t n)
{
	size_t i;
	int rc = lh_form_read(&form, &rec, text.p, n, &err);

	check(rc >= 0);
	if (!rc)
		return false;
	check_why(lh_record_parse(&want, text.p, n, &err) == 0, text.p);
	check_why(rec.line == want.line && rec.len == want.len && rec.n == want.n, text.p);
	for (i = 0; i < rec.n; i++)
		check_why(same(&rec.member[i].key, &want.member[i].key) && same(&rec.member[i].val, &want.member[i].val), text.p);
	check_why(lh_schema_check_record(form.schema, &want, &scratch, none, NULL, &err) == 0, text.p);
	return true;
}

static void take(const char *s)
{
	lh_buf_reset(&text);
	lh_buf_puts(&text, s);
	lh_buf_putc(&text, '\0');
	text.len--;
	check(lh_buf_check(&text, &err) == 0);
}

/* A byte changed, left out, or twice; the line cut off there. */
static void bytes(const char *s)
{
	static const char other[] = "\"\\{}[]:, 019.-+eEntfx\x01\x80\xc3";
	size_t n = strlen(s), i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof other - 1; k++) {
			take(s);
			text.p[i] = other[k];
			known(n);
		}
		take(s);
		check(!known(i));
		memmove(text.p + i, text.p + i + 1, n - i);
		known(n - 1);
		take(s);
		lh_buf_putc(&text, '\0');
		memmove(text.p + i + 1, text.p + i, n - i);
		known(n + 1);
	}
}

/* One of the members again, before whichever: a key that is there twice. */
static void members(const char *s)
{
	size_t n = strlen(s), i, k, m;

	take(s);
	check(lh_record_parse(&want, text.p, n, &err) == 0);
	m = want.n;
	for (i = 0; i < m * m; i++) {
		take(s);
		check(lh_record_parse(&want, text.p, n, &err) == 0);
		k = (size_t)(want.member[i / m].key.p - text.p);
		lh_buf_reset(&scratch);
		lh_buf_add(&scratch, s, k);
		lh_buf_add(&scratch, want.member[i % m].key.p, (size_t)(want.member[i % m].val.p + want.member[i % m].val.n - want.member[i % m].key.p));
		lh_buf_putc(&scratch, ',');
		lh_buf_add(&scratch, s + k, n - k + 1);
		take(scratch.p);
		lh_buf_reset(&scratch);
		check(!known(text.len));
	}
}

/* Cut off anywhere, with no more behind it than must be there, which is what was
 * cut off: nothing is known, and nothing behind that is looked at. */
static void cut(const char *s)
{
	size_t n = strlen(s), i, rest;
	char *p;

	for (i = 0; i < n; i++) {
		rest = n - i < LH_PAD ? n - i : LH_PAD;
		p = calloc(1, i + LH_PAD);
		check(p != NULL);
		memcpy(p, s, i + rest);
		check(lh_form_read(&form, &rec, p, i, &err) == 0);
		free(p);
	}
}

static void reads(const char *schema, const char *line, bool it)
{
	form = (struct lh_form){ .schema = lh_schema_find(schema) };
	take(line);
	check_why(known(text.len) == it, line);
}

static void particular(void)
{
	static const char *const extra[] = { "\"a\":1,\"b\":2", "\"a\":1,\"a\":2", "\"a\":{}", "\"observer_verdict\":\"accept\",\"observer_verdict\":\"reject\"",
					     "\"a\":1,\"observer_verdict\":\"accept\"", "\"\\u0061\":1", "" };
	static const bool is_known[] = { true, false, false, false, false, false, true };
	size_t i;

	for (i = 0; i < sizeof extra / sizeof *extra; i++) {
		lh_buf_reset(&scratch);
		lh_buf_puts(&scratch, "{\"schema_version\":1,\"evidence_run_id\":\"F-1\",\"evidence_task_id\":\"t\",\"category\":\"accepted\",\"reasons\":[\"r\"],"
			    "\"scored_at\":\"" AT "\",\"scorer_version\":\"v1.0.0\",\"sub_scores\":{");
		lh_buf_puts(&scratch, extra[i]);
		lh_buf_puts(&scratch, "}," FROM "}");
		lh_buf_putc(&scratch, '\0');
		reads("scored_run", scratch.p, is_known[i]);
	}
	reads("sft_sample", "{\"schema_version\":1,\"id\":\"sft-1\",\"instruction\":\"i\",\"context\":\"\",\"response\":\"r\",\"source_run_id\":\"F\","
	      "\"quality_score\":\"rejected\",\"created_at\":\"" AT "\"," FROM "}", false);
	reads("sft_sample", "{\"schema_version\":1,\"id\":\"sft-1\",\"instruction\":\"i\",\"context\":\"\",\"response\":\" \",\"source_run_id\":\"F\","
	      "\"quality_score\":\"accepted\",\"created_at\":\"" AT "\"," FROM "}", false);
	reads("preference_sample", "{\"schema_version\":1,\"id\":\"p\",\"prompt\":\"p\",\"chosen\":\"a\\n\",\"rejected\":\"a\\u000a\",\"reason\":\"r\","
	      "\"chosen_run_id\":\"1\",\"rejected_run_id\":\"2\",\"created_at\":\"" AT "\"," FROM "}", false);
}

static void good_ones(void)
{
	size_t i;

	for (i = 0; i < GOOD; i++) {
		reads(good[i].schema, good[i].line, true);
		bytes(good[i].line);
		cut(good[i].line);
		members(good[i].line);
	}
}

int main(void)
{
	lh_record_init(&rec);
	lh_record_init(&want);
	lh_buf_init(&text, LH_BUF_NOMAX);
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	test(good_ones());
	test(particular());
	lh_record_free(&rec);
	lh_record_free(&want);
	lh_buf_free(&text);
	lh_buf_free(&scratch);
	return 0;
}
