/* sample.c - records through the gates, and the samples made of them.  See sample.h. */
#include "sample_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json/value.h"
#include "json/write.h"
#include "schema/schema_table.h"
#include "text/spelling.h"

#define LH_PUTS(b, text) lh_buf_add(b, text, sizeof text - 1)
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

static void refuse(struct lh_sampler *s, enum lh_refusal why, const char *fmt, ...)
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
	t->s = lh_value_text(v, &t->b);
}

/* Read what both lines of a record have: provenance and run id. */
static void read_origin(struct lh_source *src, const struct lh_record *rec, const char *run_id)
{
	src->evidence = NULL;
	lh_from_read(rec, &src->from);
	read_text(&src->run_id, lh_record_get(rec, run_id));
	read_text(&src->sig, &src->from.v[LH_FROM_SIG]);
	read_text(&src->path, &src->from.v[LH_FROM_FILE]);
	src->stream = lh_stream_text(src->path.s.p, src->path.s.n);
}

void lh_source_scored(struct lh_source *src, const struct lh_record *scored)
{
	const struct lh_value *category = lh_record_get(scored, "category");

	src->scored = scored;
	src->category = category ? lh_category_read(category) : LH_CATEGORY_NONE;
	read_origin(src, scored, "evidence_run_id");
}

static void source_side(struct lh_source *src, const struct lh_side *side)
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
	size_t i;

	if (!src->from.all.p) {
		refuse(s, LH_MISSING_PROVENANCE, "provenance: missing");
		return 0;
	}
	for (i = 0; i < LH_FROMS; i++)
		if (is_absent(&src->from.v[i]))
			refuse(s, LH_MISSING_PROVENANCE, "provenance.%s: missing",
			       lh_from_names[i]);
	if (s->result.refused != LH_NOT_REFUSED)
		return 0;
	if (!src->run_id.s.n) {
		refuse(s, LH_MISSING_SOURCE_RUN_ID, "evidence_run_id: missing");
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
		refuse(s, LH_MISSING_SOURCE_RUN_ID, "model_role: missing");
		return 0;
	}
	refuse(s, LH_MISSING_SOURCE_RUN_ID, "model_role: %.*s is no model output",
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
			refuse(s, LH_HALLUCINATED_FILE_PATH,
					 "source_files: %.*s does not exist", (int)f.n, f.p);
	}
	return s->result.refused == LH_NOT_REFUSED;
}

