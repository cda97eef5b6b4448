/*
 * shard_plan - the plan of a sharded index: which files hold its records, and how they were
 * divided.
 *
 *     struct lh_shard_plan plan;
 *
 *     if (lh_shard_plan_read(&plan, "workers.json", &err) == 0)
 *             for (i = 0; i < plan.n; i++) {
 *                     path = lh_shard_plan_path("workers.json", &plan, i, &err);
 *                     ix = lh_index_open(path, &err);
 *                     lh_shard_plan_check(&plan, i, ix, &err);
 *             }
 *     lh_shard_plan_free(&plan);
 *
 * A plan is one JSON object:
 *
 *     {"format":1,"by":"hash","dimension":768,"model":"m","shards":[
 *      {"file":"workers.0-of-2.a.lhv","length":40960,"checksum":"00d1…"},…]}
 *
 * Files are relative to the folder of the plan.  by "hash": a record is in the shard that
 * base/shard.h computes from its id.  by "centroid": it is in the shard with the nearest
 * centroid by the distance of the index; a shard without a centroid has no record.  length
 * and checksum (the 16 hex digits of lh_index_checksum) are those of the index file as it was
 * written, without a log.
 *
 * Trust:   a plan may have been edited by hand.  A file name that leads out of the folder of
 *          the plan (absolute, "..") is refused, and so is a file that is named twice.
 * Owner:   the caller owns the plan; its strings and centroids are valid until it is freed.
 *          Free it after a failure too.
 * Errors:  0, or -1 with *err: LH_EIO if the file cannot be read, LH_EDATA for what is wrong in
 *          it.  Messages of lh_shard_plan_read begin with the path.
 */
#ifndef LH_SHARD_PLAN_H
#define LH_SHARD_PLAN_H

#include <lh/index.h>
#include "json/write.h"

enum lh_shard_by { LH_SHARD_BY_HASH, LH_SHARD_BY_CENTROID };

struct lh_plan_shard {
	char *file;
	uint64_t length, checksum;
	float *centroid;		/* dimension values; NULL: none */
};

struct lh_shard_plan {
	enum lh_shard_by by;
	uint32_t dimension;
	char model[256];		/* "": JSON null */
	struct lh_plan_shard *shard;
	size_t n;			/* 1 to LH_SHARDS_MAX */
};

int lh_shard_plan_read(struct lh_shard_plan *p, const char *path, struct lh_err *err);
/* Read a plan from text that is followed by LH_PAD bytes. */
int lh_shard_plan_parse(struct lh_shard_plan *p, const char *text, size_t n, struct lh_err *err);
void lh_shard_plan_free(struct lh_shard_plan *p);
/* Append the plan as a line. */
void lh_shard_plan_write(struct lh_buf *out, const struct lh_shard_plan *p);

/* Return by which a vector's nearest centroid is found: less is nearer, and of equally near ones
 * the first counts.  The same on every machine. */
double lh_shard_plan_distance(enum lh_distance distance, const float *a, const float *b, size_t n);

/* Return the path of shard i of the plan at path, to be freed. */
char *lh_shard_plan_path(const char *path, const struct lh_shard_plan *p, size_t i,
			 struct lh_err *err);
/* Check that an open index is shard i: its dimension, model, length and checksum, that no
 * change was logged since, and that its first records belong there, or, by centroid, that it
 * has none without a centroid.  LH_EDATA, without the name of the file. */
int lh_shard_plan_check(const struct lh_shard_plan *p, size_t i, const struct lh_index *ix,
			struct lh_err *err);
/* Return whether path has the name of a plan, which ends in ".json", and is JSON text. */
bool lh_shard_plan_is(const char *path);
/* Return the name of a plan: its file name without folder and ".json".  It points into path. */
struct lh_str lh_shard_plan_name(const char *path);

#endif
