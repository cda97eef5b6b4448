/* acceptance_check.c - the 22 invariants. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "schema/schema.h"
#include "acceptance.h"
#include "base/mem.h"
#include "distill.h"
#include "distill/evidence.h"
#include "distill/sample.h"
#include "file/file.h"
#include "json/bind.h"
#include "json/write.h"

/* ---- the files of a run, in memory ---- */

/*
 * A table has the records of one file or of all files below a folder, in the order
 * of their paths; a line that is not a record is an error.  Free it in any case.
 */

struct table {			/* zeroed: empty */
	struct lh_buf text;
	struct lh_record *row;
	size_t n, cap;
};

void table_free(struct table *t);

/* A file that does not exist has no rows. */
int table_file(struct table *t, const struct lh_root *root, const char *relpath,
	       struct lh_err *err);
int table_below(struct table *t, const struct lh_root *root, const char *folder,
		struct lh_err *err);

/* Return the first record whose field is a string equal to the value v; NULL. */
const struct lh_record *table_find(const struct table *t, const char *field,
				   const struct lh_value *v);

/* Return whether the record's field is the string s. */
bool row_is(const struct lh_record *r, const char *field, const char *s);

/* Count the rows whose field is the string s. */
size_t table_count(const struct table *t, const char *field, const char *s);

void table_free(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		lh_record_free(&t->row[i]);
	free(t->row);
	lh_buf_free(&t->text);
}

struct reading {
	struct table *t;
	const struct lh_root *root;
	struct lh_buf file;
};

static int add_file(void *ctx, const char *relpath, struct lh_err *err)
{
	struct reading *r = ctx;
	LH_SCOPED(lh_free_local) char *path = lh_root_join(r->root, relpath);
	int rc = lh_file_read(path, &r->file, err);

	if (rc <= 0)
		return rc;
	lh_buf_add(&r->t->text, r->file.p, r->file.len);
	lh_buf_putc(&r->t->text, '\n');
	return 0;
}

/* Records point into the text, which must not move from here on. */
static int parse(struct table *t, const char *what, struct lh_err *err)
{
	struct lh_str rest = { t->text.p, t->text.len }, line;

	while (lh_next_line(&rest, &line)) {
		if (!line.n)
			continue;
		lh_grow(&t->row, &t->cap, t->n + 1, sizeof *t->row);
		lh_record_init(&t->row[t->n++]);
		if (lh_record_parse(&t->row[t->n - 1], line.p, line.n, err) < 0) {
			if (err->code == LH_EDATA)
				err->code = LH_ECORRUPT;
			return lh_err_prefix(err, "%s", what);
		}
	}
	return 0;
}

static int fill(struct table *t, const struct lh_root *root, const char *what, bool folder,
		struct lh_err *err)
{
	struct reading r = { .t = t, .root = root };
	int rc = folder ? lh_root_each(root, what, add_file, &r, err) : add_file(&r, what, err);

	lh_buf_free(&r.file);
	return rc || !t->text.len ? rc : parse(t, what, err);
}

int table_file(struct table *t, const struct lh_root *root, const char *relpath, struct lh_err *err)
{
	return fill(t, root, relpath, false, err);
}

int table_below(struct table *t, const struct lh_root *root, const char *folder, struct lh_err *err)
{
	return fill(t, root, folder, true, err);
}

const struct lh_record *table_find(const struct table *t, const char *field,
				   const struct lh_value *v)
{
	const struct lh_value *of;
	size_t i;

	for (i = 0; v && i < t->n; i++) {
		of = lh_record_get(&t->row[i], field);
		if (of && lh_value_equal(of, v))
			return &t->row[i];
	}
	return NULL;
}

bool row_is(const struct lh_record *r, const char *field, const char *s)
{
	const struct lh_value *v = r ? lh_record_get(r, field) : NULL;

	return v && lh_value_is(v, s, strlen(s));
}

size_t table_count(const struct table *t, const char *field, const char *s)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += row_is(&t->row[i], field, s);
	return n;
}

/* ---- the check ---- */

struct check {
	struct acceptance *a;
	struct table evidence, skips, scored;
	struct table samples[LH_EXPORTERS], refused[LH_EXPORTERS];
	struct lh_buf source[LH_STREAMS];
	struct lh_record row;		/* of a source */
	struct lh_provenance from;	/* of the record whose row that is */
	struct lh_buf from_text, scratch, want, got;
};

/* Print the next invariant with want and got, which check_fresh empties. */
void check_fresh(struct check *c);
int check_tell(struct check *c, const char *name, bool passed);
int check_count(struct check *c, const char *name, uint64_t want, uint64_t got);

/* Append a value as it is, or null. */
void check_put(struct lh_buf *b, const struct lh_value *v);

