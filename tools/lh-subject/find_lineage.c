/*
 * find_lineage.c - what belongs to rows that were found: what was made from them in a root, and
 * rows of logs that name them.  See find.h.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "find.h"
#include "lineage/lineage.h"

/* ---- names in logs ---- */

#define NAME_LEAST 8		/* bytes of a name that is searched in logs */
#define UID "uid:"

void find_name(struct find *f, size_t hit, struct lh_str name)
{
	uint32_t number;

	if (name.n < NAME_LEAST && strncmp(name.p, UID, name.n < 4 ? name.n : 4))
		return;
	if (lh_intern_add(&f->names, name.p, name.n, &number, f->err) < 0) {
		f->hits->incomplete = true;	/* there are 2^32 */
		return;
	}
	lh_grow(&f->named, &f->cap_named, f->names.n, sizeof hit);
	if (number + 1 == f->names.n)
		f->named[number] = hit;
}

/* Set *uid to "uid:" and the uid of the trace that an event of a pathway is about, or to "". */
static void set_uid(const struct lh_value *v, struct lh_buf *uid)
{
	struct lh_value op, trace, is;
	struct lh_str text;

	lh_buf_reset(uid);
	if (v->type != LH_OBJECT || !lh_value_get(v, "op", &op))
		return;
	if (!(lh_value_get(v, "trace", &trace) && trace.type == LH_OBJECT &&
	      lh_value_get(&trace, "uid", &is)) && !lh_value_get(v, "uid", &is))
		return;
	if (is.type != LH_STRING)
		return;
	lh_buf_puts(uid, UID);
	if (!is.escaped)
		lh_buf_add(uid, is.p + 1, is.n - 2);
	else
		lh_value_str(&is, uid, &text);
}

void find_names_of(struct find *f, const struct lh_value *v, size_t hit)
{
	LH_SCOPED(lh_buf_free) struct lh_buf uid = { 0 };
	struct lh_value id;

	set_uid(v, &uid);
	if (uid.len)
		find_name(f, hit, (struct lh_str){ uid.p, uid.len });
	if (v->type == LH_OBJECT && lh_value_get(v, "session_id", &id) && id.type == LH_STRING &&
	    !id.escaped)
		find_name(f, hit, (struct lh_str){ id.p + 1, id.n - 2 });
}

struct naming {
	struct find *f;
	struct lh_writer w;
	int64_t name;			/* that was found; -1: none */
};

static int on_name(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		   struct lh_err *err)
{
	struct naming *n = ctx;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	struct lh_str text;
	int64_t name;

	(void)id;
	lh_buf_reset(&n->f->text);
	if (v->type != LH_STRING || v->n < NAME_LEAST)
		return 0;
	lh_value_str(v, &n->f->text, &text);
	name = lh_intern_find(&n->f->names, text.p, text.n);
	if (name < 0)
		return 0;
	n->name = name;
	lh_person_path(at, &path, err);
	lh_write_str(&n->w, NULL, (struct lh_str){ path.p, path.len });
	return 0;
}

bool find_named_row(struct find *f, const struct lh_value *v, struct hit *h)
{
	LH_SCOPED(lh_buf_free) struct lh_buf members = { 0 }, uid = { 0 };
	struct naming n = { f, lh_write_to(&members), -1 };

	lh_write_array(&n.w, NULL);
	lh_person_walk(v, false, on_name, &n, f->err);
	lh_write_end(&n.w);
	set_uid(v, &uid);
	if (uid.len && n.name < 0)
		n.name = lh_intern_find(&f->names, uid.p, uid.len);
	if (n.name < 0)
		return false;
	person_match(f->who, v, false, &f->m);
	*h = hit_of_match(f, h->place, h->line, (struct lh_str){ v->p, v->n });
	h->by = HIT_LINEAGE;
	h->via = f->named[n.name];
	h->also = false;
	lh_buf_reset(&f->m.members);
	lh_buf_add(&f->m.members, members.p, members.len);
	return true;
}

int find_named(struct find *f)
{
	size_t i;
	int rc = 0;

	f->by_name = true;
	for (i = 0; !rc && f->names.n && i < f->s->places.n; i++)
		if (f->s->places.v[i].kind == PLACE_LOG)
			rc = find_lines(f, i);
	return rc;
}

/* ---- what was made from rows ---- */

/* A root that is searched. */
struct root {
	struct find *f;
	const char *path;		/* as it was given */
	size_t *from, n_from, cap_from;	/* the hits that rows are made from */
	struct lh_err unreadable;	/* why a file could not be read */
};

static void on_warn(void *ctx, bool unreadable, const char *text)
{
	struct root *r = ctx;

	if (!unreadable)
		lh_tool_verbose(r->f->tool, "%s", text);
	else if (!r->unreadable.code)
		lh_err_set(&r->unreadable, LH_EIO, "%s", text);
}

