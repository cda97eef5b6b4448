/* lh-gen queries: demand for workers, as coordinators write it. */
#include "draw.h"
#include "gen.h"

static const struct {
	const char *name, *sentence;
} styles[STYLES] = {
	[STYLE_NEED] = { "need", "Need %n %R in %t %s starting at %h for %c" },
	[STYLE_CLIENT_FIRST] = { "client_first", "%c needs %n %R in %t %s starting at %h" },
	[STYLE_LOOKING] = { "looking", "Looking for %n %R at %c in %t %s for a %h start" },
	[STYLE_SHORTHAND] = { "shorthand", "%n %r %t %s %h %c" },
};

static void put_query(struct lh_buf *out, enum gen_style style, const struct gen_scene *s)
{
	lh_buf_puts(out, "{\"query_text\":\"");
	gen_fill(out, styles[style].sentence, s);
	lh_buf_puts(out, "\",\"style\":\"");
	lh_buf_puts(out, styles[style].name);
	gen_fill(out, "\",\"role\":\"%r\",\"city\":\"%t\",\"state\":\"%s\",\"count\":%n,\"client\":\"%c\",\"at\":\"%h\"}\n", s);
}

void gen_query(struct lh_buf *out, uint64_t seed, uint64_t i, enum gen_style style)
{
	struct gen_rng r = gen_row(seed, GEN_QUERY, i);
	struct gen_scene s;

	gen_scene(&r, &s);
	if (style < STYLES) {
		put_query(out, style, &s);
		return;
	}
	for (style = 0; style < STYLES; style++)
		put_query(out, style, &s);
}
