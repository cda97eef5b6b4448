/* access_html.c - accesses as the rows of a table.  See access_html.h. */
#include "access_html.h"

#include <lh/time.h>

#include "json/bind.h"
#include "text/escape.h"

/* A member of another type counts as absent, and an element as empty. */
struct accessor {
	struct lh_str daemon, kind, purpose, token;
};
struct row {
	struct lh_str ts, result;
	struct accessor accessor;
	const struct lh_str *field;	/* NULL: not an array */
	size_t n_fields;
};

static const struct lh_bind accessor[] = {
	{ LH_BIND_STRING("daemon", struct accessor, daemon), .lax = true },
	{ LH_BIND_STRING("kind", struct accessor, kind), .lax = true },
	{ LH_BIND_STRING("purpose", struct accessor, purpose), .lax = true },
	{ LH_BIND_STRING("token", struct accessor, token), .lax = true },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("ts", struct row, ts), .lax = true },
	{ LH_BIND_TABLE("accessor", struct row, accessor, accessor), .lax = true },
	{ LH_BIND_STRINGS("fields_accessed", struct row, field, n_fields), .lax = true },
	{ LH_BIND_STRING("result", struct row, result), .lax = true },
	LH_BIND_END
};

static void put_result(struct lh_buf *out, struct lh_str result)
{
	static const struct {
		struct lh_str result;
		const char *words;
	} words[] = {
		{ { "success", 7 }, "data were read" },
		{ { "not_found", 9 }, "nothing was found" },
		{ { "denied", 6 }, "access was denied" },
		{ { "error", 5 }, "the attempt failed" },
	};
	size_t i;

	for (i = 0; i < 4; i++)
		if (lh_str_cmp(result, words[i].result) == 0) {
			lh_buf_puts(out, words[i].words);
			return;
		}
	lh_html_data(out, result.p, result.n);
}

int lh_access_html(struct lh_buf *out, const struct lh_record *rec, struct lh_buf *text,
		   struct lh_err *err)
{
	struct row row = { .ts = { "", 0 }, .result = { "", 0 } };
	char at[LH_TIME_LEN + 1];
	int64_t ms;
	size_t i;

	if (lh_bind(row_members, rec, &row, text, err) < 0)
		return -1;
	lh_buf_puts(out, "<tr><td data-label=\"When\">");
	if (lh_time_read(row.ts.p, row.ts.n, &ms) < 0) {
		lh_html_data(out, row.ts.p, row.ts.n);
	} else {
		lh_time_print(ms, at);
		lh_buf_printf(out, "<time datetime=\"%.*s\">%.10s %.8s UTC</time>",
			      (int)row.ts.n, row.ts.p, at, at + 11);
	}
	lh_buf_puts(out, "</td><td data-label=\"Who\">");
	if (row.accessor.token.n)
		lh_escape_printf(out, lh_html_data, "%.*s, by ", (int)row.accessor.token.n,
				 row.accessor.token.p);
	lh_escape_printf(out, lh_html_data,
			 "%.*s (%.*s)</td><td data-label=\"What for\">"
			 "%.*s</td><td data-label=\"Which data\">",
			 (int)row.accessor.daemon.n, row.accessor.daemon.p,
			 (int)row.accessor.kind.n, row.accessor.kind.p,
			 (int)row.accessor.purpose.n, row.accessor.purpose.p);
	for (i = 0; i < row.n_fields; i++)
		lh_escape_printf(out, lh_html_data, i ? ", %.*s" : "%.*s", (int)row.field[i].n,
				 row.field[i].p);
	if (row.field && !row.n_fields)
		lh_buf_puts(out, "none");
	lh_buf_puts(out, "</td><td data-label=\"Outcome\">");
	put_result(out, row.result);
	lh_buf_puts(out, "</td></tr>\n");
	return 0;
}
