/* search.c - lh-pathway search: print matching traces, the newest first. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "pathway.h"

#define BLOCK 65536
#define ANSWER_MAX ((size_t)64 << 20)	/* bytes of the answer to a request */

/* A search: its conditions, and its position. */
struct search {
	struct run *run;
	const struct lh_str *tags;	/* a trace has all of them, ... */
	size_t n_tags;
	struct lh_str tag;		/* ... and this one; n = 0: no condition */
	struct lh_str contains;		/* p = NULL: no condition */
	struct lh_filter *filter;	/* NULL: no condition */
	int64_t after, before;		/* created_at_ns is between them; INT64_MIN, ... */
					/* ... INT64_MAX: no condition */
	bool retired;			/* also retired traces */
	uint64_t left;			/* at most so many results */
	struct lh_buf text;		/* scratch */
	uint64_t at;			/* traces not yet visited; the last added is first */
};
#define SEARCH_ALL(r) \
	{ .run = (r), .after = INT64_MIN, .before = INT64_MAX, .left = UINT64_MAX }

/* ---- contains ---- */

static bool string_holds(struct search *f, const struct lh_value *v)
{
	struct lh_str s;

	lh_buf_reset(&f->text);
	lh_value_str(v, &f->text, &s);
	return memmem(s.p, s.n, f->contains.p, f->contains.n) != NULL;
}

/* Return whether a string in the checked value v contains the text; names of members do
 * not count. */
static bool holds(struct search *f, const struct lh_value *v)
{
	struct lh_iter it;
	bool found = false;

	if (v->type == LH_STRING)
		return string_holds(f, v);
	for (lh_iter_init(&it, v); !found && lh_iter_next(&it); )
		found = holds(f, &it.val);
	return found;
}

/* ---- one trace ---- */

static bool has_tag(const struct lh_value *tags, struct lh_str tag)
{
	struct lh_iter it;

	if (!tags->n)
		return false;
	for (lh_iter_init(&it, tags); lh_iter_next(&it); )
		if (lh_value_is(&it.val, tag.p, tag.n))
			return true;
	return false;
}

static bool in_time(const struct search *f, int64_t created)
{
	return (f->after == INT64_MIN || created > f->after) &&
	       (f->before == INT64_MAX || created < f->before);
}

static int fits(struct search *f, uint32_t i, struct lh_err *err)
{
	struct lh_pathway *p = f->run->p;
	struct lh_value v;
	size_t k;
	int rc = 1;

	if ((lh_pathway_retired(p, i) && !f->retired) || !in_time(f, lh_pathway_created(p, i)))
		return 0;
	if ((f->n_tags || f->tag.n) && lh_pathway_tags(p, i, &v, err) < 0)
		return -1;
	if (f->tag.n && !has_tag(&v, f->tag))
		return 0;
	for (k = 0; k < f->n_tags; k++)
		if (!has_tag(&v, f->tags[k]))
			return 0;
	if (!f->contains.p && !f->filter)
		return 1;
	if (lh_pathway_content(p, i, &v, err) < 0)
		return -1;
	if (f->contains.p)
		rc = holds(f, &v);
	if (rc == 1 && f->filter)
		rc = v.type == LH_OBJECT ? lh_filter_match(f->filter, v.p, v.n, err) : 0;
	return rc;
}

static void search_start(struct search *f)
{
	struct lh_pathway_stats st;

	lh_pathway_get_stats(f->run->p, &st);
	f->at = st.traces;
}

/* Find the next trace: 1, 0 at the end or when a signal stops the run, -1 with *err. */
static int search_next(struct search *f, uint32_t *i, struct lh_err *err)
{
	int rc = 0;

	while (!rc && f->at && f->left && !lh_stopping()) {
		*i = (uint32_t)--f->at;
		rc = fits(f, *i, err);
	}
	f->left -= rc == 1;
	return rc;
}

/* ---- the operation ---- */

const struct lh_bind query_members[] = {
	{ LH_BIND_STRING("tag", struct query, tag), .about = "with this tag" },
	{ LH_BIND_STRINGS("tags", struct query, tags, n_tags), .about = "with all these tags" },
	{ LH_BIND_STRING("content_contains", struct query, contains),
	  .about = "with this text in a string of the content" },
	{ LH_BIND_I64("created_after_ns", struct query, after, INT64_MIN, INT64_MAX),
	  .given = LH_BIND_FIELD(struct query, has_after), .about = "nanoseconds since 1970" },
	{ LH_BIND_I64("created_before_ns", struct query, before, INT64_MIN, INT64_MAX),
	  .given = LH_BIND_FIELD(struct query, has_before) },
	{ LH_BIND_BOOL("include_retired", struct query, retired) },
	{ LH_BIND_U64("limit", struct query, limit, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct query, has_limit), .about = "at most so many traces" },
	LH_BIND_END
};

