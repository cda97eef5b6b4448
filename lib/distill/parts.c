/* parts.c - all parts of a divided run, checked.  See stages.h. */
#include "part_parts.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <lh/digest.h>
#include "file/file.h"
#include "base/mem.h"

#define DESCRIPTORS 4	/* of a part at one time, rounded up: its lock and a file */

/* ---- which parts are there ---- */

static int by_shard(const void *a, const void *b)
{
	const struct lh_part *x = a, *y = b;

	if (x->shard.n != y->shard.n)
		return x->shard.n < y->shard.n ? -1 : 1;
	return (x->shard.i > y->shard.i) - (x->shard.i < y->shard.i);
}

static bool is_folder(DIR *d, const char *name)
{
	struct stat st;

	return fstatat(dirfd(d), name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int add_name(struct lh_parts *p, DIR *d, const char *path, const char *name,
		    struct lh_err *err)
{
	struct lh_part part = { .root = NULL };

	if (*name == '.' || !is_folder(d, name))
		return 0;
	if (!lh_part_name_read(name, &part.shard))
		return lh_err_set(err, LH_ECORRUPT, "%s/%s: is not named as a part is, I-of-N",
				  path, name);
	if (lh_grow(&p->part, &p->cap, p->n + 1, sizeof *p->part, err) < 0)
		return -1;
	p->part[p->n++] = part;
	return 0;
}

static int list(struct lh_parts *p, const char *path, struct lh_err *err)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	int rc = 0;

	if (!d)
		return lh_err_sys(err, "%s: cannot open the parts of the run", path);
	while (!rc) {
		errno = 0;
		e = readdir(d);
		if (!e) {
			rc = errno ? lh_err_sys(err, "%s: cannot read", path) : 0;
			break;
		}
		rc = add_name(p, d, path, e->d_name, err);
	}
	closedir(d);
	return rc;
}

static int check_list(struct lh_parts *p, const char *path, struct lh_err *err)
{
	size_t i;

	if (!p->n)
		return lh_err_set(err, LH_ECORRUPT, "%s: there are no parts", path);
	qsort(p->part, p->n, sizeof *p->part, by_shard);
	for (i = 0; i < p->n; i++) {
		const struct lh_shard *is = &p->part[i].shard, *first = &p->part[0].shard;

		if (is->n != first->n)
			return lh_err_set(err, LH_ECORRUPT, "%s: %" PRIu64 "-of-%" PRIu64 " is a "
					  "part of another N than %" PRIu64 "-of-%" PRIu64,
					  path, is->i, is->n, first->i, first->n);
	}
	for (i = 0; i < p->part[0].shard.n; i++)
		if (i >= p->n || p->part[i].shard.i != i)
			return lh_err_set(err, LH_ECORRUPT, "%s: %zu-of-%" PRIu64 " is missing",
					  path, i, p->part[0].shard.n);
	return 0;
}

/* ---- what each is ---- */

/* What is compared, part by part. */
struct checking {
	struct lh_run *run;
	struct lh_parts *parts;
	struct lh_part *part;
	struct lh_part_manifest m;
	struct lh_digest_cache *facts;	/* of the files of the part */
	size_t files;			/* of it, met */
};

static bool is_digest(struct lh_str hex, uint64_t bytes, const struct lh_file_digest *fact)
{
	unsigned char hash[32];

	return bytes == fact->bytes && hex.n == LH_SHA256_HEX && lh_unhex(hex.p, hex.n, hash) &&
	       !memcmp(hash, fact->sha256, sizeof hash);
}

/* The files are found by a walk, not by the names that part.json has for them. */
static int check_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct checking *c = ctx;
	struct lh_file_digest fact;
	size_t i;
	int rc;

	for (i = 0; i < c->m.files; i++)
		if (lh_str_is(c->m.file[i].path, relpath, strlen(relpath)))
			break;
	if (i == c->m.files)
		return lh_err_set(err, LH_ECORRUPT, "%s is not of the part", relpath);
	c->files++;
	rc = lh_digest_cache_get(c->facts, c->part->root, relpath, &fact, err);
	if (rc > 0 && is_digest(c->m.file[i].sha256, c->m.file[i].bytes, &fact))
		return 0;
	return rc < 0 ? -1 : lh_err_set(err, LH_ECORRUPT, "%s %s", relpath,
					rc ? "was changed, or is torn" : "is missing");
}

