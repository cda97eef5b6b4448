/* session_read.c - a row of the session log from its text.  See lh/session.h. */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include <lh/session.h>
#include <lh/validate.h>

enum type { STRING, KIND, WHOLE, NAME, ATTEMPTS, OBJECT, TRUTH };

struct field {
	const char *name;
	enum type type;
	bool optional;		/* null is then the same as nothing */
	size_t off;		/* in the struct that the members fill */
	const char *const *names;	/* of a NAME */
};

static const char *const finals[] = { LH_SESSION_ACCEPTED, LH_SESSION_EXHAUSTED, LH_SESSION_INFRA,
				      NULL };
static const char *const verdicts[] = { LH_SESSION_NO_JSON, LH_SESSION_FAILED, LH_SESSION_ACCEPTED,
					LH_SESSION_INFRA, NULL };

#define ROW(f) offsetof(struct lh_session_row, f)
#define ATTEMPT(f) offsetof(struct lh_session_attempt, f)

static const struct field of_row[] = {
	{ "session_id", STRING, false, ROW(session_id), NULL },
	{ "kind", KIND, false, ROW(kind), NULL },
	{ "model", STRING, false, ROW(model), NULL },
	{ "provider", STRING, false, ROW(provider), NULL },
	{ "prompt", STRING, false, ROW(prompt), NULL },
	{ "iterations", WHOLE, false, ROW(iterations), NULL },
	{ "max_iterations", WHOLE, false, ROW(max_iterations), NULL },
	{ "final_verdict", NAME, false, ROW(final_verdict), finals },
	{ "attempts", ATTEMPTS, false, 0, NULL },
	{ "artifact", OBJECT, true, ROW(artifact), NULL },
	{ "grounded_in_roster", TRUTH, true, ROW(grounded), NULL },
	{ "duration_ms", WHOLE, false, ROW(duration_ms), NULL },
	{ NULL, STRING, false, 0, NULL }
};

static const struct field of_attempt[] = {
	{ "iteration", WHOLE, false, ATTEMPT(iteration), NULL },
	{ "verdict_kind", NAME, false, ATTEMPT(verdict_kind), verdicts },
	{ "error", STRING, true, ATTEMPT(error), NULL },
	{ "span_id", STRING, true, ATTEMPT(span_id), NULL },
	{ NULL, STRING, false, 0, NULL }
};

static int wrong(struct lh_err *err, const struct field *f, const char *what)
{
	return lh_err_set(err, LH_EDATA, "\"%s\" is not %s", f->name, what);
}

static int no_such(struct lh_err *err, const struct field *f, const struct lh_value *v)
{
	return lh_err_set(err, LH_EDATA, "\"%s\" is %.*s, which is none of a row's", f->name,
			  (int)(v->n < 200 ? v->n : 200), v->p);
}

static int take_name(const struct field *f, const struct lh_value *v, const char **to,
		     struct lh_err *err)
{
	size_t i;

	for (i = 0; f->names[i]; i++)
		if (lh_value_is(v, f->names[i], strlen(f->names[i]))) {
			*to = f->names[i];
			return 0;
		}
	return no_such(err, f, v);
}

/* The text buffer has room for all strings of the line, so that it never moves. */
static int take_string(struct lh_session_reader *r, const struct field *f, const struct lh_value *v,
		       struct lh_str *to, struct lh_err *err)
{
	if (v->type != LH_STRING)
		return wrong(err, f, "a string");
	if (lh_value_str(v, &r->text, to, err) < 0)
		return -1;
	return f->type == KIND && lh_kind_read(to->p, to->n) == LH_KIND_NONE ? no_such(err, f, v) :
									       0;
}

static int take_whole(const struct field *f, const struct lh_value *v, uint64_t *to,
		      struct lh_err *err)
{
	int64_t n;

	if (v->type != LH_NUMBER || !lh_value_i64(v, &n) || n < 0)
		return wrong(err, f, "a whole number");
	*to = (uint64_t)n;
	return 0;
}

