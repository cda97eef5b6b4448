/* drift.c - what changed since the newest other run: drift.json, version 2. */
#include <math.h>

#include "distill.h"
#include <lh/num.h>

#define SWING 0.20	/* of records out; more needs attention */

/* A stage in a stored summary. */
struct before {
	struct lh_value stage;
	bool known;
};

static struct before find(const struct report *prior, const char *name)
{
	const struct lh_value *stages = lh_record_get(&prior->rec, "stages");
	struct before b = { .known = false };
	struct lh_value is;
	struct lh_iter it;

	for (lh_iter_init(&it, stages); !b.known && lh_iter_next(&it); )
		if (lh_value_get(&it.val, "stage", &is) && lh_value_is(&is, name, strlen(name)))
			b = (struct before){ it.val, true };
	return b;
}

static int64_t count(const struct before *b, const char *name)
{
	struct lh_value v;
	int64_t n = 0;

	if (b->known && lh_value_get(&b->stage, name, &v))
		lh_value_i64(&v, &n);
	return n;
}

/* Compare the hash of a file: 1, 0, or -1 if unknown. */
static int same_hash(const struct before *b, const char *name, const char *hash)
{
	struct lh_value v;

	if (!b->known || !lh_value_get(&b->stage, name, &v))
		return -1;
	return lh_value_is(&v, hash, strlen(hash));
}

static void put_bool(struct lh_buf *out, const char *name, int is)
{
	lh_buf_printf(out, ",\"%s\":%s", name, is < 0 ? "null" : is ? "true" : "false");
}

static void put_f64(struct lh_buf *out, double v)
{
	char *to = lh_buf_room(out, LH_F64_MAX);

	if (to)
		lh_buf_took(out, lh_f64_print(to, v));
}

static void put_delta(struct lh_buf *out, const char *name, uint64_t now, int64_t before)
{
	lh_buf_printf(out, ",\"%s\":%lld", name, (long long)((int64_t)now - before));
}

static void put_stage(struct lh_buf *out, const struct lh_stage_result *r, const struct report *prior, struct whole *w)
{
	struct before b = find(prior, lh_stage_name(r->stage));
	int64_t was = count(&b, "records_out");
	int in = same_hash(&b, "input_hash", r->input_hash), same = same_hash(&b, "output_hash", r->output_hash);
	double change = was ? ((double)r->records_out - (double)was) / (double)was : 0;

	lh_buf_printf(out, "{\"stage\":\"%s\"", lh_stage_name(r->stage));
	put_delta(out, "delta_in", r->records_in, count(&b, "records_in"));
	put_delta(out, "delta_out", r->records_out, was);
	put_delta(out, "delta_accepted", r->accepted, count(&b, "accepted"));
	put_delta(out, "delta_quarantined", r->quarantined, count(&b, "quarantined"));
	lh_buf_puts(out, ",\"pct_change_out\":");
	if (was)
		put_f64(out, change);
	else
		lh_buf_puts(out, "null");
	put_bool(out, "input_hash_match", in);
	put_bool(out, "output_hash_match", same);
	put_bool(out, "deterministic_violation", in == 1 && same == 0);
	lh_buf_putc(out, '}');
	if (in == 1 && same == 0)
		w->severity = "alert";
	else if (fabs(change) > SWING && strcmp(w->severity, "alert"))
		w->severity = "warn";
}

static void put_drift(struct lh_buf *out, struct whole *w, const struct report *prior, const struct lh_buf *stages)
{
	const struct lh_summary *s = &w->summary;
	const struct lh_value *id = prior ? lh_record_get(&prior->rec, "run_id") : NULL;

	lh_buf_puts(out, "{\"schema_version\":2,\"run_id\":");
	lh_buf_json(out, s->run_id, strlen(s->run_id));
	lh_buf_puts(out, ",\"prior_run_id\":");
	if (id)
		lh_buf_add(out, id->p, id->n);
	else
		lh_buf_puts(out, "null");
	lh_buf_printf(out, ",\"generated_at\":\"%s\",\"severity\":\"%s\",\"stages\":[", s->ended_at, w->severity);
	lh_buf_add(out, stages->p, stages->len);
	lh_buf_puts(out, "]}\n");
}

int drift_print(struct lh_buf *out, struct whole *w, struct lh_err *err)
{
	struct report prior;
	struct lh_buf stages;
	int i, rc = report_newest(&w->prior, w->run->root, w->run->id, false, &w->bad, err);

	report_init(&prior);
	lh_buf_init(&stages, LH_BUF_NOMAX);
	if (rc > 0)
		rc = report_read(&prior, w->run->root, w->prior, "summary.json", "run_summary", err);
	for (i = 0; rc > 0 && i < LH_STAGES; i++) {
		if (i)
			lh_buf_putc(&stages, ',');
		put_stage(&stages, &w->stage[i], &prior, w);
	}
	if (rc >= 0) {
		put_drift(out, w, rc ? &prior : NULL, &stages);
		rc = lh_buf_check(&stages, err);
	}
	lh_buf_free(&stages);
	report_free(&prior);
	return rc < 0 ? -1 : 0;
}
