/* iterate.h - the parts of lh-iterate. */
#ifndef ITERATE_H
#define ITERATE_H

#include "lh_flow.h"

struct iterate {
	struct lh_tool *tool;
	bool emit_session;	/* options, from here on */
	const char *daemon;
};

/* --emit-session: rows of the session log from what they are made of. */
int emit_run(struct iterate *it);

#endif
