/* verdict.c - judge the answer of a step.  See verdict.h. */
#include "verdict.h"

#include "json/value.h"
#include "json/write.h"

#define SHOWN_MAX 200

void judge_free(struct judge *j)
{
	lh_record_free(&j->answer);
	lh_record_free(&j->operand);
	lh_buf_free(&j->text);
}

/* Return the beginning of a text, cut between characters. */
static int shown(const char *p, size_t n)
{
	if (n <= SHOWN_MAX)
		return (int)n;
	for (n = SHOWN_MAX; n && ((unsigned char)p[n] & 0xc0) == 0x80; n--)
		;
	return (int)n;
}

static int judge_status(const struct step *step, const struct answer *a, struct lh_err *err)
{
	char want[24] = "2xx";

	if (a->fault)
		return lh_err_set(err, LH_EDATA, "%s", a->fault);
	if (step->status ? a->status == step->status : a->status / 100 == 2)
		return 0;
	if (step->status)
		snprintf(want, sizeof want, "%u", step->status);
	return lh_err_set(err, LH_EDATA, "status is %u, expected %s: %.*s", a->status, want,
			  shown(a->body.p, a->body.n), a->body.n ? a->body.p : "");
}

/* ---- conditions ---- */

/* A condition on the values of a path. */
struct check {
	const struct expected *e;
	const struct condition *c;
	const struct lh_value *operand;
	struct lh_err *err;
};

static bool in_range(const struct condition *c, const struct lh_value *v,
		     const struct lh_value *operand)
{
	double is;

	if ((v->type != LH_NUMBER && v->type != LH_ARRAY) || operand->type != LH_NUMBER)
		return false;
	is = v->type == LH_ARRAY ? (double)lh_value_count(v) : lh_value_f64(v);
	return c->op == OP_MIN ? is >= lh_value_f64(operand) : is <= lh_value_f64(operand);
}

/* Return whether an array has the value. */
static bool has(const struct lh_value *array, const struct lh_value *v)
{
	struct lh_iter it;

	for (lh_iter_init(&it, array); lh_iter_next(&it); )
		if (lh_value_equal(&it.val, v))
			return true;
	return false;
}

/* Return whether a value, or the elements of an array, are not in the operand. */
static bool none_of(const struct lh_value *v, const struct lh_value *operand)
{
	struct lh_iter it;

	if (operand->type != LH_ARRAY)
		return false;
	if (v->type != LH_ARRAY)
		return !has(operand, v);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (has(operand, &it.val))
			return false;
	return true;
}

static bool matches(const struct condition *c, const struct lh_value *v)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s = { v->p, v->n };

	if (v->type == LH_STRING)
		lh_value_str(v, &text, &s);
	if (text.p != s.p)
		lh_buf_add(&text, s.p, s.n);
	lh_buf_putc(&text, '\0');
	return regexec(&c->regex, text.p, 0, NULL, 0) == 0;
}

/* Return 1 if the condition holds, 0, or -1. */
static int holds(const struct check *k, const struct lh_value *v)
{
	switch (k->c->op) {
	case OP_EQ:
	case OP_SAME_AS:
		return lh_value_equal(v, k->operand);
	case OP_NE:
		return !lh_value_equal(v, k->operand);
	case OP_NONE_OF:
		return none_of(v, k->operand);
	case OP_MATCHES:
		return matches(k->c, v);
	default:
		return in_range(k->c, v, k->operand);
	}
}

static int check_value(void *ctx, const struct lh_value *v)
{
	const struct check *k = ctx;
	int rc = holds(k, v);

	if (rc > 0)
		return 0;
	if (!rc)
		lh_err_set(k->err, LH_EDATA, "%.*s is %.*s, expected {\"%s\":%.*s}",
			   shown(k->e->text.p, k->e->text.n), k->e->text.p, shown(v->p, v->n), v->p,
			   op_names[k->c->op], shown(k->operand->p, k->operand->n), k->operand->p);
	return -1;
}

/* Set *operand to the operand of a condition, with the values of the variables. */
static int fill_operand(struct judge *j, const struct condition *c, const struct lh_value *variable,
			struct lh_value *operand, struct lh_err *err)
{
	if (c->op == OP_MATCHES) {
		*operand = (struct lh_value){ c->text.p, c->text.n, LH_STRING, false };
		return 0;
	}
	if (c->fixed.p) {
		*operand = c->fixed;
		return 0;
	}
	if (pattern_is_variable(&c->operand))
		return piece_value(c->operand.piece, variable, operand, err);
	lh_buf_reset(&j->text);
	if (pattern_put_json(&c->operand, variable, &j->text, err) < 0)
		return -1;
	return lh_json_parse(&j->operand, j->text.p, j->text.len, operand, err);
}

static int judge_place(struct judge *j, const struct expected *e, const struct lh_value *variable,
		       const struct lh_value *body, struct lh_err *err)
{
	struct lh_value operand;
	struct check k = { e, NULL, &operand, err };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < e->n; i++) {
		k.c = &e->condition[i];
		if (fill_operand(j, k.c, variable, &operand, err) < 0)
			return -1;
		rc = path_walk(&e->path, body, check_value, &k);
	}
	return rc <= 0 ? rc : lh_err_set(err, LH_EDATA, "%.*s is not there",
					 shown(e->text.p, e->text.n), e->text.p);
}

int judge_answer(struct judge *j, const struct step *step, const struct answer *a,
		 const struct lh_value *variable, struct lh_value *body, struct lh_err *err)
{
	size_t i;

	if (judge_status(step, a, err) < 0)
		return -1;
	if (!step->n_expected && !step->n_take)
		return 0;
	if (!a->body.n || lh_json_parse(&j->answer, a->body.p, a->body.n, body, err) < 0)
		return a->body.n && err->code != LH_EDATA ? -1 : lh_err_set(
			err, LH_EDATA, "the answer is not JSON: %.*s",
			shown(a->body.p, a->body.n), a->body.n ? a->body.p : "");
	for (i = 0; i < step->n_expected; i++)
		if (judge_place(j, &step->expected[i], variable, body, err) < 0)
			return -1;
	return 0;
}

/* ---- take ---- */

static int append(void *ctx, const struct lh_value *v)
{
	lh_write_value(ctx, NULL, v);
	return 0;
}

int judge_take(const struct take *t, const struct lh_value *body, struct lh_buf *out,
	       struct lh_value *value, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	int rc;

	if (t->path.many) {
		lh_write_array(&w, NULL);
		rc = path_walk(&t->path, body, append, &w);
		lh_write_end(&w);
		*value = (struct lh_value){ NULL, 0, LH_ARRAY, false };
	} else {
		rc = path_value(&t->path, body, value) ? 0 : 1;
		if (!rc)
			lh_buf_add(out, value->p, value->n);
	}
	if (rc)
		return lh_err_set(err, LH_EDATA, "take: %.*s is not there",
				  shown(t->text.p, t->text.n), t->text.p);
	value->p = out->p;
	value->n = out->len;
	return 0;
}
