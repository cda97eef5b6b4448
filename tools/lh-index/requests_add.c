/* requests_add.c - add records to an index of a folder: all items of a request or none. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "embed/embedder.h"
#include "json/bind.h"
#include "model/http.h"
#include "requests.h"
#include "vector/vector_record.h"

/* ---- indexes that stay open ---- */

static void close_one(struct opened *o)
{
	lh_index_change_close(o->changes.c);
	lh_index_close(o->ix);
	lh_embedder_free(o->texts);
	free(o->of.name);
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
	o->of.is = -1;
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
	struct lh_str id, model, text;
	struct lh_value vector, text_json, meta;
};
static const struct lh_bind item_members[] = {
	{ LH_BIND_ID("id", struct item, id), .required = true },
	{ LH_BIND_VALUE("vector", struct item, vector,
			LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING)),
	  .what = "array of numbers or base64", .either = 1 },
	{ LH_BIND_STRING("text", struct item, text), .filled = true, .either = 1,
	  .as_written = LH_BIND_FIELD(struct item, text_json), .meant = "content|document",
	  .about = "without a vector, it is embedded by the engine of the index" },
	{ LH_BIND_OBJECT("metadata", struct item, meta), .about = "without it, the text" },
	{ LH_BIND_STRING("model", struct item, model) },
	LH_BIND_CLOSED
};

static const struct lh_bind each_item[] = {
	{ LH_BIND_ONLY("*", LH_BIND_TO_TABLE), .table = item_members, .required = true },
	LH_BIND_END
};
const struct lh_bind addition_members[] = {
	NAME(addition, name), LH_TRACE_MEMBER(struct addition, trace),
	{ LH_BIND_ARRAY("items", struct addition, items), .required = true, .filled = true,
	  .each = LH_BIND_IS(LH_OBJECT), .table = each_item },
	LH_SCOPE_MEMBER(struct addition, scope),
	LH_BIND_END
};

/* Read an item; those of a request are read twice, first for their texts. */
static int read_item(struct requests *r, const struct lh_iter *it, uint64_t n, struct item *item,
		     char where[32], struct lh_err *err)
{
	*item = (struct item){ .model = { "", 0 } };
	snprintf(where, 32, "items[%llu]", (unsigned long long)n);
	if (lh_bind_part(item_members, where, &it->val, item, &r->item_text, err) < 0)
		return -1;
	if (!item->vector.p && !item->text.p)
		return lh_err_set(err, LH_EDATA, "%s: missing \"vector\" (array of numbers or "
				  "base64) or \"text\"", where);
	return 0;
}

/* Start the engine of an index, by what the index says of it. */
static int start_engine(struct requests *r, struct opened *o, const char *where,
			struct lh_err *err)
{
	const struct lh_index_params *p = lh_index_change_params(o->changes.c);

	if (o->texts)
		return 0;
	if (!*p->engine)
		return lh_err_set(err, LH_EDATA, "%s: the index has no engine to embed text with: "
				  "give a vector", where);
	o->texts = lh_embedder_new(&(struct lh_embedder_options){
		.engine = p->engine, .model = p->model, .url = p->url, .prefix = p->prefix,
		.dimension = p->dimension, .jobs = r->jobs }, err);
	return o->texts ? 0 : -1;
}

/* Collect the texts of all items that have no vector, each with its length before it. */
static int collect(struct requests *r, struct opened *o, const struct lh_value *items, size_t *n,
		   struct lh_err *err)
{
	struct item item;
	struct lh_iter it;
	uint64_t at = 0;
	char where[32];

	*n = 0;
	lh_buf_reset(&r->texts);
	for (lh_iter_init(&it, items); lh_iter_next(&it); at++) {
		if (read_item(r, &it, at, &item, where, err) < 0)
			return -1;
		if (item.vector.p)
			continue;
		if (start_engine(r, o, where, err) < 0)
			return -1;
		lh_buf_add(&r->texts, &item.text.n, sizeof item.text.n);
		lh_buf_add(&r->texts, item.text.p, item.text.n);
		++*n;
	}
	return 0;
}

/* Embed the texts of all items at once, in batches of the engine's, to r->vector. */
static int embed(struct requests *r, struct opened *o, size_t n, struct lh_str trace,
		 struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_str *text = lh_calloc(n + 1, sizeof *text);
	const struct lh_index_params *p = lh_index_change_params(o->changes.c);
	const char *at = r->texts.p;
	uint32_t dimension;
	size_t i;

	lh_buf_reset(&r->vector);
	for (i = 0; i < n; i++, at += text[i - 1].n) {
		memcpy(&text[i].n, at, sizeof text[i].n);
		text[i].p = at += sizeof text[i].n;
	}
	if (!n || lh_embedder_ask(o->texts, &(struct lh_embedder_ask){
			.text = text, .n = n, .trace = trace }, &r->vector, &dimension, err) == 0)
		return !n || dimension == p->dimension ? 0 :
			lh_err_data(err, 502, "engine %s made dimension %u, the index has %u",
				    p->engine, dimension, p->dimension);
	return -1;
}

