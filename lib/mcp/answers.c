/*
 * answers.c - arguments of the tools for models, and answers that are composed.  See mcp_parts.h.
 */
#include <stdio.h>

#include "index/index_tools.h"
#include "json/write.h"
#include "mcp_parts.h"

/* ---- parts of a list ---- */

bool lh_mcp_is_cursor(const struct lh_value *v, struct lh_str text)
{
	size_t i;

	for (i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		;
	return text.n && i == text.n && text.n <= 9 && !(v && v->escaped);
}

uint64_t lh_mcp_offset(struct lh_str cursor)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < cursor.n; i++)
		n = 10 * n + (uint64_t)(cursor.p[i] - '0');
	return n;
}

static bool lh_mcp_argument(const struct lh_mcp_tool *t, const struct lh_value *args,
			    const char *name, struct lh_value *v);

struct lh_mcp_part lh_mcp_part_of(const struct lh_mcp_tool *t, const struct lh_value *args)
{
	struct lh_mcp_part p = { .limit = 20 };
	struct lh_value v;
	int64_t n;

	if (lh_mcp_argument(t, args, "limit", &v) && v.type == LH_NUMBER && lh_value_i64(&v, &n) &&
	    n > 0)
		p.limit = (uint64_t)n;
	if (lh_mcp_argument(t, args, "cursor", &v) && v.type == LH_STRING &&
	    lh_mcp_is_cursor(&v, (struct lh_str){ v.p + 1, v.n - 2 }))
		p.offset = lh_mcp_offset((struct lh_str){ v.p + 1, v.n - 2 });
	if (lh_mcp_argument(t, args, "detail", &v) && v.type == LH_STRING)
		p.detail = lh_value_is(&v, "full", 4) ? LH_MCP_FULL : LH_MCP_BRIEF;
	return p;
}

void lh_mcp_part_end(struct lh_writer *w, const struct lh_mcp_part *p, bool more)
{
	char cursor[24];

	if (!more)
		return;
	snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)(p->offset + p->limit));
	lh_write_text(w, "next_cursor", cursor);
}

/* Write the elements of this part of an array, each by fn, and the cursor of the next part. */
typedef int lh_mcp_element_fn(void *ctx, struct lh_writer *w, const struct lh_value *v,
			      struct lh_err *err);
static int lh_mcp_write_part(struct lh_writer *w, const char *name, const struct lh_value *array,
			     const struct lh_mcp_part *p, lh_mcp_element_fn *fn, void *ctx,
			     struct lh_err *err)
{
	struct lh_iter it;
	uint64_t n = 0;

	lh_write_array(w, name);
	for (lh_iter_init(&it, array); lh_iter_next(&it); n++)
		if (n >= p->offset && n - p->offset < p->limit && fn(ctx, w, &it.val, err) < 0)
			return -1;
	lh_write_end(w);
	lh_mcp_part_end(w, p, n > p->offset + p->limit);
	return 0;
}

/* ---- values ---- */

/* Append a value of at most that many bytes, or what takes its place. */
static void append_cut(struct lh_buf *out, const struct lh_value *v, size_t most)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str s;
	size_t n = most, all;

	if (v->n <= most + 2 * (v->type == LH_STRING)) {
		lh_json_compact(out, v->p, v->n);
	} else if (v->type != LH_STRING) {
		lh_buf_printf(out, "\"[left out: %zu bytes of JSON]\"", v->n);
	} else {
		lh_value_str(v, &text, &s);
		all = s.n;
		if (s.n > most) {
			while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
				n--;
			s.n = n;
		}
		lh_buf_json(out, s.p, s.n);
		if (s.n < all) {
			out->len--;
			lh_buf_printf(out, " [cut: the first %zu of %zu bytes]\"", s.n, all);
		}
	}
}

void lh_mcp_write_cut(struct lh_writer *w, const char *name, const struct lh_value *v, size_t most)
{
	lh_write_key(w, name);
	append_cut(w->out, v, most);
}

static bool is_one_of(const struct lh_value *key, const struct lh_str *name, size_t n)
{
	const struct lh_str *end = name + n;

	while (name < end && !lh_value_is(key, name->p, name->n))
		name++;
	return name < end;
}

