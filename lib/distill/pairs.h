/*
 * pairs - pair the records of each task: accepted against rejected.
 *
 * Per task, in byte order of tasks: the accepted records against the rejected or,
 * if there are none, against the partially accepted; the first with the first, the
 * second with the second, in the order in which they were added, until one side has
 * no more.
 *
 * Only the place of a record is kept, and each task id once.
 *
 *     p = lh_pairs_new(err);
 *     ... lh_pairs_add(p, &task_id, LH_ACCEPTED, &place, err) ...
 *     rc = lh_pairs_each(p, on_pair, ctx, err);
 *     lh_pairs_free(p);
 *
 * Memory:  40 bytes per record, 4 more while they are paired; each task id, and 40
 *          bytes for it.
 * Threads: one thread per struct.
 */
#ifndef LH_PAIRS_H
#define LH_PAIRS_H

#include <lh/json.h>
#include "score.h"

/* Where the two lines of a record are; file and reason have the meaning that the
 * caller gives them. */
struct lh_place {
	uint64_t evidence, scored;	/* offsets */
	uint32_t evidence_n, scored_n;
	uint32_t file;
	uint16_t reason;
	uint8_t category;		/* set by lh_pairs_add */
};

struct lh_pairs;
struct lh_pairs *lh_pairs_new(struct lh_err *err);
void lh_pairs_free(struct lh_pairs *p);

/* Add a record.  One of LH_NEEDS_HUMAN_REVIEW is on no side. */
int lh_pairs_add(struct lh_pairs *p, const struct lh_str *task_id, enum lh_category c,
		 const struct lh_place *at, struct lh_err *err);

/* Call fn for each pair, once, after all records are added.  A result other than 0
 * ends it and is returned. */
typedef int lh_pairs_fn(void *ctx, const struct lh_place *chosen, const struct lh_place *rejected,
			struct lh_err *err);
int lh_pairs_each(struct lh_pairs *p, lh_pairs_fn *fn, void *ctx, struct lh_err *err);

/* ---- the lines of a pair, read again ---- */

struct lh_pair {
	struct lh_buf text[4];
	struct lh_record rec[4];	/* chosen: evidence, scored run; rejected: the same */
	struct lh_buf source;
};
void lh_pair_init(struct lh_pair *p);
void lh_pair_free(struct lh_pair *p);

/* Read one of the two lines of a record from its file; side 0 is the chosen. */
int lh_pair_read_evidence(struct lh_pair *p, int side, const struct lh_place *at, int fd,
			  struct lh_err *err);
int lh_pair_read_scored(struct lh_pair *p, int side, const struct lh_place *at, int fd,
			struct lh_err *err);

/* Return {"chosen":<scored run>,"rejected":<scored run>} of what was read, valid
 * until the next call. */
int lh_pair_source(struct lh_pair *p, struct lh_str *out, struct lh_err *err);

#endif
