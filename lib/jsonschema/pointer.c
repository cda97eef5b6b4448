/* pointer.c - places in a schema: JSON Pointers (RFC 6901).  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

struct lh_js_node *lh_js_node_at(const struct lh_jsonschema *s, const char *p)
{
	const size_t size = sizeof p + sizeof(struct lh_js_node *);
	int64_t i = lh_map_find(&s->by_place, &p, sizeof p, size);
	struct lh_js_node *n;

	if (i < 0)
		return NULL;
	memcpy(&n, s->by_place.entry + (size_t)i * size + sizeof p, sizeof n);
	return n;
}

void lh_js_put_pointer(struct lh_buf *out, const struct lh_value *root, const char *p)
{
	struct lh_value v = *root;
	struct lh_iter it;
	size_t i;

	if (p < v.p || p >= v.p + v.n)
		return;
	while (v.p != p && (v.type == LH_OBJECT || v.type == LH_ARRAY)) {
		i = 0;
		for (lh_iter_init(&it, &v); lh_iter_next(&it) && it.val.p + it.val.n <= p; i++)
			continue;
		lh_buf_putc(out, '/');
		if (v.type == LH_OBJECT) {
			LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
			struct lh_str text;
			size_t k;

			lh_value_str(&it.key, &scratch, &text);
			for (k = 0; k < text.n && k < 200; k++)
				if (text.p[k] == '~' || text.p[k] == '/')
					lh_buf_puts(out, text.p[k] == '~' ? "~0" : "~1");
				else
					lh_buf_putc(out, text.p[k]);
		} else {
			lh_buf_u64(out, i);
		}
		if (it.val.p > p)
			return;		/* p is a key */
		v = it.val;
	}
}

/* Take the next part of a pointer, after its slash, unescaped into part. */
static bool next_part(struct lh_str *pointer, struct lh_buf *part)
{
	const char *p = pointer->p + 1, *end = pointer->p + pointer->n;

	if (!pointer->n || *pointer->p != '/')
		return false;
	lh_buf_reset(part);
	for (; p < end && *p != '/'; p++) {
		if (*p != '~') {
			lh_buf_putc(part, *p);
			continue;
		}
		p++;
		if (p == end || (*p != '0' && *p != '1'))
			return false;
		lh_buf_putc(part, *p == '0' ? '~' : '/');
	}
	*pointer = (struct lh_str){ p, (size_t)(end - p) };
	return !part->failed;
}

static bool to_item(struct lh_value *v, const struct lh_buf *part)
{
	size_t i, want = 0;
	struct lh_iter it;

	if (!part->len || part->len > 9 || (part->len > 1 && *part->p == '0'))
		return false;
	for (i = 0; i < part->len; i++) {
		if (part->p[i] < '0' || part->p[i] > '9')
			return false;
		want = want * 10 + (size_t)(part->p[i] - '0');
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); want--) {
		if (!want) {
			*v = it.val;
			return true;
		}
	}
	return false;
}

static bool to_member(struct lh_value *v, const struct lh_buf *part)
{
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (lh_value_is(&it.key, part->p, part->len)) {
			*v = it.val;
			return true;
		}
	}
	return false;
}

bool lh_js_follow(const struct lh_jsonschema *s, struct lh_value *v, struct lh_str pointer,
		  const struct lh_js_node **passed)
{
	const struct lh_js_node *n;
	LH_SCOPED(lh_buf_free) struct lh_buf part = { 0 };
	bool found = true;

	lh_buf_room(&part, 1);
	while (found && pointer.n) {
		found = next_part(&pointer, &part) &&
			(v->type == LH_OBJECT ? to_member(v, &part)
			 : v->type == LH_ARRAY && to_item(v, &part));
		n = found ? lh_js_node_at(s, v->p) : NULL;
		if (n)
			*passed = n;
	}
	return found;
}
