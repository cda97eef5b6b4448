/* strip.c - an answer without the ignored members.  See parity.h. */
#include "parity.h"

static bool listed(const struct lh_list *paths, const struct lh_buf *at)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (strlen(paths->v[i]) == at->len && memcmp(paths->v[i], at->p, at->len) == 0)
			return true;
	return false;
}

/* A removed member is removed with what is before it, including its comma. */
void strip(struct lh_buf *b, const struct lh_value *v, const struct lh_list *paths,
	   struct lh_buf *at)
{
	const char *end = v->p, *from;
	size_t depth = at->len;
	struct lh_iter it;
	bool nested = v->type == LH_OBJECT || v->type == LH_ARRAY;
	bool first = true, any = false;

	if (!nested || !paths->n) {
		lh_buf_add(b, v->p, v->n);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); first = false) {
		from = it.object ? it.key.p : it.val.p;
		if (first) {
			lh_buf_add(b, end, (size_t)(from - end));
			end = from;
		}
		if (it.object) {
			struct lh_str name;

			if (at->len)
				lh_buf_putc(at, '.');
			if (!it.key.escaped)
				lh_buf_add(at, it.key.p + 1, it.key.n - 2);
			else
				lh_value_str(&it.key, at, &name);
		}
		if (!it.object || !listed(paths, at)) {
			if (any || first)
				lh_buf_add(b, end, (size_t)(from - end));
			lh_buf_add(b, from, (size_t)(it.val.p - from));
			strip(b, &it.val, paths, at);
			any = true;
		}
		at->len = depth;
		end = it.val.p + it.val.n;
	}
	lh_buf_add(b, end, (size_t)(v->p + v->n - end));
}
