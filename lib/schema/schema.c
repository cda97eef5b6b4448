/* schema.c - validate a value against its schema.  See schema.h. */
#include "schema_table.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/utf8.h"

#define SHOWN 80	/* a longer value is not quoted */

struct walk {
	const struct lh_schema *schema;	/* NULL: a line alone is checked */
	struct lh_buf *scratch;
	lh_schema_fn *found;
	void *ctx;
	long n;
};

/* A field on the path to a value; at: the index in a list, or -1. */
struct place {
	const struct place *up;
	const char *name;
	long at;
};

static size_t print_place(const struct place *p, char *to, size_t size)
{
	size_t n = 0;

	if (p->up) {
		n = print_place(p->up, to, size);
		to[n++] = '.';
	}
	n += (size_t)snprintf(to + n, size - n, p->at < 0 ? "%s" : "%s[%ld]", p->name, p->at);
	return n;
}

static void add_problem(struct walk *w, const struct place *p, const char *fmt, ...)
	LH_PRINTF(3, 4);
static void add_problem(struct walk *w, const struct place *p, const char *fmt, ...)
{
	char field[256], problem[512];
	va_list ap;
	int n;

	if (w->n++ >= LH_SCHEMA_MAX)
		return;
	va_start(ap, fmt);
	n = vsnprintf(problem, sizeof problem, fmt, ap);
	va_end(ap);
	w->found(w->ctx, &(struct lh_str){ field, print_place(p, field, sizeof field) },
		 &(struct lh_str){ problem, (size_t)n });
}

void lh_schema_expected(char *to, size_t size, const char *what, const struct lh_value *v)
{
	static const char *const types[] = { "null", "boolean", "boolean", "number", "string",
					     "array", "object" };

	if (v->n <= SHOWN && v->type != LH_ARRAY && v->type != LH_OBJECT)
		snprintf(to, size, "expected %s, got %.*s", what, (int)v->n, v->p);
	else
		snprintf(to, size, "expected %s, got %s", what, types[v->type]);
}

static void report_value(struct walk *w, const struct place *p, const char *what,
			 const struct lh_value *v)
{
	char problem[512];

	lh_schema_expected(problem, sizeof problem, what, v);
	add_problem(w, p, "%s", problem);
}

/* Return the text of a string. */
static struct lh_str text_of(struct walk *w, const struct lh_value *v)
{
	size_t mark = w->scratch->len;
	struct lh_str s;

	lh_value_str(v, w->scratch, &s);
	w->scratch->len = mark;
	return s;
}

static const char *choice_of(const char *const *list, const struct lh_value *v)
{
	for (; *list; list++)
		if (lh_value_is(v, *list, strlen(*list)))
			break;
	return *list;
}

/* Return the value of a choice that must not be there, NULL if it is no such value. */
static const char *never(const struct walk *w, const struct lh_bind *f, const struct lh_value *v)
{
	const struct lh_never *n = w->schema ? &w->schema->never : NULL;

	return n && n->field && !strcmp(n->field, f->name) ? choice_of(n->choice, v) : NULL;
}

static void check_choice(struct walk *w, const struct place *p, const struct lh_bind *f,
			 const struct lh_value *v)
{
	char all[256] = "";
	size_t i, n = 0;

	if (choice_of(f->choice, v))
		return;
	if (never(w, f, v)) {
		add_problem(w, p, "contamination: %s must never enter %s", never(w, f, v),
			    w->schema->never.in);
		return;
	}
	for (i = 0; f->choice[i] && n < sizeof all; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s",
				      !i ? "" : f->choice[i + 1] ? ", " : " or ", f->choice[i]);
	report_value(w, p, all, v);
}

