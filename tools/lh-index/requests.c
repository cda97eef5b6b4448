/* requests.c - lh-index requests: each record names its operation on the indexes of a folder. */
#include "requests.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "embed/embedder.h"
#include "json/bind.h"
#include "model/http.h"
#include "vector/vector_record.h"

/* ---- requests ---- */

const struct lh_bind named_members[] = {
	NAME(named, name),
	LH_BIND_END
};
const struct lh_bind seen_members[] = {
	NAME(named, name),
	LH_SCOPE_MEMBER(struct named, scope),
	LH_BIND_END
};
const struct lh_bind listing_members[] = {
	LH_SCOPE_MEMBER(struct listing, scope),
	LH_BIND_END
};

static void opened_refresh(struct requests *r);

/* ---- shared ---- */

/* Begin an answer, an object that r->w writes, and end it: 0. */
static struct requests *requests_begin(const struct lh_call *call, struct lh_buf *out)
{
	struct requests *r = ((const struct settings *)call->settings)->requests;

	r->n++;
	r->at = NULL;
	r->making = false;
	r->in.scope = NULL;
	lh_filter_free(r->scope);	/* that of the last request */
	r->scope = NULL;
	opened_refresh(r);
	r->w = lh_write_to(out);
	lh_write_object(&r->w, NULL);
	return r;
}

/* Let what is beyond a scope be as if it were not there, in this request. */
static int requests_confine(struct requests *r, const struct lh_scope *scope, struct lh_err *err)
{
	r->in.scope = scope;
	return lh_scope_compile(&r->scope, scope, err);
}

/* Return whether a record is in it; with n 0 one without metadata. */
static bool requests_sees(const struct requests *r, struct lh_str meta)
{
	struct lh_err unused;

	return !r->scope || lh_filter_match(r->scope, meta.p, meta.n, &unused) > 0;
}

/* Write the number of records, unless some of them are beyond the scope. */
static void requests_put_length(struct requests *r, uint64_t n)
{
	if (!r->scope)
		lh_write_u64(&r->w, "length", n);
}

static int requests_end(struct requests *r)
{
	lh_write_end(&r->w);
	*r->reported = '\0';
	return 0;
}

static void requests_report(struct requests *r, const struct lh_err *err);

/* An index that is locked, damaged or gone costs its request, not the process. */
int requests_refuse(const struct lh_call *call, struct lh_err *err)
{
	struct requests *r = ((const struct settings *)call->settings)->requests;

	if (err->code == LH_EDATA || !r->at)
		return -1;
	requests_report(r, err);
	return lh_index_named_error(&r->in, r->at, !r->making, err);
}

/* Set *path to that of the name, and r->at. */
static int find_path(struct requests *r, struct lh_str name, char **path, struct lh_err *err)
{
	free(*path);
	*path = lh_index_named_find(&r->in, name, err);
	r->at = *path;
	return *path ? 0 : -1;
}

/* Report a failure on stderr, unless the last one was the same. */
static void requests_report(struct requests *r, const struct lh_err *err)
{
	if (strncmp(r->reported, err->msg, sizeof r->reported - 1) != 0)
		lh_tool_warn(r->tool, "%s", err->msg);
	snprintf(r->reported, sizeof r->reported, "%.255s", err->msg);
}

/* Set what a summary has of the parameters. */
static void summary_set(struct summary *s, const struct lh_index_params *p)
{
	s->dimension = p->dimension;
	s->m = p->m;
	s->ef_search = (uint32_t)lh_index_ef(p, 1);
	s->distance = p->distance;
}

static void requests_put_params(struct requests *r, struct lh_str name, const struct summary *s)
{
	struct lh_writer *w = &r->w;

	lh_write_object(w, "params");
	lh_write_str(w, "name", name);
	if (s) {
		lh_write_u64(w, "dimension", s->dimension);
		lh_write_u64(w, "m", s->m);
		lh_write_u64(w, "ef_search", s->ef_search);
		lh_write_text(w, "distance", lh_distance_name(s->distance));
	}
	lh_write_end(w);
}

/* ---- create, delete ---- */

static const char *const distances[] = { "cosine", "l2", "ip", "euclidean", "dot",
					 "inner_product", NULL };
static const enum lh_distance distance_of[] = { LH_COSINE, LH_L2, LH_IP, LH_L2, LH_IP, LH_IP };
static const char *const layouts[] = { LH_INDEX_LAYOUT, NULL };

