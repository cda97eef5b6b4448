/* sample.c - records through the gates.  See sample.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include <lh/digest.h>
#include "base/mem.h"
#include "sample_parts.h"
#include "text/alike.h"

#define ID_HEX 16	/* digits of an id */

static const struct {
	const char *name, *output, *quarantine, *schema;
} exporters[LH_EXPORTERS] = {
	[LH_RAG] = { "rag", "exports/rag/playbooks.jsonl", "exports/quarantine/rag.jsonl",
		     "rag_sample" },
	[LH_SFT] = { "sft", "exports/sft/instruction_response.jsonl",
		     "exports/quarantine/sft.jsonl", "sft_sample" },
	[LH_PREFERENCE] = { "preference", "exports/preference/chosen_rejected.jsonl",
			    "exports/quarantine/preference.jsonl", "preference_sample" },
};

const char *lh_exporter_name(enum lh_exporter x)
{
	return exporters[x].name;
}

const char *lh_exporter_output(enum lh_exporter x)
{
	return exporters[x].output;
}

const char *lh_exporter_quarantine(enum lh_exporter x)
{
	return exporters[x].quarantine;
}

static const char *const refusals[LH_REFUSALS] = {
	[LH_MISSING_PROVENANCE] = "missing_provenance",
	[LH_MISSING_SOURCE_RUN_ID] = "missing_source_run_id",
	[LH_EMPTY_CONTENT] = "empty_content",
	[LH_SCHEMA_VIOLATION] = "schema_violation",
	[LH_UNSAFE_SFT_CATEGORY] = "unsafe_sft_category",
	[LH_UNSAFE_RAG_CATEGORY] = "unsafe_rag_category",
	[LH_INVALID_PREFERENCE_PAIRING] = "invalid_preference_pairing",
	[LH_HALLUCINATED_FILE_PATH] = "hallucinated_file_path",
	[LH_DUPLICATE_ID] = "duplicate_id",
	[LH_SELF_PAIRING] = "self_pairing",
	[LH_CATEGORY_DISALLOWED] = "category_disallowed",
};

const char *lh_refusal_name(enum lh_refusal r)
{
	return refusals[r];
}

enum lh_refusal lh_refusal_read(const struct lh_value *v)
{
	int i;

	for (i = 0; v->type == LH_STRING && i < LH_REFUSALS; i++)
		if (lh_value_is(v, refusals[i], strlen(refusals[i])))
			return (enum lh_refusal)i;
	return LH_NOT_REFUSED;
}

/* ---- the sampler ---- */

void lh_source_free(struct lh_source *src)
{
	lh_buf_free(&src->run_id.b);
	lh_buf_free(&src->sig.b);
	lh_buf_free(&src->path.b);
	lh_buf_free(&src->task.b);
	lh_buf_free(&src->text.b);
}

struct lh_sampler *lh_sampler_new(enum lh_exporter x, const struct lh_export *how,
				  const char *recorded_at, struct lh_err *err)
{
	struct lh_sampler *s = lh_calloc(1, sizeof *s);

	s->x = x;
	s->how = *how;
	s->beneath = -1;
	s->src = &s->one;
	s->schema = lh_schema_find(exporters[x].schema);
	s->recorded_at = lh_strndup(recorded_at, strlen(recorded_at));
	if (!how->verify_paths || (s->beneath = lh_open_beneath(how->verify_paths, err)) >= 0)
		return s;
	lh_sampler_free(s);
	return NULL;
}

void lh_sampler_free(struct lh_sampler *s)
{
	if (!s)
		return;
	if (s->beneath >= 0)
		close(s->beneath);
	lh_source_free(&s->one);
	lh_source_free(&s->other);
	lh_buf_free(&s->built);
	lh_buf_free(&s->scratch);
	lh_buf_free(&s->result.errors);
	free(s->recorded_at);
	free(s);
}

const struct lh_sample_result *lh_sampler_result(const struct lh_sampler *s)
{
	return &s->result;
}

void lh_sample_refuse(struct lh_sampler *s, enum lh_refusal why, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	s->result.refused = why;
	if (!fmt)
		return;
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		lh_no_memory(strlen(fmt));
	if (s->result.errors.len)
		lh_buf_putc(&s->result.errors, ',');
	lh_buf_json(&s->result.errors, text, (size_t)n);
	free(text);
}

