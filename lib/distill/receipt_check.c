/* receipt_check.c - files against receipts.  See receipt.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "file/file.h"
#include "receipt_parts.h"
#include "sample.h"
#include "root.h"

#define BLOCK ((size_t)256 << 10)
#define ULL(n) ((unsigned long long)(n))

void lh_receipt_report(struct lh_receipts *c, enum lh_receipt_fault what, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->fault(c->ctx, what, text);
}

int lh_receipt_finding(struct lh_receipts *c, enum lh_receipt_fault what, const char *relpath,
		       struct lh_err *err)
{
	const char *root = lh_root_path(c->root);
	size_t n = strlen(root);

	if (err->code == LH_ENOMEM || err->code == LH_EINTR)
		return -1;
	if (!strncmp(err->msg, root, n) && err->msg[n] == '/')
		lh_receipt_report(c, what, "%s", err->msg + n + 1);
	else
		lh_receipt_report(c, what, "%s: %s", relpath, err->msg);
	return 0;
}

/* ---- one file ---- */

/* The claims about one file: the last is the newest. */
struct group {
	const struct claims *all;
	const struct claim *v;
	size_t n;
	char *block;		/* BLOCK bytes */
};

/* Return whether the file may have grown since the newest receipt that names it. */
static bool is_source(const char *path)
{
	return !strncmp(path, LH_ROOT_SOURCES "/", sizeof LH_ROOT_SOURCES) &&
	       strcmp(path, LH_ROOT_SKIPS) != 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct claim *const *x = a, *const *y = b;

	return (*x)->bytes < (*y)->bytes ? -1 : (*x)->bytes > (*y)->bytes;
}

/* Read the file up to that offset into the hash: 1, 0 if it ends before, -1. */
static int hash_up_to(int fd, char *block, struct lh_sha256 *hash, uint64_t *at, uint64_t end,
		      struct lh_err *err)
{
	while (*at < end) {
		size_t want = end - *at < BLOCK ? (size_t)(end - *at) : BLOCK;
		ssize_t n = lh_read_some(fd, block, want, err);

		if (n <= 0)
			return n < 0 ? -1 : 0;
		lh_sha256_more(hash, block, (size_t)n);
		*at += (uint64_t)n;
	}
	return 1;
}

/* Compare the first bytes of the file with each claim; *differs is the first that does not
 * hold, or NULL. */
static int compare(struct lh_receipts *c, const struct group *g, int fd,
		   const struct claim **differs, struct lh_err *err)
{
	const struct claim *by[LH_STAGES * 2];
	struct lh_sha256 hash, copy;
	unsigned char sum[32];
	uint64_t at = 0;
	size_t i, n = g->n < LH_STAGES * 2 ? g->n : LH_STAGES * 2;
	int rc = 1;

	for (i = 0; i < n; i++)
		by[i] = &g->v[g->n - n + i];
	qsort(by, n, sizeof *by, by_bytes);
	lh_sha256_start(&hash);
	*differs = NULL;
	for (i = 0; rc > 0 && !*differs && i < n; i++) {
		rc = hash_up_to(fd, g->block, &hash, &at, by[i]->bytes, err);
		copy = hash;
		lh_sha256_end(&copy, sum);
		if (rc == 0 || (rc > 0 && memcmp(sum, by[i]->sha256, sizeof sum)))
			*differs = by[i];
	}
	c->bytes += at;
	return rc < 0 ? -1 : 0;
}

static int compare_open(struct lh_receipts *c, const struct group *g, int fd, struct lh_err *err)
{
	const struct claim *newest = &g->v[g->n - 1], *differs;
	const char *receipt = g->all->receipt[newest->from];
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", newest->path);
	if (compare(c, g, fd, &differs, err) < 0)
		return -1;
	if ((uint64_t)size < newest->bytes)
		lh_receipt_report(c, LH_RECEIPT_DIFFERS,
				  "%s: was cut: it has %llu bytes, and had %llu when %s was "
				  "written", newest->path, ULL(size), ULL(newest->bytes), receipt);
	else if (differs)
		lh_receipt_report(c, LH_RECEIPT_DIFFERS,
				  "%s: was changed: the SHA-256 of its %s%llu bytes is not the "
				  "one in %s", newest->path,
				  (uint64_t)size > differs->bytes ? "first " : "",
				  ULL(differs->bytes), g->all->receipt[differs->from]);
	else if ((uint64_t)size > newest->bytes && !is_source(newest->path))
		lh_receipt_report(c, LH_RECEIPT_DIFFERS,
				  "%s: has grown: it has %llu bytes, and had %llu when %s was "
				  "written", newest->path, ULL(size), ULL(newest->bytes), receipt);
	return 0;
}

