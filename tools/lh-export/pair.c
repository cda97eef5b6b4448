/*
 * pair.c - store records in a temporary file until the end of input, then pair
 * them.
 */
#include "export.h"
#include "base/signal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file/file.h"
#include "distill/sample.h"

#define BLOCK ((size_t)256 << 10)	/* bytes written at a time */

struct pairing {
	struct filter *f;
	struct lh_pairs *pairs;
	int fd;			/* the lines: evidence, its scored run, ... */
	uint64_t at;		/* bytes in it */
	struct lh_buf block;
	struct lh_sampler *sampler;
	struct lh_pair pair;
	struct lh_buf sample;
};

/* The result of a record that may be one side of a pair; its text is the task id, the
 * evidence and the scored run, so many bytes each. */
struct side {
	enum lh_category category;
	uint32_t task, evidence, scored;
};

static int on_evidence(struct lh_record *rec, void *side, struct lh_buf *out, void *worker,
		       struct lh_err *err)
{
	struct worker *w = worker;
	const struct lh_sample_result *result = lh_sampler_result(w->sampler);
	enum lh_refusal why;
	int rc = worker_score(w, rec, &why, err);

	if (rc > 0)
		rc = lh_sample_scored(w->sampler, &w->rec);
	if (rc > 0)
		rc = lh_sample_side(w->sampler, rec);
	if (rc <= 0)
		return rc;
	*(struct side *)side = (struct side){
		result->category, (uint32_t)result->task_id.n, (uint32_t)rec->len,
		(uint32_t)w->rec.len
	};
	lh_buf_add(out, result->task_id.p, result->task_id.n);
	lh_buf_add(out, rec->line, rec->len);
	lh_buf_add(out, w->rec.line, w->rec.len);
	return 1;
}

static int flush(struct pairing *p, struct lh_err *err)
{
	if (p->block.len && lh_write_all(p->fd, p->block.p, p->block.len, err) < 0)
		return lh_err_prefix(err, "temporary file");
	lh_buf_reset(&p->block);
	return 0;
}

static int on_side(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct pairing *p = ((struct filter *)ctx)->pairing;
	const struct side *s = o->result;
	struct lh_str task = { o->text, s->task };
	struct lh_row_at at = { p->at, p->at + s->evidence, s->evidence, s->scored, 0, 0, 0 };

	if (lh_pairs_add(p->pairs, &task, s->category, &at, err) < 0)
		return -1;
	lh_buf_add(&p->block, o->text + s->task, o->n - s->task);
	p->at += o->n - s->task;
	return p->block.len >= BLOCK || p->block.failed ? flush(p, err) : 0;
}

static int read_side(struct pairing *p, int side, const struct lh_row_at *at, struct lh_err *err)
{
	static const char path[] = "the temporary file";

	return lh_pair_read(&p->pair, side, false, at, p->fd, path, err) < 0 ||
	       lh_pair_read(&p->pair, side, true, at, p->fd, path, err) < 0 ? -1 : 0;
}

static int on_pair(void *ctx, const struct lh_row_at *chosen, const struct lh_row_at *rejected,
		   struct lh_err *err)
{
	struct pairing *p = ctx;
	const struct lh_sample_result *result = lh_sampler_result(p->sampler);
	struct lh_side a = { .scored = &p->pair.rec[1], .evidence = &p->pair.rec[0] };
	struct lh_side b = { .scored = &p->pair.rec[3], .evidence = &p->pair.rec[2] };
	struct lh_str source;
	int rc;

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	lh_buf_reset(&p->sample);
	if (read_side(p, 0, chosen, err) < 0 || read_side(p, 1, rejected, err) < 0)
		return -1;
	rc = lh_sample_pair(p->sampler, &a, &b, &p->sample, err);
	if (rc < 0)
		return -1;
	lh_pair_source(&p->pair, &source);
	if (!rc)
		return put_refused(p->f, result->refused, &source, &result->errors, err);
	return put_sample(p->f, result->id, &(struct lh_str){ p->sample.p, p->sample.len }, &source,
			  err);
}

/* A file without a name: nothing remains of it, however the process ends. */
static int open_spool(struct lh_err *err)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 ||
	    (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd >= 0 ? fd : lh_err_sys(err, "%s: no temporary file", folder);
	if (snprintf(path, sizeof path, "%s/lh-export-XXXXXX", folder) >= (int)sizeof path)
		errno = ENAMETOOLONG;
	else if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
		unlink(path);
	return fd >= 0 ? fd : lh_err_sys(err, "%s: no temporary file", folder);
}

static int pair_all(struct pairing *p)
{
	struct lh_tool *t = p->f->tool;

	if (lh_records_run(t,
			   &(struct lh_flow){ .fill = on_evidence,
					      .result_size = sizeof(struct side),
					      .sink = on_side,
					      .shared = p->f,
					      .context_size = sizeof(struct worker),
					      .context_init = worker_init,
					      .context_free = worker_free }) < 0)
		return -1;
	if (flush(p, &t->err) < 0)
		return -1;
	return lh_pairs_each(p->pairs, on_pair, p, &t->err);
}

int pair_run(struct filter *f)
{
	struct lh_err *err = &f->tool->err;
	struct pairing p = { .f = f, .fd = -1 };
	int rc = -1;

	f->pairing = &p;
	p.sampler = lh_sampler_new(f->x, &f->s->how, f->recorded_at, err);
	p.pairs = p.sampler ? lh_pairs_new() : NULL;
	p.fd = p.pairs ? open_spool(err) : -1;
	if (p.fd >= 0)
		rc = pair_all(&p);
	if (p.fd >= 0)
		close(p.fd);
	lh_pairs_free(p.pairs);
	lh_sampler_free(p.sampler);
	lh_pair_free(&p.pair);
	lh_buf_free(&p.sample);
	lh_buf_free(&p.block);
	return rc;
}
