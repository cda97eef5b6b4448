/* part.c - lh-distill run --shard: evidence and scored runs of one shard. */
#include "distill.h"
#include "distill/stages.h"

/* The exports need all records: they are made when the parts are joined. */
enum { COLLECT, SCORE, STAGES };

static int run_stages(struct lh_run *run, struct lh_stage_result *res, struct lh_collect *collect,
		      struct shown *shown, struct lh_err *err)
{
	if (lh_stage_collect(run, &res[COLLECT], collect, err) < 0)
		return lh_err_prefix(err, "%s", lh_stage_name(LH_STAGE_COLLECT));
	run_ended(shown, &res[COLLECT]);
	if (lh_stage_score(run, &res[SCORE], err) < 0)
		return lh_err_prefix(err, "%s", lh_stage_name(LH_STAGE_SCORE));
	run_ended(shown, &res[SCORE]);
	return 0;
}

int part_run(struct lh_tool *tool, const struct settings *s, const struct lh_shard *shard)
{
	struct lh_stage_result res[STAGES] = { { .accepted = 0 } };
	struct lh_collect collect = { 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf json = { 0 };
	struct lh_run_how how;
	struct shown shown;
	struct lh_run *run;
	size_t i;
	int rc;

	how = run_how(tool, s, &shown);
	how.shard = *shard;
	run = lh_run_open(&how, tool->now, &tool->err);
	rc = run ? run_stages(run, res, &collect, &shown, &tool->err) : -1;
	if (!rc)
		rc = lh_part_finish(run, LH_PART_DISTILL, &collect, &json, &tool->err);
	if (!rc)
		rc = run_check_sources(tool, run);
	if (!rc)
		rc = lh_tool_out(tool, json.p, json.len);
	for (i = 0; i < STAGES; i++)
		lh_stage_done(&res[i]);
	lh_run_close(run);
	return rc;
}