void lh_mcp_write_members(struct lh_writer *w, const char *name, const struct lh_value *object,
			  const struct lh_str *drop, size_t n_drop, size_t most)
{
	static const struct lh_str vectors[] = { { "vector", 6 }, { "vectors", 7 },
						 { "embedding", 9 }, { "embeddings", 10 } };
	struct lh_iter it;

	lh_write_object(w, name);
	for (lh_iter_init(&it, object); object->type == LH_OBJECT && lh_iter_next(&it); ) {
		if (is_one_of(&it.key, drop, n_drop) || is_one_of(&it.key, vectors, 4))
			continue;
		lh_write_key(w, NULL);
		lh_buf_add(w->out, it.key.p, it.key.n);
		lh_buf_putc(w->out, ':');
		append_cut(w->out, &it.val, most);
	}
	lh_write_end(w);
}

bool lh_mcp_has(const struct lh_value *v, const char *name, struct lh_value *out)
{
	return v->type == LH_OBJECT && lh_value_get(v, name, out);
}

/* Write the member of an object as it is, if it is there and of that type. */
static void lh_mcp_copy(struct lh_writer *w, const struct lh_value *object, const char *name,
			unsigned types)
{
	struct lh_value v;

	if (lh_mcp_has(object, name, &v) && LH_BIND_IS(v.type) & types)
		lh_write_value(w, name, &v);
}

static struct lh_value empty(enum lh_type type)
{
	return (struct lh_value){ .p = type == LH_ARRAY ? "[]" : type == LH_OBJECT ? "{}" : "\"\"",
				  .n = 2, .type = (uint8_t)type };
}

struct lh_value lh_mcp_get_in(const struct lh_value *object, const char *name, enum lh_type type)
{
	struct lh_value v;

	return lh_mcp_has(object, name, &v) && v.type == type ? v : empty(type);
}

/* Return the member of a record as an object or array; an empty one if it is not there. */
static struct lh_value lh_mcp_get(const struct lh_record *rec, const char *name, enum lh_type type)
{
	const struct lh_value *v = lh_record_get(rec, name);

	return v && v->type == type ? *v : empty(type);
}

struct lh_value lh_mcp_whole(const struct lh_record *rec)
{
	return (struct lh_value){ .p = rec->line, .n = rec->len, .type = LH_OBJECT };
}

void lh_mcp_percent(struct lh_buf *out, struct lh_str text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    strchr("-._~", c ? c : ' '))
			lh_buf_putc(out, (char)c);
		else
			lh_buf_printf(out, "%%%02X", c);
	}
}

/* Append "lh://corpus/ID". */
static void lh_mcp_uri(struct lh_buf *out, struct lh_str corpus, struct lh_str id)
{
	lh_buf_puts(out, "lh://");
	lh_buf_add(out, corpus.p, corpus.n);
	lh_buf_putc(out, '/');
	lh_mcp_percent(out, id);
}

/* ---- errors ---- */

int lh_mcp_refused(const struct lh_record *rec, unsigned status, struct lh_err *err)
{
	struct lh_value error = lh_mcp_get(rec, "error", LH_OBJECT), whole = lh_mcp_whole(rec), v;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_str why = { "the filter gave no reason", 25 };

	if (lh_mcp_has(&error, "message", &v) || lh_mcp_has(&whole, "message", &v))
		if (v.type == LH_STRING)
			lh_value_str(&v, &text, &why);
	lh_err_data(err, status, "%.*s", (int)why.n, why.p);
	return -1;
}

/* ---- checks ---- */

/* Keep the first violation: "k: expected integer, got string". */
static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	struct lh_err *err = ctx;

	if (err->code == LH_OK)
		lh_err_data(err, 400, "%.*s: %.*s", (int)field->n, field->p, (int)problem->n,
			    problem->p);
}

static int check_schema(const struct lh_jsonschema *s, const struct lh_value *args,
			struct lh_err *err)
{
	struct lh_jsonschema_run run = { .scratch = { 0 } };
	struct lh_err first = { .code = LH_OK };
	long n = lh_jsonschema_check(s, &run, args, on_violation, &first, err);

	lh_jsonschema_run_free(&run);
	if (n > 0)
		*err = first;
	return n ? -1 : 0;
}

/* Return whether there is an argument, other than null and false. */
static bool is_on(const struct lh_value *args, const char *name)
{
	struct lh_value v;

	return lh_value_get(args, name, &v) && v.type != LH_NULL && v.type != LH_FALSE;
}

/* Choose the route. */
static void choose(struct lh_mcp_question *q, const struct lh_mcp_tool *t,
		   const struct lh_value *args)
{
	char a[LH_MCP_NAME];
	struct lh_iter it;

	for (lh_iter_init(&it, &t->routes); t->routes.p && lh_iter_next(&it); )
		if (it.val.type == LH_STRING && is_on(args, lh_mcp_name(a, &it.key)))
			q->route = (struct lh_str){ it.val.p + 1, it.val.n - 2 };
}

