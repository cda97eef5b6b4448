/* shown.c - whose data an answer shows.  See persons_parts.h. */
#include "persons_parts.h"

#include "model/extract.h"
#include "json/bind.h"
#include "lineage/person_ids.h"

struct walk {
	struct lh_persons *p;
	struct lh_persons_rows *rows;
	const struct lh_persons_answer *a;
	bool unnamed;
	bool raw;			/* inside the answer of a model */
	struct lh_err *err;
};

static int walk_value(struct walk *w, const struct lh_value *v);

/* ---- a person ---- */

/* Set *id to the text of an id: a string or a number; an id with NUL is none. */
static void read_id(struct walk *w, const struct lh_value *v, struct lh_str *id)
{
	lh_buf_reset(&w->p->strings);
	*id = (struct lh_str){ v->p, v->n };
	if (v->type == LH_STRING)
		lh_value_str(v, &w->p->strings, id);
	if (memchr(id->p, '\0', id->n))
		id->n = 0;
}

/* Add a person by an id in an object, whose members are shown. */
static int add_person(struct walk *w, const struct lh_value *id, const struct lh_value *object)
{
	struct lh_persons_row *row;
	struct lh_iter it;
	struct lh_str text;

	read_id(w, id, &text);
	row = lh_persons_row_of(w->rows, w->a, text, w->err);
	if (!row)
		return -1;
	for (lh_iter_init(&it, object); lh_iter_next(&it); )
		lh_persons_add_member(row, (struct lh_str){ it.key.p, it.key.n });
	return 0;
}

/* ---- rows of SQL ---- */

static bool is_id_column(const struct lh_value *column)
{
	struct lh_value name;

	return column->type == LH_OBJECT && lh_value_get(column, "name", &name) &&
	       name.type == LH_STRING && name.n >= 2 &&
	       lh_person_column(name.p + 1, name.n - 2);
}

/* Add a person of a row: all columns are shown. */
static int add_cell(struct walk *w, const struct lh_value *cell, const struct lh_value *columns)
{
	struct lh_persons_row *row;
	struct lh_value name;
	struct lh_str id;
	struct lh_iter it;

	if (cell->type != LH_STRING && cell->type != LH_NUMBER) {
		w->unnamed = true;
		return 0;
	}
	read_id(w, cell, &id);
	row = lh_persons_row_of(w->rows, w->a, id, w->err);
	if (!row)
		return -1;
	for (lh_iter_init(&it, columns); lh_iter_next(&it); )
		if (it.val.type == LH_OBJECT && lh_value_get(&it.val, "name", &name))
			lh_persons_add_member(row, (struct lh_str){ name.p, name.n });
	return 0;
}

static int walk_row(struct walk *w, const struct lh_value *row, const struct lh_value *columns)
{
	struct lh_iter cell, column;

	lh_iter_init(&column, columns);
	for (lh_iter_init(&cell, row); lh_iter_next(&cell); ) {
		if (lh_iter_next(&column) && is_id_column(&column.val)) {
			if (add_cell(w, &cell.val, columns) < 0)
				return -1;
		} else if (walk_value(w, &cell.val) < 0) {
			return -1;
		}
	}
	return 0;
}

/* Walk the rows of an answer of SQL: 1; 0 if it is none. */
static int walk_rows(struct walk *w, const struct lh_value *body)
{
	struct lh_value columns, rows;
	struct lh_iter it;

	if (!lh_value_get(body, "columns", &columns) || columns.type != LH_ARRAY ||
	    !lh_value_get(body, "rows", &rows) || rows.type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, &rows); lh_iter_next(&it); )
		if (it.val.type == LH_ARRAY && walk_row(w, &it.val, &columns) < 0)
			return -1;
	return 1;
}

/* ---- any other answer ---- */

/* Return whether a text may show a person: it names an id, maybe by an escape. */
static bool may_show(struct lh_str s)
{
	return memmem(s.p, s.n, "_id\"", 4) || memmem(s.p, s.n, "\\u", 2) ||
	       memmem(s.p, s.n, "\"subject\"", 9) || memmem(s.p, s.n, "\"columns\"", 9);
}

