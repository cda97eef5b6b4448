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
static int put_member(struct lh_writer *json, const char *name, const struct lh_value *v,
		      struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str s;

	if (v->type != LH_STRING || !v->escaped) {
		lh_write_value(json, name, v);
		return 0;
	}
	lh_buf_reset(scratch);
	if (lh_value_str(v, scratch, &s, err) < 0)
		return -1;
	lh_write_str(json, name, s);
	return 0;
}

static void put_built(struct lh_writer *json, const char *name, const struct lh_buf *built)
{
	lh_write_str(json, name, (struct lh_str){ built->len ? built->p : "", built->len });
}

static int put_provenance(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json,
			  struct lh_err *err)
{
	lh_write_object(json, "provenance");
	if (put_member(json, "source_file", &src->file, &s->scratch, err) < 0 ||
	    put_member(json, "line_offset", &src->offset, &s->scratch, err) < 0 ||
	    put_member(json, "sig_hash", &src->sig_hash, &s->scratch, err) < 0 ||
	    put_member(json, "recorded_at", &src->recorded_at, &s->scratch, err) < 0)
		return -1;
	lh_write_end(json);
	return 0;
}

/* Append the last two fields, which all samples have. */
static int put_end(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json,
		   struct lh_err *err)
{
	lh_write_text(json, "created_at", s->recorded_at);
	if (put_provenance(s, src, json, err) < 0)
		return -1;
	lh_write_end(json);
	return lh_buf_check(json->out, err);
}

static int put_start(struct lh_sampler *s, const struct lh_str *a, const struct lh_str *b,
		     struct lh_writer *json, struct lh_err *err)
{
	if (lh_sample_id(s->x, a, b, &s->scratch, s->result.id, err) < 0)
		return -1;
	lh_write_object(json, NULL);
	lh_write_u64(json, "schema_version", lh_schema_version(s->schema));
	lh_write_text(json, "id", s->result.id);
	return 0;
}

/* ---- rag ---- */

static void put_tag(struct lh_writer *json, struct lh_str tag)
{
	if (lh_trim(tag.p, tag.n).n)
		lh_write_str(json, NULL, tag);
}

static int put_tag_value(struct lh_sampler *s, const struct lh_value *v, struct lh_writer *json,
			 struct lh_err *err)
{
	struct lh_str tag;

	if (!v || v->type != LH_STRING)
		return 0;
	lh_buf_reset(&s->scratch);
	if (lh_value_str(v, &s->scratch, &tag, err) < 0)
		return -1;
	put_tag(json, tag);
	return 0;
}

static int put_tags(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json,
		    struct lh_err *err)
{
	const struct lh_value *files = lh_record_get(src->evidence, "source_files");
	struct lh_iter it = { .val.type = LH_NULL };

