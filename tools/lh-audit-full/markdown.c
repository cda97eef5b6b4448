/* markdown.c - the report: the verdict, the checks by phase, metrics, drift. */
#include "audit.h"
#include "file/file.h"
#include "text/escape.h"

const char *const phase_title[PHASES] = {
	"Recon and sources", "Schemas", "Evidence", "Scores", "Exports", "Receipts", "Acceptance",
	"Replay",
};

const char *check_result(const struct check *c)
{
	return c->skipped ? "skipped" : c->passed ? "passed" : c->required ? "FAILED" : "not met";
}

bool audit_is_sound(const struct audit *a)
{
	return a->required_passed == a->required_total;
}

static void put_checks(struct lh_buf *out, const struct audit *a)
{
	int i, phase = -1;

	lh_buf_puts(out, "\n## Checks\n");
	for (i = 0; i < CHECKS; i++) {
		const struct check *c = &a->check[i];

		if (!c->ran)
			continue;
		if (c->phase != phase)
			lh_buf_printf(out,
				      "\n### Phase %d: %s\n\n| check | required | result | "
				      "expected | actual | notes |\n"
				      "|---|:---:|:---:|---|---|---|\n", c->phase,
				      phase_title[c->phase]);
		phase = c->phase;
		lh_escape_printf(out, lh_escape_markdown, c->required ? "| %s | yes" : "| %s | no",
				 c->name);
		lh_buf_printf(out, c->required && !c->passed && !c->skipped ? " | **%s**" : " | %s",
			      check_result(c));
		lh_escape_printf(out, lh_escape_markdown, " | %.*s | %.*s | %.*s |\n",
				 (int)c->expected.len, c->expected.p, (int)c->actual.len,
				 c->actual.p, (int)c->notes.len, c->notes.p);
	}
}

static void put_drift(struct lh_buf *out, const struct audit *a)
{
	const struct history *h = &a->history;
	const struct lh_value *at = &h->on_file.recorded_at;

	lh_buf_puts(out, "\n## Drift\n\n");
	if (h->bad.code) {
		lh_escape_printf(out, lh_escape_markdown,
				 "There is no baseline to compare with: %s\n", h->bad.msg);
		return;
	}
	if (h->on_file.n) {
		lh_buf_printf(out, "Against line %llu of `" AUDIT_BASELINES "`",
			      (unsigned long long)h->on_file.line);
		if (at->p)
			lh_escape_printf(out, lh_escape_markdown, ", recorded at %.*s",
					 (int)at->n - 2, at->p + 1);
	} else {
		lh_buf_puts(out, "There is no baseline yet, this is the first run");
	}
	lh_buf_puts(out, ".\n\n```text\n");
	drift_table(out, &h->drift);
	lh_buf_puts(out, "```\n");
}

static unsigned count_skipped(const struct audit *a)
{
	unsigned n = 0;
	int i;

	for (i = 0; i < CHECKS; i++)
		n += a->check[i].ran && a->check[i].skipped;
	return n;
}

/* Append a line for each check: what it looked at, what that means, what to do. */
static void put_words(struct lh_buf *out, const struct audit *a)
{
	const struct check_words *w;
	int i;

	lh_buf_puts(out, "\n## What the checks looked at\n\n");
	for (i = 0; i < CHECKS; i++) {
		w = &check_words[i];
		lh_escape_printf(out, lh_escape_markdown,
				 "- *%s*: looked at %s. It means: %s If it fails: %s\n",
				 a->check[i].name, check_looked(a, (enum check_id)i), w->means,
				 w->remedy);
	}
	lh_buf_puts(out, "\n" AUDIT_BEYOND "\n");
}

static void print(struct lh_buf *out, const struct audit *a)
{
	int i;

	lh_buf_printf(out,
		      "# Full audit: %s\n\n- %u of %u required checks passed; %u checks in all,"
		      " %u skipped\n",
		      !audit_is_sound(a)  ? "NOT sound"
		      : audit_is_whole(a) ? "sound"
					  : "sound as far as it looked", a->required_passed,
		      a->required_total, a->checks_total, count_skipped(a));
	lh_buf_printf(out, "- recorded at %s%s\n", a->recorded_at,
		      a->s->observer ? ", as an observer: nothing was run" : "");
	if (*a->git_commit)
		lh_buf_printf(out, "- commit `%s`\n", a->git_commit);
	put_checks(out, a);
	put_words(out, a);
	lh_buf_puts(out, "\n## Metrics\n\n| metric | value |\n|---|---:|\n");
	for (i = 0; i < METRICS; i++)
		lh_buf_printf(out, "| %s | %llu |\n", metric_names[i],
			      (unsigned long long)a->metric[i]);
	put_drift(out, a);
}

int markdown_write(const struct audit *a, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	print(&text, a);
	return lh_atomic_put(a->s->out, 0666, &text, err);
}
