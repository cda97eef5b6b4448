/* sample_text.c - the texts of a sample.  See sample.h. */
#include "sample_parts.h"

void lh_sample_title(struct lh_buf *to, const struct lh_source *src)
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

	*out = (struct lh_str){ "", 0 };
	if (!all || all->type != LH_OBJECT || !lh_value_get(all, name, &v) || v.type != LH_STRING)
		return;
	lh_buf_reset(scratch);
	lh_value_str(&v, scratch, out);
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

void lh_sample_instruction(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch)
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

void lh_sample_context(struct lh_buf *to, const struct lh_source *src, struct lh_buf *scratch)
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
