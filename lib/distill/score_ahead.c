/* score_ahead.c - mirrors of evidence that is just being made.  See
 * score_ahead.h. */
#include "score_ahead.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "receipt.h"

struct lh_ahead {
	struct lh_ahead *next;
	struct lh_run *run;
	char *evidence;
	struct lh_append *mirror;
	struct lh_score_file count;
	bool done;		/* the evidence is on file, with this hash */
	unsigned char sha256[32];
};

static int is_there(const struct lh_run *run, const char *relpath, struct lh_err *err)
{
	char *path = lh_root_join(run->root, relpath, err);
	struct stat st;
	int is;

	if (!path)
		return -1;
	is = lstat(path, &st) == 0 ? 1 : errno == ENOENT || errno == ENOTDIR ? 0 : lh_err_sys(err, "%s", path);
	free(path);
	return is;
}

static int add(struct lh_ahead **a, struct lh_run *run, const char *evidence, const char *mirror, struct lh_err *err)
{
	struct lh_ahead *new = lh_calloc(1, sizeof *new, err);

	if (!new)
		return -1;
	new->run = run;
	new->next = run->ahead;
	run->ahead = new;
	new->evidence = lh_strndup(evidence, strlen(evidence), err);
	new->mirror = new->evidence ? lh_append_open(run->root, mirror, err) : NULL;
	*a = new;
	return new->mirror ? 0 : -1;
}

int lh_ahead_open(struct lh_ahead **a, struct lh_run *run, const char *evidence, struct lh_err *err)
{
	char *mirror = lh_score_mirror(evidence, err);
	int is = mirror ? is_there(run, evidence, err) : -1;

	*a = NULL;
	if (!is)
		is = is_there(run, mirror, err);
	if (!is)
		is = add(a, run, evidence, mirror, err);
	free(mirror);
	return is < 0 ? -1 : 0;
}

int lh_ahead_line(struct lh_ahead *a, enum lh_category category, const char *line, size_t n, struct lh_err *err)
{
	a->count.by[category]++;
	return lh_append_line(a->mirror, line, n, err);
}

int lh_ahead_done(struct lh_ahead *a, struct lh_err *err)
{
	struct lh_file_digest fact;
	int rc = lh_digest_cache_get(a->run->facts, a->run->root, a->evidence, &fact, err);

	if (rc <= 0)
		return rc;
	a->count.read = fact.records;
	memcpy(a->sha256, fact.sha256, sizeof a->sha256);
	a->done = fact.records == lh_append_lines(a->mirror);
	return 0;
}

/* Is what was scored what lies there now, and there still is no mirror? */
static int still(const struct lh_ahead *a, const char *mirror, struct lh_err *err)
{
	struct lh_file_digest fact;
	int rc = a->done ? lh_digest_cache_get(a->run->facts, a->run->root, a->evidence, &fact, err) : 0;

	if (rc <= 0 || memcmp(a->sha256, fact.sha256, sizeof a->sha256))
		return rc < 0 ? -1 : 0;
	rc = is_there(a->run, mirror, err);
	return rc < 0 ? -1 : !rc;
}

int lh_ahead_take(struct lh_run *run, struct lh_score_file *f, struct lh_append **mirror, struct lh_err *err)
{
	struct lh_ahead *a = run->ahead;
	int rc;

	while (a && strcmp(a->evidence, f->evidence))
		a = a->next;
	if (!a)
		return 0;
	rc = still(a, f->scored, err);
	if (rc > 0) {
		f->read = a->count.read;
		memcpy(f->by, a->count.by, sizeof f->by);
		*mirror = a->mirror;
	} else {
		lh_append_close(a->mirror);	/* another will be made */
	}
	a->mirror = NULL;
	a->done = false;
	return rc;
}

void lh_ahead_free(struct lh_ahead *all)
{
	struct lh_ahead *next;

	for (; all; all = next) {
		next = all->next;
		lh_append_close(all->mirror);
		free(all->evidence);
		free(all);
	}
}
