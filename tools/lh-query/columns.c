/* columns.c - the columns of a table, from a sample of its records.  See query.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "query.h"
#include "value.h"

void columns_free(struct columns *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free((char *)c->v[i].member.p);
	}
	free(c->v);
	lh_table_free(&c->by_member);
	memset(c, 0, sizeof *c);
}

static struct lh_str member_of(const void *ctx, uint32_t number)
{
	return ((const struct columns *)ctx)->v[number].member;
}

static bool is_taken(const struct columns *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!strcasecmp(c->v[i].name, name))
			return true;
	return false;
}

bool column_may_be(struct lh_str name)
{
	return name.n && !memchr(name.p, 0, name.n);
}

/* SQL does not distinguish case: a name that differs from another only in that gets a
 * number, so that "Id" next to "id" is id_1. */
size_t columns_add(struct columns *c, struct lh_str member)
{
	char *name = lh_calloc(member.n + 24, 1);
	char *own = lh_strndup(member.p, member.n);
	unsigned i = 0;

	lh_grow(&c->v, &c->cap, c->n + 1, sizeof *c->v);
	memcpy(name, member.p, member.n);
	while (is_taken(c, name))
		snprintf(name + member.n, 24, "_%u", ++i);
	c->v[c->n] = (struct column){ .name = name, .member = { own, member.n } };
	return c->n++;
}

enum kind kind_join(enum kind a, enum kind b)
{
	if (a == b || b == KIND_NONE)
		return a;
	if (a == KIND_NONE)
		return b;
	if ((a == KIND_INT && b == KIND_REAL) || (a == KIND_REAL && b == KIND_INT))
		return KIND_REAL;
	return KIND_JSON;
}

static void sample_member(struct columns *c, struct lh_str name, const struct lh_value *v)
{
	enum kind kind = value_kind(v);
	int64_t at;

	if (!column_may_be(name))
		return;
	at = lh_table_find(&c->by_member, name, member_of, c);
	if (at < 0) {
		if (c->n == COLUMNS_MAX)
			return;
		at = (int64_t)columns_add(c, name);
		lh_table_set(&c->by_member, name, (uint32_t)at, member_of, c);
	}
	c->v[at].kind = kind_join(c->v[at].kind, kind);
	c->v[at].has_bool |= kind == KIND_BOOL;
	c->v[at].has_json |= kind == KIND_JSON;
}

void columns_sample(struct columns *c, const struct lh_record *rec)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str name;
	size_t i;

	for (i = 0; i < rec->n; i++) {
		lh_buf_reset(&text);
		lh_value_str(&rec->member[i].key, &text, &name);
		sample_member(c, name, &rec->member[i].val);
	}
}
