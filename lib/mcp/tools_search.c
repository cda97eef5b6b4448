/* tools_search.c - what search, lookup and search_vectors answer. */
#include "tool_parts.h"

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
static const struct lh_str text_members[] = { { "text", 4 }, { "content", 7 } };

/* Write the text, and the other members of the metadata. */
static void write_metadata(struct lh_writer *w, const struct result *r, int detail)
{
	struct lh_value text = { .p = NULL };
	size_t i;

	for (i = 0; i < 2 && !(lh_mcp_has(&r->metadata, text_members[i].p, &text) &&
			       text.type == LH_STRING); i++)
		;
	if (i < 2)
		lh_mcp_write_cut(w, "text", &text, LH_MCP_TEXT(detail));
	lh_mcp_write_members(w, "metadata", &r->metadata, text_members + i % 2, i < 2,
			     LH_MCP_MEMBER(detail));
}

struct results {
	struct lh_mcp_reply *reply;
	int detail;
	struct lh_str corpus;		/* of results that name none */
	struct lh_buf text, uri;
};

static int write_result(void *ctx, struct lh_writer *w, const struct lh_value *v,
			struct lh_err *err)
{
	struct results *all = ctx;
	struct result r = { .corpus = all->corpus, .metadata = { "{}", 2, LH_OBJECT, false } };
	struct lh_str uri;
	struct lh_value from, value;
	int64_t line;

	if (lh_bind_value(result_members, v, &r, &all->text, err) < 0)
		return -1;
	lh_buf_reset(&all->uri);
	lh_mcp_uri(&all->uri, r.corpus, r.id);
	uri = (struct lh_str){ all->uri.p, all->uri.len };
	lh_write_object(w, NULL);
	lh_write_str(w, "corpus", r.corpus);
	lh_write_str(w, "id", r.id);
	if (r.score.p)
		lh_write_value(w, "score", &r.score);
	else if (r.distance.p)
		lh_write_f32(w, "score", 1 - (float)lh_value_f64(&r.distance));
	if (r.distance.p)
		lh_write_value(w, "distance", &r.distance);
	if (r.playbook.p)
		lh_write_value(w, "playbook", &r.playbook);
	write_metadata(w, &r, all->detail);
	/* Write where the record is, and the source line that it was made of, if it names one. */
	from = lh_mcp_get_in(&r.metadata, "provenance", LH_OBJECT);
	lh_write_object(w, "source");
	lh_write_str(w, "uri", uri);
	if (lh_mcp_has(&from, "source_file", &value) && value.type == LH_STRING) {
		lh_write_value(w, "file", &value);
		if (lh_mcp_has(&from, "line_offset", &value) && value.type == LH_NUMBER &&
		    lh_value_i64(&value, &line) && line >= 0 && line < INT64_MAX)
			lh_write_i64(w, "line", line + 1);
	}
	lh_write_end(w);
	lh_write_end(w);
	lh_mcp_link(all->reply, uri, r.id, (struct lh_str){ NULL, 0 });
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
	const struct lh_value whole = lh_mcp_whole(rec);
	struct results all = { .reply = r, .detail = lh_mcp_part_of(r->tool, args).detail };
	struct lh_writer w = lh_write_to(r->structured);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value v;
	int rc = 0;

	if (lh_mcp_has(args, "index", &v) && v.type == LH_STRING)
		lh_value_str(&v, &text, &all.corpus);
	lh_write_object(&w, NULL);
	if (!rc)
		rc = write_results(&w, &all, rec, err);
	lh_mcp_copy(&w, &whole, "per_corpus_counts", LH_BIND_IS(LH_OBJECT));
	lh_mcp_copy(&w, &whole, "metadata_filter_dropped", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(&w, &whole, "truncated", LH_BIND_IS(LH_TRUE));
	lh_mcp_copy(&w, &whole, "skipped", LH_BIND_IS(LH_ARRAY));
	lh_write_end(&w);
	return rc;
}

int lh_mcp_answer_lookup(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct results all = { .reply = r, .detail = lh_mcp_part_of(r->tool, args).detail };
	const struct lh_value whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);
	int rc = write_result(&all, &w, &whole, err);

	lh_buf_free(&all.text);
	lh_buf_free(&all.uri);
	return rc;
}

/* The whole record, for a resource. */
int lh_mcp_answer_record(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct result of = { .metadata = { "{}", 2, LH_OBJECT, false } };
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_bind(result_members, rec, &of, &text, err);

	(void)args;
	lh_buf_add(r->structured, rec->line, rec->len);
	return rc;
}
