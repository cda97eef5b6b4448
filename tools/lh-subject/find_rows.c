/* find_rows.c - rows of files of lines, of datasets and of what was made from them.  See find.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "file/file.h"
#include "find.h"
#include "flow/flow.h"
#include "lineage/lineage.h"
#include "lineage/person_ids.h"
#include "store/store.h"

/* ---- rows that the manifest of the person names ---- */

static char *copy(struct lh_str s)
{
	return lh_strndup(s.p, s.n);
}

static void add_object(struct find *f, const struct lh_dataset *d, struct lh_str key)
{
	struct key_value *kv;

	lh_grow(&f->dataset, &f->cap_datasets, f->n_datasets + 1, sizeof *kv);
	kv = &f->dataset[f->n_datasets++];
	*kv = (struct key_value){ copy(key), copy(d->key_column), copy(d->key_value) };
}

/* Add the objects of a dataset, from the catalogs that are places. */
static int add_dataset(struct find *f, const struct lh_dataset *d)
{
	struct lh_catalog_dataset m = { 0 };
	char id[LH_DATASET_ID + 1];
	size_t i, k;
	int rc = 0;

	if (!d->key_column.n || !d->key_value.p || lh_dataset_name_check(d->name, f->err) < 0)
		return 0;
	lh_dataset_id(d->name, id);
	for (i = 0; !rc && i < f->s->places.n; i++) {
		const struct place *p = &f->s->places.v[i];
		const char *name = strrchr(p->path, '/');
		LH_SCOPED(lh_free_local) char *folder = NULL;

		if (p->kind != PLACE_DATASET || !name || strncmp(name + 1, id, LH_DATASET_ID))
			continue;
		folder = lh_strndup(p->path, (size_t)(name - p->path));
		rc = lh_catalog_get(folder, d->name, &m, f->err);
		for (k = 0; !rc && k < m.n_objects; k++)
			add_object(f, d, m.object[k].key);
	}
	lh_catalog_dataset_free(&m);
	return rc;
}

int find_datasets(struct find *f)
{
	struct lh_manifest m = { .n_datasets = 0 };
	size_t i, d;
	int rc = 0;

	for (i = 0; !rc && i < f->s->places.n; i++) {
		const struct place *p = &f->s->places.v[i];

		if (p->kind != PLACE_MANIFEST || !place_is_own(p, f->who->id))
			continue;
		rc = lh_manifest_read(&m, p->path, f->err);
		for (d = 0; !rc && d < m.n_datasets; d++)
			rc = add_dataset(f, &m.dataset[d]);
		lh_manifest_free(&m);
	}
	return rc < 0 ? -1 : 0;
}

void find_datasets_free(struct find *f)
{
	while (f->n_datasets) {
		struct key_value *kv = &f->dataset[--f->n_datasets];

		free(kv->key);
		free(kv->column);
		free(kv->value);
	}
	free(f->dataset);
}

/* Return whether a row of an object is one that the person's manifest names. */
static bool find_is_named(const struct find *f, const struct place *p, const struct lh_value *v)
{
	const size_t n = strlen(p->path);
	struct lh_value cell;
	size_t i, k;

	for (i = 0; p->kind == PLACE_OBJECT && v->type == LH_OBJECT && i < f->n_datasets; i++) {
		const struct key_value *d = &f->dataset[i];
		const struct lh_str value = lh_str_of(d->value);

		k = strlen(d->key);
		if (n <= k || p->path[n - k - 1] != '/' || strcmp(p->path + n - k, d->key) ||
		    !lh_value_get(v, d->column, &cell))
			continue;
		if (cell.type == LH_STRING ? lh_value_is(&cell, value.p, value.n)
					   : lh_str_is((struct lh_str){ cell.p, cell.n }, value.p,
						       value.n))
			return true;
	}
	return false;
}

/* ---- lines ---- */

struct lines {
	struct find *f;
	size_t place;
};

/* Of a line: what was found, or that it is over the limit.  Its text is the members, and after
 * them names of the row, each after a NUL. */
struct line {
	enum hit_by by;
	size_t others, via, members;
	bool also, unread;
	unsigned char sha256[LH_HASH_SIZE];
};

#define NAME_LEAST 8		/* bytes of a name that is searched in logs */
#define UID "uid:"

/* Return whether a line may have something of the person, by its bytes: of a text with escapes
 * that is not known. */
static bool may_have(const struct find *f, const char *p, size_t n)
{
	return !person_is_quick(f->who) || memchr(p, '\\', n) || memchr(p, '%', n) ||
	       memmem(p, n, f->who->id.p, f->who->id.n);
}