	lh_write_array(json, "tags");
	put_tag(json, src->stream);
	put_tag(json, lh_str_of(lh_category_name(src->category)));
	if (put_tag_value(s, lh_record_get(src->evidence, "model_role"), json, err) < 0)
		return -1;
	if (files && files->type == LH_ARRAY) {
		lh_iter_init(&it, files);
		if (lh_iter_next(&it) && put_tag_value(s, &it.val, json, err) < 0)
			return -1;
	}
	lh_write_end(json);
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

static int build_rag(struct lh_sampler *s, struct lh_writer *json, struct lh_err *err)
{
	const struct lh_source *src = s->src;
	struct lh_str content = lh_trim(src->text.s.p, src->text.s.n);

	lh_buf_reset(&s->built);
	if (put_start(s, &src->run_id.s, &src->sig.s, json, err) < 0 ||
	    lh_sample_title(&s->built, src, err) < 0)
		return -1;
	put_built(json, "title", &s->built);
	lh_write_str(json, "content", content);
	lh_buf_putc(&s->built, '\n');
	lh_buf_add(&s->built, content.p, first_of(&content, SHOWN));
	if (lh_buf_check(&s->built, err) < 0)
		return -1;
	put_built(json, "embedding_text", &s->built);
	if (put_tags(s, src, json, err) < 0)
		return -1;
	lh_write_str(json, "source_run_id", src->run_id.s);
	lh_write_text(json, "success_score", lh_category_name(src->category));
	lh_write_text(json, "source_category", lh_category_name(src->category));
	return put_end(s, src, json, err);
}

/* ---- sft ---- */

static int build_sft(struct lh_sampler *s, struct lh_writer *json, struct lh_err *err)
{
	const struct lh_source *src = s->src;

	if (put_start(s, &src->run_id.s, &src->sig.s, json, err) < 0)
		return -1;
	lh_buf_reset(&s->built);
	if (lh_sample_instruction(&s->built, src, &s->scratch, err) < 0)
		return -1;
	put_built(json, "instruction", &s->built);
	lh_buf_reset(&s->built);
	if (lh_sample_context(&s->built, src, &s->scratch, err) < 0)
		return -1;
	put_built(json, "context", &s->built);
	lh_write_str(json, "response", src->text.s);
	lh_write_str(json, "source_run_id", src->run_id.s);
	lh_write_text(json, "quality_score", lh_category_name(src->category));
	return put_end(s, src, json, err);
}

int lh_sample_build(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(out);
	size_t from = out->len;

	if ((s->x == LH_RAG ? build_rag : build_sft)(s, &json, err) < 0)
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

static int put_reason(struct lh_sampler *s, struct lh_writer *json, struct lh_err *err)
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
	put_built(json, "reason", &s->built);
	return 0;
}

static int build_pair(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(out);
	size_t from = out->len;

	if (put_start(s, &s->one.run_id.s, &s->other.run_id.s, &json, err) < 0)
		return -1;
	lh_buf_reset(&s->built);
	if (lh_sample_instruction(&s->built, &s->one, &s->scratch, err) < 0)
		return -1;
	put_built(&json, "prompt", &s->built);
	lh_write_str(&json, "chosen", s->one.text.s);
	lh_write_str(&json, "rejected", s->other.text.s);
	if (put_reason(s, &json, err) < 0)
		return -1;
	lh_write_str(&json, "chosen_run_id", s->one.run_id.s);
	lh_write_str(&json, "rejected_run_id", s->other.run_id.s);
	if (put_end(s, &s->one, &json, err) < 0)
		return -1;
	return lh_gate_schema(s, out, from, err);
}

static bool str_equal(const struct lh_str *a, const struct lh_str *b)
{
	return a->n == b->n && !memcmp(a->p, b->p, a->n);
}

/* Compare two texts as a reader sees them. */
static int text_equal(struct lh_sampler *s, struct lh_err *err)
{
	struct lh_buf *b = &s->scratch;
	size_t n;

	lh_buf_reset(b);
	lh_text_plain(b, s->one.text.s);
	n = b->len;
	lh_text_plain(b, s->other.text.s);
	if (lh_buf_check(b, err) < 0)
		return -1;
	return b->len == 2 * n && memcmp(b->p, b->p + n, n) == 0;
}

static int gate_pair(struct lh_sampler *s, struct lh_err *err)
{
	int rc;

	if (str_equal(&s->one.run_id.s, &s->other.run_id.s))
		return lh_sample_refuse(s, LH_SELF_PAIRING, NULL);
	rc = text_equal(s, err);
	if (rc < 0)
		return -1;
	if (rc)
		return lh_sample_refuse(s, LH_INVALID_PREFERENCE_PAIRING,
					"rejected: must differ from chosen");
	rc = lh_gate_content(s, &s->one, err);
	return rc > 0 ? lh_gate_content(s, &s->other, err) : rc;
}

static int read_side(struct lh_source *src, const struct lh_side *side, struct lh_err *err)
{
	return lh_source_side(src, side, err) < 0 ||
		lh_source_evidence(src, side->evidence, err) < 0 ? -1 : 0;
}

int lh_sample_pair(struct lh_sampler *s, const struct lh_side *chosen,
		   const struct lh_side *rejected, struct lh_buf *out, struct lh_err *err)
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