static int check_files(struct checking *c, struct lh_err *err)
{
	int rc;

	c->files = 0;
	c->facts = lh_digest_cache_new(err);
	rc = c->facts ? lh_root_each(c->part->root, "data", check_file, c, err) : -1;
	if (!rc)
		rc = lh_part_receipts(c->run->id, c->parts->job, check_file, c, err);
	lh_digest_cache_free(c->facts);
	if (!rc && c->files != c->m.files)
		rc = lh_err_set(err, LH_ECORRUPT, "%zu of its %zu files are missing",
				c->m.files - c->files, c->m.files);
	return rc;
}

static int check_source(struct checking *c, const struct lh_part_source *s, struct lh_err *err)
{
	const char *path = lh_stream_source((enum lh_stream)s->stream);
	struct lh_collected *sum = &c->parts->how.of[s->stream];
	struct lh_file_digest fact;
	int rc = lh_digest_cache_get(c->run->facts, c->run->sources, path, &fact, err);

	if (rc < 0)
		return -1;
	if (rc != s->present || (rc && !is_digest(s->sha256, s->bytes, &fact)))
		return lh_err_set(err, LH_ECORRUPT, "%s has changed since the part was made", path);
	if (s->read != s->written + s->skipped + s->deduped)
		return lh_err_set(err, LH_ECORRUPT, "the counts of %s do not add up", path);
	sum->present = s->present;
	sum->read += s->read;
	sum->skipped += s->skipped;
	c->parts->written[s->stream] += s->written;
	return 0;
}

static int check_sources(struct checking *c, struct lh_err *err)
{
	unsigned set = 0;
	size_t i;

	for (i = 0; i < c->m.sources; i++) {
		if (set & 1u << c->m.source[i].stream)
			return lh_err_set(err, LH_ECORRUPT, "a source is there twice");
		set |= 1u << c->m.source[i].stream;
		if (check_source(c, &c->m.source[i], err) < 0)
			return -1;
	}
	if (set == (1u << LH_STREAMS) - 1)
		set = 0;
	if (c->part == c->parts->part)
		c->parts->how.sources = set;
	return c->parts->how.sources == set ? 0
		: lh_err_set(err, LH_ECORRUPT, "other sources than those of the first part");
}

/* Check what the part is of; the first decides where there is a choice. */
static int check_kind(struct checking *c, struct lh_err *err)
{
	const struct lh_part_manifest *m = &c->m;
	struct lh_run *run = c->run;
	int64_t ms;
	bool first = c->part == c->parts->part;

	if (!lh_str_is(m->run_id, run->id, strlen(run->id)))
		return lh_err_set(err, LH_ECORRUPT, "a part of another run, %.*s", (int)m->run_id.n,
				  m->run_id.p);
	if (m->i != c->part->shard.i || m->n != c->part->shard.n)
		return lh_err_set(err, LH_ECORRUPT, "is %" PRIu64 "-of-%" PRIu64 ", a second time",
				  m->i, m->n);
	if (!lh_str_is(m->scorer, LH_SCORER_VERSION, strlen(LH_SCORER_VERSION)))
		return lh_err_set(err, LH_ECORRUPT, "by another scorer, %.*s", (int)m->scorer.n,
				  m->scorer.p);
	if (first) {
		c->parts->job = (enum lh_part_job)m->job;
		c->parts->how.dedup = m->dedup;
	}
	if (first && !run->how.recorded_at &&
	    lh_time_read(m->recorded_at.p, m->recorded_at.n, &ms) == 0)
		lh_time_print(ms, run->recorded_at);
	if ((int)c->parts->job != m->job || c->parts->how.dedup != m->dedup)
		return lh_err_set(err, LH_ECORRUPT, "of another job than the first part");
	if (!lh_str_is(m->recorded_at, run->recorded_at, LH_TIME_LEN))
		return lh_err_set(err, LH_ECORRUPT, "recorded at %.*s, not at %s",
				  (int)m->recorded_at.n, m->recorded_at.p, run->recorded_at);
	return 0;
}

