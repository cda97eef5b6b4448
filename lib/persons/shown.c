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
	struct lh_err *err;
};

static int walk_value(struct walk *w, const struct lh_value *v, bool raw);

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

static void add_members(struct lh_persons_row *row, const struct lh_value *object)
{
	struct lh_iter it;

	for (lh_iter_init(&it, object); lh_iter_next(&it); )
		lh_persons_add_member(row, (struct lh_str){ it.key.p, it.key.n });
}

/* Add a person by an id in an object, whose members are shown. */
static int add_person(struct walk *w, const struct lh_value *id, const struct lh_value *object)
{
	struct lh_persons_row *row;
	struct lh_iter it;
	struct lh_str text;

	if (id->type == LH_ARRAY) {
		for (lh_iter_init(&it, id); lh_iter_next(&it); )
			if (add_person(w, &it.val, object) < 0)
				return -1;
		return 0;
	}
	if (id->type != LH_STRING && id->type != LH_NUMBER)
		return 0;
	read_id(w, id, &text);
	row = lh_persons_row_of(w->rows, w->a, text, w->err);
	if (!row)
		return -1;
	add_members(row, object);
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
		} else if (walk_value(w, &cell.val, false) < 0) {
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

	lh_buf_reset(&w->p->strings);
	lh_value_str(v, &w->p->strings, &s);
	if (!may_show(s))
		return 0;
	lh_buf_add(&text, s.p, s.n);
	if (lh_extract(w->p->extract, text.p, text.len, &found, w->err) <= 0)
		return 0;
	return walk_value(w, &found, true);
}

/* Add the persons whose ids an object has; an answer of a playbook is one if its corpus is. */
static int add_named(struct walk *w, const struct lh_value *v)
{
	struct lh_value corpus;
	struct lh_str name;
	struct lh_iter it;

	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (!lh_person_is_id(v, &it.key, &corpus))
			continue;
		lh_buf_reset(&w->p->strings);
		if (corpus.type == LH_STRING && corpus.p)
			lh_value_str(&corpus, &w->p->strings, &name);
		if (corpus.type == LH_STRING && corpus.p && !lh_persons_corpus(w->p, name))
			continue;
		if (add_person(w, &it.val, v) < 0)
			return -1;
	}
	return 0;
}

/* raw: inside the answer of a model. */
static int walk_value(struct walk *w, const struct lh_value *v, bool raw)
{
	struct lh_iter it;
	int rc = v->type == LH_OBJECT ? add_named(w, v) : 0;

	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); ) {
		if (it.val.type == LH_STRING && it.object && !raw && lh_value_is(&it.key, "raw", 3))
			rc = walk_raw(w, &it.val);
		else
			rc = walk_value(w, &it.val, raw);
	}
	return rc;
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
	return walk_value(w, &v, false);
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
