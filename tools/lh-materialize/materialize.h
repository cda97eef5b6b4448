/* materialize.h - what the two modes of lh-materialize share. */
#ifndef MATERIALIZE_H
#define MATERIALIZE_H

#include "tool/op.h"
#include "distill/evidence.h"
#include "distill/stages.h"
#include "schema/schema_table.h"

struct settings {
	struct lh_run_how run;
	const char *source, *sources;
	bool dry_run;
	int dedup;		/* enum lh_dedup; -1: not given */
};

/* Report an unknown name, with those that --source and --sources accept. */
int unknown_source(struct lh_tool *tool, const char *option, const char *given, size_t n);

lh_op_command filter_run, root_run;

#endif