static int check_file(struct lh_receipts *c, const struct group *g, struct lh_err *err)
{
	const struct claim *newest = &g->v[g->n - 1];
	char *path = lh_root_join(c->root, newest->path);
	int fd, rc = 0;

	errno = 0;
	fd = lh_open_regular(path, O_RDONLY, 0, err);
	free(path);
	c->files++;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		lh_receipt_report(c, LH_RECEIPT_DIFFERS, "%s: is gone: %s names it", newest->path,
				  g->all->receipt[newest->from]);
		return 0;
	}
	if (fd >= 0) {
		rc = compare_open(c, g, fd, err);
		close(fd);
	}
	return fd < 0 || rc < 0 ? lh_receipt_finding(c, LH_RECEIPT_DIFFERS, newest->path, err) : 0;
}

/* ---- files that no receipt names ---- */

struct others {
	struct lh_receipts *c;
	const struct claims *claims;
	enum lh_stage stage;	/* whose receipt should name them */
};

static int by_path(const void *path, const void *claim)
{
	return strcmp(path, ((const struct claim *)claim)->path);
}

/* Report a file that no receipt names. */
static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	const struct others *o = ctx;
	const struct claims *all = o->claims;

	(void)err;
	if (all->n && bsearch(relpath, all->v, all->n, sizeof *all->v, by_path))
		return 0;
	if (all->receipt[o->stage])
		lh_receipt_report(o->c, LH_RECEIPT_DIFFERS, "%s: no receipt names it", relpath);
	else
		lh_receipt_report(o->c, o->c->run_id ? LH_RECEIPT_UNCOVERED : LH_RECEIPT_DIFFERS,
				  "%s: not compared, there is no receipt of %s", relpath,
				  lh_stage_name(o->stage));
	return 0;
}

/* The same for a file that may not exist. */
static int look_for(struct others *o, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(o->c->root, relpath);
	struct stat st;

	return lstat(path, &st) == 0 ? on_file(o, relpath, err) : 0;
}

static void check_sources(struct others *o)
{
	const struct claims *all = o->claims;
	const char *name;
	char *path;
	int i;

	for (i = 0; i < LH_STREAMS; i++) {
		name = lh_stream_source((enum lh_stream)i);
		if (all->n && bsearch(name, all->v, all->n, sizeof *all->v, by_path))
			continue;
		path = lh_root_join(o->c->root, name);
		if (access(path, F_OK) == 0)
			lh_receipt_report(o->c, LH_RECEIPT_UNCOVERED,
					  "%s: not compared, no receipt names it yet", name);
		free(path);
	}
}

static int check_others(struct lh_receipts *c, const struct claims *all, struct lh_err *err)
{
	static const enum lh_stage of[LH_EXPORTERS] = {
		[LH_RAG] = LH_STAGE_RAG, [LH_SFT] = LH_STAGE_SFT,
		[LH_PREFERENCE] = LH_STAGE_PREFERENCE
	};
	struct others o = { .c = c, .claims = all, .stage = LH_STAGE_COLLECT };
	int i;

	check_sources(&o);
	if (look_for(&o, LH_ROOT_SKIPS, err) < 0 ||
	    lh_root_each(c->root, LH_ROOT_EVIDENCE, on_file, &o, err) < 0)
		return -1;
	o.stage = LH_STAGE_SCORE;
	if (lh_root_each(c->root, LH_ROOT_SCORED, on_file, &o, err) < 0)
		return -1;
	for (i = 0; i < LH_EXPORTERS; i++) {
		o.stage = of[i];
		if (look_for(&o, lh_exporter_output((enum lh_exporter)i), err) < 0 ||
		    look_for(&o, lh_exporter_quarantine((enum lh_exporter)i), err) < 0)
			return -1;
	}
	return 0;
}

static int check_all(struct lh_receipts *c, const struct claims *all, struct lh_err *err)
{
	struct group g = { .all = all, .block = lh_calloc(1, BLOCK) };
	int rc = 0;
	size_t i, k;

	for (i = 0; !rc && i < all->n; i = k) {
		for (k = i + 1; k < all->n && !strcmp(all->v[k].path, all->v[i].path); k++)
			;
		g.v = &all->v[i];
		g.n = k - i;
		rc = check_file(c, &g, err);
	}
	free(g.block);
	if (!rc && check_others(c, all, err) < 0)
		rc = lh_receipt_finding(c, LH_RECEIPT_DIFFERS, LH_ROOT_EVIDENCE, err);
	return rc;
}

int lh_receipts_check(struct lh_receipts *c, struct lh_err *err)
{
	struct claims all = { .v = NULL };
	int i, rc = 0;

	if (c->subjects && lh_erasures_read(&c->erasures, c->subjects, err) < 0)
		rc = lh_receipt_finding(c, LH_RECEIPT_BAD, c->subjects, err);
	if (!rc)
		rc = lh_claims_read(&all, c, err);
	if (!rc)
		rc = check_all(c, &all, err);
	for (i = 0; !rc && i < LH_STREAMS; i++)
		rc = lh_receipt_tombstones(c, lh_stream_source((enum lh_stream)i), err);
	lh_erasures_free(&c->erasures);
	lh_claims_free(&all);
	return rc;
}
