/* read.c - a schema as nodes, and what its references name.  See jsonschema_parts.h. */
#include "jsonschema_parts.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

#define BLOCK ((size_t)4096)

void *lh_js_new(struct lh_js_reader *r, size_t n, size_t size)
{
	struct lh_jsonschema *s = r->s;
	size_t bytes = (n * size + 7) & ~(size_t)7;	/* n: of what the text has */
	struct lh_js_block *b;

	if (!s->block || s->size - s->used < bytes) {
		s->size = bytes > BLOCK ? bytes : BLOCK;
		s->used = 0;
		b = lh_calloc(1, sizeof *b + s->size);
		b->next = s->block;
		s->block = b;
	}
	s->used += bytes;
	return s->block->data + s->used - bytes;
}

/* ---- places ---- */

void lh_js_put_pointer(struct lh_buf *out, const struct lh_value *root, const char *p)
{
	struct lh_value v = *root;
	struct lh_iter it;
	size_t i;

	if (p < v.p || p >= v.p + v.n)
		return;
	while (v.p != p && (v.type == LH_OBJECT || v.type == LH_ARRAY)) {
		i = 0;
		for (lh_iter_init(&it, &v); lh_iter_next(&it) && it.val.p + it.val.n <= p; i++)
			continue;
		lh_buf_putc(out, '/');
		if (v.type == LH_OBJECT) {
			LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
			struct lh_str text;
			size_t k;

			lh_value_str(&it.key, &scratch, &text);
			for (k = 0; k < text.n && k < 200; k++)
				if (text.p[k] == '~' || text.p[k] == '/')
					lh_buf_puts(out, text.p[k] == '~' ? "~0" : "~1");
				else
					lh_buf_putc(out, text.p[k]);
		} else {
			lh_buf_u64(out, i);
		}
		if (it.val.p > p)
			return;		/* p is a key */
		v = it.val;
	}
}

int lh_js_fault(struct lh_js_reader *r, const char *at, const char *fmt, ...)
{
	LH_SCOPED(lh_buf_free) struct lh_buf b = { 0 };
	char why[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	lh_js_put_pointer(&b, &r->s->top, at);
	lh_buf_putc(&b, '\0');
	return lh_err_set(r->err, LH_EDATA, "%.400s: %s", *b.p ? b.p : "the schema", why);
}

/* Take the next part of a pointer, after its slash, unescaped into part. */
static bool next_part(struct lh_str *pointer, struct lh_buf *part)
{
	const char *p = pointer->p + 1, *end = pointer->p + pointer->n;

	if (!pointer->n || *pointer->p != '/')
		return false;
	lh_buf_reset(part);
	for (; p < end && *p != '/'; p++) {
		if (*p != '~') {
			lh_buf_putc(part, *p);
			continue;
		}
		p++;
		if (p == end || (*p != '0' && *p != '1'))
			return false;
		lh_buf_putc(part, *p == '0' ? '~' : '/');
	}
	*pointer = (struct lh_str){ p, (size_t)(end - p) };
	return true;
}

/* Go from *v to the child that part names. */
static bool to_child(struct lh_value *v, const struct lh_buf *part)
{
	bool of_array = v->type == LH_ARRAY;
	uint64_t want = 0;
	struct lh_iter it;

	if (of_array && (!lh_path_number(part->p, part->len, &want) ||
			 (part->len > 1 && *part->p == '0')))
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); want--) {
		if (of_array ? !want : lh_value_is(&it.key, part->p, part->len)) {
			*v = it.val;
			return true;
		}
	}
	return false;
}

/* Follow a JSON Pointer from *v. */
static bool follow(struct lh_value *v, struct lh_str pointer)
{
	LH_SCOPED(lh_buf_free) struct lh_buf part = { 0 };
	bool found = true;

	lh_buf_room(&part, 1);
	while (found && pointer.n)
		found = next_part(&pointer, &part) && to_child(v, &part);
	return found;
}

/* ---- nodes ---- */

struct lh_str lh_js_keep(struct lh_js_reader *r, struct lh_str text)
{
	char *to = lh_js_new(r, text.n + LH_PAD, 1);

	if (text.n)
		memcpy(to, text.p, text.n);
	return (struct lh_str){ to, text.n };
}

struct lh_str lh_js_text(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_str text;

	lh_buf_reset(&r->scratch);
	lh_value_str(v, &r->scratch, &text);
	return lh_js_keep(r, text);
}

