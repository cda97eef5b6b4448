/* refs.c - what references refer to.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "uri.h"

static struct lh_str uri_of(const void *ctx, uint32_t number)
{
	const struct lh_jsonschema *s = ctx;

	return s->id[number].uri;
}

/* Return what has that URI, or NULL. */
static const struct lh_js_id *lh_js_find_id(const struct lh_jsonschema *s, struct lh_str uri)
{
	int64_t i = lh_table_find(&s->by_uri, uri, uri_of, s);

	return i < 0 ? NULL : &s->id[i];
}

/* Store "uri" or "uri#anchor" in the arena. */
static int full_name(struct lh_js_reader *r, struct lh_str uri, struct lh_str anchor,
		     struct lh_str *out)
{
	lh_buf_reset(&r->scratch);
	lh_buf_add(&r->scratch, uri.p, uri.n);
	if (anchor.p) {
		lh_buf_putc(&r->scratch, '#');
		lh_buf_add(&r->scratch, anchor.p, anchor.n);
	}
	return lh_js_keep(r, r->scratch.p ? r->scratch.p : "", r->scratch.len, out);
}

static int add_dynamic(struct lh_js_reader *r, struct lh_str name, const struct lh_js_node *node)
{
	struct lh_js_resource *of = &r->s->resource[node->resource];
	struct lh_js_anchor *a = lh_arena_new(&r->s->arena, 1, sizeof *a, r->err);

	if (!a)
		return -1;
	*a = (struct lh_js_anchor){ name, node, of->dynamic };
	of->dynamic = a;
	return 0;
}

int lh_js_add_id(struct lh_js_reader *r, const char *at, struct lh_str uri, struct lh_str anchor,
		 struct lh_js_node *node, bool dynamic)
{
	struct lh_jsonschema *s = r->s;
	struct lh_str name;

	if (full_name(r, uri, anchor, &name) < 0)
		return -1;
	if (lh_js_find_id(s, name))
		return lh_js_fault(r, at, "\"%.*s\" is there twice",
				   name.n > 200 ? 200 : (int)name.n, name.p);
	lh_grow(&s->id, &s->cap_ids, s->ids + 1, sizeof *s->id);
	s->id[s->ids] = (struct lh_js_id){ name, node, dynamic };
	lh_table_set(&s->by_uri, name, (uint32_t)s->ids, uri_of, s);
	s->ids++;
	return dynamic ? add_dynamic(r, anchor, node) : 0;
}

int lh_js_name_member(struct lh_js_reader *r, const struct lh_js_node *n, const char *keyword,
		      const struct lh_value *key, struct lh_js_node *node)
{
	const struct lh_js_resource *of = &r->s->resource[n->resource];
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	struct lh_str name;

	if (n != of->root)
		return 0;
	if (lh_js_text(r, key, &name) < 0)
		return -1;
	if (memchr(name.p, '~', name.n) || memchr(name.p, '/', name.n))
		return 0;	/* needs escapes: found by a search */
	lh_buf_printf(&b, "/%s/", keyword);
	lh_buf_add(&b, name.p, name.n);
	return lh_js_add_id(r, key->p, of->uri, (struct lh_str){ b.p, b.len }, node, false);
}

const struct lh_js_node *lh_js_dynamic_anchor(const struct lh_jsonschema *s, uint32_t resource,
					      struct lh_str name)
{
	const struct lh_js_anchor *a = s->resource[resource].dynamic;

	while (a && !lh_str_is(a->name, name.p, name.n))
		a = a->next;
	return a ? a->node : NULL;
}

/* Compile the schema of schemas, which is part of the program. */
static struct lh_js_node *read_meta(struct lh_js_reader *r, struct lh_str uri)
{
	void (*note)(void *ctx, const char *place) = r->how.note;
	struct lh_buf text = { 0 };
	struct lh_js_node *n;

	lh_buf_puts(&text, lh_js_meta);
	r->how.note = NULL;
	n = lh_js_read_document(r, uri, (struct lh_str){ NULL, 0 }, &text);
	r->how.note = note;
	return n;
}