const struct lh_bind creation_members[] = {
	NAME(creation, name),
	{ LH_BIND_U64("dimension", struct creation, dimension, 1, LH_DIM_MAX), .required = true },
	{ LH_BIND_U64("m", struct creation, m, 2, 128) },
	{ LH_BIND_U64("ef_search", struct creation, ef_search, 1, LH_INDEX_EF_MAX) },
	{ LH_BIND_INDEX("distance", struct creation, distance, distances) },
	{ LH_BIND_INDEX("layout", struct creation, layout, layouts) },
	LH_BIND_END
};

/* Return whether a list has the name. */
static bool requests_names(const struct lh_list *list, struct lh_str name)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (lh_str_is(name, list->v[i], strlen(list->v[i])))
			return true;
	return false;
}

int requests_create(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	const struct creation *c = in;
	struct lh_index_params p;
	struct requests *r = requests_begin(call, out);
	struct summary s;
	int rc;

	lh_index_params_default(&p);
	p.dimension = (uint32_t)c->dimension;
	p.m = c->m ? lh_index_nearest_m(c->m) : p.m;
	p.ef_search = (uint32_t)c->ef_search;
	p.distance = distance_of[c->distance];
	p.persons = requests_names(&r->settings->persons, c->name);
	if (lh_index_check_params(&p, err) < 0)
		return -1;
	lh_tool_time(r->tool, p.created_at);
	free(r->path);
	r->making = true;
	r->at = r->path = lh_index_folder_path(r->in.folder, c->name);
	rc = lh_index_create(r->path, &p, r->settings->lock_timeout, err);
	if (rc > 0)
		return lh_err_data(err, 409, "there is an index \"%.*s\" already", (int)c->name.n,
				   c->name.p);
	if (rc < 0)
		return -1;
	summary_set(&s, &p);
	requests_put_params(r, c->name, &s);
	lh_write_u64(&r->w, "length", 0);
	lh_write_u64(&r->w, "status", 201);
	return requests_end(r);
}

/* Find what to remove: the index of that name, or else the playbook. */
static int find_removed(struct requests *r, struct lh_str name, struct lh_err *err)
{
	const struct lh_index_named playbooks = { .folder = r->settings->playbooks,
						  .what = "playbook" };
	struct lh_err why;

	if (find_path(r, name, &r->path, err) == 0 || !playbooks.folder || err->status != 404)
		return r->path ? 0 : -1;
	r->path = lh_index_named_find(&playbooks, name, &why);
	r->at = r->path;
	return r->path ? 0 : -1;
}

static void close_one(struct opened *o);
static void opened_close(struct requests *r, const char *path);

int requests_delete(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	struct requests *r = requests_begin(call, out);
	int rc;

	if (find_removed(r, ((const struct named *)in)->name, err) < 0)
		return -1;
	opened_close(r, r->path);
	close_one(&r->looked_up);
	rc = lh_index_remove(r->path, r->settings->lock_timeout, err);
	if (rc > 0)	/* another process was faster */
		return lh_err_set(err, LH_EIO, "%s: removed meanwhile", r->path);
	if (rc < 0)
		return -1;
	lh_write_u64(&r->w, "status", 204);
	return requests_end(r);
}

/* ---- merge ---- */

const struct lh_bind merging_members[] = {
	NAME(merging, src),
	NAME(merging, dest),
	{ LH_BIND_BOOL("clear_source", struct merging, clear) },
	LH_BIND_END
};

struct outcome {
	uint64_t merged, skipped;
};

/* Store all rows that DEST lacks; with SRC open for a move, delete all of its rows. */
static int transfer(struct requests *r, struct transfer *t, struct outcome *is,
		    struct lh_err *err)
{
	const struct lh_index_tally *to = lh_index_change_tally(t->to.c);
	int more = 1;

	if (!t->from.c) {
		if (merge_rows(t, r->path, err) < 0 || changes_store(&t->to, err) < 0)
			return -1;
	} else {
		while (more > 0 && !lh_stopping())
			more = move_rows(t, err);
		if (more < 0)
			return -1;
	}
	*is = (struct outcome){ to->added, to->existing };
	return lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted") : 0;
}

static int merge_into(struct requests *r, const struct merging *m, struct outcome *is,
		      struct transfer *t, struct lh_err *err)
{
	char src[LH_INDEX_NAME_MAX + 8];
	int rc = carry_persons(r->other, r->path, r->settings, (unsigned)r->jobs, err);

