/* query.c - a query record: what it asks for.  See search.h. */
#include "search.h"

#include <lh/role.h>
#include "model/trace.h"
#include "vector/vector_record.h"

void query_reader_init(struct query_reader *r)
{
	memset(r, 0, sizeof *r);
	lh_buf_init(&r->text, LH_BUF_NOMAX);
	lh_buf_init(&r->vector, LH_BUF_NOMAX);
	lh_buf_init(&r->playbook, LH_BUF_NOMAX);
	lh_buf_init(&r->role, LH_BUF_NOMAX);
	lh_buf_init(&r->trace, LH_BUF_NOMAX);
}

void query_reader_free(struct query_reader *r)
{
	lh_buf_free(&r->text);
	lh_buf_free(&r->vector);
	lh_buf_free(&r->playbook);
	lh_buf_free(&r->role);
	lh_buf_free(&r->trace);
}

/* The first of the names that is there and not null; *name is the one found. */
static const struct lh_value *member(const struct lh_record *rec, const char *const *names, size_t n, const char **name)
{
	const struct lh_value *v;
	size_t i;

	for (i = 0; i < n; i++) {
		v = lh_record_get(rec, names[i]);
		if (v && v->type != LH_NULL) {
			*name = names[i];
			return v;
		}
	}
	return NULL;
}

static const struct lh_value *given(const struct lh_record *rec, const char *name)
{
	const char *found;

	return member(rec, &name, 1, &found);
}

static int read_text(struct query_reader *r, const struct lh_record *rec, struct lh_err *err)
{
	static const char *const names[] = { "query_text", "query", "text" };
	const char *name;
	const struct lh_value *v = member(rec, names, 3, &name);

	r->q.text.p = NULL;
	if (!v)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", name);
	lh_buf_reset(&r->text);
	r->q.text_json = *v;
	return lh_value_str(v, &r->text, &r->q.text, err);
}

static int read_vector(struct query_reader *r, const struct lh_record *rec, struct lh_err *err)
{
	static const char *const names[] = { "query_vector", "vector" };
	const char *name;
	const struct lh_value *v = member(rec, names, 2, &name);

	r->q.vector = NULL;
	if (!v)
		return 0;
	lh_buf_reset(&r->vector);
	if (lh_vector_record_vector(v, &r->vector, &r->q.dimension, err) < 0)
		return lh_err_prefix(err, "\"%s\"", name);
	r->q.vector = (const float *)(const void *)r->vector.p;
	if (!lh_vec_finite(r->q.vector, r->q.dimension))
		return lh_err_set(err, LH_EDATA, "\"%s\" holds a value that is not finite", name);
	return 0;
}

static int read_count(const struct lh_record *rec, const char *name, uint64_t *out, struct lh_err *err)
{
	const struct lh_value *v = given(rec, name);
	int64_t n;

	if (!v)
		return 0;
	if (v->type != LH_NUMBER || !lh_value_i64(v, &n) || n < 0 || n > LH_K_MAX)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a whole number from 0 to %d", name, LH_K_MAX);
	*out = (uint64_t)n;
	return 0;
}

/* A list of strings, or where an id is meant, of numbers too. */
static int read_list(const struct lh_record *rec, const char *name, bool numbers, const struct lh_value **out, struct lh_err *err)
{
	const struct lh_value *v = given(rec, name);
	struct lh_iter it;
	bool good = true;

	*out = v;
	if (!v)
		return 0;
	if (v->type == LH_ARRAY)
		for (lh_iter_init(&it, v); good && lh_iter_next(&it); )
			good = it.val.type == LH_STRING || (numbers && it.val.type == LH_NUMBER);
	if (v->type != LH_ARRAY || !good)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a list of %s", name, numbers ? "ids" : "corpus names");
	return 0;
}

static bool is_empty(const struct lh_value *list)
{
	struct lh_iter it;

	lh_iter_init(&it, list);
	return !lh_iter_next(&it);
}

static int read_filter(struct query_reader *r, const struct lh_record *rec, struct lh_err *err)
{
	r->q.filter = given(rec, "metadata_filter");
	if (r->q.filter && r->q.filter->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "\"metadata_filter\" must be an object");
	return 0;
}

