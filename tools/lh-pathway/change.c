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
