/* route.c - routes and the targets of requests.  See routes.h. */
#include "routes.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "base/mem.h"
#include "json/write.h"

const char *const lh_route_methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE", NULL };

/* ---- routes ---- */

static int bad_route(struct lh_err *err, const char *route, const char *why)
{
	return lh_err_set(err, LH_EDATA, "route \"%.200s\": %s", route, why);
}

static int add_piece(struct lh_route *r, const char *p, size_t n, struct lh_err *err)
{
	struct lh_route_piece *to = &r->pieces.v[r->pieces.n];

	if (r->pieces.n == LH_ROUTE_PIECES)
		return bad_route(err, r->route, "more than 16 pieces");
	if (r->pieces.rest)
		return bad_route(err, r->route, "{name...} is not at the end");
	if (!n)
		return bad_route(err, r->route, "an empty piece");
	*to = (struct lh_route_piece){ .text = { p, n } };
	if (*p == '{') {
		if (n < 3 || p[n - 1] != '}')
			return bad_route(err, r->route, "a name is {name}");
		r->pieces.rest = n > 5 && !memcmp(p + n - 4, "...", 3);
		*to = (struct lh_route_piece){ .text = { p + 1, n - (r->pieces.rest ? 5 : 2) },
					       .name = true };
		r->pieces.names++;
	}
	if (memchr(to->text.p, '{', to->text.n) || memchr(to->text.p, '}', to->text.n) ||
	    memchr(to->text.p, '%', to->text.n) || memchr(to->text.p, '?', to->text.n))
		return bad_route(err, r->route, "a piece holds {, }, % or ?");
	r->pieces.n++;
	return 0;
}

/* HEAD and OPTIONS are answered for every route. */
static bool is_method(const char *p, size_t n)
{
	size_t i;

	for (i = 0; lh_route_methods[i]; i++)
		if (lh_str_is((struct lh_str){ p, n }, lh_route_methods[i],
			      strlen(lh_route_methods[i])))
			return true;
	return false;
}

/* Two pieces with one name would be one member twice. */
static int distinct_names(const struct lh_route *r, struct lh_err *err)
{
	size_t i, j;

	for (i = 1; i < r->pieces.n; i++)
		for (j = 0; j < i; j++)
			if (r->pieces.v[i].name && r->pieces.v[j].name &&
			    !lh_str_cmp(r->pieces.v[i].text, r->pieces.v[j].text))
				return bad_route(err, r->route, "a name is there twice");
	return 0;
}

int lh_route_parse(struct lh_route *r, const char *route, struct lh_err *err)
{
	const char *space = strchr(route, ' '), *p, *end;

	if (!space || !is_method(route, (size_t)(space - route)) || space[1] != '/' ||
	    !lh_utf8_valid(route, strlen(route)))
		return bad_route(err, route, "it must be \"METHOD /PATH\", with one of GET, POST, "
					     "PUT, PATCH and DELETE");
	r->route = lh_strndup(route, strlen(route));
	memcpy(r->method, route, (size_t)(space - route));
	r->method[space - route] = '\0';
	r->path = r->route + (space - route) + 1;
	r->pieces.n = r->pieces.names = 0;
	r->pieces.rest = false;
	for (p = r->path + 1; *p || r->pieces.n; p = end + 1) {
		end = strchrnul(p, '/');
		if (add_piece(r, p, (size_t)(end - p), err) < 0)
			return -1;
		if (!*end)
			break;
	}
	return distinct_names(r, err);
}

