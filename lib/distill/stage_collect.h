/*
 * stage_collect - collect the sources of a root as evidence.
 *
 * Source by source, in the order of enum lh_stream: the sig_hashes on file are read
 * first, then the source's rows are converted on all threads and appended in order
 * to the evidence of the run's day.  A source's evidence is committed when all of
 * it was read, the skips when every source was; a run that died in between is
 * completed by the next, which finds the rows on file.
 *
 * Memory: as in base/hashset.h for each row on file of one source and for each skip
 *         on file, and the blocks in progress.
 */
#ifndef LH_STAGE_COLLECT_H
#define LH_STAGE_COLLECT_H

#include "evidence.h"
#include "receipt.h"

enum lh_dedup {
	LH_DEDUP_ALL,		/* a row is known if its evidence is on file, of any day */
	LH_DEDUP_DAY,		/* ... of the run's day */
};

/* The counts of one source; read is the sum of the others.  In a divided run they are of
 * the rows of the shard. */
struct lh_collected {
	bool present;
	uint64_t read, written, skipped, deduped;
	struct lh_file_digest digest;	/* of the source as it was read; its records are the rows
					   of all shards */
};

struct lh_collect {
	int dedup;
	unsigned sources;	/* set of the streams to read; 0: all */
	uint64_t max_line;	/* a longer line is a skip; 0: the default of --max-line */
	/* Called for each skipped row, with its reasons as a JSON array; or NULL. */
	void (*skipped)(void *ctx, enum lh_stream stream, uint64_t line, const char *reasons,
			size_t n);
	void *ctx;

	/* set by the stage: */
	struct lh_collected of[LH_STREAMS], all;
	char output[64];	/* the folder of the run's evidence, relative to the root */
};

/* Append the counts of the sources that were read, a line of JSON each. */
void lh_collect_print(const struct lh_run *run, const struct lh_collect *c, struct lh_buf *out);

#endif
