/* pathway_apply.c - apply one event of the log.  See pathway.h. */
#include <stdlib.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "pathway_parts.h"

int lh_pathway_uid_check(const char *what, size_t n, struct lh_err *err)
{
	if (!n)
		return lh_err_set(err, LH_EDATA, "empty %s", what);
	if (n > LH_PATHWAY_UID_MAX)
		return lh_err_data(err, 413, "%s is longer than %d bytes", what,
				   LH_PATHWAY_UID_MAX);
	return 0;
}

static struct lh_span span_of(const struct lh_pathway *p, uint64_t at, const struct lh_value *v)
{
	return (struct lh_span){ at + (uint64_t)(v->p - p->rec.line), (uint32_t)v->n };
}

/* Read a string that can be a uid, unescaped at the end of p->text. */
static int read_uid(struct lh_pathway *p, const char *what, const struct lh_value *v,
		    struct lh_str *uid, struct lh_err *err)
{
	if (!v || v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA,
				  v ? "\"%s\" is not a string" : "missing string field \"%s\"",
				  what);
	lh_buf_reset(&p->text);
	lh_value_str(v, &p->text, uid);
	return lh_pathway_uid_check(what, uid->n, err);
}

static int read_whole(const char *what, const struct lh_value *v, int64_t *to, struct lh_err *err)
{
	if (v->type != LH_NUMBER || !lh_value_i64(v, to))
		return lh_err_set(err, LH_EDATA, "\"%s\" is not a whole number", what);
	return 0;
}

static int read_tags(struct lh_pathway *p, uint64_t at, const struct lh_value *v,
		     struct lh_trace *t, struct lh_err *err)
{
	struct lh_iter it;

	if (v->type == LH_NULL)
		return 0;
	if (v->type != LH_ARRAY)
		return lh_err_set(err, LH_EDATA, "\"tags\" is not an array");
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (it.val.type != LH_STRING)
			return lh_err_set(err, LH_EDATA,
					  "\"tags\" holds something that is not a string");
	t->tags = span_of(p, at, v);
	return 0;
}

enum { UID, CONTENT, PREDECESSOR, CREATED, UPDATED, RETIRED, REPLAYS, TAGS, MEMBERS };

static void find_members(const struct lh_value *trace, struct lh_value got[MEMBERS])
{
	static const char *const names[] = {
		"uid",		 "content", "predecessor_uid", "created_at_ns",
		"updated_at_ns", "retired", "replay_count",    "tags",
	};
	struct lh_iter it;
	size_t i;

	memset(got, 0, MEMBERS * sizeof *got);
	for (lh_iter_init(&it, trace); lh_iter_next(&it); ) {
		for (i = 0; i < MEMBERS && !lh_value_is(&it.key, names[i], strlen(names[i])); i++)
			;
		if (i < MEMBERS)
			got[i] = it.val;
	}
}

/* Read the members of a trace other than its uid.  An absent time or count is 0; an
 * empty or null predecessor is none. */
static int read_trace(struct lh_pathway *p, uint64_t at, const struct lh_value got[MEMBERS],
		      struct lh_trace *t, struct lh_err *err)
{
	struct lh_str uid;

	if (!got[CONTENT].n)
		return lh_err_set(err, LH_EDATA, "missing field \"content\"");
	t->content = span_of(p, at, &got[CONTENT]);
	if (got[PREDECESSOR].n && got[PREDECESSOR].type != LH_NULL &&
	    !lh_value_is(&got[PREDECESSOR], "", 0)) {
		if (read_uid(p, "predecessor_uid", &got[PREDECESSOR], &uid, err) < 0)
			return -1;
		t->predecessor = span_of(p, at, &got[PREDECESSOR]);
	}
	if (got[CREATED].n && read_whole("created_at_ns", &got[CREATED], &t->created, err) < 0)
		return -1;
	if (got[UPDATED].n && read_whole("updated_at_ns", &got[UPDATED], &t->updated, err) < 0)
		return -1;
	if (got[REPLAYS].n && read_whole("replay_count", &got[REPLAYS], &t->replays, err) < 0)
		return -1;
	if (got[RETIRED].n && got[RETIRED].type != LH_TRUE && got[RETIRED].type != LH_FALSE)
		return lh_err_set(err, LH_EDATA, "\"retired\" is neither true nor false");
	t->retired = got[RETIRED].n && got[RETIRED].type == LH_TRUE;
	return got[TAGS].n ? read_tags(p, at, &got[TAGS], t, err) : 0;
}