static void check_text(struct walk *w, const struct place *p, const struct lh_bind *f,
		       const struct lh_value *v)
{
	struct lh_str s;

	if (f->choice) {
		check_choice(w, p, f, v);
	} else if (f->is) {
		s = v->type == LH_STRING ? text_of(w, v) : (struct lh_str){ "", 0 };
		if (!f->is(v, s))
			report_value(w, p, f->what, v);
	} else if (v->type != LH_STRING) {
		report_value(w, p, "string", v);
	} else if (v->n == 2 && f->filled) {
		add_problem(w, p, "must not be empty");
	} else if (f->not_blank) {
		s = text_of(w, v);
		if (!lh_trim(s.p, s.n).n)
			add_problem(w, p, "must not be blank");
	}
}

static void check_whole(struct walk *w, const struct place *p, const struct lh_bind *f,
			const struct lh_value *v)
{
	int64_t n = 0;
	bool whole = lh_value_i64(v, &n);

	if (whole && n >= f->least && n <= f->most)
		return;
	if (!whole || f->what)
		report_value(w, p, f->what ? f->what : "integer", v);
	else if (f->most < INT64_MAX)
		add_problem(w, p, "must be %" PRId64 " to %" PRId64, f->least, f->most);
	else
		add_problem(w, p, "must be %" PRId64 " or more", f->least);
}

static void check_number(struct walk *w, const struct place *p, const struct lh_bind *f,
			 const struct lh_value *v)
{
	double d;

	if (v->type != LH_NUMBER) {
		report_value(w, p, "number", v);
		return;
	}
	d = lh_value_f64(v);
	if (d >= f->min && d <= f->max)
		return;
	if (isfinite(f->max))
		add_problem(w, p, "must be %g to %g", f->min, f->max);
	else
		add_problem(w, p, "must be %g or more", f->min);
}

static void check_object(struct walk *w, const struct place *up, const struct lh_bind *f,
			 const struct lh_value *v);

static void check_list(struct walk *w, const struct place *p, const struct lh_bind *f,
		       const struct lh_value *v)
{
	struct place each = { p->up, p->name, 0 };
	struct lh_iter it;

	if (v->type != LH_ARRAY) {
		report_value(w, p, "array", v);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); each.at++)
		if (f->to == LH_BIND_TO_TABLES)
			check_object(w, &each, f->table, &it.val);
		else if (it.val.type != LH_STRING)
			report_value(w, &each, "string", &it.val);
	if (f->filled && !each.at)
		add_problem(w, p, "must not be empty");
}

static void check_value(struct walk *w, const struct place *p, const struct lh_bind *f,
			const struct lh_value *v)
{
	if (f->null && v->type == LH_NULL)
		return;
	switch (f->to) {
	case LH_BIND_TO_STRING:
		check_text(w, p, f, v);
		break;
	case LH_BIND_TO_BOOL:
		if (v->type != LH_TRUE && v->type != LH_FALSE)
			report_value(w, p, "boolean", v);
		break;
	case LH_BIND_TO_WHOLE:
		check_whole(w, p, f, v);
		break;
	case LH_BIND_TO_F64:
		check_number(w, p, f, v);
		break;
	case LH_BIND_TO_STRINGS:
	case LH_BIND_TO_TABLES:
		check_list(w, p, f, v);
		break;
	default:
		check_object(w, p, f->table, v);
	}
}

long lh_schema_check_value(const struct lh_bind *f, const char *name, const struct lh_value *v,
			   struct lh_buf *scratch, lh_schema_fn *found, void *ctx)
{
	struct walk w = { .scratch = scratch, .found = found, .ctx = ctx };

	check_value(&w, &(struct place){ NULL, name, -1 }, f, v);
	return w.n;
}

/* The value of each field, p NULL if it is absent.  Records usually have their
 * members in the order of the schema, so the next key is compared with the next
 * field first. */
struct gather {
	const struct lh_bind *field;
	struct lh_value *got;
	size_t n, next;
};

static void gather_init(struct gather *g, const struct lh_bind *f, struct lh_value *got)
{
	*g = (struct gather){ .field = f, .got = got };
	for (; f[g->n].name; g->n++)
		got[g->n].p = NULL;
}

