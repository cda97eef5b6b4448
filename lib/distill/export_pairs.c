/* export_pairs.c - the preference samples of a root.  See export_parts.h. */
#include "export_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "file/file.h"
#include "base/mem.h"
#include "base/signal.h"

#define OPEN_MAX_PAIRS 64	/* pairs of files open at the same time */
#define REASON_MAX 256		/* bytes of a reason that is kept, ... */
#define REASONS 65535		/* ... and number of different reasons */

/* A file of scored runs and its evidence. */
struct lh_export_pair_file {
	char *scored, *evidence;	/* in the root */
	int scored_fd, evidence_fd;	/* or -1 */
};

void lh_export_file(struct lh_exporting *x, const char *relpath)
{
	struct lh_export_pair_file *f;

	lh_grow(&x->file, &x->cap, x->files + 1, sizeof *x->file);
	f = &x->file[x->files];
	*f = (struct lh_export_pair_file){ .scored_fd = -1, .evidence_fd = -1 };
	f->scored = lh_strndup(relpath, strlen(relpath));
	f->evidence = lh_evidence_lookup_path(relpath);
	x->files++;
}

/* Find the number, from 1, of the scored run's first reason, if that, the category
 * and the evidence are everything that a sample takes from the scored run; else 0. */
static int first_reason_only(struct lh_exporting *x, uint16_t *number, struct lh_err *err)
{
	const struct lh_value *from = lh_record_get(x->src.evidence, "provenance"),
		*own = &x->src.provenance;
	struct lh_str reason;
	uint32_t i;

	*number = 0;
	if (!from || from->n != own->n || memcmp(from->p, own->p, own->n))
		return 0;
	lh_source_reason(&x->src, &x->text, &reason);
	if (reason.n > REASON_MAX || x->reasons.n >= REASONS)
		return 0;
	if (lh_intern_add(&x->reasons, reason.p, reason.n, &i, err) < 0)
		return -1;
	*number = (uint16_t)(i + 1);
	return 0;
}

int lh_export_side(struct lh_exporting *x, struct lh_err *err)
{
	struct lh_sampler *s = x->each[LH_PREFERENCE].sampler;
	const struct lh_sample_result *result = lh_sampler_result(s);
	struct lh_row_at at;
	int rc = lh_sample_judge(s);

	if (rc <= 0)
		return rc;
	if (lh_export_evidence(x, err) < 0)
		return -1;
	if (!x->src.evidence || !lh_sample_may_pair(s))
		return 0;
	at = (struct lh_row_at){ x->found.at, x->row.at, x->found.n, (uint32_t)x->row.n,
				(uint32_t)(x->files - 1), 0, 0 };
	if (!x->pairs)
		x->pairs = lh_pairs_new();
	if (first_reason_only(x, &at.reason, err) < 0)
		return -1;
	return lh_pairs_add(x->pairs, &result->task_id, result->category, &at, err);
}

static void close_file(struct lh_exporting *x, struct lh_export_pair_file *f)
{
	if (f->scored_fd >= 0)
		close(f->scored_fd);
	if (f->evidence_fd >= 0)
		close(f->evidence_fd);
	x->open -= f->scored_fd >= 0;
	f->scored_fd = f->evidence_fd = -1;
}

static int open_in(const struct lh_exporting *x, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(x->run->root, relpath);

	return lh_open_regular(path, O_RDONLY, 0, err);
}

/* Open a file and its evidence; if too many are open, close all others. */
static int open_file(struct lh_exporting *x, struct lh_export_pair_file *f, struct lh_err *err)
{
	size_t i;

	if (f->scored_fd >= 0)
		return 0;
	if (x->open >= OPEN_MAX_PAIRS)
		for (i = 0; i < x->files; i++)
			close_file(x, &x->file[i]);
	f->evidence_fd = open_in(x, f->evidence, err);
	f->scored_fd = f->evidence_fd >= 0 ? open_in(x, f->scored, err) : -1;
	if (f->scored_fd < 0) {
		close_file(x, f);
		return -1;
	}
	x->open++;
	return 0;
}

/* Read one line of a record; i is its index in the pair's lines. */
static int read_line(struct lh_exporting *x, int i, const struct lh_row_at *at, struct lh_err *err)
{
	struct lh_export_pair_file *f = &x->file[at->file];
	int rc = open_file(x, f, err);

	if (rc < 0)
		return -1;
	rc = i % 2 ? lh_pair_read_scored(&x->pair, i / 2, at, f->scored_fd, err)
		   : lh_pair_read_evidence(&x->pair, i / 2, at, f->evidence_fd, err);
	return rc < 0 ? lh_err_prefix(err, "%s", i % 2 ? f->scored : f->evidence) : 0;
}

static int read_side(struct lh_exporting *x, int side, const struct lh_row_at *at,
		     struct lh_side *to, struct lh_err *err)
{
	*to = (struct lh_side){ .evidence = &x->pair.rec[2 * side],
				.category = (enum lh_category)at->category };
	if (read_line(x, 2 * side, at, err) < 0)
		return -1;
	if (at->reason) {
		to->reason = lh_intern_text(&x->reasons, at->reason - 1u);
		return 0;
	}
	to->scored = &x->pair.rec[2 * side + 1];
	return read_line(x, 2 * side + 1, at, err);
}

/* Refuse a pair; its source is both records. */
static int refuse_pair(struct lh_exporting *x, enum lh_refusal why, const struct lh_row_at *chosen,
		       const struct lh_row_at *rejected, struct lh_err *err)
{
	struct lh_export_one *e = &x->each[LH_PREFERENCE];
	struct lh_refused r = { .why = why, .errors = &lh_sampler_result(e->sampler)->errors };

	if (read_line(x, 1, chosen, err) < 0 || read_line(x, 3, rejected, err) < 0)
		return -1;
	lh_pair_source(&x->pair, &r.source);
	return lh_quarantine_read(e->refused, &r, err);
}

static int on_pair(void *ctx, const struct lh_row_at *chosen, const struct lh_row_at *rejected,
		   struct lh_err *err)
{
	struct lh_exporting *x = ctx;
	struct lh_export_one *e = &x->each[LH_PREFERENCE];
	const struct lh_sample_result *result = lh_sampler_result(e->sampler);
	struct lh_side a, b;
	struct lh_key key;
	bool is_new = false;
	int rc;

	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	e->how->read++;
	lh_buf_reset(&e->sample);
	if (read_side(x, 0, chosen, &a, err) < 0 || read_side(x, 1, rejected, &b, err) < 0)
		return -1;
	rc = lh_sample_pair(e->sampler, &a, &b, &e->sample, err);
	key = lh_export_id(result->id, strlen(result->id));
	if (rc < 0 || (rc > 0 && lh_export_sample(x, e, &key, &is_new, err) < 0))
		return -1;
	return is_new ? 0 : refuse_pair(x, rc ? LH_DUPLICATE_ID : result->refused, chosen, rejected,
					err);
}

int lh_export_pairs(struct lh_exporting *x, struct lh_err *err)
{
	x->pair_ready = true;
	return x->pairs ? lh_pairs_each(x->pairs, on_pair, x, err) : 0;
}

void lh_export_pairs_free(struct lh_exporting *x)
{
	size_t i;

	for (i = 0; i < x->files; i++) {
		close_file(x, &x->file[i]);
		free(x->file[i].scored);
		free(x->file[i].evidence);
	}
	free(x->file);
	lh_pairs_free(x->pairs);
	lh_intern_free(&x->reasons);
	if (x->pair_ready)
		lh_pair_free(&x->pair);
}
