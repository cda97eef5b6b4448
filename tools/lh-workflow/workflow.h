/*
 * workflow - a graph of requests to filters: read, checked and put in order.
 *
 *     struct lh_workflow w = { 0 };
 *     struct lh_workflow_modes modes = { .knows = knows };
 *     if (lh_workflow_open(&w, "flow.yaml", &modes, err) < 0)
 *             ... "flow.yaml:7: unknown mode "x" of node "a""
 *     for (i = 0; i < w.n; i++)
 *             lh_workflow_request(&w, w.order[i], &values, &line, err);
 *     lh_workflow_free(&w);
 *
 * A flow is an object {name, description?, nodes: [{id, mode?, prompt?, inputs?, depends_on?,
 * timeout?}]}.  It is checked whole: names and ids, every depends_on, no cycle, every mode.
 *
 * Order: Kahn's; nodes that could both be next are in the order of the file.
 *
 * References.  In prompt and in the texts of inputs, at any depth, these are replaced by
 * values:
 *     $ID, $ID.output         what the node ID answered
 *     $ID.output.a.0.b        a value in it: members by name, elements by number from 0
 *     $input, $input.a        the input of the run, a value in it
 *     $$                      a dollar
 * A text that is one reference becomes the value; elsewhere in a text a string is put in as
 * it is, and any other value as JSON text.  Any other "$" is text.  What is put in is not
 * looked at again.  A node may refer to nodes that it depends on, also indirectly.
 *
 * Owner:   the struct is the caller's, all zero at first; one that was read is freed before it
 *          is read again.  Its texts point into what was read.
 * Errors:  LH_EDATA for a flow; LH_EIO, LH_ENOMEM.
 * Threads: one thread per struct.
 */
#ifndef LH_WORKFLOW_H
#define LH_WORKFLOW_H

#include <lh/json.h>

#include "base/table.h"
#include "yaml.h"

#define LH_WORKFLOW_NODES 10000
#define LH_WORKFLOW_FILE ((size_t)4 << 20)	/* bytes */

struct lh_workflow_node {
	struct lh_str id, mode, prompt;
	struct lh_value prompt_at, inputs, id_at;	/* p is NULL if absent */
	double timeout;				/* seconds; 0: the default */
	const struct lh_str *depends_on;
	size_t n_depends_on;
};

struct lh_workflow_edges {	/* those of node i: to[at[i]] to to[at[i + 1]] */
	size_t *at;
	uint32_t *to;
};

struct lh_workflow {
	struct lh_str name;
	struct lh_workflow_node *node;
	size_t n;
	struct lh_workflow_edges before, after;	/* each node once, in the order of the flow */
	uint32_t *order;

	uint64_t *above;	/* n bits for each node: those that it depends on */
	struct lh_table ids;
	struct lh_yaml yaml;	/* .json: the text of the file */
	struct lh_record rec;
	struct lh_buf text;
};

/* The id of a node by its number, for the table ids. */
static inline struct lh_str lh_workflow_id(const void *w, uint32_t number)
{
	return ((const struct lh_workflow *)w)->node[number].id;
}

struct lh_workflow_modes {
	bool (*knows)(const void *owner, struct lh_str mode);
	const void *owner;
};

/* Read a file, JSON or (.yaml, .yml) YAML.  Errors begin with "file:line: ". */
int lh_workflow_open(struct lh_workflow *w, const char *path, const struct lh_workflow_modes *modes,
		     struct lh_err *err);
/* Read a checked value, which stays the caller's.  On an error about a part of it, err->column
 * is the byte of that part after base, from 1; with base NULL it is the member "flow" of a
 * record, and there is no column. */
int lh_workflow_read(struct lh_workflow *w, const struct lh_value *v, const char *base,
		     const struct lh_workflow_modes *modes, struct lh_err *err);
void lh_workflow_free(struct lh_workflow *w);

/* What references stand for. */
struct lh_workflow_values {
	struct lh_value input;		/* an object */
	const struct lh_value *output;	/* by the number of the node; p is NULL without one */
};

/* Append the request of a node, an object on one line: its inputs, with its prompt.  LH_EDATA
 * for a reference that cannot be replaced, or past the maximum of out. */
int lh_workflow_request(const struct lh_workflow *w, size_t node,
			const struct lh_workflow_values *values, struct lh_buf *out,
			struct lh_err *err);

#endif
