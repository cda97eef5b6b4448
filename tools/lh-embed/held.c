/* held.c - reopen the file that an engine reads when it has changed. */
#include "embed.h"

#include <stdlib.h>

#include "base/mem.h"

static void close_one(void *state)
{
	struct held *h = state;

	gguf_free(h->e.gguf);
	lh_secret_wipe(&h->e.key);
	lh_index_spaces_free(h->spaces);
	free(h);
}

/* The first open takes what the engine's check has read. */
static void *open_one(void *ctx, const void *before, struct lh_err *err)
{
	struct hold *hold = ctx;
	struct embed *run = hold->run;
	struct held *h = lh_calloc(1, sizeof *h);

	h->hold = hold;
	h->e = *run;
	run->gguf = NULL;
	run->key = (struct lh_secret){ .p = NULL };
	if (run->indexes) {
		if (indexes_choose(h, before, err) == 0)
			return h;
		close_one(h);
		return NULL;
	}
	if (!before)
		return h;
	h->e.model = hold->model;
	h->e.dimension = hold->dimension;
	if (h->e.engine->check(&h->e) == 0)
		return h;
	*err = run->tool->err;
	close_one(h);
	return NULL;
}

static bool is_stale(void *ctx, const void *state)
{
	const struct held *h = state;
	const struct embed *e = &h->e;

	(void)ctx;
	if (h->spaces && lh_index_spaces_stale(h->spaces))
		return true;
	return (e->file && !lh_stamp_fits(&e->stamp, e->file)) || (e->gguf && gguf_stale(e->gguf));
}

static void report_failed(void *ctx, const struct lh_err *why)
{
	lh_tool_warn(((struct hold *)ctx)->run->tool, "%s", why->msg);
}

struct lh_held *hold_open(struct hold *hold, struct lh_err *err)
{
	struct lh_held_how how = {
		.open = open_one, .stale = is_stale, .close = close_one,
		.failed = hold->run->wire >= 0 ? report_failed : NULL, .ctx = hold
	};
	struct embed *run = hold->run;

	hold->model = run->operand ? run->operand : run->model;
	hold->dimension = run->operand ? 0 : run->dimension;
	return lh_held_open(&how, err);
}
