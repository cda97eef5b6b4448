/* lh-gen queries: demand for workers, in the wording of coordinators. */
#include "draw.h"
#include "gen.h"

static struct lh_str text(const char *s)
{
	return (struct lh_str){ s, strlen(s) };
}

static void put_query(struct lh_buf *out, enum lh_job_order_style style, const struct gen_scene *s)
{
	const struct lh_job_order d = {
		.role = text(s->role->name), .city = text(s->city->name),
		.state = text(s->city->state),
		.client = text(s->client), .at = text(s->hour), .count = s->count,
	};
	struct lh_writer json = lh_write_to(out);

	lh_write_object(&json, NULL);
	lh_write_key(&json, "query_text");
	lh_buf_putc(out, '"');
	lh_job_order_put(out, style, &d);
	lh_buf_putc(out, '"');
	lh_write_text(&json, "style", lh_job_order_style_name(style));
	lh_write_str(&json, "role", d.role);
	lh_write_str(&json, "city", d.city);
	lh_write_str(&json, "state", d.state);
	lh_write_u64(&json, "count", d.count);
	lh_write_str(&json, "client", d.client);
	lh_write_str(&json, "at", d.at);
	lh_write_end(&json);
	lh_buf_putc(out, '\n');
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
