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

static int put_fields(struct lh_buf *out, const struct lh_value *object, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;
	int rc = 0;

	for (lh_iter_init(&it, object); lh_iter_next(&it) && !rc; ) {
		if (!is_field(object, &it.key, false))
			continue;
		lh_buf_reset(&text);
		rc = value_text(&text, &it.key, &it.val, false, err);
		lh_escape_printf(out, lh_html_text, "<i>%.*s</i><span class=\"%s\">",
				 (int)it.key.n - 2, it.key.p + 1,
				 class_of(value_style(&it.key, &it.val)));
		lh_escape_printf(out, lh_html_data, "%.*s</span>", (int)text.len, text.p);
	}
	return rc ? rc : lh_buf_check(&text, err);
}

static int put_text(struct lh_buf *out, const char *element, const struct lh_value *of,
		    const char *name, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = name ? text_of(&text, of, name, err) : place_of(&text, of, err);

	if (!rc)
		rc = lh_buf_check(&text, err);
	if (!rc && text.len) {
		lh_buf_printf(out, "<%s>", element);
		lh_html_data(out, text.p, text.len);
		lh_buf_printf(out, "</%s>", element);
	}
	return rc;
}

static int put_steps(struct lh_buf *out, const struct lh_value *of, struct lh_err *err)
{
	struct lh_value steps;
	struct lh_iter it;
	int rc = 0;

	if (!lh_value_get(of, "steps", &steps) || steps.type != LH_ARRAY || steps.n == 2)
		return 0;
	lh_buf_puts(out, "<ul>\n");
	for (lh_iter_init(&it, &steps); lh_iter_next(&it) && !rc; ) {
		lh_buf_puts(out, "<li>");
		rc = put_text(out, "b", &it.val, "step", err);
		if (!rc)
			rc = put_text(out, "code", &it.val, NULL, err);
		if (!rc)
			rc = put_fields(out, &it.val, err);
		if (!rc)
			rc = put_steps(out, &it.val, err);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
	return rc;
}

static int put_list(struct lh_buf *out, const struct lh_value *answer, const char *name,
		    const char *head, struct lh_err *err)
{
	struct lh_value list;
	struct lh_iter it;
	int rc = 0;

	if (!lh_value_get(answer, name, &list) || list.type != LH_ARRAY)
		return 0;
	lh_buf_printf(out, "<p class=\"bad\">%s</p>\n<ul>\n", head);
	for (lh_iter_init(&it, &list); lh_iter_next(&it) && !rc; ) {
		lh_buf_puts(out, "<li>");
		rc = put_fields(out, &it.val, err);
		if (!rc)
			rc = put_text(out, "code", &it.val, NULL, err);
		lh_buf_puts(out, "</li>\n");
	}
	lh_buf_puts(out, "</ul>\n");
	return rc;
}

int page_print(struct lh_buf *out, const struct lh_value *answer, struct lh_err *err)
{
	if (put_text(out, "h2", answer, "operand", err) < 0 ||
	    put_text(out, "p", answer, "as", err) < 0 || put_steps(out, answer, err) < 0 ||
	    put_list(out, answer, "candidates", "ambiguous: several hashes begin so", err) < 0)
		return -1;
	return put_list(out, answer, "searched", "nowhere: these places were searched", err);
}
