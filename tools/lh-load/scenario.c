/*
 * scenario.c - read scenarios, the patterns in them, and the rows that they draw from.  See
 * scenario.h.
 */
#include "scenario.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "json/value.h"

/* ---- a place in JSON ---- */

/* Read "[0]" or "[*]" at s; return what follows it, or NULL. */
static char *read_element(struct path_part *part, char *s)
{
	char *end;

	if (s[1] == '*') {
		part->all = true;
		return s[2] == ']' ? s + 3 : NULL;
	}
	if (s[1] < '0' || s[1] > '9')
		return NULL;
	part->index = strtoul(s + 1, &end, 10);
	return *end == ']' ? end + 1 : NULL;
}

/* Read a name at s, and end it with NUL; return what follows. */
static char *read_name(struct path_part *part, char *s, char *before)
{
	size_t n = strcspn(s, ".[]");

	if (before)
		*before = '\0';
	part->name = s;
	return n && s[n] != ']' ? s + n : NULL;
}

static bool parse(struct path *p)
{
	char *s = p->text, *before;

	while (s && *s) {
		if (p->n == PATH_PARTS)
			return false;
		before = s;
		if (*s == '[') {
			s = read_element(&p->part[p->n], s);
			p->many |= p->part[p->n].all;
			*before = '\0';		/* the end of the name before it */
		} else if (!p->n || *s == '.') {
			s = read_name(&p->part[p->n], s + (*s == '.' && p->n), p->n ? s : NULL);
		} else {
			return false;
		}
		p->n++;
	}
	return s != NULL;
}

static void path_free(struct path *p);

static int path_parse(struct path *p, struct lh_str text, struct lh_err *err)
{
	*p = (struct path){ .n = 0 };
	p->text = lh_strndup(text.p, text.n);
	if (strlen(p->text) == text.n && parse(p))
		return 0;
	path_free(p);
	return lh_err_set(err, LH_EDATA, "\"%.*s\" is not a path like results[0].id",
			  (int)(text.n < 200 ? text.n : 200), text.p);
}

static void path_free(struct path *p)
{
	free(p->text);
	*p = (struct path){ .n = 0 };
}

static int walk(const struct path *p, size_t i, const struct lh_value *from,
		int (*found)(void *ctx, const struct lh_value *v), void *ctx)
{
	const struct path_part *part = &p->part[i];
	struct lh_value child;
	struct lh_iter it;
	size_t at = 0;
	int rc = 0;

	if (i == p->n)
		return found(ctx, from);
	if (part->name)
		return from->type == LH_OBJECT && lh_value_get(from, part->name, &child)
			? walk(p, i + 1, &child, found, ctx) : 1;
	if (from->type != LH_ARRAY)
		return 1;
	for (lh_iter_init(&it, from); !rc && lh_iter_next(&it); at++)
		if (part->all || at == part->index) {
			rc = walk(p, i + 1, &it.val, found, ctx);
			if (!part->all)
				return rc;
		}
	return part->all ? rc : 1;
}

int path_walk(const struct path *p, const struct lh_value *from,
	      int (*found)(void *ctx, const struct lh_value *v), void *ctx)
{
	return walk(p, 0, from, found, ctx);
}

static int keep(void *ctx, const struct lh_value *v)
{
	*(struct lh_value *)ctx = *v;
	return 0;
}

bool path_value(const struct path *p, const struct lh_value *from, struct lh_value *out)
{
	return path_walk(p, from, keep, out) == 0;
}

/* ---- JSON with variables in it ---- */

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

/* Return the number of a new one, or of the one of that name; -1 with *err. */
static long names_add(struct names *names, struct lh_str name, struct lh_err *err)
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

static void names_free(struct names *names)
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

/* Make the pattern of a JSON value. */
static int pattern_json(struct pattern *p, const struct lh_value *v, const struct names *names,
			struct lh_err *err)
{
	const char *from = v->p;

	*p = (struct pattern){ .piece = NULL };
	if (add_strings(p, &from, v, names, err) < 0)
		return -1;
	add_literal(p, from, v->p + v->n);
	return 0;
}

/* Make the pattern of a path of an address: "/v1/vectors/index/${name}". */
static int pattern_address(struct pattern *p, struct lh_str text, const struct names *names,
			   struct lh_err *err)
{
	const char *from = text.p;

	*p = (struct pattern){ .piece = NULL };
	if (add_text(p, &from, text.p, text.p + text.n, names, err) < 0)
		return -1;
	add_literal(p, from, text.p + text.n);
	return 0;
}

/* Make the pattern of a path of an address: "/v1/vectors/index/${name}". */
static void pattern_free(struct pattern *p)
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

