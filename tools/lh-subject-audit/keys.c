/* keys.c - reread changed keys between the records of a run. */
#include "audit.h"

struct keys {
	struct lh_tool *tool;
	struct settings *s;
};

/* The state that lh_held reopens is the keys: one state, as there is one thread and nothing
 * made with them is kept between blocks. */
static void *keys_open(void *ctx, const void *before, struct lh_err *err)
{
	struct keys *k = ctx;

	return before && lh_chain_keys_renew(&k->s->keys, err) < 0 ? NULL : k;
}

static void keys_failed(void *ctx, const struct lh_err *why)
{
	lh_tool_warn(((struct keys *)ctx)->tool, "%s", why->msg);
}

static bool keys_stale(void *ctx, const void *state)
{
	(void)state;
	return lh_chain_keys_stale(&((struct keys *)ctx)->s->keys);
}

static void keys_close(void *state)
{
	(void)state;
}

static int go_on(void *context, void *state, struct lh_err *err)
{
	(void)context;
	(void)state;
	(void)err;
	return 0;
}

int run_with_keys(struct lh_tool *tool, void *settings, struct lh_flow *flow)
{
	struct keys keys = { tool, settings };
	struct lh_held_how how = {
		.open = keys_open, .stale = keys_stale, .close = keys_close, .ctx = &keys,
		/* error records of requests do not name the file of a key */
		.failed = tool->verb->bit == V_REQUESTS ? keys_failed : NULL,
	};
	int rc;

	tool->jobs = 1;
	flow->renew = go_on;
	flow->held = lh_held_open(&how, &tool->err);
	rc = !flow->held ? -1 : flow->map ? lh_records_run(tool, flow)
					: lh_op_flow(tool, settings, flow);
	lh_held_close(flow->held);
	return rc;
}