void lh_sample_begin(struct lh_sampler *s)
{
	lh_buf_reset(&s->result.errors);
	s->result.refused = LH_NOT_REFUSED;
	*s->result.id = '\0';
}

/* ---- reading ---- */

/* Unescape v; empty if it is NULL or not a string. */
static void read_text(struct lh_text *t, const struct lh_value *v)
{
	lh_buf_reset(&t->b);
	t->s = (struct lh_str){ "", 0 };
	if (v && v->p && v->type == LH_STRING)
		lh_value_str(v, &t->b, &t->s);
}

/* Read the members of a scored run's provenance; p NULL: missing. */
static void read_provenance(struct lh_source *src)
{
	static const char *const names[] = { "source_file", "line_offset", "sig_hash",
					     "recorded_at" };
	struct lh_value *const to[] = { &src->file, &src->offset, &src->sig_hash,
					&src->recorded_at };
	struct lh_iter it;
	size_t i;

	for (i = 0; i < 4; i++)
		to[i]->p = NULL;
	if (!src->provenance.p)
		return;
	for (lh_iter_init(&it, &src->provenance); lh_iter_next(&it); )
		for (i = 0; i < 4; i++)
			if (!to[i]->p && lh_value_is(&it.key, names[i], strlen(names[i]))) {
				*to[i] = it.val;
				break;
			}
}

/* Read what both lines of a record have: provenance and run id. */
static void read_origin(struct lh_source *src, const struct lh_record *rec, const char *run_id)
{
	const struct lh_value *from = lh_record_get(rec, "provenance");

	src->evidence = NULL;
	src->provenance.p = NULL;
	if (from && from->type == LH_OBJECT)
		src->provenance = *from;
	read_provenance(src);
	read_text(&src->run_id, lh_record_get(rec, run_id));
	read_text(&src->sig, &src->sig_hash);
	read_text(&src->path, &src->file);
	src->stream = lh_stream_text(src->path.s.p, src->path.s.n);
}

void lh_source_scored(struct lh_source *src, const struct lh_record *scored)
{
	const struct lh_value *category = lh_record_get(scored, "category");

	src->scored = scored;
	src->category = category ? lh_category_read(category) : LH_CATEGORY_NONE;
	read_origin(src, scored, "evidence_run_id");
}

void lh_source_side(struct lh_source *src, const struct lh_side *side)
{
	if (side->scored) {
		lh_source_scored(src, side->scored);
		return;
	}
	src->scored = NULL;
	src->category = side->category;
	src->reason = side->reason;
	read_origin(src, side->evidence, "run_id");
}

void lh_source_reason(const struct lh_source *src, struct lh_buf *scratch, struct lh_str *reason)
{
	const struct lh_value *reasons = src->scored ? lh_record_get(src->scored, "reasons") : NULL;
	struct lh_iter it;

	*reason = src->scored ? (struct lh_str){ "", 0 } : src->reason;
	if (!reasons || reasons->type != LH_ARRAY)
		return;
	lh_iter_init(&it, reasons);
	if (!lh_iter_next(&it) || it.val.type != LH_STRING)
		return;
	lh_buf_reset(scratch);
	lh_value_str(&it.val, scratch, reason);
}

void lh_source_evidence(struct lh_source *src, const struct lh_record *evidence)
{
	src->evidence = evidence;
	read_text(&src->task, lh_record_get(evidence, "task_id"));
	read_text(&src->text, lh_record_get(evidence, "text"));
}

void lh_source_text(const struct lh_source *src, struct lh_buf *scratch, unsigned char hash[32],
		    bool *has)
{
	*has = src->task.s.n > 0;
	lh_buf_reset(scratch);
	lh_buf_add(scratch, src->task.s.p, src->task.s.n);
	lh_buf_putc(scratch, '\0');
	lh_text_plain(scratch, src->text.s);
	lh_sha256(scratch->p, scratch->len, hash);
}

/* ---- the gates ---- */

/* Categories that must never be used for training or retrieval, whatever the options. */
static const bool never[LH_EXPORTERS][LH_CATEGORIES] = {
	[LH_RAG] = { [LH_REJECTED] = true },
	[LH_SFT] = { [LH_REJECTED] = true, [LH_NEEDS_HUMAN_REVIEW] = true },
};

static bool is_unsafe(enum lh_exporter x, enum lh_category c)
{
	return c != LH_CATEGORY_NONE && never[x][c];
}

