/* requests_add.c - add records to an index of a folder: all items of a request or none. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "requests.h"
#include "vector/vector_record.h"

/* ---- indexes that stay open ---- */

static void close_one(struct opened *o)
{
	lh_index_change_close(o->changes.c);
	lh_index_close(o->ix);
	free(o->path);
	*o = (struct opened){ .path = NULL };
}

void opened_close(struct requests *r, const char *path)
{
	size_t i;

	for (i = 0; i < OPEN_MAX; i++)
		if (r->opened[i].path && (!path || strcmp(r->opened[i].path, path) == 0))
			close_one(&r->opened[i]);
}

void opened_refresh(struct requests *r)
{
	size_t i;

	for (i = 0; i < OPEN_MAX; i++) {
		struct opened *o = &r->opened[i];
		struct lh_err err;

		if (!o->path)
			continue;
		/* The changes are stored, so a compaction that fails is not the next
		 * request's error. */
		if (changes_fold(&o->changes, r->jobs, r->settings->lock_timeout, &err) < 0 &&
		    lh_index_is_file(o->path))
			lh_tool_warn(r->tool, "%s", err.msg);
		if (!lh_stamp_fits(&o->file, o->path))
			close_one(o);
	}
}

/* Return the place of that path, or else the one to use for it. */
static struct opened *place(struct requests *r, const char *path)
{
	struct opened *oldest = r->opened;
	size_t i;

	for (i = 0; i < OPEN_MAX; i++) {
		struct opened *o = &r->opened[i];

		if (o->path && strcmp(o->path, path) == 0)
			return o;
		if (o->used < oldest->used)
			oldest = o;
	}
	return oldest;
}

static int open_one(struct requests *r, struct opened *o, struct lh_err *err)
{
	if (o->path)
		close_one(o);
	o->path = lh_strndup(r->path, strlen(r->path));
	lh_stamp_take(&o->file, o->path);
	if (changes_open(&o->changes, o->path, r->settings->lock_timeout, err) == 0)
		o->ix = lh_index_open(o->path, err);
	if (o->ix)
		return 0;
	close_one(o);
	return -1;
}

/* Return the index at r->path, open; NULL on error. */
static struct opened *open_index(struct requests *r, struct lh_err *err)
{
	struct opened *o = place(r, r->path);

	if ((!o->path || strcmp(o->path, r->path) != 0) && open_one(r, o, err) < 0)
		return NULL;
	o->used = r->n;
	return o;
}

/* Bring the length and the records of an index up to date. */
static int renew(struct opened *o, struct lh_err *err)
{
	struct lh_index *now = lh_index_renew(o->ix, err);

	if (!now)
		return -1;
	lh_index_close(o->ix);
	o->ix = now;
	return 0;
}

/* ---- items ---- */

struct item {
	struct lh_str id, model;
	struct lh_value vector, meta;
};
static const struct lh_bind item_members[] = {
	{ LH_BIND_ID("id", struct item, id), .required = true },
	{ LH_BIND_VALUE("vector", struct item, vector,
			LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING)),
	  .required = true, .what = "array of numbers or base64" },
	{ LH_BIND_OBJECT("metadata", struct item, meta) },
	{ LH_BIND_STRING("model", struct item, model) },
	LH_BIND_CLOSED
};

static const struct lh_bind each_item[] = {
	{ LH_BIND_ONLY("*", LH_BIND_TO_TABLE), .table = item_members, .required = true },
	LH_BIND_END
};
const struct lh_bind addition_members[] = {
	NAME(addition, name),
	{ LH_BIND_ARRAY("items", struct addition, items), .required = true, .filled = true,
	  .each = LH_BIND_IS(LH_OBJECT), .table = each_item },
	LH_SCOPE_MEMBER(struct addition, scope),
	LH_BIND_END
};

static bool is_empty(const struct lh_value *object)
{
	struct lh_iter it;

	lh_iter_init(&it, object);
	return !lh_iter_next(&it);
}

/* Refuse a record that would be beyond the scope, and an id that another record there has: to
 * replace that would change what is not to be seen. */
static int check_scope(struct requests *r, struct opened *o, const struct item *item,
		       struct lh_err *err)
{
	struct lh_row row = { .meta = { "", 0 } };
	int64_t at;

	if (!r->scope)
		return 0;
	at = lh_index_find(o->ix, item->id.p, item->id.n, err);
	if (at == -2 || (at >= 0 && lh_index_row(o->ix, (uint64_t)at, &row, err) < 0))
		return -1;
	if (at >= 0 && !requests_sees(r, row.meta))
		return lh_err_data(err, 409, "the id is taken");
	return requests_sees(r, item->meta.p ? (struct lh_str){ item->meta.p, item->meta.n }
					     : row.meta)
		? 0 : lh_err_data(err, 403, "its metadata is not of the records that this client "
				  "may see");
}

static int put_item(struct requests *r, struct opened *o, const struct item *item,
		    struct lh_err *err)
{
	struct row row = { .id = item->id, .model = item->model };

	if (check_scope(r, o, item, err) < 0)
		return -1;

	lh_buf_reset(&r->vector);
	if (lh_vector_record_vector(&item->vector, &r->vector, &row.n, err) < 0)
		return -1;
	row.vector = (const float *)(const void *)r->vector.p;
	if (item->meta.p) {
		row.meta = (struct lh_str){ item->meta.p, item->meta.n };
		row.clears = is_empty(&item->meta);
	}
	return changes_put(&o->changes, &row, err);
}

/* Gather all items; *n is their number. */
static int put_items(struct requests *r, struct opened *o, const struct lh_value *items,
		     uint64_t *n, struct lh_err *err)
{
	struct item item;
	struct lh_iter it;
	char where[32];

	*n = 0;
	for (lh_iter_init(&it, items); lh_iter_next(&it); ++*n) {
		item = (struct item){ .model = { "", 0 } };
		snprintf(where, sizeof where, "items[%llu]", (unsigned long long)*n);
		if (lh_bind_part(item_members, where, &it.val, &item, &r->item_text, err) < 0)
			return -1;
		if (put_item(r, o, &item, err) < 0)
			return lh_err_prefix(err, "%s", where);
	}
	return 0;
}

static int store(struct requests *r, struct opened *o, struct lh_err *err)
{
	bool due;

	if (lh_index_change_in_turn(o->changes.c, o->path, (unsigned)r->jobs,
				    r->settings->lock_timeout, &due, err) < 0)
		return -1;
	o->changes.fold |= due;
	return 0;
}


int requests_add(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct addition *a = in;
	struct lh_index_stats st;
	struct requests *r = requests_begin(call, out);
	struct opened *o;
	uint64_t n;

	if (requests_confine(r, &a->scope, err) < 0 || requests_find(r, a->name, err) < 0)
		return -1;
	o = open_index(r, err);
	if (!o)
		return -1;
	if (r->scope && renew(o, err) < 0) {
		close_one(o);
		return -1;
	}
	if (put_items(r, o, &a->items, &n, err) < 0 || store(r, o, err) < 0) {
		lh_index_change_discard(o->changes.c);
		if (err->code != LH_EDATA)
			close_one(o);
		return -1;
	}
	if (renew(o, err) < 0) {
		close_one(o);
		return -1;
	}
	lh_index_get_stats(o->ix, &st);
	lh_write_u64(&r->w, "added", n);
	requests_put_length(r, st.live);
	return requests_end(r);
}