	if (rc == 0)
		rc = transfer_open(t, r->other, m->clear ? r->path : NULL,
				   r->settings->lock_timeout, err);
	snprintf(src, sizeof src, "\"%.*s\"", (int)m->src.n, m->src.p);
	if (rc == 0)
		rc = transfer_fits(t, r->path, src, err);
	if (rc == 0 && transfer(r, t, is, err) < 0)
		return err->code != LH_EUSAGE ? -1 :
		       lh_err_data(err, 409, "one of the indexes was replaced meanwhile");
	if (rc < 0 && err->code == LH_EUSAGE) {
		err->code = LH_EDATA;
		err->status = 409;
	}
	return rc;
}

int requests_merge(const struct lh_call *call, const void *in, struct lh_buf *out,
		   struct lh_err *err)
{
	const struct merging *m = in;
	struct transfer t = { .keep = true, .lenient = true };
	struct outcome is = { 0, 0 };
	struct requests *r = requests_begin(call, out);
	uint64_t source, dest;
	int rc;

	if (find_path(r, m->src, &r->path, err) < 0 || find_path(r, m->dest, &r->other, err) < 0)
		return -1;
	if (same_file(r->path, r->other))
		return lh_err_set(err, LH_EDATA, "\"dest\" must not be \"src\"");
	rc = merge_into(r, m, &is, &t, err);
	if (rc == 0) {
		/* The rows are stored: a compaction that fails is reported, but not an error. */
		struct changes *each[] = { &t.to, &t.from };
		struct lh_err why;
		size_t i;

		for (i = 0; i < 2; i++)
			if (changes_fold(each[i], r->jobs, r->settings->lock_timeout, &why) < 0)
				lh_tool_warn(r->tool, "%s", why.msg);
	}
	transfer_close(&t);
	if (rc < 0 || index_length(r->path, &source, err) < 0 ||
	    index_length(r->other, &dest, err) < 0) {
		/* Find out which of the two indexes an error is about: its message begins
		 * with the path. */
		size_t n = strlen(r->path);

		r->at = strncmp(err->msg, r->path, n) == 0 && strchr(":-", err->msg[n]) ? r->path
											: r->other;
		return -1;
	}
	lh_write_u64(&r->w, "merged", is.merged);
	lh_write_u64(&r->w, "skipped", is.skipped);
	lh_write_u64(&r->w, "failed", t.failed);
	lh_write_u64(&r->w, "source_length", source);
	lh_write_u64(&r->w, "dest_length", dest);
	return requests_end(r);
}

static void catalog_free(struct catalog *c);

/* ---- the command ---- */

int index_requests(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct requests r = { .tool = tool, .settings = s, .jobs = tool->jobs,
			      .in = { tool->operands[0], "index" } };
	int rc;

	s->requests = &r;
	if (lh_index_named_check(&r.in, &tool->err) < 0)
		return -1;
	rc = lh_op_requests(tool, settings);
	opened_refresh(&r);
	opened_close(&r, NULL);
	catalog_free(&r.catalog);
	close_one(&r.looked_up);
	lh_persons_used_free(&r.used);
	metadata_free(&r.metadata);
	free(r.path);
	free(r.other);
	lh_filter_free(r.scope);
	lh_buf_free(&r.meta);
	lh_buf_free(&r.vector);
	return rc;
}

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

/* Close one, or with path NULL all. */
static void opened_close(struct requests *r, const char *path)
{
	size_t i;

	for (i = 0; i < OPEN_MAX; i++)
		if (r->opened[i].path && (!path || strcmp(r->opened[i].path, path) == 0))
			close_one(&r->opened[i]);
}

/* Close what is gone or was replaced, and compact what is due. */
static void opened_refresh(struct requests *r)
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

static int open_one(struct requests *r, struct opened *o, bool to_change, struct lh_err *err)
{
	if (o->path)
		close_one(o);
	o->path = lh_strndup(r->path, strlen(r->path));
	o->of.is = -1;
	lh_stamp_take(&o->file, o->path);
	if (!to_change ||
	    changes_open(&o->changes, o->path, r->settings->lock_timeout, err) == 0)
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

	if ((!o->path || strcmp(o->path, r->path) != 0) && open_one(r, o, true, err) < 0)
		return NULL;
	o->used = r->n;
	return o;
}

/* ---- items ---- */

struct item {
	struct lh_str id, model, text;
	struct lh_value vector, text_json, meta;
	struct lh_buf strings;		/* that had escapes */
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

/* Read all items; those without a vector need the engine. */
static int read_items(struct requests *r, struct opened *o, const struct lh_value *items,
		      struct item *item, struct lh_err *err)
{
	struct lh_iter it;
	char where[32];
	size_t i = 0;

