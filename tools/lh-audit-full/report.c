/*
 * report.c - what an audit says: lines or one document of JSON, and a report for people, as
 * Markdown and as a page.
 *
 * All are made of the checks (struct audit) and of the rows of drift.  The report for people is
 * one text in two forms; the page has charts as well (charts.c).
 */
#include "audit.h"

#include "base/mem.h"
#include "file/file.h"
#include "text/escape.h"

const char *const phase_title[PHASES] = {
	"Recon and sources", "Schemas", "Evidence", "Scores", "Exports", "Receipts", "Acceptance",
	"Replay",
};

/* Return "passed", "FAILED", "not met" if it is not required, or "skipped". */
static const char *check_result(const struct check *c)
{
	return c->skipped ? "skipped" : c->passed ? "passed" : c->required ? "FAILED" : "not met";
}

/* ---- JSON ---- */

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

/* ---- a text for people, in two forms ---- */

struct form {
	lh_escape_fn *escape;
	const char *part, *part_end, *phase, *phase_end;	/* headings */
	const char *table, *row, *cell, *row_end, *table_end;	/* of checks */
	const char *bad, *bad_end;
	const char *list, *item, *item_name, *item_end, *list_end;
	const char *as_is, *as_is_end;
};

static const struct form markdown = {
	lh_escape_markdown, "\n## ", "\n", "\n### ", "\n\n",
	"| check | required | result | expected | actual | notes |\n"
	"|---|:---:|:---:|---|---|---|\n",
	"| ", " | ", " |\n", "", "**", "**", "\n", "- *", "*: ", "\n", "\n", "```text\n", "```\n"
};
static const struct form page = {
	lh_html_data, "<h2>", "</h2>\n", "<h3>", "</h3>\n",
	"<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Check</th>"
	"<th scope=\"col\">Required</th><th scope=\"col\">Result</th><th scope=\"col\">Expected"
	"</th><th scope=\"col\">Found</th><th scope=\"col\">Notes</th></tr></thead>\n<tbody>\n",
	"<tr><td>", "</td><td>", "</td></tr>\n", "</tbody>\n</table></div>\n",
	"<strong class=\"bad\">", "</strong>", "<ul>\n", "<li><em>", "</em>: ", "</li>\n",
	"</ul>\n<p class=\"note\">", "<pre>", "</pre>\n"
};

static void put_text(struct lh_buf *out, const struct form *f, const struct lh_buf *text)
{
	lh_buf_puts(out, f->cell);
	if (text->len)
		f->escape(out, text->p, text->len);
}

static void put_check(struct lh_buf *out, const struct form *f, const struct check *c)
{
	bool bad = c->required && !c->passed && !c->skipped;

	lh_buf_puts(out, f->row);
	f->escape(out, c->name, strlen(c->name));
	lh_buf_printf(out, "%s%s%s%s%s%s", f->cell, c->required ? "yes" : "no", f->cell,
		      bad ? f->bad : "", check_result(c), bad ? f->bad_end : "");
	put_text(out, f, &c->expected);
	put_text(out, f, &c->actual);
	put_text(out, f, &c->notes);
	lh_buf_puts(out, f->row_end);
}

static void put_checks(struct lh_buf *out, const struct form *f, const struct audit *a)
{
	const struct check *c;
	int phase = -1;

	lh_buf_printf(out, "%sChecks%s", f->part, f->part_end);
	for (c = a->check; c < a->check + CHECKS; c++) {
		if (!c->ran)
			continue;
		if (c->phase != phase)
			lh_buf_printf(out, "%s%sPhase %d: %s%s%s", phase < 0 ? "" : f->table_end,
				      f->phase, c->phase, phase_title[c->phase], f->phase_end,
				      f->table);
		phase = c->phase;
		put_check(out, f, c);
	}
	lh_buf_puts(out, phase < 0 ? "" : f->table_end);
}

/* Append a line for each check: what it looked at, what that means, what to do. */
static void put_words(struct lh_buf *out, const struct form *f, const struct audit *a)
{
	lh_escape_fn *escape = f == &page ? lh_html_text : f->escape;
	const struct check_words *w;
	int i;

	lh_buf_printf(out, "%sWhat the checks looked at%s%s", f->part, f->part_end, f->list);
	for (i = 0; i < CHECKS; i++) {
		w = check_words((enum check_id)i);
		lh_buf_puts(out, f->item);
		escape(out, a->check[i].name, strlen(a->check[i].name));
		lh_buf_puts(out, f->item_name);
		lh_escape_printf(out, escape, "looked at %s. It means: %s If it fails: %s",
				 check_looked(a, (enum check_id)i), w->means, w->remedy);
		lh_buf_puts(out, f->item_end);
	}
	lh_buf_printf(out, "%s%s%s", f->list_end, AUDIT_BEYOND, f == &page ? "</p>\n" : "\n");
}

