/* report.c - violations as text.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "schema/schema_table.h"

#define FIELD 2000	/* bytes shown of a path */
#define KEY 200		/* and of a name in it */

size_t lh_js_whole(const char *p, size_t n, size_t most)
{
	if (n <= most)
		return n;
	while (most && (p[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* Return whether a name is shown as it is, and not quoted in brackets. */
static bool is_plain(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)p[i] <= ' ' || memchr(".[]\"\\", p[i], 5))
			return false;
	return n;
}

static void put_place(struct lh_buf *out, const struct lh_js_place *at)
{
	if (!at)
		return;
	put_place(out, at->up);
	if (out->len > FIELD)
		return;
	if (at->key) {
		const char *p = at->key->p + 1;
		size_t n = at->key->n - 2, shown = lh_js_whole(p, n, KEY);
		bool plain = is_plain(p, n < KEY ? n : KEY);

		if (!plain)
			lh_buf_puts(out, "[\"");
		else if (out->len)
			lh_buf_putc(out, '.');
		lh_buf_add(out, p, shown);
		if (shown < n)
			lh_buf_puts(out, "...");
		if (!plain)
			lh_buf_puts(out, "\"]");
	} else {
		lh_buf_printf(out, "[%zu]", at->at);
	}
}

bool lh_js_report(struct lh_js_walk *w, const struct lh_js_place *at, const char *fmt, ...)
{
	struct lh_buf *field = &w->run->field;
	char problem[600];
	va_list ap;
	int n;

	if (w->quiet || w->failed || w->n++ >= LH_SCHEMA_MAX)
		return false;
	lh_buf_reset(field);
	put_place(field, at);
	if (!field->len)
		lh_buf_puts(field, "record");
	va_start(ap, fmt);
	n = vsnprintf(problem, sizeof problem, fmt, ap);
	va_end(ap);
	w->found(w->ctx, &(struct lh_str){ field->p, field->len },
		 &(struct lh_str){ problem, lh_js_whole(problem, (size_t)n, sizeof problem - 2) });
	return false;
}

bool lh_js_expected(struct lh_js_walk *w, const struct lh_js_place *at, const struct lh_value *v,
		    const char *what)
{
	char problem[512];

	if (w->quiet)
		return false;
	lh_schema_expected(problem, sizeof problem, what, v);
	return lh_js_report(w, at, "%s", problem);
}
