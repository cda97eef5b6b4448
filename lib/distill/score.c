/* score.c - the rules, and the scored run.  See score.h. */
#include "score.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "schema/schema.h"
#include "base/mem.h"
#include "base/table.h"
#include "base/utf8.h"
#include "json/value.h"
#include "json/write.h"
#include "schema/schema_table.h"

static const char *const categories[LH_CATEGORIES] = {
	[LH_ACCEPTED] = "accepted",
	[LH_PARTIALLY_ACCEPTED] = "partially_accepted",
	[LH_REJECTED] = "rejected",
	[LH_NEEDS_HUMAN_REVIEW] = "needs_human_review",
};

const char *lh_category_name(enum lh_category c)
{
	return categories[c];
}

enum lh_category lh_category_read(const struct lh_value *v)
{
	int i;

	for (i = 0; v->type == LH_STRING && i < LH_CATEGORIES; i++)
		if (lh_value_is(v, categories[i], strlen(categories[i])))
			return (enum lh_category)i;
	return LH_CATEGORY_NONE;
}

struct lh_scorer {
	struct lh_buf path;	/* the unescaped source_file, ... */
	struct lh_str stream;	/* ... and the name of the stream in it */
	struct lh_buf text;	/* an unescaped string that a rule tests */
	struct lh_buf reason;
	struct lh_buf list;	/* the reasons as JSON */
	struct lh_buf jcs;	/* the text that scored_sig is the hash of */
	const struct lh_schema *schema;
};

/* A rule holds if its test returns true.  A reason that ends in "=" is followed by what the test
 * found.  The last rule of a table always holds. */
struct lh_score_rule {
	bool (*test)(struct lh_scorer *s, const struct lh_record *rec,
		     const struct lh_score_rule *r, struct lh_str *found);
	const char *arg;	/* of the test */
	unsigned least, most;	/* of an attempt; most 0: no bound */
	unsigned above;
	enum lh_category category;
	const char *reason;
	const char *also;	/* a second reason, or NULL */
};

/* ---- the rules, a table for each source ---- */

/* Tests a marker: returns the text after its prefix, or NULL. */
typedef const char *marker_fn(const struct lh_str *m, const struct lh_score_rule *r);

/* Find the first marker of the list that passes. */
static bool find_in(struct lh_scorer *s, const struct lh_record *rec, const char *list,
		    marker_fn *fits, const struct lh_score_rule *r, struct lh_str *found)
{
	const struct lh_value *v = lh_record_get(rec, list);
	struct lh_iter it;
	struct lh_str m;
	const char *p;

	if (!v || v->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (it.val.type != LH_STRING)
			continue;
		lh_buf_reset(&s->text);
		lh_value_str(&it.val, &s->text, &m);
		p = fits(&m, r);
		if (p) {
			*found = (struct lh_str){ p, (size_t)(m.p + m.n - p) };
			return true;
		}
	}
	return false;
}

static bool find_in_either(struct lh_scorer *s, const struct lh_record *rec, marker_fn *fits,
			   const struct lh_score_rule *r, struct lh_str *found)
{
	return find_in(s, rec, "success_markers", fits, r, found) ||
	       find_in(s, rec, "failure_markers", fits, r, found);
}

static bool begins_with(const struct lh_str *m, const char *with, size_t n)
{
	return m->n >= n && !memcmp(m->p, with, n);
}

static bool ends_with(const struct lh_str *m, const char *with, size_t n)
{
	return m->n >= n && !memcmp(m->p + m->n - n, with, n);
}

static const char *any(const struct lh_str *m, const struct lh_score_rule *r)
{
	(void)r;
	return m->p;
}

static const char *equal(const struct lh_str *m, const struct lh_score_rule *r)
{
	size_t n = strlen(r->arg);

	return m->n == n && begins_with(m, r->arg, n) ? m->p : NULL;
}

static const char *ending(const struct lh_str *m, const struct lh_score_rule *r)
{
	return ends_with(m, r->arg, strlen(r->arg)) ? m->p : NULL;
}

#define SEVERITY "audit_severity_"
#define ATTEMPT "accepted_on_attempt_"

static const char *of_severity(const struct lh_str *m, const struct lh_score_rule *r)
{
	size_t n = strlen(SEVERITY);

	return begins_with(m, SEVERITY, n) && m->n == n + strlen(r->arg) &&
		ends_with(m, r->arg, strlen(r->arg)) ? m->p + n : NULL;
}

