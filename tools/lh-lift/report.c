/* report.c - the figures as Markdown.  See lift.h. */
#include <lh/num.h>
#include "text/escape.h"
#include "base/utf8.h"
#include "lift.h"

#define SHOWN 160	/* bytes of a query */

static void put_text(struct lh_buf *out, struct lh_str s)
{
	lh_escape_markdown(out, s.p, s.n);
}

/* Append a JSON string as it is written, without its quotes. */
static void put_string(struct lh_buf *out, const struct lh_value *v)
{
	put_text(out, lh_utf8_head((struct lh_str){ v->p + 1, v->n - 2 }, SHOWN));
}

static void put_number(struct lh_buf *out, double of, uint64_t n)
{
	if (n)
		lh_buf_printf(out, " | %.4f", of / (double)n);
	else
		lh_buf_puts(out, " | -");
}

/* ---- discoveries without a lift ---- */

static void put_why(struct lh_buf *out, const struct hit *best, const struct hits *warm)
{
	struct moved by;
	struct lh_err err;
	size_t i;

	if (warm->n && hit_moved(&warm->v[0], &by, &err) == 0 && by.id.p) {
		lh_buf_puts(out,
			    by.injected ? "displaced: injected by " : "displaced: boosted by ");
		put_string(out, &by.id);
		return;
	}
	for (i = 0; i < warm->n; i++)
		if (hit_same(&warm->v[i], best) && warm->v[i].playbook.p) {
			lh_buf_printf(out, "moved, to rank %zu", i + 1);
			return;
		}
	lh_buf_puts(out, "not moved");
}

void report_row(struct lh_buf *out, const struct demand *d, const struct hit *best,
		const struct hits *warm)
{
	lh_buf_puts(out, "| ");
	put_text(out, lh_utf8_head(d->text, SHOWN));
	lh_buf_puts(out, " | ");
	put_string(out, &best->id);
	lh_buf_printf(out, " | %.2f | ", best->score);
	if (warm->n)
		put_string(out, &warm->v[0].id);
	lh_buf_puts(out, " | ");
	put_why(out, best, warm);
	lh_buf_puts(out, " |\n");
}

/* ---- the tables ---- */

static void put_row(struct lh_buf *out, const char *name, const struct tally *t)
{
	lh_buf_puts(out, "| ");
	lh_escape_markdown(out, name, strlen(name));
	lh_buf_printf(out, " | %llu | %llu | %llu", (unsigned long long)t->queries,
		      (unsigned long long)t->discoveries, (unsigned long long)t->lifts);
	put_number(out, (double)t->lifts, t->discoveries);
	lh_buf_printf(out, " | %llu | %llu | %llu | %llu", (unsigned long long)t->displaced,
		      (unsigned long long)t->worse, (unsigned long long)t->boosted,
		      (unsigned long long)t->injected);
	put_number(out, t->change, t->answered);
	put_number(out, t->cold_score, t->scored);
	put_number(out, t->warm_score, t->scored);
	lh_buf_printf(out, " | %llu | %llu | %llu", (unsigned long long)t->bleed,
		      (unsigned long long)t->open_gate, (unsigned long long)t->bleed_open);
	put_number(out, (double)t->held, t->reworded);
	lh_buf_puts(out, " |\n");
}

static void put_table(struct lh_buf *out, const struct lift *l)
{
	size_t i;

	lh_buf_puts(out,
		    "\n| style | queries | discoveries | lifts | ratio | displaced | by worse | "
		    "boosted | injected | distance | score cold | score warm | "
		    "bleed | open gate | bleed there | held "
		    "|\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
		    "---:|\n");
	for (i = 0; i < l->n_styles; i++)
		put_row(out,
			i == STYLES		     ? "others"
				: *l->style[i].style ? l->style[i].style
						     : "none",
			&l->style[i]);
	put_row(out, "all", &l->all);
}

static void put_head(struct lh_buf *out, const struct lift *l)
{
	const struct lh_tool *t = l->tool;
	char now[32];
	size_t i;

	lh_tool_time(t, now);
	lh_buf_printf(out, "# Lift\n\n**Date:** %s\n\n**Corpora:**", now);
	for (i = 0; i < t->n_operands; i++)
		lh_escape_printf(out, lh_escape_markdown, i ? ", %s" : " %s", t->operands[i]);
	lh_buf_printf(out, "\n\n**Run:** %s", l->run);
	lh_escape_printf(out, lh_escape_markdown,
			 l->rejudge ? "\n\n**Judged again:** %s\n\n**Judge:** %s"
				    : "\n\n**Playbook:** %s\n\n**Judge:** %s",
			 l->rejudge ? l->rejudge : l->playbook ? l->playbook : "empty at the start",
			 l->judge_model ? l->judge_model : "role, state and city");
	lh_buf_printf(out,
		      "\n\n**Verdict:** %llu of %llu discoveries are lifts; %llu results moved by "
		      "entries of another role\n",
		      (unsigned long long)l->all.lifts, (unsigned long long)l->all.discoveries,
		      (unsigned long long)l->all.bleed);
}

int report_write(struct lift *l, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	int rc;

	put_head(&out, l);
	put_table(&out, l);
	if (l->n_unlifted) {
		lh_buf_puts(&out,
			    "\n## Discoveries that are no lifts\n\n| query | recorded | score | "
			    "first instead | why |\n|---|---|---:|---|---|\n");
		lh_buf_add(&out, l->unlifted.p, l->unlifted.len);
		if (l->n_unlifted > REPORTED)
			lh_buf_printf(&out, "\nand %llu more.\n",
				      (unsigned long long)(l->n_unlifted - REPORTED));
	}
	rc = lh_atomic_write(&l->report, out.p, out.len, err);
	return rc ? rc : lh_atomic_commit(&l->report, err);
}
