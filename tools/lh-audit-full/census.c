/*
 * census.c - read every row on disk, once, and find what it may not have.  See audit.h.
 *
 * Each line is parsed, on all cores, so that a damaged one is found wherever it is;
 * faulty rows are reported in order, the others are only counted.
 *
 * What a row may not have is the last layer of the firewall: it shares no decision with the
 * code that wrote the rows, and uses no schemas.  A row that lacks something counts as faulty.
 */
#include "audit.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "text/spelling.h"
#include "tool/records.h"
#include "crypto/digest.h"

#define BIT(finding) (1 << (finding))

/* Check a row that parses: its findings, as a set of bits.  It runs on several threads, each with
 * its own counts of categories and scratch. */
typedef int judge_fn(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch);

/* ---- what a row may not have ---- */

/* Return the fault of a row with that finding; begins with a space. */
static const char *finding_text(enum finding_id id)
{
	static const char *const text[FINDINGS] = {
		[FOUND_SCORED] = " category is none of the four",
		[FOUND_SFT] = " quality_score is neither accepted nor partially_accepted",
		[FOUND_RAG] = " success_score or source_category is rejected, or neither is there",
		[FOUND_SELF_PAIR] = " chosen_run_id and rejected_run_id do not name two runs",
		[FOUND_SAME_TEXT] = " chosen and rejected are not two texts",
		[FOUND_PROVENANCE] = " no provenance with a sig_hash of 64 lowercase hex digits",
	};

	return text[id];
}

static int judge_nothing(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch)
{
	(void)row, (void)category, (void)scratch;
	return 0;
}

static int judge_scored(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch)
{
	const struct lh_value *v = lh_record_get(row, "category");
	enum lh_category c = v ? lh_category_read(v) : LH_CATEGORY_NONE;

	(void)scratch;
	if (c == LH_CATEGORY_NONE)
		return BIT(FOUND_SCORED);
	category[c]++;
	return 0;
}

/* The rows are read without tables: this loop is over all that a root holds, and it costs
 * a third more with them.  Return a string member; NULL if there is none. */
static const struct lh_value *string_member(const struct lh_record *row, const char *name)
{
	const struct lh_value *v = lh_record_get(row, name);

	return v && v->type == LH_STRING ? v : NULL;
}

static bool is_string_equal(const struct lh_value *v, const char *text)
{
	return v && lh_value_is(v, text, strlen(text));
}

/* Return FOUND_PROVENANCE's bit, or 0. */
static int provenance_bit(const struct lh_record *row, struct lh_buf *scratch)
{
	const struct lh_value *from = lh_record_get(row, "provenance");
	unsigned char hash[32];
	struct lh_value sig;
	struct lh_str text;

	if (!from || !lh_value_get(from, "sig_hash", &sig) || sig.type != LH_STRING)
		return BIT(FOUND_PROVENANCE);
	lh_buf_reset(scratch);
	lh_value_str(&sig, scratch, &text);
	return lh_unhex(text.p, text.n, hash) ? 0 : BIT(FOUND_PROVENANCE);
}

/* Return whether the members are two different strings. */
static bool strings_differ(const struct lh_record *row, const char *one, const char *other)
{
	const struct lh_value *a = string_member(row, one), *b = string_member(row, other);

	return a && b && !lh_value_equal(a, b);
}

/* Return whether both are strings that a reader tells apart. */
static bool texts_differ(const struct lh_record *row, const char *one, const char *other,
			 struct lh_buf *scratch)
{
	LH_SCOPED(lh_buf_free) struct lh_buf plain = { 0 };
	const struct lh_value *v[2] = { string_member(row, one), string_member(row, other) };
	struct lh_str text;
	size_t i, n = 0;

	if (!v[0] || !v[1])
		return false;
	for (i = 0; i < 2; i++) {
		lh_buf_reset(scratch);
		n = plain.len;
		lh_value_str(v[i], scratch, &text);
		lh_text_plain(&plain, text);
	}
	return plain.len != 2 * n || memcmp(plain.p, plain.p + n, n) != 0;
}

static int judge_sft(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch)
{
	const struct lh_value *score = lh_record_get(row, "quality_score");
	const bool sound = is_string_equal(score, "accepted") ||
			   is_string_equal(score, "partially_accepted");

	(void)category;
	return provenance_bit(row, scratch) | (sound ? 0 : BIT(FOUND_SFT));
}

static int judge_rag(const struct lh_record *row, uint64_t *category, struct lh_buf *scratch)
{
	const struct lh_value *score = string_member(row, "success_score");
	const struct lh_value *from = string_member(row, "source_category");
	const bool sound = (score || from) && !is_string_equal(score, "rejected") &&
			   !is_string_equal(from, "rejected");

	(void)category;
	return provenance_bit(row, scratch) | (sound ? 0 : BIT(FOUND_RAG));
}

