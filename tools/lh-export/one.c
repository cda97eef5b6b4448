/* one.c - make a sample, or a refusal, of each piece of evidence. */
#include "export.h"

/* A thread's result for a record; the errors, the refused record or the source, and
 * the sample, if any, follow. */
struct head {
	enum lh_refusal refused;
	size_t errors, source, sample;
	char id[LH_SAMPLE_ID];
};

static void put_head(struct lh_buf *out, struct head *h, const struct lh_buf *errors, const char *source, size_t n)
{
	h->errors = errors ? errors->len : 0;
	h->source = n;
	lh_buf_add(out, h, sizeof *h);
	if (errors)
		lh_buf_add(out, errors->p, errors->len);
	lh_buf_add(out, source, n);
}

static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct worker *w = ctx;

	lh_buf_reset(&w->text);
	lh_buf_add(&w->text, field->p, field->n);
	lh_buf_puts(&w->text, ": ");
	lh_buf_add(&w->text, problem->p, problem->n);
	if (w->scored.len)
		lh_buf_putc(&w->scored, ',');
	lh_buf_json(&w->scored, w->text.p, w->text.len);
}

/* Refuse a record that is not evidence, with all violations of its schema. */
static int put_unscored(struct worker *w, enum lh_refusal why, const struct lh_record *rec, struct lh_buf *out, struct lh_err *err)
{
	struct head h = { .refused = why };

	lh_buf_reset(&w->scored);
	if (lh_schema_check_record(w->evidence, rec, &w->scratch, on_violation, w, err) < 0 ||
	    lh_buf_check(&w->text, err) < 0 || lh_buf_check(&w->scored, err) < 0)
		return -1;
	put_head(out, &h, &w->scored, rec->line, rec->len);
	return 0;
}

static int on_evidence(struct lh_record *rec, struct lh_buf *out, void *worker, struct lh_err *err)
{
	struct worker *w = worker;
	const struct lh_sample_result *said = lh_sampler_result(w->sampler);
	struct head h = { .refused = LH_NOT_REFUSED };
	size_t at = out->len;
	int rc = worker_score(w, rec, &h.refused, err);

	if (rc == 0)
		return put_unscored(w, h.refused, rec, out, err);
	if (rc > 0)
		rc = lh_sample_scored(w->sampler, &w->rec, err);
	if (rc > 0) {
		/* The sample is appended only when it is complete. */
		put_head(out, &h, NULL, w->rec.line, w->rec.len);
		if (lh_buf_check(out, err) < 0)
			return -1;
		h.source = w->rec.len;
		h.sample = out->len;
		rc = lh_sample_make(w->sampler, rec, out, err);
		h.sample = out->len - h.sample;
		memcpy(h.id, said->id, sizeof h.id);
	}
	if (rc < 0)
		return -1;
	if (rc > 0) {
		memcpy(out->p + at, &h, sizeof h);
		return 0;
	}
	out->len = at;
	h = (struct head){ .refused = said->refused };
	put_head(out, &h, &said->errors, w->rec.line, w->rec.len);
	return 0;
}

static int on_said(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct filter *f = ctx;
	struct lh_buf errors = { 0 };
	struct lh_str source, sample;
	struct head h;

	memcpy(&h, o->text, sizeof h);
	errors.p = (char *)o->text + sizeof h;
	errors.len = h.errors;
	source = (struct lh_str){ errors.p + h.errors, h.source };
	sample = (struct lh_str){ source.p + h.source, h.sample };
	if (h.refused == LH_NOT_REFUSED)
		return put_sample(f, h.id, &sample, &source, err);
	return put_refused(f, h.refused, &source, &errors, err);
}

int one_run(struct filter *f)
{
	return lh_records_run(f->tool, &(struct lh_flow){
		.map = on_evidence, .sink = on_said, .shared = f,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}
