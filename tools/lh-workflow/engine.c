/* engine.c - what all runs share: modes, log, and the ids of runs.  See flow.h. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/signal.h"
#include <lh/digest.h>

/* Make an id of a run: of random bytes, or with a fixed clock of the time. */
static int mint(struct engine *e, struct lh_err *err)
{
	unsigned char b[32];
	char now[32];

	lh_tool_time(e->tool, now);
	if (e->tool->now)
		lh_sha256(now, strlen(now), b);
	else if (getrandom(b, 8, 0) != 8)
		return lh_err_sys(err, "no random bytes");
	memcpy(e->base, "run-", 4);
	lh_hex(b, 8, e->base + 4);
	e->base[20] = '\0';
	return 0;
}

static int open_log(struct engine *e, struct lh_err *err)
{
	const struct settings *s = e->s;

	if (s->resume) {
		e->recorded = lh_calloc(1, sizeof *e->recorded, err);
		if (!e->recorded || recorded_open(e->recorded, s->observe, s->resume, err) < 0)
			return -1;
	}
	if (!s->observe)
		return 0;
	e->log = lh_calloc(1, sizeof *e->log, err);
	if (e->log && lh_observe_open(e->log, s->observe, e->tool->lock_timeout, err) < 0) {
		free(e->log);
		e->log = NULL;
	}
	return e->log ? 0 : -1;
}

int engine_open(struct engine *e, struct lh_tool *tool, const struct settings *s, bool requests)
{
	const char *id = s->resume ? s->resume : s->run_id;

	lh_signal_defer(true);	/* the groups of the modes would outlive this process */
	*e = (struct engine){ .tool = tool, .s = s, .jobs = tool->jobs, .modes.loop.fd = -1 };
	if (id)
		snprintf(e->base, sizeof e->base, "%s", id);
	else if (mint(e, &tool->err) < 0)
		return -1;
	if (modes_open(&e->modes, tool, s, requests) < 0)
		return -1;
	return open_log(e, &tool->err);
}

int engine_close(struct engine *e, int rc)
{
	struct lh_err err;

	modes_close(&e->modes);
	run_free(e->run);
	if (e->recorded)
		recorded_close(e->recorded);
	free(e->recorded);
	if (e->log) {
		int closed = lh_observe_sync(e->log, &err);

		if (lh_observe_close(e->log, closed ? &(struct lh_err){ 0 } : &err) < 0)
			closed = -1;
		if (closed && !rc) {
			e->tool->err = err;
			rc = -1;
		}
	}
	free(e->log);
	lh_signal_defer(false);
	return rc;
}
