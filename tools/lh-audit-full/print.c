/* print.c - an audit on stdout: a line per check and the summary, or one document. */
#include "audit.h"

const char *const metric_names[METRICS] = {
	"p2_evidence_rows", "p2_evidence_skips", "p3_accepted", "p3_human", "p3_partial", "p3_rejected",
	"p4_pref_pairs", "p4_rag_rows", "p4_sft_rows", "p4_total_quarantined",
};

static const char *boolean(bool b)
{
	return b ? "true" : "false";
}

static void text(struct lh_buf *out, const char *name, const struct lh_buf *b)
{
	lh_buf_printf(out, ",\"%s\":", name);
	lh_buf_json(out, b->len ? b->p : "", b->len);
}

void check_print(struct lh_buf *out, const struct check *c)
{
	lh_buf_printf(out, "{\"phase\":%d,\"name\":\"%s\"", c->phase, c->name);
	text(out, "expected", &c->expected);
	text(out, "actual", &c->actual);
	lh_buf_printf(out, ",\"passed\":%s,\"required\":%s,\"skipped\":%s", boolean(c->passed), boolean(c->required), boolean(c->skipped));
	text(out, "notes", &c->notes);
	lh_buf_putc(out, '}');
}

void metrics_print(struct lh_buf *out, const struct audit *a)
{
	int i;

	for (i = 0; i < METRICS; i++)
		lh_buf_printf(out, "%c\"%s\":%llu", i ? ',' : '{', metric_names[i], (unsigned long long)a->metric[i]);
	lh_buf_putc(out, '}');
}

void summary_print(struct lh_buf *out, const struct audit *a)
{
	const struct check *c;
	bool some = false;

	lh_buf_printf(out, "{\"recorded_at\":\"%s\"", a->recorded_at);
	if (*a->git_commit)
		lh_buf_printf(out, ",\"git_commit\":\"%s\"", a->git_commit);
	lh_buf_printf(out, ",\"required_passed\":%u,\"required_total\":%u,\"checks_total\":%u,\"skipped\":[",
		      a->required_passed, a->required_total, a->checks_total);
	for (c = a->check; c < a->check + CHECKS; c++)
		if (c->ran && c->skipped) {
			lh_buf_printf(out, "%s\"%s\"", some ? "," : "", c->name);
			some = true;
		}
	lh_buf_puts(out, "],\"metrics\":");
	metrics_print(out, a);
	lh_buf_puts(out, ",\"drift\":");
	drift_json(out, &a->history.drift);
	lh_buf_putc(out, '}');
}

/* Return whether nothing needs attention. */
static bool well(const struct audit *a)
{
	return audit_is_sound(a) && !a->history.bad.code && !(a->s->fail_on_drift && a->history.drift.warned);
}

static bool is_printed(const struct check *c, bool all)
{
	return c->ran && (all || (!c->passed && !c->skipped));
}

void lines_print(struct lh_buf *out, const struct audit *a, bool all)
{
	const struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++)
		if (is_printed(c, all)) {
			check_print(out, c);
			lh_buf_putc(out, '\n');
		}
	summary_print(out, a);
	lh_buf_putc(out, '\n');
}

void document_print(struct lh_buf *out, const struct audit *a, bool all)
{
	const struct check *c;
	const char *between = "";

	lh_buf_puts(out, "{\"checks\":[");
	for (c = a->check; c < a->check + CHECKS; c++)
		if (is_printed(c, all)) {
			lh_buf_puts(out, between);
			check_print(out, c);
			between = ",";
		}
	lh_buf_puts(out, "],\"summary\":");
	summary_print(out, a);
	lh_buf_puts(out, "}\n");
}

int audit_print(struct audit *a, struct lh_err *err)
{
	struct lh_buf out;
	int rc = 0;

	if (a->tool->quiet && well(a))
		return 0;
	lh_buf_init(&out, LH_BUF_NOMAX);
	if (a->s->json)
		document_print(&out, a, !a->tool->quiet);
	else
		lines_print(&out, a, !a->tool->quiet);
	rc = lh_buf_check(&out, err);
	if (!rc)
		rc = lh_tool_out(a->tool, out.p, out.len);
	lh_buf_free(&out);
	return rc;
}
