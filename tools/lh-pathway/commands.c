/* commands.c - lh-pathway add, update, revise, retire, get, history, stats, verify and search. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "base/mem.h"
#include "base/signal.h"
#include "index/index_tools.h"
#include "json/bind.h"
#include "json/write.h"
#include "pathway.h"

/* ---- changes ---- */

#define MS_MAX (INT64_MAX / 1000000)

/* Return --now, or the clock, in nanoseconds since 1970. */
static int64_t now_ns(const struct lh_tool *tool)
{
	struct timespec ts;
	int64_t ms;

	if (tool->now && lh_time_read(tool->now, strlen(tool->now), &ms) == 0)
		return ms * 1000000;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int check_now(struct lh_tool *tool)
{
	int64_t ms;

	if (tool->now && lh_time_read(tool->now, strlen(tool->now), &ms) == 0 &&
	    (ms > MS_MAX || ms < -MS_MAX))
		return lh_tool_usage(tool,
				     "--now: \"%s\" is beyond what 64 bits of nanoseconds hold",
				     tool->now);
	return 0;
}

#define UID(must) \
	{ LH_BIND_STRING("uid", struct change, uid), .required = must, .filled = true, \
	  .about = "the id of the trace" }
#define CONTENT \
	{ LH_BIND_SOME("content", struct change, content), .required = true, .null = true, \
	  .about = "any value" }, \
	{ LH_BIND_SOME("tags", struct change, tags), .about = "an array of strings" }
const struct lh_bind add_members[] = { UID(false), CONTENT, LH_BIND_END };
const struct lh_bind change_members[] = { UID(true), CONTENT, LH_BIND_END };
const struct lh_bind uid_members[] = { UID(true), LH_BIND_END };
const struct lh_bind revise_members[] = {
	UID(false),
	{ LH_BIND_STRING("predecessor_uid", struct change, predecessor), .required = true,
	  .filled = true, .about = "the trace that is revised" },
	CONTENT,
	LH_BIND_END
};

static int change(const struct lh_call *call, const struct change *c, uint32_t *i,
		  struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	const struct lh_pathway_new t = {
		.uid = c->uid, .predecessor = c->predecessor, .content = &c->content,
		.tags = c->tags.p ? &c->tags : NULL, .ns = now_ns(call->tool),
		.fixed = call->tool->now
	};

	switch (call->op->bit) {
	case V_ADD: return lh_pathway_add(p, &t, i, err);
	case V_ADD_IDEMPOTENT: return lh_pathway_add_idempotent(p, &t, i, err);
	case V_UPDATE: return lh_pathway_update(p, t.uid, t.content, t.ns, i, err);
	case V_REVISE: return lh_pathway_revise(p, &t, i, err);
	default: return lh_pathway_retire(p, t.uid, i, err);
	}
}

int change_trace(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	uint32_t i;

	run_of(call)->changed = true;
	return change(call, in, &i, err) < 0 ? -1 : lh_pathway_put(run_of(call)->p, i, out, err);
}

/* ---- looks ---- */

/* Find the trace that a record names, in the present state of the log. */
static int find_trace(struct lh_pathway *p, struct lh_str uid, uint32_t *i, struct lh_err *err)
{
	int64_t at;

	if (lh_pathway_refresh(p, err) < 0)
		return -1;
	at = lh_pathway_find(p, uid.p, uid.n);
	if (at < 0)
		return lh_err_data(err, 404, "unknown uid \"%.*s\"",
				   (int)(uid.n > 100 ? 100 : uid.n), uid.p);
	*i = (uint32_t)at;
	return 0;
}

int get_trace(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	uint32_t i;

	return find_trace(p, ((const struct change *)in)->uid, &i, err) < 0
		? -1 : lh_pathway_put(p, i, out, err);
}

int get_history(const struct lh_call *call, const void *in, struct lh_buf *out,
		struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	const struct lh_str uid = ((const struct change *)in)->uid;
	struct lh_writer w = lh_write_to(out);
	int64_t at;
	uint32_t i;

	if (find_trace(p, uid, &i, err) < 0 || lh_pathway_ends(p, i, err) < 0)
		return -1;
	if (call->rec && !call->omit) {
		w = lh_write_record(out, call->rec, (const char *const[]){ "history" }, 1);
	} else {
		lh_write_object(&w, NULL);
		if (call->rec)
			lh_write_value(&w, "uid", lh_record_get(call->rec, "uid"));
		else
			lh_write_str(&w, "uid", uid);
	}
	lh_write_array(&w, "history");
	for (at = i; at >= 0; at = lh_pathway_predecessor(p, i, err)) {
		lh_write_key(&w, NULL);
		i = (uint32_t)at;
		if (lh_pathway_put(p, i, out, err) < 0)
			return -1;
	}
	lh_write_end(&w);
	lh_write_end(&w);
	return at == -3 ? -1 : 0;
}

/* ---- stats ---- */

static void write_counts(struct lh_writer *w, const struct lh_pathway_stats *st)
{
	lh_write_u64(w, "events", st->events);
	lh_write_u64(w, "traces", st->traces);
	lh_write_u64(w, "retired", st->retired);
	lh_write_u64(w, "skipped", st->skipped);
}

int get_stats(const struct lh_call *call, const void *in, struct lh_buf *out, struct lh_err *err)
{
	struct lh_pathway *p = run_of(call)->p;
	struct lh_writer w = lh_write_to(out);
	struct lh_pathway_stats st;

	(void)in;
	if (lh_pathway_refresh(p, err) < 0)
		return -1;
	lh_pathway_get_stats(p, &st);
	lh_write_object(&w, NULL);
	write_counts(&w, &st);
	lh_write_end(&w);
	return 0;
}

/* ---- verify ---- */

struct ways {
	uint64_t missing, cycles;
};

/* Follow every chain of predecessors once: a trace is marked by the first walk that
 * reaches it, and a walk that meets its own mark has found a cycle. */
static int walk_all(struct lh_pathway *p, uint64_t n, struct ways *w, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) uint32_t *mark = lh_calloc(n ? n : 1, sizeof *mark);
	uint64_t from;
	int64_t at = 0;

	for (from = 0; from < n && at != -3; from++) {
		for (at = (int64_t)from; at >= 0 && !mark[at];
		     at = lh_pathway_predecessor(p, (uint32_t)at, err))
			mark[at] = (uint32_t)from + 1;
		w->missing += at == -2;
		w->cycles += at >= 0 && mark[at] == from + 1;
	}
	return at == -3 ? -1 : 0;
}