/* ---- scenarios ---- */


const char *const op_names[OPS] = {
	"eq", "ne", "min", "max", "none_of", "same_as", "matches"
};

struct line {
	struct lh_buf text, strings;
	struct lh_record rec;
};

struct step_line {
	struct lh_str to;
	struct lh_value send, take, expect;
};

struct scenario_line {
	struct lh_str name;
	double weight;
	struct lh_value draw;
	struct step_line *step;
	size_t n_steps;
};

struct rows_line {
	struct lh_str name;
	struct lh_value rows;
};

static const struct lh_bind step_members[] = {
	{ LH_BIND_STRING("to", struct step_line, to), .required = true, .no_nul = true },
	{ LH_BIND_SOME("send", struct step_line, send) },
	{ LH_BIND_OBJECT("take", struct step_line, take) },
	{ LH_BIND_OBJECT("expect", struct step_line, expect) },
	LH_BIND_CLOSED
};

static const struct lh_bind scenario_members[] = {
	{ LH_BIND_STRING("name", struct scenario_line, name), .required = true, .filled = true },
	{ LH_BIND_F64("weight", struct scenario_line, weight, 0, 1e9), .above = true },
	{ LH_BIND_OBJECT("draw", struct scenario_line, draw) },
	{ LH_BIND_TABLES("steps", struct scenario_line, step, n_steps, step_members),
	  .required = true, .filled = true },
	LH_BIND_CLOSED
};

static const struct lh_bind rows_members[] = {
	{ LH_BIND_STRING("data", struct rows_line, name), .required = true, .filled = true },
	{ LH_BIND_ARRAY("rows", struct rows_line, rows), .required = true, .filled = true },
	LH_BIND_CLOSED
};

/* Return the text of a member's name.  Without escapes it is as written. */
static int key_text(const struct lh_value *key, struct lh_str *out, struct lh_err *err)
{
	*out = (struct lh_str){ key->p + 1, key->n - 2 };
	return key->escaped ? lh_err_set(err, LH_EDATA, "\"%.*s\": a name with escapes",
					 SHOWN(*out)) : 0;
}

/* ---- expect ---- */

static int compile(struct condition *c, const struct lh_value *v, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	char why[200];
	int rc;

	if (v->type != LH_STRING || c->operand.n != 1)
		return lh_err_set(err, LH_EDATA, "\"matches\" must be a regular expression");
	lh_value_str(v, &text, &s);
	if (text.p != s.p)
		lh_buf_add(&text, s.p, s.n);
	lh_buf_putc(&text, '\0');
	rc = regcomp(&c->regex, text.p, REG_EXTENDED | REG_NOSUB);
	c->compiled = !rc;
	if (rc) {
		regerror(rc, &c->regex, why, sizeof why);
		rc = lh_err_set(err, LH_EDATA, "\"matches\": %s", why);
	}
	return rc;
}

static int read_condition(struct condition *c, const struct lh_iter *it, const struct names *names,
			  struct lh_err *err)
{
	struct lh_str name;
	size_t i;

	if (key_text(&it->key, &name, err) < 0)
		return -1;
	for (i = 0; i < OPS && !lh_str_is(name, op_names[i], strlen(op_names[i])); i++)
		;
	if (i == OPS)
		return lh_err_set(err, LH_EDATA, "unknown condition \"%.*s\", not one of eq, ne, "
				  "min, max, none_of, same_as, matches", SHOWN(name));
	c->op = (enum op)i;
	c->text = (struct lh_str){ it->val.p, it->val.n };
	if (pattern_json(&c->operand, &it->val, names, err) < 0)
		return -1;
	if (c->op == OP_MATCHES)
		return compile(c, &it->val, err);
	if (c->operand.n == 1 && c->operand.piece->variable < 0)
		c->fixed = it->val;
	if (c->fixed.p && (c->op == OP_MIN || c->op == OP_MAX) && c->fixed.type != LH_NUMBER)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a number", op_names[c->op]);
	if (c->fixed.p && c->op == OP_NONE_OF && c->fixed.type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"none_of\" must be an array");
	return 0;
}

static int read_expected(struct expected *e, const struct lh_iter *it, const struct names *names,
			 struct lh_err *err)
{
	struct lh_iter conditions;

	if (key_text(&it->key, &e->text, err) < 0 || path_parse(&e->path, e->text, err) < 0)
		return -1;
	if (it->val.type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA,
				  "\"%.*s\" must be an object of conditions, like {\"eq\":1}",
				  SHOWN(e->text));
	e->condition = lh_calloc(lh_value_count(&it->val), sizeof *e->condition);
	for (lh_iter_init(&conditions, &it->val); lh_iter_next(&conditions); )
		if (read_condition(&e->condition[e->n++], &conditions, names, err) < 0)
			return lh_err_prefix(err, "\"%.*s\"", SHOWN(e->text));
	return 0;
}

