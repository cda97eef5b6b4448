/*
 * flow_parts - the types shared by the two halves of the flow: map.c maps blocks, on any
 * thread; flow.c reads, delivers and reports, on the calling thread.  Private to lib.
 */
#ifndef LH_FLOW_PARTS_H
#define LH_FLOW_PARTS_H

#include <pthread.h>

#include "file/held.h"
#include "flow.h"

/* A file's name, shared by its blocks; refs belongs to the calling thread. */
struct lh_flow_name {
	size_t refs;
	size_t operand;		/* index of the file in flow->files, from 1 */
	char text[];
};

struct lh_flow_reject {
	size_t at, n;		/* the line in the block, without its LF */
	uint64_t line;
	size_t column, text;	/* text: offset of the reason in texts, NUL at its end */
	enum lh_code code;
	unsigned status;
	bool coded;
};

/* The output of a record for the sink, and the place of the record. */
struct lh_flow_item {
	size_t end;		/* of the output, in out; it begins where the last one ends */
	size_t at, n;		/* the line in the block */
	uint64_t line;
};

struct lh_flow_block {
	struct lh_bytes in;
	struct lh_flow_name *name;
	uint64_t line;		/* line number of the first byte */
	bool first;		/* the first of its file: a BOM is skipped */
	bool bare;		/* only blank lines are before it in its file */
	uint64_t opening;	/* with bare, its first line that is not blank; 0: none yet */
	struct lh_buf out;
	struct lh_flow_reject *rejects;
	size_t n_rejects, cap_rejects;
	struct lh_buf texts;
	struct lh_flow_item *items;
	char *results;		/* of the items, result_size bytes each */
	size_t n_items, cap_items, cap_results;
	uint64_t records, lines;	/* read so far */
	bool stop;		/* a record was rejected, with stop_at_reject */
	struct lh_batch_state *batch;	/* the one being answered */
	struct lh_err fatal;	/* if .code is set: the run ends after this block */
	struct lh_holding *held;	/* the state that its records are mapped with, ... */
	struct lh_err lost;	/* ... or, if .code is set, why it cannot be opened */
	bool done;		/* mapped */
};

/* The context, records and batch of one thread. */
struct lh_flow_mapper {
	const struct lh_flow *flow;
	void *context;
	struct lh_holding *held;	/* whose state the context uses, or NULL */
	struct lh_record *records;	/* one, or batch_max of them */
	size_t n_records;
	struct lh_record **batch;
	struct lh_batch_state *state;
	struct lh_flow_pool *pool;	/* the pool it is part of */
	/* Deliver the output of the block so far; NULL on threads. */
	int (*spill)(void *ctx, struct lh_flow_block *b, struct lh_err *err);
	void *ctx;			/* for spill */
};

int lh_flow_mapper_init(struct lh_flow_mapper *m, const struct lh_flow *flow, struct lh_err *err);
void lh_flow_mapper_free(struct lh_flow_mapper *m);
void lh_flow_map_block(struct lh_flow_mapper *m, struct lh_flow_block *b);
/* Free the context and release its state. */
void lh_flow_mapper_rest(struct lh_flow_mapper *m);

/* Reject the line over the limit that the block stands for; its bytes were not kept. */
void lh_flow_map_long(struct lh_flow_mapper *m, struct lh_flow_block *b);

/* Return a rejection as the hooks get it; valid as long as the block. */
struct lh_rejection lh_flow_rejection(const struct lh_flow_block *b,
				      const struct lh_flow_reject *r);

void lh_flow_name_drop(struct lh_flow_name *name);
void lh_flow_block_clear(struct lh_flow_block *b);
void lh_flow_block_free(struct lh_flow_block *b);

/* ---- threads ---- */

/*
 * The calling thread submits blocks and gets them back in the same order.  Threads are
 * started one by one as blocks are submitted, up to flow->jobs.  A block is in flight from
 * its submission until it is given back.  While none is in flight, the calling thread may
 * map a block itself with the first mapper, so that short inputs and co-processes start no
 * thread.
 *
 * Private to lib.
 */

struct lh_flow_pool {
	const struct lh_flow *flow;
	struct lh_flow_mapper *mappers;
	pthread_t *threads;
	size_t jobs, n_mappers, n_threads;
	struct lh_flow_block *ring;
	/* Block numbers, never reset; block n is ring[n % slots].  In flight: head to tail;
	 * taken by a thread: head to taken. */
	size_t slots, head, taken, tail;
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	bool quit;		/* under the mutex, and atomically: threads look without it */
};

static inline size_t lh_flow_pool_in_flight(const struct lh_flow_pool *p)
{
	return p->tail - p->head;
}

#endif
