/* fuzz_num - numbers read as strtod and strtof read them, and print so that they read
 * back. */
#include "fuzz.h"

#include <math.h>

#include "base/num.h"

static struct lh_record rec;
static struct lh_err err;

/* The text of v ends before a digit, as it never does in a record. */
static void reads(const struct lh_value *v)
{
	char *text = strndup(v->p, v->n);
	const char *next;
	double d = strtod(text, NULL), e = lh_f64_read(v->p, v->p + v->n, &next);
	float f = strtof(text, NULL), g = lh_f32_read(v->p, v->p + v->n, &next);

	never(d != e || f != g || signbit(d) != signbit(e) || signbit(f) != signbit(g) ||
	      next != v->p + v->n);
	free(text);
}

static void array(const struct lh_value *v)
{
	struct lh_iter it;
	float out[512];
	long n = lh_f32s_read(v->p, v->p + v->n, out, 512, &err), i = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); i++) {
		char *text = strndup(it.val.p, it.val.n);

		if (it.val.type == LH_NUMBER)
			reads(&it.val);
		never(n >= 0 && (it.val.type != LH_NUMBER || i >= n || out[i] != strtof(text, NULL)));
		free(text);
	}
	never(n >= 0 && i != n);
}

static void prints(const uint8_t *data, size_t n)
{
	char text[LH_F64_MAX + 1];
	const char *next;
	struct lh_buf b = { 0 };
	float f, g;
	double d;

	for (; n >= 8; data += 8, n -= 8) {
		memcpy(&d, data, 8);
		memcpy(&f, data, 4);
		text[isfinite(d) ? lh_f64_print(text, d) : 0] = '\0';
		never(isfinite(d) && strtod(text, NULL) != d);
		lh_buf_reset(&b);
		if (isfinite(f))
			lh_buf_f32s(&b, (float[]){ f, f }, 2);
		never(b.len && (lh_f32s_read(b.p, b.p + b.len, (float[2]){ 0 }, 2, &err) != 2 ||
				lh_f32_read(b.p + 1, b.p + b.len, &next) != f));
		never(b.len && (lh_f32s_read(b.p, b.p + b.len, &g, 1, &err) != -1 ||
				strtof(b.p + 1, NULL) != f));
	}
	lh_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = padded(data, n, "7.e]"[n % 4]);
	struct lh_value v;

	prints(data, n);
	if (lh_json_parse(&rec, p, n, &v, &err) == 0) {
		if (v.type == LH_NUMBER)
			reads(&v);
		else if (v.type == LH_ARRAY)
			array(&v);
	}
	free(p);
	return 0;
}