void lh_argv_free(char **argv)
{
	size_t i;

	for (i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}

char **lh_argv_copy(char *const *argv)
{
	size_t n = 0, i;
	char **copy;

	while (argv[n])
		n++;
	copy = lh_calloc(n + 1, sizeof *copy);
	for (i = 0; i < n; i++)
		copy[i] = lh_strndup(argv[i], strlen(argv[i]));
	return copy;
}

bool lh_argv_same(char *const *a, char *const *b)
{
	static char *const none[] = { NULL };

	for (a = a ? a : none, b = b ? b : none; *a && *b && !strcmp(*a, *b); a++, b++)
		;
	return !*a && !*b;
}

void lh_route_free(struct lh_route *r)
{
	size_t i;

	lh_argv_free(r->run);
	lh_argv_free(r->env);
	free(r->route);
	free(r->members);
	for (i = 0; i < r->constants.n; i++)
		free(r->constants.name[i]);
	free(r->constants.name);
	free(r->token_file);
	free(r->why);
	free(r->title);
	free(r->program);
	free(r->says);
	memset(r, 0, sizeof *r);
}

bool lh_route_same(const struct lh_route *a, const struct lh_route *b)
{
	size_t i;

	if (strcmp(a->method, b->method) || a->pieces.n != b->pieces.n ||
	    a->pieces.rest != b->pieces.rest)
		return false;
	for (i = 0; i < a->pieces.n; i++)
		if (a->pieces.v[i].name != b->pieces.v[i].name ||
		    (!a->pieces.v[i].name && lh_str_cmp(a->pieces.v[i].text, b->pieces.v[i].text)))
			return false;
	return true;
}

/* ---- constant members ---- */

static bool is_piece(const struct lh_route *r, struct lh_str name)
{
	size_t i;

	for (i = 0; i < r->pieces.n; i++)
		if (r->pieces.v[i].name && !lh_str_cmp(r->pieces.v[i].text, name))
			return true;
	return false;
}

static int add_constant(struct lh_route *r, const struct lh_value *key, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	struct lh_str name;

	lh_value_str(key, &scratch, &name);
	if (is_piece(r, name))
		return bad_route(err, r->route, "a constant member is named like a piece");
	lh_grow(&r->constants.name, &r->constants.cap, r->constants.n + 1,
		sizeof *r->constants.name);
	r->constants.name[r->constants.n++] = lh_strndup(name.p, name.n);
	return 0;
}

int lh_route_set_members(struct lh_route *r, const struct lh_value *object, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_iter it;
	int rc = 0;

	for (lh_iter_init(&it, object); !rc && lh_iter_next(&it); ) {
		if (text.len)
			lh_buf_putc(&text, ',');
		lh_json_compact(&text, it.key.p, it.key.n);
		lh_buf_putc(&text, ':');
		lh_json_compact(&text, it.val.p, it.val.n);
		rc = add_constant(r, &it.key, err);
	}
	if (!rc && text.len)
		r->members = lh_strndup(text.p, text.len);
	return rc;
}

/* ---- targets ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int lh_percent_decode(struct lh_str in, bool plus, struct lh_buf *out, struct lh_err *err)
{
	size_t from = out->len, i;

	for (i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (((unsigned char)c <= ' ' || c == 0x7f))
			return lh_err_set(err, LH_EDATA,
					  "white space or a control character in the target");
		if (c == '%') {
			int hi = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
			int lo = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return lh_err_set(err, LH_EDATA, "wrong percent-encoding");
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if (!c)
			return lh_err_set(err, LH_EDATA, "NUL in the target");
		lh_buf_putc(out, c);
	}
	if (out->len > from && !lh_utf8_valid(out->p + from, out->len - from))
		return lh_err_set(err, LH_EDATA, "the target is not UTF-8");
	return 0;
}

/* Decode a part; *to gets its length, and its offset as a pointer from NULL, because the
 * buffer may still move. */
static int decode(struct lh_route_path *p, struct lh_str in, bool plus, struct lh_str *to,
		  struct lh_err *err)
{
	size_t from = p->text.len;

	if (lh_percent_decode(in, plus, &p->text, err) < 0)
		return -1;
	*to = (struct lh_str){ (const char *)from, p->text.len - from };
	return 0;
}

static int read_piece(struct lh_route_path *p, struct lh_str in, struct lh_err *err)
{
	const char *text;
	struct lh_str *to;

	if (p->n >= LH_ROUTE_PIECES) {
		p->n = LH_ROUTE_PIECES + 1;
		return 0;
	}
	to = &p->piece[p->n++];
	if (decode(p, in, false, to, err) < 0)
		return -1;
	text = p->text.p + (size_t)to->p;
	if ((to->n == 1 && *text == '.') || (to->n == 2 && !memcmp(text, "..", 2)))
		return lh_err_set(err, LH_EDATA, "\".\" or \"..\" in the path");
	return 0;
}

static int read_arg(struct lh_route_path *p, struct lh_str in, struct lh_err *err)
{
	const char *equals = memchr(in.p, '=', in.n);
	size_t key = equals ? (size_t)(equals - in.p) : in.n, value = equals ? key + 1 : key;

	if (p->args == LH_ROUTE_ARGS)
		return lh_err_set(err, LH_EDATA, "more than %d query parameters", LH_ROUTE_ARGS);
	if (!key)
		return lh_err_set(err, LH_EDATA, "a query parameter without a name");
	if (decode(p, (struct lh_str){ in.p, key }, true, &p->key[p->args], err) < 0 ||
	    decode(p, (struct lh_str){ in.p + value, in.n - value }, true, &p->value[p->args],
		   err) < 0)
		return -1;
	p->args++;
	return 0;
}

/* Read the parts of a list, divided by one character; empty parts only in a path. */
static int read_parts(struct lh_route_path *p, struct lh_str in, char by,
		      int (*read)(struct lh_route_path *, struct lh_str, struct lh_err *),
		      struct lh_err *err)
{
	const char *at = in.p, *end = in.p + in.n, *stop;

	for (;; at = stop + 1) {
		stop = memchr(at, by, (size_t)(end - at));
		if (!stop)
			stop = end;
		if ((stop > at || by == '/') &&
		    read(p, (struct lh_str){ at, (size_t)(stop - at) }, err) < 0)
			return -1;
		if (stop == end)
			return 0;
	}
}

/* Skip "http://authority" of an absolute target; the result is empty if it is no path. */
static struct lh_str skip_authority(struct lh_str target)
{
	static const char *const scheme[] = { "http://", "https://" };
	size_t i, n, host;

	if (target.n && *target.p == '/')
		return target;
	for (i = 0; i < 2; i++) {
		n = host = strlen(scheme[i]);
		if (target.n <= n || strncasecmp(target.p, scheme[i], n))
			continue;
		while (n < target.n && target.p[n] != '/' && target.p[n] != '?')
			n++;
		if (n == target.n)
			return (struct lh_str){ "/", 1 };
		if (target.p[n] == '/' && n > host)
			return (struct lh_str){ target.p + n, target.n - n };
	}
	return (struct lh_str){ target.p, 0 };
}

static int once_each(const struct lh_route_path *p, struct lh_err *err)
{
	size_t i, j;

	for (i = 1; i < p->args; i++)
		for (j = 0; j < i; j++)
			if (!lh_str_cmp(p->key[i], p->key[j]))
				return lh_err_set(err, LH_EDATA,
						  "query parameter \"%.*s\" is given twice",
						  (int)(p->key[i].n > 100 ? 100 : p->key[i].n),
						  p->key[i].p);
	return 0;
}

static int read_target(struct lh_route_path *p, struct lh_str target, struct lh_err *err)
{
	struct lh_str path = skip_authority(target), query = { "", 0 };
	const char *mark = memchr(path.p, '?', path.n);
	size_t i;

	lh_buf_putc(&p->text, '/');	/* so that no part is at NULL */
	if (!path.n)
		return lh_err_set(err, LH_EDATA, "the target is not a path");
	if (mark) {
		query = (struct lh_str){ mark + 1, path.n - (size_t)(mark - path.p) - 1 };
		path.n = (size_t)(mark - path.p);
	}
	path.p++;
	path.n--;
	p->raw = path;
	if ((path.n && read_parts(p, path, '/', read_piece, err) < 0) ||
	    read_parts(p, query, '&', read_arg, err) < 0)
		return -1;
	/* Replace the offsets of decode by pointers, the text being complete. */
	for (i = 0; i < p->n && i < LH_ROUTE_PIECES; i++)
		p->piece[i].p = p->text.p + (size_t)p->piece[i].p;
	for (i = 0; i < p->args; i++) {
		p->key[i].p = p->text.p + (size_t)p->key[i].p;
		p->value[i].p = p->text.p + (size_t)p->value[i].p;
	}
	return once_each(p, err);
}

int lh_route_path_read(struct lh_route_path *p, struct lh_str target, struct lh_err *err)
{
	int rc;

	lh_buf_reset(&p->text);
	p->n = p->args = 0;
	rc = read_target(p, target, err);
	if (rc)
		p->n = p->args = 0;	/* what was read has no pointers yet */
	return rc;
}

void lh_route_path_free(struct lh_route_path *p)
{
	lh_buf_free(&p->text);
}

struct lh_str lh_route_arg(const struct lh_route_path *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->args; i++)
		if (lh_str_is(p->key[i], key, strlen(key)))
			return p->value[i];
	return (struct lh_str){ NULL, 0 };
}