/* ---- the record ---- */

/* Set *v to an argument, or to the default that the schema gives; false if there is neither. */
static bool lh_mcp_argument(const struct lh_mcp_tool *t, const struct lh_value *args,
			    const char *name, struct lh_value *v)
{
	const struct lh_value schema = { t->input, strlen(t->input), LH_OBJECT, false };
	struct lh_value all, property;

	if (lh_value_get(args, name, v) && v->type != LH_NULL)
		return true;
	return lh_value_get(&schema, "properties", &all) &&
	       lh_mcp_has(&all, name, &property) && lh_mcp_has(&property, "default", v);
}

static bool is_cut(const struct lh_mcp_tool *t, const char *name)
{
	struct lh_iter it;

	for (lh_iter_init(&it, &t->cut); t->cut.p && lh_iter_next(&it); )
		if (lh_value_is(&it.val, name, strlen(name)))
			return true;
	return false;
}

/* Write the name of a member as the file has it, and a comma before it. */
static void write_name(struct lh_writer *w, struct lh_str name)
{
	lh_write_key(w, NULL);
	lh_buf_printf(w->out, "\"%.*s\":", (int)name.n, name.p);
}

/* Write an argument as its filter reads it, and what it adds.  Returns whether that is the
 * member called `indexes`. */
static bool write_argument(struct lh_writer *w, const struct lh_mcp_tool *t, const char *name,
			   const struct lh_value *v)
{
	struct lh_value as, added;
	struct lh_iter it;
	struct lh_str to = lh_str_of(name);
	bool in_array = false;

	if (t->as.p && lh_value_get(&t->as, name, &as) && as.type == LH_STRING) {
		to = (struct lh_str){ as.p + 1, as.n - 2 };
		in_array = to.n > 2 && !memcmp(to.p + to.n - 2, "[]", 2);
		to.n -= 2 * in_array;
	}
	write_name(w, to);
	lh_buf_puts(w->out, in_array ? "[" : "");
	lh_json_compact(w->out, v->p, v->n);
	lh_buf_puts(w->out, in_array ? "]" : "");
	if (t->adds.p && v->type != LH_FALSE && lh_mcp_has(&t->adds, name, &added))
		for (lh_iter_init(&it, &added); lh_iter_next(&it); ) {
			write_name(w, (struct lh_str){ it.key.p + 1, it.key.n - 2 });
			lh_json_compact(w->out, it.val.p, it.val.n);
		}
	return lh_str_is(to, t->indexes.p, t->indexes.n);
}

/* Write the names of all indexes. */
static int write_indexes(struct lh_writer *w, struct lh_str name, const struct lh_mcp_question *q,
			 struct lh_err *err)
{
	struct lh_index_folder f;
	char path[4096];
	size_t i, n = 0;

	if ((size_t)snprintf(path, sizeof path, "%s/index", q->state) >= sizeof path ||
	    lh_index_folder_read(&f, path, err) < 0)
		return lh_err_data(err, 503, "the folder of the indexes cannot be read");
	write_name(w, name);
	lh_buf_putc(w->out, '[');
	for (i = 0; i < f.n; i++) {
		if (!lh_mcp_sees(q->peer, f.name[i]))
			continue;
		lh_buf_puts(w->out, n++ ? "," : "");
		lh_buf_json(w->out, f.name[i], strlen(f.name[i]));
	}
	lh_buf_putc(w->out, ']');
	lh_index_folder_free(&f);
	return n ? 0 : lh_err_data(err, 404, "there is no index to search");
}

static int compose(struct lh_mcp_question *q, const struct lh_mcp_tool *t,
		   const struct lh_value *args, struct lh_err *err)
{
	const struct lh_value schema = { t->input, strlen(t->input), LH_OBJECT, false };
	struct lh_writer w = lh_write_to(q->line);
	const struct lh_mcp_part part = lh_mcp_part_of(t, args);
	char name[LH_MCP_NAME];
	struct lh_value all, v;
	struct lh_iter it;
	bool has_indexes = false;
	int rc = 0;

	lh_write_object(&w, NULL);
	if (lh_value_get(&schema, "properties", &all) && all.type == LH_OBJECT)
		for (lh_iter_init(&it, &all); lh_iter_next(&it); )
			if (lh_mcp_argument(t, args, lh_mcp_name(name, &it.key), &v) &&
			    !is_cut(t, name))
				has_indexes |= write_argument(&w, t, name, &v);
	if (t->more.n) {
		write_name(&w, t->more);
		lh_buf_u64(q->line, part.offset + part.limit + 1);
	}
	if (t->indexes.n && !has_indexes)
		rc = write_indexes(&w, t->indexes, q, err);
	lh_write_end(&w);
	return rc;
}