static void put_drift(struct lh_buf *out, const struct form *f, const struct audit *a)
{
	LH_SCOPED(lh_buf_free) struct lh_buf table = { 0 };
	const struct history *h = &a->history;
	const struct lh_value *at = &h->on_file.recorded_at;
	const char *open = f == &page ? "<p>" : "\n", *close = f == &page ? "</p>\n" : "\n";

	lh_buf_printf(out, "%sDrift%s%s", f->part, f->part_end, open);
	if (h->bad.code) {
		lh_escape_printf(out, f->escape, "There is no baseline to compare with: %s",
				 h->bad.msg);
		lh_buf_puts(out, close);
		return;
	}
	if (h->on_file.n) {
		lh_buf_printf(out, f == &page ? "Against line %llu of " AUDIT_BASELINES
			      : "Against line %llu of `" AUDIT_BASELINES "`",
			      (unsigned long long)h->on_file.line);
		if (at->p)
			lh_escape_printf(out, f->escape, ", recorded at %.*s", (int)at->n - 2,
					 at->p + 1);
	} else {
		lh_buf_puts(out, "There is no baseline yet, this is the first run");
	}
	drift_table(&table, &h->drift);
	lh_buf_printf(out, ".%s%s%s", close, f == &page ? "" : "\n", f->as_is);
	if (f == &page)
		lh_html_text(out, table.p, table.len);
	else
		lh_buf_add(out, table.p, table.len);
	lh_buf_puts(out, f->as_is_end);
}

/* ---- Markdown ---- */

static void print_markdown(struct lh_buf *out, const struct audit *a)
{
	unsigned skipped = 0;
	int i;

	for (i = 0; i < CHECKS; i++)
		skipped += a->check[i].ran && a->check[i].skipped;
	lh_buf_printf(out,
		      "# Full audit: %s\n\n- %u of %u required checks passed; %u checks in all,"
		      " %u skipped\n",
		      !audit_is_sound(a)  ? "NOT sound"
		      : audit_is_whole(a) ? "sound"
					  : "sound as far as it looked", a->required_passed,
		      a->required_total, a->checks_total, skipped);
	lh_buf_printf(out, "- recorded at %s%s\n", a->recorded_at,
		      a->s->observer ? ", as an observer: nothing was run" : "");
	if (*a->git_commit)
		lh_buf_printf(out, "- commit `%s`\n", a->git_commit);
	put_checks(out, &markdown, a);
	put_words(out, &markdown, a);
	lh_buf_puts(out, "\n## Metrics\n\n| metric | value |\n|---|---:|\n");
	for (i = 0; i < METRICS; i++)
		lh_buf_printf(out, "| %s | %llu |\n", metric_names[i],
			      (unsigned long long)a->metric[i]);
	put_drift(out, &markdown, a);
}

/* ---- the page ---- */

static const char style[] =
	".facts{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem}\n"
	".scroll,pre{overflow-x:auto}strong.bad{color:var(--bad)}\n"
	".cards{margin-top:1rem;display:grid;"
	"grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem}\n"
	".card{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem .6rem}\n"
	".card h3{font-size:.95rem;font-weight:600;margin:0}.card p{margin:0}\n"
	".small{font-size:.85rem;color:var(--dim)}"
	".card b{font-size:1.5rem;line-height:1.2;overflow-wrap:anywhere}\n"
	"svg{display:block;width:100%;height:auto}\n"
	".line{fill:none;stroke:var(--mark);stroke-width:1.75px;stroke-linejoin:round;"
	"stroke-linecap:round;vector-effect:non-scaling-stroke}\n"
	".base{fill:none;stroke:var(--dim);stroke-dasharray:3 4;vector-effect:non-scaling-stroke}\n"
	".floor{fill:none;stroke:var(--line);vector-effect:non-scaling-stroke}"
	".band{fill:var(--mark);opacity:.1}.now{fill:var(--mark)}\n";

static const char *const metric_title[METRICS] = {
	[P2_EVIDENCE_ROWS] = "Evidence rows", [P2_EVIDENCE_SKIPS] = "Rows skipped",
	[P3_ACCEPTED] = "Scored: accepted",
	[P3_HUMAN] = "Scored: for a human", [P3_PARTIAL] = "Scored: partially accepted",
	[P3_REJECTED] = "Scored: rejected",
	[P4_PREF_PAIRS] = "Preference pairs", [P4_RAG_ROWS] = "Retrieval samples",
	[P4_SFT_ROWS] = "Fine-tuning samples",
	[P4_TOTAL_QUARANTINED] = "Rows in quarantine",
};

