/* lh-rerank: order results by how well a cross-encoder finds that they answer.  See
 * lh-rerank(1). */
#include <stdlib.h>

#include "base/mem.h"
#include "json/value.h"
#include "lineage/person_ids.h"
#include "model/http.h"
#include "rerank/reranker.h"
#include "tool/op.h"

#define ALL UINT64_MAX

struct settings {
	const char *model, *url, *field;
	uint64_t k, retries;
	double timeout;
	bool sigmoid, fast, attribute, wire;
	struct lh_reranker *reranker;
};

static const struct lh_option options[] = {
	{ 0, "model", "MODEL", "the cross-encoder: a GGUF file, or a name of Ollama's",
	  LH_TEXT(struct settings, model) },
	{ 0, "rerank-url", "URL", "ask a service, which calls its model MODEL",
	  LH_TEXT(struct settings, url) },
	{ 0, "field", "NAME", "field of a result with its text (default text)",
	  LH_TEXT(struct settings, field) },
	{ 'k', NULL, "N", "leave the best N results (default: all)",
	  LH_UINT(struct settings, k, 0, 1e15) },
	{ 0, "sigmoid", NULL, "write scores from 0 to 1: 1 / (1 + exp(-score))",
	  LH_FLAG(struct settings, sigmoid) },
	{ 0, "fast", NULL, "use AMX, if the CPU has it: scores may differ by 1e-5",
	  LH_FLAG(struct settings, fast) },
	{ 0, "wire", NULL, "answer requests as Cohere's and Jina's services do",
	  LH_FLAG(struct settings, wire) },
	{ 0, "timeout", "S", "seconds for one call to a service (default 60)",
	  LH_REAL(struct settings, timeout, 0.001, 86400) },
	{ 0, "retries", "N", "tries after a failed call (default 2)",
	  LH_UINT(struct settings, retries, 0, 100) },
	{ 0, "attribute", NULL, "say whose data the answer has used",
	  LH_FLAG(struct settings, attribute) },
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

struct answer {
	struct lh_str query, trace;
	struct lh_value results;
};
static const struct lh_bind answer_in[] = {
	LH_TRACE_MEMBER(struct answer, trace),
	{ LH_BIND_STRING("query_text|query|text", struct answer, query), .required = true,
	  .meant = "q|question|prompt", .about = "what the results are to answer" },
	{ LH_BIND_ARRAY("results", struct answer, results), .required = true,
	  .each = LH_BIND_IS(LH_OBJECT), .person = true,
	  .about = "objects, each with a text or with one in its metadata" },
	LH_BIND_END
};
static const struct lh_bind result_out[] = {
	{ LH_BIND_ONLY("rerank_score", LH_BIND_TO_F64), .required = true, .min = -INFINITY,
	  .max = INFINITY, .about = "how well it answers; the greatest first" },
	LH_BIND_END
};
static const struct lh_bind answer_out[] = {
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .required = true, .table = result_out,
	  .person = true },
	LH_PERSONS_USED_MEMBER,
	LH_BIND_END
};

struct worker {
	const struct settings *set;
	struct lh_buf text, strings;	/* of the record; of its results */
	struct lh_value *result;
	struct lh_str *of;		/* the text of each */
	double *score;
	size_t *order;
	size_t n, cap[4];
	struct lh_record scan;
	struct lh_persons_used used;	/* --attribute */
};

static int worker_init(void *context, void *settings, struct lh_err *err)
{
	(void)err;
	((struct worker *)context)->set = settings;
	return 0;
}

static void worker_free(void *context)
{
	struct worker *w = context;

	lh_buf_free(&w->text);
	lh_buf_free(&w->strings);
	lh_record_free(&w->scan);
	lh_persons_used_free(&w->used);
	free(w->result);
	free(w->of);
	free(w->score);
	free(w->order);
}

static void make_room(struct worker *w, size_t n)
{
	lh_grow(&w->result, &w->cap[0], n, sizeof *w->result);
	lh_grow(&w->of, &w->cap[1], n, sizeof *w->of);
	lh_grow(&w->score, &w->cap[2], n, sizeof *w->score);
	lh_grow(&w->order, &w->cap[3], n, sizeof *w->order);
}

/* Set *to to the string at the path in a result, or else in its metadata. */
static bool text_of(const struct lh_value *result, const char *path, struct lh_value *to)
{
	struct lh_value metadata;
	size_t n = strlen(path);

	if (lh_value_at(result, path, n, to) && to->type == LH_STRING)
		return true;
	return lh_value_get(result, "metadata", &metadata) &&
	       lh_value_at(&metadata, path, n, to) && to->type == LH_STRING;
}

