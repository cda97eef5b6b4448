/*
 * shard.c - lh-index shard: build an index of several files, and the plan that names them.
 *
 * The files of the next plan have names that the present plan does not use.  So the plan and
 * its files stay usable until the next plan is renamed into place; what is not named by the
 * plan then is removed.  The lock of the plan, which the writer of the records holds, admits
 * one run at a time.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "centroids.h"
#include "index.h"

#include "base/utf8.h"
#include "base/mem.h"
#include "base/xxh3.h"
#include "base/signal.h"
#include "file/file.h"
#include "index/index_tools.h"

#define TMP ".lh-tmp-"
#define LOCK "-lock"

struct sharding {
	struct lh_tool *tool;
	const struct settings *settings;
	const char *path;		/* of the plan */
	const struct lh_index_writer *w;	/* has all rows */
	struct lh_index_params params;	/* of the shards */
	struct lh_shard_plan plan, standing;
	float *centroid;
	size_t n_centroids;
	uint32_t *row;			/* rows by shard, in the order of the puts, ... */
	uint64_t *first;		/* ... and where those of each shard begin */
};

/* ---- names ---- */

/* Return the length of digits at p, or 0. */
static size_t digits(const char *p)
{
	size_t n = 0;

	while (p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

/* Return how much of name is that of a file of this plan, "NAME.I-of-N.L.lhv", or 0. */
static size_t own_name(const struct sharding *s, const char *name, char *letter)
{
	struct lh_str base = lh_shard_plan_name(s->path);
	const char *p = name + base.n;
	size_t n;

	if (strncmp(name, base.p, base.n) != 0 || *p++ != '.' || !(n = digits(p)))
		return 0;
	p += n;
	if (strncmp(p, "-of-", 4) != 0 || !(n = digits(p + 4)))
		return 0;
	p += 4 + n;
	if (p[0] != '.' || p[1] < 'a' || p[1] > 'z' || strncmp(p + 2, ".lhv", 4) != 0)
		return 0;
	*letter = p[1];
	return (size_t)(p + 6 - name);
}

/* Return a letter that no file of the present plan has in its name. */
static char free_letter(const struct sharding *s)
{
	char letter = 'a', used;
	uint32_t all = 0;
	size_t i;

	for (i = 0; i < s->standing.n; i++)
		if (own_name(s, s->standing.shard[i].file, &used))
			all |= 1u << (used - 'a');
	while (letter < 'z' && all >> (letter - 'a') & 1)
		letter++;
	return letter;
}

static char *file_name(const struct sharding *s, size_t i, size_t n, char letter,
		       struct lh_err *err)
{
	struct lh_str base = lh_shard_plan_name(s->path);
	struct lh_buf name = { 0 };

	(void)err;
	lh_buf_add(&name, base.p, base.n);
	lh_buf_printf(&name, ".%zu-of-%zu.%c.lhv", i, n, letter);
	lh_buf_putc(&name, '\0');
	return name.p;
	lh_buf_free(&name);
	return NULL;
}

/* ---- files that no plan names ---- */

static bool is_named(const struct lh_shard_plan *plan, const char *file, size_t n)
{
	size_t i;

	for (i = 0; i < plan->n; i++)
		if (strlen(plan->shard[i].file) == n && memcmp(plan->shard[i].file, file, n) == 0)
			return true;
	return false;
}

enum litter {
	NO_LITTER,
	WHOLE_FILE,
	TEMPORARY, STALE_LOCK		/* of a killed run */
};

/* Remove a file with its log, or what a killed run left of it. */
static void remove_file(const struct sharding *s, const char *file, enum litter what)
{
	struct lh_plan_shard one = { .file = (char *)file };
	struct lh_shard_plan plan = { .shard = &one, .n = 1 };
	struct lh_err err;
	LH_SCOPED(lh_free_local) char *path = lh_shard_plan_path(s->path, &plan, 0);
	int rc = 0;

	if (what == TEMPORARY)
		lh_atomic_sweep(path);
	else if (what == STALE_LOCK)
		lh_index_sweep_lock(path);
	else
		rc = lh_index_remove(path, s->settings->lock_timeout, &err);
	if (rc < 0)
		lh_tool_warn(s->tool, "%s", err.msg);
}

/* Return what is to be removed, of which n bytes are the name of the shard's file. */
static enum litter litter_of(const struct lh_shard_plan *keep, const char *name, size_t n)
{
	if (name[0] == '.')
		return strncmp(name + 1 + n, TMP, strlen(TMP)) == 0 ? TEMPORARY : NO_LITTER;
	if (strcmp(name + n, LOCK) == 0)
		return STALE_LOCK;
	return name[n] || is_named(keep, name, n) ? NO_LITTER : WHOLE_FILE;
}

/* Remove the files with names of this plan's that keep does not name. */
static void sweep(const struct sharding *s, const struct lh_shard_plan *keep)
{
	const char *slash = strrchr(s->path, '/');
	LH_SCOPED(lh_buf_free) struct lh_buf folder = { 0 };
	struct dirent *e;
	DIR *d = NULL;

	lh_buf_add(&folder, slash ? s->path : "./", slash ? (size_t)(slash + 1 - s->path) : 2);
	lh_buf_putc(&folder, '\0');
	d = opendir(folder.p);
	while (d && (e = readdir(d))) {
		bool hidden = e->d_name[0] == '.';
		char file[NAME_MAX + 1], letter;
		size_t n = own_name(s, e->d_name + hidden, &letter);
		enum litter what = n ? litter_of(keep, e->d_name, n) : NO_LITTER;

		if (what == NO_LITTER)
			continue;
		memcpy(file, e->d_name + hidden, n);
		file[n] = '\0';
		remove_file(s, file, what);
	}
	if (d)
		closedir(d);
}

/* ---- which shard a row is in ---- */

static int divide_rows(struct sharding *s, struct lh_err *err)
{
	uint64_t row, rows = lh_index_writer_count(s->w);
	size_t n = s->plan.n, i;
	LH_SCOPED(lh_free_local) uint32_t *in = lh_calloc(rows + 1, sizeof *in);
	struct lh_row r;

	(void)err;
	s->row = lh_calloc(rows + 1, sizeof *s->row);
	s->first = lh_calloc(n + 2, sizeof *s->first);
	for (row = 0; s->first && row < rows && !lh_stopping(); row++) {
		const float *vector = lh_index_writer_row(s->w, row, &r);

		in[row] = (uint32_t)(s->centroid ?
			centroids_nearest(s->centroid, s->n_centroids, &s->params, vector) :
			lh_shard_of(r.id.p, r.id.n, n));
		s->first[in[row] + 2]++;
	}
	for (i = 0; s->first && i < n; i++)
		s->first[i + 2] += s->first[i + 1];
	for (row = 0; s->first && row < rows; row++)
		s->row[s->first[in[row] + 1]++] = (uint32_t)row;
	return s->first ? 0 : -1;
}

static int make_centroids(struct sharding *s, struct lh_err *err)
{
	size_t i, bytes = s->params.dimension * sizeof *s->centroid;

	lh_tool_doing(s->tool, "centroids");
	s->centroid = centroids_make(s->w, &s->params, s->plan.n, s->settings->seed,
				     &s->n_centroids, err);
	for (i = 0; s->centroid && i < s->n_centroids; i++) {
		struct lh_plan_shard *shard = &s->plan.shard[i];

		shard->centroid = lh_calloc(1, bytes);
		memcpy(shard->centroid, s->centroid + i * s->params.dimension, bytes);
	}
	return s->centroid ? 0 : -1;
}

/* ---- the files ---- */

static int put_rows(struct sharding *s, size_t i, struct lh_index_writer *w, struct lh_err *err)
{
	uint64_t at;
	struct lh_row r;

	for (at = s->first[i]; at < s->first[i + 1]; at++) {
		const float *vector = lh_index_writer_row(s->w, s->row[at], &r);

		if (lh_index_put(w, r.id.p, r.id.n, vector, s->params.dimension, r.meta.p,
				 r.meta.n, err) < 0)
			return -1;
	}
	return 0;
}

/* Take the length and checksum of a file that was written. */
static int take_identity(struct sharding *s, size_t i, const char *path, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st;

	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	s->plan.shard[i].length = st.file_bytes;
	s->plan.shard[i].checksum = lh_index_checksum(ix);
	lh_index_close(ix);
	return 0;
}

static int write_shard(struct sharding *s, size_t i, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_shard_plan_path(s->path, &s->plan, i);
	struct lh_index_writer *w = NULL;
	int rc = -1;

	w = lh_index_writer_new(path, &s->params, s->settings->lock_timeout, err);
	if (w) {
		lh_index_writer_watch(w, show_stage, s->tool);
		rc = put_rows(s, i, w, err);
	}
	if (rc == 0)
		rc = lh_index_commit(w, (unsigned)s->tool->jobs, err);
	lh_index_writer_free(w);
	return rc ? rc : take_identity(s, i, path, err);
}

static int write_plan(const struct sharding *s, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	lh_shard_plan_write(&text, &s->plan);
	return lh_atomic_put(s->path, 0666, &text, err);
}

/* ---- all of it ---- */

static int name_shards(struct sharding *s, struct lh_err *err)
{
	size_t i, n = s->settings->shards;
	char letter = free_letter(s);

	s->plan.by = s->settings->by;
	s->plan.dimension = s->params.dimension;
	memcpy(s->plan.model, s->params.model, sizeof s->plan.model);
	s->plan.shard = lh_calloc(n, sizeof *s->plan.shard);
	s->plan.n = n;
	for (i = 0; i < n; i++) {
		s->plan.shard[i].file = file_name(s, i, n, letter, err);
		if (!s->plan.shard[i].file)
			return -1;
		if (is_named(&s->standing, s->plan.shard[i].file, strlen(s->plan.shard[i].file)))
			return lh_err_set(err, LH_EUSAGE, "%s: no name is free next to its files",
					  s->path);
	}
	return 0;
}

static int write_all(struct sharding *s, struct lh_err *err)
{
	size_t i;
	int rc = name_shards(s, err);

	if (rc == 0 && s->plan.by == LH_SHARD_BY_CENTROID)
		rc = make_centroids(s, err);
	if (rc == 0)
		rc = divide_rows(s, err);
	for (i = 0; rc == 0 && i < s->plan.n; i++) {
		rc = not_stopped(s->tool);
		if (rc == 0)
			rc = write_shard(s, i, err);
	}
	return rc == 0 ? write_plan(s, err) : rc;
}

/* The present plan: it may have been edited, but another file is not replaced. */
static int read_standing(struct sharding *s, struct lh_err *err)
{
	if (access(s->path, F_OK) < 0 && errno == ENOENT)
		return 0;
	return lh_shard_plan_read(&s->standing, s->path, err);
}

static int write_shards(struct lh_tool *tool, const struct settings *settings,
			struct lh_index_writer *w)
{
	struct sharding s = { .tool = tool, .settings = settings, .path = tool->operands[0],
			      .w = w, .params = *lh_index_writer_params(w) };
	bool was = lh_signal_deferred();
	int rc;

	s.params.rescore = settings->rescore;
	lh_signal_defer(true);
	rc = read_standing(&s, &tool->err);
	if (rc == 0) {
		sweep(&s, &s.standing);
		rc = write_all(&s, &tool->err);
		if (rc == 0) {
			sweep(&s, &s.plan);
		} else {
			/* Remove what a failed run wrote. The plan is read again: a failed
			 * sync leaves the new one. */
			struct lh_err unused;

			lh_shard_plan_free(&s.standing);
			if (read_standing(&s, &unused) == 0)
				sweep(&s, &s.standing);
		}
	}
	if (rc == 0)
		lh_tool_verbose(tool, "%s: %" PRIu64 " records in %zu shards", s.path,
				lh_index_writer_count(w), s.plan.n);
	lh_signal_defer(was);
	lh_shard_plan_free(&s.plan);
	lh_shard_plan_free(&s.standing);
	free(s.centroid);
	free(s.row);
	free(s.first);
	return rc;
}

int shard_check(struct lh_tool *tool, const struct settings *s)
{
	const char *path = tool->operands[0];
	size_t n = strlen(path);

	if (n < 6 || strcmp(path + n - 5, ".json") != 0 || path[n - 6] == '/')
		return lh_tool_usage(tool, "%s: the name of a plan is NAME.json", path);
	if (!s->shards)
		return lh_tool_usage(tool, "shard needs -n N, the number of shards");
	return 0;
}

int index_shard(struct lh_tool *tool, void *settings)
{
	return build_run(tool, settings, true, write_shards);
}
