/* vocabulary.c - the role that a text asks for, by its wording or by the roles and cities that the
 * records have.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "staffing/staffing.h"
#include "search.h"

void vocabulary_init(struct vocabulary *v)
{
	pthread_mutex_init(&v->lock, NULL);
}

void vocabulary_free(struct vocabulary *v)
{
	lh_vocabulary_free(&v->of);
	pthread_mutex_destroy(&v->lock);
}

/* Collect the values of role and city of an index, once for each generation of it. */
static void learn_index(struct worker *w, struct opened *o)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct vocabulary *v = &o->vocabulary;
	uint64_t i, n = lh_index_rows(o->ix);
	struct lh_value meta;
	struct lh_err unused;
	struct lh_row row;

	pthread_mutex_lock(&v->lock);
	for (i = 0; !v->known && i < n; i++) {
		if (lh_index_row(o->ix, i, &row, &unused) <= 0 || !row.meta.n)
			continue;
		lh_buf_reset(&w->entry);
		lh_buf_add(&w->entry, row.meta.p, row.meta.n);
		if (lh_json_parse(&w->scan, w->entry.p, w->entry.len, &meta, &unused) < 0)
			continue;
		lh_vocabulary_learn(&v->of, &meta, &scratch);
	}
	v->known = true;
	pthread_mutex_unlock(&v->lock);
}

void make_role(struct worker *w)
{
	struct query_reader *r = &w->reader;
	struct query *q = &r->q;
	struct lh_str role = { NULL, 0 }, city = { NULL, 0 };
	bool roles = false, marked;
	size_t i;

	if (q->role.n || !q->text.p)
		return;
	lh_buf_reset(&r->role);
	lh_buf_reset(&r->role_why);
	marked = lh_role_extract(q->text.p, q->text.n, &r->role, &r->role_why);
	/* Values of records beyond a scope would show that these exist. */
	for (i = 0; !marked && !role.p && !q->scope.filter.p && i < w->n_chosen; i++) {
		learn_index(w, w->chosen[i]->open);
		lh_vocabulary_find(&w->chosen[i]->open->vocabulary.of, q->text, &role, &city);
		roles |= w->chosen[i]->open->vocabulary.of.roles.key.n > 0;
	}
	if (role.p) {
		lh_buf_reset(&r->role_why);
		lh_buf_reset(&r->role);
		lh_buf_add(&r->role, role.p, role.n);
	} else if (roles && !r->role_why.len && !r->role.len) {
		lh_buf_puts(&r->role_why, "the text has no role that a record has");
	}
	q->role_why = (struct lh_str){ r->role_why.p, r->role_why.len };
	q->role = (struct lh_str){ r->role.p, r->role.len };
	q->role_made = r->role.len > 0;
	q->city = role.p ? city : (struct lh_str){ NULL, 0 };
}
