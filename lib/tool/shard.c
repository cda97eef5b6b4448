/* shard.c - the option --shard, and its default in a job array of Slurm.  See tool.h. */
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The part that a task of a job array of Slurm has.  The numbers of the tasks are those of
 * the shards only in an array of 0 to N-1 of which all tasks were sent together: of one
 * sent again, SLURM_ARRAY_TASK_COUNT is 1.
 */
static int of_slurm(struct lh_tool *t, struct lh_shard *shard)
{
	static const char *const names[] = { "ID", "MIN", "MAX", "COUNT" };
	uint64_t value[4];
	size_t i;

	for (i = 0; i < 4; i++) {
		char name[32];
		const char *text;
		char *end;

		snprintf(name, sizeof name, "SLURM_ARRAY_TASK_%s", names[i]);
		text = getenv(name);
		if (!text && i == 0)
			return 0;
		value[i] = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) :
								  UINT64_MAX;
		if (value[i] > LH_SHARDS_MAX || *end)
			return lh_tool_usage(t, "%s is %s%.100s, so that the shard is not known: "
					     "give --shard I/N",
					     name, text ? "" : "not set", text ? text : "");
	}
	if (value[1] != 0 || value[3] != value[2] + 1 || value[0] >= value[3])
		return lh_tool_usage(t, "SLURM_ARRAY_TASK_ID is %" PRIu64 " of an array of %" PRIu64
				     " tasks from %" PRIu64 " to %" PRIu64
				     ", so that the shard is not known: give --shard I/N",
				     value[0], value[3], value[1], value[2]);
	*shard = (struct lh_shard){ value[0], value[3] };
	lh_tool_message(t, "shard %" PRIu64 "/%" PRIu64 ", as SLURM_ARRAY_TASK_ID says", value[0],
			value[3]);
	return 0;
}

int lh_tool_shard(struct lh_tool *t, struct lh_shard *shard)
{
	*shard = (struct lh_shard){ 0 };
	if (!t->shard)
		return of_slurm(t, shard);
	if (lh_shard_read(t->shard, shard) < 0)
		return lh_tool_usage(t, "--shard %.100s: it is I/N, with I from 0 to N-1 and N up "
				     "to %d", t->shard, LH_SHARDS_MAX);
	return 0;
}
