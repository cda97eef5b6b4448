/* stage_score.c - score evidence files into their mirrors.  See stage.h. */
#include "stages.h"

#include "flow/flow.h"
#include "base/table.h"
#include "base/mem.h"
#include "receipt.h"

#define FAULTS 20		/* reported in the receipt, of one file */
#define TICK 8192		/* records between two reports of progress */

struct stage {
	struct lh_run *run;
	struct lh_stage_result *res;
	const struct lh_score_watch *watch;
	struct lh_score_file file;	/* the open one */
	struct lh_map on_file;	/* only read while threads score */
	struct lh_map fresh;	/* scored in this run */
	struct lh_append *append;
	uint64_t records;		/* of all files */
};

/* The result of a record, to which the scored run belongs as text, or the reason why there
 * is none.  Kinds below LH_CATEGORIES are categories. */
enum { DEDUPED = LH_CATEGORIES, BAD };
struct scored {
	unsigned kind;
	unsigned char sig[32];
};

/* ---- on the threads ---- */

struct worker {
	struct stage *st;
	struct lh_scorer *scorer;
};

static void worker_free(void *arg)
{
	struct worker *w = arg;

	lh_scorer_free(w->scorer);
}

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->st = ctx;
	w->scorer = lh_scorer_new();
	return 0;
}

static void put_bad(struct scored *s, struct lh_buf *out, const struct lh_err *why)
{
	s->kind = BAD;
	if (why->column)
		lh_buf_printf(out, "column %zu: ", why->column);
	lh_buf_puts(out, why->msg);
	lh_buf_putc(out, '\0');
}

static void on_bad_line(const struct lh_bad_line *bad, void *result, struct lh_buf *out,
			void *worker)
{
	(void)worker;
	put_bad(result, out, bad->why);
}

static int score(struct worker *w, const struct lh_record *rec, struct scored *s,
		 struct lh_buf *out, struct lh_err *err)
{
	enum lh_category category = LH_CATEGORY_NONE;
	enum lh_stream stream;

	if (lh_score_sig(rec, s->sig, &stream, err) == 0 &&
	    lh_hashset_has(&w->st->on_file, s->sig)) {
		s->kind = DEDUPED;
		return 0;
	}
	if (lh_score_check(w->scorer, rec, err) < 0 ||
	    lh_score_one(w->scorer, rec, w->st->run->recorded_at, &category, out, err) < 0)
		return -1;
	s->kind = category;
	return 0;
}

static int on_evidence(struct lh_record *rec, void *result, struct lh_buf *out, void *worker,
		       struct lh_err *err)
{
	size_t at = out->len;

	if (score(worker, rec, result, out, err) == 0)
		return 1;
	if (err->code != LH_EDATA)
		return -1;
	out->len = at;
	put_bad(result, out, err);
	return 1;
}

/* ---- in order ---- */

static int take_row(struct stage *st, const struct lh_output *o, struct lh_err *err)
{
	const struct scored *s = o->result;
	bool is_new = false;

	if (s->kind == BAD) {
		if (st->watch && st->watch->bad)
			st->watch->bad(st->watch->ctx, st->file.evidence, o->line, o->text);
		if (st->file.skipped++ < FAULTS)
			lh_stage_fault(st->res, "%s:%llu: %s", st->file.evidence,
				       (unsigned long long)o->line, o->text);
		return 0;
	}
	if (s->kind != DEDUPED && lh_hashset_add(&st->fresh, s->sig, &is_new, err) < 0)
		return -1;
	if (!is_new) {
		st->file.deduped++;
		return 0;
	}
	st->file.by[s->kind]++;
	return lh_append_line(st->append, o->text, o->n, err);
}

static int on_scored(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	struct stage *st = ctx;

	st->file.read++;
	if (++st->records % TICK == 0)
		lh_run_progress(st->run, LH_STAGE_SCORE, st->records);
	return take_row(st, o, err);
}

/* ---- what is on file ---- */

