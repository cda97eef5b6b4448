/* part.c - the folder of one part of a divided run.  See stages.h. */
#include "part_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "file/file.h"
#include "base/mem.h"

void lh_part_name(const struct lh_shard *shard, char name[LH_PART_NAME])
{
	snprintf(name, LH_PART_NAME, "%" PRIu64 "-of-%" PRIu64, shard->i, shard->n);
}

bool lh_part_name_read(const char *name, struct lh_shard *shard)
{
	unsigned long long i, n;
	char same[LH_PART_NAME];

	if (sscanf(name, "%19llu-of-%19llu", &i, &n) != 2 || i >= n || n > LH_SHARDS_MAX)
		return false;
	*shard = (struct lh_shard){ i, n };
	lh_part_name(shard, same);
	return !strcmp(name, same);
}

char *lh_part_relpath(const char *run_id, const char *name, struct lh_err *err)
{
	size_t n = sizeof LH_PART_SHARDS + strlen(run_id) + (name ? strlen(name) : 0) + 3;
	char *path = lh_calloc(n, 1, err);

	if (path)
		snprintf(path, n, LH_PART_SHARDS "/%s%s%s", run_id, name ? "/" : "",
			 name ? name : "");
	return path;
}

int lh_part_receipts(const char *run_id, enum lh_part_job job, lh_root_fn *fn, void *ctx,
		     struct lh_err *err)
{
	enum lh_stage s, last = job == LH_PART_DISTILL ? LH_STAGE_SCORE : LH_STAGE_COLLECT;
	char relpath[sizeof LH_ROOT_REPORTS + 256];
	int rc = 0;

	for (s = LH_STAGE_COLLECT; !rc && s <= last; s++) {
		snprintf(relpath, sizeof relpath, LH_ROOT_REPORTS "/%s/%s.json", run_id,
			 lh_stage_name(s));
		rc = fn(ctx, relpath, err);
	}
	return rc;
}

/* ---- the time ---- */

/* Offer a time to the run: the first process to do so decides. */
static int offer_time(const char *path, const char *time, struct lh_err *err)
{
	struct lh_atomic out;
	int rc = lh_atomic_open(&out, path, 0666, err);

	if (rc < 0)
		return -1;
	rc = lh_atomic_write(&out, time, LH_TIME_LEN, err);
	if (!rc)
		rc = lh_atomic_commit_new(&out, err);
	lh_atomic_close(&out);
	return rc < 0 ? -1 : 0;
}

static int read_time(const char *path, char *time, struct lh_err *err)
{
	struct lh_buf text = { .max = 1 << 20 };	/* the reader asks for room by blocks */
	int64_t ms;
	int rc = lh_file_read(path, &text, err);

	if (rc > 0 && lh_time_read(text.p, text.len, &ms) < 0)
		rc = lh_err_set(err, LH_ECORRUPT, "%s: is not a time", path);
	if (rc > 0)
		lh_time_print(ms, time);
	lh_buf_free(&text);
	return rc;
}

/* Set the time of the records, which all parts of a run have in common. */
static int set_time(struct lh_run *run, struct lh_err *err)
{
	char *relpath, *path = NULL;
	int rc = -1;

	if (run->how.recorded_at || run->fixed)
		return 0;
	relpath = lh_part_relpath(run->how.run_id, "recorded_at", err);
	if (relpath && lh_root_folders(run->sources, relpath, err) == 0)
		path = lh_root_join(run->sources, relpath, err);
	if (path)
		rc = read_time(path, run->recorded_at, err);
	if (path && !rc)
		rc = offer_time(path, run->recorded_at, err) < 0 ? -1
			: read_time(path, run->recorded_at, err);
	free(relpath);
	free(path);
	return rc < 0 ? -1 : 0;
}

/* ---- the folder ---- */

int lh_part_open(struct lh_run *run, struct lh_err *err)
{
	char name[LH_PART_NAME], file[LH_PART_NAME + 16], *relpath, *path = NULL;
	struct lh_root *part = NULL;

	if (!run->how.run_id)
		return lh_err_set(err, LH_EUSAGE, "--shard needs --run-id: the parts of a run are "
				  "joined by it");
	lh_part_name(&run->how.shard, name);
	snprintf(file, sizeof file, "%s/" LH_PART_FILE, name);
	relpath = lh_part_relpath(run->how.run_id, file, err);
	if (relpath && lh_root_folders(run->sources, relpath, err) == 0) {
		*strrchr(relpath, '/') = '\0';
		path = lh_root_join(run->sources, relpath, err);
	}
	if (path)
		part = lh_root_open(path, err);
	free(relpath);
	free(path);
	if (!part)
		return -1;
	run->root = part;
	return set_time(run, err);
}

static int remove_in(const struct lh_root *part, const char *name, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(part, name, err);
	int rc = path ? 0 : -1;

	if (path && lh_remove_all(path) < 0 && errno != ENOENT)
		rc = lh_err_sys(err, "%s: cannot remove", path);
	return rc ? rc : lh_sync_folder(path, err);
}

int lh_part_empty(struct lh_run *run, struct lh_err *err)
{
	/* first that by which it is complete */
	static const char *const names[] = { LH_PART_FILE, "data", "exports", "reports" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (remove_in(run->root, names[i], err) < 0)
			return -1;
	lh_sweep_below(lh_root_path(run->root));
	return 0;
}
