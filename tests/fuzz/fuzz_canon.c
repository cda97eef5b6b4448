/* fuzz_canon - a canonical form has the same meaning, is its own canonical form, and
 * equals the output of jansson where both write alike. */
#include "fuzz.h"

#include <jansson.h>

#include "json/canon.h"

static struct lh_record rec;
static struct lh_buf first, again;
static struct lh_err err;

static int canon(struct lh_buf *out, const struct lh_value *v, int audit)
{
	lh_buf_reset(out);
	return audit ? lh_canon_audit(out, v, NULL, 0, &err) : lh_canon_jcs(out, v, &err);
}

static void by_jansson(const char *p, size_t n, const struct lh_buf *ours)
{
	json_error_t why;
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
			       &why);
	char *text;

	if (j && !memchr(p, '.', n) && !memchr(p, 'e', n) && !memchr(p, 'E', n) &&
	    !memchr(p, '-', n)) {
		text = json_dumps(j, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
		never(text && !strstr(text, "\\u") &&
		      (strlen(text) != ours->len || memcmp(text, ours->p, ours->len)));
		free(text);
	}
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = padded(data, n, '"');
	struct lh_value v, w;
	int audit;

	for (audit = 0; audit < 2 && lh_json_parse(&rec, p, n, &v, &err) == 0; audit++) {
		if (canon(&first, &v, audit) < 0) {
			never(audit);
			continue;
		}
		never(lh_json_parse(&rec, first.p, first.len, &w, &err) < 0 ||
		      !lh_value_equal(&w, &w) || (audit && !lh_value_equal(&v, &w)));
		never(canon(&again, &w, audit) < 0 || again.len != first.len ||
		      memcmp(again.p, first.p, first.len));
		if (audit)
			by_jansson(p, n, &first);
	}
	if (lh_record_parse(&rec, p, n, &err) == 0) {
		lh_buf_reset(&first);
		lh_buf_reset(&again);
		v = (struct lh_value){ rec.line, rec.len, LH_OBJECT, false };
		audit = lh_canon_jcs(&first, &v, &err);
		never(lh_canon_jcs_record(&again, &rec, &err) != audit ||
		      (!audit && (again.len != first.len || memcmp(again.p, first.p, first.len))));
	}
	free(p);
	return 0;
}
