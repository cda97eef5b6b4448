/* schema.c - validate a value against its schema.  See lh/schema.h. */
#include "schema_table.h"

#include <stdarg.h>

#include "base/ascii.h"
#include <lh/time.h>

#define SHOWN 80	/* a longer value is not quoted */

struct walk {
	struct lh_buf *scratch;
	lh_schema_fn *found;
	void *ctx;
	struct lh_err *err;
	long n;
	bool failed;
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

/* Return the text of a string; empty if out of memory. */
static struct lh_str text_of(struct walk *w, const struct lh_value *v)
{
	size_t mark = w->scratch->len;
	struct lh_str s;

	if (lh_value_str(v, w->scratch, &s, w->err) < 0) {
		w->failed = true;
		return (struct lh_str){ "", 0 };
	}
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

static void check_choice(struct walk *w, const struct place *p, const struct lh_field *f,
			 const struct lh_value *v)
{
	char all[256] = "";
	size_t i, n = 0;

	if (choice_of(f->choice, v))
		return;
	if (f->never && choice_of(f->never, v)) {
		add_problem(w, p, "contamination: %s must never enter %s", choice_of(f->never, v),
			    f->never_in);
		return;
	}
	for (i = 0; f->choice[i] && n < sizeof all; i++)
		n += (size_t)snprintf(all + n, sizeof all - n, "%s%s",
				      !i ? "" : f->choice[i + 1] ? ", " : " or ", f->choice[i]);
	report_value(w, p, all, v);
}

static void check_text(struct walk *w, const struct place *p, const struct lh_field *f,
		       const struct lh_value *v)
{
	struct lh_str s;

	if (f->choice)
		check_choice(w, p, f, v);
	else if (v->type != LH_STRING)
		report_value(w, p, "string", v);
	else if (v->n == 2 && f->must && !f->may_be_empty)
		add_problem(w, p, "must not be empty");
	else if (f->some) {
		s = text_of(w, v);
		if (!w->failed && !lh_trim(s.p, s.n).n)
			add_problem(w, p, "must not be blank");
	}
}

static void check_time(struct walk *w, const struct place *p, const struct lh_value *v)
{
	struct lh_str s = { "", 0 };
	int64_t ms;

	if (v->type == LH_STRING)
		s = text_of(w, v);
	if (lh_time_read(s.p, s.n, &ms) < 0 && !w->failed)
		report_value(w, p, "RFC 3339 time", v);
}

static void check_hex(struct walk *w, const struct place *p, size_t digits,
		      const struct lh_value *v)
{
	struct lh_str s = { "", 0 };
	unsigned bad = 0;
	size_t i;

	if (v->type == LH_STRING)
		s = text_of(w, v);
	for (i = 0; i < s.n; i++)
		bad |= ((unsigned char)(s.p[i] - '0') > 9) & ((unsigned char)(s.p[i] - 'a') > 5);
	if ((bad || s.n != digits) && !w->failed)
		report_value(w, p, digits == 64 ? "64 lowercase hex digits"
			     : "40 lowercase hex digits", v);
}

static void check_number(struct walk *w, const struct place *p, const struct lh_field *f,
			 const struct lh_value *v)
{
	const char *kind = f->type == LH_S_INTEGER ? "integer" : "number";
	int64_t whole;
	double d;

	if (v->type != LH_NUMBER || (f->type == LH_S_INTEGER && !lh_value_i64(v, &whole))) {
		report_value(w, p, kind, v);
		return;
	}
	d = lh_value_f64(v);
	if (!f->ranged || (d >= f->least && (!f->most || d <= f->most)))
		return;
	if (f->most)
		add_problem(w, p, "must be %d to %d", f->least, f->most);
	else
		add_problem(w, p, "must be %d or more", f->least);
}

static void check_version(struct walk *w, const struct place *p, const struct lh_field *f,
			  const struct lh_value *v)
{
	char want[16];
	int64_t is;

	if (lh_value_i64(v, &is) && is == f->version)
		return;
	snprintf(want, sizeof want, "%d", f->version);
	report_value(w, p, want, v);
}

static void check_object(struct walk *w, const struct place *up, const struct lh_field *f,
			 const struct lh_value *v);

static void check_list(struct walk *w, const struct place *p, const struct lh_field *f,
		       const struct lh_value *v)
{
	struct place each = { p->up, p->name, 0 };
	struct lh_iter it;

	if (v->type != LH_ARRAY) {
		report_value(w, p, "array", v);
		return;
	}
	for (lh_iter_init(&it, v); lh_iter_next(&it); each.at++)
		if (f->type == LH_S_OBJECTS)
			check_object(w, &each, f->in, &it.val);
		else if (it.val.type != LH_STRING)
			report_value(w, &each, "string", &it.val);
	if (f->some && !each.at)
		add_problem(w, p, "must not be empty");
}

static void check_value(struct walk *w, const struct place *p, const struct lh_field *f,
			const struct lh_value *v)
{
	if (f->or_null && v->type == LH_NULL)
		return;
	switch (f->type) {
	case LH_S_TEXT:
		check_text(w, p, f, v);
		break;
	case LH_S_TIME:
		check_time(w, p, v);
		break;
	case LH_S_SHA256:
	case LH_S_COMMIT:
		check_hex(w, p, f->type == LH_S_SHA256 ? 64 : 40, v);
		break;
	case LH_S_BOOL:
		if (v->type != LH_TRUE && v->type != LH_FALSE)
			report_value(w, p, "boolean", v);
		break;
	case LH_S_NUMBER:
	case LH_S_INTEGER:
		check_number(w, p, f, v);
		break;
	case LH_S_VERSION:
		check_version(w, p, f, v);
		break;
	case LH_S_TEXTS:
	case LH_S_OBJECTS:
		check_list(w, p, f, v);
		break;
	case LH_S_OBJECT:
		check_object(w, p, f->in, v);
		break;
	}
}

long lh_schema_check_value(const struct lh_field *f, const char *name, const struct lh_value *v,
			   struct lh_buf *scratch, lh_schema_fn *found, void *ctx,
			   struct lh_err *err)
{
	struct walk w = { .scratch = scratch, .found = found, .ctx = ctx, .err = err };