bool lh_route_fits(const struct lh_route *r, const struct lh_route_path *p, size_t skip)
{
	size_t i;

	if (!r->pieces.n && skip && p->n == skip + 1)
		return !p->piece[skip].n;	/* "/" below a mount */
	if (r->pieces.rest ? p->n < r->pieces.n + skip || r->pieces.n + skip > LH_ROUTE_PIECES
		    : p->n > LH_ROUTE_PIECES || p->n != r->pieces.n + skip)
		return false;
	for (i = 0; i < r->pieces.n; i++)
		if (r->pieces.v[i].name ? !p->piece[skip + i].n &&
					  (!r->pieces.rest || i + 1 < r->pieces.n)
					: lh_str_cmp(r->pieces.v[i].text, p->piece[skip + i]))
			return false;
	return true;
}

/* ---- members ---- */

/* Members that the filters read as numbers, in their INPUT tables. */
static const char *const numbers[] = {
	"budget", "created_after_ns", "created_before_ns", "dimension", "dimensions", "duration_ms",
	"ef_search", "k", "least", "limit", "m", "max_distance", "max_iterations", "max_tokens",
	"min_score", "offset", "per_corpus_k", "playbook_max_distance",
	"playbook_max_inject_distance", "playbook_top_k", "score", "temperature", "timeout_ms",
	"top_n",
};
/* Those that lh-ingest reads as truth values. */
static const char *const truths[] = { "append", "history" };

