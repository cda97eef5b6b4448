/* tally.c - add up outcomes, and print the figures: as JSON, and as Markdown.  See lift.h. */
#include "lift.h"

#include <stddef.h>

#include "base/num.h"
#include "base/utf8.h"
#include "text/escape.h"

#define SHOWN 160	/* bytes of a query */

/* The figures: a sum, or a sum by another. */
static const struct figure {
	const char *name;	/* in the summary; NULL: not there */
	const char *head;	/* in the report; NULL: not there */
	enum sum of, by;	/* by SUMS: the sum itself */
} figures[] = {
	{ "queries", "queries", QUERIES, SUMS },
	{ "discoveries", "discoveries", DISCOVERY, SUMS },
	{ "lifts", "lifts", LIFTED, SUMS },
	{ "lift_ratio", "ratio", LIFTED, DISCOVERY },
	{ "displaced", "displaced", DISPLACED, SUMS },
	{ "displaced_worse", "by worse", WORSE, SUMS },
	{ "boosted", "boosted", BOOSTED, SUMS },
	{ "injected", "injected", INJECTED, SUMS },
	{ "mean_distance_change", "distance", CHANGE, ANSWERED },
	{ "mean_score_cold", "score cold", COLD_SCORE, SCORED },
	{ "mean_score_warm", "score warm", WARM_SCORE, SCORED },
	{ "bleed", "bleed", BLEED, SUMS },
	{ "open_gate", "open gate", OPEN_GATE, SUMS },
	{ "open_gate_bleed", "bleed there", BLEED_OPEN, SUMS },
	{ "paraphrases", NULL, REWORDED, SUMS },
	{ "held", NULL, HELD, SUMS },
	{ "hold_ratio", "held", HELD, REWORDED },
	{ "gated", NULL, GATED, SUMS },
	{ "refused", NULL, REFUSED, SUMS },
};
#define FIGURES (sizeof figures / sizeof *figures)

/* Return the tally of a style; those beyond the sixteenth share the last. */
static struct tally *style_of(struct lift *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->n_styles && i < STYLES; i++)
		if (!strcmp(l->style[i].style, name))
			return &l->style[i];
	if (i < STYLES)
		memcpy(l->style[i].style, name, STYLE_LEN);
	l->n_styles = i + 1;
	return &l->style[i];
}

void tally_add(struct lift *l, const struct tally *o)
{
	struct tally *style = style_of(l, o->style);
	int i;

	for (i = 0; i < SUMS; i++) {
		l->all.n[i] += o->n[i];
		style->n[i] += o->n[i];
	}
}

/* ---- the summary ---- */

static void put_tally(struct lh_writer *w, const struct lift *l, const struct tally *t)
{
	const struct figure *f;

	for (f = figures; f < figures + FIGURES; f++) {
		if ((f->of == GATED || f->of == REFUSED) && !(l->least > 0))
			continue;
		if (f->by == SUMS)
			lh_write_u64(w, f->name, (uint64_t)t->n[f->of]);
		else if (t->n[f->by] > 0)
			lh_write_f32(w, f->name, (float)(t->n[f->of] / t->n[f->by]));
		else
			lh_write_null(w, f->name);
	}
}

void tally_print(struct lh_buf *out, const struct lift *l)
{
	struct lh_writer w = lh_write_to(out);
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_object(&w, "summary");
	put_tally(&w, l, &l->all);
	lh_write_array(&w, "styles");
	for (i = 0; i < l->n_styles; i++) {
		lh_write_object(&w, NULL);
		if (i < STYLES)
			lh_write_text(&w, "style", l->style[i].style);
		else
			lh_write_null(&w, "style");	/* all other styles */
		put_tally(&w, l, &l->style[i]);
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_text(&w, "run", l->run);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
}

/* ---- the report: discoveries without a lift ---- */

static void put_text(struct lh_buf *out, struct lh_str s)
{
	lh_escape_markdown(out, s.p, s.n);
}

/* Append a JSON string as it is written, without its quotes. */
static void put_string(struct lh_buf *out, const struct lh_value *v)
{
	put_text(out, lh_utf8_head((struct lh_str){ v->p + 1, v->n - 2 }, SHOWN));
}

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

/* ---- its tables ---- */

static void put_row(struct lh_buf *out, const char *name, const struct tally *t)
{
	const struct figure *f;

	lh_buf_puts(out, "| ");
	lh_escape_markdown(out, name, strlen(name));
	for (f = figures; f < figures + FIGURES; f++) {
		if (!f->head)
			continue;
		if (f->by == SUMS)
			lh_buf_printf(out, " | %llu", (unsigned long long)t->n[f->of]);
		else if (t->n[f->by] > 0)
			lh_buf_printf(out, " | %.4f", t->n[f->of] / t->n[f->by]);
		else
			lh_buf_puts(out, " | -");
	}
	lh_buf_puts(out, " |\n");
}

static void put_table(struct lh_buf *out, const struct lift *l)
{
	const struct figure *f;
	size_t i;

	lh_buf_puts(out, "\n| style |");
	for (f = figures; f < figures + FIGURES; f++)
		if (f->head)
			lh_buf_printf(out, " %s |", f->head);
	lh_buf_puts(out, "\n|---|");
	for (f = figures; f < figures + FIGURES; f++)
		lh_buf_puts(out, f->head ? "---:|" : "");
	lh_buf_putc(out, '\n');
	for (i = 0; i < l->n_styles; i++)
		put_row(out, i == STYLES ? "others" : *l->style[i].style ? l->style[i].style
			: "none", &l->style[i]);
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
			 "\n\n**Playbook:** %s\n\n**Judge:** %s",
			 l->playbook ? l->playbook : "empty at the start",
			 l->judge_model ? l->judge_model : "role, state and city");
	lh_buf_printf(out,
		      "\n\n**Verdict:** %llu of %llu discoveries are lifts; %llu results moved by "
		      "entries of another role\n",
		      (unsigned long long)l->all.n[LIFTED], (unsigned long long)l->all.n[DISCOVERY],
		      (unsigned long long)l->all.n[BLEED]);
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