/* Return the text of an integer from 1 on, in its usual form; of any length. */
static const char *of_attempt(const struct lh_str *m, const struct lh_score_rule *r)
{
	size_t i, n = strlen(ATTEMPT);

	(void)r;
	if (!begins_with(m, ATTEMPT, n) || m->n == n || m->p[n] == '0')
		return NULL;
	for (i = n; i < m->n; i++)
		if (m->p[i] < '0' || m->p[i] > '9')
			return NULL;
	return m->p + n;
}

#define TEST(name) \
	static bool name(struct lh_scorer *s, const struct lh_record *rec, \
			const struct lh_score_rule *r, struct lh_str *found)

/* The first marker of an attempt decides, whatever its number. */
TEST(attempt)
{
	unsigned n;

	if (!find_in(s, rec, "success_markers", of_attempt, r, found))
		return false;
	n = found->n == 1 ? (unsigned)(*found->p - '0') : 10;
	return n >= r->least && (!r->most || n <= r->most);
}

TEST(severity)
{
	return find_in_either(s, rec, of_severity, r, found);
}

TEST(marker)
{
	return find_in_either(s, rec, equal, r, found);
}

TEST(marker_ending)
{
	return find_in_either(s, rec, ending, r, found);
}

TEST(success)
{
	return find_in(s, rec, "success_markers", equal, r, found);
}

TEST(failure)
{
	return find_in(s, rec, "failure_markers", any, r, found);
}

TEST(verdict)
{
	const struct lh_value *v = lh_record_get(rec, "observer_verdict");

	(void)s;
	*found = (struct lh_str){ r->arg, strlen(r->arg) };
	return v && v->type == LH_STRING && lh_value_is(v, found->p, found->n);
}

static bool above(const struct lh_value *v, const struct lh_score_rule *r, struct lh_str *found)
{
	if (v->type != LH_NUMBER)
		return false;
	*found = (struct lh_str){ v->p, v->n };
	return lh_value_f64(v) > r->above;
}

TEST(number_above)
{
	const struct lh_value *v = lh_record_get(rec, r->arg);

	(void)s;
	return v && above(v, r, found);
}

TEST(metadata_above)
{
	const struct lh_value *meta = lh_record_get(rec, "metadata");
	struct lh_value v;

	(void)s;
	return meta && lh_value_get(meta, r->arg, &v) && above(&v, r, found);
}

TEST(blank_text)
{
	const struct lh_value *v = lh_record_get(rec, "text");
	struct lh_str text;

	(void)r, (void)found;
	if (!v || v->type != LH_STRING)
		return true;
	if (v->p[1] != ' ' && v->p[1] != '\\')
		return v->n == 2;
	lh_buf_reset(&s->text);
	lh_value_str(v, &s->text, &text);
	return !lh_trim(text.p, text.n).n;
}

TEST(always)
{
	(void)s, (void)rec, (void)r, (void)found;
	return true;
}

TEST(stream)
{
	(void)rec, (void)r;
	*found = s->stream;
	return true;
}

#define REVIEW LH_NEEDS_HUMAN_REVIEW
#define PARTIAL LH_PARTIALLY_ACCEPTED

static const struct lh_score_rule scrum_reviews[] = {
	{ attempt, .least = 1, .most = 1, .category = LH_ACCEPTED,
	  .reason = "accepted_on_attempt=" },
	{ attempt, .least = 2, .most = 3, .category = PARTIAL, .reason = "accepted_on_attempt=" },
	{ attempt, .least = 4, .category = PARTIAL, .reason = "accepted_on_attempt=",
	  .also = "high_cost=true" },
	{ always, .category = REVIEW, .reason = "no_accept_marker" },
};

static const struct lh_score_rule observer_reviews[] = {
	{ verdict, "accept", .category = LH_ACCEPTED, .reason = "observer_verdict=" },
	{ verdict, "reject", .category = LH_REJECTED, .reason = "observer_verdict=" },
	{ verdict, "cycle", .category = PARTIAL, .reason = "observer_verdict=" },
	{ always, .category = REVIEW, .reason = "observer_verdict_missing" },
};

