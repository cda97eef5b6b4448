/* filter.c - evidence in, a scored run out for each record. */
#include "score.h"

#include "distill/score.h"

struct worker {
	struct lh_scorer *scorer;
	const char *scored_at;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_scorer_free(w->scorer);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	const struct settings *s = ctx;
	struct worker *w = context;

	(void)err;
	w->scored_at = s->time[0] ? s->time : NULL;
	w->scorer = lh_scorer_new();
	return 0;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *arg, struct lh_err *err)
{
	struct worker *w = arg;

	if (lh_score_check(w->scorer, rec, err) < 0)
		return -1;
	return lh_score_one(w->scorer, rec, w->scored_at, NULL, out, err);
}

int filter_run(struct lh_tool *tool, struct settings *s)
{
	return lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .shared = s,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free });
}
