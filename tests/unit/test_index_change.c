/* Several writers change one index at length: the effect of a delete, and of a put of a
 * new id, is decided by the ids that are live at the commit. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "index/index_tools.h"

#define CHECK(x) check_why(x, err.msg)
#define DIM 4
#define IDS 24
#define WRITERS 3
#define GATHERED 40

enum kind { PUT, PUT_NEW, DELETE };

/* A writer, and its expected outcome. */
struct writer {
	struct lh_index_change *c;
	struct { enum kind kind; unsigned id, value; } op[GATHERED];
	unsigned n;
	struct lh_index_tally want;
};

static struct lh_err err;
static char dir[64], path[80];
static bool live[IDS], ever[IDS];
static unsigned value[IDS];
static uint64_t state = 1;

static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void build(unsigned rows, const char *model)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	char id[16];

	lh_index_params_default(&p);
	p.dimension = DIM;
	strcpy(p.model, model);
	snprintf(p.created_at, sizeof p.created_at, "%u", draw(1u << 30));
	w = lh_index_writer_new(path, &p, 1, &err);
	CHECK(w != NULL);
	for (unsigned i = 0; i < IDS; i++) {
		live[i] = i < rows;
		ever[i] = ever[i] || live[i];
		value[i] = 0;
		snprintf(id, sizeof id, "r%u", i);
		CHECK(!live[i] ||
		      lh_index_put(w, id, strlen(id), (float[DIM]){ 1 }, DIM, "0", 1, &err) == 0);
	}
	CHECK(lh_index_commit(w, 1, &err) == 0);
	lh_index_writer_free(w);
}

typedef int put_fn(struct lh_index_change *c, const char *id, size_t id_len, const float *vector,
		   size_t n, const char *meta, size_t meta_len, struct lh_err *err);

static void gather(struct writer *w, enum kind kind, unsigned i, unsigned v)
{
	put_fn *put = kind == PUT ? lh_index_change_put : lh_index_change_put_new;
	uint64_t existing_before = lh_index_change_tally(w->c)->existing;
	char id[16], meta[16];
	int rc;

	snprintf(id, sizeof id, "r%u", i);
	snprintf(meta, sizeof meta, "%u", v);
	if (kind == DELETE)
		rc = lh_index_change_delete(w->c, id, strlen(id), &err);
	else
		rc = put(w->c, id, strlen(id), (float[DIM]){ 1 }, DIM, meta, strlen(meta), &err);
	CHECK(rc == 0);
	/* An id that was live at some time is accepted as existing. */
	if (lh_index_change_tally(w->c)->existing != existing_before) {
		CHECK(kind == PUT_NEW && ever[i]);
		w->want.existing++;
		return;
	}
	w->op[w->n].kind = kind;
	w->op[w->n].id = i;
	w->op[w->n++].value = v;
}

static void commit(struct writer *w)
{
	const struct lh_index_tally *got = lh_index_change_tally(w->c);
	bool due;

	CHECK(lh_index_change_commit(w->c, &due, &err) == 0);
	for (unsigned k = 0; k < w->n; k++) {
		unsigned i = w->op[k].id;
		bool was = live[i];

		if (w->op[k].kind == DELETE) {
			w->want.deleted += was;
			w->want.unknown += !was;
			live[i] = false;
			continue;
		}
		if (w->op[k].kind == PUT_NEW) {
			w->want.added += !was;
			w->want.existing += was;
			if (was)
				continue;
		}
		live[i] = ever[i] = true;
		value[i] = w->op[k].value;
	}
	w->n = 0;
	CHECK(memcmp(got, &w->want, sizeof *got) == 0);
}

static void look(void)
{
	struct lh_index *ix = lh_index_open(path, &err);
	struct lh_row row;
	char id[16], meta[16];

	CHECK(ix != NULL);
	for (unsigned i = 0; i < IDS; i++) {
		int64_t at;

		snprintf(id, sizeof id, "r%u", i);
		snprintf(meta, sizeof meta, "%u", value[i]);
		at = lh_index_find(ix, id, strlen(id), &err);
		CHECK(at != -2 && (at >= 0) == live[i]);
		CHECK(at < 0 || lh_index_row(ix, (uint64_t)at, &row, &err) == 1);
		CHECK(at < 0 ||
		      (row.meta.n == strlen(meta) && memcmp(row.meta.p, meta, row.meta.n) == 0));
	}
	lh_index_close(ix);
}

static void at_random(unsigned steps)
{
	struct writer w[WRITERS] = { { .n = 0 } };

	build(IDS / 2, "");
	for (unsigned k = 0; k < WRITERS; k++)
		CHECK((w[k].c = lh_index_change_open(path, 1, &err)) != NULL);
	for (unsigned step = 1; step < steps; step++) {
		struct writer *one = &w[draw(WRITERS)];
		unsigned what = draw(100);

		if (one->n == GATHERED || what < 8) {
			commit(one);
			look();
		} else if (what == 8) {
			CHECK(lh_index_compact(path, 1, 1, &err) == 0);
		} else if (what == 9 && draw(10) == 0) {
			build(draw(IDS), "");
		} else {
			gather(one,
			       what < 30 ? PUT :
			       what < 65 ? PUT_NEW :
					   DELETE,
			       draw(IDS), step);
		}
	}
	for (unsigned k = 0; k < WRITERS; k++) {
		commit(&w[k]);
		lh_index_change_close(w[k].c);
	}
	look();
}

/* A commit that failed has no effect on the ids of its changes. */
static void after_a_failure(void)
{
	struct rlimit was, none;
	struct writer w = { .n = 0 };
	bool due;

	build(2, "");
	CHECK((w.c = lh_index_change_open(path, 1, &err)) != NULL);
	gather(&w, PUT, 1, 7);
	commit(&w);
	gather(&w, DELETE, 0, 0);
	gather(&w, PUT_NEW, 5, 1);
	CHECK(getrlimit(RLIMIT_FSIZE, &was) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	none = (struct rlimit){ 100, was.rlim_max };	/* room for the process id in the lock */
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
	CHECK(lh_index_change_commit(w.c, &due, &err) < 0 && strstr(err.msg, "t.lhv-log"));
	CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
	look();
	commit(&w);
	look();
	lh_index_change_close(w.c);
}

int main(void)
{
	bool soak = getenv("LH_SCALE") && strcmp(getenv("LH_SCALE"), "soak") == 0;

	/* In memory if possible: these are thousands of fsyncs. */
	snprintf(dir, sizeof dir, "%s/lh-change-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/t.lhv", dir);
	test(at_random(soak ? 300000 : 15000));
	test(after_a_failure());
	lh_index_compact(path, 1, 1, &err);
	unlink(path);
	rmdir(dir);
	return 0;
}
