/* tools_search.c - tools over the indexes: search, lookup, and those of --compat. */
#include "tool_parts.h"

#include <stdio.h>

#include "index/index_tools.h"

/* ---- search ---- */

struct search {
	struct lh_str query, corpus, role;
	struct lh_value filter;
	uint64_t k;
	bool hybrid;
	int detail;
};
#define K(s) \
	LH_BIND_U64("k", s, k, 1, 100), .usual = "5", .about = "How many results."

const struct lh_bind lh_mcp_search_in[] = {
	{ LH_BIND_STRING("query", struct search, query), .required = true, .filled = true,
	  .meant = "query_text|text|q",
	  .about = "What is sought, as a sentence or as words." },
	{ K(struct search), .meant = "limit|n|top|top_k" },
	{ LH_BIND_STRING("corpus", struct search, corpus), LH_INDEX_NAME,
	  .meant = "corpora|index",
	  .about = "Name of the index to search. Without it, all are searched." },
	{ LH_BIND_OBJECT("filter", struct search, filter), .meant = "metadata_filter|where",
	  .about = "Members that the metadata of each result must have: {role: 'Welder'} or, for "
		"one of several values, {state: ['OH', 'IN']}; or conditions: {price: {gte: 10, "
		"lt: 50}}, {role: {not: 'Welder'}}. Dates compare as texts." },
	{ LH_BIND_STRING("role", struct search, role), .filled = true, .meant = "query_role",
	  .about = "The role that is sought, such as Welder. With it, answers that were recorded "
		"as good for that role come nearer." },
	{ LH_BIND_BOOL("hybrid", struct search, hybrid),
	  .about = "Rank by words as well as by meaning: for names and numbers. Needs an index "
		"with words; role does not go with it." },
	LH_MCP_DETAIL(struct search, detail, "brief"),
	LH_BIND_CLOSED
};

/* Write the names of all indexes. */
static int write_corpora(struct lh_writer *w, const char *state, struct lh_err *err)
{
	struct lh_index_folder f;
	char path[4096];
	size_t i;

	if ((size_t)snprintf(path, sizeof path, "%s/index", state) >= sizeof path ||
	    lh_index_folder_read(&f, path, err) < 0)
		return lh_err_data(err, 503, "the folder of the indexes cannot be read");
	lh_write_array(w, "corpora");
	for (i = 0; i < f.n; i++)
		lh_write_text(w, NULL, f.name[i]);
	lh_write_end(w);
	i = f.n;
	lh_index_folder_free(&f);
	return i ? 0 : lh_err_data(err, 404, "there is no index to search");
}

static int write_search(struct lh_mcp_question *q, const struct search *s, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(q->line);

	lh_write_object(&w, NULL);
	lh_write_str(&w, "query_text", s->query);
	lh_write_u64(&w, "k", s->k);
	if (s->corpus.p) {
		lh_write_array(&w, "corpora");
		lh_write_str(&w, NULL, s->corpus);
		lh_write_end(&w);
	} else if (write_corpora(&w, q->state, err) < 0) {
		return -1;
	}
	if (s->filter.p)
		lh_write_value(&w, "metadata_filter", &s->filter);
	if (s->role.p) {
		lh_write_bool(&w, "use_playbook", true);
		lh_write_str(&w, "query_role", s->role);
	}
	lh_write_end(&w);
	return 0;
}

int lh_mcp_ask_search(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct search s = { .k = 5 };
	struct lh_buf text = { 0 };
	int rc = lh_bind_value(lh_mcp_search_in, args, &s, &text, err);

	if (!rc && s.hybrid && s.role.p)
		rc = lh_err_set(err, LH_EDATA, "\"role\" does not go with \"hybrid\"");
	if (!rc)
		rc = write_search(q, &s, err);
	if (s.hybrid)
		q->route = "POST /v1/matrix/retrieve";
	lh_buf_free(&text);
	return rc;
}

/* ---- results ---- */

/* What a result is made of. */
struct result {
	struct lh_str id, corpus;
	struct lh_value distance, score, metadata, playbook;
};
static const struct lh_bind result_members[] = {
	{ LH_BIND_STRING("id", struct result, id), .required = true },
	{ LH_BIND_STRING("corpus", struct result, corpus) },
	{ LH_BIND_VALUE("distance", struct result, distance, LH_BIND_IS(LH_NUMBER)) },
	{ LH_BIND_VALUE("score", struct result, score, LH_BIND_IS(LH_NUMBER)) },
	{ LH_BIND_OBJECT("metadata", struct result, metadata) },
	{ LH_BIND_OBJECT("playbook", struct result, playbook) },
	LH_BIND_END
};

