/* change.c - lh-pathway add, add-idempotent, update, revise and retire. */
#include <time.h>

#include <lh/time.h>
#include "json/bind.h"
#include "pathway.h"

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

struct members {
	struct lh_str uid, predecessor;
	struct lh_value content, tags;
};
#define COMMON \
	{ LH_BIND_STRING("uid", struct members, uid), .filled = true }, \
	{ LH_BIND_SOME("content", struct members, content), .null = true }, \
	{ LH_BIND_SOME("tags", struct members, tags) }

static const struct lh_bind members[] = { COMMON, LH_BIND_END };
static const struct lh_bind revise_members[] = { COMMON,
						 { LH_BIND_STRING("predecessor_uid", struct members,
								  predecessor),
						   .required = true, .filled = true },
						 LH_BIND_END };

static int change(struct run *r, const struct lh_record *rec, uint32_t *i, struct lh_err *err)
{
	const unsigned verb = r->op;
	struct members m = { .uid = { "", 0 }, .predecessor = { "", 0 } };
	struct lh_pathway_new t = { .ns = now_ns(r->tool), .fixed = r->tool->now };

	if (lh_bind(verb == V_REVISE ? revise_members : members, rec, &m, &r->strings, err) < 0)
		return -1;
	if (!m.uid.n && !(verb & (V_ADD | V_REVISE)))
		return lh_err_set(err, LH_EDATA, "missing \"uid\" (string)");
	if (verb == V_RETIRE)
		return lh_pathway_retire(r->p, m.uid, i, err);
	if (!m.content.p)
		return lh_err_set(err, LH_EDATA, "missing \"content\" (any value)");
	if (verb == V_UPDATE)
		return lh_pathway_update(r->p, m.uid, &m.content, t.ns, i, err);
	t.uid = m.uid;
	t.predecessor = m.predecessor;
	t.content = &m.content;
	t.tags = m.tags.p ? &m.tags : NULL;
	if (verb == V_ADD)
		return lh_pathway_add(r->p, &t, i, err);
	if (verb == V_ADD_IDEMPOTENT)
		return lh_pathway_add_idempotent(r->p, &t, i, err);
	return lh_pathway_revise(r->p, &t, i, err);
}

int change_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err)
{
	struct run *r = run;
	uint32_t i;

	r->changed = true;
	return change(r, rec, &i, err) < 0 ? -1 : lh_pathway_put(r->p, i, out, err);
}

int pathway_change(struct lh_tool *tool, void *settings)
{
	struct run r;
	int rc;

	if (check_now(tool) < 0)
		return -1;
	rc = run_open(&r, tool, settings, tool->operands[0], LH_PATHWAY_WRITE);
	if (!rc)
		rc = run_records(&r, change_record);
	return run_close(&r, rc);
}
