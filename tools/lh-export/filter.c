/* filter.c - evidence in, scored on the way, samples out. */
#include "export.h"

#include "distill/evidence.h"
#include "json/bind.h"
#include <lh/time.h>

struct run {
	struct lh_str id;
};

/* ---- on the threads ---- */

int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	w->f = ctx;
	w->evidence = lh_schema_find("evidence_record");
	w->scorer = lh_scorer_new();
	w->sampler = lh_sampler_new(w->f->x, &w->f->s->how, w->f->recorded_at, err);
	return w->sampler ? 0 : -1;
}

void worker_free(void *worker)
{
	struct worker *w = worker;

	lh_scorer_free(w->scorer);
	lh_sampler_free(w->sampler);
	lh_buf_free(&w->scored);
	lh_buf_free(&w->text);
	lh_buf_free(&w->scratch);
	lh_record_free(&w->rec);
}

/* Set *why to the reason why evidence could not be scored. */
static int explain(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
		   struct lh_err *err)
{
	static const struct lh_bind members[] = {
		{ LH_BIND_STRING("run_id", struct run, id), .lax = true, .filled = true },
		LH_BIND_END
	};
	struct run run = { .id.p = NULL };
	struct lh_provenance from;
	bool whole;

	if (lh_provenance_read(evidence, &from, &w->scratch, err) < 0)
		return -1;
	whole = from.source_file.p && from.line_offset.p && from.sig_hash.p && from.recorded_at.p;
	if (lh_bind(members, evidence, &run, &w->scratch, err) < 0)
		return -1;
	*why = !whole ? LH_MISSING_PROVENANCE : !run.id.p ? LH_MISSING_SOURCE_RUN_ID :
		LH_SCHEMA_VIOLATION;
	return 0;
}

int worker_score(struct worker *w, const struct lh_record *evidence, enum lh_refusal *why,
		 struct lh_err *err)
{
	lh_buf_reset(&w->scored);
	if (lh_score_check(w->scorer, evidence, err) < 0 ||
	    lh_score_one(w->scorer, evidence, w->f->scored_at, NULL, &w->scored, err) < 0) {
		if (err->code != LH_EDATA)
			return -1;
		return explain(w, evidence, why, err);
	}
	if (lh_record_parse(&w->rec, w->scored.p, w->scored.len, err) < 0)
		return -1;
	return 1;
}

/* ---- in order ---- */

int put_refused(struct filter *f, enum lh_refusal why, const struct lh_str *source,
		const struct lh_buf *errors, struct lh_err *err)
{
	struct lh_refused r = { .why = why, .source = *source, .errors = errors };

	return lh_quarantine_read(f->refused, &r, err);
}

int put_sample(struct filter *f, const char *id, const struct lh_str *sample,
	       const struct lh_str *source, struct lh_err *err)
{
	unsigned char key[32] = { 0 };
	bool is_new;

	memcpy(key, id, strnlen(id, sizeof key));
	if (lh_hashset_add(&f->seen, key, &is_new, err) < 0)
		return -1;
	if (!is_new)
		return put_refused(f, LH_DUPLICATE_ID, source, NULL, err);
	return lh_tool_out(f->tool, sample->p, sample->n) < 0 || lh_tool_out(f->tool, "\n", 1) < 0
		? -1
		: 0;
}

/* ---- the run ---- */

int filter_run(struct lh_tool *tool, enum lh_exporter x, struct settings *s)
{
	struct filter f = { .tool = tool, .x = x, .s = s };
	int rc = -1;
	const char *at;
	int64_t ms;

	at = f.s->run.recorded_at ? f.s->run.recorded_at : f.tool->now;
	if (at && lh_time_read(at, strlen(at), &ms) == 0) {
		lh_time_print(ms, f.recorded_at);
		f.scored_at = f.recorded_at;
	} else {
		lh_time_print(lh_time_clock(), f.recorded_at);
	}
	f.refused = lh_quarantine_new(x, f.recorded_at);
	if (!s->quarantine ||
	    lh_quarantine_file(f.refused, s->quarantine, tool->lock_timeout, &tool->err) == 0)
		rc = (x == LH_PREFERENCE ? pair_run : one_run)(&f);
	if (lh_quarantine_commit(f.refused, rc ? &(struct lh_err){ 0 } : &tool->err) < 0)
		rc = -1;
	if (!s->quarantine) {
		/* Refused records were not stored: report at least how many there were. */
		const uint64_t *count = lh_quarantine_counts(f.refused);
		int i;

		for (i = 0; i < LH_REFUSALS; i++)
			if (count[i])
				lh_tool_message(f.tool, "%llu refused: %s",
						(unsigned long long)count[i],
						lh_refusal_name((enum lh_refusal)i));
	}
	lh_quarantine_free(f.refused);
	lh_map_free(&f.seen);
	return rc;
}