/* The members of metadata that are a record's text, the first that is there. */
static const char *const text_members[] = { "text", "content", NULL };

/* Write where the record is, and the source line that it was made of, if it names one. */
static void write_source(struct lh_writer *w, const struct result *r, struct lh_str uri)
{
	struct lh_value from = lh_mcp_get_in(&r->metadata, "provenance", LH_OBJECT), v;
	int64_t line;

	lh_write_object(w, "source");
	lh_write_str(w, "uri", uri);
	if (lh_mcp_has(&from, "source_file", &v) && v.type == LH_STRING) {
		lh_write_value(w, "file", &v);
		if (lh_mcp_has(&from, "line_offset", &v) && v.type == LH_NUMBER &&
		    lh_value_i64(&v, &line) && line >= 0 && line < INT64_MAX)
			lh_write_i64(w, "line", line + 1);
	}
	lh_write_end(w);
}

/* Write the text, and the other members of the metadata. */
static int write_metadata(struct lh_writer *w, const struct result *r, int detail,
			  struct lh_err *err)
{
	struct lh_value text = { .p = NULL };
	const char *drop[] = { NULL, NULL };
	const char *const *name;

	for (name = text_members; *name && !*drop; name++)
		if (lh_mcp_has(&r->metadata, *name, &text) && text.type == LH_STRING)
			*drop = *name;
	if (*drop && lh_mcp_write_cut(w, "text", &text, LH_MCP_TEXT(detail), err) < 0)
		return -1;
	return lh_mcp_write_members(w, "metadata", &r->metadata, drop, LH_MCP_MEMBER(detail), err);
}

struct results {
	struct lh_mcp_reply *reply;
	int detail;
	struct lh_str corpus;		/* of results that name none */
	struct lh_buf text, uri;
};

static void write_scores(struct lh_writer *w, const struct result *r)
{
	if (r->score.p)
		lh_write_value(w, "score", &r->score);
	else if (r->distance.p)
		lh_write_f32(w, "score", 1 - (float)lh_value_f64(&r->distance));
	if (r->distance.p)
		lh_write_value(w, "distance", &r->distance);
	if (r->playbook.p)
		lh_write_value(w, "playbook", &r->playbook);
}

static int write_result(void *ctx, struct lh_writer *w, const struct lh_value *v,
			struct lh_err *err)
{
	struct results *all = ctx;
	struct result r = { .corpus = all->corpus, .metadata = { "{}", 2, LH_OBJECT, false } };
	struct lh_str uri;

	if (lh_bind_value(result_members, v, &r, &all->text, err) < 0)
		return -1;
	lh_buf_reset(&all->uri);
	lh_mcp_uri(&all->uri, r.corpus, r.id);
	if (lh_buf_check(&all->uri, err) < 0)
		return -1;
	uri = (struct lh_str){ all->uri.p, all->uri.len };
	lh_write_object(w, NULL);
	lh_write_str(w, "corpus", r.corpus);
	lh_write_str(w, "id", r.id);
	write_scores(w, &r);
	if (write_metadata(w, &r, all->detail, err) < 0)
		return -1;
	write_source(w, &r, uri);
	lh_write_end(w);
	lh_mcp_link(all->reply, uri, r.id, NULL);
	return 0;
}

static int write_results(struct lh_writer *w, struct results *all, const struct lh_record *rec,
			 struct lh_err *err)
{
	struct lh_value array = lh_mcp_get(rec, "results", LH_ARRAY);
	struct lh_iter it;
	uint64_t n = 0;
	int rc = 0;

	lh_write_array(w, "results");
	for (lh_iter_init(&it, &array); !rc && lh_iter_next(&it); n++)
		rc = write_result(all, w, &it.val, err);
	lh_write_end(w);
	lh_write_u64(w, "count", n);
	lh_buf_free(&all->text);
	lh_buf_free(&all->uri);
	return rc;
}

int lh_mcp_answer_search(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct search s = { .k = 5 };
	struct lh_buf text = { 0 };
	struct results all = { .reply = r };
	struct lh_value whole = lh_mcp_whole(rec), counts;
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_search_in, args, &s, &text, err);

	all.detail = s.detail;
	lh_write_object(&w, NULL);
	if (!rc)
		rc = write_results(&w, &all, rec, err);
	counts = lh_mcp_get(rec, "per_corpus_counts", LH_OBJECT);
	lh_write_value(&w, "per_corpus_counts", &counts);
	lh_mcp_copy(&w, &whole, "metadata_filter_dropped", LH_BIND_IS(LH_NUMBER));
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}

/* ---- lookup ---- */

