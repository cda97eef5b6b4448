/* reword.c - other wordings of a demand.  See lift.h. */
#include "text/job_order.h"
#include "lift.h"

static void add(struct lh_buf *out, size_t start, const char *p, size_t n)
{
	if (out->len > start)
		lh_buf_putc(out, ',');
	lh_buf_json(out, p, n);
}

/* Read what a sentence is made of: 1 when all is known, 0, -1. */
static int read_demand(const struct demand *d, struct lh_buf *strings, struct lh_job_order *to, struct lh_err *err)
{
	const struct lh_value *client = lh_record_get(d->rec, "client"), *at = lh_record_get(d->rec, "at");
	const struct lh_value *count = lh_record_get(d->rec, "count");
	int64_t n;

	*to = (struct lh_job_order){ .role = d->role, .city = d->city, .state = d->state };
	if (!d->role.n || !d->city.n || !d->state.n || !client || client->type != LH_STRING || !at || at->type != LH_STRING ||
	    !count || count->type != LH_NUMBER || !lh_value_i64(count, &n) || n < 1)
		return 0;
	to->count = (uint64_t)n;
	lh_buf_reset(strings);
	if (!lh_buf_room(strings, client->n + at->n))	/* so that strings do not move */
		return lh_buf_check(strings, err);
	if (lh_value_str(client, strings, &to->client, err) < 0 || lh_value_str(at, strings, &to->at, err) < 0)
		return -1;
	return 1;
}

static int add_styles(struct lh_buf *out, size_t start, const struct demand *d, struct lh_err *err)
{
	struct lh_buf strings, sentence;
	struct lh_job_order known;
	int rc, style;

	lh_buf_init(&strings, LH_BUF_NOMAX);
	lh_buf_init(&sentence, LH_BUF_NOMAX);
	rc = read_demand(d, &strings, &known, err);
	for (style = 0; rc > 0 && style < LH_JOB_ORDER_STYLES; style++) {
		lh_buf_reset(&sentence);
		lh_job_order_put(&sentence, (enum lh_job_order_style)style, &known);
		if (lh_buf_check(&sentence, err) < 0)
			rc = -1;
		else if (!lh_value_is(&d->text_json, sentence.p, sentence.len))
			add(out, start, sentence.p, sentence.len);
	}
	lh_buf_free(&strings);
	lh_buf_free(&sentence);
	return rc < 0 ? -1 : 0;
}

int reword(struct lh_buf *out, const struct demand *d, struct chat *c, struct lh_err *err)
{
	struct lh_str words = { NULL, 0 };
	size_t start;

	lh_buf_putc(out, '[');
	start = out->len;
	if (c->l->reword && add_styles(out, start, d, err) < 0)
		return -1;
	if (c->l->reword_model && chat_reword(c, d, &words, err) < 0)
		return -1;
	if (words.n)
		add(out, start, words.p, words.n);
	lh_buf_putc(out, ']');
	return 0;
}