static int read_status(struct step *s, const struct lh_value *v, struct lh_err *err)
{
	int64_t status;

	if (!lh_value_i64(v, &status) || status < 200 || status > 999)
		return lh_err_set(err, LH_EDATA,
				  "\"status\" must be a whole number from 200 to 999");
	s->status = (unsigned)status;
	return 0;
}

static int read_expect(struct step *s, const struct lh_value *v, const struct names *names,
		       struct lh_err *err)
{
	struct lh_iter it;
	int rc = 0;

	s->expected = lh_calloc(lh_value_count(v), sizeof *s->expected);
	for (lh_iter_init(&it, v); !rc && lh_iter_next(&it); )
		rc = it.val.type == LH_NUMBER && lh_value_is(&it.key, "status", 6)
			? read_status(s, &it.val, err)
			: read_expected(&s->expected[s->n_expected++], &it, names, err);
	return rc < 0 ? lh_err_prefix(err, "expect") : 0;
}

/* ---- the rest of a step ---- */

static int read_take(struct step *s, const struct lh_value *v, struct names *names,
		     struct lh_err *err)
{
	struct lh_iter it;
	struct take *t;

	s->take = lh_calloc(lh_value_count(v), sizeof *s->take);
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		t = &s->take[s->n_take++];
		if (key_text(&it.key, &t->name, err) < 0)
			return lh_err_prefix(err, "take");
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "take: \"%.*s\" must be a path",
					  SHOWN(t->name));
		t->variable = names_add(names, t->name, err);
		if (t->variable < 0 || key_text(&it.val, &t->text, err) < 0 ||
		    path_parse(&t->path, t->text, err) < 0)
			return lh_err_prefix(err, "take");
	}
	return 0;
}

/* Read "POST /v1/validate". */
static int read_to(struct step *s, struct lh_str to, const struct names *names, struct lh_err *err)
{
	size_t n = 0, i;

	while (n < to.n && to.p[n] >= 'A' && to.p[n] <= 'Z')
		n++;
	if (!n || n >= sizeof s->method || to.n < n + 2 || to.p[n] != ' ' || to.p[n + 1] != '/')
		return lh_err_set(err, LH_EDATA,
				  "\"to\" must be a route like \"POST /v1/validate\"");
	for (i = n + 1; i < to.n; i++)
		if ((unsigned char)to.p[i] <= ' ' || (unsigned char)to.p[i] >= 0x7f)
			return lh_err_set(err, LH_EDATA,
					  "\"to\" has a byte that must be percent-encoded");
	memcpy(s->method, to.p, n);
	s->to = to;
	to.p += n + 1;
	to.n -= n + 1;
	return pattern_address(&s->address, to, names, err);
}

static int read_step(struct step *s, const struct step_line *from, struct names *names,
		     struct lh_err *err)
{
	if (read_to(s, from->to, names, err) < 0)
		return -1;
	s->has_body = from->send.p != NULL;
	if (s->has_body && pattern_json(&s->body, &from->send, names, err) < 0)
		return lh_err_prefix(err, "send");
	/* what is expected comes before what is taken: it may refer to earlier takes only */
	if (from->expect.p && read_expect(s, &from->expect, names, err) < 0)
		return -1;
	return from->take.p ? read_take(s, &from->take, names, err) : 0;
}

/* ---- a line ---- */

static int read_draw(struct scenario *s, const struct lh_value *v, struct lh_err *err)
{
	struct lh_iter it;
	struct lh_str name;
	struct draw *d;

	s->draw = lh_calloc(lh_value_count(v), sizeof *s->draw);
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		d = &s->draw[s->n_draws++];
		if (key_text(&it.key, &name, err) < 0)
			return lh_err_prefix(err, "draw");
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "draw: \"%.*s\" must be a string",
					  SHOWN(name));
		if (key_text(&it.val, &d->data, err) < 0)
			return lh_err_prefix(err, "draw");
		d->variable = names_add(&s->names, name, err);
		if (d->variable < 0)
			return lh_err_prefix(err, "draw");
	}
	return 0;
}

