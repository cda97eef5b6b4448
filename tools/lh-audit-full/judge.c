/*
 * judge.c - find forbidden contents of a row.  See census.h.
 *
 * The last layer of the firewall: it shares no decision with the code that wrote
 * the rows, and uses no schemas.  A row that lacks something counts as faulty.
 */
#include "census.h"

#include "text/alike.h"
#include <lh/digest.h>

const char *finding_text(enum finding_id id)
{
	static const char *const text[FINDINGS] = {
		[FOUND_SCORED] = " category is none of the four",
		[FOUND_SFT] = " quality_score is neither accepted nor partially_accepted",
		[FOUND_RAG] = " success_score or source_category is rejected, or neither is there",
		[FOUND_SELF_PAIR] = " chosen_run_id and rejected_run_id do not name two runs",
		[FOUND_SAME_TEXT] = " chosen and rejected are not two texts",
		[FOUND_PROVENANCE] = " no provenance with a sig_hash of 64 lowercase hex digits",
	};

	return text[id];
}

int judge_nothing(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch,
		  struct lh_err *err)
{
	(void)row;
	(void)category;
	(void)scratch;
	(void)err;
	return 0;
}

int judge_scored(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch,
		 struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(row, "category");
	enum lh_category c = v ? lh_category_read(v) : LH_CATEGORY_NONE;

	(void)scratch;
	(void)err;
	if (c == LH_CATEGORY_NONE)
		return BIT(FOUND_SCORED);
	category[c]++;
	return 0;
}

/* The rows are read without tables: this loop is over all that a root holds, and it costs
 * a third more with them.  Return a string member; NULL if there is none. */
static const struct lh_value *string_member(const struct lh_record *row, const char *name)
{
	const struct lh_value *v = lh_record_get(row, name);

	return v && v->type == LH_STRING ? v : NULL;
}

static bool is_string_equal(const struct lh_value *v, const char *text)
{
	return v && lh_value_is(v, text, strlen(text));
}

/* Return FOUND_PROVENANCE's bit, 0, or -1. */
static int provenance_bit(const struct lh_record *row, struct lh_buf *scratch)
{
	const struct lh_value *from = lh_record_get(row, "provenance");
	unsigned char hash[32];
	struct lh_value sig;
	struct lh_str text;

	if (!from || !lh_value_get(from, "sig_hash", &sig) || sig.type != LH_STRING)
		return BIT(FOUND_PROVENANCE);
	lh_buf_reset(scratch);
	lh_value_str(&sig, scratch, &text);
	return lh_unhex(text.p, text.n, hash) ? 0 : BIT(FOUND_PROVENANCE);
}

/* Return whether the members are two different strings. */
static bool strings_differ(const struct lh_record *row, const char *one, const char *other)
{
	const struct lh_value *a = string_member(row, one), *b = string_member(row, other);

	return a && b && !lh_value_equal(a, b);
}

/* Return whether both are strings that a reader tells apart: 1, 0, -1. */
static int texts_differ(const struct lh_record *row, const char *one, const char *other,
			struct lh_buf *scratch)
{
	LH_SCOPED(lh_buf_free) struct lh_buf plain = { 0 };
	const struct lh_value *v[2] = { string_member(row, one), string_member(row, other) };
	struct lh_str text;
	size_t i, n = 0;

	if (!v[0] || !v[1])
		return 0;
	for (i = 0; i < 2; i++) {
		lh_buf_reset(scratch);
		n = plain.len;
		lh_value_str(v[i], scratch, &text);
		lh_text_plain(&plain, text);
	}
	return plain.len != 2 * n || memcmp(plain.p, plain.p + n, n) != 0;
}

static int judge_sft(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch,
		     struct lh_err *err)
{
	const struct lh_value *score = lh_record_get(row, "quality_score");
	int found = provenance_bit(row, scratch);

	(void)err;
	(void)category;
	if (found >= 0 && !is_string_equal(score, "accepted") &&
	    !is_string_equal(score, "partially_accepted"))
		found |= BIT(FOUND_SFT);
	return found;
}

static int judge_rag(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch,
		     struct lh_err *err)
{
	const struct lh_value *score = string_member(row, "success_score");
	const struct lh_value *from = string_member(row, "source_category");
	int found = provenance_bit(row, scratch);

	(void)err;
	(void)category;
	if (found >= 0 && ((!score && !from) || is_string_equal(score, "rejected") ||
			   is_string_equal(from, "rejected")))
		found |= BIT(FOUND_RAG);
	return found;
}

static int judge_preference(const struct lh_record *row, uint64_t *category,
			    struct lh_buf *scratch, struct lh_err *err)
{
	int found = provenance_bit(row, scratch), differ;

	(void)err;
	(void)category;
	if (found >= 0 && !strings_differ(row, "chosen_run_id", "rejected_run_id"))
		found |= BIT(FOUND_SELF_PAIR);
	differ = found < 0 ? -1 : texts_differ(row, "chosen", "rejected", scratch);
	if (differ < 0)
		return -1;
	return differ ? found : found | BIT(FOUND_SAME_TEXT);
}

judge_fn *const judge_export[LH_EXPORTERS] = {
	[LH_RAG] = judge_rag, [LH_SFT] = judge_sft, [LH_PREFERENCE] = judge_preference
};
