/*
 * flow_parts - what the two halves of the flow share: the side that maps
 * blocks (any thread) and the side that reads, writes and reports (one).
 * Private to liblh.
 */
#ifndef LH_FLOW_PARTS_H
#define LH_FLOW_PARTS_H

#include "flow.h"
#include "file/held_parts.h"
#include "blocks.h"

/* A file's name, shared by the blocks cut from it; only the main thread counts. */
struct lh_flow_name {
	size_t refs;
	size_t operand;		/* its number among the files of the flow, from 1 */
	char text[];
};

struct lh_flow_reject {
	size_t at, n;		/* the line in the block, without its LF */
	uint64_t line;
	size_t column, text;	/* text: offset into texts, NUL at its end */
	enum lh_code code;
	unsigned status;
	bool coded;
};

/* A record's output for a sink, and the record's place. */
struct lh_flow_item {
	size_t end;		/* in out */
	size_t at, n;		/* in the block */
	uint64_t line;
};

struct lh_flow_block {
	struct lh_bytes in;
	struct lh_flow_name *name;
	uint64_t line;		/* of the first byte */
	bool first;		/* starts its file: a BOM is skipped */
	struct lh_buf out;
	struct lh_flow_reject *rejects;
	size_t n_rejects, cap_rejects;
	struct lh_buf texts;
	struct lh_flow_item *items;
	char *results;		/* of the items, result_size bytes each */
	size_t n_items, cap_items, cap_results;
	uint64_t records, lines;	/* met so far */
	bool stop;		/* a record was rejected, with stop_at_reject */
	struct lh_batch_state *batch;	/* while one is answered */
	struct lh_err fatal;	/* .code: the run ends after this block */
	struct lh_holding *held;	/* what its records are answered from, ... */
	struct lh_err lost;	/* ... or .code: why that cannot be had */
	bool done;
};

/* What one thread maps with. */
struct lh_flow_mapper {
	const struct lh_flow *flow;
	void *context;
	struct lh_holding *held;	/* whose state the context uses, or NULL */
	struct lh_record *records;	/* one, or batch_max of them */
	size_t n_records;
	struct lh_record **batch;
	struct lh_batch_state *state;
	struct lh_flow_pool *pool;	/* that this is part of */
	/* Write out what the block has so far; NULL on threads. */
	int (*spill)(void *ctx, struct lh_flow_block *b, struct lh_err *err);
	void *ctx;			/* of spill */
};

int lh_flow_mapper_init(struct lh_flow_mapper *m, const struct lh_flow *flow, struct lh_err *err);
void lh_flow_mapper_free(struct lh_flow_mapper *m);
void lh_flow_map_block(struct lh_flow_mapper *m, struct lh_flow_block *b);
/* End the context, and with it its hold on a state. */
void lh_flow_mapper_rest(struct lh_flow_mapper *m);

/* The block stands for a line over the limit, whose bytes are gone. */
void lh_flow_map_long(struct lh_flow_mapper *m, struct lh_flow_block *b);

/* As the hooks see it; valid as long as the block. */
struct lh_rejection lh_flow_rejection(const struct lh_flow_block *b,
				      const struct lh_flow_reject *r);

void lh_flow_name_drop(struct lh_flow_name *name);
void lh_flow_block_clear(struct lh_flow_block *b);
void lh_flow_block_free(struct lh_flow_block *b);

#endif
