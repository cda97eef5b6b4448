/* lh-gen queries: demand for workers, as coordinators write it. */
#include "draw.h"
#include "gen.h"

static struct lh_str text(const char *s)
{
	return (struct lh_str){ s, strlen(s) };
}

static void put_query(struct lh_buf *out, enum lh_job_order_style style, const struct gen_scene *s)
{
	const struct lh_job_order d = {
		.role = text(s->role->name), .city = text(s->city->name), .state = text(s->city->state),
		.client = text(s->client), .at = text(s->hour), .count = s->count,
	};

	lh_buf_puts(out, "{\"query_text\":\"");
	lh_job_order_put(out, style, &d);
	lh_buf_puts(out, "\",\"style\":\"");
	lh_buf_puts(out, lh_job_order_style_name(style));
	gen_fill(out, "\",\"role\":\"%r\",\"city\":\"%t\",\"state\":\"%s\",\"count\":%n,\"client\":\"%c\",\"at\":\"%h\"}\n", s);
}

void gen_query(struct lh_buf *out, uint64_t seed, uint64_t i, enum lh_job_order_style style)
{
	struct gen_rng r = gen_row(seed, GEN_QUERY, i);
	struct gen_scene s;

	gen_scene(&r, &s);
	if (style < LH_JOB_ORDER_STYLES) {
		put_query(out, style, &s);
		return;
	}
	for (style = 0; style < LH_JOB_ORDER_STYLES; style++)
		put_query(out, style, &s);
}
