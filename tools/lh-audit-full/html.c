/* html.c - the report as a page: one file, no script, nothing loaded. */
#include <stdlib.h>

#include "audit.h"
#include "chart.h"
#include "base/mem.h"
#include "file/file.h"
#include "text/escape.h"

static const char style[] =
	".facts{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem}\n"
	".scroll{overflow-x:auto}\n"
	".checks{min-width:40rem}.checks td:nth-child(1){width:6.2rem}"
	".checks td:nth-child(2){width:32%}\n"
	".checks tbody th{background:none;padding:1.3rem .6rem .4rem;"
	"border-bottom:2px solid var(--line)}\n"
	".tag{display:inline-block;min-width:4.6rem;text-align:center;border:1px solid;"
	"border-radius:1rem;padding:0 .6rem;"
	"font-size:.8rem;font-weight:600;white-space:nowrap;color:var(--dim);"
	"border-color:var(--line)}\n"
	".tag.good{color:var(--good);border-color:transparent}.tag.bad{color:var(--bad);"
	"border-color:var(--bad)}"
	".tag.warn{color:var(--warn);border-color:var(--warn)}\n"
	".small{font-size:.85rem;color:var(--dim)}td .small{margin:0}.opt{white-space:nowrap}\n"
	".cards{margin-top:1rem;display:grid;"
	"grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}\n"
	".card{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem .6rem}\n"
	".card h3{font-size:.95rem;font-weight:600;margin:0}.card h3+p{margin:0}\n"
	".value{display:flex;justify-content:space-between;align-items:baseline;gap:.5rem;"
	"flex-wrap:wrap;margin:.3rem 0}\n"
	".value .tag{min-width:0}.value b{font-size:1.5rem;line-height:1.2;"
	"font-variant-numeric:tabular-nums;overflow-wrap:anywhere}\n"
	".axis{display:grid;grid-template-columns:1fr auto 1fr;gap:.5rem;margin:0}"
	".axis :last-child{text-align:right}\n"
	"svg{display:block;width:100%;height:auto}\n"
	".line{fill:none;stroke:var(--mark);stroke-width:1.75px;stroke-linejoin:round;"
	"stroke-linecap:round;vector-effect:non-scaling-stroke}\n"
	".base{fill:none;stroke:var(--dim);stroke-dasharray:3 4;vector-effect:non-scaling-stroke}\n"
	".floor{fill:none;stroke:var(--line);vector-effect:non-scaling-stroke}"
	".band{fill:var(--mark);opacity:.1}.now{fill:var(--mark)}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\n";

static const char *const metric_title[METRICS] = {
	[P2_EVIDENCE_ROWS] = "Evidence rows", [P2_EVIDENCE_SKIPS] = "Rows skipped",
	[P3_ACCEPTED] = "Scored: accepted",
	[P3_HUMAN] = "Scored: for a human", [P3_PARTIAL] = "Scored: partially accepted",
	[P3_REJECTED] = "Scored: rejected",
	[P4_PREF_PAIRS] = "Preference pairs", [P4_RAG_ROWS] = "Retrieval samples",
	[P4_SFT_ROWS] = "Fine-tuning samples",
	[P4_TOTAL_QUARANTINED] = "Rows in quarantine",
};

/* ---- the top ---- */

static void put_verdict(struct lh_buf *b, const struct audit *a)
{
	if (!a->required_total) {
		lh_buf_puts(b,
			    "<div class=\"verdict warn\" id=\"verdict\"><strong>Nothing was asked "
			    "for that is required.</strong></div>\n");
	} else if (audit_is_sound(a)) {
		int i, n;

		lh_buf_printf(b,
			      "<div class=\"verdict %s\" id=\"verdict\"><strong>%s</strong> "
			      "All %u required checks passed.",
			      audit_is_whole(a) ? "good" : "warn",
			      audit_is_whole(a) ? "The pipeline is sound."
						: "What was looked at is sound.",
			      a->required_total);
		/* Name the checks that did not run. */
		n = 0;
		for (i = 0; i < CHECKS; i++) {
			const struct check *c = &a->check[i];

			if (!c->ran || c->skipped)
				lh_buf_printf(b, "%s%s", n++ ? "; " : " Not looked at: ", c->name);
		}
		if (n)
			lh_buf_putc(b, '.');
		lh_buf_puts(b, "</div>\n");
	} else {
		int i, n;

		lh_buf_printf(b,
			      "<div class=\"verdict bad\" id=\"verdict\"><strong>The pipeline is "
			      "not sound.</strong> "
			      "%u of %u required checks failed:",
			      a->required_total - a->required_passed, a->required_total);
		n = 0;
		for (i = 0; i < CHECKS; i++) {
			const struct check *c = &a->check[i];

			if (c->ran && c->required && !c->passed && !c->skipped)
				lh_buf_printf(b, "%s%s", n++ ? "; " : " ", c->name);
		}
		lh_buf_putc(b, '.');
		lh_buf_puts(b, "</div>\n");
	}
}