static const struct lh_score_rule audits[] = {
	{ severity, "info", .category = LH_ACCEPTED, .reason = "severity=" },
	{ severity, "low", .category = LH_ACCEPTED, .reason = "severity=" },
	{ severity, "medium", .category = PARTIAL, .reason = "severity=" },
	{ severity, "high", .category = LH_REJECTED, .reason = "severity=" },
	{ severity, "critical", .category = LH_REJECTED, .reason = "severity=" },
	{ marker, "approved", .category = LH_ACCEPTED, .reason = "audit_verdict=" },
	{ marker, "request_changes", .category = PARTIAL, .reason = "audit_verdict=" },
	{ marker, "blocked", .category = LH_REJECTED, .reason = "audit_verdict=" },
	{ always, .category = REVIEW, .reason = "no_severity" },
};

static const struct lh_score_rule contract_analyses[] = {
	{ failure, .category = LH_REJECTED, .reason = "failure_marker=" },
	{ verdict, "reject", .category = LH_REJECTED, .reason = "observer_verdict=" },
	{ verdict, "accept", .category = LH_ACCEPTED, .reason = "observer_verdict=" },
	{ verdict, "cycle", .category = PARTIAL, .reason = "observer_verdict=" },
	{ always, .category = REVIEW, .reason = "observer_verdict_missing" },
};

static const struct lh_score_rule auto_apply[] = {
	{ success, "committed", .category = LH_ACCEPTED, .reason = "action=" },
	{ marker_ending, "_reverted", .category = LH_REJECTED, .reason = "action=" },
	{ always, .category = REVIEW, .reason = "no_terminal_action" },
};

static const struct lh_score_rule outcomes[] = {
	{ metadata_above, "gap_signals", .above = 0, .category = PARTIAL,
	  .reason = "gap_signals=" },
	{ success, "all_events_ok", .category = LH_ACCEPTED, .reason = "all_events_ok=true" },
	{ always, .category = REVIEW, .reason = "events_incomplete" },
};

static const struct lh_score_rule mode_experiments[] = {
	{ blank_text, .category = LH_REJECTED, .reason = "empty_text" },
	{ number_above, "latency_ms", .above = 120000, .category = PARTIAL,
	  .reason = "latency_ms=" },
	{ always, .category = REVIEW, .reason = "no_verdict_marker" },
};

static const struct lh_score_rule extractions[] = {
	{ stream, .category = REVIEW, .reason = "extraction_class=" },
};

static const struct lh_score_rule *rules_of(enum lh_stream st)
{
	static const struct lh_score_rule *const rules[LH_STREAMS] = {
		[LH_SCRUM_REVIEWS] = scrum_reviews, [LH_OBSERVER_REVIEWS] = observer_reviews,
		[LH_AUDITS] = audits, [LH_CONTRACT_ANALYSES] = contract_analyses,
		[LH_AUTO_APPLY] = auto_apply, [LH_OUTCOMES] = outcomes,
		[LH_MODE_EXPERIMENTS] = mode_experiments,
	};

	return st != LH_STREAM_NONE && rules[st] ? rules[st] : extractions;
}

/* ---- verdict ---- */

struct lh_scorer *lh_scorer_new(void)
{
	struct lh_scorer *s = lh_calloc(1, sizeof *s);

	s->schema = lh_schema_find("evidence_record");
	return s;
}

void lh_scorer_free(struct lh_scorer *s)
{
	if (!s)
		return;
	lh_buf_free(&s->path);
	lh_buf_free(&s->text);
	lh_buf_free(&s->reason);
	lh_buf_free(&s->list);
	lh_buf_free(&s->jcs);
	free(s);
}

/* Append a violation to a text of at most the length of an error message. */
static void on_violation(void *ctx, const struct lh_str *field, const struct lh_str *problem)
{
	const size_t size = sizeof ((struct lh_err *)NULL)->msg;
	char *why = ctx;
	size_t n = strlen(why);

	if (n + field->n + problem->n + 5 <= size)
		snprintf(why + n, size - n, "%s%.*s: %.*s", n ? "; " : "",
			 (int)field->n, field->p, (int)problem->n, problem->p);
}

int lh_score_check(struct lh_scorer *s, const struct lh_record *evidence, struct lh_err *err)
{
	char why[sizeof err->msg];

	why[0] = '\0';
	lh_buf_reset(&s->text);
	if (lh_schema_check_record(s->schema, evidence, &s->text, on_violation, why))
		return lh_err_set(err, LH_EDATA, "%s", why);
	return 0;
}