static struct lh_value value_of(const struct lh_record *rec)
{
	static const uint8_t type[256] = {
		['{'] = LH_OBJECT, ['['] = LH_ARRAY, ['"'] = LH_STRING, ['t'] = LH_TRUE,
		['f'] = LH_FALSE, ['n'] = LH_NULL
	};
	const unsigned char c = (unsigned char)*rec->line;

	return (struct lh_value){ rec->line, rec->len, type[c] || c == 'n' ? type[c] : LH_NUMBER,
				  memchr(rec->line, '\\', rec->len) != NULL };
}

/* ---- names ---- */

/* Remember a name of a hit: an id of a row or a run, that of a session, or "uid:" and that of a
 * trace. */
static int find_name(struct find *f, size_t hit, struct lh_str name)
{
	uint32_t number;

	if (name.n < NAME_LEAST && strncmp(name.p, UID, name.n < 4 ? name.n : 4))
		return 0;
	if (lh_intern_add(&f->names, name.p, name.n, &number, f->err) < 0)
		return -1;
	lh_grow(&f->named, &f->cap_named, f->names.n, sizeof hit);
	if (number + 1 == f->names.n)
		f->named[number] = hit;
	return 0;
}

/* Append the uid of the trace that an event of a pathway is about. */
static int add_uid(const struct lh_value *v, struct lh_buf *to)
{
	struct lh_value op, trace, uid;
	struct lh_str text;

	if (v->type != LH_OBJECT || !lh_value_get(v, "op", &op))
		return 0;
	if (!(lh_value_get(v, "trace", &trace) && trace.type == LH_OBJECT &&
	      lh_value_get(&trace, "uid", &uid)) && !lh_value_get(v, "uid", &uid))
		return 0;
	if (uid.type != LH_STRING)
		return 0;
	lh_buf_puts(to, UID);
	if (!uid.escaped)
		lh_buf_add(to, uid.p + 1, uid.n - 2);
	else
		lh_value_str(&uid, to, &text);
	return 1;
}

/* Append the names of a row of a log that was found. */
static int add_names(const struct lh_value *v, struct lh_buf *out)
{
	struct lh_value id;
	struct lh_buf uid = { 0 };
	int rc = add_uid(v, &uid);

	if (rc > 0) {
		lh_buf_putc(out, '\0');
		lh_buf_add(out, uid.p, uid.len);
	}
	lh_buf_free(&uid);
	if (v->type == LH_OBJECT && lh_value_get(v, "session_id", &id) && id.type == LH_STRING &&
	    !id.escaped) {
		lh_buf_putc(out, '\0');
		lh_buf_add(out, id.p + 1, id.n - 2);
	}
	return rc < 0 ? -1 : 0;
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
	struct lh_str text;
	struct lh_buf path = { 0 };
	int64_t name;
	int rc;

	(void)id;
	lh_buf_reset(&n->f->text);
	if (v->type != LH_STRING || v->n < NAME_LEAST)
		return 0;
	lh_value_str(v, &n->f->text, &text);
	name = lh_intern_find(&n->f->names, text.p, text.n);
	if (name < 0)
		return 0;
	n->name = name;
	rc = lh_person_path(at, &path, err);
	if (!rc)
		lh_write_str(&n->w, NULL, (struct lh_str){ path.p, path.len });
	lh_buf_free(&path);
	return rc;
}

/* Look for names in a row: append the members that have one. */
static int fill_named(struct find *f, const struct lh_value *v, struct line *line,
		      struct lh_buf *out, struct lh_err *err)
{
	struct naming n = { f, lh_write_to(out), -1 };
	const size_t from = out->len;
	struct lh_buf uid = { 0 };
	int rc;

	lh_write_array(&n.w, NULL);
	rc = lh_person_walk(v, false, on_name, &n, err);
	if (!rc)
		rc = add_uid(v, &uid);
	if (rc > 0 && n.name < 0)
		n.name = lh_intern_find(&f->names, uid.p, uid.len);
	lh_write_end(&n.w);
	lh_buf_free(&uid);
	if (rc < 0 || n.name < 0) {
		out->len = from;
		return rc < 0 ? -1 : 0;
	}
	*line = (struct line){ .by = HIT_LINEAGE, .via = f->named[n.name],
			       .members = out->len - from };
	row_hash((struct lh_str){ v->p, v->n }, line->sha256);
	rc = person_match(f->who, v, false, &f->m, err);
	line->others = f->m.others;
	return rc < 0 ? -1 : 1;
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

/* ---- lines ---- */

static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct lines *l = context;
	struct find *f = l->f;
	const struct place *p = &f->s->places.v[l->place];
	const struct lh_value v = value_of(rec);
	struct line *line = result;
	const bool pair = find_is_named(f, p, &v);
	int rc;

