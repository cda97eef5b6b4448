/* tally.c - add up outcomes.  See lift.h. */
#include "lift.h"

static void add(struct tally *t, const struct outcome *o)
{
	t->queries++;
	t->discoveries += o->discovery;
	t->lifts += o->lifted;
	t->displaced += o->displaced;
	t->worse += o->worse;
	t->boosted += o->boosted;
	t->injected += o->injected;
	t->open_gate += o->open_gate;
	*(o->open_gate ? &t->bleed_open : &t->bleed) += o->bleed;
	t->reworded += o->reworded;
	t->held += o->held;
	t->agreed += o->agreed;
	t->gated += o->gated;
	t->refused += o->refused;
	if (o->answered) {
		t->answered++;
		t->change += o->change;
	}
	if (o->cold_score >= 0 && o->warm_score >= 0) {
		t->scored++;
		t->cold_score += o->cold_score;
		t->warm_score += o->warm_score;
	}
}

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

void tally_add(struct lift *l, const struct outcome *o)
{
	add(&l->all, o);
	add(style_of(l, o->style), o);
}

static void put_ratio(struct lh_writer *w, const char *name, double of, uint64_t n)
{
	if (n)
		lh_write_f32(w, name, (float)(of / (double)n));
	else
		lh_write_null(w, name);
}

static void put_tally(struct lh_writer *w, const struct lift *l, const struct tally *t)
{
	lh_write_u64(w, "queries", t->queries);
	lh_write_u64(w, "discoveries", t->discoveries);
	lh_write_u64(w, "lifts", t->lifts);
	put_ratio(w, "lift_ratio", (double)t->lifts, t->discoveries);
	lh_write_u64(w, "displaced", t->displaced);
	lh_write_u64(w, "displaced_worse", t->worse);
	lh_write_u64(w, "boosted", t->boosted);
	lh_write_u64(w, "injected", t->injected);
	put_ratio(w, "mean_distance_change", t->change, t->answered);
	put_ratio(w, "mean_score_cold", t->cold_score, t->scored);
	put_ratio(w, "mean_score_warm", t->warm_score, t->scored);
	lh_write_u64(w, "bleed", t->bleed);
	lh_write_u64(w, "open_gate", t->open_gate);
	lh_write_u64(w, "open_gate_bleed", t->bleed_open);
	lh_write_u64(w, "paraphrases", t->reworded);
	lh_write_u64(w, "held", t->held);
	put_ratio(w, "hold_ratio", (double)t->held, t->reworded);
	if (l->least > 0) {
		lh_write_u64(w, "gated", t->gated);
		lh_write_u64(w, "refused", t->refused);
	}
	if (l->rejudge)
		lh_write_u64(w, "agreed", t->agreed);
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
