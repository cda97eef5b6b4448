/*
 * part_parts - the parts of stages.h:
 *
 *     part.c            the folder of a part
 *     part_manifest.c   part.json, written and read
 *     parts.c           all parts of a run, checked
 *     part_rows.c       their rows, merged
 *     stage_join.c      the stages
 */
#ifndef LH_PART_PARTS_H
#define LH_PART_PARTS_H

#include "stages.h"
#include "score.h"

#define LH_PART_NAME 48		/* bytes of "I-of-N" */

/* Open and lock the part of run->how.shard as run->root, and set recorded_at. */
int lh_part_open(struct lh_run *run, struct lh_err *err);

/* Remove everything that is in the part. */
int lh_part_empty(struct lh_run *run, struct lh_err *err);

/* Print "I-of-N"; read it, if that is exactly what lh_part_name prints. */
void lh_part_name(const struct lh_shard *shard, char name[LH_PART_NAME]);
bool lh_part_name_read(const char *name, struct lh_shard *shard);

/* Return "shards/RUN" or "shards/RUN/NAME", relative to the root; the caller frees it. */
char *lh_part_relpath(const char *run_id, const char *name, struct lh_err *err);

/* Call fn for each receipt of a part, as lh_root_each does. */
int lh_part_receipts(const char *run_id, enum lh_part_job job, lh_root_fn *fn, void *ctx,
		     struct lh_err *err);

/* ---- part_manifest.c ---- */

struct lh_part_source {
	int stream;
	bool present;
	struct lh_str sha256;
	uint64_t bytes, records, read, written, skipped, deduped;
};

struct lh_part_file {
	struct lh_str path, sha256;
	uint64_t bytes, records;
};

/* part.json, as read. */
struct lh_part_manifest {
	uint64_t format, i, n;
	int job, dedup;
	struct lh_str run_id, recorded_at, scorer;
	struct lh_part_source *source;
	struct lh_part_file *file;
	size_t sources, files;
	struct lh_buf text, strings;
	struct lh_record rec;
};

void lh_part_manifest_init(struct lh_part_manifest *m);
void lh_part_manifest_free(struct lh_part_manifest *m);

/* Read the part.json of a part: 1, 0 if there is none, -1. */
int lh_part_manifest_read(struct lh_part_manifest *m, const struct lh_root *part,
			  struct lh_err *err);

/* ---- parts.c ---- */

struct lh_part {
	struct lh_root *root;
	struct lh_shard shard;
};

struct lh_parts {
	struct lh_part *part;		/* in order of their shards */
	size_t n, cap;
	enum lh_part_job job;
	struct lh_collect how;		/* dedup, sources, and the sums of all parts ... */
	uint64_t written[LH_STREAMS];	/* ... and of the rows of evidence that they have */
};

/* ---- part_rows.c ---- */

/* What a row of a part is; it decides where its line number and hash are. */
enum lh_part_rows_of { LH_PART_PROVENANCE, LH_PART_SKIPS };

struct lh_part_row {
	const char *p;			/* n bytes, until the next call */
	size_t n;
	const struct lh_record *rec;
	const struct lh_part *part;
	enum lh_stream stream;
	uint64_t line_offset;
	struct lh_str sig;		/* in hex, or "" */
};

struct lh_part_rows;

/* Open the file relpath of all parts; a part need not have it. */
struct lh_part_rows *lh_part_rows_open(const struct lh_parts *parts, const char *relpath,
				       enum lh_part_rows_of of, struct lh_err *err);
void lh_part_rows_close(struct lh_part_rows *r);	/* NULL is allowed */

/* Return the next row, in the order of streams and lines: 1, 0 at the end, -1. */
int lh_part_rows_next(struct lh_part_rows *r, struct lh_part_row *row, struct lh_err *err);

#endif
