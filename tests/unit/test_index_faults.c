/*
 * An allocation that fails anywhere in building, opening and searching is an error: no
 * crash, no leak, no incomplete file, no leftovers.
 *
 * Only a build with LH_FAULTS fails allocations; in others the first child ends the
 * test.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "index/index_tools.h"

#define ROWS 60
#define DIM 8
#define SHORT 3		/* exit status: out of memory, reported as such */

static struct lh_err err;

static int allow(void *ctx, uint64_t row, const struct lh_row *r, struct lh_err *e)
{
	(void)ctx;
	(void)r;
	(void)e;
	return row % 2;
}

static int build(const char *path, int precision, int layout)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	float v[DIM];
	char id[16];
	int rc = 0;

	lh_index_params_default(&p);
	p.exact_below = 40;
	p.precision = precision;
	p.rescore = precision != LH_F32;
	p.layout = layout;
	w = lh_index_writer_new(path, &p, 1, &err);
	if (!w)
		return -1;
	for (unsigned i = 0; !rc && i < ROWS; i++) {
		for (unsigned d = 0; d < DIM; d++)
			v[d] = (float)((i * 31 + d * 17) % 23) - 11.5f;
		rc = lh_index_put(w, id, (size_t)sprintf(id, "%u", i % 50), v, DIM, "{}", 2, &err);
	}
	if (!rc)
		rc = lh_index_commit(w, 2, &err);
	lh_index_writer_free(w);
	return rc;
}

/* Replace and delete some rows, and compact. */
static int change(const char *path)
{
	struct lh_index_change *c = lh_index_change_open(path, 1, &err);
	float v[DIM] = { 1 };
	bool due;
	int rc = c ? 0 : -1;

	for (unsigned i = 0; !rc && i < 4; i++) {
		v[i] = 2;
		rc = lh_index_change_put(c, (char[]){ (char)('2' + i) }, 1, v, DIM, "{}", 2, &err);
	}
	if (!rc)
		rc = lh_index_change_delete(c, "7", 1, &err);
	if (!rc)
		rc = lh_index_change_commit(c, &due, &err);
	lh_index_change_close(c);
	return rc ? rc : lh_index_compact(path, 2, 1, &err);
}

static int search(const char *path)
{
	struct lh_index *ix = lh_index_open(path, &err);
	struct lh_searcher *s = ix ? lh_searcher_new(ix, &err) : NULL;
	struct lh_filter_cache *filter = s ? lh_filter_cache_new(ix, &err) : NULL;
	struct lh_hit hit[5];
	struct lh_query q = { .vector = (float[DIM]){ 1, 2 }, .k = 5 };
	int rc = filter ? 0 : -1;

	for (int i = 0; !rc && i < 3; i++) {
		q.allow = i == 1 ? allow : NULL;
		q.filter_cache = filter;
		q.exact = i == 2;
		q.ef = i ? 0 : 5;
		rc = lh_index_search(s, &q, hit, &err) < 0;
	}
	lh_filter_cache_free(filter);
	lh_searcher_free(s);
	lh_index_close(ix);
	return rc ? -1 : 0;
}

static void on_damage_never(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	printf("test_index_faults: %s: %s\n", section, text);
	exit(1);
}

static int child(const char *path, int precision, int layout)
{
	if (build(path, precision, layout) == 0 && (!layout || change(path) == 0) &&
	    search(path) == 0 &&
	    lh_index_verify(path, on_damage_never, NULL, &err) == 0)
		return 0;
	if (err.code == LH_ENOMEM &&
	    !strcmp(strrchr(err.msg, ':') ? strrchr(err.msg, ':') + 2 : err.msg, "out of memory"))
		return SHORT;
	printf("test_index_faults: code %d: %s\n", err.code, err.msg);
	return 1;
}

static int run(char *self, char *path, char *kind, const char *fault)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setenv("LH_FAULT_ALLOC", fault, 1);
		execv(self, (char *[]){ self, path, kind, NULL });
		_exit(9);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Count the files in dir other than the index and its lock. */
static unsigned litter(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] == '.' && strlen(e->d_name) > 2;
	closedir(d);
	return n;
}

/* Fail each allocation, alone and with all that follow. */
static int each_place(char *path, const char *dir, int precision, int layout)
{
	char fault[32], which[] = { (char)('0' + precision), (char)('0' + layout), 0 };
	int rc[2] = { SHORT, SHORT };
	unsigned n;

	for (n = 1; rc[0] || rc[1]; n++) {
		for (int i = 0; i < 2; i++) {
			snprintf(fault, sizeof fault, "%u%s", n, i ? "+" : "");
			rc[i] = run("/proc/self/exe", path, which, fault);
			if ((rc[i] && rc[i] != SHORT) || litter(dir)) {
				printf("test_index_faults: %s, %s, LH_FAULT_ALLOC=%s: status %d\n",
				       lh_precision_name(precision), lh_layout_name(layout), fault,
				       rc[i]);
				return -1;
			}
		}
	}
	printf("# %s, %s: %u places\n", lh_precision_name(precision), lh_layout_name(layout),
	       n - 1);
	return 0;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/lh-test-faults-XXXXXX", path[64], lock[80];

	if (argc > 2)
		return child(argv[1], argv[2][0] - '0', argv[2][1] - '0');
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/a.lhv", dir);
	snprintf(lock, sizeof lock, "%s-lock", path);
	test(check(each_place(path, dir, LH_F32, LH_LAYOUT_HNSW) == 0));
	test(check(each_place(path, dir, LH_I8, LH_LAYOUT_HNSW) == 0));
	test(check(each_place(path, dir, LH_F32, LH_LAYOUT_QG) == 0));
	unlink(path);
	unlink(lock);
	return rmdir(dir) != 0;
}
