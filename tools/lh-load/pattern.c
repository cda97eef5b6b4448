/* pattern.c - JSON with variables in it.  See pattern.h. */
#include "pattern.h"

#include <stdlib.h>

#include "base/mem.h"

#define SHOWN(s) (int)((s).n < 100 ? (s).n : 100), (s).p

static bool is_name(struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != '_' && !((s.p[i] | 32) >= 'a' && (s.p[i] | 32) <= 'z') &&
		    !(i && s.p[i] >= '0' && s.p[i] <= '9'))
			return false;
	return s.n > 0;
}

/* Return the number of a variable; -1: it has none. */
static long names_find(const struct names *names, struct lh_str name)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (lh_str_is(name, names->name[i], strlen(names->name[i])))
			return (long)i;
	return -1;
}

long names_add(struct names *names, struct lh_str name, struct lh_err *err)
{
	long at = names_find(names, name);

	if (at >= 0)
		return at;
	if (!is_name(name))
		return lh_err_set(err, LH_EDATA, "\"%.*s\" is not the name of a variable",
				  SHOWN(name));
	if (names->n == NAMES_MAX)
		return lh_err_set(err, LH_EDATA, "more than %d variables", NAMES_MAX);
	names->name[names->n] = lh_strndup(name.p, name.n);
	return (long)names->n++;
}

void names_free(struct names *names)
{
	while (names->n)
		free(names->name[--names->n]);
}

static struct piece *add_piece(struct pattern *p, struct lh_str text)
{
	lh_grow(&p->piece, &p->cap, p->n + 1, sizeof *p->piece);
	p->piece[p->n] = (struct piece){ .text = text, .variable = -1 };
	return &p->piece[p->n++];
}

static void add_literal(struct pattern *p, const char *from, const char *to)
{
	if (from != to)
		add_piece(p, (struct lh_str){ from, (size_t)(to - from) });
}

/* Add a variable, "name" with or without a path. */
static int add_variable(struct pattern *p, struct lh_str text, bool whole,
			const struct names *names, struct lh_err *err)
{
	size_t n = 0;
	long variable;
	struct piece *piece;
	struct lh_str rest;

	while (n < text.n && text.p[n] != '.' && text.p[n] != '[')
		n++;
	variable = names_find(names, (struct lh_str){ text.p, n });
	if (variable < 0)
		return lh_err_set(err, LH_EDATA, "\"$%.*s\": there is no such variable here",
				  SHOWN(text));
	piece = add_piece(p, text);
	piece->variable = variable;
	piece->whole = whole;
	n += n < text.n && text.p[n] == '.';
	rest = (struct lh_str){ text.p + n, text.n - n };
	if (path_parse(&piece->path, rest, err) < 0)
		return -1;
	return piece->path.many ? lh_err_set(err, LH_EDATA, "\"$%.*s\": [*] is for take and expect",
					     SHOWN(text)) : 0;
}

/* Add a text in which ${name} are variables. */
static int add_text(struct pattern *p, const char **from, const char *at, const char *end,
		    const struct names *names, struct lh_err *err)
{
	const char *brace;
	struct lh_str name;

	while ((at = memmem(at, (size_t)(end - at), "${", 2))) {
		brace = memchr(at, '}', (size_t)(end - at));
		if (!brace)
			return lh_err_set(err, LH_EDATA, "\"${\" without \"}\"");
		name = (struct lh_str){ at + 2, (size_t)(brace - at - 2) };
		add_literal(p, *from, at);
		if (add_variable(p, name, false, names, err) < 0)
			return -1;
		*from = at = brace + 1;
	}
	return 0;
}

/* Return whether the text of a string is "$name", with or without a path. */
static bool is_variable(struct lh_str s)
{
	size_t n = 1;

	while (n < s.n && s.p[n] != '.' && s.p[n] != '[')
		n++;
	return s.n > 1 && s.p[0] == '$' && is_name((struct lh_str){ s.p + 1, n - 1 });
}