	for (lh_iter_init(&it, items); lh_iter_next(&it); i++, item++) {
		snprintf(where, sizeof where, "items[%zu]", i);
		*item = (struct item){ .model = { "", 0 } };
		if (lh_bind_part(item_members, where, &it.val, item, &item->strings, err) < 0)
			return -1;
		if (!item->vector.p && !item->text.p)
			return lh_err_set(err, LH_EDATA, "%s: missing \"vector\" (array of numbers "
					  "or base64) or \"text\"", where);
		if (!item->vector.p && start_engine(r, o, where, err) < 0)
			return -1;
	}
	return 0;
}

/* Embed the texts of all items without a vector at once, in batches of the engine's, to
 * r->vector. */
static int embed(struct requests *r, struct opened *o, const struct item *item, size_t n,
		 struct lh_str trace, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct lh_str *text = lh_calloc(n, sizeof *text);
	const struct lh_index_params *p = lh_index_change_params(o->changes.c);
	struct lh_embedder_ask ask = { .text = text, .trace = trace };
	uint32_t dimension;
	size_t i;

	lh_buf_reset(&r->vector);
	for (i = 0; i < n; i++)
		if (!item[i].vector.p)
			text[ask.n++] = item[i].text;
	if (!ask.n)
		return 0;
	if (lh_embedder_ask(o->texts, &ask, &r->vector, &dimension, err) < 0)
		return -1;
	return dimension == p->dimension ? 0 :
		lh_err_data(err, 502, "engine %s made dimension %u, the index has %u", p->engine,
			    dimension, p->dimension);
}

/* Set the row's metadata to that of the item, or to an object of its text. */
static void set_meta(struct requests *r, const struct item *item, struct row *row)
{
	struct lh_writer w;

	if (item->meta.p) {
		row->meta = (struct lh_str){ item->meta.p, item->meta.n };
		row->clears = !lh_value_count(&item->meta);
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

/* Gather n items. */
static int put_items(struct requests *r, struct opened *o, const struct addition *a,
		     struct item *item, size_t n, struct lh_err *err)
{
	const uint32_t dimension = lh_index_change_params(o->changes.c)->dimension;
	const bool of_persons = r->settings->attribute &&
		(requests_names(&r->settings->persons, a->name) ||
		 lh_persons_index_at(&o->of, o->path) > 0);
	const float *made;
	size_t i;

	lh_persons_used_reset(&r->used);
	if (read_items(r, o, &a->items, item, err) < 0 ||
	    embed(r, o, item, n, a->trace, err) < 0) {
		engine_failed(o, err);
		return -1;
	}
	made = (const float *)(const void *)r->vector.p;
	for (i = 0; i < n; i++) {
		if (put_item(r, o, &item[i], made, of_persons, err) < 0)
			return lh_err_prefix(err, "items[%zu]", i);
		made += item[i].vector.p ? 0 : dimension;
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

/* Gather and store all items: as many as *n. */
static int add_items(struct requests *r, struct opened *o, const struct addition *a, size_t *n,
		     struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct item *item = NULL;
	int rc;
	size_t i;

	*n = lh_value_count(&a->items);
	item = lh_calloc(*n, sizeof *item);
	rc = put_items(r, o, a, item, *n, err);
	for (i = 0; i < *n; i++)
		lh_buf_free(&item[i].strings);
	return rc < 0 ? -1 : store(r, o, err);
}

int requests_add(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct addition *a = in;
	struct lh_index_stats st;
	struct requests *r = requests_begin(call, out);
	struct opened *o;
	size_t n;

	if (requests_confine(r, &a->scope, err) < 0 || find_path(r, a->name, &r->path, err) < 0)
		return -1;
	o = open_index(r, err);
	if (!o)
		return -1;
	if (r->scope && index_renew(&o->ix, err) < 0) {
		close_one(o);
		return -1;
	}
	if (add_items(r, o, a, &n, err) < 0) {
		lh_index_change_discard(o->changes.c);
		if (err->code != LH_EDATA)
			close_one(o);
		return -1;
	}
	if (index_renew(&o->ix, err) < 0) {
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

/* ---- list, get and corpora ---- */

static void catalog_free(struct catalog *c)
{
	while (c->n)
		free(c->v[--c->n].name);
	free(c->v);
	*c = (struct catalog){ .v = NULL };
}

/* Read a summary, or why there is none. */
static int read_summary(struct requests *r, const char *path, struct summary *s,
			struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st;

	s->good = ix != NULL;
	if (ix) {
		lh_index_get_stats(ix, &st);
		summary_set(s, lh_index_get_params(ix));
		s->length = st.live;
		s->status = 0;
		lh_index_close(ix);
		return 0;
	}
	if (!s->status)		/* it was good before, or is new */
		requests_report(r, err);
	lh_index_named_error(&r->in, path, true, err);
	if (err->code != LH_EDATA)
		return -1;
	s->status = lh_err_status(err);
	snprintf(s->why, sizeof s->why, "%.*s", (int)sizeof s->why - 1, err->msg);
	return 0;
}

/* Bring a summary up to date: what did not change is not opened again. */
static int refresh(struct requests *r, const char *path, struct summary *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	int rc = 0;

	if (!(s->good && lh_stamp_fits(&s->file, path) && lh_stamp_fits(&s->log, log))) {
		lh_stamp_take(&s->file, path);
		lh_stamp_take(&s->log, log);
		rc = read_summary(r, path, s, err);
	}
	return rc;
}

static int by_name(const void *name, const void *summary)
{
	return strcmp(name, ((const struct summary *)summary)->name);
}

static struct summary *known(const struct catalog *c, const char *name)
{
	return c->n ? bsearch(name, c->v, c->n, sizeof *c->v, by_name) : NULL;
}

/* Append the summary of an index to c, from the earlier catalog if it is there. */
static int add_summary(struct requests *r, struct catalog *c, const char *name,
		       struct lh_err *err)
{
	struct lh_str text = { name, strlen(name) };
	LH_SCOPED(lh_free_local) char *path = lh_index_folder_path(r->in.folder, text);
	struct summary *was, *s = &c->v[c->n];

	if (!lh_index_is_file(path))
		return 0;
	was = known(&r->catalog, name);
	*s = was ? *was : (struct summary){ .good = false };
	s->name = NULL;
	if (refresh(r, path, s, err) < 0)
		return -1;
	if (!s->good && s->status == 404)
		return 0;	/* it was removed meanwhile */
	s->name = lh_strndup(name, text.n);
	c->n++;
	return 0;
}

static int read_catalog(struct requests *r, struct lh_err *err)
{
	struct lh_index_folder f;
	struct catalog c = { .v = NULL };
	size_t i;
	int rc = lh_index_folder_read(&f, r->in.folder, err);

	if (rc < 0)
		return lh_err_data(err, 503, "the folder cannot be read");
	lh_grow(&c.v, &c.cap, f.n + 1, sizeof *c.v);
	for (i = 0; rc == 0 && i < f.n; i++)
		rc = add_summary(r, &c, f.name[i], err);
	lh_index_folder_free(&f);
	if (rc < 0) {
		catalog_free(&c);
		return -1;
	}
	catalog_free(&r->catalog);
	r->catalog = c;
	return 0;
}

/* Write the names of the playbooks, if there are any: a search may use them. */
static void put_playbooks(struct requests *r)
{
	struct lh_index_folder f;
	struct lh_err none;
	bool any = false;
	size_t i;

	if (!r->settings->playbooks || lh_index_folder_read(&f, r->settings->playbooks, &none) < 0)
		return;
	for (i = 0; i < f.n; i++) {
		if (!lh_scope_has(r->in.scope, lh_str_of(f.name[i])))
			continue;
		if (!any)
			lh_write_array(&r->w, "playbooks");
		any = true;
		lh_write_text(&r->w, NULL, f.name[i]);
	}
	if (any)
		lh_write_end(&r->w);
	lh_index_folder_free(&f);
}

int requests_list(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	struct requests *r = requests_begin(call, out);
	bool params = strcmp(call->op->name, "corpora") != 0;
	const struct summary *s;
	uint64_t n = 0;

	if (requests_confine(r, &((const struct listing *)in)->scope, err) < 0 ||
	    read_catalog(r, err) < 0)
		return -1;
	lh_write_array(&r->w, params ? "indexes" : "corpora");
	for (s = r->catalog.v; s < r->catalog.v + r->catalog.n; s++) {
		if (!lh_scope_has(r->in.scope, lh_str_of(s->name)))
			continue;
		n++;
		lh_write_object(&r->w, NULL);
		if (params)
			requests_put_params(r, lh_str_of(s->name), s->good ? s : NULL);
		else
			lh_write_str(&r->w, "name", lh_str_of(s->name));
		if (!s->good)
			lh_write_text(&r->w, "error", s->why);
		else
			requests_put_length(r, s->length);
		if (s->good && !params)
			lh_write_u64(&r->w, "dimension", s->dimension);
		lh_write_end(&r->w);
	}
	lh_write_end(&r->w);
	lh_write_u64(&r->w, "count", n);
	if (!params)
		put_playbooks(r);
	return requests_end(r);
}

int requests_get(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct lh_str name = ((const struct named *)in)->name;
	struct summary own = { .good = false }, *s;
	char text[LH_INDEX_NAME_MAX + 1];
	struct requests *r = requests_begin(call, out);

	if (requests_confine(r, &((const struct named *)in)->scope, err) < 0 ||
	    find_path(r, name, &r->path, err) < 0)
		return -1;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	s = known(&r->catalog, text);
	if (!s)
		s = &own;
	if (refresh(r, r->path, s, err) < 0)
		return -1;
	if (!s->good)
		return lh_err_data(err, s->status, "%s", s->why);
	requests_put_params(r, name, s);
	requests_put_length(r, s->length);
	return requests_end(r);
}

/* ---- a record ---- */

const struct lh_bind lookup_members[] = {
	{ LH_BIND_STRING("name", struct lookup, name), LH_INDEX_NAMED },
	{ LH_BIND_ID("id", struct lookup, id), .required = true, .filled = true },
	LH_SCOPE_MEMBER(struct lookup, scope),
	LH_BIND_END
};

/* Open the index at r->path as it is now.  That of the last look-up stays open. */
static int look_at(struct requests *r, struct lh_err *err)
{
	struct opened *o = &r->looked_up;

	if (!o->path || strcmp(o->path, r->path) != 0)
		return open_one(r, o, false, err);
	if (index_renew(&o->ix, err) == 0)
		return 0;
	close_one(o);
	return -1;
}

/* Say whose data the answer has used. */
static void attribute(struct requests *r, struct lh_str name, const struct lh_row *row)
{
	const bool is = requests_names(&r->settings->persons, name) ||
			lh_persons_index_at(&r->looked_up.of, r->looked_up.path);

	lh_persons_used_reset(&r->used);
	lh_persons_used_record(&r->used, is, row->id, row->meta, NULL);
	lh_persons_used_write(&r->used, &r->w);
}

/* Write the record if the index has it: 1, 0, -1. */
static int write_record(struct requests *r, struct lh_str name, struct lh_str id,
			struct lh_err *err)
{
	struct lh_row row;
	int64_t at;

	if (find_path(r, name, &r->path, err) < 0 || look_at(r, err) < 0)
		return -1;
	at = lh_index_find(r->looked_up.ix, id.p, id.n, err);
	if (at == -1)
		return 0;
	if (at < 0 || lh_index_row(r->looked_up.ix, (uint64_t)at, &row, err) < 0)
		return -1;
	if (!requests_sees(r, row.meta))
		return 0;
	lh_write_str(&r->w, "corpus", name);
	lh_write_str(&r->w, "id", row.id);
	if (metadata_write(&r->metadata, &r->w, &row, err) < 0)
		return -1;
	if (r->settings->attribute)
		attribute(r, name, &row);
	return 1;
}

/* Look into every index, by their names. */
static int in_any(struct requests *r, struct lh_str id, struct lh_err *err)
{
	struct lh_index_folder f;
	size_t i;
	int rc = 0;

	if (lh_index_folder_read(&f, r->in.folder, err) < 0)
		return lh_err_data(err, 503, "the folder cannot be read");
	for (i = 0; !rc && i < f.n; i++) {
		if (!lh_scope_has(r->in.scope, lh_str_of(f.name[i])))
			continue;
		rc = write_record(r, lh_str_of(f.name[i]), id, err);
		if (rc < 0 && lh_err_status(err) == 404)
			rc = 0;		/* it was removed meanwhile */
	}
	lh_index_folder_free(&f);
	return rc;
}

int requests_lookup(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	const struct lookup *of = in;
	struct requests *r = requests_begin(call, out);
	int rc = requests_confine(r, &of->scope, err) < 0 ? -1
		 : of->name.p ? write_record(r, of->name, of->id, err) : in_any(r, of->id, err);

	if (rc)
		return rc < 0 ? -1 : requests_end(r);
	return of->name.p ? lh_err_data(err, 404, "there is no such record in index \"%.*s\"",
					(int)of->name.n, of->name.p)
			  : lh_err_data(err, 404, "there is no such record in any index");
}
