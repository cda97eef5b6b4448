/* find_lineage.c - what was made from rows of a root.  See find.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "find.h"
#include "lineage/lineage.h"
#include "lineage/person_ids.h"

/* A root that is searched. */
struct root {
	struct find *f;
	const char *path;		/* as it was given */
	struct lh_lineage *lineage;
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

static int compare_path(const void *path, const void *place)
{
	return strcmp(path, ((const struct place *)place)->path);
}

/* Return the number of the place with this path in a root; NO_HIT: it is in none. */
static size_t place_of(const struct root *r, const char *rel, struct lh_buf *path)
{
	const struct places *p = &r->f->s->places;
	size_t n = strlen(r->path);
	const struct place *found;

	while (n > 1 && r->path[n - 1] == '/')
		n--;
	lh_buf_reset(path);
	lh_buf_add(path, r->path, n);
	if (r->path[n - 1] != '/')
		lh_buf_putc(path, '/');
	lh_buf_puts(path, rel);
	lh_buf_putc(path, '\0');
	if (path->failed)
		return NO_HIT;
	found = bsearch(path->p, p->v, p->n, sizeof *p->v, compare_path);
	return found ? (size_t)(found - p->v) : NO_HIT;
}

/* Remember the names of a row that logs may have: its id, and that of its run. */
static int name_row(struct find *f, const struct lh_row_ids *ids, size_t hit)
{
	size_t s;

	if (ids->id.p && find_name(f, hit, ids->id) < 0)
		return -1;
	for (s = 0; s < ids->n_sides; s++)
		if (ids->side[s].run.p && find_name(f, hit, ids->side[s].run) < 0)
			return -1;
	return 0;
}

static int on_made(void *ctx, const struct lh_lineage_made *made, struct lh_err *err)
{
	struct root *r = ctx;
	struct find *f = r->f;
	struct hit hit = { .place = place_of(r, made->row.file, &f->text), .by = HIT_LINEAGE,
			   .line = made->row.line, .via = r->from[made->via] };
	struct lh_value v;

	if (hit.place == NO_HIT)
		return 0;
	if (made->rec) {
		v = (struct lh_value){ made->rec->line, made->rec->len, LH_OBJECT, false };
		if (person_match(f->who, &v, false, &f->m, err) < 0)
			return -1;
		hit.others = f->m.others;
		hit.hashed = true;
		row_hash((struct lh_str){ v.p, v.n }, hit.sha256);
	}
	hit_add(f, &hit, lh_str_of("[]"), (struct lh_str){ NULL, 0 });
	return made->ids && made->rec ? name_row(f, made->ids, f->hits->n - 1) : 0;
}

/* ---- a root ---- */

static int open_root(struct root *r)
{
	const struct settings *s = r->f->s;
	const struct lh_list none = { NULL, 0 };
	const struct lh_lineage_how how = {
		.root = r->path, .subjects = s->subjects, .decisions = &none, .every = true,
		.jobs = r->f->tool->jobs, .most = UINT64_MAX,
		.warn = on_warn, .ctx = r,
	};

	r->lineage = lh_lineage_open(&how, r->f->err);
	return r->lineage ? 0 : -1;
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

static int search_root(struct root *r)
{
	struct find *f = r->f;
	struct lh_lineage_row *rows = NULL;
	int rc;

	list_from(r, &rows);
	rc = lh_lineage_made(r->lineage, rows, r->n_from, on_made, r, f->err);
	free(rows);
	return rc;
}

static int find_in_root(struct find *f, const char *path)
{
	struct root r = { .f = f, .path = path };
	int rc = open_root(&r);

	if (!rc)
		rc = search_root(&r);
	if (!rc && r.unreadable.code) {
		*f->err = r.unreadable;
		rc = -1;
	}
	lh_lineage_close(r.lineage);
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