/* ---- provenance ---- */

const char *const lh_from_names[LH_FROMS] = {
	[LH_FROM_FILE] = "source_file", [LH_FROM_OFFSET] = "line_offset",
	[LH_FROM_SIG] = "sig_hash", [LH_FROM_RECORDED_AT] = "recorded_at",
};

void lh_from_read(const struct lh_record *rec, struct lh_from *from)
{
	const struct lh_value *v = lh_record_get(rec, "provenance");
	struct lh_iter it;
	int i, tries, next = 0;

	*from = (struct lh_from){ .all.p = NULL };
	if (!v || v->type != LH_OBJECT)
		return;
	from->all = *v;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		for (tries = 0; tries < LH_FROMS; tries++) {
			i = next;
			next = (next + 1) % LH_FROMS;	/* usually they are in this order */
			if (!lh_value_is(&it.key, lh_from_names[i], strlen(lh_from_names[i])))
				continue;
			from->v[i] = it.val;
			break;
		}
}

static bool has_from(const struct lh_from *from, int i)
{
	return from->v[i].p &&
	       from->v[i].type == (i == LH_FROM_OFFSET ? LH_NUMBER : LH_STRING);
}

static int check_from(const struct lh_from *from, struct lh_err *err)
{
	int i;

	for (i = 0; i < LH_FROMS; i++)
		if (!has_from(from, i))
			return lh_err_set(err, LH_EDATA, "provenance.%s: missing",
					  lh_from_names[i]);
	return 0;
}

static void find_stem(struct lh_scorer *s, const struct lh_from *from)
{
	const struct lh_value *file = &from->v[LH_FROM_FILE];
	struct lh_str path = { "", 0 };

	lh_buf_reset(&s->path);
	if (has_from(from, LH_FROM_FILE))
		lh_value_str(file, &s->path, &path);
	s->stream = lh_stream_text(path.p, path.n);
}

static void classify_evidence(struct lh_scorer *s, const struct lh_record *evidence,
			      const struct lh_from *from, struct lh_judged *got)
{
	struct lh_str found = { "", 0 };
	const struct lh_score_rule *r;

	find_stem(s, from);
	r = rules_of(lh_stream_read(s->stream.p, s->stream.n));
	while (!r->test(s, evidence, r, &found))
		r++;
	lh_buf_reset(&s->reason);
	lh_buf_puts(&s->reason, r->reason);
	if (r->reason[strlen(r->reason) - 1] == '=')
		lh_buf_add(&s->reason, found.p, found.n);
	got->category = r->category;
	got->reason[0] = (struct lh_str){ s->reason.p, s->reason.len };
	got->reasons = 1;
	if (r->also)
		got->reason[got->reasons++] = (struct lh_str){ r->also, strlen(r->also) };
}

void lh_score_judge(struct lh_scorer *s, const struct lh_record *evidence, struct lh_judged *got)
{
	struct lh_from from;

	lh_from_read(evidence, &from);
	classify_evidence(s, evidence, &from, got);
}

/* ---- the scored run ---- */

/* What a scored run takes from its evidence. */
struct source {
	struct lh_value run_id, task_id;
	struct lh_from from;
};

static int take_member(const struct lh_record *rec, const char *name, struct lh_value *out,
		       struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v || v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "%s: missing", name);
	*out = *v;
	return 0;
}

static int find_source(const struct lh_record *rec, struct source *src, struct lh_err *err)
{
	if (take_member(rec, "run_id", &src->run_id, err) < 0 ||
	    take_member(rec, "task_id", &src->task_id, err) < 0)
		return -1;
	lh_from_read(rec, &src->from);
	return check_from(&src->from, err);
}

void lh_write_plain(struct lh_writer *json, const char *name, const struct lh_value *v,
		    struct lh_buf *scratch)
{
	if (v->type == LH_STRING && v->escaped)
		lh_write_str(json, name, lh_value_text(v, scratch));
	else
		lh_write_value(json, name, v);
}

/* Append what is hashed for scored_sig to s->jcs; s->list has the reasons.  The
 * keys are in sorted order. */