int lh_mcp_ask(struct lh_mcp_question *q, const struct lh_mcp_tool *t, const struct lh_value *args,
	       struct lh_err *err)
{
	if (t->table ? lh_bind_check(t->table, args, err) < 0
		     : t->schema && check_schema(t->schema, args, err) < 0)
		return -1;
	if (t->table) {
		choose(q, t, args);
		return compose(q, t, args, err);
	}
	lh_json_compact(q->line, args->p, args->n);
	return 0;
}

/* ---- what search, lookup and search_vectors answer ---- */

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
	static const char *const copied[] = {
		"per_corpus_counts", "metadata_filter_dropped", "unmatched_filter", "query_role",
		"query_city", "query_state", "query_role_missing", "truncated", "skipped" };
	const struct lh_value whole = lh_mcp_whole(rec);
	struct results all = { .reply = r, .detail = lh_mcp_part_of(r->tool, args).detail };
	struct lh_writer w = lh_write_to(r->structured);
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	struct lh_value v;
	size_t i;
	int rc;

	if (lh_mcp_has(args, "index", &v) && v.type == LH_STRING)
		lh_value_str(&v, &text, &all.corpus);
	lh_write_object(&w, NULL);
	rc = write_results(&w, &all, rec, err);
	for (i = 0; i < sizeof copied / sizeof *copied; i++)
		lh_mcp_copy(&w, &whole, copied[i], ~0u);
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

/* ---- what the tools answer that judge ---- */

/* Write the error of a draft that fails: {"Schema":{"field":...,"reason":...}}. */
static void write_error(struct lh_writer *w, const struct lh_record *rec)
{
	static const char *const names[] = { "Schema", "Completeness", "Consistency", "Policy" };
	const struct lh_value *error;
	size_t i;

	lh_write_object(w, "error");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		error = lh_record_get(rec, names[i]);
		if (!error || error->type != LH_OBJECT)
			continue;
		lh_write_text(w, "kind", names[i]);
		lh_mcp_copy(w, error, "field", LH_BIND_IS(LH_STRING));
		lh_mcp_copy(w, error, "reason", LH_BIND_IS(LH_STRING));
		break;
	}
	lh_write_end(w);
}

int lh_mcp_answer_validate(struct lh_mcp_reply *r, const struct lh_value *args,
			   const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value findings = lh_mcp_get(rec, "findings", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);

	(void)args;
	if (r->status >= 400 && r->status != 422)
		return lh_mcp_refused(rec, r->status, err);
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "passed", r->status < 400);
	lh_write_value(&w, "findings", &findings);
	if (r->status == 422)
		write_error(&w, rec);
	lh_write_end(&w);
	return 0;
}

