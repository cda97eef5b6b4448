/* document.c - trees of jansson.  See document.h. */
#include "document.h"

#include <sys/random.h>

#include "base/mem.h"

static void *allocate(size_t n)
{
	return lh_calloc(1, n);
}

/* Without a seed jansson would open a device for one, which a confined filter may not. */
static __attribute__((constructor)) void set_up(void)
{
	size_t seed = 0;

	(void)!getrandom(&seed, sizeof seed, GRND_NONBLOCK);
	json_object_seed(seed | 1);
	json_set_alloc_funcs(allocate, free);
}

json_t *lh_document_kept(struct lh_str json)
{
	LH_SCOPED(lh_buf_free) struct lh_buf kept = { 0 };

	lh_buf_putc(&kept, LH_DOCUMENT_KEPT);
	lh_buf_add(&kept, json.p, json.n);
	return json_stringn_nocheck(kept.p, kept.len);
}

json_t *lh_document_of(const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;
	struct lh_str s;
	json_t *t;

	if (v->type == LH_STRING) {
		lh_value_str(v, &text, &s);
		return json_stringn_nocheck(s.p, s.n);
	}
	if (v->type < LH_STRING)
		return v->type == LH_NUMBER ? lh_document_kept((struct lh_str){ v->p, v->n })
		       : v->type == LH_NULL ? json_null() : json_boolean(v->type == LH_TRUE);
	t = v->type == LH_OBJECT ? json_object() : json_array();
	for (lh_iter_init(&it, v); lh_iter_next(&it); lh_buf_reset(&text)) {
		if (v->type == LH_ARRAY) {
			json_array_append_new(t, lh_document_of(&it.val));
			continue;
		}
		lh_value_str(&it.key, &text, &s);
		json_object_setn_new_nocheck(t, s.p, s.n, lh_document_of(&it.val));
	}
	return t;
}

void lh_document_write(struct lh_buf *out, json_t *t)
{
	const char *text = json_string_value(t), *key, *comma = "";
	size_t i, n = json_string_length(t);
	json_t *of;

	if (json_is_object(t)) {
		json_object_keylen_foreach(t, key, n, of) {
			lh_buf_puts(out, *comma ? comma : "{");
			comma = ",";
			lh_buf_json(out, key, n);
			lh_buf_putc(out, ':');
			lh_document_write(out, of);
		}
		lh_buf_puts(out, *comma ? "}" : "{}");
	} else if (json_is_array(t)) {
		json_array_foreach(t, i, of) {
			lh_buf_putc(out, i ? ',' : '[');
			lh_document_write(out, of);
		}
		lh_buf_puts(out, json_array_size(t) ? "]" : "[]");
	} else if (json_is_integer(t)) {
		lh_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(t));
	} else if (text && *text == LH_DOCUMENT_KEPT) {
		lh_buf_add(out, text + 1, n - 1);
	} else if (text) {
		lh_buf_json(out, text, n);
	} else {
		lh_buf_puts(out, json_is_true(t) ? "true" : json_is_false(t) ? "false" : "null");
	}
}
