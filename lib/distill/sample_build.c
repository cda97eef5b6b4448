/*
 * sample_build.c - build samples, in the field order of their schemas.  See
 * sample.h.
 */
#include "base/ascii.h"
#include "sample_parts.h"

#define SHOWN 1000	/* characters of the content that are embedded */

/* Append a string as JSON with the fewest escapes. */
static int put_string(struct lh_buf *out, const struct lh_value *v, struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str s;

	if (v->type != LH_STRING || !v->escaped) {
		lh_buf_add(out, v->p, v->n);
		return 0;
	}
	lh_buf_reset(scratch);
	if (lh_value_str(v, scratch, &s, err) < 0)
		return -1;
	lh_buf_json(out, s.p, s.n);
	return 0;
}

static void put_str(struct lh_buf *out, const struct lh_str *s)
{
	lh_buf_json(out, s->p, s->n);
}

static void put_text(struct lh_buf *out, const char *text)
{
	lh_buf_json(out, text, strlen(text));
}

/* Append "provenance":{...} without a comma. */
static int put_provenance(struct lh_sampler *s, const struct lh_source *src, struct lh_buf *out, struct lh_err *err)
{
	LH_PUTS(out, "\"provenance\":{\"source_file\":");
	if (put_string(out, &src->file, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"line_offset\":");
	if (put_string(out, &src->offset, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"sig_hash\":");
	if (put_string(out, &src->sig_hash, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"recorded_at\":");
	if (put_string(out, &src->recorded_at, &s->scratch, err) < 0)
		return -1;
	lh_buf_putc(out, '}');
	return 0;
}

/* Append the last two fields, which all samples have. */
static int put_end(struct lh_sampler *s, const struct lh_source *src, struct lh_buf *out, struct lh_err *err)
{
	LH_PUTS(out, ",\"created_at\":");
	put_text(out, s->recorded_at);
	lh_buf_putc(out, ',');
	if (put_provenance(s, src, out, err) < 0)
		return -1;
	lh_buf_putc(out, '}');
	return lh_buf_check(out, err);
}

static int put_start(struct lh_sampler *s, const struct lh_str *a, const struct lh_str *b, struct lh_buf *out, struct lh_err *err)
{
	if (lh_sample_id(s->x, a, b, &s->scratch, s->said.id, err) < 0)
		return -1;
	LH_PUTS(out, "{\"schema_version\":1,\"id\":");
	put_text(out, s->said.id);
	return 0;
}

/* ---- rag ---- */

static int put_tag(struct lh_buf *out, const struct lh_str *tag, bool *first)
{
	if (!lh_trim(tag->p, tag->n).n)
		return 0;
	if (!*first)
		lh_buf_putc(out, ',');
	put_str(out, tag);
	*first = false;
	return 0;
}

static int put_tag_value(struct lh_sampler *s, const struct lh_value *v, struct lh_buf *out, bool *first, struct lh_err *err)
{
	struct lh_str tag;

	if (!v || v->type != LH_STRING)
		return 0;
	lh_buf_reset(&s->scratch);
	return lh_value_str(v, &s->scratch, &tag, err) < 0 ? -1 : put_tag(out, &tag, first);
}

static int put_tags(struct lh_sampler *s, const struct lh_source *src, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_value *files = lh_record_get(src->evidence, "source_files");
	const char *category = lh_category_name(src->category);
	struct lh_iter it = { .val.type = LH_NULL };
	bool first = true;

	LH_PUTS(out, ",\"tags\":[");
	put_tag(out, &src->stem, &first);
	put_tag(out, &(struct lh_str){ category, strlen(category) }, &first);
	if (put_tag_value(s, lh_record_get(src->evidence, "model_role"), out, &first, err) < 0)
		return -1;
	if (files && files->type == LH_ARRAY) {
		lh_iter_init(&it, files);
		if (lh_iter_next(&it) && put_tag_value(s, &it.val, out, &first, err) < 0)
			return -1;
	}
	lh_buf_putc(out, ']');
	return 0;
}

/* Return the length in bytes of the first max characters. */
static size_t first_of(const struct lh_str *s, size_t max)
{
	size_t i;

	if (s->n <= max)
		return s->n;
	for (i = 0; i < s->n; i++)
		if (((unsigned char)s->p[i] & 0xc0) != 0x80 && !max--)
			break;
	return i;
}

static int build_rag(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_source *src = s->src;
	struct lh_str content = lh_trim(src->text.s.p, src->text.s.n);

	lh_buf_reset(&s->built);
	if (put_start(s, &src->run_id.s, &src->sig.s, out, err) < 0 || lh_sample_title(&s->built, src, err) < 0)
		return -1;
	LH_PUTS(out, ",\"title\":");
	lh_buf_json(out, s->built.p, s->built.len);
	LH_PUTS(out, ",\"content\":");
	put_str(out, &content);
	lh_buf_putc(&s->built, '\n');
	lh_buf_add(&s->built, content.p, first_of(&content, SHOWN));
	if (lh_buf_check(&s->built, err) < 0)
		return -1;
	LH_PUTS(out, ",\"embedding_text\":");
	lh_buf_json(out, s->built.p, s->built.len);
	if (put_tags(s, src, out, err) < 0)
		return -1;
	LH_PUTS(out, ",\"source_run_id\":");
	put_str(out, &src->run_id.s);
	LH_PUTS(out, ",\"success_score\":");
	put_text(out, lh_category_name(src->category));
	LH_PUTS(out, ",\"source_category\":");
	put_text(out, lh_category_name(src->category));
	return put_end(s, src, out, err);
}

/* ---- sft ---- */

static int build_sft(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	const struct lh_source *src = s->src;

	if (put_start(s, &src->run_id.s, &src->sig.s, out, err) < 0)
		return -1;
	lh_buf_reset(&s->built);
	if (lh_sample_instruction(&s->built, src, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"instruction\":");
	lh_buf_json(out, s->built.p, s->built.len);
	lh_buf_reset(&s->built);
	if (lh_sample_context(&s->built, src, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"context\":");
	lh_buf_json(out, s->built.len ? s->built.p : "", s->built.len);
	LH_PUTS(out, ",\"response\":");
	put_str(out, &src->text.s);
	LH_PUTS(out, ",\"source_run_id\":");
	put_str(out, &src->run_id.s);
	LH_PUTS(out, ",\"quality_score\":");
	put_text(out, lh_category_name(src->category));
	return put_end(s, src, out, err);
}

int lh_sample_build(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len;

	if ((s->x == LH_RAG ? build_rag : build_sft)(s, out, err) < 0)
		return -1;
	return lh_gate_schema(s, out, from, err);
}

/* ---- preference ---- */

/* Append "<category> over <category> on <task_id>: <first reason> vs <first reason>". */
static int put_first_reason(struct lh_sampler *s, const struct lh_source *src, struct lh_err *err)
{
	struct lh_str reason;

	if (lh_source_reason(src, &s->scratch, &reason, err) < 0)
		return -1;
	lh_buf_add(&s->built, reason.p, reason.n);
	return 0;
}

static int put_reason(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	lh_buf_reset(&s->built);
	lh_buf_puts(&s->built, lh_category_name(s->one.category));
	LH_PUTS(&s->built, " over ");
	lh_buf_puts(&s->built, lh_category_name(s->other.category));
	LH_PUTS(&s->built, " on ");
	lh_buf_add(&s->built, s->one.task.s.p, s->one.task.s.n);
	LH_PUTS(&s->built, ": ");
	if (put_first_reason(s, &s->one, err) < 0)
		return -1;
	LH_PUTS(&s->built, " vs ");
	if (put_first_reason(s, &s->other, err) < 0 || lh_buf_check(&s->built, err) < 0)
		return -1;
	LH_PUTS(out, ",\"reason\":");
	lh_buf_json(out, s->built.p, s->built.len);
	return 0;
}

static int build_pair(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len;

	if (put_start(s, &s->one.run_id.s, &s->other.run_id.s, out, err) < 0)
		return -1;
	lh_buf_reset(&s->built);
	if (lh_sample_instruction(&s->built, &s->one, &s->scratch, err) < 0)
		return -1;
	LH_PUTS(out, ",\"prompt\":");
	lh_buf_json(out, s->built.p, s->built.len);
	LH_PUTS(out, ",\"chosen\":");
	put_str(out, &s->one.text.s);
	LH_PUTS(out, ",\"rejected\":");
	put_str(out, &s->other.text.s);
	if (put_reason(s, out, err) < 0)
		return -1;
	LH_PUTS(out, ",\"chosen_run_id\":");
	put_str(out, &s->one.run_id.s);
	LH_PUTS(out, ",\"rejected_run_id\":");
	put_str(out, &s->other.run_id.s);
	if (put_end(s, &s->one, out, err) < 0)
		return -1;
	return lh_gate_schema(s, out, from, err);
}

static bool same(const struct lh_str *a, const struct lh_str *b)
{
	return a->n == b->n && !memcmp(a->p, b->p, a->n);
}

static int gate_pair(struct lh_sampler *s, struct lh_err *err)
{
	int rc;

	if (same(&s->one.run_id.s, &s->other.run_id.s))
		return lh_sample_refuse(s, LH_SELF_PAIRING, NULL);
	if (same(&s->one.text.s, &s->other.text.s))
		return lh_sample_refuse(s, LH_INVALID_PREFERENCE_PAIRING, "rejected: must differ from chosen");
	rc = lh_gate_content(s, &s->one, err);
	return rc > 0 ? lh_gate_content(s, &s->other, err) : rc;
}

static int read_side(struct lh_source *src, const struct lh_side *side, struct lh_err *err)
{
	return lh_source_side(src, side, err) < 0 || lh_source_evidence(src, side->evidence, err) < 0 ? -1 : 0;
}

int lh_sample_pair(struct lh_sampler *s, const struct lh_side *chosen, const struct lh_side *rejected, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len;
	int rc;

	lh_sample_begin(s);
	if (read_side(&s->one, chosen, err) < 0 || read_side(&s->other, rejected, err) < 0)
		return -1;
	rc = gate_pair(s, err);
	if (rc > 0)
		rc = build_pair(s, out, err);
	return lh_sample_settle(s, rc, out, from, err);
}