/* Return how many rows do not match the schema. */
long check_invalid(struct check *c, const struct table *t, const char *schema);

/* Return the scored run of that evidence, or NULL. */
const struct lh_record *check_scored(const struct check *c, const struct lh_value *run_id);

/* Check invariants 13 to 20. */
int check_exports(struct check *c);

/* ---- exports and quarantine ---- */

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

/* ---- the invariants ---- */

/*
 * They are checked on the files of the first root after all three runs, so that
 * everything that a later run added shows in the counts.
 */

/* ---- output ---- */

/* Print the next invariant with c->want and c->got. */
int check_tell(struct check *c, const char *name, bool passed)
{
	lh_buf_putc(&c->want, '\0');
	lh_buf_putc(&c->got, '\0');
	return acceptance_tell(c->a, name, passed, c->want.p, c->got.p);
}

void check_fresh(struct check *c)
{
	lh_buf_reset(&c->want);
	lh_buf_reset(&c->got);
}

int check_count(struct check *c, const char *name, uint64_t want, uint64_t got)
{
	check_fresh(c);
	lh_buf_u64(&c->want, want);
	lh_buf_u64(&c->got, got);
	return check_tell(c, name, want == got);
}

/* Append a value as it is, or null. */
void check_put(struct lh_buf *b, const struct lh_value *v)
{
	if (v)
		lh_buf_add(b, v->p, v->n);
	else
		lh_buf_puts(b, "null");
}

static void ignore(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	(void)ctx;
	(void)field;
	(void)problem;
}

/* Return how many rows do not match the schema. */
long check_invalid(struct check *c, const struct table *t, const char *schema)
{
	const struct lh_schema *s = lh_schema_find(schema);
	long bad = 0;
	size_t i;

	for (i = 0; i < t->n; i++) {
		struct lh_value v = { t->row[i].line, t->row[i].len, LH_OBJECT, false };

		lh_buf_reset(&c->scratch);
		bad += lh_schema_check(s, &v, &c->scratch, ignore, NULL) > 0;
	}
	return bad;
}

/* ---- sources ---- */

static int read_sources(struct check *c, struct lh_err *err)
{
	int i, rc = 0;

	for (i = 0; i < LH_STREAMS && rc >= 0; i++) {
		char *path = lh_root_join(c->a->root[0], lh_stream_source((enum lh_stream)i));

		rc = lh_file_read(path, &c->source[i], err);
		free(path);
	}
	return rc < 0 ? -1 : 0;
}

/* Parse the line that a record came from into c->row: 1, 0 if there is none, -1. */
static int find_source(struct check *c, const struct lh_record *rec, struct lh_err *err)
{
	struct lh_provenance *from = &c->from;
	enum lh_stream stream = LH_STREAM_NONE;
	const char *p, *end, *lf;
	int64_t line;

	if (lh_provenance_read(rec, from, &c->from_text, err) < 0)
		return -1;
	line = from->line;
	if (from->source_file.p)
		stream = lh_stream_of(from->source_file.p, from->source_file.n);
	if (stream == LH_STREAM_NONE || !c->source[stream].len || line < 0)
		return 0;
	p = c->source[stream].p;
	end = p + c->source[stream].len;
	for (; (lf = memchr(p, '\n', (size_t)(end - p))) && line; p = lf + 1)
		line--;
	if (line || p == end)
		return 0;
	if (!lh_record_parse(&c->row, p, (size_t)((lf ? lf : end) - p), err))
		return 1;
	return err->code == LH_EDATA ? 0 : -1;
}

