/* op_parts - what op.c and op_describe.c share.  Private to the room. */
#ifndef LH_OP_PARTS_H
#define LH_OP_PARTS_H

#include "op.h"

/* The operations of requests, and the table of the member that names one. */
struct lh_op_name {
	int op;			/* index of name and of */
};
struct lh_op_names {
	const char *name[LH_OPS_MAX + 1];	/* ends with NULL */
	const struct lh_op *of[LH_OPS_MAX];
	struct lh_bind member[2];
};
void lh_op_names_set(struct lh_op_names *n, const struct lh_op *ops);

/* Append the line of --describe; op_describe.c. */
void lh_op_describe(const struct lh_tool *tool, struct lh_buf *out);

#endif
