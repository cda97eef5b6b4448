/* reword.c - other wordings of a demand.  See lift.h. */
#include "staffing/staffing.h"
#include "lift.h"

/* Read what a sentence is made of: is all known? */
static bool read_demand(const struct demand *d, struct lh_job_order *to)
{
	int64_t n;

	if (!d->role.n || !d->city.n || !d->state.n || !d->client.p || !d->at.p || !d->count.p ||
	    !lh_value_i64(&d->count, &n) || n < 1)
		return false;
	*to = (struct lh_job_order){ .role = d->role, .city = d->city, .state = d->state,
				     .client = d->client, .at = d->at, .count = (uint64_t)n };
	return true;
}

static void add_styles(struct lh_writer *w, const struct demand *d)
{
	LH_SCOPED(lh_buf_free) struct lh_buf sentence = { 0 };
	struct lh_job_order known;
	int style;

	if (!read_demand(d, &known))
		return;
	for (style = 0; style < LH_JOB_ORDER_STYLES; style++) {
		lh_buf_reset(&sentence);
		lh_job_order_put(&sentence, (enum lh_job_order_style)style, &known);
		if (!lh_value_is(&d->text_json, sentence.p, sentence.len))
			lh_write_str(w, NULL, (struct lh_str){ sentence.p, sentence.len });
	}
}

int reword(struct lh_writer *w, const char *name, const struct demand *d, struct chat *c,
	   struct lh_err *err)
{
	struct lh_str words = { NULL, 0 };

	lh_write_array(w, name);
	if (c->l->reword)
		add_styles(w, d);
	if (c->l->reword_model && chat_reword(c, d, &words, err) < 0)
		return -1;
	if (words.n)
		lh_write_str(w, NULL, words);
	lh_write_end(w);
	return 0;
}
