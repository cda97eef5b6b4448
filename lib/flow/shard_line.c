/* shard_line.c - which lines are in the shard of a flow.  See flow_parts.h. */
#include <string.h>

#include "flow_parts.h"

static const char *key_name(const struct lh_flow *flow)
{
	return flow->shard_key ? flow->shard_key : "id";
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

/* Step over that byte and the space before it.  NULL if there is another one, or p is NULL. */
static const char *skip(const char *p, const char *end, char byte)
{
	p = p ? skip_space(p, end) : end;
	return p < end && *p == byte ? p + 1 : NULL;
}

/* Find the key in a line that begins with it, as most do: a string without escapes. */
static bool first_member(const struct lh_flow *flow, const char *p, size_t n, struct lh_str *key)
{
	const char *name = key_name(flow), *end = p + n, *quote;
	size_t len = strlen(name);

	p = skip(skip(p, end, '{'), end, '"');
	if (!p || (size_t)(end - p) <= len || memcmp(p, name, len) != 0 || p[len] != '"' ||
	    memchr(name, '\\', len))
		return false;
	p = skip(skip(p + len + 1, end, ':'), end, '"');
	quote = p ? memchr(p, '"', (size_t)(end - p)) : NULL;
	if (!quote || memchr(p, '\\', (size_t)(quote - p)))
		return false;
	*key = (struct lh_str){ p, (size_t)(quote - p) };
	return true;
}

/* A line is parsed only if it is in the shard by one of its keys: by its bytes, which are the
 * key if it is not a record, or by its first member, which is the key if it is one. */
bool lh_flow_may_have(const struct lh_flow *flow, const char *p, size_t n)
{
	struct lh_str key;

	return !first_member(flow, p, n, &key) || lh_shard_has(&flow->shard, key.p, key.n) ||
	       lh_shard_has(&flow->shard, p, n);
}

int lh_flow_has(const struct lh_flow *flow, const struct lh_record *rec, const char *p, size_t n,
		struct lh_buf *scratch)
{
	const struct lh_value *v = lh_record_get(rec, key_name(flow));
	struct lh_str key = { p, n };

	lh_buf_reset(scratch);
	if (v && v->type == LH_NUMBER)
		key = (struct lh_str){ v->p, v->n };
	else if (v && v->type == LH_STRING)
		lh_value_str(v, scratch, &key);
	return lh_shard_has(&flow->shard, key.p, key.n);
}