/* Add the strings of a value; what is before *from was added. */
static int add_strings(struct pattern *p, const char **from, const struct lh_value *v,
		       const struct names *names, struct lh_err *err)
{
	struct lh_str text = { v->p + 1, v->n - 2 };
	struct lh_iter it;

	if (v->type == LH_STRING && is_variable(text)) {
		add_literal(p, *from, v->p);
		*from = v->p + v->n;
		return add_variable(p, (struct lh_str){ text.p + 1, text.n - 1 }, true, names, err);
	}
	if (v->type == LH_STRING)
		return add_text(p, from, text.p, text.p + text.n, names, err);
	if (v->type != LH_ARRAY && v->type != LH_OBJECT)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (add_strings(p, from, &it.val, names, err) < 0)
			return -1;
	return 0;
}

int pattern_json(struct pattern *p, const struct lh_value *v, const struct names *names,
		 struct lh_err *err)
{
	const char *from = v->p;

	*p = (struct pattern){ .piece = NULL };
	if (add_strings(p, &from, v, names, err) < 0)
		return -1;
	add_literal(p, from, v->p + v->n);
	return 0;
}

int pattern_address(struct pattern *p, struct lh_str text, const struct names *names,
		    struct lh_err *err)
{
	const char *from = text.p;

	*p = (struct pattern){ .piece = NULL };
	if (add_text(p, &from, text.p, text.p + text.n, names, err) < 0)
		return -1;
	add_literal(p, from, text.p + text.n);
	return 0;
}

void pattern_free(struct pattern *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		path_free(&p->piece[i].path);
	free(p->piece);
	*p = (struct pattern){ .piece = NULL };
}

int piece_value(const struct piece *piece, const struct lh_value *value, struct lh_value *out,
		struct lh_err *err)
{
	if (path_value(&piece->path, &value[piece->variable], out))
		return 0;
	return lh_err_set(err, LH_EDATA, "$%.*s is not there", SHOWN(piece->text));
}

bool pattern_is_variable(const struct pattern *p)
{
	return p->n == 1 && p->piece->whole;
}

/* Append the text of a variable as it is inside a JSON string. */
static int put_inner(const struct piece *piece, const struct lh_value *v, struct lh_buf *out,
		     struct lh_err *err)
{
	if (v->type == LH_ARRAY || v->type == LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "${%.*s} is not a text", SHOWN(piece->text));
	if (v->type == LH_STRING)
		lh_buf_add(out, v->p + 1, v->n - 2);
	else
		lh_buf_add(out, v->p, v->n);
	return 0;
}

int pattern_put_json(const struct pattern *p, const struct lh_value *value, struct lh_buf *out,
		     struct lh_err *err)
{
	const struct piece *piece;
	struct lh_value v;

	for (piece = p->piece; piece < p->piece + p->n; piece++) {
		if (piece->variable < 0) {
			lh_buf_add(out, piece->text.p, piece->text.n);
			continue;
		}
		if (piece_value(piece, value, &v, err) < 0)
			return -1;
		if (piece->whole)
			lh_buf_add(out, v.p, v.n);
		else if (put_inner(piece, &v, out, err) < 0)
			return -1;
	}
	return 0;
}

static void put_encoded(struct lh_buf *out, struct lh_str s)
{
	static const char hex[] = "0123456789ABCDEF", *const plain = "-._~";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
		    (c && strchr(plain, c))) {
			lh_buf_putc(out, (char)c);
		} else {
			lh_buf_putc(out, '%');
			lh_buf_putc(out, hex[c >> 4]);
			lh_buf_putc(out, hex[c & 15]);
		}
	}
}

static int put_variable(const struct piece *piece, const struct lh_value *value, struct lh_buf *out,
			struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value v;
	struct lh_str s;
	int rc = piece_value(piece, value, &v, err);

	if (!rc && (v.type == LH_ARRAY || v.type == LH_OBJECT))
		rc = lh_err_set(err, LH_EDATA, "${%.*s} is not a text", SHOWN(piece->text));
	s = (struct lh_str){ v.p, v.n };
	if (rc)
		return rc;
	if (v.type == LH_STRING)
		lh_value_str(&v, &text, &s);
	put_encoded(out, s);
	return 0;
}

int pattern_put_address(const struct pattern *p, const struct lh_value *value, struct lh_buf *out,
			struct lh_err *err)
{
	const struct piece *piece;

	for (piece = p->piece; piece < p->piece + p->n; piece++) {
		if (piece->variable < 0)
			lh_buf_add(out, piece->text.p, piece->text.n);
		else if (put_variable(piece, value, out, err) < 0)
			return -1;
	}
	return 0;
}
