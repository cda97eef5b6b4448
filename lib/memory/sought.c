/* sought.c - the role and the place that a text asks for.  See sought.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sought.h"
#include "base/mem.h"
#include "index/index_tools.h"

#define KEPT 256	/* vocabularies */
#define LOOK 1000	/* rows; if none of them has a role, the index has none */

struct kept {
	struct lh_index_identity of;
	uint64_t rows;			/* that were looked at */
	uint64_t used;			/* the clock at its last use */
	struct lh_buf scope;
	bool roles;			/* a record has one, in the scope or not */
	struct lh_vocabulary v;
};

struct lh_vocabularies {
	pthread_mutex_t lock;
	struct kept kept[KEPT];
	size_t n;
	uint64_t clock;			/* counts the uses */
};

void lh_sought_reset(struct lh_sought *s)
{
	lh_buf_reset(&s->role);
	lh_buf_reset(&s->members);
}

void lh_sought_free(struct lh_sought *s)
{
	lh_buf_free(&s->role);
	lh_buf_free(&s->members);
}

void lh_sought_write(const struct lh_sought *s, struct lh_writer *w)
{
	if (s->members.len)
		lh_write_raw(w, NULL, (struct lh_str){ s->members.p, s->members.len });
}

struct lh_vocabularies *lh_vocabularies_new(void)
{
	struct lh_vocabularies *l = lh_calloc(1, sizeof *l);

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

static void forget(struct kept *k)
{
	lh_buf_free(&k->scope);
	lh_vocabulary_free(&k->v);
	*k = (struct kept){ .used = 0 };
}

void lh_vocabularies_free(struct lh_vocabularies *l)
{
	if (!l)
		return;
	while (l->n)
		forget(&l->kept[--l->n]);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* Return what is kept of an index for a filter; what was used longest ago makes room. */
static struct kept *find_kept(struct lh_vocabularies *l, const struct lh_index *ix,
			      struct lh_str scope)
{
	struct lh_index_identity of = lh_index_identity(ix);
	struct kept *k, *oldest = l->kept;

	for (k = l->kept; k < l->kept + l->n; k++) {
		if (lh_index_same(&k->of, &of) && k->scope.len == scope.n &&
		    (!scope.n || memcmp(k->scope.p, scope.p, scope.n) == 0))
			break;
		if (k->used < oldest->used)
			oldest = k;
	}
	if (k == l->kept + l->n) {
		k = l->n < KEPT ? &l->kept[l->n++] : oldest;
		forget(k);
		k->of = of;
		lh_buf_add(&k->scope, scope.p, scope.n);
	}
	k->used = ++l->clock;
	return k;
}

/* Learn from the rows that were not looked at yet. */
static void learn_rows(struct kept *k, const struct lh_index *ix, struct lh_filter *filter)
{
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 }, scratch = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	uint64_t n = lh_index_rows(ix);
	struct lh_value meta;
	struct lh_err unused;
	struct lh_row row;

	for (; k->rows < n && (k->roles || k->rows < LOOK); k->rows++) {
		if (lh_index_row(ix, k->rows, &row, &unused) <= 0 || !row.meta.n)
			continue;
		k->roles = k->roles || memmem(row.meta.p, row.meta.n, "\"role\"", 6);
		if (filter && lh_filter_match(filter, row.meta.p, row.meta.n, &unused) <= 0)
			continue;
		lh_buf_reset(&line);
		lh_buf_add(&line, row.meta.p, row.meta.n);
		if (lh_json_parse(&scan, line.p, line.len, &meta, &unused) == 0)
			lh_vocabulary_learn(&k->v, &meta, &scratch);
	}
}

static void put_member(struct lh_sought *s, const char *name, struct lh_str is)
{
	if (!is.n)
		return;
	lh_buf_printf(&s->members, "%s\"%s\":", s->members.len ? "," : "", name);
	lh_buf_json(&s->members, is.p, is.n);
}

/* Find it by the indexes. */
static void find_known(struct lh_sought *s, struct lh_vocabularies *l, struct lh_str text,
		       const struct lh_index *const *ix, size_t n, struct lh_str scope,
		       struct lh_filter *filter)
{
	LH_SCOPED(lh_buf_free) struct lh_buf why = { 0 };
	struct lh_str found[LH_SOUGHT_LISTS];
	const struct lh_vocabulary *known[KEPT];
	bool any = false;
	size_t i;

	for (i = 0; i < n && i < KEPT; i++) {
		struct kept *k = find_kept(l, ix[i], scope);

		learn_rows(k, ix[i], filter);
		known[i] = &k->v;
		any |= k->v.list[LH_SOUGHT_ROLE].key.n > 0;
	}
	if (!any)
		return;
	lh_vocabulary_find(known, i, text, found, &why);
	if (!found[LH_SOUGHT_ROLE].p) {
		put_member(s, "query_role_missing", why.len ? (struct lh_str){ why.p, why.len } :
			   lh_str_of("the text has no role that a record has"));
		return;
	}
	lh_buf_add(&s->role, found[LH_SOUGHT_ROLE].p, found[LH_SOUGHT_ROLE].n);
	put_member(s, "query_role", found[LH_SOUGHT_ROLE]);
	put_member(s, "query_city", found[LH_SOUGHT_CITY]);
	put_member(s, "query_state", found[LH_SOUGHT_STATE]);
}

void lh_sought_find(struct lh_sought *s, struct lh_vocabularies *l, struct lh_str text,
		    const struct lh_index *const *ix, size_t n, const struct lh_scope *scope,
		    struct lh_filter *filter)
{
	struct lh_str of = { NULL, 0 };

	if (scope && scope->filter.p)
		of = (struct lh_str){ scope->filter.p, scope->filter.n };
	lh_sought_reset(s);
	if (lh_role_extract(text.p, text.n, &s->role)) {
		put_member(s, "query_role", (struct lh_str){ s->role.p, s->role.len });
		return;
	}
	pthread_mutex_lock(&l->lock);
	find_known(s, l, text, ix, n, of, filter);
	pthread_mutex_unlock(&l->lock);
}
