/*
 * qg_write.c - write the rows of a file.  The codes of their links are made here, on
 * several threads, a batch of rows at a time, so that they are never all in memory.
 */
#include "writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/signal.h"

#define BATCH 256	/* rows */
#define JOBS_MAX 64

/* A batch being made, shared by its threads. */
struct batch {
	const struct lh_index_writer *w;
	struct lh_index_shape shape;
	unsigned char *signs;
	unsigned char *rows;	/* BATCH of them */
	struct lh_qg_coder coder[JOBS_MAX];
	unsigned jobs;
	uint64_t from, end;	/* rows of the batch, in the order of the file */
	uint64_t next;
};

/* Return the code of a row by its number in the file. */
static const void *code_of(const void *ctx, uint32_t row)
{
	const struct lh_index_writer *w = ctx;

	return w->block.p + lh_index_row_at(w, row) * w->stride;
}

static void make_rows(struct batch *b, struct lh_qg_coder *coder)
{
	const struct lh_index_writer *w = b->w;
	const uint32_t *links;
	uint32_t *ids, l;
	unsigned char *to;
	uint64_t i;

	while ((i = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED)) < b->end) {
		to = b->rows + (i - b->from) * b->shape.stride;
		memset(to, 0, b->shape.stride);
		memcpy(to, code_of(w, i), lh_index_code_bytes(&w->p));
		if (!w->linked)
			continue;
		links = lh_index_links_of(w, lh_index_row_at(w, i));
		ids = (void *)(to + b->shape.ids_at);
		for (l = 0; l < 2 * w->p.m; l++)
			ids[l] = w->stored_at[links[l]];
		lh_qg_coder_row(coder, (uint32_t)i, to);
	}
}

struct thread {
	pthread_t id;
	struct batch *b;
	unsigned number;
};

static void *work(void *arg)
{
	const struct thread *t = arg;

	make_rows(t->b, &t->b->coder[t->number]);
	return NULL;
}

/* Make a batch on up to jobs threads.  Signals are delivered to the calling thread only. */
static void make_batch(struct batch *b)
{
	struct thread thread[JOBS_MAX];
	sigset_t all, old;
	unsigned i, n = 1;

	b->next = b->from;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (; n < b->jobs; n++) {
		thread[n].b = b;
		thread[n].number = n;
		if (pthread_create(&thread[n].id, NULL, work, &thread[n]) != 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	make_rows(b, &b->coder[0]);
	for (i = 1; i < n; i++)
		pthread_join(thread[i].id, NULL);
}

static void batch_init(struct batch *b)
{
	const struct lh_index_writer *w = b->w;
	unsigned i;

	lh_index_get_shape(&w->p, w->linked, &b->shape);
	b->rows = lh_calloc(BATCH, b->shape.stride);
	if (!w->linked)
		return;
	b->signs = lh_calloc(1, lh_qg_sign_bytes(lh_index_lifted(&w->p)));
	lh_qg_signs(w->p.seed, lh_index_lifted(&w->p), b->signs);
	for (i = 0; i < b->jobs; i++) {
		b->coder[i] = (struct lh_qg_coder){
			.p = &w->p, .shape = &b->shape, .signs = b->signs, .rows = w->rows,
			.code_of = code_of, .ctx = w,
		};
		lh_qg_coder_init(&b->coder[i]);
	}
}

static int write_batches(struct lh_index_writer *w, struct batch *b, struct lh_err *err)
{
	for (b->from = 0; b->from < w->rows; b->from = b->end) {
		if (lh_signal_pending())
			return lh_err_set(err, LH_EINTR, "interrupted");
		lh_index_report_progress(w, "file", b->from);
		b->end = w->rows - b->from < BATCH ? w->rows : b->from + BATCH;
		make_batch(b);
		lh_index_section_add(&w->file, b->rows, (b->end - b->from) * b->shape.stride);
	}
	return 0;
}

int lh_qg_write_rows(struct lh_index_writer *w, unsigned jobs, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) struct batch *b = lh_calloc(1, sizeof *b);
	unsigned i;
	int rc;

	b->w = w;
	b->jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
	batch_init(b);
	lh_index_section_begin(&w->file, LH_INDEX_ROWS);
	rc = write_batches(w, b, err);
	for (i = 0; i < b->jobs; i++)
		lh_qg_coder_free(&b->coder[i]);
	free(b->signs);
	free(b->rows);
	return rc < 0 ? -1 : lh_index_section_end(&w->file, err);
}

int lh_qg_write_signs(struct lh_index_writer *w, struct lh_err *err)
{
	size_t n = w->linked && w->p.code_values ? lh_qg_sign_bytes(lh_index_lifted(&w->p)) : 0;
	LH_SCOPED(lh_free_local) unsigned char *signs = lh_calloc(1, n + 8);

	if (n)
		lh_qg_signs(w->p.seed, lh_index_lifted(&w->p), signs);
	return lh_index_section_write(&w->file, LH_INDEX_SIGNS, signs, n, err);
}
