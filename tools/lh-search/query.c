/* query.c - read a query record.  See search.h. */
#include "search.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "model/http.h"
#include "vector/vector_record.h"

#define UNSET UINT64_MAX
#define LIKE_MOST 1000

enum either { TEXT_OR_VECTOR = 1, CORPORA_OR_INDEX };

#define MEMBERS \
	LH_TRACE_MEMBER(struct query, trace), \
	{ LH_BIND_STRING("query_text|query|text", struct query, text), \
	  .as_written = LH_BIND_FIELD(struct query, text_json), .meant = "q|question|prompt", \
	  .either = TEXT_OR_VECTOR, .about = "what is searched for" }, \
	{ LH_BIND_VALUE("query_vector|vector", struct query, vector_json, \
			LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING)), \
	  .what = "array of numbers or base64", .either = TEXT_OR_VECTOR, \
	  .about = "its vector" }, \
	{ LH_BIND_VALUE("like", struct query, like_json, LH_BIND_IS(LH_STRING) | \
			LH_BIND_IS(LH_NUMBER) | LH_BIND_IS(LH_ARRAY)), \
	  .each = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER), .filled = true, \
	  .what = "id or a list of ids", .either = TEXT_OR_VECTOR, .meant = "similar_to", \
	  .about = "records, as ID or CORPUS/ID: what is nearest to them, without them" }, \
	{ LH_BIND_SOME("model", struct query, model), .about = "the model that made the vector" }, \
	{ LH_BIND_U64("k", struct query, k, 0, LH_K_MAX), .meant = "n|top", \
	  .usual = "10", .about = "most results" }, \
	{ LH_BIND_U64("offset", struct query, offset, 0, LH_K_MAX), .meant = "skip|start", \
	  .usual = "0", .about = "results before the first one that is shown" }, \
	{ LH_BIND_U64("per_corpus_k", struct query, per_corpus_k, 0, LH_K_MAX), \
	  .about = "most results of each corpus (default: k and offset)" }, \
	{ LH_BIND_F64("max_distance", struct query, max_distance, -INFINITY, INFINITY), \
	  .about = "greatest distance of a result" }, \
	{ LH_BIND_F64("min_score", struct query, min_score, -INFINITY, INFINITY), \
	  .meant = "threshold", \
	  .about = "least score of a result, where results have one" }, \
	{ LH_BIND_IDS("exclude_ids", struct query, exclude, n_exclude), .meant = "exclude", \
	  .about = "records to leave out" }, \
	{ LH_BIND_U64("budget", struct query, budget, 1, INT64_MAX), \
	  .about = "most rows that are measured" }, \
	{ LH_BIND_U64("timeout_ms", struct query, timeout_ms, 1, 1000000000), \
	  .about = "milliseconds after which the search ends" }, \
	{ LH_BIND_STRINGS("corpora", struct query, name, n_names), .filled = true, \
	  .meant = "corpus", .path = true, .safe = true, .either = CORPORA_OR_INDEX, \
	  .about = "the corpora to search" }, \
	{ LH_BIND_OBJECT("metadata_filter", struct query, filter), \
	  .about = "what the metadata of a result must have" }, \
	LH_SCOPE_MEMBER(struct query, scope), \
	{ LH_BIND_STRINGS("where", struct query, where, n_where), .no_nul = true, \
	  .about = "the same as KEY=VALUE, KEY<VALUE and so on: all must match" }, \
	{ LH_BIND_BOOL("use_playbook", struct query, use_playbook), \
	  .about = "whether past answers count" }, \
	{ LH_BIND_STRING("playbook_corpus", struct query, playbook), .path = true, .safe = true, \
	  .about = "the playbook" }, \
	{ LH_BIND_U64("playbook_top_k", struct query, playbook_top_k, 0, LH_K_MAX), \
	  .usual = "3", .about = "most past answers" }, \
	{ LH_BIND_F64("playbook_max_distance", struct query, playbook_max, 0, INFINITY), \
	  .usual = "0.5", .about = "of a past answer that moves a result up" }, \
	{ LH_BIND_F64("playbook_max_inject_distance", struct query, playbook_max_inject, 0, \
		      INFINITY), \
	  .usual = "0.2", .about = "of a past answer that adds a result" }, \
	{ LH_BIND_STRING("query_role", struct query, role), .meant = "role", \
	  .about = "the role that past answers must be of" }, \
	/* that of an error's object */ \
	{ LH_BIND_SOME("id", struct query, id), .about = "the query, in an error" }
#define YES_OR_NO (LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE))
#define EXPLAIN(types) \
	{ LH_BIND_VALUE("explain", struct query, explain, types), .what = "true or false", \
	  .about = "whether the answer says what the search did" }
