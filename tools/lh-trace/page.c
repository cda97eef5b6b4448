/* page.c - answers as a page: one file, nothing loaded. */
#include "text/escape.h"
#include "trace.h"

static const char style[] =
	"ul{list-style:none;padding-left:1.2rem;border-left:2px solid var(--line)}\n"
	"li{margin:.35rem 0;overflow-wrap:break-word}\n"
	"b{margin-right:.6rem}code{margin-right:.6rem}\n"
	"i{font-style:normal;color:var(--dim);margin-left:.6rem;margin-right:.25rem}\n"
	".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}\n";

void page_open(struct lh_buf *out)
{
	lh_html_open(out, "Trace", style);
	lh_buf_puts(out, "<h1>Trace</h1>\n");
}

void page_close(struct lh_buf *out)
{
	lh_html_close(out);
}

static const char *class_of(enum lh_style of)
{
	return of == LH_STYLE_GOOD ? "good" : of == LH_STYLE_BAD ? "bad"
		: of == LH_STYLE_WARN ? "warn" : "plain";
}

static void put_fields(struct lh_buf *out, const struct lh_value *object)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;

	for (lh_iter_init(&it, object); lh_iter_next(&it); ) {
		if (!is_field(object, &it.key, false))
			continue;
		lh_buf_reset(&text);
		value_text(&text, &it.key, &it.val, false);
		lh_escape_printf(out, lh_html_text, "<i>%.*s</i><span class=\"%s\">",
				 (int)it.key.n - 2, it.key.p + 1,
				 class_of(value_style(&it.key, &it.val)));
		lh_escape_printf(out, lh_html_data, "%.*s</span>", (int)text.len, text.p);
	}
}

static void put_text(struct lh_buf *out, const char *element, const struct lh_value *of,
		     const char *name)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	if (name)
		text_of(&text, of, name);
	else
		place_of(&text, of);
	if (text.len) {
		lh_buf_printf(out, "<%s>", element);
		lh_html_data(out, text.p, text.len);
		lh_buf_printf(out, "</%s>", element);
	}
}

static void put_steps(struct lh_buf *out, const struct lh_value *of)
{
	struct lh_value steps;
	struct lh_iter it;

	if (!lh_value_get(of, "steps", &steps) || steps.type != LH_ARRAY || steps.n == 2)
		return;
	lh_buf_puts(out, "<ul>\n");
	for (lh_iter_init(&it, &steps); lh_iter_next(&it); ) {
		lh_buf_puts(out, "<li>");
		put_text(out, "b", &it.val, "step");
		put_text(out, "code", &it.val, NULL);
		put_fields(out, &it.val);
		put_steps(out, &it.val);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
}

static void put_list(struct lh_buf *out, const struct lh_value *answer, const char *name,
		     const char *head)
{
	struct lh_value list;
	struct lh_iter it;

	if (!lh_value_get(answer, name, &list) || list.type != LH_ARRAY)
		return;
	lh_buf_printf(out, "<p class=\"bad\">%s</p>\n<ul>\n", head);
	for (lh_iter_init(&it, &list); lh_iter_next(&it); ) {
		lh_buf_puts(out, "<li>");
		put_fields(out, &it.val);
		put_text(out, "code", &it.val, NULL);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
}

void page_print(struct lh_buf *out, const struct lh_value *answer)
{
	put_text(out, "h2", answer, "operand");
	put_text(out, "p", answer, "as");
	put_steps(out, answer);
	put_list(out, answer, "candidates", "ambiguous: several hashes begin so");
	put_list(out, answer, "searched", "nowhere: these places were searched");
}