/* Check that the record's sig_hash is that of the line it came from: 1, 0, -1. */
static int same_hash(struct check *c, const struct lh_record *rec, struct lh_err *err)
{
	unsigned char hash[32];
	char hex[LH_SHA256_HEX];
	int rc = find_source(c, rec, err);

	if (rc <= 0)
		return rc;
	if (lh_sig_hash(&c->row, &c->scratch, hash, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;
	lh_hex(hash, sizeof hash, hex);
	return lh_str_is(c->from.sig_hash, hex, sizeof hex);
}

/* ---- collect ---- */

static int check_skips(struct check *c)
{
	static const char named[] = LH_JSON(["reviewed_at: missing"]);
	const struct lh_value *errors = c->skips.n ? lh_record_get(&c->skips.row[0], "errors")
		: NULL;

	if (check_count(c, "one row was skipped", 1, c->skips.n) < 0)
		return -1;
	check_fresh(c);
	lh_buf_puts(&c->want, named);
	check_put(&c->got, errors);
	return check_tell(c, "the skip names reviewed_at", errors && errors->n == sizeof named -
			  1 && !memcmp(errors->p, named, errors->n));
}

static int check_collect(struct check *c, struct lh_err *err)
{
	const struct table *t = &c->evidence;
	long bad = check_invalid(c, t, "evidence_record");
	size_t i, good = 0;
	int rc = 0;

	for (i = 0; i < t->n && rc >= 0; i++) {
		rc = same_hash(c, &t->row[i], err);
		good += rc > 0;
	}
	if (rc < 0 || check_count(c, "collect wrote 14 records of evidence", 14, t->n) < 0 ||
	    check_skips(c) < 0 ||
	    check_count(c, "all evidence is valid", t->n, t->n - (size_t)bad) < 0)
		return -1;
	return check_count(c, "all evidence says which line it came from, and has its hash", t->n,
			   good);
}

/* ---- score ---- */

const struct lh_record *check_scored(const struct check *c, const struct lh_value *run_id)
{
	return table_find(&c->scored, "evidence_run_id", run_id);
}

static const struct lh_value *category_of(const struct check *c, const struct lh_record *evidence)
{
	const struct lh_record *s = evidence ? check_scored(c, lh_record_get(evidence, "run_id"))
		: NULL;

	return s ? lh_record_get(s, "category") : NULL;
}

struct split {
	bool fired;
};

static const struct lh_bind metadata_members[] = {
	{ LH_BIND_BOOL("tree_split_fired", struct split, fired), .lax = true },
	LH_BIND_END
};

struct split_review {
	struct split metadata;
};

static const struct lh_bind review_members[] = {
	{ LH_BIND_TABLE("metadata", struct split_review, metadata, metadata_members), .lax = true },
	LH_BIND_END
};

static bool is_split(const struct lh_record *r)
{
	struct split_review review = { .metadata.fired = false };
	struct lh_err err;

	return lh_bind(review_members, r, &review, NULL, &err) == 0 && review.metadata.fired;
}

struct finding {
	struct lh_value markers;
};

static const struct lh_bind finding_members[] = {
	{ LH_BIND_ARRAY("failure_markers", struct finding, markers), .lax = true },
	LH_BIND_END
};

static bool is_high(const struct lh_record *r)
{
	struct finding f = { .markers.p = NULL };
	struct lh_err err;
	struct lh_iter it;

	if (lh_bind(finding_members, r, &f, NULL, &err) < 0 || !f.markers.p)
		return false;
	for (lh_iter_init(&it, &f.markers); lh_iter_next(&it); )
		if (lh_value_is(&it.val, "audit_severity_high", 19))
			return true;
	return false;
}

static const struct lh_record *first(const struct table *t, bool (*is)(const struct lh_record *r))
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (is(&t->row[i]))
			return &t->row[i];
	return NULL;
}

static void put_long_text(struct lh_buf *b, const struct lh_value *category,
			  const struct lh_value *text)
{
	struct lh_writer json = lh_write_to(b);

	lh_write_object(&json, NULL);
	lh_write_key(&json, "category");
	check_put(b, category);
	lh_write_u64(&json, "text_bytes", text && text->n >= 2 ? text->n - 2 : 0);
	lh_write_end(&json);
}

static int check_split(struct check *c, struct lh_err *err)
{
	static const struct lh_value accepted = { "\"accepted\"", 10, LH_STRING, false };
	const struct lh_record *r = first(&c->evidence, is_split);
	const struct lh_value *text = r ? lh_record_get(r, "text") : NULL,
		*category = category_of(c, r), *whole = NULL;
	int rc = r ? find_source(c, r, err) : 0;

	if (rc < 0)
		return -1;
	if (rc)
		whole = lh_record_get(&c->row, "suggestions_preview");
	check_fresh(c);
	put_long_text(&c->want, &accepted, whole);
	put_long_text(&c->got, category, text);
	return check_tell(c, "the review of a split tree is accepted, with its full text",
		    category && lh_value_equal(category, &accepted) && whole && text &&
		    lh_value_equal(whole, text));
}

static int check_score(struct check *c, struct lh_err *err)
{
	const struct lh_value *high;

	if (check_count(c, "score made 14 scored runs", 14, c->scored.n) < 0 ||
	    check_count(c, "6 are accepted", 6,
			table_count(&c->scored, "category", "accepted")) < 0 ||
	    check_count(c, "4 are rejected", 4,
			table_count(&c->scored, "category", "rejected")) < 0 ||
	    check_count(c, "2 are partially accepted", 2,
			table_count(&c->scored, "category", "partially_accepted")) < 0 ||
	    check_count(c, "2 need a human", 2,
			table_count(&c->scored, "category", "needs_human_review")) < 0 ||
	    check_split(c, err) < 0)
		return -1;
	high = category_of(c, first(&c->evidence, is_high));
	check_fresh(c);
	lh_buf_puts(&c->want, "\"rejected\"");
	check_put(&c->got, high);
	return check_tell(c, "the high finding of an audit is rejected",
			  high && lh_value_is(high, "rejected", 8));
}

/* ---- receipts ---- */

static int is_valid(struct check *c, int run, const char *name, const char *schema,
		    struct lh_err *err)
{
	LH_SCOPED(lh_report_free) struct lh_report r;
	int rc;

	lh_report_init(&r);
	rc = report_read(&r, c->a->root[run == RUN_OTHER], c->a->run[run].run->id, name, schema,
			 err);
	return rc < 0 && err->code == LH_ECORRUPT ? 0 : rc;
}

static void put_hashes(struct lh_buf *b, const struct whole *w)
{
	struct lh_writer json = lh_write_to(b);
	int s;

	lh_write_object(&json, NULL);
	lh_write_text(&json, "run_hash", w->summary.run_hash);
	lh_write_array(&json, "output_hashes");
	for (s = 0; s < LH_STAGES; s++)
		lh_write_text(&json, NULL, w->stage[s].output_hash);
	lh_write_end(&json);
	lh_write_end(&json);
}

static bool same_hashes(const struct whole *a, const struct whole *b)
{
	bool same = !strcmp(a->summary.run_hash, b->summary.run_hash);
	int s;

	for (s = 0; s < LH_STAGES; s++)
		same &= !strcmp(a->stage[s].output_hash, b->stage[s].output_hash);
	return same;
}

static int check_runs(struct check *c, struct lh_err *err)
{
	const struct whole *w = c->a->run;
	uint64_t valid = 0;
	int run, s, rc = 0;

	for (run = 0; run < RUNS && rc >= 0; run++) {
		for (s = 0; s < LH_STAGES && rc >= 0; s++) {
			rc = is_valid(c, run, lh_stage_name((enum lh_stage)s), "stage_receipt",
				      err);
			valid += rc > 0;
		}
		if (rc >= 0)
			rc = is_valid(c, run, "summary", "run_summary", err);
		valid += rc > 0;
	}
	if (rc < 0 ||
	    check_count(c, "five receipts and the summary are valid, in each of three runs",
			(LH_STAGES + 1) * RUNS, valid) < 0)
		return -1;
	check_fresh(c);
	put_hashes(&c->want, &w[RUN_FIRST]);
	put_hashes(&c->got, same_hashes(&w[RUN_FIRST], &w[RUN_OTHER]) ? &w[RUN_AGAIN]
		   : &w[RUN_OTHER]);
	return check_tell(c,
			  "the same rows give the same hashes, in another root and once more in "
			  "the same",
		    same_hashes(&w[RUN_FIRST], &w[RUN_OTHER]) &&
		    same_hashes(&w[RUN_FIRST], &w[RUN_AGAIN]));
}

/* ---- all ---- */

static void check_free(struct check *c)
{
	int i;

	table_free(&c->evidence);
	table_free(&c->skips);
	table_free(&c->scored);
	for (i = 0; i < LH_EXPORTERS; i++) {
		table_free(&c->samples[i]);
		table_free(&c->refused[i]);
	}
	for (i = 0; i < LH_STREAMS; i++)
		lh_buf_free(&c->source[i]);
	lh_record_free(&c->row);
	lh_buf_free(&c->from_text);
	lh_buf_free(&c->scratch);
	lh_buf_free(&c->want);
	lh_buf_free(&c->got);
}

static int read_all(struct check *c, struct lh_err *err)
{
	const struct lh_root *root = c->a->root[0];
	int x;

	if (read_sources(c, err) < 0 || table_below(&c->evidence, root, LH_ROOT_EVIDENCE,
						    err) < 0 ||
	    table_file(&c->skips, root, LH_ROOT_SKIPS, err) < 0 ||
	    table_below(&c->scored, root, LH_ROOT_SCORED, err) < 0)
		return -1;
	for (x = 0; x < LH_EXPORTERS; x++)
		if (table_file(&c->samples[x], root, lh_exporter_output((enum lh_exporter)x),
			       err) < 0 ||
		    table_file(&c->refused[x], root, lh_exporter_quarantine((enum lh_exporter)x),
			       err) < 0)
			return -1;
	return 0;
}

int acceptance_check(struct acceptance *a, struct lh_err *err)
{
	struct check c = { .a = a };
	int rc = read_all(&c, err);

	if (!rc)
		rc = check_collect(&c, err) || check_score(&c, err) || check_exports(&c) ||
			check_runs(&c, err) ? -1 : 0;
	check_free(&c);
	return rc;
}
