/* acceptance_exports.c - the invariants of exports and quarantine. */
#include "acceptance_check.h"

static const char *const schemas[LH_EXPORTERS] = { "rag_sample", "sft_sample",
						   "preference_sample" };

/* Count the samples that by their own category or by their source's score are, or
 * are not, of a category. */
static size_t count_of(const struct check *c, enum lh_exporter x, const char *field,
		       const char *category, bool are)
{
	const struct table *t = &c->samples[x];
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		const struct lh_record *s = check_scored(c, lh_record_get(&t->row[i],
									  "source_run_id"));
		bool itself = row_is(&t->row[i], field, category),
			source = row_is(s, "category", category);

		n += are ? itself || source : !itself || !source;
	}
	return n;
}

static const struct lh_value *task_of(const struct check *c, const struct lh_record *pair,
				      const char *side)
{
	const struct lh_record *r = table_find(&c->evidence, "run_id", lh_record_get(pair, side));

	return r ? lh_record_get(r, "task_id") : NULL;
}

/* Return the task that two records share. */
static const struct lh_value *shared_task(const struct check *c)
{
	size_t i;

	for (i = 0; i < c->evidence.n; i++) {
		const struct lh_record *r = &c->evidence.row[i];
		const struct lh_value *task = lh_record_get(r, "task_id");

		if (table_find(&c->evidence, "task_id", task) != r)
			return task;
	}
	return NULL;
}

static void put_pairs(struct lh_buf *b, size_t n, const struct lh_value *task)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "pairs", n);
	lh_write_key(&json, "task_id");
	check_put(b, task);
	lh_write_end(&json);
}

static int check_pairs(struct check *c)
{
	const struct table *t = &c->samples[LH_PREFERENCE];
	const struct lh_value *shared = shared_task(c), *chosen = NULL, *rejected = NULL;
	size_t i, same = 0;

	if (t->n) {
		chosen = task_of(c, &t->row[0], "chosen_run_id");
		rejected = task_of(c, &t->row[0], "rejected_run_id");
	}
	check_fresh(c);
	put_pairs(&c->want, 1, shared);
	put_pairs(&c->got, t->n, chosen);
	if (check_tell(c, "there is one preference pair, of the file that two records share",
		 t->n == 1 && shared && chosen && rejected && lh_value_equal(chosen, shared) &&
		 lh_value_equal(rejected, shared)) < 0)
		return -1;
	for (i = 0; i < t->n; i++) {
		const struct lh_value *a = lh_record_get(&t->row[i], "chosen"),
			*b = lh_record_get(&t->row[i], "rejected");
		const struct lh_value *ra = lh_record_get(&t->row[i], "chosen_run_id"),
			*rb = lh_record_get(&t->row[i], "rejected_run_id");

		same += !a || !b || !ra || !rb || lh_value_equal(a, b) || lh_value_equal(ra, rb);
	}
	return check_count(c, "no pair is of one run or of one text", 0, same);
}

static size_t unknown_reasons(const struct table *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++) {
		const struct lh_value *v = lh_record_get(&t->row[i], "reason");

		n += !v || lh_refusal_read(v) == LH_NOT_REFUSED;
	}
	return n;
}

/* Count the records that were read and are neither exported nor in quarantine, or
 * were counted and are not there. */
static uint64_t unaccounted(const struct check *c, enum lh_exporter x)
{
	const struct lh_stage_result *r = &c->a->run[RUN_FIRST].stage[LH_STAGE_RAG + x];
	uint64_t out = c->samples[x].n, held = c->refused[x].n,
		read = x == LH_PREFERENCE ? out + held : c->scored.n;

	return (read > out + held ? read - out - held
		: out + held - read) + (r->accepted != out) + (r->quarantined != held);
}

static void put_accounts(struct lh_buf *b, uint64_t invalid, uint64_t odd, uint64_t lost)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_u64(&json, "invalid", invalid);
	lh_write_u64(&json, "unknown_reasons", odd);
	lh_write_u64(&json, "unaccounted", lost);
	lh_write_end(&json);
}

static int check_accounts(struct check *c)
{
	uint64_t odd = 0, lost = 0;
	long invalid = 0;
	int x;

	for (x = 0; x < LH_EXPORTERS; x++) {
		invalid += check_invalid(c, &c->samples[x], schemas[x]);
		odd += unknown_reasons(&c->refused[x]);
		lost += unaccounted(c, (enum lh_exporter)x);
	}
	check_fresh(c);
	put_accounts(&c->want, 0, 0, 0);
	put_accounts(&c->got, (uint64_t)invalid, odd, lost);
	return check_tell(c,
			  "all samples have their provenance, all refusals a known reason,"
			  " and nothing is lost",
			  !invalid && !odd && !lost);
}

int check_exports(struct check *c)
{
	size_t unsafe = table_count(&c->refused[LH_SFT], "reason", "unsafe_sft_category");
	size_t untrue = count_of(c, LH_SFT, "quality_score", "accepted", false);
	size_t bad = count_of(c, LH_RAG, "source_category", "rejected", true);

	if (check_count(c, "sft holds nothing that was not accepted", 0, untrue) < 0 ||
	    check_count(c, "sft has 5 samples", 5, c->samples[LH_SFT].n) < 0 ||
	    check_count(c, "sft keeps 6 unsafe ones in quarantine", 6, unsafe) < 0 ||
	    check_count(c, "rag holds nothing that was rejected", 0, bad) < 0 ||
	    check_count(c, "rag has 7 samples", 7, c->samples[LH_RAG].n) < 0 ||
	    check_pairs(c) < 0)
		return -1;
	return check_accounts(c);
}
