/* query.c - a query record: what it asks for.  See search.h. */
#include "search.h"

#include "lh_vecrec.h"

void query_reader_init(struct query_reader *r)
{
	memset(r, 0, sizeof *r);
	lh_buf_init(&r->text, LH_BUF_NOMAX);
	lh_buf_init(&r->vector, LH_BUF_NOMAX);
}

void query_reader_free(struct query_reader *r)
{
	lh_buf_free(&r->text);
	lh_buf_free(&r->vector);
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
	if (lh_vecrec_vector(v, &r->vector, &r->q.dimension, err) < 0)
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

static int read_switches(struct query_reader *r, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *filter = given(rec, "metadata_filter");
	const struct lh_value *playbook = given(rec, "use_playbook");

	if (filter && filter->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "\"metadata_filter\" must be an object");
	if (playbook && playbook->type != LH_TRUE && playbook->type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"use_playbook\" must be true or false");
	r->q.filter = filter;
	r->q.use_playbook = playbook && playbook->type == LH_TRUE;
	return 0;
}

int query_read(struct query_reader *r, const struct lh_record *rec, uint64_t k, struct lh_err *err)
{
	struct query *q = &r->q;

	q->k = k;
	if (read_text(r, rec, err) < 0 || read_vector(r, rec, err) < 0 ||
	    read_count(rec, "k", &q->k, err) < 0)
		return -1;
	q->per_corpus_k = q->k;
	if (read_count(rec, "per_corpus_k", &q->per_corpus_k, err) < 0 ||
	    read_list(rec, "exclude_ids", true, &q->exclude, err) < 0 ||
	    read_list(rec, "corpora", false, &q->names, err) < 0 ||
	    read_switches(r, rec, err) < 0)
		return -1;
	if (q->names && is_empty(q->names))
		return lh_err_set(err, LH_EDATA, "\"corpora\" names none");
	if (!q->vector && !q->text.p)
		return lh_err_set(err, LH_EDATA, "missing string field \"query_text\" (or \"query_vector\")");
	if (!q->vector && !q->text.n)
		return lh_err_set(err, LH_EDATA, "empty text");
	return 0;
}