/* Apply add or revise. */
static int apply_trace(struct lh_pathway *p, uint64_t at, bool revises, struct lh_err *err)
{
	const struct lh_value *trace = lh_record_get(&p->rec, "trace");
	struct lh_value got[MEMBERS];
	struct lh_trace t = { .replays = 0 };
	unsigned char hash[32];
	struct lh_str uid;
	bool is_new;

	if (!trace || trace->type != LH_OBJECT)
		return lh_err_set(err, LH_EDATA,
				  trace ? "\"trace\" is not an object" :
					  "missing object field \"trace\"");
	find_members(trace, got);
	if (read_trace(p, at, got, &t, err) < 0)
		return -1;
	if (revises && !t.predecessor.n)
		return lh_err_set(err, LH_EDATA, "missing string field \"predecessor_uid\"");
	if (read_uid(p, "uid", got[UID].n ? &got[UID] : NULL, &uid, err) < 0)
		return -1;
	t.uid = span_of(p, at, &got[UID]);
	lh_sha256(uid.p, uid.n, hash);
	if (lh_hashset_has(&p->uids, hash))
		return lh_err_set(err, LH_EDATA, "its uid is known already");
	lh_grow(&p->trace, &p->cap, p->uids.n + 1, sizeof *p->trace);
	if (lh_hashset_add(&p->uids, hash, &is_new, err) < 0)
		return -1;
	p->trace[p->uids.n - 1] = t;
	p->retired += t.retired;
	return 0;
}

static int find_trace(struct lh_pathway *p, struct lh_trace **t, struct lh_err *err)
{
	struct lh_str uid;
	int64_t i;

	if (read_uid(p, "uid", lh_record_get(&p->rec, "uid"), &uid, err) < 0)
		return -1;
	i = lh_pathway_find(p, uid.p, uid.n);
	if (i < 0)
		return lh_err_set(err, LH_EDATA, "unknown uid");
	*t = &p->trace[i];
	return 0;
}

/* Apply update.  Its time is that of the trace in the event, if there is one. */
static int apply_update(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	const struct lh_value *content = lh_record_get(&p->rec, "content"),
			      *in_event = lh_record_get(&p->rec, "trace");
	struct lh_value got[MEMBERS];
	struct lh_trace *t;
	int64_t ns;

	if (!content)
		return lh_err_set(err, LH_EDATA, "missing field \"content\"");
	if (find_trace(p, &t, err) < 0)
		return -1;
	ns = t->updated;
	if (in_event && in_event->type == LH_OBJECT) {
		find_members(in_event, got);
		if (got[UPDATED].n && read_whole("updated_at_ns", &got[UPDATED], &ns, err) < 0)
			return -1;
	}
	t->updated = ns;
	t->content = span_of(p, at, content);
	return 0;
}

static int apply_retire(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	struct lh_trace *t;

	(void)at;
	if (find_trace(p, &t, err) < 0)
		return -1;
	p->retired += !t->retired;
	t->retired = true;
	return 0;
}

static int apply_replay(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	struct lh_trace *t;

	(void)at;
	if (find_trace(p, &t, err) < 0)
		return -1;
	t->replays += t->replays < INT64_MAX;
	return 0;
}

static int apply_add(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	return apply_trace(p, at, false, err);
}

static int apply_revise(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	return apply_trace(p, at, true, err);
}

static const struct {
	const char *op;
	int (*apply)(struct lh_pathway *p, uint64_t at, struct lh_err *err);
} ops[] = {
	{ "add", apply_add },	    { "update", apply_update }, { "revise", apply_revise },
	{ "retire", apply_retire }, { "replay", apply_replay },
};

int lh_pathway_apply(struct lh_pathway *p, uint64_t at, struct lh_err *err)
{
	const struct lh_value *op = lh_record_get(&p->rec, "op");
	size_t i, n = sizeof ops / sizeof *ops;

	if (!op || op->type != LH_STRING) {
		lh_err_set(err, LH_EDATA,
			   op ? "\"op\" is not a string" : "missing string field \"op\"");
		return 0;
	}
	for (i = 0; i < n && !lh_value_is(op, ops[i].op, strlen(ops[i].op)); i++)
		;
	if (i == n) {
		lh_err_set(err, LH_EDATA,
			   "\"op\" is not one of add, update, revise, retire, replay");
		return 0;
	}
	if (ops[i].apply(p, at, err) == 0)
		return 1;
	return err->code == LH_EDATA ? 0 : -1;
}
