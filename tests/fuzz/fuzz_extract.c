/* fuzz_extract - lh_extract returns an object that means the same in each of its forms,
 * and a text that is one object to jansson, but for blanks, is the answer. */
#include "fuzz.h"

#include <jansson.h>

#include "model/extract.h"

#define SHALLOW 2048	/* bytes; too few to nest deeper than 512 */

static struct lh_extract *x;
static struct lh_record rec, again;
static struct lh_buf line, wire;
static struct lh_err err;

static void forms(const struct lh_value *v)
{
	struct lh_value a, b;

	lh_buf_reset(&line);
	lh_buf_reset(&wire);
	lh_extract_put(&line, v);
	never(lh_buf_check(&line, &err) < 0 || lh_extract_wire(&wire, v, &err) < 0);
	never(memchr(line.p, '\n', line.len) || memchr(line.p, '\r', line.len));
	never(lh_json_parse(&rec, line.p, line.len, &a, &err) < 0 ||
	      lh_json_parse(&again, wire.p, wire.len, &b, &err) < 0);
	never(a.type != LH_OBJECT || !lh_value_equal(&a, &b));
}

/* Return whether the text is one object. */
static bool is_object(const char *p, size_t n)
{
	json_t *j = json_loadb(p, n, JSON_ALLOW_NUL, NULL);
	bool yes = json_is_object(j);

	json_decref(j);
	return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = padded(data, n, "\"5] }:{\\"[n % 8]);
	struct lh_value v;
	int rc;

	if (!x) {
		x = lh_extract_new();
	}
	rc = lh_extract(x, p, n, &v, &err);
	never(rc < 0);
	/* jansson loses a NUL byte after a number. */
	if (n < SHALLOW && !memchr(p, 0, n) && is_object(p, n) &&
	    (!rc || (v.p >= p && v.p < p + n && v.p != memchr(p, '{', n))))
		abort();
	if (rc)
		forms(&v);
	free(p);
	return 0;
}