/* ---- checks ---- */

/* Add a paragraph: what it is of, and a text. */
static void put_words(struct lh_buf *b, const char *of, const char *text)
{
	lh_escape_printf(b, lh_html_text, "<p class=\"small\">%s: %s</p>", of, text);
}

static void put_check(struct lh_buf *b, const struct audit *a, enum check_id id)
{
	const struct check *c = &a->check[id];
	const char *kind = c->skipped ? "" : c->passed ? " good" : c->required ? " bad" : " warn";

	lh_buf_printf(b, "<tr><td><span class=\"tag%s\">%s</span></td><td>%s%s", kind,
		      check_result(c), c->name,
		      c->required ? "" : " <span class=\"small opt\">(not required)</span>");
	put_words(b, "Looked at", check_looked(a, id));
	put_words(b, "Means", check_words[id].means);
	put_words(b, c->passed || c->skipped ? "If it fails" : "What to do",
		  check_words[id].remedy);
	lh_escape_printf(b, lh_html_data, "</td><td>%.*s</td><td>%.*s", (int)c->expected.len,
			 c->expected.p, (int)c->actual.len, c->actual.p);
	if (c->notes.len)
		lh_escape_printf(b, lh_html_data, "<p class=\"small\">%.*s</p>",
				 (int)c->notes.len, c->notes.p);
	lh_buf_puts(b, "</td></tr>\n");
}

static void put_checks(struct lh_buf *b, const struct audit *a)
{
	int i, phase = -1;

	lh_buf_puts(b,
		    "<h2>Checks</h2>\n<div class=\"scroll\"><table class=\"checks\">\n"
		    "<thead><tr><th scope=\"col\">Result</th>"
		       "<th scope=\"col\">Check</th><th scope=\"col\">Expected</th><th "
		       "scope=\"col\">Found</th></tr></thead>\n");
	for (i = 0; i < CHECKS; i++) {
		const struct check *c = &a->check[i];

		if (!c->ran)
			continue;
		if (c->phase != phase)
			lh_buf_printf(b,
				      "%s<tbody>\n<tr><th colspan=\"4\" scope=\"rowgroup\">Phase "
				      "%d: %s</th></tr>\n",
				      phase < 0 ? "" : "</tbody>\n", c->phase,
				      phase_title[c->phase]);
		phase = c->phase;
		put_check(b, a, (enum check_id)i);
	}
	lh_buf_puts(b, phase < 0 ? "</table></div>\n" : "</tbody>\n</table></div>\n");
	lh_buf_puts(b, "<p class=\"note\">" AUDIT_BEYOND "</p>\n");
}

/* ---- metrics ---- */

static void put_card(struct lh_buf *b, const struct audit *a, const struct charts *c, int metric)
{
	const struct drift *d = &a->history.drift;
	const struct drift_row *row = d->n ? &d->row[metric] : NULL;

	lh_buf_printf(b,
		      "<section class=\"card\"><h3>%s</h3><p><code class=\"small\">%s</code></p>\n"
		      "<p class=\"value\"><b>%llu</b>",
		      metric_title[metric], metric_names[metric],
		      (unsigned long long)a->metric[metric]);
	if (row && row->flag == DRIFT_FIRST) {
		lh_buf_puts(b, "<span class=\"tag\">first run</span>");
	} else if (row) {
		lh_buf_printf(b, "<span><span class=\"small\">%s", row->has_pct ? "" : "was ");
		if (row->has_pct)
			drift_percent(b, row);
		else
			lh_html_text(b, row->baseline.p, row->baseline.n);
		lh_buf_printf(b, "</span> <span class=\"tag %s\">%s</span></span>",
			      row->flag == DRIFT_WARN ? "warn" : "good",
			      drift_flag_name(row->flag));
	}
	lh_buf_puts(b, "</p>\n");
	chart_print(b, c, a, metric);
	lh_buf_printf(b, "<p class=\"axis small\"><span>%s</span><span>highest ",
		      c->audits < 2 ? "" : *c->since ? c->since : "first baseline");
	chart_number(b, c->chart[metric].high);
	lh_buf_puts(b, "</span><span>now</span></p></section>\n");
}

