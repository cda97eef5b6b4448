/* json_iter.c - walk the children of a checked value.  See lh/json.h. */
#include <lh/json.h>
#include "json_scanner.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* Return the first quote or backslash from p on; end, or what is after it, if there is none. */
static inline const char *string_stop(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	unsigned hit;
	__m128i v;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)p);
		hit = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, quote),
							       _mm_cmpeq_epi8(v, slash)));
		if (hit)
			return p + __builtin_ctz(hit);
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

const char *lh_skip_string(const char *p, const char *end, bool *escaped)
{
	*escaped = false;
	for (p = string_stop(p + 1, end); p < end && *p != '"'; p = string_stop(p + 2, end))
		*escaped = true;
	return p < end ? p + 1 : NULL;
}

static const char *skip_container(const char *p, const char *end, bool *escaped)
{
	size_t depth = 0;

	do {
		if (*p == '"') {
			p = lh_skip_string(p, end, escaped);
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (depth);
	return p;
}

static const char *take_value(struct lh_value *v, const char *p, const char *end)
{
	v->p = p;
	v->escaped = false;
	switch (*p) {
	case '"':
		v->type = LH_STRING;
		p = lh_skip_string(p, end, &v->escaped);
		break;
	case '{':
	case '[':
		v->type = *p == '{' ? LH_OBJECT : LH_ARRAY;
		p = skip_container(p, end, &v->escaped);
		v->escaped = false;	/* it is said of strings only */
		break;
	case 't':
		v->type = LH_TRUE;
		p += 4;
		break;
	case 'f':
		v->type = LH_FALSE;
		p += 5;
		break;
	case 'n':
		v->type = LH_NULL;
		p += 4;
		break;
	default:
		v->type = LH_NUMBER;
		while ((unsigned char)*p > ' ' && *p != ',' && *p != ']' && *p != '}')
			p++;
	}
	v->n = (size_t)(p - v->p);
	return p;
}

void lh_iter_init(struct lh_iter *it, const struct lh_value *v)
{
	it->object = v->type == LH_OBJECT;
	it->at = it->end = v->p;
	if (v->type == LH_OBJECT || v->type == LH_ARRAY) {
		it->at++;
		it->end += v->n - 1;
	}
}

bool lh_iter_next(struct lh_iter *it)
{
	const char *p = it->at < it->end ? skip_space(it->at) : it->end;

	if (p >= it->end)
		return false;
	if (*p == ',')
		p = skip_space(p + 1);
	if (it->object) {
		p = skip_space(take_value(&it->key, p, it->end));
		p = skip_space(p + 1);
	}
	it->at = take_value(&it->val, p, it->end);
	return true;
}

bool lh_value_get(const struct lh_value *v, const char *name, struct lh_value *out)
{
	size_t n = strlen(name);
	struct lh_iter it;

	if (v->type != LH_OBJECT)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (lh_value_is(&it.key, name, n)) {
			*out = it.val;
			return true;
		}
	}
	return false;
}