/* That of an answer, which is searched for again, asks for nothing. */
#define EXPLAIN_OR_ANSWER EXPLAIN(YES_OR_NO | LH_BIND_IS(LH_OBJECT) | LH_BIND_IS(LH_ARRAY))
#define INDEX \
	{ LH_BIND_STRING("index", struct query, index), .path = true, .safe = true, \
	  .either = CORPORA_OR_INDEX, .about = "the one index to search" }

#define QUERY_ID \
	{ LH_BIND_VALUE("query_id", struct query, query_id, \
			LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER)), \
	  .lax = true, .about = "the query, for lh-judge" }

const struct lh_bind wire_members[] = { MEMBERS, INDEX, EXPLAIN(YES_OR_NO), LH_BIND_CLOSED };
static const struct lh_bind open_wire_members[] = {
	MEMBERS, INDEX, EXPLAIN(YES_OR_NO), LH_BIND_WATCHED(LH_BIND_NO_FILTER)
};
const struct lh_bind query_members[] = {
	MEMBERS, QUERY_ID, EXPLAIN_OR_ANSWER, LH_BIND_WATCHED(LH_BIND_NOT_MEANT)
};
static const struct lh_bind open_members[] = {
	MEMBERS, QUERY_ID, EXPLAIN_OR_ANSWER, LH_BIND_WATCHED(LH_BIND_NO_FILTER)
};

void query_reader_init(struct query_reader *r, const struct settings *set)
{
	memset(r, 0, sizeof *r);
	if (set->wire)
		r->members = set->ignore_unknown ? open_wire_members : wire_members;
	else
		r->members = set->ignore_unknown ? open_members : query_members;
}

void query_reader_free(struct query_reader *r)
{
	lh_buf_free(&r->text);
	lh_buf_free(&r->vector);
	lh_sought_free(&r->sought);
	lh_buf_free(&r->both);
	lh_buf_free(&r->where);
	lh_buf_free(&r->like);
	free(r->liked);
	lh_record_free(&r->scan);
}

/* Add the conditions of "where" to the filter. */
static int read_where(struct query_reader *r, struct lh_err *err)
{
	struct query *q = &r->q;
	char *text[LH_FILTER_GROUPS];
	size_t i;
	int rc;

	if (!q->n_where)
		return 0;
	if (q->n_where > LH_FILTER_GROUPS)
		return lh_err_set(err, LH_EDATA, "\"where\" has more than %d conditions",
				  LH_FILTER_GROUPS);
	lh_buf_reset(&r->where);
	if (q->filter.p) {
		lh_buf_puts(&r->where, "{\"and\":[");
		lh_buf_add(&r->where, q->filter.p, q->filter.n);
		lh_buf_putc(&r->where, ',');
	}
	for (i = 0; i < q->n_where; i++)
		text[i] = lh_strndup(q->where[i].p, q->where[i].n);
	rc = lh_filter_where(&r->where, (const char *const *)text, q->n_where, err);
	for (i = 0; i < q->n_where; i++)
		free(text[i]);
	if (rc < 0) {
		err->code = LH_EDATA;
		return lh_err_prefix(err, "\"where\"");
	}
	if (q->filter.p)
		lh_buf_puts(&r->where, "]}");
	return lh_json_parse(&r->scan, r->where.p, r->where.len, &q->filter, err);
}

/* Keep the model if it says what made the vector: that of a query by text is a member like
 * others, unless a client asks. */
static int read_model(struct query *q, const struct settings *set, struct lh_err *err)
{
	if (!set->wire && !q->vector_json.p)
		q->model.p = NULL;
	return !q->model.p || q->model.type == LH_STRING ? 0
		: lh_err_set(err, LH_EDATA, "\"model\" must be a string");
}

static int read_vector(struct query_reader *r, struct lh_err *err)
{
	struct query *q = &r->q;

	if (!q->vector_json.p)
		return 0;
	lh_buf_reset(&r->vector);
	if (lh_vector_record_vector(&q->vector_json, &r->vector, &q->dimension, err) < 0)
		return -1;
	q->vector = (const float *)(const void *)r->vector.p;
	if (!lh_vec_finite(q->vector, q->dimension))
		return lh_err_set(err, LH_EDATA, "vector holds a value that is not finite");
	return 0;
}

static void add_like(struct query_reader *r, const struct lh_value *v)
{
	struct lh_str *to = &r->liked[r->q.n_like++];

	if (v->type == LH_NUMBER)
		*to = (struct lh_str){ v->p, v->n };
	else
		lh_value_str(v, &r->like, to);
}