/* Walk the object that the answer of a model holds. */
static int walk_raw(struct walk *w, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s = { NULL, 0 };
	struct lh_value found;
	int rc;

	lh_buf_reset(&w->p->strings);
	lh_value_str(v, &w->p->strings, &s);
	if (!may_show(s))
		return 0;
	lh_buf_add(&text, s.p, s.n);
	if (lh_extract(w->p->extract, text.p, text.len, &found, w->err) <= 0)
		return 0;
	w->raw = true;
	rc = walk_value(w, &found);
	w->raw = false;
	return rc;
}

/* Add a person whose id it is; an answer of a playbook is one if its corpus is. */
static int on_scalar(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		     struct lh_err *err)
{
	const struct lh_value *in;
	struct walk *w = ctx;
	struct lh_value corpus;
	struct lh_str name;

	(void)err;
	if (!w->raw && v->type == LH_STRING && at && at->key.p && v != &at->key &&
	    lh_value_is(&at->key, "raw", 3))
		return walk_raw(w, v);
	if (!lh_person_of(at, id, &in, &corpus))
		return 0;
	if (corpus.p && corpus.type == LH_STRING) {
		read_id(w, &corpus, &name);
		if (!lh_persons_corpus(w->p, name))
			return 0;
	}
	return add_person(w, v, in);
}

static int walk_value(struct walk *w, const struct lh_value *v)
{
	return lh_person_walk(v, false, on_scalar, w, w->err);
}

static int walk_text(struct walk *w, struct lh_str text)
{
	struct lh_value v;
	int rc;

	if (!text.n || !may_show(text))
		return 0;
	if (lh_json_parse(&w->p->body, text.p, text.n, &v, w->err) < 0) {
		w->unnamed |= w->err->code == LH_EDATA;
		return w->err->code == LH_EDATA ? 0 : -1;
	}
	rc = v.type == LH_OBJECT ? walk_rows(w, &v) : 0;
	if (rc)
		return rc < 0 ? -1 : 0;
	return walk_value(w, &v);
}

/* Take the persons whose data the filter says it has used. */
static int walk_used(struct walk *w)
{
	struct lh_value all, id, corpus, members;
	struct lh_iter it, member;
	struct lh_persons_row *row;
	struct lh_str text;

	if (lh_json_parse(&w->p->body, w->a->used.p, w->a->used.n, &all, w->err) < 0)
		return -1;
	for (lh_iter_init(&it, &all); lh_iter_next(&it); ) {
		if (!lh_value_get(&it.val, "id", &id) ||
		    !lh_value_get(&it.val, "members", &members))
			return lh_err_data(w->err, 502, "an answer of another form");
		if (lh_value_get(&it.val, "corpus", &corpus) && corpus.type == LH_STRING) {
			read_id(w, &corpus, &text);
			if (!lh_persons_corpus(w->p, text))
				continue;
		}
		read_id(w, &id, &text);
		row = lh_persons_row_of(w->rows, w->a, text, w->err);
		if (!row)
			return -1;
		for (lh_iter_init(&member, &members); lh_iter_next(&member); )
			lh_persons_add_member(row, (struct lh_str){ member.val.p, member.val.n });
	}
	return 0;
}

int lh_persons_find(struct lh_persons_rows *r, const struct lh_persons_answer *a,
		    bool *unnamed, struct lh_err *err)
{
	struct walk w = { .p = r->persons, .rows = r, .a = a, .unnamed = a->unnamed,
			  .err = err };

	if (a->route && lh_route_lists(a->route, "uses", NULL) && walk_text(&w, a->asked) < 0)
		return -1;
	if ((a->used.n ? walk_used(&w) : walk_text(&w, a->body)) < 0)
		return -1;
	*unnamed = w.unnamed;
	return 0;
}