	check_value(&w, &(struct place){ NULL, name, -1 }, f, v);
	return w.failed ? -1 : w.n;
}

/* The value of each field, p NULL if it is absent.  Records usually have their
 * members in the order of the schema, so the next key is compared with the next
 * field first. */
struct gather {
	const struct lh_field *field;
	struct lh_value *got;
	size_t n, next;
};

static void gather_init(struct gather *g, const struct lh_field *f, struct lh_value *got)
{
	*g = (struct gather){ .field = f, .got = got };
	for (; f[g->n].name; g->n++)
		got[g->n].p = NULL;
}

static inline bool is_named(const struct lh_value *key, const struct lh_field *f)
{
	if (__builtin_expect(key->escaped, 0))
		return lh_value_is(key, f->name, f->len);
	return key->n == (size_t)f->len + 2 && !memcmp(key->p + 1, f->name, f->len);
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

static size_t gather(const struct lh_field *f, const struct lh_value *v, struct lh_value *got)
{
	struct gather g;
	struct lh_iter it;

	gather_init(&g, f, got);
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		gather_one(&g, &it.key, &it.val);
	return g.n;
}

static size_t gather_record(const struct lh_field *f, const struct lh_record *rec,
			    struct lh_value *got)
{
	struct gather g;
	size_t i;

	gather_init(&g, f, got);
	for (i = 0; i < rec->n; i++)
		gather_one(&g, &rec->member[i].key, &rec->member[i].val);
	return g.n;
}

static void check_fields(struct walk *w, const struct place *up, const struct lh_field *f,
			 const struct lh_value *got, size_t n)
{
	struct place p = { up, NULL, -1 };
	size_t i;

	for (i = 0; i < n; i++) {
		p.name = f[i].name;
		if (got[i].p)
			check_value(w, &p, &f[i], &got[i]);
		else if (f[i].must)
			add_problem(w, &p, "missing");
	}
}

static void check_object(struct walk *w, const struct place *up, const struct lh_field *f,
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

static void check_differ(struct walk *w, const struct lh_schema *s, const struct lh_value *got)
{
	const struct lh_differ *d;

	for (d = s->differ; d < s->differ + 2 && d->field; d++) {
		const struct lh_value *a = member(s, got, d->field), *b = member(s, got, d->from);

		if (a->p && b->p && lh_value_equal(a, b))
			add_problem(w, &(struct place){ NULL, d->field, -1 }, "must differ from %s",
				    d->from);
	}
}

/* Check gathered fields; n: number of members in got. */
static long check_gathered(struct walk *w, const struct lh_schema *s, const struct lh_value *got,
			   size_t n)
{
	struct place record = { NULL, "record", -1 };
	long more;

	check_fields(w, NULL, s->field, got, n);
	check_differ(w, s, got);
	if (w->failed)
		return -1;
	if (w->n > LH_SCHEMA_MAX) {
		more = w->n - LH_SCHEMA_MAX;
		w->n = 0;
		add_problem(w, &record, "%ld more violations", more);
		w->n = LH_SCHEMA_MAX + more;
	}
	return w->n;
}

long lh_schema_check(const struct lh_schema *s, const struct lh_value *v, struct lh_buf *scratch,
		     lh_schema_fn *found, void *ctx, struct lh_err *err)
{
	struct walk w = { .scratch = scratch, .found = found, .ctx = ctx, .err = err };
	struct lh_value got[LH_SCHEMA_FIELDS];

	if (v->type == LH_OBJECT)
		return check_gathered(&w, s, got, gather(s->field, v, got));
	report_value(&w, &(struct place){ NULL, "record", -1 }, "object", v);
	return w.n;
}

long lh_schema_check_record(const struct lh_schema *s, const struct lh_record *rec,
			    struct lh_buf *scratch, lh_schema_fn *found, void *ctx,
			    struct lh_err *err)
{
	struct walk w = { .scratch = scratch, .found = found, .ctx = ctx, .err = err };
	struct lh_value got[LH_SCHEMA_FIELDS];

	return check_gathered(&w, s, got, gather_record(s->field, rec, got));
}