static int verify_one(struct run *r)
{
	struct lh_tool *tool = r->tool;
	struct lh_pathway_stats st;
	struct ways ways = { 0, 0 };
	struct lh_writer w;
	struct lh_buf b = { 0 };

	lh_pathway_get_stats(r->p, &st);
	if (walk_all(r->p, st.traces, &ways, &tool->err) < 0)
		return -1;
	if (st.skipped || ways.cycles)
		lh_tool_verdict_bad(tool);
	w = lh_write_to(&b);
	lh_write_object(&w, NULL);
	if (lh_utf8_valid(r->path, strlen(r->path)))
		lh_write_text(&w, "log", r->path);
	else
		lh_write_null(&w, "log");
	write_counts(&w, &st);
	lh_write_u64(&w, "missing_predecessors", ways.missing);
	lh_write_u64(&w, "cycles", ways.cycles);
	lh_write_end(&w);
	return lh_tool_out_line(tool, &b);
}

int pathway_verify(struct lh_tool *tool, void *settings)
{
	struct run *r = &((struct settings *)settings)->run;
	size_t i;
	int rc;

	for (i = 0; i < tool->n_operands; i++) {
		rc = run_open(r, tool, tool->operands[i], LH_PATHWAY_READ);
		if (!rc)
			rc = verify_one(r);
		if (run_close(r, rc) == 0)
			continue;
		if (i + 1 == tool->n_operands || tool->err.code != LH_EIO)
			return -1;
		lh_tool_warn(tool, "%s", tool->err.msg);	/* go on with the next */
		lh_tool_failed(tool);
	}
	return 0;
}

/* ---- search ---- */

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