static void put_decision(struct lh_scorer *s, const struct source *src, enum lh_category category)
{
	const struct lh_str reasons = { s->list.p, s->list.len };
	struct lh_writer json = lh_write_to(&s->jcs);

	lh_buf_reset(&s->jcs);
	lh_write_object(&json, NULL);
	lh_write_text(&json, "category", lh_category_name(category));
	lh_write_plain(&json, "evidence_sig", &src->from.v[LH_FROM_SIG], &s->text);
	lh_write_raw(&json, "reasons", reasons);
	lh_write_plain(&json, "run_id", &src->run_id, &s->text);
	lh_write_text(&json, "scorer_version", LH_SCORER_VERSION);
	lh_write_plain(&json, "task_id", &src->task_id, &s->text);
	lh_write_end(&json);
}

static void list_reasons(struct lh_scorer *s, const struct lh_judged *got)
{
	size_t i;

	lh_buf_reset(&s->list);
	for (i = 0; i < got->reasons; i++) {
		lh_buf_putc(&s->list, i ? ',' : '[');
		lh_buf_json(&s->list, got->reason[i].p, got->reason[i].n);
	}
	lh_buf_putc(&s->list, ']');
}

int lh_score_one(struct lh_scorer *s, const struct lh_record *evidence, const char *scored_at,
		 enum lh_category *category, struct lh_buf *out, struct lh_err *err)
{
	struct lh_writer json = lh_write_to(out);
	struct lh_judged got;
	struct source src;
	unsigned char hash[32];
	char hex[LH_SHA256_HEX];
	int i;

	if (find_source(evidence, &src, err) < 0)
		return -1;
	classify_evidence(s, evidence, &src.from, &got);
	list_reasons(s, &got);
	put_decision(s, &src, got.category);
	lh_write_object(&json, NULL);
	lh_write_u64(&json, "schema_version",
		     lh_schema_version(lh_schema_find("scored_run")));
	lh_write_value(&json, "evidence_run_id", &src.run_id);
	lh_write_value(&json, "evidence_task_id", &src.task_id);
	lh_write_text(&json, "category", lh_category_name(got.category));
	lh_write_raw(&json, "reasons", (struct lh_str){ s->list.p, s->list.len });
	if (scored_at)
		lh_write_text(&json, "scored_at", scored_at);
	else
		lh_write_value(&json, "scored_at", &src.from.v[LH_FROM_RECORDED_AT]);
	lh_write_text(&json, "scorer_version", LH_SCORER_VERSION);
	lh_write_object(&json, "sub_scores");
	lh_sha256(s->jcs.p, s->jcs.len, hash);
	lh_hex(hash, sizeof hash, hex);
	lh_write_str(&json, "scored_sig", (struct lh_str){ hex, sizeof hex });
	lh_write_end(&json);
	lh_write_object(&json, "provenance");
	for (i = 0; i < LH_FROMS; i++)
		lh_write_value(&json, lh_from_names[i], &src.from.v[i]);
	lh_write_end(&json);
	lh_write_end(&json);
	if (category)
		*category = got.category;
	return 0;
}

/* ---- what is on file ---- */

int lh_score_sig(const struct lh_record *rec, unsigned char sig[32], enum lh_stream *stream,
		 struct lh_err *err)
{
	struct lh_str hex, path;
	struct lh_buf scratch = { 0 };	/* for escapes, which are rare */
	struct lh_from from;
	int rc = 0;

	lh_from_read(rec, &from);
	if (check_from(&from, err) < 0)
		return -1;
	lh_value_str(&from.v[LH_FROM_SIG], &scratch, &hex);
	if (!lh_unhex(hex.p, hex.n, sig)) {
		rc = lh_err_set(err, LH_EDATA,
				"provenance.sig_hash: expected 64 lowercase hex digits");
	} else {
		lh_value_str(&from.v[LH_FROM_FILE], &scratch, &path);
		*stream = lh_stream_of(path.p, path.n);
	}
	lh_buf_free(&scratch);
	return rc;
}

int lh_scored_read(const struct lh_record *run, struct lh_scored *got, struct lh_err *err)
{
	struct lh_value v;

	if (lh_score_sig(run, got->sig, &got->stream, err) < 0 ||
	    take_member(run, "category", &v, err) < 0)
		return -1;
	got->category = lh_category_read(&v);
	if (got->category == LH_CATEGORY_NONE)
		return lh_err_set(err, LH_EDATA, "category: unknown");
	if (take_member(run, "scorer_version", &v, err) < 0)
		return -1;
	got->current = lh_value_is(&v, LH_SCORER_VERSION, strlen(LH_SCORER_VERSION));
	return 0;
}