static int read_texts(struct worker *w, const struct lh_record *rec, const struct answer *a,
		      struct lh_err *err)
{
	struct lh_value text;
	struct lh_iter it;

	w->n = 0;
	lh_buf_reset(&w->strings);
	lh_buf_room(&w->strings, rec->len);	/* so that no string moves another */
	make_room(w, lh_value_count(&a->results));
	for (lh_iter_init(&it, &a->results); lh_iter_next(&it); w->n++) {
		if (!text_of(&it.val, w->set->field, &text))
			return lh_err_set(err, LH_EDATA, "results[%zu] has no string \"%s\", nor "
					  "has its metadata", w->n, w->set->field);
		w->result[w->n] = it.val;
		lh_value_str(&text, &w->strings, &w->of[w->n]);
	}
	return 0;
}

/* Write a result with its score last. */
static int write_result(struct worker *w, size_t i, struct lh_buf *out, struct lh_err *err)
{
	const char *const drop[] = { "rerank_score" };
	struct lh_writer to;

	if (lh_record_parse(&w->scan, w->result[i].p, w->result[i].n, err) < 0)
		return -1;
	to = lh_write_record(out, &w->scan, drop, 1);
	lh_write_f64(&to, "rerank_score", w->score[i]);
	lh_write_end(&to);
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct worker *w = context;
	struct answer a = { .query = { NULL, 0 } };
	struct lh_writer to;

	if (lh_bind(answer_in, rec, &a, &w->text, err) < 0 || read_texts(w, rec, &a, err) < 0 ||
	    lh_reranker_score(w->set->reranker, &(struct lh_rerank_ask){
		    .query = a.query, .text = w->of, .n = w->n, .trace = a.trace }, w->score,
			      err) < 0)
		return -1;
	lh_rerank_order(w->score, w->n, w->order);
	to = lh_write_record(out, rec, (const char *const[]){ "results", "persons" },
			     1 + w->set->attribute);
	lh_write_array(&to, "results");
	for (size_t i = 0; i < w->n && i < w->set->k; i++) {
		lh_write_key(&to, NULL);
		if (write_result(w, w->order[i], out, err) < 0)
			return -1;
	}
	lh_write_end(&to);
	if (w->set->attribute) {
		lh_persons_used_reset(&w->used);
		lh_persons_used_results(&w->used, &a.results);
		lh_persons_used_write(&w->used, &to);
	}
	lh_write_end(&to);
	return 0;
}

/* ---- requests as services have them ---- */

struct ranking {
	struct lh_str query, trace;
	struct lh_value documents, model;
	uint64_t top_n;
	bool shown;
};
static const struct lh_bind ranking_in[] = {
	{ LH_BIND_STRING("query", struct ranking, query), .required = true, .filled = true,
	  .about = "what the documents are to answer" },
	{ LH_BIND_ARRAY("documents", struct ranking, documents), .required = true, .filled = true,
	  .each = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_OBJECT),
	  .about = "texts, or objects with a text" },
	{ LH_BIND_U64("top_n", struct ranking, top_n, 1, INT64_MAX),
	  .about = "most results (default: all)" },
	{ LH_BIND_BOOL("return_documents", struct ranking, shown),
	  .about = "whether a result has its document" },
	{ LH_BIND_SOME("model", struct ranking, model), .about = "without effect" },
	LH_TRACE_MEMBER(struct ranking, trace),
	LH_BIND_END
};
static const struct lh_bind ranked_out[] = {
	LH_OP_COUNT("index"),
	{ LH_BIND_ONLY("relevance_score", LH_BIND_TO_F64), .required = true, .min = -INFINITY,
	  .max = INFINITY, .about = "how well it answers; the greatest first" },
	LH_OP_OBJECT("document"), LH_BIND_END
};
static const struct lh_bind ranking_out[] = {
	{ LH_BIND_ONLY("results", LH_BIND_TO_TABLES), .required = true, .table = ranked_out },
	LH_OP_OBJECT("usage"), LH_BIND_END
};

/* Read the texts of the documents. */
static int read_documents(struct worker *w, const struct lh_record *rec, const struct ranking *k,
			  struct lh_err *err)
{
	struct lh_value text;
	struct lh_iter it;

