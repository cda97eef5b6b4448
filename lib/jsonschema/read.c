/* read.c - a schema as nodes.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "uri.h"

void lh_js_put_place(struct lh_js_reader *r, struct lh_buf *out, const char *p)
{
	const struct lh_js_document *d = r->s->document;

	while (d && (p < d->root.p || p >= d->root.p + d->root.n))
		d = d->next;
	if (!d)
		return;
	if (d->uri.n) {
		lh_buf_add(out, d->uri.p, d->uri.n);
		lh_buf_puts(out, p == d->root.p ? "" : ": ");
	}
	lh_js_put_pointer(out, &d->root, p);
}

int lh_js_fault(struct lh_js_reader *r, const char *at, const char *fmt, ...)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	char why[600];
	va_list ap;

	if (r->err->code == LH_ENOMEM)
		return -1;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	lh_js_put_place(r, &b, at);
	lh_buf_putc(&b, '\0');
	lh_err_set(r->err, LH_EDATA, "%.400s: %s", b.p && *b.p ? b.p : "the schema", why);
	return -1;
}

int lh_js_keep(struct lh_js_reader *r, const char *p, size_t n, struct lh_str *out)
{
	char *to = lh_arena_new(&r->s->arena, n + LH_PAD, 1, r->err);

	if (!to)
		return -1;
	if (n)
		memcpy(to, p, n);
	*out = (struct lh_str){ to, n };
	return 0;
}

int lh_js_text(struct lh_js_reader *r, const struct lh_value *v, struct lh_str *out)
{
	struct lh_str text;
	int rc = 0;

	lh_buf_reset(&r->scratch);
	lh_value_str(v, &r->scratch, &text);
	return rc < 0 ? -1 : lh_js_keep(r, text.p, text.n, out);
}

static int remember(struct lh_js_reader *r, const char *p, struct lh_js_node *n)
{
	const size_t size = sizeof p + sizeof n;
	int64_t i = lh_map_add(&r->s->by_place, &p, sizeof p, size, NULL, r->err);

	if (i < 0)
		return -1;
	memcpy(r->s->by_place.entry + (size_t)i * size + sizeof p, &n, sizeof n);
	return 0;
}

int lh_js_add_edge(struct lh_js_reader *r, struct lh_js_node *from, struct lh_js_node *to)
{
	struct lh_js_edge *e = lh_arena_new(&r->s->arena, 1, sizeof *e, r->err);

	if (!e)
		return -1;
	*e = (struct lh_js_edge){ to, from->edges };
	from->edges = e;
	from->in_place = true;
	return 0;
}

struct lh_js_node *lh_js_read_in_place(struct lh_js_reader *r, struct lh_js_node *n,
				       const struct lh_value *v)
{
	struct lh_js_node *to = lh_js_read(r, v, n->resource);

	return to && lh_js_add_edge(r, n, to) == 0 ? to : NULL;
}

/* Make n the root of a resource; within: the one that it is in, or NULL. */
static int add_resource(struct lh_js_reader *r, struct lh_js_node *n, struct lh_str uri,
			const struct lh_js_resource *within)
{
	bool no_validation = within && within->no_validation;
	struct lh_jsonschema *s = r->s;

	lh_grow(&s->resource, &s->cap_resources, s->resources + 1, sizeof *s->resource);
	n->resource = (uint32_t)s->resources;
	s->resource[s->resources++] = (struct lh_js_resource){
		.uri = uri, .root = n, .no_validation = no_validation };
	return lh_js_add_id(r, n->at.p, uri, (struct lh_str){ NULL, 0 }, n, false);
}

/* $id: the schema is a resource of its own. */
static int read_id(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v)
{
	struct lh_str base = r->s->resource[n->resource].uri, ref, uri, fragment;
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	int rc;

	if (v->type != LH_STRING)
		return lh_js_fault(r, v->p, "must be a string");
	if (lh_js_text(r, v, &ref) < 0)
		return -1;
	fragment = lh_uri_resolve(&b, base, ref);
	rc = 0;
	if (fragment.n)
		rc = lh_js_fault(r, v->p, "must not have a fragment (use $anchor)");
	if (!rc)
		rc = lh_js_keep(r, b.p, b.len, &uri);
	if (rc < 0)
		return -1;
	if (n == r->s->resource[n->resource].root) {
		if (lh_str_is(uri, base.p, base.n))
			return 0;
		r->s->resource[n->resource].uri = uri;
		return lh_js_add_id(r, v->p, uri, (struct lh_str){ NULL, 0 }, n, false);
	}
	return add_resource(r, n, uri, &r->s->resource[n->resource]);
}

static bool is_anchor(struct lh_str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (!((c | 32) >= 'a' && (c | 32) <= 'z') && c != '_' &&
		    !(i && ((c >= '0' && c <= '9') || c == '-' || c == '.')))
			return false;
	}
	return s.n;
}

static int read_anchor(struct lh_js_reader *r, struct lh_js_node *n, const struct lh_value *v,
		       bool dynamic)
{
	struct lh_str name;

	if (v->type != LH_STRING)
		return lh_js_fault(r, v->p, "must be a string");
	if (lh_js_text(r, v, &name) < 0)
		return -1;
	if (!is_anchor(name))
		return lh_js_fault(r, v->p, "must be a letter or _, then letters, digits, - _ .");
	return lh_js_add_id(r, v->p, r->s->resource[n->resource].uri, name, n, dynamic);
}

