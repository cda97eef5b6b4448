/* playbook.h - shared by the commands of lh-playbook. */
#ifndef PLAYBOOK_H
#define PLAYBOOK_H

#include "index/index.h"
#include "memory/playbook.h"
#include "embed/embedder.h"
#include "observe/observe.h"
#include "tool/op.h"

enum { V_RECORD = 1, V_LIST = 2, V_REMOVE = 4, V_EXPORT = 8, V_REQUESTS = 16 };

struct settings {
	int engine;			/* enum lh_engine, -1: not given */
	const char *model, *url, *prefix, *indexes, *judge;
	double least;			/* rating of an answer; NAN: not given */
	struct lh_list id;
	struct lh_decisions_how decisions;
	struct requests *requests;
};
extern const struct lh_op playbook_ops[];
extern const struct lh_bind remove_members[];

/* One function per command; the operands are tool->operands. */
int playbook_record(struct lh_tool *tool, void *settings);
int playbook_remove(struct lh_tool *tool, void *settings);
int playbook_list(struct lh_tool *tool, void *settings);
int playbook_export(struct lh_tool *tool, void *settings);

/* Run the input files after PLAYBOOK through a flow. */
int playbook_flow(struct lh_tool *tool, struct lh_flow *flow);

#endif
