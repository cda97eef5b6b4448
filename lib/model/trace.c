/* trace.c - the id that accompanies a request.  See http.h. */
#include "http.h"

int lh_trace_check(const char *given, struct lh_err *err)
{
	size_t n = given ? strlen(given) : 0;

	if (n > LH_TRACE_MAX)
		return lh_err_set(err, LH_EUSAGE, "--trace-id of %zu bytes: at most %d", n,
				  LH_TRACE_MAX);
	if (n && !lh_utf8_valid(given, n))
		return lh_err_set(err, LH_EUSAGE, "--trace-id is not UTF-8");
	return 0;
}

int lh_trace_of(const struct lh_record *rec, const char *given, struct lh_buf *scratch,
		struct lh_str *out, bool *own, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, "trace_id");

	*own = v && v->type == LH_STRING && v->n > 2;
	*out = (struct lh_str){ given, given ? strlen(given) : 0 };
	if (!*own)
		return 0;
	lh_value_str(v, scratch, out);
	return out->n <= LH_TRACE_MAX ? 0
		: lh_err_data(err, 413, "\"trace_id\" is longer than %d bytes", LH_TRACE_MAX);
}

void lh_trace_put(struct lh_buf *out, struct lh_str trace)
{
	if (!trace.n)
		return;
	lh_buf_puts(out, ",\"trace_id\":");
	lh_buf_json(out, trace.p, trace.n);
}

void lh_trace_write(struct lh_writer *w, struct lh_str trace)
{
	if (trace.n)
		lh_write_str(w, "trace_id", trace);
}