int lh_mcp_answer_relevance(struct lh_mcp_reply *r, const struct lh_value *args,
			    const struct lh_record *rec, struct lh_err *err)
{
	struct lh_value all = lh_mcp_get(rec, "relevance", LH_ARRAY), v;
	struct lh_value chunks = lh_mcp_get_in(args, "chunks", LH_ARRAY);
	struct lh_writer w = lh_write_to(r->structured);
	struct lh_iter it, chunk;
	uint64_t i = 0, kept = 0;

	(void)err;
	lh_write_object(&w, NULL);
	lh_write_array(&w, "results");
	lh_iter_init(&it, &all);
	for (lh_iter_init(&chunk, &chunks); lh_iter_next(&chunk) && lh_iter_next(&it); i++) {
		lh_write_object(&w, NULL);
		lh_write_u64(&w, "chunk", i);
		if (lh_mcp_has(&chunk.val, "path", &v) && v.type == LH_STRING)
			lh_mcp_write_cut(&w, "source", &v, 4096);
		lh_mcp_copy(&w, &it.val, "score", LH_BIND_IS(LH_NUMBER));
		lh_mcp_copy(&w, &it.val, "kept", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
		kept += lh_mcp_has(&it.val, "kept", &v) && v.type == LH_TRUE;
		lh_mcp_copy(&w, &it.val, "signals", LH_BIND_IS(LH_ARRAY));
		lh_write_end(&w);
	}
	lh_write_end(&w);
	lh_write_u64(&w, "kept", kept);
	lh_write_end(&w);
	return 0;
}

/* ---- audit_report ---- */

/* Write who looked: brief without what is only for a check of the chain, but never without the
 * accessor or the fields, which are what a report is for. */
static int write_access(void *ctx, struct lh_writer *w, const struct lh_value *v,
			struct lh_err *err)
{
	static const struct lh_str drop[] = { { "schema", 6 }, { "candidate_id", 12 },
					      { "prev_chain_hash", 15 }, { "row_hmac", 8 } };
	const struct lh_mcp_part *p = ctx;

	if (v->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA, "a row is not an object");
	lh_mcp_write_members(w, NULL, v, drop, p->detail == LH_MCP_FULL ? 0 : 4,
			     LH_MCP_MEMBER(LH_MCP_FULL));
	return 0;
}

int lh_mcp_answer_report(struct lh_mcp_reply *r, const struct lh_value *args,
			 const struct lh_record *rec, struct lh_err *err)
{
	struct lh_mcp_part p = lh_mcp_part_of(r->tool, args);
	struct lh_value log = lh_mcp_get(rec, "audit_log", LH_OBJECT);
	struct lh_value rows = lh_mcp_get_in(&log, "rows", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);
	int rc;

	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "candidate_id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "generated_at", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &log, "rows_in_window", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(&w, &log, "chain_verified", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	lh_mcp_copy(&w, &log, "chain_rows_total", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(&w, &log, "chain_root", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &log, "chain_error", LH_BIND_IS(LH_STRING));
	rc = lh_mcp_write_part(&w, "rows", &rows, &p, write_access, &p, err);
	lh_mcp_copy(&w, &whole, "datasets_referenced", LH_BIND_IS(LH_ARRAY));
	lh_mcp_copy(&w, &whole, "completeness_attestation", LH_BIND_IS(LH_STRING));
	lh_write_end(&w);
	return rc;
}

/* ---- trace_record ---- */

/* Write where a row is, and its record, of which a brief answer has the short members. */
static void write_place(struct lh_writer *w, const char *name, const struct lh_value *of,
			int detail)
{
	static const struct lh_str provenance = { "provenance", 10 };
	struct lh_value v, record;

	if (!lh_mcp_has(of, name, &v) || v.type != LH_OBJECT) {
		lh_write_null(w, name);
		return;
	}
	lh_write_object(w, name);
	lh_mcp_copy(w, &v, "file", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(w, &v, "line", LH_BIND_IS(LH_NUMBER));
	lh_mcp_copy(w, &v, "intact", LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE));
	if (lh_mcp_has(&v, "record", &record) && record.type == LH_OBJECT)
		lh_mcp_write_members(w, "record", &record, &provenance, detail != LH_MCP_FULL,
				     LH_MCP_MEMBER(detail));
	lh_write_end(w);
}

static void write_sides(struct lh_writer *w, const struct lh_value *sides, int detail)
{
	static const char *const places[] = { "scored", "evidence", "source" };
	struct lh_iter it;
	size_t i;

	lh_write_array(w, "from");
	for (lh_iter_init(&it, sides); lh_iter_next(&it); ) {
		lh_write_object(w, NULL);
		lh_mcp_copy(w, &it.val, "side", LH_BIND_IS(LH_STRING));
		lh_mcp_copy(w, &it.val, "run_id", LH_BIND_IS(LH_STRING));
		for (i = 0; i < 3; i++)
			write_place(w, places[i], &it.val, detail);
		lh_write_end(w);
	}
	lh_write_end(w);
}

int lh_mcp_answer_trace(struct lh_mcp_reply *r, const struct lh_value *args,
			const struct lh_record *rec, struct lh_err *err)
{
	const int detail = lh_mcp_part_of(r->tool, args).detail;
	struct lh_value sides = lh_mcp_get(rec, "from", LH_ARRAY), whole = lh_mcp_whole(rec);
	struct lh_writer w = lh_write_to(r->structured);

	(void)err;
	lh_write_object(&w, NULL);
	lh_mcp_copy(&w, &whole, "id", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "exporter", LH_BIND_IS(LH_STRING));
	lh_mcp_copy(&w, &whole, "run", LH_BIND_IS(LH_STRING));
	write_place(&w, "sample", &whole, detail);
	write_sides(&w, &sides, detail);
	lh_write_end(&w);
	return 0;
}