/* A string of the query; p NULL when it is not given. */
static int read_name(const struct lh_record *rec, const char *name, struct lh_buf *scratch, struct lh_str *out, struct lh_err *err)
{
	const struct lh_value *v = given(rec, name);

	*out = (struct lh_str){ NULL, 0 };
	if (!v)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", name);
	lh_buf_reset(scratch);
	return lh_value_str(v, scratch, out, err);
}

static int read_distance(const struct lh_record *rec, const char *name, double *out, struct lh_err *err)
{
	const struct lh_value *v = given(rec, name);

	if (v)
		*out = v->type == LH_NUMBER ? lh_value_f64(v) : -1;
	return *out >= 0 ? 0 : lh_err_set(err, LH_EDATA, "\"%s\" must be a number, 0 or more", name);
}

static int read_role(struct query_reader *r, const struct lh_record *rec, bool make, struct lh_err *err)
{
	struct query *q = &r->q;

	q->role_made = false;
	if (read_name(rec, "query_role", &r->role, &q->role, err) < 0)
		return -1;
	if (q->role.n || !make || !q->text.p)
		return 0;
	lh_buf_reset(&r->role);
	lh_role_extract(q->text.p, q->text.n, &r->role);
	if (lh_buf_check(&r->role, err) < 0)
		return -1;
	q->role = (struct lh_str){ r->role.p, r->role.len };
	q->role_made = r->role.len > 0;
	return 0;
}

static int read_playbook(struct query_reader *r, const struct lh_record *rec, const struct settings *set, struct lh_err *err)
{
	const struct lh_value *use = given(rec, "use_playbook");
	struct query *q = &r->q;

	if (use && use->type != LH_TRUE && use->type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"use_playbook\" must be true or false");
	q->use_playbook = use ? use->type == LH_TRUE : set->playbook != NULL;
	q->playbook_top_k = 3;
	q->playbook_max = 0.5;
	q->playbook_max_inject = 0.2;
	if (read_name(rec, "playbook_corpus", &r->playbook, &q->playbook, err) < 0 ||
	    read_count(rec, "playbook_top_k", &q->playbook_top_k, err) < 0 ||
	    read_distance(rec, "playbook_max_distance", &q->playbook_max, err) < 0 ||
	    read_distance(rec, "playbook_max_inject_distance", &q->playbook_max_inject, err) < 0)
		return -1;
	return read_role(r, rec, set->auto_role, err);
}

static int check_hybrid(const struct query *q, struct lh_err *err)
{
	if (!q->text.p)
		return lh_err_set(err, LH_EDATA, "missing string field \"query_text\": --hybrid searches by words too");
	if (q->use_playbook)
		return lh_err_set(err, LH_EDATA, "\"use_playbook\": --hybrid takes no playbook");
	return 0;
}

int query_read(struct query_reader *r, const struct lh_record *rec, const struct settings *set, struct lh_err *err)
{
	struct query *q = &r->q;
	bool own;

	q->k = set->k;
	lh_buf_reset(&r->trace);
	if (lh_trace_of(rec, NULL, &r->trace, &q->trace, &own, err) < 0)
		return -1;
	if (read_text(r, rec, err) < 0 || read_vector(r, rec, err) < 0 ||
	    read_count(rec, "k", &q->k, err) < 0)
		return -1;
	q->per_corpus_k = q->k;
	if (read_count(rec, "per_corpus_k", &q->per_corpus_k, err) < 0 ||
	    read_list(rec, "exclude_ids", true, &q->exclude, err) < 0 ||
	    read_list(rec, "corpora", false, &q->names, err) < 0 ||
	    read_filter(r, rec, err) < 0 ||
	    read_playbook(r, rec, set, err) < 0)
		return -1;
	if (q->names && is_empty(q->names))
		return lh_err_set(err, LH_EDATA, "\"corpora\" names none");
	if (!q->vector && !q->text.p)
		return lh_err_set(err, LH_EDATA, "missing string field \"query_text\" (or \"query_vector\")");
	if (set->hybrid && check_hybrid(q, err) < 0)
		return -1;
	if ((!q->vector || set->hybrid) && !q->text.n)
		return lh_err_set(err, LH_EDATA, "empty text");
	return 0;
}
