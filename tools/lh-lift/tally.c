/* tally.c - add up outcomes.  See lift.h. */
#include <lh/num.h>
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

static void put_ratio(struct lh_buf *out, const char *name, double of, uint64_t n)
{
	char number[LH_F32_MAX];

	lh_buf_printf(out, ",\"%s\":", name);
	if (n)
		lh_buf_add(out, number, lh_f32_print(number, (float)(of / (double)n)));
	else
		lh_buf_puts(out, "null");
}

static void put_tally(struct lh_buf *out, const struct tally *t)
{
	lh_buf_printf(out, "\"queries\":%llu,\"discoveries\":%llu,\"lifts\":%llu", (unsigned long long)t->queries,
		      (unsigned long long)t->discoveries, (unsigned long long)t->lifts);
	put_ratio(out, "lift_ratio", (double)t->lifts, t->discoveries);
	lh_buf_printf(out, ",\"displaced\":%llu,\"displaced_worse\":%llu,\"boosted\":%llu,\"injected\":%llu",
		      (unsigned long long)t->displaced, (unsigned long long)t->worse, (unsigned long long)t->boosted, (unsigned long long)t->injected);
	put_ratio(out, "mean_distance_change", t->change, t->answered);
	put_ratio(out, "mean_score_cold", t->cold_score, t->scored);
	put_ratio(out, "mean_score_warm", t->warm_score, t->scored);
	lh_buf_printf(out, ",\"bleed\":%llu,\"open_gate\":%llu,\"open_gate_bleed\":%llu", (unsigned long long)t->bleed,
		      (unsigned long long)t->open_gate, (unsigned long long)t->bleed_open);
	lh_buf_printf(out, ",\"paraphrases\":%llu,\"held\":%llu", (unsigned long long)t->reworded, (unsigned long long)t->held);
	put_ratio(out, "hold_ratio", (double)t->held, t->reworded);
}

void tally_print(struct lh_buf *out, const struct lift *l)
{
	size_t i;

	lh_buf_puts(out, "{\"summary\":{");
	put_tally(out, &l->all);
	lh_buf_puts(out, ",\"styles\":[");
	for (i = 0; i < l->n_styles; i++) {
		lh_buf_puts(out, i ? ",{\"style\":" : "{\"style\":");
		if (i < STYLES)
			lh_buf_json(out, l->style[i].style, strlen(l->style[i].style));
		else
			lh_buf_puts(out, "null");	/* all other styles */
		lh_buf_putc(out, ',');
		put_tally(out, &l->style[i]);
		lh_buf_putc(out, '}');
	}
	lh_buf_puts(out, "]}}\n");
}