static int gate_content(struct lh_sampler *s, const struct lh_source *src, struct lh_err *err)
{
	if (!lh_trim(src->text.s.p, src->text.s.n).n) {
		refuse(s, LH_EMPTY_CONTENT, NULL);
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
	refuse(s, s->x == LH_RAG ? LH_UNSAFE_RAG_CATEGORY : LH_UNSAFE_SFT_CATEGORY,
			 "text: was rejected for the same task");
	return false;
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	refuse(ctx, LH_SCHEMA_VIOLATION, "%.*s: %.*s", (int)field->n, field->p,
			 (int)problem->n, problem->p);
}

static bool gate_schema(struct lh_sampler *s, const struct lh_buf *out, size_t from)
{
	const struct lh_value v = { .p = out->p + from, .n = out->len - from, .type = LH_OBJECT };

	return lh_schema_check(s->schema, &v, &s->scratch, on_violation, s) == 0;
}

/* Make "rag-" and the first 16 hex digits of SHA-256("rag|<run_id>|<sig_hash>");
 * for LH_PREFERENCE a and b are the run ids of the chosen and the rejected. */
static void sample_id(enum lh_exporter x, const struct lh_str *a, const struct lh_str *b,
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

/* ---- the texts of a sample ---- */

static void put_title(struct lh_buf *to, const struct lh_source *src)
{
	lh_buf_add(to, src->stream.p, src->stream.n);
	LH_PUTS(to, ": ");
	lh_buf_add(to, src->task.s.p, src->task.s.n);
}

/* One sentence for each stream; %s is the text of the task id after its prefix, %c
 * the text before it.  The wording is part of the format: samples of one task must
 * have the same words forever. */
static const struct {
	enum lh_stream stream;
	const char *prefix;	/* NULL: up to the first colon */
	const char *sentence;
} sentences[] = {
	{ LH_SCRUM_REVIEWS, "scrum_review:", "Review the file %s against the requirements." },
	{ LH_MODE_EXPERIMENTS, NULL, "Run the task class %c on the file %s." },
	{ LH_AUTO_APPLY, "auto_apply:", "Emit a small patch for the file %s." },
	{ LH_AUDITS, "phase:", "Audit phase %s." },
	{ LH_OBSERVER_REVIEWS, "observer_review:", "Review the latest attempt at the file %s." },
	{ LH_CONTRACT_ANALYSES, "permit:", "Analyse permit %s for contractor %m." },
	{ LH_OUTCOMES, "outcome:", "Run scenario %s and report how it went." },
};
#define GENERIC "Answer task %s of source %c."

/* Return a string of the evidence's metadata; empty if there is none. */
static void metadata_text(const struct lh_source *src, const char *name, struct lh_buf *scratch,
			  struct lh_str *out)
{
	const struct lh_value *all = lh_record_get(src->evidence, "metadata");
	struct lh_value v;

	v.p = NULL;
	if (all && all->type == LH_OBJECT)
		lh_value_get(all, name, &v);
	*out = lh_value_text(&v, scratch);
}

static bool begins_with(const struct lh_str *s, const struct lh_str *with)
{
	return s->n > with->n && !memcmp(s->p, with->p, with->n);
}

/* Split the task id "<class>:<file>" of an experiment. */
static bool split_task(const struct lh_str *task, const struct lh_str *class, struct lh_str *before,
		       struct lh_str *behind)
{
	const char *colon = class->n && begins_with(task, class) && task->p[class->n] == ':' ?
			    task->p + class->n : memchr(task->p, ':', task->n);

	if (!colon)
		return false;
	*before = (struct lh_str){ task->p, (size_t)(colon - task->p) };
	*behind = (struct lh_str){ colon + 1, task->n - before->n - 1 };
	return true;
}

static void put_instruction(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch)
{
	enum lh_stream stream = lh_stream_read(src->stream.p, src->stream.n);
	const char *sentence = GENERIC;
	struct lh_str rest = src->task.s, before = src->stream, extra = { "", 0 };
	size_t i, n = sizeof sentences / sizeof *sentences;
	const struct lh_str *what;
	const char *p;

	for (i = 0; i < n && sentences[i].stream != stream; i++)
		;
	if (stream == LH_MODE_EXPERIMENTS) {
		metadata_text(src, "task_class", scratch, &extra);
		if (split_task(&src->task.s, &extra, &before, &rest))
			sentence = sentences[i].sentence;
	} else if (i < n) {
		const struct lh_str prefix = { sentences[i].prefix, strlen(sentences[i].prefix) };

		sentence = sentences[i].sentence;
		if (begins_with(&rest, &prefix))
			rest = (struct lh_str){ rest.p + prefix.n, rest.n - prefix.n };
	}
	if (stream == LH_CONTRACT_ANALYSES)
		metadata_text(src, "contractor", scratch, &extra);
	if (stream == LH_CONTRACT_ANALYSES && !extra.n)
		sentence = "Analyse permit %s.";
	for (; (p = strchr(sentence, '%')); sentence = p + 2) {
		lh_buf_add(to, sentence, (size_t)(p - sentence));
		what = p[1] == 's' ? &rest : p[1] == 'c' ? &before : &extra;
		lh_buf_add(to, what->p, what->n);
	}
	lh_buf_puts(to, sentence);
}

/* ---- the context ---- */

/* Append "label: a, b", after "; " if other text is before it. */
static void put_list(struct lh_buf *to, const char *label, const struct lh_value *list,
		     struct lh_buf *scratch)
{
	bool first = true;
	struct lh_iter it;
	struct lh_str s;

	if (!list || !list->p || list->type != LH_ARRAY)
		return;
	for (lh_iter_init(&it, list); lh_iter_next(&it); ) {
		if (it.val.type != LH_STRING)
			continue;
		lh_buf_reset(scratch);
		lh_value_str(&it.val, scratch, &s);
		if (first && to->len)
			LH_PUTS(to, "; ");
		lh_buf_puts(to, first ? label : ", ");
		lh_buf_add(to, s.p, s.n);
		first = false;
	}
}

static void put_context(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch)
{
	const struct lh_value *from = lh_record_get(src->evidence, "retrieved_context");
	struct lh_value corpora = { .p = NULL }, prints = { .p = NULL };

	if (from && from->type == LH_OBJECT) {
		if (!lh_value_get(from, "matrix_corpora", &corpora))
			corpora.p = NULL;
		if (!lh_value_get(from, "pathway_fingerprints", &prints))
			prints.p = NULL;
	}
	put_list(to, "corpora: ", &corpora, scratch);
	put_list(to, "fingerprints: ", &prints, scratch);
	put_list(to, "files: ", lh_record_get(src->evidence, "source_files"), scratch);
}

/* End a record: remove from out what is no sample. */
static int settle(int rc, struct lh_buf *out, size_t from)
{
	if (rc <= 0 && out->len > from)
		out->len = from;
	return rc;
}

/* ---- a sample, in the field order of its schema ---- */

#define SHOWN 1000	/* characters of the content that are embedded */

static void put_built(struct lh_writer *json, const char *name, const struct lh_buf *built)
{
	lh_write_str(json, name, (struct lh_str){ built->len ? built->p : "", built->len });
}

/* Append the last two fields, which all samples have. */
static void put_end(struct lh_sampler *s, const struct lh_source *src, struct lh_writer *json)
{
	int i;

	lh_write_text(json, "created_at", s->recorded_at);
	lh_write_object(json, "provenance");
	for (i = 0; i < LH_FROMS; i++)
		lh_write_plain(json, lh_from_names[i], &src->from.v[i], &s->scratch);
	lh_write_end(json);
	lh_write_end(json);
}

static void put_start(struct lh_sampler *s, const struct lh_str *a, const struct lh_str *b,
		      struct lh_writer *json)
{
	sample_id(s->x, a, b, &s->scratch, s->result.id);
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
	put_tag(json, lh_value_text(v, &s->scratch));
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
	put_title(&s->built, src);
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
	put_instruction(&s->built, src, &s->scratch);
	put_built(json, "instruction", &s->built);
	lh_buf_reset(&s->built);
	put_context(&s->built, src, &s->scratch);
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
	return gate_schema(s, out, from);
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
	put_instruction(&s->built, &s->one, &s->scratch);
	put_built(&json, "prompt", &s->built);
	lh_write_str(&json, "chosen", s->one.text.s);
	lh_write_str(&json, "rejected", s->other.text.s);
	put_reason(s, &json);
	lh_write_str(&json, "chosen_run_id", s->one.run_id.s);
	lh_write_str(&json, "rejected_run_id", s->other.run_id.s);
	put_end(s, &s->one, &json);
	return gate_schema(s, out, from);
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
		refuse(s, LH_SELF_PAIRING, NULL);
		return 0;
	}
	if (text_equal(s)) {
		refuse(s, LH_INVALID_PREFERENCE_PAIRING,
				 "rejected: must differ from chosen");
		return 0;
	}
	rc = gate_content(s, &s->one, err);
	return rc > 0 ? gate_content(s, &s->other, err) : rc;
}

static void read_side(struct lh_source *src, const struct lh_side *side)
{
	source_side(src, side);
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
	return settle(rc, out, from);
}

/* ---- all gates ---- */

int lh_sample_judge(struct lh_sampler *s)
{
	const struct lh_source *src = s->src;

	lh_sample_begin(s);
	s->result.category = src->category;
	s->result.provenance = src->from.all;
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
		refuse(s, LH_MISSING_SOURCE_RUN_ID, "evidence: not found");
		rc = 0;
	}
	if (rc > 0 && s->x == LH_SFT)
		rc = gate_model(s, s->src);
	if (rc > 0)
		rc = gate_content(s, s->src, err);
	if (rc > 0)
		rc = gate_rejected(s);
	if (rc > 0)
		rc = lh_sample_build(s, out);
	return settle(rc, out, from);
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