/* What is in by_place. */
struct placed {
	const char *p;
	struct lh_js_node *node;
};

static struct placed *entry(const struct lh_map *m)
{
	return (struct placed *)(void *)m->entry;
}

/* Return the node that was compiled from the value at p, or NULL. */
static struct lh_js_node *node_at(const struct lh_jsonschema *s, const char *p)
{
	int64_t i = lh_map_find(&s->by_place, &p, sizeof p, sizeof(struct placed));

	return i < 0 ? NULL : entry(&s->by_place)[i].node;
}

static int add_edge(struct lh_js_reader *r, struct lh_js_node *from, struct lh_js_node *to)
{
	struct lh_js_edge *e;

	if (!to)
		return -1;
	e = lh_js_new(r, 1, sizeof *e);
	*e = (struct lh_js_edge){ to, from->edges };
	from->edges = e;
	from->in_place = true;
	return 0;
}

struct lh_js_node *lh_js_read_in_place(struct lh_js_reader *r, struct lh_js_node *n,
				       const struct lh_value *v)
{
	struct lh_js_node *to = lh_js_read(r, v);

	return add_edge(r, n, to) < 0 ? NULL : to;
}

static struct lh_js_node *new_node(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_js_node *n = lh_js_new(r, 1, sizeof *n);
	int64_t i = lh_map_add(&r->s->by_place, &v->p, sizeof v->p, sizeof(struct placed), NULL,
			       r->err);

	if (i < 0)
		return NULL;
	entry(&r->s->by_place)[i].node = n;
	n->at = *v;
	n->constant = v->type != LH_OBJECT;
	n->accepts = v->type == LH_TRUE;
	return n;
}

struct lh_js_node *lh_js_read(struct lh_js_reader *r, const struct lh_value *v)
{
	struct lh_js_node *n = node_at(r->s, v->p);
	struct lh_iter it;

	if (n)
		return n;
	if (v->type != LH_OBJECT && v->type != LH_TRUE && v->type != LH_FALSE) {
		lh_js_fault(r, v->p, "a schema must be an object, true or false");
		return NULL;
	}
	n = new_node(r, v);
	if (!n)
		return NULL;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (lh_js_keyword(r, n, &it.key, &it.val) < 0)
			return NULL;
	return n;
}

/* ---- references ---- */

static struct lh_str name_of(const void *ctx, uint32_t number)
{
	const struct lh_jsonschema *s = ctx;

	return s->id[number].name;
}

int lh_js_add_id(struct lh_js_reader *r, const char *at, struct lh_str name,
		 struct lh_js_node *node)
{
	struct lh_jsonschema *s = r->s;

	if (lh_table_find(&s->by_name, name, name_of, s) >= 0)
		return lh_js_fault(r, at, "\"#%.*s\" is there twice",
				   name.n > 200 ? 200 : (int)name.n, name.p);
	lh_grow(&s->id, &s->cap_ids, s->ids + 1, sizeof *s->id);
	s->id[s->ids] = (struct lh_js_id){ name, node };
	lh_table_set(&s->by_name, name, (uint32_t)s->ids, name_of, s);
	s->ids++;
	return 0;
}

/* Append a fragment with its %XX as bytes: 0, or -1 if that is not UTF-8. */
static int unescape(struct lh_buf *out, struct lh_str text)
{
	unsigned byte;
	size_t i;

	lh_buf_room(out, 1);
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '%' && text.n - i > 2 &&
		    strspn(text.p + i + 1, "0123456789abcdefABCDEF") >= 2 &&
		    sscanf(text.p + i + 1, "%2x", &byte) == 1) {
			lh_buf_putc(out, (char)byte);
			i += 2;
		} else {
			lh_buf_putc(out, text.p[i]);
		}
	}
	return lh_utf8_valid(out->p, out->len) ? 0 : -1;
}

/* Return the node that a fragment, which is not empty, names; NULL with *err. */
static struct lh_js_node *by_name(struct lh_js_reader *r, const struct lh_js_pending *p,
				  struct lh_str name)
{
	int64_t i = lh_table_find(&r->s->by_name, name, name_of, r->s);
	struct lh_value v = r->s->top;
	struct lh_js_node *to;