static inline bool is_named(const struct lh_value *key, const struct lh_bind *f)
{
	if (__builtin_expect(key->escaped, 0))
		return lh_value_is(key, f->name, f->n);
	return key->n == (size_t)f->n + 2 && !memcmp(key->p + 1, f->name, f->n);
}

static inline void gather_one(struct gather *g, const struct lh_value *key,
			      const struct lh_value *val)
{
	size_t tries, i;

	for (tries = 0; tries < g->n; tries++) {
		i = g->next;
		g->next = i + 1 < g->n ? i + 1 : 0;
		if (is_named(key, &g->field[i])) {
			g->got[i] = *val;
			break;
		}
	}
}

static size_t gather(const struct lh_bind *f, const struct lh_value *v, struct lh_value *got)
{
	struct gather g;
	struct lh_iter it;

	gather_init(&g, f, got);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		gather_one(&g, &it.key, &it.val);
	return g.n;
}

static size_t gather_record(const struct lh_bind *f, const struct lh_record *rec,
			    struct lh_value *got)
{
	struct gather g;
	size_t i;

	gather_init(&g, f, got);
	for (i = 0; i < rec->n; i++)
		gather_one(&g, &rec->member[i].key, &rec->member[i].val);
	return g.n;
}

static void check_fields(struct walk *w, const struct place *up, const struct lh_bind *f,
			 const struct lh_value *got, size_t n)
{
	struct place p = { up, NULL, -1 };
	size_t i;

	for (i = 0; i < n; i++) {
		p.name = f[i].name;
		if (got[i].p)
			check_value(w, &p, &f[i], &got[i]);
		else if (f[i].required)
			add_problem(w, &p, "missing");
	}
}

static void check_object(struct walk *w, const struct place *up, const struct lh_bind *f,
			 const struct lh_value *v)
{
	struct lh_value got[LH_SCHEMA_FIELDS];

	if (v->type != LH_OBJECT)
		report_value(w, up, "object", v);
	else if (f)
		check_fields(w, up, f, got, gather(f, v, got));
}

static const struct lh_value *member(const struct lh_schema *s, const struct lh_value *got,
				     const char *name)
{
	size_t i = 0;

	while (strcmp(s->field[i].name, name))
		i++;
	return &got[i];
}

/* Check gathered fields; n: number of members in got. */
static long check_gathered(struct walk *w, const struct lh_schema *s, const struct lh_value *got,
			   size_t n)
{
	struct place record = { NULL, "record", -1 };
	long more;
	const struct lh_differ *d;

	check_fields(w, NULL, s->field, got, n);
	for (d = s->differ; d < s->differ + 2 && d->field; d++) {
		const struct lh_value *a = member(s, got, d->field), *b = member(s, got, d->from);

		if (a->p && b->p && lh_value_equal(a, b))
			add_problem(w, &(struct place){ NULL, d->field, -1 }, "must differ from %s",
				    d->from);
	}
	if (w->n > LH_SCHEMA_MAX) {
		more = w->n - LH_SCHEMA_MAX;
		w->n = 0;
		add_problem(w, &record, "%ld more violations", more);
		w->n = LH_SCHEMA_MAX + more;
	}
	return w->n;
}

long lh_schema_check(const struct lh_schema *s, const struct lh_value *v, struct lh_buf *scratch,
		     lh_schema_fn *found, void *ctx)
{
	struct walk w = { s, .scratch = scratch, .found = found, .ctx = ctx };
	struct lh_value got[LH_SCHEMA_FIELDS];

	if (v->type == LH_OBJECT)
		return check_gathered(&w, s, got, gather(s->field, v, got));
	report_value(&w, &(struct place){ NULL, "record", -1 }, "object", v);
	return w.n;
}

long lh_schema_check_record(const struct lh_schema *s, const struct lh_record *rec,
			    struct lh_buf *scratch, lh_schema_fn *found, void *ctx)
{
	struct walk w = { s, .scratch = scratch, .found = found, .ctx = ctx };
	struct lh_value got[LH_SCHEMA_FIELDS];

	return check_gathered(&w, s, got, gather_record(s->field, rec, got));
}