static int add_scenario(struct set *set, struct line *line, struct lh_err *err)
{
	struct scenario_line l = { .weight = 1 };
	struct scenario *s;
	size_t i;

	if (lh_bind(scenario_members, &line->rec, &l, &line->strings, err) < 0)
		return -1;
	lh_grow(&set->scenario, &set->cap_scenarios, set->n_scenarios + 1, sizeof *set->scenario);
	s = lh_calloc(1, sizeof *s);
	set->scenario[set->n_scenarios++] = s;
	s->name = l.name;
	s->weight = l.weight;
	s->step = lh_calloc(l.n_steps, sizeof *s->step);
	if (l.draw.p && read_draw(s, &l.draw, err) < 0)
		return -1;
	for (i = 0; i < l.n_steps; i++)
		if (read_step(&s->step[s->n_steps++], &l.step[i], &s->names, err) < 0)
			return lh_err_prefix(err, "steps[%zu]", i);
	return 0;
}

static int add_rows(struct set *set, struct line *line, struct lh_err *err)
{
	struct rows_line l = { .name = { NULL, 0 } };
	struct lh_iter it;
	struct rows *r;

	if (lh_bind(rows_members, &line->rec, &l, &line->strings, err) < 0)
		return -1;
	lh_grow(&set->rows, &set->cap_rows, set->n_rows + 1, sizeof *set->rows);
	r = &set->rows[set->n_rows++];
	*r = (struct rows){ .name = l.name };
	r->row = lh_calloc(lh_value_count(&l.rows), sizeof *r->row);
	for (lh_iter_init(&it, &l.rows); lh_iter_next(&it); )
		r->row[r->n++] = it.val;
	return 0;
}

int set_add(struct set *set, struct lh_str text, struct lh_err *err)
{
	struct line *line;

	lh_grow(&set->line, &set->cap_lines, set->n_lines + 1, sizeof *set->line);
	line = lh_calloc(1, sizeof *line);
	set->line[set->n_lines++] = line;
	lh_buf_add(&line->text, text.p, text.n);
	if (lh_record_parse(&line->rec, line->text.p, line->text.len, err) < 0)
		return -1;
	return lh_record_get(&line->rec, "data") ? add_rows(set, line, err)
						  : add_scenario(set, line, err);
}

/* ---- the set ---- */

static int find_rows(const struct set *set, const struct scenario *s, struct draw *d,
		     struct lh_err *err)
{
	size_t i;

	for (i = 0; i < set->n_rows && !d->rows; i++)
		if (lh_str_is(d->data, set->rows[i].name.p, set->rows[i].name.n))
			d->rows = &set->rows[i];
	return d->rows ? 0 : lh_err_set(err, LH_EDATA,
					"scenario \"%.*s\" draws from data \"%.*s\", which are "
					"not there", SHOWN(s->name), SHOWN(d->data));
}

int set_end(struct set *set, struct lh_err *err)
{
	struct scenario *s;
	double sum = 0;
	size_t i, j;

	if (!set->n_scenarios)
		return lh_err_set(err, LH_EDATA, "no scenario");
	for (i = 0; i < set->n_scenarios; i++) {
		s = set->scenario[i];
		s->until = sum += s->weight;
		for (j = 0; j < i; j++)
			if (lh_str_is(s->name, set->scenario[j]->name.p, set->scenario[j]->name.n))
				return lh_err_set(err, LH_EDATA, "two scenarios \"%.*s\"",
						  SHOWN(s->name));
		for (j = 0; j < s->n_draws; j++)
			if (find_rows(set, s, &s->draw[j], err) < 0)
				return -1;
	}
	return 0;
}

static void free_step(struct step *s)
{
	struct expected *e;
	size_t i, j;

	pattern_free(&s->address);
	pattern_free(&s->body);
	for (i = 0; i < s->n_take; i++)
		path_free(&s->take[i].path);
	for (i = 0; i < s->n_expected; i++) {
		e = &s->expected[i];
		path_free(&e->path);
		for (j = 0; j < e->n; j++) {
			pattern_free(&e->condition[j].operand);
			if (e->condition[j].compiled)
				regfree(&e->condition[j].regex);
		}
		free(e->condition);
	}
	free(s->take);
	free(s->expected);
}

void set_free(struct set *set)
{
	size_t i;

	for (i = 0; i < set->n_scenarios; i++) {
		struct scenario *s = set->scenario[i];

		while (s->n_steps)
			free_step(&s->step[--s->n_steps]);
		names_free(&s->names);
		lh_buf_free(&s->first_failure);
		free(s->step);
		free(s->draw);
		free(s);
	}
	for (i = 0; i < set->n_rows; i++)
		free(set->rows[i].row);
	for (i = 0; i < set->n_lines; i++) {
		lh_record_free(&set->line[i]->rec);
		lh_buf_free(&set->line[i]->text);
		lh_buf_free(&set->line[i]->strings);
		free(set->line[i]);
	}
	free(set->scenario);
	free(set->rows);
	free(set->line);
}