struct lookup {
	struct lh_str id, corpus;
	int detail;
};
const struct lh_bind lh_mcp_lookup_in[] = {
	{ LH_BIND_ID("id", struct lookup, id), .required = true, .filled = true,
	  .about = "Id of the record." },
	{ LH_BIND_STRING("corpus", struct lookup, corpus), LH_INDEX_NAME,
	  .about = "Index that has it. Without it, the first that has one of this id." },
	LH_MCP_DETAIL(struct lookup, detail, "full"),
	LH_BIND_CLOSED
};

int lh_mcp_ask_lookup(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct lookup of = { .detail = 0 };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_lookup_in, args, &of, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "id", of.id);
		if (of.corpus.p)
			lh_write_str(&w, "name", of.corpus);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

/* detail: full unless it is given. */
int lh_mcp_answer_lookup(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct lookup of = { .detail = LH_MCP_FULL };
	struct lh_buf text = { 0 };
	struct results all = { .reply = r };
	struct lh_value whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_lookup_in, args, &of, &text, err);

	all.detail = of.detail;
	if (!rc)
		rc = write_result(&all, &w, &whole, err);
	lh_buf_free(&all.text);
	lh_buf_free(&all.uri);
	lh_buf_free(&text);
	return rc;
}

/* The whole record, for a resource. */
int lh_mcp_answer_record(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct result of = { .metadata = { "{}", 2, LH_OBJECT, false } };
	struct lh_buf text = { 0 };
	int rc = lh_bind(result_members, rec, &of, &text, err);

	(void)args;
	lh_buf_add(r->structured, rec->line, rec->len);
	lh_buf_free(&text);
	return rc;
}

/* ---- with --compat ---- */

struct vectors {
	struct lh_str index;
	struct lh_value vector;
	uint64_t k;
	int detail;
};
static const struct lh_bind number[] = {
	{ LH_BIND_ONLY("*", LH_BIND_TO_F64), .min = -INFINITY, .max = INFINITY },
	LH_BIND_END
};
const struct lh_bind lh_mcp_vectors_in[] = {
	{ LH_BIND_STRING("index", struct vectors, index), .required = true, LH_INDEX_NAME,
	  .about = "Name of the index." },
	{ LH_BIND_VALUE("vector", struct vectors, vector,
			LH_BIND_IS(LH_ARRAY) | LH_BIND_IS(LH_STRING)), .required = true,
	  .what = "array of numbers or base64", .table = number,
	  .about = "The vector: numbers, or base64 of 32-bit floats." },
	{ K(struct vectors) },
	LH_MCP_DETAIL(struct vectors, detail, "brief"),
	LH_BIND_CLOSED
};

int lh_mcp_ask_vectors(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct vectors s = { .k = 5 };
	struct lh_buf text = { 0 };
	struct lh_writer w = lh_write_to(q->line);
	int rc = lh_bind_value(lh_mcp_vectors_in, args, &s, &text, err);

	if (!rc) {
		lh_write_object(&w, NULL);
		lh_write_str(&w, "index", s.index);
		lh_write_value(&w, "vector", &s.vector);
		lh_write_u64(&w, "k", s.k);
		lh_write_end(&w);
	}
	lh_buf_free(&text);
	return rc;
}

int lh_mcp_answer_vectors(struct lh_mcp_reply *r, const struct lh_value *args,
			  const struct lh_record *rec, struct lh_err *err)
{
	struct vectors s = { .k = 5 };
	struct lh_buf text = { 0 };
	struct results all = { .reply = r };
	struct lh_writer w = lh_write_to(r->structured);
	int rc = lh_bind_value(lh_mcp_vectors_in, args, &s, &text, err);

	all.detail = s.detail;
	all.corpus = s.index;
	lh_write_object(&w, NULL);
	if (!rc)
		rc = write_results(&w, &all, rec, err);
	lh_write_end(&w);
	lh_buf_free(&text);
	return rc;
}

struct texts {
	const struct lh_str *text;
	size_t texts;
	struct lh_str model;
};
const struct lh_bind lh_mcp_embed_in[] = {
	{ LH_BIND_STRINGS("texts", struct texts, text, texts), .required = true, .filled = true,
	  .each_filled = true, .about = "The texts." },
	{ LH_BIND_STRING("model", struct texts, model), .filled = true,
	  .about = "Model of the engine." },
	LH_BIND_CLOSED
};

int lh_mcp_ask_embed(struct lh_mcp_question *q, const struct lh_value *args, struct lh_err *err)
{
	struct texts t = { .texts = 0 };

	return lh_mcp_pass(lh_mcp_embed_in, &t, q, args, err);
}
