/* path.c - a value by its path.  See value.h. */
#include "value.h"

#include <string.h>

static bool member(const struct lh_value *v, const char *name, size_t n, struct lh_value *out)
{
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it);)
		if (lh_value_is(&it.key, name, n)) {
			*out = it.val;
			return true;
		}
	return false;
}

bool lh_path_number(const char *digits, size_t n, uint64_t *i)
{
	bool any = n;

	for (*i = 0; n; n--, digits++) {
		if (*digits < '0' || *digits > '9' || *i > UINT32_MAX)
			return false;
		*i = *i * 10 + (uint64_t)(*digits - '0');
	}
	return any;
}

static bool element(const struct lh_value *v, const char *digits, size_t n, struct lh_value *out)
{
	struct lh_iter it;
	uint64_t i;

	if (!lh_path_number(digits, n, &i))
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); i--)
		if (!i) {
			*out = it.val;
			return true;
		}
	return false;
}

bool lh_value_at(const struct lh_value *v, const char *path, size_t n, struct lh_value *out)
{
	const char *dot = memchr(path, '.', n);
	size_t head = dot ? (size_t)(dot - path) : n;
	struct lh_value inner;

	if (v->type == LH_OBJECT && member(v, path, n, out))
		return true;
	if (v->type == LH_ARRAY ? !element(v, path, head, &inner) :
				  v->type != LH_OBJECT || !dot || !member(v, path, head, &inner))
		return false;
	if (dot)
		return lh_value_at(&inner, dot + 1, n - head - 1, out);
	*out = inner;
	return true;
}

static void note(atomic_bool *flag)
{
	if (!atomic_load_explicit(flag, memory_order_relaxed))
		atomic_store_explicit(flag, true, memory_order_relaxed);
}

const struct lh_value *lh_path_find(struct lh_path *p, const struct lh_record *rec,
				    struct lh_value *inner)
{
	const struct lh_value *v = lh_record_get(rec, p->text);
	const struct lh_value all = { rec->line, rec->len, LH_OBJECT, false };

	if (!v && strchr(p->text, '.') && lh_value_at(&all, p->text, strlen(p->text), inner))
		v = inner;
	note(&p->asked);
	if (v)
		note(&p->found);
	if (v && rec->number <= LH_PATH_EARLY)
		note(&p->early);
	return v;
}

int lh_path_string(struct lh_path *p, const struct lh_record *rec, struct lh_value *out,
		   struct lh_err *err)
{
	const struct lh_value *v = lh_path_find(p, rec, out);

	if (!v || v->type == LH_NULL)
		return lh_err_set(err, LH_EDATA, "missing \"%s\" (string)", p->text);
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", p->text);
	*out = *v;
	return 0;
}
