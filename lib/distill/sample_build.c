/*
 * sample_build.c - build samples, in the field order of their schemas.  See
 * sample.h.
 */
#include "base/utf8.h"
#include "json/write.h"
#include "schema/schema_table.h"
#include "sample_parts.h"
#include "text/alike.h"

#define SHOWN 1000	/* characters of the content that are embedded */

/* Append a member; a string gets the fewest escapes. */
static void put_member(struct lh_writer *json, const char *name, const struct lh_value *v,
		       struct lh_buf *scratch)
{
	struct lh_str s;

	if (v->type != LH_STRING || !v->escaped) {
		lh_write_value(json, name, v);
		return;
	}
	lh_buf_reset(scratch);
	lh_value_str(v, scratch, &s);
	lh_write_str(json, name, s);
}

static void put_built(struct lh_writer *json, const char *name, const struct lh_buf *built)
{
	lh_write_str(json, name, (struct lh_str){ built->len ? built->p : "", built->len });
}

static void put_provenance(struct lh_sampler *s, const struct lh_source *src,
			   struct lh_writer *json)
{
	lh_write_object(json, "provenance");
	put_member(json, "source_file", &src->file, &s->scratch);
	put_member(json, "line_offset", &src->offset, &s->scratch);
	put_member(json, "sig_hash", &src->sig_hash, &s->scratch);
	put_member(json, "recorded_at", &src->recorded_at, &s->scratch);
	lh_write_end(json);
}

/* Append the last two fields, which all samples have. */
static void put_end(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json)
{
	lh_write_text(json, "created_at", s->recorded_at);
	put_provenance(s, src, json);
	lh_write_end(json);
}

static void put_start(struct lh_sampler *s, const struct lh_str *a, const struct lh_str *b,
		      struct lh_writer *json)
{
	lh_sample_id(s->x, a, b, &s->scratch, s->result.id);
	lh_write_object(json, NULL);
	lh_write_u64(json, "schema_version", lh_schema_version(s->schema));
	lh_write_text(json, "id", s->result.id);
}

/* ---- rag ---- */

static void put_tag(struct lh_writer *json, struct lh_str tag)
{
	if (lh_trim(tag.p, tag.n).n)
		lh_write_str(json, NULL, tag);
}

static void put_tag_value(struct lh_sampler *s, const struct lh_value *v, struct lh_writer *json)
{
	struct lh_str tag;

	if (!v || v->type != LH_STRING)
		return;
	lh_buf_reset(&s->scratch);
	lh_value_str(v, &s->scratch, &tag);
	put_tag(json, tag);
}