static int take_field(struct lh_session_reader *r, const struct field *f, const struct lh_value *v,
		      void *base, struct lh_err *err)
{
	char *to = (char *)base + f->off;

	switch (f->type) {
	case STRING:
	case KIND:
		return take_string(r, f, v, (struct lh_str *)to, err);
	case WHOLE:
		return take_whole(f, v, (uint64_t *)to, err);
	case NAME:
		return take_name(f, v, (const char **)to, err);
	case OBJECT:
		*(struct lh_str *)to = (struct lh_str){ v->p, v->n };
		return v->type == LH_OBJECT ? 0 : wrong(err, f, "an object");
	case TRUTH:
		*(int *)to = v->type == LH_TRUE;
		return v->type == LH_TRUE || v->type == LH_FALSE ? 0 :
			       wrong(err, f, "true, false or null");
	case ATTEMPTS:
		break;		/* take_attempts is for those */
	}
	return 0;
}

/* The field of that name, noted as seen; NULL with the reason. */
static const struct field *find(const struct field *fields, const struct lh_value *key,
				unsigned *seen, struct lh_err *err)
{
	size_t i;

	for (i = 0; fields[i].name; i++)
		if (lh_value_is(key, fields[i].name, strlen(fields[i].name))) {
			*seen |= 1u << i;
			return &fields[i];
		}
	lh_err_set(err, LH_EDATA, "unknown member %.*s", (int)(key->n < 200 ? key->n : 200),
		   key->p);
	return NULL;
}

static int all_there(const struct field *fields, unsigned seen, struct lh_err *err)
{
	size_t i;

	for (i = 0; fields[i].name; i++)
		if (!fields[i].optional && !(seen & 1u << i))
			return lh_err_set(err, LH_EDATA, "missing member \"%s\"", fields[i].name);
	return 0;
}

static int take_attempt(struct lh_session_reader *r, const struct lh_value *v,
			struct lh_session_attempt *to, struct lh_err *err)
{
	const struct field *f;
	unsigned seen = 0;
	struct lh_iter it;

	*to = (struct lh_session_attempt){ 0 };
	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "is not an object");
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		f = find(of_attempt, &it.key, &seen, err);
		if (!f)
			return -1;
		if (!(f->optional && it.val.type == LH_NULL) &&
		    take_field(r, f, &it.val, to, err) < 0)
			return -1;
	}
	return all_there(of_attempt, seen, err);
}

static int take_attempts(struct lh_session_reader *r, const struct field *f,
			 const struct lh_value *v, struct lh_session_row *row, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type != LH_ARRAY)
		return wrong(err, f, "an array");
	for (lh_iter_init(&it, v); lh_iter_next(&it); row->n_attempts++) {
		if (lh_grow(&r->attempt, &r->cap, row->n_attempts + 1, sizeof *r->attempt, err) < 0)
			return -1;
		if (take_attempt(r, &it.val, &r->attempt[row->n_attempts], err) < 0)
			return lh_err_prefix(err, "attempt %zu", row->n_attempts);
	}
	row->attempt = r->attempt;
	return 0;
}

int lh_session_read(struct lh_session_reader *r, const struct lh_record *rec,
		    struct lh_session_row *row, struct lh_err *err)
{
	const struct field *f;
	unsigned seen = 0;
	size_t i;
	int rc;

	*row = (struct lh_session_row){ .grounded = -1 };
	lh_buf_reset(&r->text);
	if (!lh_buf_room(&r->text, rec->len))
		return lh_buf_check(&r->text, err);
	for (i = 0; i < rec->n; i++) {
		const struct lh_value *v = &rec->member[i].val;

		f = find(of_row, &rec->member[i].key, &seen, err);
		if (!f)
			return -1;
		if (f->optional && v->type == LH_NULL)
			continue;
		rc = f->type == ATTEMPTS ? take_attempts(r, f, v, row, err) :
					   take_field(r, f, v, row, err);
		if (rc < 0)
			return -1;
	}
	if (all_there(of_row, seen, err) < 0)
		return -1;
	return row->session_id.n ? 0 : lh_err_set(err, LH_EDATA, "\"session_id\" is empty");
}

void lh_session_reader_init(struct lh_session_reader *r)
{
	*r = (struct lh_session_reader){ .cap = 0 };
	lh_buf_init(&r->text, LH_BUF_NOMAX);
}

void lh_session_reader_free(struct lh_session_reader *r)
{
	lh_buf_free(&r->text);
	free(r->attempt);
	lh_session_reader_init(r);
}