static int read_like(struct query_reader *r, struct lh_err *err)
{
	struct query *q = &r->q;
	struct lh_value one = q->like_json;
	struct lh_iter it;

	if (!one.p)
		return 0;
	if (q->vector_json.p)
		return lh_err_set(err, LH_EDATA,
				  "\"like\" and \"query_vector\" exclude each other");
	if (lh_value_count(&one) > LIKE_MOST)
		return lh_err_set(err, LH_EDATA, "\"like\" has more than %d ids", LIKE_MOST);
	lh_grow(&r->liked, &r->cap_liked, LIKE_MOST, sizeof *r->liked);
	lh_buf_reset(&r->like);
	lh_buf_room(&r->like, one.n + LH_PAD);	/* it does not move any more */
	q->like = r->liked;
	if (one.type != LH_ARRAY) {
		add_like(r, &one);
		return 0;
	}
	for (lh_iter_init(&it, &one); lh_iter_next(&it); )
		add_like(r, &it.val);
	return 0;
}

static int check_names(const struct query *q, const struct settings *set, struct lh_err *err)
{
	if (set->playbooks && q->use_playbook && q->playbook.p && !lh_index_name_valid(q->playbook))
		return lh_err_set(err, LH_EDATA, "\"playbook_corpus\" is not a name: " NAME_RULE);
	if (!set->wire)
		return 0;
	if (!q->index.p && !q->n_names)
		return lh_err_set(err, LH_EDATA, "missing \"corpora\" (array of strings)");
	if (q->index.p && q->n_names)
		return lh_err_set(err, LH_EDATA, "\"index\" and \"corpora\" exclude each other");
	if (q->index.p && q->use_playbook)
		return lh_err_set(err, LH_EDATA, "\"use_playbook\" does not go with \"index\"");
	return 0;
}

/* Refuse what would count the records beyond the scope. */
static int check_scope(const struct query *q, struct lh_err *err)
{
	const char *why = q->budget != UNSET ? "budget"
			  : q->explain.type == LH_TRUE ? "explain" : NULL;

	return q->scope.filter.p && why
		? lh_err_set(err, LH_EDATA, "\"%s\" is not for a search that is confined to some "
			     "records", why) : 0;
}

int query_read(struct query_reader *r, const struct lh_record *rec, const struct settings *set,
	       struct lh_err *err)
{
	struct query *q = &r->q;

	*q = (struct query){ .k = set->k,
			     .offset = set->offset,
			     .max_distance = set->max_distance,
			     .min_score = set->min_score,
			     .per_corpus_k = UNSET,
			     .budget = UNSET,
			     .use_playbook = set->playbook && !set->wire,
			     .playbook_top_k = 3,
			     .playbook_max = 0.5,
			     .playbook_max_inject = 0.2 };
	if (lh_bind(r->members, rec, q, &r->text, err) < 0 || check_names(q, set, err) < 0 ||
	    read_where(r, err) < 0 || read_like(r, err) < 0 || check_scope(q, err) < 0 ||
	    read_model(q, set, err) < 0 || read_vector(r, err) < 0)
		return -1;
	if (q->k + q->offset > LH_K_MAX)
		return lh_err_set(err, LH_EDATA, "\"k\" and \"offset\" are more than %d together",
				  LH_K_MAX);
	if (q->min_score > -INFINITY && !set->hybrid && !set->rerank_depth)
		return lh_err_set(err, LH_EDATA, "\"min_score\": results have no score, but a "
				  "distance (\"max_distance\")");
	q->k += q->k ? q->offset : 0;
	q->wanted = q->k;
	if (q->k && q->k < set->rerank_depth)
		q->k = set->rerank_depth;
	if (q->k && q->k < REREAD_DEPTH && set->reader)
		q->k = REREAD_DEPTH;
	if (q->per_corpus_k == UNSET)
		q->per_corpus_k = q->k;
	if (!q->vector && !q->text.p && !q->n_like)
		return lh_err_set(err, LH_EDATA,
				  "missing \"query_text\" (string), \"query_vector\" or \"like\"");
	if (set->flat && q->explain.type == LH_TRUE)
		return lh_err_set(err, LH_EDATA, "\"explain\" does not go with --flat");
	if (set->rerank_depth && !q->text.p)
		return lh_err_set(err, LH_EDATA, "missing \"query_text\" (string): --rerank "
				  "compares texts");
	if (!q->vector && !q->n_like && !lh_trim(q->text.p, q->text.n).n)
		return lh_err_set(err, LH_EDATA, "empty text");
	return 0;
}