static int judge_preference(const struct lh_record *row, uint64_t *category,
			    struct lh_buf *scratch)
{
	const int same = texts_differ(row, "chosen", "rejected", scratch) ? 0
		: BIT(FOUND_SAME_TEXT);
	const int self = strings_differ(row, "chosen_run_id", "rejected_run_id") ? 0
		: BIT(FOUND_SELF_PAIR);

	(void)category;
	return provenance_bit(row, scratch) | same | self;
}

static judge_fn *const judge_export[LH_EXPORTERS] = {
	[LH_RAG] = judge_rag, [LH_SFT] = judge_sft, [LH_PREFERENCE] = judge_preference
};

/* ---- every row ---- */

/* One file that is being read. */
struct file {
	struct audit *a;
	const char *relpath;
	judge_fn *judge;
	int damaged;		/* set of the findings that an unreadable line counts as */
	uint64_t rows, category[LH_CATEGORIES];
};

/* One thread of those that read it. */
struct worker {
	struct file *file;
	uint64_t rows, category[LH_CATEGORIES];
	struct lh_buf scratch;
};

static int worker_init(void *context, void *ctx, struct lh_err *err)
{
	struct worker *w = context;

	(void)err;
	w->file = ctx;
	return 0;
}

static void worker_free(void *worker)
{
	struct worker *w = worker;
	int i;

	w->file->rows += w->rows;
	for (i = 0; i < LH_CATEGORIES; i++)
		w->file->category[i] += w->category[i];
	lh_buf_free(&w->scratch);
}

/* Process a row.  A faulty one goes to the sink: its set of findings is the result, and
 * its text, if it has one, says more. */
static int on_record(struct lh_record *row, void *found, struct lh_buf *out, void *worker,
		     struct lh_err *err)
{
	struct worker *w = worker;

	(void)out, (void)err;
	w->rows++;
	*(int *)found = w->file->judge(row, w->category, &w->scratch);
	return *(const int *)found != 0;
}

static void on_damage(const struct lh_bad_line *bad, void *found, struct lh_buf *out, void *worker)
{
	const struct lh_err *why = bad->why;
	struct worker *w = worker;

	w->rows++;
	*(int *)found = w->file->damaged;
	if (why->column)
		lh_buf_printf(out, "%zu:", why->column);
	lh_buf_putc(out, ' ');
	lh_buf_puts(out, why->msg);
}

static int on_fault(const struct lh_output *o, void *ctx, struct lh_err *err)
{
	const struct file *file = ctx;
	const char *text;
	int i;

	(void)err;
	for (i = 0; i < FINDINGS; i++) {
		struct finding *f = &file->a->census.found[i];

		if (!(*(const int *)o->result & BIT(i)))
			continue;
		f->rows++;
		if (f->first.len)
			continue;
		lh_buf_printf(&f->first, "%s:%llu:", file->relpath, (unsigned long long)o->line);
		text = o->n ? o->text : finding_text((enum finding_id)i);
		lh_buf_add(&f->first, text, o->n ? o->n : strlen(text));
	}
	return 0;
}

/* Record a file that could not be read at all as a finding, unless the audit must end. */
static int add_unreadable(struct audit *a, int damaged, struct lh_err *err)
{
	struct finding *f;
	int i;

	if (!check_is_finding(err))
		return -1;
	for (i = 0; i < FINDINGS; i++) {
		f = &a->census.found[i];
		if (damaged & BIT(i) && !f->first.len)
			lh_buf_puts(&f->first, check_reason(a, err));
	}
	return 0;
}

/* Read a file: 1, 0 if it does not exist, -1. */
static int read_file(struct file *file, struct lh_err *err)
{
	const struct lh_flow flow = {
		.fill = on_record, .result_size = sizeof(int), .bad = on_damage,
		.sink = on_fault, .shared = file,
		.jobs = file->a->tool->jobs, .max_line = file->a->tool->max_line,
		.tombstones = true,
		.context_size = sizeof(struct worker), .context_init = worker_init,
		.context_free = worker_free,
	};
	LH_SCOPED(lh_free_local) char *path = lh_root_join(file->a->root, file->relpath);
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		rc = 0;
	else
		rc = lh_flow_file(path, &flow, err) < 0 ? -1 : 1;
	file->a->census.read += file->rows;
	lh_tool_progress(file->a->tool, file->a->census.read);
	if (rc < 0 && add_unreadable(file->a, file->damaged, err) == 0)
		rc = 1;
	return rc;
}