/* Append the names of the checks that did not run, or of those that are required and failed. */
static void put_names(struct lh_buf *out, const struct audit *a, bool failed, const char *before)
{
	const struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++) {
		bool out_of = !c->ran || c->skipped;

		if (failed ? out_of || !c->required || c->passed : !out_of)
			continue;
		lh_buf_printf(out, "%s%s", before, c->name);
		before = "; ";
	}
	if (*before == ';')
		lh_buf_putc(out, '.');
}

static void put_verdict(struct lh_buf *out, const struct audit *a)
{
	bool whole = audit_is_whole(a), sound = audit_is_sound(a);

	lh_buf_printf(out, "<div class=\"verdict %s\" id=\"verdict\"><strong>",
		      !sound ? "bad" : whole && a->required_total ? "good" : "warn");
	if (!a->required_total) {
		lh_buf_puts(out, "Nothing was asked for that is required.</strong>");
	} else if (sound) {
		lh_buf_printf(out, "%s</strong> All %u required checks passed.",
			      whole ? "The pipeline is sound." : "What was looked at is sound.",
			      a->required_total);
		put_names(out, a, false, " Not looked at: ");
	} else {
		lh_buf_printf(out, "The pipeline is not sound.</strong> %u of %u required checks "
			      "failed:", a->required_total - a->required_passed,
			      a->required_total);
		put_names(out, a, true, " ");
	}
	lh_buf_puts(out, "</div>\n");
}

static void put_card(struct lh_buf *out, const struct audit *a, const struct charts *c, int metric)
{
	const struct drift *d = &a->history.drift;

	lh_buf_printf(out, "<section class=\"card\"><h3>%s</h3><p><code class=\"small\">%s</code>"
		      "</p>\n<p><b>%llu</b> <span class=\"small\">", metric_title[metric],
		      metric_names[metric], (unsigned long long)a->metric[metric]);
	if (d->n) {
		if (d->row[metric].has_pct)
			drift_percent(out, &d->row[metric]);
		lh_buf_printf(out, " %s", drift_flag_name(d->row[metric].flag));
	}
	lh_buf_puts(out, "</span></p>\n");
	chart_print(out, c, a, metric);
	lh_buf_puts(out, "</section>\n");
}

static void put_metrics(struct lh_buf *out, const struct audit *a, const struct charts *c)
{
	unsigned long long on_file = c->n - 1;
	int i;

	lh_buf_puts(out, "<h2>Metrics</h2>\n<p class=\"note\">");
	if (!on_file)
		lh_buf_puts(out, "There is no baseline yet; this audit is all there is to draw.");
	else
		lh_buf_printf(out,
			      "Each chart begins at 0 and goes over %s on file,"
			      " then this audit, the dot. The dashed line is the last "
			      "baseline; the band around it is without drift, a fifth up or down.",
			      LH_N(on_file, "baseline"));
	if (c->unread)
		lh_buf_printf(out, " %llu of the rows cannot be read, and %s left out.",
			      (unsigned long long)c->unread, c->unread == 1 ? "is" : "are");
	lh_buf_puts(out, "</p>\n<div class=\"cards\">\n");
	for (i = 0; i < METRICS; i++)
		put_card(out, a, c, i);
	lh_buf_puts(out, "</div>\n");
}

static int print_page(struct lh_buf *out, struct audit *a, struct lh_err *err)
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
	if (h->bad.code)
		lh_escape_printf(out, lh_html_data,
				 "<div class=\"verdict bad\" id=\"drift\"><strong>The baseline "
				 "cannot be read, so nothing is known of drift.</strong> "
				 "%s</div>\n", h->bad.msg);
	else if (h->drift.warned)
		lh_buf_printf(out, "<div class=\"verdict warn\" id=\"drift\"><strong>%zu of %zu "
			      "metrics moved by more than a fifth</strong> since the last "
			      "baseline.</div>\n", h->drift.warned, h->drift.n);
	put_checks(out, &page, a);
	put_words(out, &page, a);
	put_metrics(out, a, c);
	put_drift(out, &page, a);
	lh_html_close(out);
	return 0;
}

/* ---- where it goes ---- */

int report_print(struct audit *a)
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

int report_write(struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (a->s->out) {
		print_markdown(&text, a);
		if (lh_atomic_put(a->s->out, 0666, &text, err) < 0)
			return -1;
	}
	if (!a->s->html)
		return 0;
	lh_buf_reset(&text);
	if (print_page(&text, a, err) < 0)
		return -1;
	return !strcmp(a->s->html, "-") ? lh_tool_out(a->tool, text.p, text.len)
		: lh_atomic_put(a->s->html, 0666, &text, err);
}
