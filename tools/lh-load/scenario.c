/* scenario.c - read scenarios and the rows that they draw from.  See scenario.h. */
#include "scenario.h"

#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "json/value.h"

#define SHOWN(s) (int)((s).n < 100 ? (s).n : 100), (s).p

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
