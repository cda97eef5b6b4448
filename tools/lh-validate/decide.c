/* decide.c - append a row to the log of decisions for each verdict. */
#include "validate.h"

#include "json/write.h"

void decision_clear(struct decision *d)
{
	lh_buf_reset(&d->ids);
}

/* Return the verdict as a word. */
static const char *word(const struct lh_verdict *v)
{
	static const char *const kinds[] = {
		[LH_VAL_SCHEMA] = "schema", [LH_VAL_COMPLETENESS] = "completeness",
		[LH_VAL_CONSISTENCY] = "consistency", [LH_VAL_POLICY] = "policy",
	};

	switch (v->status) {
	case 200: return "accepted";
	case 422: return kinds[v->error.kind];
	case 503: return "unrecorded";
	default: return "bad_request";
	}
}

/* Write the request anew: what it is judged by, and nothing else. */
static void write_asked(struct lh_buf *out, const struct judged *j)
{
	struct lh_writer w;

	lh_buf_reset(out);
	w = lh_write_to(out);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "kind", j->kind);
	if (j->artifact)
		lh_write_value(&w, "artifact", j->artifact);
	if (j->context)
		lh_write_value(&w, "context", j->context);
	lh_write_end(&w);
}

int decision_write(struct decision *d, struct lh_decisions *log, const struct judged *j,
		   struct lh_err *err)
{
	const struct lh_judged_by *by = d->by;
	struct lh_writer w;

	write_asked(&d->asked, j);
	w = lh_decision_begin(&d->row, log, &(struct lh_decision){
		.asked = { d->asked.p, d->asked.len }, .trace = j->trace,
		.verdict = word(j->verdict),
		.rules = *by->rules_version ? by->rules_version : NULL });
	lh_decision_judged(&w, by->roster, by->roster_version, &d->ids);
	lh_write_str(&w, "kind", j->kind);
	return lh_decision_end(&w, log, err);
}

void decision_free(struct decision *d)
{
	lh_buf_free(&d->ids);
	lh_buf_free(&d->asked);
	lh_buf_free(&d->row);
}
