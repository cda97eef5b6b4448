/* score.h - what the parts of lh-score share. */
#ifndef LH_SCORE_TOOL_H
#define LH_SCORE_TOOL_H

#include "tool/op.h"
#include "distill/evidence.h"
#include "distill/score.h"
#include "schema/schema_table.h"
#include "distill/stage.h"

struct settings {
	struct lh_run_how how;
	bool check_drift, wire;
	char time[LH_TIME_LEN + 1];	/* the run's time in UTC; "": not given */
};

/* Evidence in, scored runs out. */
int filter_run(struct lh_tool *tool, struct settings *s);

/* Score all evidence of a root. */
lh_op_command root_run;

/* Compare evidence with the scored runs on file, in a root, in the operands, or in
 * each record. */
lh_op_command drift_run, drift_requests_run;
extern const struct lh_bind drift_request[], drift_members[];

#endif
