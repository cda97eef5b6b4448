/* report.c - verdicts as lines and as Markdown.  See parity.h. */
#include <stdio.h>

#include "file/file.h"
#include "json/write.h"
#include "text/escape.h"
#include "base/time.h"
#include "parity.h"

#define CELL 60		/* bytes of an answer in the table */

static int print(struct lh_tool *tool, struct lh_buf *b)
{
	int rc = lh_tool_out(tool, b->p, b->len);

	lh_buf_reset(b);
	return rc;
}

int print_lines(struct lh_tool *tool, const struct probe *p)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; i < p->n && !rc; i++) {
		const struct kase *k = &p->cases[i];
		struct lh_writer w = lh_write_to(&b);

		lh_write_object(&w, NULL);
		lh_write_text(&w, "probe", p->name);
		lh_write_str(&w, "name", (struct lh_str){ k->name.p, k->name.len });
		lh_write_bool(&w, "match", k->match);
		lh_write_bool(&w, "skipped", k->skipped);
		lh_write_str(&w, "detail", (struct lh_str){ k->detail.p, k->detail.len });
		lh_write_end(&w);
		lh_buf_putc(&b, '\n');
		rc = print(tool, &b);
	}
	return rc < 0 ? rc : print_tally(tool, p->name, p->passed, p->failed, p->skipped);
}

int print_tally(struct lh_tool *tool, const char *probe, uint64_t passed, uint64_t failed,
		uint64_t skipped)
{
	struct lh_writer w;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };

	w = lh_write_to(&b);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "probe", probe);
	lh_write_u64(&w, "passed", passed);
	lh_write_u64(&w, "failed", failed);
	lh_write_u64(&w, "skipped", skipped);
	lh_write_u64(&w, "total", passed + failed + skipped);
	lh_write_end(&w);
	lh_buf_putc(&b, '\n');
	return print(tool, &b);
}

/* ---- Markdown ---- */

/* Append backquotes: more than the longest run in the text, and at least `least`. */
static void put_fence(struct lh_buf *b, const char *p, size_t n, size_t least)
{
	size_t run = 0, i;

	for (i = 0; i < n; i++) {
		run = p[i] == '`' ? run + 1 : 0;
		if (run >= least)
			least = run + 1;
	}
	for (i = 0; i < least; i++)
		lh_buf_putc(b, '`');
}

/* Append one line of code in a line of text. */
static void put_code(struct lh_buf *b, const char *p, size_t n)
{
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };
	const char *pad;

	put_clean(&clean, p, n, false);
	pad = clean.len && (clean.p[0] == '`' || clean.p[clean.len - 1] == '`') ? " " : "";
	put_fence(b, clean.p, clean.len, 1);
	lh_buf_printf(b, "%s", pad);
	lh_buf_add(b, clean.p, clean.len);
	lh_buf_printf(b, "%s", pad);
	put_fence(b, clean.p, clean.len, 1);
}

static void put_answer_cell(struct lh_buf *b, const struct kase *k, int side)
{
	const struct answer *a = &k->answer[side];
	size_t n = a->body.len, i;

	if (k->skipped) {
		lh_buf_puts(b, "skipped");
		return;
	}
	if (a->status > 0)
		lh_buf_printf(b, "exit %d: ", a->status);
	if (!n) {
		lh_buf_puts(b, "(nothing)");
		return;
	}
	for (i = 0; i < n && i < CELL && a->body.p[i] != '\n'; i++)
		;
	while (i < n && i > 1 && ((unsigned char)a->body.p[i] & 0xc0) == 0x80)
		i--;
	lh_escape_markdown(b, a->body.p, i);
	if (i < a->len)
		lh_buf_puts(b, "...");
}

static void put_table(struct lh_buf *b, const struct probe *p)
{
	size_t i;

	lh_buf_puts(b, "| Case | Left | Right | Match |\n|---|---|---|---|\n");
	for (i = 0; i < p->n; i++) {
		const struct kase *k = &p->cases[i];

		lh_escape_printf(b, lh_escape_markdown, "| %.*s | ", (int)k->name.len, k->name.p);
		put_answer_cell(b, k, 0);
		lh_buf_puts(b, " | ");
		put_answer_cell(b, k, 1);
		lh_buf_puts(b, " | ");
		if (k->skipped)
			lh_escape_printf(b, lh_escape_markdown, "skipped: %.*s",
					 (int)k->detail.len, k->detail.p);
		else
			lh_buf_puts(b, k->match ? "✓" : "✗");
		lh_buf_puts(b, " |\n");
	}
}

static void put_body(struct lh_buf *b, const struct kase *k, int side)
{
	const struct answer *a = &k->answer[side];
	LH_SCOPED(lh_buf_free) struct lh_buf clean = { 0 };

	lh_buf_printf(b, "%s:\n\n", side ? "Right" : "Left");
	put_clean(&clean, a->body.p, a->body.len, true);
	put_fence(b, clean.p, clean.len, 3);
	lh_buf_putc(b, '\n');
	lh_buf_add(b, clean.p, clean.len);
	if (clean.len && clean.p[clean.len - 1] != '\n')
		lh_buf_putc(b, '\n');
	put_fence(b, clean.p, clean.len, 3);
	lh_buf_puts(b, "\n\n");
	if (a->len > a->body.len)
		lh_buf_printf(b, "(the first %zu of %zu bytes)\n\n", a->body.len, a->len);
}

static void put_divergences(struct lh_buf *b, const struct probe *p)
{
	size_t i;

	lh_buf_puts(b, "\n## Divergences\n");
	for (i = 0; i < p->n; i++) {
		const struct kase *k = &p->cases[i];

		if (k->match || k->skipped)
			continue;
		lh_escape_printf(b, lh_escape_markdown, "\n### %.*s\n\n%.*s\n\n",
				 (int)k->name.len, k->name.p, (int)k->detail.len, k->detail.p);
		put_body(b, k, 0);
		put_body(b, k, 1);
	}
}

int report_write(struct lh_tool *tool, const struct probe *p, const char *path)
{
	char now[32];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int i, rc;

	lh_tool_time(tool, now);
	lh_escape_printf(&b, lh_escape_markdown, "# Parity: %s", p->name);
	lh_buf_printf(&b, "\n\n**Date:** %s\n\n", now);
	for (i = 0; i < 2; i++) {
		lh_buf_printf(&b, "**%s:** ", i ? "Right" : "Left");
		put_code(&b, p->command[i], strlen(p->command[i]));
		lh_buf_puts(&b, "\n\n");
	}
	put_table(&b, p);
	lh_buf_printf(&b, "\n**Tally:** %llu match · %llu diff ", (unsigned long long)p->passed,
		      (unsigned long long)p->failed);
	if (p->skipped)
		lh_buf_printf(&b, "· %llu skipped ", (unsigned long long)p->skipped);
	lh_buf_printf(&b, "(out of %s)\n", LH_N(p->n, "case"));
	if (p->failed)
		put_divergences(&b, p);
	rc = lh_tool_replaces(tool, path, &made_report);
	return rc ? rc : lh_atomic_put(path, 0666, &b, &tool->err);
}
