/* find_dataset.c - the rows of datasets that a person's manifest names.  See find.h. */
#include <stdlib.h>

#include "audit/subject_manifest.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "find.h"

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

bool find_is_named(const struct find *f, const struct place *p, const struct lh_value *v)
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