static int on_mirrored(struct lh_record *rec, void *scored, struct lh_buf *out, void *worker,
		       struct lh_err *err)
{
	(void)out;
	(void)worker;
	return lh_scored_read(rec, scored, err) < 0 ? -1 : ((struct lh_scored *)scored)->current;
}

static int add_known_sig(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const struct lh_scored *scored = o->result;
	struct stage *st = ctx;

	return lh_hashset_add(&st->on_file, scored->sig, NULL, err);
}

char *lh_score_mirror(const char *evidence)
{
	return lh_format("%s%s", LH_ROOT_SCORED, evidence + strlen(LH_ROOT_EVIDENCE));
}

/* ---- a file ---- */

static int read_mirror(struct stage *st, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(st->run->root, st->file.scored);
	const int is = lh_root_has(st->run->root, st->file.scored, err);

	return is <= 0 ? is : lh_flow_file(path, &(struct lh_flow){
			.fill = on_mirrored, .result_size = sizeof(struct lh_scored),
			.sink = add_known_sig, .shared = st, .jobs = st->run->how.jobs,
			.tombstones = true }, err);
}

static int score_evidence(struct stage *st, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(st->run->root, st->file.evidence);

	return lh_flow_file(path, &(struct lh_flow){
			.fill = on_evidence, .result_size = sizeof(struct scored),
			.bad = on_bad_line, .sink = on_scored, .shared = st,
			.jobs = st->run->how.jobs, .tombstones = true,
			.context_size = sizeof(struct worker), .context_init = worker_init,
			.context_free = worker_free }, err);
}

static void count_written(struct lh_stage_result *res, const struct lh_score_file *f)
{
	res->accepted += f->by[LH_ACCEPTED];
	res->rejected += f->by[LH_REJECTED];
	res->quarantined += f->by[LH_PARTIALLY_ACCEPTED] + f->by[LH_NEEDS_HUMAN_REVIEW];
}

/* Check that no record was lost. */
static int commit_stage(struct stage *st, struct lh_err *err)
{
	struct lh_score_file *f = &st->file;
	struct lh_stage_result *res = st->res;

	f->written = lh_append_lines(st->append);
	if (f->read != f->written + f->skipped + f->deduped)
		return lh_err_set(err, LH_ECORRUPT, "%s: %llu records read, but %llu accounted for",
				  f->evidence, (unsigned long long)f->read,
				  (unsigned long long)(f->written + f->skipped + f->deduped));
	if (f->skipped > FAULTS)
		lh_stage_fault(res, "%s: %s skipped", f->evidence, LH_N(f->skipped, "record"));
	if (lh_append_commit(st->append, err) < 0)
		return -1;
	count_written(res, f);
	res->skipped += f->skipped;
	return st->watch && st->watch->file ? st->watch->file(st->watch->ctx, f, err) : 0;
}

static int score_file(struct stage *st, struct lh_err *err)
{
	st->append = lh_root_append(st->run->root, st->file.scored, err);
	return st->append && read_mirror(st, err) == 0 && score_evidence(st, err) == 0 ? 0 : -1;
}

static int on_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct stage *st = ctx;
	LH_SCOPED(lh_free_local) char *scored = lh_score_mirror(relpath);
	int rc;

	st->file = (struct lh_score_file){ .evidence = relpath, .scored = scored };
	rc = score_file(st, err);
	if (!rc)
		rc = commit_stage(st, err);
	lh_append_close(st->append);
	lh_map_free(&st->on_file);
	lh_map_free(&st->fresh);
	return rc;
}

int lh_stage_score_watched(struct lh_run *run, struct lh_stage_result *res,
			   const struct lh_score_watch *watch, struct lh_err *err)
{
	struct stage st = { .run = run, .res = res, .watch = watch };

	lh_stage_begin(res, LH_STAGE_SCORE);
	return lh_root_each(run->root, LH_ROOT_EVIDENCE, on_file, &st, err) < 0
		? -1 : lh_receipt_write(run, res, err);
}

int lh_stage_score(struct lh_run *run, struct lh_stage_result *res, struct lh_err *err)
{
	return lh_stage_score_watched(run, res, NULL, err);
}