static int write_results(struct search *f, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer w = lh_write_to(out);
	uint64_t count = 0;
	uint32_t i;
	int rc;

	lh_write_object(&w, NULL);
	lh_write_array(&w, "results");
	for (search_start(f); (rc = search_next(f, &i, err)) == 1; count++) {
		lh_write_key(&w, NULL);
		if (lh_pathway_put(f->run->p, i, out, err) < 0)
			return -1;
		if (out->len > ANSWER_MAX)
			return lh_err_data(err, 413, "the answer is larger than %zuM; set "
					   "\"limit\"", ANSWER_MAX >> 20);
	}
	if (rc < 0)
		return -1;
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	lh_write_end(&w);
	lh_write_u64(&w, "count", count);
	lh_write_end(&w);
	return 0;
}

int search_traces(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	const struct query *q = in;
	struct search f = SEARCH_ALL(run_of(call));
	int rc;

	if (lh_pathway_refresh(f.run->p, err) < 0)
		return -1;
	f.tag = q->tag;
	f.tags = q->tags;
	f.n_tags = q->n_tags;
	if (q->contains.n)
		f.contains = q->contains;
	if (q->has_after)
		f.after = q->after;
	if (q->has_before)
		f.before = q->before;
	f.retired = q->retired;
	if (q->has_limit)
		f.left = q->limit;
	rc = write_results(&f, out, err);
	lh_buf_free(&f.text);
	return rc;
}

/* ---- the command ---- */

static int print_fitting(struct search *f, struct lh_err *err)
{
	struct lh_tool *tool = f->run->tool;
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	uint32_t i;
	int rc;

	search_start(f);
	while ((rc = search_next(f, &i, err)) == 1) {
		rc = lh_pathway_put(f->run->p, i, &out, err);
		lh_buf_putc(&out, '\n');
		if (!rc && out.len >= BLOCK) {
			rc = lh_tool_out(tool, out.p, out.len);
			lh_buf_reset(&out);
		}
		if (rc)
			break;
	}
	return rc ? rc : lh_tool_out(tool, out.p, out.len);
}

static int make_filter(struct search *f, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf json = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	struct lh_value v;
	int rc;

	if (!s->where.n)
		return 0;
	rc = lh_filter_where(&json, s->where.v, s->where.n, err);
	if (rc < 0)
		lh_err_prefix(err, "--where");
	if (!rc)
		rc = lh_json_parse(&scan, json.p, json.len, &v, err);
	if (rc)
		return -1;
	f->filter = lh_filter_new();
	return lh_filter_compile(f->filter, &v, err);
}

/* Set *tags to the values of --tag. */
static void make_tags(struct search *f, const struct settings *s, struct lh_str **tags)
{
	size_t i;

	*tags = lh_calloc(s->tag.n + 1, sizeof **tags);
	for (i = 0; i < s->tag.n; i++)
		(*tags)[i] = (struct lh_str){ s->tag.v[i], strlen(s->tag.v[i]) };
	f->tags = *tags;
	f->n_tags = s->tag.n;
}

/* Return whether a trace has the key in its content: 1, 0, -1.  Without any trace it is 1. */
static int has_key(struct run *r, const struct lh_filter_key *key, struct lh_err *err)
{
	struct lh_filter *f = lh_filter_exists(key, err);
	struct lh_pathway_stats st;
	struct lh_value v;
	uint32_t i;
	int rc = f ? 0 : -1;

	lh_pathway_get_stats(r->p, &st);
	for (i = 0; !rc && i < st.traces && !lh_stopping(); i++) {
		rc = lh_pathway_content(r->p, i, &v, err);
		if (!rc && v.type == LH_OBJECT)
			rc = lh_filter_match(f, v.p, v.n, err);
	}
	lh_filter_free(f);
	return rc ? rc : !st.traces || lh_stopping();
}

/* Report each key of --where that no trace has. */
static int report_absent(struct search *f, struct lh_err *err)
{
	struct lh_tool *tool = f->run->tool;
	size_t i, n = 0;
	const struct lh_filter_key *key = f->filter ? lh_filter_keys(f->filter, &n) : NULL;
	int rc;

	for (i = 0; i < n; i++) {
		rc = has_key(f->run, &key[i], err);
		if (rc < 0)
			return -1;
		if (rc)
			continue;
		lh_tool_warn(tool, "--where: no trace has \"%.*s\"",
			     key[i].name.n < 200 ? (int)key[i].name.n : 200, key[i].name.p);
		lh_tool_verdict_bad(tool);
	}
	return 0;
}

int pathway_search(struct lh_tool *tool, void *settings)
{
	struct settings *s = settings;
	struct search f = SEARCH_ALL(&s->run);
	LH_SCOPED(lh_free_local) struct lh_str *tags = NULL;
	int rc;

	f.retired = s->retired;
	f.left = s->k;
	if (s->contains)
		f.contains = (struct lh_str){ s->contains, strlen(s->contains) };
	rc = make_filter(&f, s, &tool->err);
	if (!rc) {
		make_tags(&f, s, &tags);
		rc = run_open(&s->run, tool, tool->operands[0], LH_PATHWAY_READ);
		if (!rc)
			rc = print_fitting(&f, &tool->err);
		if (!rc)
			rc = report_absent(&f, &tool->err);
		rc = run_close(&s->run, rc);
	}
	lh_filter_free(f.filter);
	lh_buf_free(&f.text);
	return rc;
}
