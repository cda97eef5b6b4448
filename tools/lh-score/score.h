/* score.h - what the parts of lh-score share. */
#ifndef LH_SCORE_TOOL_H
#define LH_SCORE_TOOL_H

#include "lh_flow.h"
#include "lh_time.h"

struct settings {
	const char *root, *recorded_at, *run_id;
	bool check_drift;
	char time[LH_TIME_LEN + 1];	/* the run's time in UTC; "": none was given */
};

/* Evidence in, scored runs out. */
int filter_run(struct lh_tool *tool, struct settings *s);

#endif