enum lh_refusal lh_sample_gate(enum lh_exporter x, const struct lh_export *how, enum lh_category c)
{
	bool fine = false;

	if (is_unsafe(x, c))
		return x == LH_RAG ? LH_UNSAFE_RAG_CATEGORY : LH_UNSAFE_SFT_CATEGORY;
	switch (c) {
	case LH_ACCEPTED:
		fine = true;
		break;
	case LH_PARTIALLY_ACCEPTED:
		fine = x != LH_SFT || how->include_partial;
		break;
	case LH_REJECTED:
		fine = x == LH_PREFERENCE;
		break;
	case LH_NEEDS_HUMAN_REVIEW:
		fine = x == LH_RAG && how->include_review;
		break;
	default:
		break;
	}
	return fine ? LH_NOT_REFUSED : LH_CATEGORY_DISALLOWED;
}

static bool is_absent(const struct lh_value *v)
{
	return !v->p || v->type == LH_NULL || (v->type == LH_STRING && v->n == 2);
}

static int gate_provenance(struct lh_sampler *s, const struct lh_source *src)
{
	const struct { const char *name; const struct lh_value *v; } must[] = {
		{ "source_file", &src->file }, { "line_offset", &src->offset },
		{ "sig_hash", &src->sig_hash }, { "recorded_at", &src->recorded_at },
	};
	size_t i;

	if (!src->provenance.p) {
		lh_sample_refuse(s, LH_MISSING_PROVENANCE, "provenance: missing");
		return 0;
	}
	for (i = 0; i < sizeof must / sizeof *must; i++)
		if (is_absent(must[i].v))
			lh_sample_refuse(s, LH_MISSING_PROVENANCE, "provenance.%s: missing",
					 must[i].name);
	if (s->result.refused != LH_NOT_REFUSED)
		return 0;
	if (!src->run_id.s.n) {
		lh_sample_refuse(s, LH_MISSING_SOURCE_RUN_ID, "evidence_run_id: missing");
		return 0;
	}
	return 1;
}

static bool is_text(const struct lh_record *rec, const char *name, const char *text)
{
	const struct lh_value *v = lh_record_get(rec, name);

	return v && lh_value_is(v, text, strlen(text));
}

/* Return whether a model wrote the text. */
static bool is_output(const struct lh_source *src)
{
	const struct lh_value *verdict = lh_record_get(src->evidence, "observer_verdict");

	if (is_text(src->evidence, "model_role", "executor") ||
	    is_text(src->evidence, "model_role", "applier"))
		return true;
	return is_text(src->evidence, "model_role", "reviewer") &&
	       ((verdict && !is_absent(verdict)) ||
		lh_stream_read(src->stream.p, src->stream.n) == LH_AUDITS);
}

static int gate_model(struct lh_sampler *s, const struct lh_source *src)
{
	const struct lh_value *role;

	if (is_output(src))
		return 1;
	role = lh_record_get(src->evidence, "model_role");
	if (!role || role->type != LH_STRING || role->n > 100) {
		lh_sample_refuse(s, LH_MISSING_SOURCE_RUN_ID, "model_role: missing");
		return 0;
	}
	lh_sample_refuse(s, LH_MISSING_SOURCE_RUN_ID, "model_role: %.*s is no model output",
			 (int)role->n - 2, role->p + 1);
	return 0;
}

static int gate_files(struct lh_sampler *s, const struct lh_source *src, struct lh_err *err)
{
	const struct lh_value *files = lh_record_get(src->evidence, "source_files");
	struct lh_iter it;
	struct lh_str f;
	int rc;

	if (s->beneath < 0 || !files || files->type != LH_ARRAY)
		return 1;
	for (lh_iter_init(&it, files); lh_iter_next(&it); ) {
		lh_buf_reset(&s->scratch);
		if (it.val.type != LH_STRING)
			continue;
		lh_value_str(&it.val, &s->scratch, &f);
		if ((rc = lh_exists_beneath(s->beneath, f.p, f.n, err)) < 0)
			return -1;
		if (!rc)
			lh_sample_refuse(s, LH_HALLUCINATED_FILE_PATH,
					 "source_files: %.*s does not exist", (int)f.n, f.p);
	}
	return s->result.refused == LH_NOT_REFUSED;
}

int lh_gate_content(struct lh_sampler *s, const struct lh_source *src, struct lh_err *err)
{
	if (!lh_trim(src->text.s.p, src->text.s.n).n) {
		lh_sample_refuse(s, LH_EMPTY_CONTENT, NULL);
		return 0;
	}
	return gate_files(s, src, err);
}