	if (i >= 0)
		return r->s->id[i].node;
	if (*name.p != '/' || !follow(&v, name)) {
		lh_js_fault(r, p->ref.p, "%.*s does not refer to anything",
			    p->ref.n > 300 ? 300 : (int)p->ref.n, p->ref.p);
		return NULL;
	}
	to = lh_js_read(r, &v);
	return to && lh_js_add_id(r, p->ref.p, lh_js_keep(r, name), to) == 0 ? to : NULL;
}

static struct lh_js_node *find_target(struct lh_js_reader *r, struct lh_js_pending *p)
{
	struct lh_str text = lh_js_text(r, &p->ref), uri = r->s->uri;
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };

	/* by the URI of the schema itself, or without one */
	if (uri.n && text.n >= uri.n && !memcmp(text.p, uri.p, uri.n) &&
	    (text.n == uri.n || text.p[uri.n] == '#'))
		text = (struct lh_str){ text.p + uri.n, text.n - uri.n };
	if (text.n && *text.p != '#') {
		lh_js_fault(r, p->ref.p, "%.*s is another document, and none is read",
			    p->ref.n > 300 ? 300 : (int)p->ref.n, p->ref.p);
		return NULL;
	}
	if (text.n <= 1)
		return node_at(r->s, r->s->top.p);
	if (unescape(&name, (struct lh_str){ text.p + 1, text.n - 1 }) < 0) {
		lh_js_fault(r, p->ref.p, "the fragment is not UTF-8");
		return NULL;
	}
	return by_name(r, p, (struct lh_str){ name.p, name.len });
}

static int resolve_all(struct lh_js_reader *r)
{
	struct lh_js_pending *p;
	struct lh_js_node *to;

	/* more are appended meanwhile */
	for (p = r->pending; p; p = p->next) {
		to = find_target(r, p);
		if (add_edge(r, p->node, to) < 0)
			return -1;
		p->node->ref = to;
	}
	return 0;
}

/* Walk from n along the edges; a node that is met again on the way is applied to the same
 * value without end. */
static int walk_from(struct lh_js_reader *r, struct lh_js_node *n)
{
	struct lh_js_node *to;

	if (n->color != LH_JS_NEW)
		return 0;
	n->color = LH_JS_ON_THE_WAY;
	while (n) {
		if (!n->edges) {
			n->color = LH_JS_DONE;
			n = n->from;
			continue;
		}
		to = n->edges->to;
		n->edges = n->edges->next;
		if (to->color == LH_JS_ON_THE_WAY)
			return lh_js_fault(r, n->at.p, "applies itself to the same value, "
					   "without end");
		if (to->color == LH_JS_NEW) {
			to->color = LH_JS_ON_THE_WAY;
			to->from = n;
			n = to;
		}
	}
	return 0;
}

static int refuse_loops(struct lh_js_reader *r)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < r->s->by_place.n; i++)
		rc = walk_from(r, entry(&r->s->by_place)[i].node);
	return rc;
}

static int compile(struct lh_js_reader *r, struct lh_str text)
{
	LH_SCOPED(lh_record_free) struct lh_record parser = { 0 };
	struct lh_jsonschema *s = r->s;
	size_t bom = lh_mark_len(text.p, text.n);

	if (text.n)
		lh_buf_add(&s->text, text.p + bom, text.n - bom);
	lh_buf_room(&s->text, 1);
	if (lh_json_parse(&parser, s->text.p, s->text.len, &s->top, r->err) < 0) {
		r->err->column += r->err->column ? bom : 0;
		return -1;
	}
	s->root = lh_js_read(r, &s->top);
	return s->root && resolve_all(r) == 0 ? refuse_loops(r) : -1;
}

struct lh_jsonschema *lh_jsonschema_new(struct lh_str text, lh_jsonschema_note *note, void *ctx,
					struct lh_err *err)
{
	struct lh_jsonschema *s = lh_calloc(1, sizeof *s);
	struct lh_js_reader r = { .s = s, .note = note, .ctx = ctx, .err = err };
	int rc;

	*err = (struct lh_err){ 0 };
	r.last = &r.pending;
	rc = compile(&r, text);
	lh_buf_free(&r.scratch);
	if (!rc)
		return s;
	lh_jsonschema_free(s);
	return NULL;
}

void lh_jsonschema_free(struct lh_jsonschema *s)
{
	struct lh_js_block *b, *next;
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
	free(s->id);
	lh_table_free(&s->by_name);
	lh_map_free(&s->by_place);
	lh_buf_free(&s->text);
	for (b = s->block; b; b = next) {
		next = b->next;
		free(b);
	}
	free(s);
}