	w->n = 0;
	lh_buf_reset(&w->strings);
	lh_buf_room(&w->strings, rec->len);	/* so that no string moves another */
	make_room(w, lh_value_count(&k->documents));
	for (lh_iter_init(&it, &k->documents); lh_iter_next(&it); w->n++) {
		text = it.val;
		if (text.type == LH_OBJECT &&
		    (!lh_value_get(&it.val, "text", &text) || text.type != LH_STRING))
			return lh_err_set(err, LH_EDATA, "documents[%zu] has no string \"text\"",
					  w->n);
		w->result[w->n] = text;
		lh_value_str(&text, &w->strings, &w->of[w->n]);
	}
	return 0;
}

static void write_ranked(const struct worker *w, size_t i, bool shown, struct lh_writer *to)
{
	lh_write_object(to, NULL);
	lh_write_u64(to, "index", i);
	lh_write_f64(to, "relevance_score", w->score[i]);
	if (shown) {
		lh_write_object(to, "document");
		lh_write_value(to, "text", &w->result[i]);
		lh_write_end(to);
	}
	lh_write_end(to);
}

/* Answer a request.  Its tokens are estimated, of four bytes each. */
static int on_request(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	struct worker *w = context;
	struct ranking k = { .top_n = ALL };
	struct lh_writer to = lh_write_to(out);
	uint64_t bytes;
	size_t i;

	if (lh_bind(ranking_in, rec, &k, &w->text, err) < 0 ||
	    read_documents(w, rec, &k, err) < 0 ||
	    lh_reranker_score(w->set->reranker, &(struct lh_rerank_ask){
		    .query = k.query, .text = w->of, .n = w->n, .trace = k.trace }, w->score,
			      err) < 0)
		return -1;
	lh_rerank_order(w->score, w->n, w->order);
	lh_write_object(&to, NULL);
	lh_write_array(&to, "results");
	for (i = 0; i < w->n && i < k.top_n; i++)
		write_ranked(w, w->order[i], k.shown, &to);
	lh_write_end(&to);
	for (bytes = k.query.n, i = 0; i < w->n; i++)
		bytes += w->of[i].n;
	lh_write_object(&to, "usage");
	lh_write_u64(&to, "total_tokens", (bytes + 3) / 4);
	lh_write_end(&to);
	lh_write_end(&to);
	return 0;
}

static int check(struct lh_tool *tool, void *settings)
{
	const struct settings *set = settings;

	if (!set->model && !set->url)
		return lh_tool_usage(tool, "name the cross-encoder by --model, or a service by "
				     "--rerank-url");
	if (set->wire && (set->attribute || set->k != ALL))
		return lh_tool_usage(tool, "--wire and %s exclude each other",
				     set->attribute ? "--attribute" : "-k");
	if (!*set->field || !lh_utf8_valid(set->field, strlen(set->field)))
		return lh_tool_usage(tool, "--field: not a name");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	struct settings *set = settings;

	set->reranker = lh_reranker_new(&(struct lh_reranker_how){
		.model = set->model, .url = set->url, .fast = set->fast,
		.sigmoid = set->sigmoid || set->wire, .threads = tool->jobs,
		.timeout = set->timeout,
		.retries = set->retries }, &tool->err);
	if (!set->reranker)
		return lh_err_prefix(&tool->err, set->url ? "--rerank-url" : "--model");
	return lh_records_run(tool, &(struct lh_flow){
		.map = set->wire ? on_request : on_record, .one_by_one = true, .shared = set,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}

static int close_reranker(struct lh_tool *tool, void *settings, int rc)
{
	(void)tool;
	lh_reranker_free(((struct settings *)settings)->reranker);
	return rc;
}

static const struct lh_op ops[] = {
	{ "", .in = answer_in, .out = answer_out, .command = run },
	{ "", .in = ranking_in, .out = ranking_out, .command = run }, LH_OP_END
};

static const struct lh_op *mode(const void *settings)
{
	return &ops[((const struct settings *)settings)->wire];
}

int main(int argc, char **argv)
{
	static const struct lh_tool_spec spec = {
		.name = "lh-rerank",
		.synopsis = "[OPTION]... [FILE]...",
		.summary = "order the results of answers by a cross-encoder",
		.example = "lh-search products.lhv |\n"
			   "      lh-rerank --model reranker.gguf --field title -k 3",
		.options = options,
		.check = check,
		.close = close_reranker,
		.ops = ops,
		.mode = mode,
	};

	return lh_op_main(&spec, argc, argv, &(struct settings){
		.field = "text", .k = ALL, .timeout = LH_RERANK_TIMEOUT,
		.retries = LH_RERANK_RETRIES });
}
