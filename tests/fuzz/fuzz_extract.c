/* fuzz_extract - lh_extract returns an object that means the same in each of its forms,
 * and a text that is one object to jansson, but for blanks, is the answer. */
#include <jansson.h>
#include <stdlib.h>

#include "model/extract.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

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
	if (lh_buf_check(&line, &err) < 0 || lh_extract_wire(&wire, v, &err) < 0)
		abort();
	if (memchr(line.p, '\n', line.len) || memchr(line.p, '\r', line.len))
		abort();
	if (lh_json_parse(&rec, line.p, line.len, &a, &err) < 0 ||
	    lh_json_parse(&again, wire.p, wire.len, &b, &err) < 0)
		abort();
	if (a.type != LH_OBJECT || !lh_value_equal(&a, &b))
		abort();
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
	char *p = malloc(n + LH_PAD);
	struct lh_value v;
	int rc;

	if (!x) {
		x = lh_extract_new();
		line = (struct lh_buf){ 0 };
		wire = (struct lh_buf){ 0 };
	}
	memcpy(p, data, n);
	memset(p + n, "\"5] }:{\\"[n % 8], LH_PAD);
	rc = lh_extract(x, p, n, &v, &err);
	if (rc < 0)
		abort();
	/* jansson loses a NUL byte after a number. */
	if (n < SHALLOW && !memchr(p, 0, n) && is_object(p, n) &&
	    (!rc || (v.p >= p && v.p < p + n && v.p != memchr(p, '{', n))))
		abort();
	if (rc)
		forms(&v);
	free(p);
	return 0;
}