static void put_metrics(struct lh_buf *b, const struct audit *a, const struct charts *c)
{
	unsigned long long on_file = c->audits - 1;
	int i;

	lh_buf_puts(b, "<h2>Metrics</h2>\n<p class=\"note\">");
	if (!on_file)
		lh_buf_puts(b, "There is no baseline yet; this audit is all there is to draw.");
	else
		lh_buf_printf(b,
			      "Each chart begins at 0 and goes over %llu baseline%s on file,"
			      " then this audit, the dot. The dashed line is the last "
			      "baseline; around it lies what is no drift, a fifth up or down.",
			      on_file, on_file == 1 ? "" : "s");
	if (c->audits > c->columns)
		lh_buf_printf(b,
			      " A chart has %zu columns: each stands for about %llu audits,"
			      " and reaches from the lowest to the highest of "
			      "them.", c->columns,
			      (unsigned long long)((c->audits + c->columns / 2) / c->columns));
	if (c->unread)
		lh_buf_printf(b, " %llu of the rows cannot be read, and %s left out.",
			      (unsigned long long)c->unread, c->unread == 1 ? "is" : "are");
	lh_buf_puts(b, "</p>\n<div class=\"cards\">\n");
	for (i = 0; i < METRICS; i++)
		put_card(b, a, c, i);
	lh_buf_puts(b, "</div>\n");
}

static void put_drift(struct lh_buf *b, const struct drift *d)
{
	size_t i;

	lh_buf_puts(b,
		    "<h2>Drift</h2>\n<div class=\"scroll\"><table>\n"
		    "<thead><tr><th scope=\"col\">Metric</th>"
		       "<th scope=\"col\" class=\"n\">Baseline</th><th scope=\"col\" "
		       "class=\"n\">Current</th>"
		       "<th scope=\"col\" class=\"n\">Δ%</th><th "
		       "scope=\"col\">Flag</th></tr></thead>\n<tbody>\n");
	for (i = 0; i < d->n; i++) {
		const struct drift_row *row = &d->row[i];

		lh_escape_printf(b, lh_html_text, "<tr><td><code>%.*s</code></td><td class=\"n\">"
				 "%.*s</td><td class=\"n\">%.*s</td><td class=\"n\">",
				 (int)row->metric.n, row->metric.p,
				 row->baseline.n ? (int)row->baseline.n : 1,
				 row->baseline.n ? row->baseline.p : "-", (int)row->current.n,
				 row->current.p);
		drift_percent(b, row);
		lh_buf_printf(b, "</td><td>%s</td></tr>\n", drift_flag_name(row->flag));
	}
	lh_buf_puts(b, "</tbody>\n</table></div>\n<p class=\"note\">");
	drift_footer(b, d);
	lh_buf_puts(b, "</p>\n");
}

static int print(struct lh_buf *out, struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct charts *c = charts_read(a, err);
	const struct history *h = &a->history;

	if (!c)
		return -1;
	lh_html_open(out, "Full audit", style);
	lh_buf_printf(out,
		      "<h1>Full audit</h1>\n<p class=\"note facts\"><span><time "
		      "datetime=\"%s\">%.10s %.8s UTC</time></span>\n",
		      a->recorded_at, a->recorded_at, a->recorded_at + 11);
	if (*a->git_commit)
		lh_buf_printf(out, "<span>commit <code>%s</code></span>\n", a->git_commit);
	lh_buf_printf(out, "<span>%u checks, %u of %u required ones passed%s</span></p>\n",
		      a->checks_total, a->required_passed,
		      a->required_total, a->s->observer ? "; as an observer, nothing was run" : "");
	put_verdict(out, a);
	if (h->bad.code) {
		lh_escape_printf(out, lh_html_data,
				 "<div class=\"verdict bad\" id=\"drift\"><strong>The baseline "
				 "cannot be read, so nothing is known of drift.</strong> "
				 "%s</div>\n", h->bad.msg);
	} else if (h->drift.warned) {
		lh_buf_printf(out, "<div class=\"verdict warn\" id=\"drift\"><strong>%zu of %zu "
			      "metrics moved by more than a fifth</strong> since the last "
			      "baseline.</div>\n", h->drift.warned, h->drift.n);
	}
	put_checks(out, a);
	put_metrics(out, a, c);
	if (a->history.drift.n)
		put_drift(out, &a->history.drift);
	lh_html_close(out);
	return 0;
}

int html_write(struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf page = { 0 };
	int rc = print(&page, a, err);

	if (!rc && !strcmp(a->s->html, "-"))
		rc = lh_tool_out(a->tool, page.p, page.len);
	else if (!rc)
		rc = lh_atomic_put(a->s->html, 0666, &page, err);
	return rc;
}
