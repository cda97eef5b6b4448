/*
 * fuzz_filter - "FILTER LF METADATA": if both are JSON objects, the scan of the bytes
 * agrees with a comparison of parsed values, for filters without operators, and any filter
 * with itself in "or"; other metadata must not crash it.
 */
#include "fuzz.h"

#include "filter/metadata_filter.h"
#include "json/value.h"

static bool one(const struct lh_value *allowed, const struct lh_value *v)
{
	struct lh_iter it;

	if (allowed->type != LH_ARRAY)
		return lh_value_equal(allowed, v);
	for (lh_iter_init(&it, allowed); lh_iter_next(&it); )
		if (lh_value_equal(&it.val, v))
			return true;
	return false;
}

static bool any(const struct lh_value *allowed, const struct lh_value *v)
{
	struct lh_iter it;

	if (one(allowed, v))
		return true;
	if (v->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (one(allowed, &it.val))
			return true;
	return false;
}

static bool plainly(const struct lh_value *filter, const struct lh_value *meta,
		    struct lh_buf *scratch)
{
	struct lh_iter want;
	struct lh_value v;
	struct lh_str key;

	for (lh_iter_init(&want, filter); lh_iter_next(&want); ) {
		lh_buf_reset(scratch);
		lh_value_str(&want.key, scratch, &key);
		if (!lh_value_at(meta, key.p, key.n, &v) || !any(&want.val, &v))
			return false;
	}
	return true;
}

static bool has_operators(const struct lh_value *filter)
{
	struct lh_iter it;

	for (lh_iter_init(&it, filter); lh_iter_next(&it); )
		if (it.val.type == LH_OBJECT || lh_value_is(&it.key, "or", 2) ||
		    lh_value_is(&it.key, "and", 3) || lh_value_is(&it.key, "exists", 6))
			return true;
	return false;
}

/* Match by {"or":[filter]}, which is compiled in another way; -2 if it nests too deep. */
static int in_or(const struct lh_value *filter, const char *meta, size_t n)
{
	static struct lh_record scan;
	static struct lh_filter *f;
	struct lh_buf text = { 0 };
	struct lh_value v;
	struct lh_err err;
	int got = -2;

	if (!f)
		f = lh_filter_new();
	lh_buf_puts(&text, "{\"or\":[");
	lh_buf_add(&text, filter->p, filter->n);
	lh_buf_puts(&text, "]}");
	never(lh_buf_check(&text, &err) < 0);
	if (lh_json_parse(&scan, text.p, text.len, &v, &err) == 0 &&
	    lh_filter_compile(f, &v, &err) == 0)
		got = lh_filter_match(f, meta, n, &err);
	lh_buf_free(&text);
	return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lh_record scan, scan_meta;
	static struct lh_buf filter, meta, scratch;
	static struct lh_filter *f;
	const uint8_t *lf = size ? memchr(data, '\n', size) : NULL;
	struct lh_value v, m;
	struct lh_err err;
	char *exact;
	size_t n;
	int got;

	if (!f) {
		f = lh_filter_new();
	}
	lh_buf_reset(&filter);
	lh_buf_reset(&meta);
	if (!lf)
		return 0;
	n = size - (size_t)(lf + 1 - data);
	lh_buf_add(&filter, data, (size_t)(lf - data));
	lh_buf_add(&meta, lf + 1, n);
	if (!filter.len || lh_json_parse(&scan, filter.p, filter.len, &v, &err) < 0 ||
	    v.type != LH_OBJECT)
		return 0;
	if (lh_filter_compile(f, &v, &err) < 0)
		return 0;
	exact = malloc(n + !n);
	memcpy(exact, lf + 1, n);
	got = lh_filter_match(f, exact, n, &err);
	free(exact);
	if (n && *meta.p == '{' && lh_json_parse(&scan_meta, meta.p, n, &m, &err) == 0) {
		int same = in_or(&v, m.p, m.n);

		never(same != got && same != -2);
		never(!has_operators(&v) && got != plainly(&v, &m, &scratch));
	}
	return 0;
}