static int on_evidence(void *ctx, const char *relpath, struct lh_err *err)
{
	struct audit *a = ctx;
	struct file file = {
		.a = a, .relpath = relpath, .judge = judge_nothing, .damaged = BIT(FOUND_EVIDENCE)
	};
	enum lh_stream stream = lh_stream_of(relpath, strlen(relpath));

	if (read_file(&file, err) < 0)
		return -1;
	a->census.evidence += file.rows;
	if (stream >= 0 && stream < TIER1)
		a->census.tier1 += file.rows;
	return 0;
}

static int on_scored(void *ctx, const char *relpath, struct lh_err *err)
{
	struct audit *a = ctx;
	struct file file = {
		.a = a, .relpath = relpath, .judge = judge_scored, .damaged = BIT(FOUND_SCORED)
	};
	int i;

	if (read_file(&file, err) < 0)
		return -1;
	for (i = 0; i < LH_CATEGORIES; i++)
		a->census.scored[i] += file.category[i];
	return 0;
}

static int read_tree(struct audit *a, const char *below, lh_root_fn *fn, int damaged,
		     struct lh_err *err)
{
	*err = (struct lh_err){ .code = LH_OK };
	return lh_root_all(a->root, below, fn, a, err) < 0 ? add_unreadable(a, damaged, err) : 0;
}

static int read_export(struct audit *a, enum lh_exporter x, struct lh_err *err)
{
	static const int damaged[LH_EXPORTERS] = {
		[LH_RAG] = BIT(FOUND_RAG) | BIT(FOUND_PROVENANCE),
		[LH_SFT] = BIT(FOUND_SFT) | BIT(FOUND_PROVENANCE),
		[LH_PREFERENCE] =
			BIT(FOUND_SELF_PAIR) | BIT(FOUND_SAME_TEXT) | BIT(FOUND_PROVENANCE),
	};
	struct file file = { .a = a,
			     .relpath = lh_exporter_output(x),
			     .judge = judge_export[x],
			     .damaged = damaged[x] };
	struct file refused = { .a = a,
				.relpath = lh_exporter_quarantine(x),
				.judge = judge_nothing,
				.damaged = BIT(FOUND_QUARANTINE) };
	int rc = read_file(&file, err);

	a->census.found_export[x] = rc > 0;
	a->census.exported[x] = file.rows;
	if (rc >= 0)
		rc = read_file(&refused, err);
	a->census.quarantined += refused.rows;
	return rc < 0 ? -1 : 0;
}

static void count_metrics(struct audit *a)
{
	struct census *c = &a->census;
	int i;

	for (i = 0; i < FINDINGS; i++)
		lh_buf_putc(&c->found[i].first, '\0');
	a->metric[P2_EVIDENCE_ROWS] = c->evidence;
	a->metric[P2_EVIDENCE_SKIPS] = c->skips;
	a->metric[P3_ACCEPTED] = c->scored[LH_ACCEPTED];
	a->metric[P3_HUMAN] = c->scored[LH_NEEDS_HUMAN_REVIEW];
	a->metric[P3_PARTIAL] = c->scored[LH_PARTIALLY_ACCEPTED];
	a->metric[P3_REJECTED] = c->scored[LH_REJECTED];
	a->metric[P4_PREF_PAIRS] = c->exported[LH_PREFERENCE];
	a->metric[P4_RAG_ROWS] = c->exported[LH_RAG];
	a->metric[P4_SFT_ROWS] = c->exported[LH_SFT];
	a->metric[P4_TOTAL_QUARANTINED] = c->quarantined;
}

int census_take(struct audit *a, struct lh_err *err)
{
	struct file skips = { .a = a,
			      .relpath = LH_ROOT_SKIPS,
			      .judge = judge_nothing,
			      .damaged = BIT(FOUND_EVIDENCE) };
	struct census *c = &a->census;
	int i;

	if (read_tree(a, LH_ROOT_EVIDENCE, on_evidence, BIT(FOUND_EVIDENCE), err) < 0 ||
	    read_file(&skips, err) < 0 ||
	    read_tree(a, LH_ROOT_SCORED, on_scored, BIT(FOUND_SCORED), err) < 0)
		return -1;
	c->skips = skips.rows;
	for (i = 0; i < LH_EXPORTERS; i++)
		if (read_export(a, (enum lh_exporter)i, err) < 0)
			return -1;
	count_metrics(a);
	return 0;
}

void census_free(struct census *c)
{
	int i;

	for (i = 0; i < FINDINGS; i++)
		lh_buf_free(&c->found[i].first);
}