/* Refuse a text that was rejected for the same task: which verdict is right is not known. */
static bool gate_rejected(struct lh_sampler *s)
{
	unsigned char hash[32];
	bool has;

	if (!s->rejected || !s->rejected->n)
		return true;
	lh_source_text(s->src, &s->scratch, hash, &has);
	if (!has || !lh_hashset_has(s->rejected, hash))
		return true;
	lh_sample_refuse(s, s->x == LH_RAG ? LH_UNSAFE_RAG_CATEGORY : LH_UNSAFE_SFT_CATEGORY,
			 "text: was rejected for the same task");
	return false;
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	lh_sample_refuse(ctx, LH_SCHEMA_VIOLATION, "%.*s: %.*s", (int)field->n, field->p,
			 (int)problem->n, problem->p);
}

bool lh_gate_schema(struct lh_sampler *s, const struct lh_buf *out, size_t from)
{
	const struct lh_value v = { .p = out->p + from, .n = out->len - from, .type = LH_OBJECT };

	return lh_schema_check(s->schema, &v, &s->scratch, on_violation, s) == 0;
}

/* ---- all gates ---- */

void lh_sample_id(enum lh_exporter x, const struct lh_str *a, const struct lh_str *b,
		  struct lh_buf *scratch, char out[LH_SAMPLE_ID])
{
	const char *kind = x == LH_PREFERENCE ? "pref" : exporters[x].name;
	size_t n = strlen(kind);
	unsigned char hash[32];

	lh_buf_reset(scratch);
	lh_buf_puts(scratch, exporters[x].name);
	lh_buf_putc(scratch, '|');
	lh_buf_add(scratch, a->p, a->n);
	lh_buf_putc(scratch, '|');
	lh_buf_add(scratch, b->p, b->n);
	lh_sha256(scratch->p, scratch->len, hash);
	memcpy(out, kind, n);
	out[n++] = '-';
	lh_hex(hash, ID_HEX / 2, out + n);
	out[n + ID_HEX] = '\0';
}

int lh_sample_settle(int rc, struct lh_buf *out, size_t from, struct lh_err *err)
{
	if (rc >= 0 && lh_buf_check(out, err) < 0)
		rc = -1;
	if (rc <= 0 && out->len > from)
		out->len = from;
	return rc;
}

int lh_sample_judge(struct lh_sampler *s)
{
	const struct lh_source *src = s->src;

	lh_sample_begin(s);
	s->result.category = src->category;
	s->result.provenance = src->provenance;
	s->result.run_id = src->run_id.s;
	s->result.sig = src->sig.s;
	s->result.refused = lh_sample_gate(s->x, &s->how, src->category);
	if (s->result.refused != LH_NOT_REFUSED)
		return 0;
	return gate_provenance(s, src);
}

int lh_sample_finish(struct lh_sampler *s, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len;
	int rc = 1;

	if (!s->src->evidence) {
		lh_sample_refuse(s, LH_MISSING_SOURCE_RUN_ID, "evidence: not found");
		rc = 0;
	}
	if (rc > 0 && s->x == LH_SFT)
		rc = gate_model(s, s->src);
	if (rc > 0)
		rc = lh_gate_content(s, s->src, err);
	if (rc > 0)
		rc = gate_rejected(s);
	if (rc > 0)
		rc = lh_sample_build(s, out);
	return lh_sample_settle(rc, out, from, err);
}

int lh_sample_may_pair(struct lh_sampler *s)
{
	const struct lh_source *src = s->src;

	s->result.task_id = src->task.s;
	return src->task.s.n && is_output(src) && lh_trim(src->text.s.p, src->text.s.n).n;
}

int lh_sample_scored(struct lh_sampler *s, const struct lh_record *scored)
{
	lh_source_scored(s->src, scored);
	return lh_sample_judge(s);
}

int lh_sample_make(struct lh_sampler *s, const struct lh_record *evidence, struct lh_buf *out,
		   struct lh_err *err)
{
	if (evidence)
		lh_source_evidence(s->src, evidence);
	return lh_sample_finish(s, out, err);
}

int lh_sample_side(struct lh_sampler *s, const struct lh_record *evidence)
{
	lh_source_evidence(s->src, evidence);
	return lh_sample_may_pair(s);
}
