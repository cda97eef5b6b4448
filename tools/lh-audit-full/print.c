/* print.c - an audit on stdout: a line per check and the summary, or one document. */
#include "audit.h"

const char *const metric_names[METRICS] = {
	"p2_evidence_rows", "p2_evidence_skips", "p3_accepted", "p3_human", "p3_partial",
	"p3_rejected",
	"p4_pref_pairs", "p4_rag_rows", "p4_sft_rows", "p4_total_quarantined",
};

static void write_buf(struct lh_writer *w, const char *name, const struct lh_buf *b)
{
	lh_write_str(w, name, (struct lh_str){ b->p, b->len });
}

static void write_check(struct lh_writer *w, const struct check *c)
{
	lh_write_object(w, NULL);
	lh_write_i64(w, "phase", c->phase);
	lh_write_text(w, "name", c->name);
	write_buf(w, "expected", &c->expected);
	write_buf(w, "actual", &c->actual);
	lh_write_bool(w, "passed", c->passed);
	lh_write_bool(w, "required", c->required);
	lh_write_bool(w, "skipped", c->skipped);
	write_buf(w, "notes", &c->notes);
	lh_write_end(w);
}

void metrics_write(struct lh_writer *w, const char *name, const struct audit *a)
{
	int i;

	lh_write_object(w, name);
	for (i = 0; i < METRICS; i++)
		lh_write_u64(w, metric_names[i], a->metric[i]);
	lh_write_end(w);
}

static void write_summary(struct lh_writer *w, const char *name, const struct audit *a)
{
	const struct check *c;

	lh_write_object(w, name);
	lh_write_text(w, "recorded_at", a->recorded_at);
	if (*a->git_commit)
		lh_write_text(w, "git_commit", a->git_commit);
	lh_write_u64(w, "required_passed", a->required_passed);
	lh_write_u64(w, "required_total", a->required_total);
	lh_write_u64(w, "checks_total", a->checks_total);
	lh_write_array(w, "skipped");
	for (c = a->check; c < a->check + CHECKS; c++)
		if (c->ran && c->skipped)
			lh_write_text(w, NULL, c->name);
	lh_write_end(w);
	metrics_write(w, "metrics", a);
	drift_write(w, "drift", &a->history.drift);
	lh_write_end(w);
}

/* Return whether nothing needs attention. */
static bool all_is_well(const struct audit *a)
{
	return audit_is_sound(a) && !a->history.bad.code &&
		!(a->s->fail_on_drift && a->history.drift.warned);
}

static bool is_printed(const struct check *c, bool all)
{
	return c->ran && (all || (!c->passed && !c->skipped));
}

static void print_lines(struct lh_buf *out, const struct audit *a, bool all)
{
	const struct check *c;
	struct lh_writer w;

	for (c = a->check; c < a->check + CHECKS; c++)
		if (is_printed(c, all)) {
			w = lh_write_to(out);
			write_check(&w, c);
			lh_buf_putc(out, '\n');
		}
	w = lh_write_to(out);
	write_summary(&w, NULL, a);
	lh_buf_putc(out, '\n');
}

static void print_document(struct lh_buf *out, const struct audit *a, bool all)
{
	struct lh_writer w = lh_write_to(out);
	const struct check *c;

	lh_write_object(&w, NULL);
	lh_write_array(&w, "checks");
	for (c = a->check; c < a->check + CHECKS; c++)
		if (is_printed(c, all))
			write_check(&w, c);
	lh_write_end(&w);
	write_summary(&w, "summary", a);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
}

int audit_print(struct audit *a)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };

	if (a->s->html && !strcmp(a->s->html, "-"))	/* it gets the page */
		return 0;
	if (a->tool->quiet && all_is_well(a))
		return 0;
	if (a->s->json)
		print_document(&out, a, !a->tool->quiet);
	else
		print_lines(&out, a, !a->tool->quiet);
	return lh_tool_out(a->tool, out.p, out.len);
}