/* What other keywords depend on, wherever in the schema it is. */
static int read_identity(struct lh_js_reader *r, struct lh_js_node *n)
{
	struct lh_value v;

	if (lh_value_get(&n->at, "$id", &v) && read_id(r, n, &v) < 0)
		return -1;
	if (lh_value_get(&n->at, "$schema", &v) && lh_js_read_dialect(r, n, &v) < 0)
		return -1;
	if (lh_value_get(&n->at, "$anchor", &v) && read_anchor(r, n, &v, false) < 0)
		return -1;
	if (lh_value_get(&n->at, "$dynamicAnchor", &v) && read_anchor(r, n, &v, true) < 0)
		return -1;
	return 0;
}

static int read_object(struct lh_js_reader *r, struct lh_js_node *n)
{
	struct lh_iter it;

	if (read_identity(r, n) < 0)
		return -1;
	for (lh_iter_init(&it, &n->at); lh_iter_next(&it); )
		if (lh_js_keyword(r, n, &it.key, &it.val) < 0)
			return -1;
	return 0;
}

static bool is_schema(const struct lh_value *v)
{
	return v->type == LH_OBJECT || v->type == LH_TRUE || v->type == LH_FALSE;
}

static struct lh_js_node *new_node(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_js_node *n = lh_arena_new(&r->s->arena, 1, sizeof *n, r->err);

	if (!n || remember(r, v->p, n) < 0)
		return NULL;
	n->at = *v;
	n->constant = v->type != LH_OBJECT;
	n->accepts = v->type == LH_TRUE;
	return n;
}

struct lh_js_node *lh_js_read(struct lh_js_reader *r, const struct lh_value *v, uint32_t resource)
{
	struct lh_js_node *n = lh_js_node_at(r->s, v->p);

	if (n)
		return n;
	if (!is_schema(v)) {
		lh_js_fault(r, v->p, "a schema must be an object, true or false");
		return NULL;
	}
	n = new_node(r, v);
	if (!n)
		return NULL;
	n->resource = resource;
	return n->constant || read_object(r, n) == 0 ? n : NULL;
}

static int parse(struct lh_js_reader *r, struct lh_js_document *d)
{
	size_t bom;

	lh_buf_room(&d->text, 1);
	bom = lh_mark_len(d->text.p, d->text.len);
	if (lh_json_parse(&r->parser, d->text.p + bom, d->text.len - bom, &d->root, r->err) == 0)
		return 0;
	if (r->err->column)
		r->err->column += bom;
	if (d->uri.n && r->err->column) {
		lh_err_prefix(r->err, "%.*s: byte %zu", d->uri.n > 300 ? 300 : (int)d->uri.n,
			      d->uri.p, r->err->column);
		r->err->column = 0;
	}
	return -1;
}

struct lh_js_node *lh_js_read_document(struct lh_js_reader *r, struct lh_str uri,
				       struct lh_str file, struct lh_buf *text)
{
	struct lh_js_document *d = lh_arena_new(&r->s->arena, 1, sizeof *d, r->err);
	struct lh_jsonschema *s = r->s;
	struct lh_js_node *n;

	if (!d) {
		lh_buf_free(text);
		return NULL;
	}
	*d = (struct lh_js_document){ uri, file, .text = *text, .next = s->document };
	*text = (struct lh_buf){ 0 };
	s->document = d;
	s->documents++;
	if (parse(r, d) < 0)
		return NULL;
	if (!is_schema(&d->root)) {
		lh_js_fault(r, d->root.p, "a schema must be an object, true or false");
		return NULL;
	}
	n = new_node(r, &d->root);
	if (!n || add_resource(r, n, uri, NULL) < 0)
		return NULL;
	return n->constant || read_object(r, n) == 0 ? n : NULL;
}

static int compile(struct lh_js_reader *r, struct lh_str text)
{
	const char *name = r->how.name;
	struct lh_buf own = { 0 };

	lh_buf_add(&own, text.p, text.n);
	r->s->root = lh_js_read_document(r, (struct lh_str){ "", 0 },
					 (struct lh_str){ name, name ? strlen(name) : 0 }, &own);
	if (!r->s->root || lh_js_resolve_all(r) < 0)
		return -1;
	return lh_js_refuse_loops(r);
}

struct lh_jsonschema *lh_jsonschema_new(struct lh_str text, const struct lh_jsonschema_how *how,
					struct lh_err *err)
{
	struct lh_jsonschema *s = lh_calloc(1, sizeof *s);
	struct lh_js_reader r = { .s = s, .err = err };
	int rc;

	if (how)
		r.how = *how;
	*err = (struct lh_err){ 0 };
	r.last = &r.pending;
	rc = compile(&r, text);
	lh_record_free(&r.parser);
	lh_buf_free(&r.scratch);
	if (rc < 0) {
		lh_jsonschema_free(s);
		return NULL;
	}
	return s;
}

void lh_jsonschema_free(struct lh_jsonschema *s)
{
	struct lh_js_document *d;
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->regexes; i++)
		lh_regex_free(s->regex[i]);
	for (i = 0; i < s->objects; i++) {
		lh_table_free(&s->object[i]->by_name);
		free(s->object[i]->name);
	}
	free(s->regex);
	free(s->object);
	free(s->resource);
	free(s->id);
	lh_table_free(&s->by_uri);
	lh_map_free(&s->by_place);
	for (d = s->document; d; d = d->next)
		lh_buf_free(&d->text);
	lh_arena_free(&s->arena);
	free(s);
}