int lh_js_file(struct lh_js_reader *r, struct lh_str uri, struct lh_str *file)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	bool found;
	int rc;

	*file = (struct lh_str){ NULL, 0 };
	found = lh_uri_file(&path, r->s->resource[0].uri, uri);
	rc = 0;
	if (found)
		rc = lh_js_keep(r, path.p, path.len, file);
	return rc;
}

int lh_js_load(struct lh_js_reader *r, struct lh_str uri, struct lh_str file,
	       struct lh_buf *text)
{
	return r->how.load ? r->how.load(r->how.ctx, uri, file.p, text, r->err) : 0;
}

/* Return the document that was read from a file, or NULL. */
static const struct lh_js_document *of_file(const struct lh_jsonschema *s, struct lh_str file)
{
	const struct lh_js_document *d = file.p ? s->document : NULL;

	while (d && !lh_str_is(d->file, file.p, file.n))
		d = d->next;
	return d;
}

/* Name a document by a further URI. */
static struct lh_js_node *add_name(struct lh_js_reader *r, const char *at, struct lh_str uri,
				   const struct lh_js_document *d)
{
	struct lh_js_node *n = lh_js_node_at(r->s, d->root.p);

	return lh_js_add_id(r, at, uri, (struct lh_str){ NULL, 0 }, n, false) < 0 ? NULL : n;
}

static struct lh_js_node *load(struct lh_js_reader *r, const char *at, struct lh_str uri)
{
	const struct lh_js_document *same;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str file;
	int rc;

	if (lh_js_file(r, uri, &file) < 0)
		return NULL;
	same = of_file(r->s, file);
	if (same)
		return add_name(r, at, uri, same);
	if (r->s->documents >= LH_JS_DOCUMENTS) {
		lh_js_fault(r, at, "more than %d documents", LH_JS_DOCUMENTS);
		return NULL;
	}
	rc = lh_js_load(r, uri, file, &text);
	if (rc > 0)
		return lh_js_read_document(r, uri, file, &text);
	if (!rc) {
		int n = uri.n > 300 ? 300 : (int)uri.n;

		if (lh_uri_climbs(uri))
			lh_js_fault(r, at, "\"%.*s\" is above the folder of the schema, where "
				    "nothing is read", n, uri.p);
		else
			lh_js_fault(r, at, "there is no document \"%.*s\", and nothing is fetched",
				    n, uri.p);
	}
	return NULL;
}

/* Return the node of the document with a URI; NULL with *err, about the reference at `at`. */
static struct lh_js_node *lh_js_find_document(struct lh_js_reader *r, const char *at,
					      struct lh_str uri)
{
	const struct lh_js_id *id = lh_js_find_id(r->s, uri);
	struct lh_str name;

	if (id)
		return id->node;
	if (lh_js_keep(r, uri.p, uri.n, &name) < 0)
		return NULL;
	if (lh_str_is(name, LH_JS_META_URI, strlen(LH_JS_META_URI)))
		return read_meta(r, name);
	return load(r, at, name);
}

static struct lh_js_node *by_pointer(struct lh_js_reader *r, const struct lh_js_pending *p,
				     const struct lh_js_node *from, struct lh_str pointer)
{
	struct lh_str uri = r->s->resource[from->resource].uri, name;
	const struct lh_js_node *passed = from;
	struct lh_value v = from->at;
	const struct lh_js_id *id;
	struct lh_js_node *to;

	if (full_name(r, uri, pointer, &name) < 0)
		return NULL;
	id = lh_js_find_id(r->s, name);
	if (id)
		return id->node;
	if (!lh_js_follow(r->s, &v, pointer, &passed)) {
		lh_js_fault(r, p->ref.p, "%.*s does not refer to anything",
			    p->ref.n > 300 ? 300 : (int)p->ref.n, p->ref.p);
		return NULL;
	}
	to = lh_js_read(r, &v, passed->resource);
	return to && lh_js_add_id(r, p->ref.p, uri, pointer, to, false) == 0 ? to : NULL;
}