static void put_tags(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json)
{
	const struct lh_value *files = lh_record_get(src->evidence, "source_files");
	struct lh_iter it = { .val.type = LH_NULL };

	lh_write_array(json, "tags");
	put_tag(json, src->stream);
	put_tag(json, lh_str_of(lh_category_name(src->category)));
	put_tag_value(s, lh_record_get(src->evidence, "model_role"), json);
	if (files && files->type == LH_ARRAY) {
		lh_iter_init(&it, files);
		if (lh_iter_next(&it))
			put_tag_value(s, &it.val, json);
	}
	lh_write_end(json);
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

static void build_rag(struct lh_sampler *s, struct lh_writer *json)
{
	const struct lh_source *src = s->src;
	struct lh_str content = lh_trim(src->text.s.p, src->text.s.n);

	lh_buf_reset(&s->built);
	put_start(s, &src->run_id.s, &src->sig.s, json);
	lh_sample_title(&s->built, src);
	put_built(json, "title", &s->built);
	lh_write_str(json, "content", content);
	lh_buf_putc(&s->built, '\n');
	lh_buf_add(&s->built, content.p, first_of(&content, SHOWN));
	put_built(json, "embedding_text", &s->built);
	put_tags(s, src, json);
	lh_write_str(json, "source_run_id", src->run_id.s);
	lh_write_text(json, "success_score", lh_category_name(src->category));
	lh_write_text(json, "source_category", lh_category_name(src->category));
	put_end(s, src, json);
}

/* ---- sft ---- */

static void build_sft(struct lh_sampler *s, struct lh_writer *json)
{
	const struct lh_source *src = s->src;

	put_start(s, &src->run_id.s, &src->sig.s, json);
	lh_buf_reset(&s->built);
	lh_sample_instruction(&s->built, src, &s->scratch);
	put_built(json, "instruction", &s->built);
	lh_buf_reset(&s->built);
	lh_sample_context(&s->built, src, &s->scratch);
	put_built(json, "context", &s->built);
	lh_write_str(json, "response", src->text.s);
	lh_write_str(json, "source_run_id", src->run_id.s);
	lh_write_text(json, "quality_score", lh_category_name(src->category));
	put_end(s, src, json);
}

bool lh_sample_build(struct lh_sampler *s, struct lh_buf *out)
{
	struct lh_writer json = lh_write_to(out);
	size_t from = out->len;

	(s->x == LH_RAG ? build_rag : build_sft)(s, &json);
	return lh_gate_schema(s, out, from);
}

/* ---- preference ---- */

/* Append "<category> over <category> on <task_id>: <first reason> vs <first reason>". */
static void put_first_reason(struct lh_sampler *s, const struct lh_source *src)
{
	struct lh_str reason;

	lh_source_reason(src, &s->scratch, &reason);
	lh_buf_add(&s->built, reason.p, reason.n);
}

static void put_reason(struct lh_sampler *s, struct lh_writer *json)
{
	lh_buf_reset(&s->built);
	lh_buf_puts(&s->built, lh_category_name(s->one.category));
	LH_PUTS(&s->built, " over ");
	lh_buf_puts(&s->built, lh_category_name(s->other.category));
	LH_PUTS(&s->built, " on ");
	lh_buf_add(&s->built, s->one.task.s.p, s->one.task.s.n);
	LH_PUTS(&s->built, ": ");
	put_first_reason(s, &s->one);
	LH_PUTS(&s->built, " vs ");
	put_first_reason(s, &s->other);
	put_built(json, "reason", &s->built);
}

static bool build_pair(struct lh_sampler *s, struct lh_buf *out)
{
	struct lh_writer json = lh_write_to(out);
	size_t from = out->len;

	put_start(s, &s->one.run_id.s, &s->other.run_id.s, &json);
	lh_buf_reset(&s->built);
	lh_sample_instruction(&s->built, &s->one, &s->scratch);
	put_built(&json, "prompt", &s->built);
	lh_write_str(&json, "chosen", s->one.text.s);
	lh_write_str(&json, "rejected", s->other.text.s);
	put_reason(s, &json);
	lh_write_str(&json, "chosen_run_id", s->one.run_id.s);
	lh_write_str(&json, "rejected_run_id", s->other.run_id.s);
	put_end(s, &s->one, &json);
	return lh_gate_schema(s, out, from);
}

static bool str_equal(const struct lh_str *a, const struct lh_str *b)
{
	return a->n == b->n && !memcmp(a->p, b->p, a->n);
}

/* Compare two texts as a reader sees them. */
static bool text_equal(struct lh_sampler *s)
{
	struct lh_buf *b = &s->scratch;
	size_t n;

	lh_buf_reset(b);
	lh_text_plain(b, s->one.text.s);
	n = b->len;
	lh_text_plain(b, s->other.text.s);
	return b->len == 2 * n && memcmp(b->p, b->p + n, n) == 0;
}

static int gate_pair(struct lh_sampler *s, struct lh_err *err)
{
	int rc;

	if (str_equal(&s->one.run_id.s, &s->other.run_id.s)) {
		lh_sample_refuse(s, LH_SELF_PAIRING, NULL);
		return 0;
	}
	if (text_equal(s)) {
		lh_sample_refuse(s, LH_INVALID_PREFERENCE_PAIRING,
				 "rejected: must differ from chosen");
		return 0;
	}
	rc = lh_gate_content(s, &s->one, err);
	return rc > 0 ? lh_gate_content(s, &s->other, err) : rc;
}

static void read_side(struct lh_source *src, const struct lh_side *side)
{
	lh_source_side(src, side);
	lh_source_evidence(src, side->evidence);
}

int lh_sample_pair(struct lh_sampler *s, const struct lh_side *chosen,
		   const struct lh_side *rejected, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len;
	int rc;

	lh_sample_begin(s);
	read_side(&s->one, chosen);
	read_side(&s->other, rejected);
	rc = gate_pair(s, err);
	if (rc > 0)
		rc = build_pair(s, out);
	return lh_sample_settle(rc, out, from, err);
}