/* Return the number of the place with this path in a root; NO_HIT: it is in none. */
static size_t place_of(const struct root *r, const char *rel, struct lh_buf *path)
{
	const struct place *found;
	size_t n = strlen(r->path);

	while (n > 1 && r->path[n - 1] == '/')
		n--;
	lh_buf_reset(path);
	lh_buf_printf(path, "%.*s%s%s%c", (int)n, r->path, r->path[n - 1] == '/' ? "" : "/", rel,
		      '\0');
	found = place_named(r->f->s, path->p);
	return found ? (size_t)(found - r->f->s->places.v) : NO_HIT;
}

/* Add a row that was made from others, or a receipt, which has no record. */
static int on_made(void *ctx, const struct lh_lineage_made *made, struct lh_err *err)
{
	struct root *r = ctx;
	struct find *f = r->f;
	struct hit hit = { .place = place_of(r, made->row.file, &f->text), .by = HIT_LINEAGE,
			   .line = made->row.line, .via = r->from[made->via] };
	struct lh_str row = NO_ID;
	const struct lh_row_ids *ids = made->rec ? made->ids : NULL;
	struct lh_value v;
	size_t i;

	(void)err;
	if (hit.place == NO_HIT)
		return 0;
	if (made->rec) {
		row = (struct lh_str){ made->rec->line, made->rec->len };
		v = (struct lh_value){ row.p, row.n, LH_OBJECT, false };
		person_match(f->who, &v, false, &f->m);
		hit.others = f->m.others;
		hit.hashed = true;
		row_hash(row, hit.sha256);
	} else if (f->hits->kept) {
		if (find_read(f, hit.place) < 0)
			return -1;
		row = (struct lh_str){ f->text.p, f->text.len };
		hit.whole = true;
	}
	hit_add(f, hit, lh_str_of("[]"), NO_ID, row);
	/* logs may have its id, and that of its run */
	if (ids && ids->id.p)
		find_name(f, f->hits->n - 1, ids->id);
	for (i = 0; ids && i < ids->n_sides; i++)
		if (ids->side[i].run.p)
			find_name(f, f->hits->n - 1, ids->side[i].run);
	return 0;
}

/* List the hits in the root from which rows are made: of a text alone only if these are erased
 * too. */
static void list_from(struct root *r, struct lh_lineage_row **rows)
{
	const struct find *f = r->f;
	size_t i;

	r->n_from = 0;
	for (i = 0; i < f->hits->n; i++) {
		const struct hit *h = &f->hits->v[i];
		const struct place *p = &f->s->places.v[h->place];

		if (p->root != r->path || p->kind < PLACE_SOURCE || p->kind > PLACE_REPLAYS ||
		    h->by == HIT_LINEAGE || (h->by == HIT_TEXT && !f->s->text_too))
			continue;
		lh_grow(&r->from, &r->cap_from, r->n_from + 1, sizeof i);
		r->from[r->n_from++] = i;
	}
	*rows = lh_calloc(r->n_from + 1, sizeof **rows);
	for (i = 0; i < r->n_from; i++) {
		const struct hit *h = &f->hits->v[r->from[i]];
		const struct place *p = &f->s->places.v[h->place];

		(*rows)[i] = (struct lh_lineage_row){ p->path + p->rel, h->line };
	}
}

static int find_in_root(struct find *f, const char *path)
{
	struct root r = { .f = f, .path = path };
	const struct lh_list none = { NULL, 0 };
	const struct lh_lineage_how how = {
		.root = path, .subjects = f->s->subjects, .decisions = &none, .every = true,
		.jobs = f->tool->jobs, .most = UINT64_MAX, .warn = on_warn, .ctx = &r,
	};
	struct lh_lineage *lineage = lh_lineage_open(&how, f->err);
	LH_SCOPED(lh_free_local) struct lh_lineage_row *rows = NULL;
	int rc = -1;

	if (lineage) {
		list_from(&r, &rows);
		rc = lh_lineage_made(lineage, rows, r.n_from, on_made, &r, f->err);
	}
	if (!rc && r.unreadable.code) {
		*f->err = r.unreadable;
		rc = -1;
	}
	lh_lineage_close(lineage);
	free(r.from);
	return rc;
}

int find_in_roots(struct find *f)
{
	const struct settings *s = f->s;
	size_t i;
	int rc = s->state ? find_in_root(f, s->state) : 0;

	for (i = 0; !rc && i < s->root.n; i++)
		if (!s->state || strcmp(s->state, s->root.v[i]))
			rc = find_in_root(f, s->root.v[i]);
	return rc;
}