static struct lh_js_node *by_anchor(struct lh_js_reader *r, struct lh_js_pending *p,
				    const struct lh_js_node *from, struct lh_str anchor)
{
	const struct lh_js_id *id;
	struct lh_str name;

	if (full_name(r, r->s->resource[from->resource].uri, anchor, &name) < 0)
		return NULL;
	id = lh_js_find_id(r->s, name);
	if (!id) {
		lh_js_fault(r, p->ref.p, "%.*s does not refer to anything",
			    p->ref.n > 300 ? 300 : (int)p->ref.n, p->ref.p);
		return NULL;
	}
	if (p->dynamic && id->dynamic)
		p->node->dynamic_name = (struct lh_str){ name.p + name.n - anchor.n, anchor.n };
	return id->node;
}

static struct lh_js_node *find_target(struct lh_js_reader *r, struct lh_js_pending *p)
{
	LH_SCOPED(lh_buf_free) struct lh_buf uri = { 0 }, fragment = { 0 };
	struct lh_str base = r->s->resource[p->node->resource].uri, text, part;
	struct lh_js_node *to = NULL;

	if (lh_js_text(r, &p->ref, &text) < 0)
		return NULL;
	lh_buf_room(&uri, 1);
	lh_buf_room(&fragment, 1);
	part = lh_uri_resolve(&uri, base, text);
	if (lh_uri_unescape(&fragment, part) < 0)
		lh_js_fault(r, p->ref.p, "the fragment is not UTF-8");
	else if (lh_buf_check(&fragment, r->err) == 0)
		to = lh_js_find_document(r, p->ref.p, (struct lh_str){ uri.p, uri.len });
	part = (struct lh_str){ fragment.p, fragment.len };
	if (to && part.n)
		to = *part.p == '/' ? by_pointer(r, p, to, part) : by_anchor(r, p, to, part);
	return to;
}

int lh_js_resolve_all(struct lh_js_reader *r)
{
	struct lh_js_pending *p;
	struct lh_js_node *to;

	/* more are appended meanwhile */
	for (p = r->pending; p; p = p->next) {
		to = find_target(r, p);
		if (!to || lh_js_add_edge(r, p->node, to) < 0)
			return -1;
		*(p->dynamic ? &p->node->dynamic_ref : &p->node->ref) = to;
		r->s->dynamic |= p->dynamic;
	}
	return 0;
}

enum { WHITE, GREY, BLACK };

struct path {
	struct lh_js_node **node;
	size_t n, cap;
};

static void enter(struct path *path, struct lh_js_node *n)
{
	lh_grow(&path->node, &path->cap, path->n + 1, sizeof *path->node);
	path->node[path->n++] = n;
	n->color = GREY;
}

/* Walk from n along the edges; a node that is met again on the way is applied to the same
 * value without end. */
static int walk_from(struct lh_js_reader *r, struct path *path, struct lh_js_node *n)
{
	struct lh_js_node *top, *to;

	if (n->color != WHITE)
		return 0;
	enter(path, n);
	while (path->n) {
		top = path->node[path->n - 1];
		if (!top->edges) {
			top->color = BLACK;
			path->n--;
			continue;
		}
		to = top->edges->to;
		top->edges = top->edges->next;
		if (to->color == GREY)
			return lh_js_fault(r, top->at.p, "applies itself to the same value, "
					   "without end");
		if (to->color == WHITE)
			enter(path, to);
	}
	return 0;
}

int lh_js_refuse_loops(struct lh_js_reader *r)
{
	const size_t size = sizeof(const char *) + sizeof(struct lh_js_node *);
	const struct lh_map *m = &r->s->by_place;
	struct path path = { 0 };
	struct lh_js_node *n;
	int rc = 0;
	size_t i;

	for (i = 0; !rc && i < m->n; i++) {
		memcpy(&n, m->entry + i * size + sizeof(const char *), sizeof n);
		rc = walk_from(r, &path, n);
	}
	free(path.node);
	return rc;
}
