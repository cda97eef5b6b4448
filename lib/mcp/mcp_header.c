/* mcp_header.c - what the header of an HTTP request must say.  See mcp_parts.h. */
#include "mcp_parts.h"

#include <stdlib.h>

#include <lh/num.h>

#define SENTINEL "=?base64?"
#define SENTINEL_END "?="

/* Return whether all bytes are those of a header: visible ASCII, space and tab. */
static bool is_plain(const char *header)
{
	for (; *header; header++)
		if ((*header < ' ' && *header != '\t') || *header > '~')
			return false;
	return true;
}

/* Decode a header: text that a header cannot hold is base64 in a sentinel.  False if that is
 * wrong, or does not fit, or other bytes are there. */
static bool decode(struct lh_buf *to, const char *header)
{
	const size_t n = strlen(header), begin = strlen(SENTINEL), end = strlen(SENTINEL_END);
	char *room;
	long got;

	lh_buf_reset(to);
	if (n < begin + end || strncmp(header, SENTINEL, begin) != 0 ||
	    strcmp(header + n - end, SENTINEL_END) != 0) {
		lh_buf_add(to, header, n);
		return is_plain(header);
	}
	room = lh_buf_room(to, n);
	got = room ? lh_base64_read(header + begin, n - begin - end, room) : -1;
	if (got < 0)
		return false;
	lh_buf_took(to, (size_t)got);
	return true;
}

/* Compare a header with a string of the message. */
static bool header_is(const char *header, const struct lh_value *v)
{
	return header && v->type == LH_STRING && lh_value_is(v, header, strlen(header));
}

static bool name_is(const struct lh_mcp_request *r, const struct lh_value *name)
{
	struct lh_buf *text = &r->m->text;

	return r->peer->headers->name && decode(text, r->peer->headers->name) &&
	       lh_value_is(name, text->p, text->len);
}

const char *lh_mcp_mismatch(const struct lh_mcp_request *r, const struct lh_value *method,
			    const char *named)
{
	const struct lh_mcp_headers *h = r->peer->headers;
	struct lh_value v;

	if (!h)
		return NULL;
	if (r->meta.p && lh_value_get(&r->meta, "io.modelcontextprotocol/protocolVersion", &v) &&
	    v.type == LH_STRING && !header_is(h->version, &v))
		return "the header MCP-Protocol-Version must be the version in _meta";
	if (!header_is(h->method, method))
		return "the header Mcp-Method must be the method";
	if (named && r->params.p && lh_value_get(&r->params, named, &v) && v.type == LH_STRING &&
	    !name_is(r, &v))
		return "the header Mcp-Name must be the name or uri in params";
	return NULL;
}

/* ---- Mcp-Param-NAME ---- */

#define ANNOTATION "x-mcp-header"
#define NESTED 8		/* objects inside each other */

static bool is_number(struct lh_str text, const struct lh_value *v)
{
	char digits[32];
	char *end;
	double n;

	if (!text.n || text.n >= sizeof digits)
		return false;
	memcpy(digits, text.p, text.n);
	digits[text.n] = '\0';
	if (strspn(digits, "-.0123456789") != text.n)
		return false;
	n = strtod(digits, &end);
	return !*end && n == lh_value_f64(v);
}

static bool param_is(const struct lh_mcp_request *r, const char *name, const struct lh_value *v)
{
	const struct lh_mcp_headers *h = r->peer->headers;
	const char *header = h->param ? h->param(h, name) : NULL;
	struct lh_buf *text = &r->m->text;

	if (!header || !decode(text, header))
		return false;
	switch (v->type) {
	case LH_STRING:
		return lh_value_is(v, text->p, text->len);
	case LH_NUMBER:
		return is_number((struct lh_str){ text->p, text->len }, v);
	default:
		return lh_str_is((struct lh_str){ text->p, text->len }, v->p, v->n);
	}
}

/* Return the text of a string as a C string, in *text; NULL if it is none. */
static const char *name_of(struct lh_buf *text, const struct lh_value *v)
{
	struct lh_str s;

	lh_buf_reset(text);
	if (v->type != LH_STRING)
		return NULL;
	lh_value_str(v, text, &s);
	if (s.p != text->p)
		lh_buf_add(text, s.p, s.n);
	lh_buf_putc(text, '\0');
	return memchr(text->p, '\0', s.n) ? NULL : text->p;
}

static bool params_match(const struct lh_mcp_request *r, const struct lh_value *schema,
			 const struct lh_value *args, unsigned depth)
{
	struct lh_buf *text = &r->m->strings;
	struct lh_value all, header, arg;
	struct lh_iter it;
	const char *name;

	if (depth == NESTED || !lh_value_get(schema, "properties", &all) || all.type != LH_OBJECT)
		return true;
	for (lh_iter_init(&it, &all); lh_iter_next(&it);) {
		name = name_of(text, &it.key);
		if (!name || it.val.type != LH_OBJECT || !lh_value_get(args, name, &arg) ||
		    arg.type == LH_NULL)
			continue;
		if (arg.type == LH_OBJECT && !params_match(r, &it.val, &arg, depth + 1))
			return false;
		if (arg.type < LH_ARRAY && lh_value_get(&it.val, ANNOTATION, &header) &&
		    (name = name_of(text, &header)) && !param_is(r, name, &arg))
			return false;
	}
	return true;
}

const char *lh_mcp_param_mismatch(const struct lh_mcp_request *r, const struct lh_mcp_tool *t,
				  const struct lh_value *args)
{
	struct lh_value schema;
	struct lh_err err;

	if (!r->modern || !r->peer->headers || args->type != LH_OBJECT ||
	    !t->input || !strstr(t->input, ANNOTATION))
		return NULL;
	if (lh_json_parse(&r->m->line, t->input, strlen(t->input), &schema, &err) < 0 ||
	    params_match(r, &schema, args, 0))
		return NULL;
	return "a header Mcp-Param-NAME must be the argument that it repeats";
}