static int check_part(struct checking *c, struct lh_err *err)
{
	int rc = lh_part_manifest_read(&c->m, c->part->root, err);

	if (!rc)
		return lh_err_set(err, LH_ECORRUPT, "%s: is not complete: it has no %s",
				  lh_root_path(c->part->root), LH_PART_FILE);
	if (rc < 0)
		return -1;
	return check_kind(c, err) < 0 || check_sources(c, err) < 0 || check_files(c, err) < 0
		? lh_err_prefix(err, "%s", lh_root_path(c->part->root))
		: 0;
}

static int open_part(struct checking *c, const char *folder, struct lh_err *err)
{
	char name[LH_PART_NAME];
	size_t n = strlen(folder) + sizeof name + 1;
	LH_SCOPED(lh_free_local) char *path = lh_calloc(n, 1, err);
	int rc = -1;

	lh_part_name(&c->part->shard, name);
	if (path) {
		snprintf(path, n, "%s/%s", folder, name);
		c->part->root = lh_root_open(path, err);
	}
	if (c->part->root)
		rc = lh_root_lock(c->part->root, c->run->how.lock_timeout, err);
	if (rc < 0)
		return -1;
	lh_part_manifest_init(&c->m);
	rc = check_part(c, err);
	lh_part_manifest_free(&c->m);
	return rc;
}

static int open_all(struct lh_parts *p, struct lh_run *run, struct lh_err *err)
{
	struct checking c = { .run = run, .parts = p };
	LH_SCOPED(lh_free_local) char *relpath = lh_part_relpath(run->id, NULL, err);
	char *path = relpath ? lh_root_join(run->root, relpath, err) : NULL;
	int rc = -1;
	struct rlimit most;
	rlim_t need;

	if (path && list(p, path, err) == 0)
		rc = check_list(p, path, err);
	/* Allow as many descriptors as the parts need, as far as the system does. */
	need = 64 + DESCRIPTORS * (rlim_t)p->n;
	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < need) {
		most.rlim_cur = need < most.rlim_max ? need : most.rlim_max;
		setrlimit(RLIMIT_NOFILE, &most);
	}
	for (c.part = p->part; !rc && c.part < p->part + p->n; c.part++)
		rc = open_part(&c, path, err);
	free(path);
	return rc;
}

struct lh_parts *lh_parts_open(struct lh_run *run, struct lh_err *err)
{
	struct lh_parts *p = lh_calloc(1, sizeof *p, err);

	if (p && open_all(p, run, err) < 0) {
		lh_parts_close(p);
		return NULL;
	}
	return p;
}

void lh_parts_close(struct lh_parts *p)
{
	if (!p)
		return;
	while (p->n)
		lh_root_close(p->part[--p->n].root);
	free(p->part);
	free(p);
}

enum lh_part_job lh_parts_job(const struct lh_parts *parts)
{
	return parts->job;
}

/* ---- their receipts ---- */

struct keeping {
	struct lh_run *run;
	const struct lh_part *part;
};

/* Copy a file of a part to the folder of the part in the reports of the run. */
static int keep(void *ctx, const char *relpath, struct lh_err *err)
{
	const struct keeping *k = ctx;
	const char *slash = strrchr(relpath, '/');
	char shard[LH_PART_NAME], to[LH_PART_NAME + 64];
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	LH_SCOPED(lh_free_local) char *path = lh_root_join(k->part->root, relpath, err);
	int rc = -1;

	lh_buf_init(&text, (size_t)256 << 20);
	if (path)
		rc = lh_file_read(path, &text, err);
	lh_part_name(&k->part->shard, shard);
	snprintf(to, sizeof to, LH_PART_SHARDS "/%s/%s", shard, slash ? slash + 1 : relpath);
	if (rc > 0)
		rc = lh_report_write(k->run, to, &text, err);
	return rc < 0 ? -1 : 0;
}

int lh_parts_keep(struct lh_run *run, const struct lh_parts *parts, struct lh_err *err)
{
	struct keeping k = { .run = run };

	for (k.part = parts->part; k.part < parts->part + parts->n; k.part++)
		if (lh_part_receipts(run->id, parts->job, keep, &k, err) < 0 ||
		    keep(&k, LH_PART_FILE, err) < 0)
			return -1;
	return 0;
}