	if (f->by_name)
		return fill_named(f, &v, line, out, err);
	if (!pair && !may_have(f, rec->line, rec->len))
		return 0;
	if (v.type != LH_OBJECT && v.type != LH_ARRAY)
		rc = person_match_bytes(f->who, v.p, v.n, &f->m);	/* a line of CSV */
	else
		rc = person_match(f->who, &v, p->kind == PLACE_ROSTER, &f->m, err);
	if (rc < 0 || (!rc && !pair))
		return rc;
	*line = (struct line){ pair ? HIT_ID : match_by(&f->m), f->m.others, NO_HIT,
			       f->m.members.len, f->m.also, false, "" };
	row_hash((struct lh_str){ rec->line, rec->len }, line->sha256);
	lh_buf_add(out, f->m.members.p, f->m.members.len);
	if (p->kind == PLACE_LOG && line->by == HIT_ID && add_names(&v, out) < 0)
		return -1;
	return 1;
}

/* Look at a line that is not JSON. */
static void bad(const struct lh_bad_line *of, void *result, struct lh_buf *out, void *context)
{
	struct find *f = ((struct lines *)context)->f;
	struct line *line = result;
	int rc;

	*line = (struct line){ .via = NO_HIT };
	if (f->by_name)
		return;
	rc = of->p ? person_match_bytes(f->who, of->p, of->n, &f->m) : -1;
	*line = (struct line){ match_by(&f->m), f->m.others, NO_HIT, f->m.members.len,
			       f->m.also, rc < 0, "" };
	if (rc > 0)
		row_hash((struct lh_str){ of->p, of->n }, line->sha256);
	if (rc > 0)
		lh_buf_add(out, f->m.members.p, f->m.members.len);
}

static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct lines *l = shared;
	const char *path = l->f->s->places.v[l->place].path;
	const struct line *line = o->result;
	struct hit hit = { .place = l->place, .by = line->by, .line = o->line,
			   .others = line->others, .via = line->via, .also = line->also };
	struct lh_str name;

	hit.hashed = true;
	memcpy(hit.sha256, line->sha256, sizeof hit.sha256);
	if (line->unread)
		return lh_err_set(err, LH_EIO, "%s:%llu: the line is over the limit, and was not "
				  "searched", o->file, (unsigned long long)o->line);
	if (!o->n)
		return 0;
	hit_add(l->f, &hit, (struct lh_str){ o->text, line->members },
		strcmp(o->file, path) ? lh_str_of(o->file) : (struct lh_str){ NULL, 0 });
	for (name.p = o->text + line->members; name.p < o->text + o->n; name.p += name.n) {
		name.p++;
		name.n = strnlen(name.p, (size_t)(o->text + o->n - name.p));
		if (find_name(l->f, l->f->hits->n - 1, name) < 0)
			return -1;
	}
	return 0;
}

/* Return whether an open file is to be read as it is: it is not one of these tools, and not
 * compressed. */
static bool is_plain(const struct place *p, int fd)
{
	char head[LH_ARCHIVE_SNIFF];
	ssize_t n;

	if (p->kind != PLACE_OTHER && p->kind != PLACE_SPOOL && p->kind != PLACE_TREE)
		return false;
	n = pread(fd, head, sizeof head, 0);
	return n <= 0 || !lh_archive_kind(head, (size_t)n);
}

int place_flow(struct place *p, struct lh_flow *flow, struct lh_err *err)
{
	int fd, rc;

	flow->files = &p->path;
	flow->n_files = flow->jobs = 1;
	flow->values = true;
	if (p->store && lh_store_is_s3(p->store))
		return lh_flow_run(flow, err);
	fd = lh_open_regular(p->path, O_RDONLY, 0, err);
	if (fd < 0)	/* a temporary file that has just been removed */
		return p->kind == PLACE_SPOOL && errno == ENOENT ? 0 : -1;
	flow->plain = is_plain(p, fd);
	rc = lh_flow_fd(p->path, fd, flow, err);
	close(fd);
	return rc;
}

int find_lines(struct find *f, size_t i)
{
	struct lines l = { f, i };
	struct lh_flow flow = { .fill = fill, .result_size = sizeof(struct line), .bad = bad,
				.sink = sink, .shared = &l };

	return place_flow(&f->s->places.v[i], &flow, f->err);
}

/* ---- what was made from rows ---- */

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
