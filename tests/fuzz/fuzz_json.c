/* fuzz_json - jansson and this scanner accept the same texts, with the same meaning,
 * other than the differences that json/json.h names; and all scans agree. */
#include "fuzz.h"

#include <jansson.h>

#include "json/json_scanner.h"

static struct lh_record rec, part;
static struct lh_buf scratch, out;
static struct lh_err err;

static void same(const struct lh_value *v, json_t *j)
{
	struct lh_str s;
	struct lh_iter it;
	int64_t i;
	size_t n = 0;

	switch (v->type) {
	case LH_NUMBER:
		never(json_is_integer(j) ? !lh_value_i64(v, &i) || i != json_integer_value(j) :
					   lh_value_f64(v) != json_real_value(j));
		return;
	case LH_STRING:
		lh_buf_reset(&scratch);
		lh_value_str(v, &scratch, &s);
		must(s.n == json_string_length(j) && !memcmp(s.p, json_string_value(j), s.n) &&
		     lh_value_is(v, s.p, s.n));
		return;
	case LH_ARRAY:
		for (lh_iter_init(&it, v); lh_iter_next(&it); n++)
			same(&it.val, json_array_get(j, n));
		break;
	case LH_OBJECT:
		for (lh_iter_init(&it, v); lh_iter_next(&it); n++) {
			lh_buf_reset(&scratch);
			lh_value_str(&it.key, &scratch, &s);
			same(&it.val, json_object_getn(j, s.p, s.n));
		}
		break;
	}
	never(v->type >= LH_ARRAY ?
		      n != (v->type == LH_ARRAY ? json_array_size(j) : json_object_size(j)) :
		      !j || json_typeof(j) != (v->type == LH_NULL ? JSON_NULL :
					       v->type == LH_TRUE ? JSON_TRUE :
								    JSON_FALSE));
}

/* Remove each member in turn: the others stay as they were. */
static void without_each(const char *p, size_t n)
{
	size_t i, k;

	never(lh_record_parse(&rec, p, n, &err) < 0);
	for (i = 0; i < rec.n && i < 8; i++) {
		struct lh_str s;

		lh_buf_reset(&scratch);
		lh_value_str(&rec.member[i].key, &scratch, &s);
		if (memchr(s.p, 0, s.n))
			continue;
		lh_buf_putc(&scratch, '\0');
		lh_buf_reset(&out);
		lh_record_open(&out, &rec,
			       (const char *[]){ s.p == scratch.p ? scratch.p :
								    strndupa(s.p, s.n) },
			       1);
		lh_buf_puts(&out, "\"\\u0000new\":1}");
		never(lh_record_parse(&part, out.p, out.len, &err) < 0 ? err.column <= out.len - 16 :
									 part.n != rec.n);
		for (k = 0; k + 1 < part.n; k++) {
			const struct lh_member *a = &part.member[k], *b = &rec.member[k + (k >= i)];

			never(a->val.n != b->val.n || memcmp(a->val.p, b->val.p, a->val.n) ||
			      lh_string_cmp(&a->key, &b->key));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	lh_scan_fn *const fns[] = { lh_scan_portable, lh_scan_avx2 };
	char *p = padded(data, n, "\"5] }:,\\"[n % 8]), msg[sizeof err.msg];
	size_t column = 0, i, kernels = __builtin_cpu_supports("avx2") ? 2 : 1;
	json_error_t why;
	struct lh_value v;
	int rc = 0, got;
	json_t *j;

	for (i = 0; i < kernels; i++) {
		got = lh_scan_by(fns[i], &rec, n % 2, p, n, &v, &err);
		never(i && (got != rc || (rc && (strcmp(msg, err.msg) || column != err.column))));
		rc = got;
		memcpy(msg, err.msg, sizeof msg);
		column = err.column;
	}
	/* jansson loses a NUL byte after a number. */
	if (memchr(p, 0, n)) {
		must(rc);
		goto out;
	}
	j = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
	never(j && rc && strcmp(msg, "nested deeper than 512"));
	never(!j && !rc && !strstr(why.text, "too big") && !strstr(why.text, "overflow") &&
	      !strstr(why.text, "NUL byte in object key"));
	if (j && !rc)
		same(&v, j);
	json_decref(j);
	if (!rc && v.type == LH_OBJECT)
		without_each(p, n);
out:
	free(p);
	return 0;
}
