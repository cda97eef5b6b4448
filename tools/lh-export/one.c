/* one.c - make a sample, or a refusal, of each piece of evidence. */
#include "export.h"

/* The result of a record; its text is the errors, what is refused or the source, and the
 * sample, so many bytes each. */
struct result {
	enum lh_refusal refused;
	size_t errors, source, sample;
	char id[LH_SAMPLE_ID];
};

static void put_refusal(struct result *r, struct lh_buf *out, enum lh_refusal why,
			const struct lh_buf *errors, const struct lh_record *source)
{
	r->refused = why;
	r->errors = errors->len;
	r->source = source->len;
	lh_buf_add(out, errors->p, errors->len);
	lh_buf_add(out, source->line, source->len);
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
static int refuse_unscored(struct worker *w, struct result *r, struct lh_buf *out,
			   enum lh_refusal why, const struct lh_record *rec)
{
	lh_buf_reset(&w->scored);
	lh_schema_check_record(w->evidence, rec, &w->scratch, on_violation, w);
	put_refusal(r, out, why, &w->scored, rec);
	return 1;
}

static int on_evidence(struct lh_record *rec, void *result, struct lh_buf *out, void *worker,
		       struct lh_err *err)
{
	struct worker *w = worker;
	const struct lh_sample_result *sampled = lh_sampler_result(w->sampler);
	struct result *r = result;
	size_t at = out->len, sample;
	enum lh_refusal why;
	int rc = worker_score(w, rec, &why, err);

	if (rc == 0)
		return refuse_unscored(w, r, out, why, rec);
	if (rc > 0)
		rc = lh_sample_scored(w->sampler, &w->rec);
	if (rc > 0) {
		lh_buf_add(out, w->rec.line, w->rec.len);
		sample = out->len;
		rc = lh_sample_make(w->sampler, rec, out, err);
		*r = (struct result){ LH_NOT_REFUSED, 0, w->rec.len, out->len - sample, "" };
		memcpy(r->id, sampled->id, sizeof r->id);
	}
	if (rc == 0) {
		out->len = at;
		put_refusal(r, out, sampled->refused, &sampled->errors, &w->rec);
	}
	return rc < 0 ? -1 : 1;
}

static int on_result(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const struct result *r = o->result;
	struct lh_buf errors = { .p = (char *)o->text, .len = r->errors };
	struct lh_str source = { o->text + r->errors, r->source };
	struct lh_str sample = { source.p + r->source, r->sample };

	if (r->refused == LH_NOT_REFUSED)
		return put_sample(ctx, r->id, &sample, &source, err);
	return put_refused(ctx, r->refused, &source, &errors, err);
}

int one_run(struct filter *f)
{
	return lh_records_run(f->tool, &(struct lh_flow){
		.fill = on_evidence, .result_size = sizeof(struct result), .sink = on_result,
		.shared = f,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}