static bool is_empty(const struct lh_value *object)
{
	return !lh_value_count(object);
}

/* Set the row's metadata to that of the item, or to an object of its text. */
static void set_meta(struct requests *r, const struct item *item, struct row *row)
{
	struct lh_writer w;

	if (item->meta.p) {
		row->meta = (struct lh_str){ item->meta.p, item->meta.n };
		row->clears = is_empty(&item->meta);
	} else if (item->text.p) {
		lh_buf_reset(&r->meta);
		w = lh_write_to(&r->meta);
		lh_write_object(&w, NULL);
		lh_write_value(&w, "text", &item->text_json);
		lh_write_end(&w);
		row->meta = (struct lh_str){ r->meta.p, r->meta.len };
	}
}

/* Refuse a record that would be beyond the scope, and an id that another record there has: to
 * replace that would change what is not to be seen. */
static int check_scope(struct requests *r, struct opened *o, const struct row *row,
		       struct lh_err *err)
{
	struct lh_row old = { .meta = { "", 0 } };
	int64_t at;

	if (!r->scope)
		return 0;
	at = lh_index_find(o->ix, row->id.p, row->id.n, err);
	if (at == -2 || (at >= 0 && lh_index_row(o->ix, (uint64_t)at, &old, err) < 0))
		return -1;
	if (at >= 0 && !requests_sees(r, old.meta))
		return lh_err_data(err, 409, "the id is taken");
	return requests_sees(r, row->meta.p ? row->meta : old.meta)
		? 0 : lh_err_data(err, 403, "its metadata is not of the records that this client "
				  "may see");
}

/* Put an item, whose vector is made if it has none; whose data they are is noted. */
static int put_item(struct requests *r, struct opened *o, const struct item *item,
		    const float *made, bool of_persons, struct lh_err *err)
{
	const uint32_t dimension = lh_index_change_params(o->changes.c)->dimension;
	LH_SCOPED(lh_buf_free) struct lh_buf vector = { 0 };
	struct row row = { .id = item->id, .model = item->model, .vector = made, .n = dimension };

	if (item->vector.p) {
		if (lh_vector_record_vector(&item->vector, &vector, &row.n, err) < 0)
			return -1;
		row.vector = (const float *)(const void *)vector.p;
	}
	set_meta(r, item, &row);
	if (check_scope(r, o, &row, err) < 0)
		return -1;
	if (r->settings->attribute)
		lh_persons_used_record(&r->used, of_persons, row.id, row.meta, NULL);
	return changes_put(&o->changes, &row, err);
}

/* A model or a service that fails is not the fault of the request, nor of the index. */
static void engine_failed(struct opened *o, struct lh_err *err)
{
	if (err->code == LH_EDATA)
		return;
	lh_embedder_free(o->texts);
	o->texts = NULL;
	err->code = LH_EDATA;
	err->status = 502;
	lh_err_prefix(err, "cannot embed the texts");
}

/* Gather all items; *n is their number. */
static int put_items(struct requests *r, struct opened *o, const struct addition *a, uint64_t *n,
		     struct lh_err *err)
{
	const uint32_t dimension = lh_index_change_params(o->changes.c)->dimension;
	const bool of_persons = r->settings->attribute &&
		(requests_names(&r->settings->persons, a->name) ||
		 lh_persons_index_at(&o->of, o->path) > 0);
	const float *made;
	struct item item;
	struct lh_iter it;
	size_t texts;
	char where[32];

	*n = 0;
	lh_persons_used_reset(&r->used);
	if (collect(r, o, &a->items, &texts, err) < 0 || embed(r, o, texts, a->trace, err) < 0) {
		engine_failed(o, err);
		return -1;
	}
	made = (const float *)(const void *)r->vector.p;
	for (lh_iter_init(&it, &a->items); lh_iter_next(&it); ++*n) {
		if (read_item(r, &it, *n, &item, where, err) < 0)
			return -1;
		if (put_item(r, o, &item, made, of_persons, err) < 0)
			return lh_err_prefix(err, "%s", where);
		made += item.vector.p ? 0 : dimension;
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
	if (put_items(r, o, a, &n, err) < 0 || store(r, o, err) < 0) {
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
	if (r->settings->attribute)
		lh_persons_used_write(&r->used, &r->w);
	return requests_end(r);
}