static bool is_among(const char *const *names, size_t n, struct lh_str name)
{
	size_t i = 0;

	while (i < n && !lh_str_is(name, names[i], strlen(names[i])))
		i++;
	return i < n;
}

static bool is_json_number(struct lh_str text)
{
	LH_SCOPED(lh_record_free) struct lh_record rec = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	struct lh_value v;
	struct lh_err err;
	bool is;

	lh_buf_add(&copy, text.p, text.n);
	is = text.n && !lh_buf_check(&copy, &err) &&
	     !lh_json_parse(&rec, copy.p, copy.len, &v, &err) && v.type == LH_NUMBER &&
	     v.n == text.n;
	return is;
}

static int add_member(struct lh_writer *w, struct lh_str name, struct lh_str value,
		      struct lh_err *err)
{
	const bool number = is_among(numbers, sizeof numbers / sizeof *numbers, name);
	const bool truth = is_among(truths, sizeof truths / sizeof *truths, name);

	if (number && !is_json_number(value))
		return lh_err_set(err, LH_EDATA, "\"%.*s\" must be a number", (int)name.n,
				  name.p);
	if (truth && !lh_str_is(value, "true", 4) && !lh_str_is(value, "false", 5))
		return lh_err_set(err, LH_EDATA, "\"%.*s\" must be true or false", (int)name.n,
				  name.p);
	lh_write_key_str(w, name);
	if (number || truth)
		lh_buf_add(w->out, value.p, value.n);
	else
		lh_buf_json(w->out, value.p, value.n);
	w->comma = true;
	return 0;
}

/* Return whether the route has a constant member of that name. */
static bool is_constant(const struct lh_route *r, struct lh_str name)
{
	size_t i;

	for (i = 0; i < r->constants.n; i++)
		if (!lh_str_cmp(lh_str_of(r->constants.name[i]), name))
			return true;
	return false;
}

/* Return whether the bridge gives the filter the name of a file. */
static bool has_file(const struct lh_route *r)
{
	return r->kind == LH_ROUTE_PUT || r->kind == LH_ROUTE_INGEST || r->kind == LH_ROUTE_GET;
}

const struct lh_route_field lh_route_fields[] = {
	{ "If-Match", "if_match" }, { "If-None-Match", "if_none_match" }, { NULL, NULL }
};

static bool is_field(struct lh_str name)
{
	const struct lh_route_field *f;

	for (f = lh_route_fields; f->name; f++)
		if (lh_str_is(name, f->member, strlen(f->member)))
			return true;
	return false;
}

bool lh_route_gives(const struct lh_route *r, struct lh_str name)
{
	return is_piece(r, name) || is_constant(r, name) || is_field(name) ||
	       (has_file(r) && lh_str_is(name, "file", 4));
}

int lh_route_rest(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		  struct lh_buf *out, struct lh_err *err)
{
	struct lh_str rest = p->raw;
	const char *slash;
	size_t i;

	for (i = 0; i + 1 < r->pieces.n + skip; i++) {
		slash = memchr(rest.p, '/', rest.n);
		if (!slash)
			break;
		rest.n -= (size_t)(slash + 1 - rest.p);
		rest.p = slash + 1;
	}
	return lh_percent_decode(rest, false, out, err);
}

static int add_rest(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		    struct lh_writer *w, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_route_rest(r, p, skip, &text, err);

	if (!rc)
		rc = add_member(w, r->pieces.v[r->pieces.n - 1].text,
				(struct lh_str){ text.p, text.len }, err);
	return rc;
}

/* Add the pieces with a name. */
static int add_pieces(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		      struct lh_writer *w, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < r->pieces.n; i++)
		if (r->pieces.v[i].name && (!r->pieces.rest || i + 1 < r->pieces.n) &&
		    add_member(w, r->pieces.v[i].text, p->piece[skip + i], err) < 0)
			return -1;
	return r->pieces.rest ? add_rest(r, p, skip, w, err) : 0;
}

int lh_route_members(const struct lh_route *r, const struct lh_route_path *p, size_t skip,
		     struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = { .out = out, .comma = false };
	size_t i;

	for (i = 0; i < p->args; i++)
		if (lh_route_gives(r, p->key[i]))
			return lh_err_set(err, LH_EDATA,
					  "query parameter \"%.*s\" is given by the route already",
					  (int)(p->key[i].n > 100 ? 100 : p->key[i].n),
					  p->key[i].p);
	if (r->members && *r->members) {
		lh_buf_puts(out, r->members);
		w.comma = true;
	}
	if (add_pieces(r, p, skip, &w, err) < 0)
		return -1;
	for (i = 0; i < p->args; i++)
		if (add_member(&w, p->key[i], p->value[i], err) < 0)
			return -1;
	return 0;
}
