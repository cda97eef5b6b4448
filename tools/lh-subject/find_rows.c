/* find_rows.c - rows of files of lines, and of datasets.  See find.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "catalog/catalog.h"
#include "file/file.h"
#include "find.h"
#include "flow/flow.h"
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
	size_t i, k;
	int rc = 0;

	for (i = 0; d->key_column.n && d->key_value.p && rc >= 0 && i < f->s->places.n; i++) {
		LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
		LH_SCOPED(lh_free_local) char *folder = NULL;

		rc = place_dataset(&f->s->places.v[i], &m, &folder, f->err);
		for (k = 0; rc > 0 && lh_str_is(m.name, d->name.p, d->name.n) &&
		     k < m.n_objects; k++)
			add_object(f, d, m.object[k].key);
	}
	return rc < 0 ? -1 : 0;
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
		f->hits->erased |= !rc && lh_str_is(m.status, "erased", 6);
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
	size_t named;			/* hits whose member of an archive is known */
};

/* What became of a line, for the sink. */
enum line { LINE_PASSED, LINE_HIT, LINE_UNREAD };

static struct lh_value value_of(struct lh_str s)
{
	static const uint8_t type[256] = {
		['{'] = LH_OBJECT, ['['] = LH_ARRAY, ['"'] = LH_STRING, ['t'] = LH_TRUE,
		['f'] = LH_FALSE, ['n'] = LH_NULL
	};
	const unsigned char c = (unsigned char)*s.p;

	return (struct lh_value){ s.p, s.n, type[c] || c == 'n' ? type[c] : LH_NUMBER,
				  memchr(s.p, '\\', s.n) != NULL };
}

/* Look at a value of a line, and make the hit of it: whether it has the person. */
static bool match_line(struct find *f, const struct place *p, const struct lh_value *v,
		       struct hit *h)
{
	const bool pair = find_is_named(f, p, v);
	bool is;

	if (!pair && person_is_quick(f->who) && !person_may_be_in(f->who, v->p, v->n))
		return false;
	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		is = person_match_bytes(f->who, v->p, v->n, &f->m);	/* a line of CSV */
	else
		is = person_match(f->who, v, p->kind == PLACE_ROSTER, &f->m);
	if (!is && !pair)
		return false;
	*h = hit_of_match(f, h->place, h->line, (struct lh_str){ v->p, v->n });
	h->by = pair ? HIT_ID : h->by;
	return true;
}

static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct lines *l = context;
	struct find *f = l->f;
	const struct place *p = &f->s->places.v[l->place];
	const struct lh_value v = value_of(lh_trim(rec->line, rec->len));
	struct hit h = { .place = l->place, .line = rec->number };

	(void)out, (void)err;
	if (!(f->by_name ? find_named_row(f, &v, &h) : match_line(f, p, &v, &h)))
		return 0;
	hit_add(f, h, match_members(f), NO_ID, (struct lh_str){ rec->line, rec->len });
	if (!f->by_name && p->kind == PLACE_LOG && h.by == HIT_ID)
		find_names_of(f, &v, f->hits->n - 1);
	*(enum line *)result = LINE_HIT;
	return 1;
}

/* Look at a line that is not JSON. */
static void bad(const struct lh_bad_line *of, void *result, struct lh_buf *out, void *context)
{
	struct lines *l = context;
	struct find *f = l->f;
	struct lh_str line;

	(void)out;
	if (f->by_name)
		return;
	*(enum line *)result = !of->p ? LINE_UNREAD
		: person_match_bytes(f->who, of->p, of->n, &f->m) ? LINE_HIT : LINE_PASSED;
	if (*(enum line *)result != LINE_HIT)
		return;
	line = (struct lh_str){ of->p, of->n };
	hit_add(f, hit_of_match(f, l->place, of->line, line), match_members(f), NO_ID, line);
}

static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct lines *l = shared;
	const enum line is = *(const enum line *)o->result;

	if (is == LINE_UNREAD)
		return lh_err_set(err, LH_EIO, "%s:%llu: the line is over the limit, and was not "
				  "searched", o->file, (unsigned long long)o->line);
	if (is == LINE_HIT && strcmp(o->file, l->f->s->places.v[l->place].path))
		l->f->hits->v[l->named].id = lh_strndup(o->file, strlen(o->file));
	l->named += is == LINE_HIT;
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

/* Run a flow over the lines of a place, which are any JSON values or any text. */
static int place_flow(struct place *p, struct lh_flow *flow, struct lh_err *err)
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
	struct lines l = { f, i, f->hits->n };
	struct lh_flow flow = { .fill = fill, .result_size = sizeof(enum line), .bad = bad,
				.sink = sink, .shared = &l, .lines = f->hits->kept };

	return place_flow(&f->s->places.v[i], &flow, f->err);
}
