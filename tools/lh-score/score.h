/* score.h - what the parts of lh-score share. */
#ifndef LH_SCORE_TOOL_H
#define LH_SCORE_TOOL_H

#include "tool/records.h"
#include "distill/stage.h"

struct settings {
	struct lh_run_how how;
	bool check_drift;
	char time[LH_TIME_LEN + 1];	/* the run's time in UTC; "": none was given */
};

/* Evidence in, scored runs out. */
int filter_run(struct lh_tool *tool, struct settings *s);

/* All evidence of a root to its scored runs. */
int root_run(struct lh_tool *tool, struct settings *s);

/* Evidence against what stands on file, in a root or in the operands. */
int drift_run(struct lh_tool *tool, const struct settings *s);

#endif
