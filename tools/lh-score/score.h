/* score.h - what the parts of lh-score share. */
#ifndef LH_SCORE_TOOL_H
#define LH_SCORE_TOOL_H

#include "tool/records.h"
#include "distill/stage.h"

struct settings {
	struct lh_run_how how;
	bool check_drift, wire;
	char time[LH_TIME_LEN + 1];	/* the run's time in UTC; "": not given */
};

/* Evidence in, scored runs out. */
int filter_run(struct lh_tool *tool, struct settings *s);

/* Score all evidence of a root. */
int root_run(struct lh_tool *tool, struct settings *s);

/* Compare evidence with the scored runs on file, in a root, in the operands, or in
 * each record. */
int drift_run(struct lh_tool *tool, const struct settings *s);

#endif
