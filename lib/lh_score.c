/* lh_score.c - the rules, and the scored run that tells what they said.  See lh_score.h. */
#include "lh_score.h"

#include <stdio.h>
#include <stdlib.h>

#include "lh_ascii.h"
#include "lh_digest.h"
#include "lh_hashset.h"
#include "lh_mem.h"
#include "lh_schema.h"

struct lh_scorer {
	struct lh_buf path;	/* the unescaped source_file, ... */
	struct lh_str stem;	/* ... and the stem in it */
	struct lh_buf text;	/* an unescaped string that a rule looks at */
	struct lh_buf reason;
	struct lh_buf list;	/* the reasons as JSON */
	struct lh_buf jcs;
	const struct lh_schema *schema;
};

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

/* ---- the rules ---- */

/*
 * A rule holds when its test says 1 (0: it does not, -1: memory is out).  Behind
 * a reason that ends in "=" goes what the test found.  The last rule of a table
 * always holds.
 */
struct rule {
	int (*test)(struct lh_scorer *s, const struct lh_record *rec, const struct rule *r, struct lh_str *found, struct lh_err *err);
	const char *arg;	/* of the test */
	unsigned least, most;	/* of an attempt; most 0: no bound */
	unsigned above;
	enum lh_category category;
	const char *reason;
	const char *also;	/* a reason more, or NULL */
};

/* What a marker has to be: the text behind what it begins with, or NULL. */
typedef const char *marker_fn(const struct lh_str *m, const struct rule *r);

/* The first marker of the list that fits: 1, or 0, or -1. */
static int find_in(struct lh_scorer *s, const struct lh_record *rec, const char *list, marker_fn *fits, const struct rule *r,
		   struct lh_str *found, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, list);
	struct lh_iter it;
	struct lh_str m;
	const char *p;

	if (!v || v->type != LH_ARRAY)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		if (it.val.type != LH_STRING)
			continue;
		lh_buf_reset(&s->text);
		if (lh_value_str(&it.val, &s->text, &m, err) < 0)
			return -1;
		p = fits(&m, r);
		if (p) {
			*found = (struct lh_str){ p, (size_t)(m.p + m.n - p) };
			return 1;
		}
	}
	return 0;
}

static int find_in_either(struct lh_scorer *s, const struct lh_record *rec, marker_fn *fits, const struct rule *r,
			  struct lh_str *found, struct lh_err *err)
{
	int rc = find_in(s, rec, "success_markers", fits, r, found, err);

	return rc ? rc : find_in(s, rec, "failure_markers", fits, r, found, err);
}

static bool begins(const struct lh_str *m, const char *with, size_t n)
{
	return m->n >= n && !memcmp(m->p, with, n);
}

static bool ends(const struct lh_str *m, const char *with, size_t n)
{
	return m->n >= n && !memcmp(m->p + m->n - n, with, n);
}

static const char *any(const struct lh_str *m, const struct rule *r)
{
	(void)r;
	return m->p;
}

static const char *equal(const struct lh_str *m, const struct rule *r)
{
	size_t n = strlen(r->arg);

	return m->n == n && begins(m, r->arg, n) ? m->p : NULL;
}

static const char *ending(const struct lh_str *m, const struct rule *r)
{
	return ends(m, r->arg, strlen(r->arg)) ? m->p : NULL;
}

#define SEVERITY "audit_severity_"
#define ATTEMPT "accepted_on_attempt_"

static const char *of_severity(const struct lh_str *m, const struct rule *r)
{
	size_t n = strlen(SEVERITY);

	return begins(m, SEVERITY, n) && m->n == n + strlen(r->arg) && ends(m, r->arg, strlen(r->arg)) ? m->p + n : NULL;
}

/* An integer from 1 on, as it would be written; of any length. */
static const char *of_attempt(const struct lh_str *m, const struct rule *r)
{
	size_t i, n = strlen(ATTEMPT);

	(void)r;
	if (!begins(m, ATTEMPT, n) || m->n == n || m->p[n] == '0')
		return NULL;
	for (i = n; i < m->n; i++)
		if (m->p[i] < '0' || m->p[i] > '9')
			return NULL;
	return m->p + n;
}

#define TEST(name) static int name(struct lh_scorer *s, const struct lh_record *rec, const struct rule *r, struct lh_str *found, struct lh_err *err)

/* The first marker of an attempt speaks, whatever its number. */
TEST(attempt)
{
	int rc = find_in(s, rec, "success_markers", of_attempt, r, found, err);
	unsigned n;

	if (rc <= 0)
		return rc;
	n = found->n == 1 ? (unsigned)(*found->p - '0') : 10;
	return n >= r->least && (!r->most || n <= r->most);
}

TEST(severity)
{
	return find_in_either(s, rec, of_severity, r, found, err);
}

TEST(marker)
{
	return find_in_either(s, rec, equal, r, found, err);
}

TEST(marker_ending)
{
	return find_in_either(s, rec, ending, r, found, err);
}

TEST(success)
{
	return find_in(s, rec, "success_markers", equal, r, found, err);
}

TEST(failure)
{
	return find_in(s, rec, "failure_markers", any, r, found, err);
}

TEST(verdict)
{
	const struct lh_value *v = lh_record_get(rec, "observer_verdict");

	(void)s;
	(void)err;
	*found = (struct lh_str){ r->arg, strlen(r->arg) };
	return v && v->type == LH_STRING && lh_value_is(v, found->p, found->n);
}

static int above(const struct lh_value *v, const struct rule *r, struct lh_str *found)
{
	if (v->type != LH_NUMBER)
		return 0;
	*found = (struct lh_str){ v->p, v->n };
	return lh_value_f64(v) > r->above;
}

TEST(number_above)
{
	const struct lh_value *v = lh_record_get(rec, r->arg);

	(void)s;
	(void)err;
	return v && above(v, r, found);
}

TEST(metadata_above)
{
	const struct lh_value *meta = lh_record_get(rec, "metadata");
	struct lh_value v;

	(void)s;
	(void)err;
	return meta && lh_value_get(meta, r->arg, &v) && above(&v, r, found);
}

TEST(blank_text)
{
	const struct lh_value *v = lh_record_get(rec, "text");
	struct lh_str text;

	(void)r;
	(void)found;
	if (!v || v->type != LH_STRING)
		return 1;
	if (v->p[1] != ' ' && v->p[1] != '\\')
		return v->n == 2;
	lh_buf_reset(&s->text);
	if (lh_value_str(v, &s->text, &text, err) < 0)
		return -1;
	return !lh_trim(text.p, text.n).n;
}

TEST(always)
{
	(void)s;
	(void)rec;
	(void)r;
	(void)found;
	(void)err;
	return 1;
}

TEST(stem)
{
	(void)rec;
	(void)r;
	(void)err;
	*found = s->stem;
	return 1;
}

#define REVIEW LH_NEEDS_HUMAN_REVIEW
#define PARTIAL LH_PARTIALLY_ACCEPTED

static const struct rule scrum_reviews[] = {
	{ attempt, .least = 1, .most = 1, .category = LH_ACCEPTED, .reason = "accepted_on_attempt=" },
	{ attempt, .least = 2, .most = 3, .category = PARTIAL, .reason = "accepted_on_attempt=" },
	{ attempt, .least = 4, .category = PARTIAL, .reason = "accepted_on_attempt=", .also = "high_cost=true" },
	{ always, .category = REVIEW, .reason = "no_accept_marker" },
};

static const struct rule observer_reviews[] = {
	{ verdict, "accept", .category = LH_ACCEPTED, .reason = "observer_verdict=" },
	{ verdict, "reject", .category = LH_REJECTED, .reason = "observer_verdict=" },
	{ verdict, "cycle", .category = PARTIAL, .reason = "observer_verdict=" },
	{ always, .category = REVIEW, .reason = "observer_verdict_missing" },
};

static const struct rule audits[] = {
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

static const struct rule contract_analyses[] = {
	{ failure, .category = LH_REJECTED, .reason = "failure_marker=" },
	{ verdict, "reject", .category = LH_REJECTED, .reason = "observer_verdict=" },
	{ verdict, "accept", .category = LH_ACCEPTED, .reason = "observer_verdict=" },
	{ verdict, "cycle", .category = PARTIAL, .reason = "observer_verdict=" },
	{ always, .category = REVIEW, .reason = "observer_verdict_missing" },
};

static const struct rule auto_apply[] = {
	{ success, "committed", .category = LH_ACCEPTED, .reason = "action=" },
	{ marker_ending, "_reverted", .category = LH_REJECTED, .reason = "action=" },
	{ always, .category = REVIEW, .reason = "no_terminal_action" },
};

static const struct rule outcomes[] = {
	{ metadata_above, "gap_signals", .above = 0, .category = PARTIAL, .reason = "gap_signals=" },
	{ success, "all_events_ok", .category = LH_ACCEPTED, .reason = "all_events_ok=true" },
	{ always, .category = REVIEW, .reason = "events_incomplete" },
};

static const struct rule mode_experiments[] = {
	{ blank_text, .category = LH_REJECTED, .reason = "empty_text" },
	{ number_above, "latency_ms", .above = 120000, .category = PARTIAL, .reason = "latency_ms=" },
	{ always, .category = REVIEW, .reason = "no_verdict_marker" },
};

static const struct rule extractions[] = {
	{ stem, .category = REVIEW, .reason = "extraction_class=" },
};

static const struct rule *rules_of(enum lh_stem st)
{
	switch (st) {
	case LH_SCRUM_REVIEWS:
		return scrum_reviews;
	case LH_OBSERVER_REVIEWS:
		return observer_reviews;
	case LH_AUDITS:
		return audits;
	case LH_CONTRACT_ANALYSES:
		return contract_analyses;
	case LH_AUTO_APPLY:
		return auto_apply;
	case LH_OUTCOMES:
		return outcomes;
	case LH_MODE_EXPERIMENTS:
		return mode_experiments;
	default:
		return extractions;
	}
}

/* ---- judging ---- */

struct lh_scorer *lh_scorer_new(struct lh_err *err)
{
	struct lh_scorer *s = lh_calloc(1, sizeof *s, err);

	if (!s)
		return NULL;
	lh_buf_init(&s->path, LH_BUF_NOMAX);
	lh_buf_init(&s->text, LH_BUF_NOMAX);
	lh_buf_init(&s->reason, LH_BUF_NOMAX);
	lh_buf_init(&s->list, LH_BUF_NOMAX);
	lh_buf_init(&s->jcs, LH_BUF_NOMAX);
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

/* Append a violation to a text that takes as much as an error does. */
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
	const struct lh_value whole = { .p = evidence->line, .n = evidence->len, .type = LH_OBJECT };
	char why[sizeof err->msg];
	long n;

	why[0] = '\0';
	lh_buf_reset(&s->text);
	n = lh_schema_check(s->schema, &whole, &s->text, on_violation, why, err);
	return n > 0 ? lh_err_set(err, LH_EDATA, "%s", why) : (int)n;
}

static int find_stem(struct lh_scorer *s, const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_value *from = lh_record_get(rec, "provenance");
	struct lh_value file;
	struct lh_str path;

	s->stem = (struct lh_str){ "", 0 };
	if (!from || !lh_value_get(from, "source_file", &file) || file.type != LH_STRING)
		return 0;
	lh_buf_reset(&s->path);
	if (lh_value_str(&file, &s->path, &path, err) < 0)
		return -1;
	s->stem = lh_stem_text(path.p, path.n);
	return 0;
}

int lh_score_judge(struct lh_scorer *s, const struct lh_record *evidence, struct lh_judged *got, struct lh_err *err)
{
	struct lh_str found = { "", 0 };
	const struct rule *r;
	int rc;

	if (find_stem(s, evidence, err) < 0)
		return -1;
	r = rules_of(lh_stem_read(s->stem.p, s->stem.n));
	while (!(rc = r->test(s, evidence, r, &found, err)))
		r++;
	if (rc < 0)
		return -1;
	lh_buf_reset(&s->reason);
	lh_buf_puts(&s->reason, r->reason);
	if (r->reason[strlen(r->reason) - 1] == '=')
		lh_buf_add(&s->reason, found.p, found.n);
	if (lh_buf_check(&s->reason, err) < 0)
		return -1;
	got->category = r->category;
	got->reason[0] = (struct lh_str){ s->reason.p, s->reason.len };
	got->reasons = 1;
	if (r->also)
		got->reason[got->reasons++] = (struct lh_str){ r->also, strlen(r->also) };
	return 0;
}

/* ---- the scored run ---- */

/* What a scored run takes from its evidence. */
struct source {
	struct lh_value run_id, task_id;
	struct lh_value file, offset, sig, recorded_at;
};

static int take(const struct lh_record *rec, const char *name, enum lh_type type, struct lh_value *out, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(rec, name);

	if (!v || v->type != type)
		return lh_err_set(err, LH_EDATA, "%s: missing", name);
	*out = *v;
	return 0;
}

static int take_from(const struct lh_value *from, const char *name, enum lh_type type, struct lh_value *out, struct lh_err *err)
{
	if (!lh_value_get(from, name, out) || out->type != type)
		return lh_err_set(err, LH_EDATA, "provenance.%s: missing", name);
	return 0;
}

static int find_source(const struct lh_record *rec, struct source *src, struct lh_err *err)
{
	struct lh_value from;

	if (take(rec, "run_id", LH_STRING, &src->run_id, err) < 0 ||
	    take(rec, "task_id", LH_STRING, &src->task_id, err) < 0 ||
	    take(rec, "provenance", LH_OBJECT, &from, err) < 0 ||
	    take_from(&from, "source_file", LH_STRING, &src->file, err) < 0 ||
	    take_from(&from, "line_offset", LH_NUMBER, &src->offset, err) < 0 ||
	    take_from(&from, "sig_hash", LH_STRING, &src->sig, err) < 0)
		return -1;
	return take_from(&from, "recorded_at", LH_STRING, &src->recorded_at, err);
}

#define PUTS(b, text) lh_buf_add(b, text, sizeof text - 1)

static void put(struct lh_buf *out, const struct lh_value *v)
{
	lh_buf_add(out, v->p, v->n);
}

/* A string as JCS has it: without escapes it is that already. */
static int put_jcs(struct lh_scorer *s, const struct lh_value *v, struct lh_err *err)
{
	struct lh_str text;

	if (!v->escaped) {
		put(&s->jcs, v);
		return 0;
	}
	lh_buf_reset(&s->text);
	if (lh_value_str(v, &s->text, &text, err) < 0)
		return -1;
	lh_buf_json(&s->jcs, text.p, text.n);
	return 0;
}

/* The hash in hex; s->list holds the reasons.  The keys stand sorted. */
static int sign(struct lh_scorer *s, const struct source *src, enum lh_category category, char hex[LH_SHA256_HEX], struct lh_err *err)
{
	unsigned char hash[32];

	lh_buf_reset(&s->jcs);
	PUTS(&s->jcs, "{\"category\":\"");
	lh_buf_puts(&s->jcs, lh_category_name(category));
	PUTS(&s->jcs, "\",\"evidence_sig\":");
	if (put_jcs(s, &src->sig, err) < 0)
		return -1;
	PUTS(&s->jcs, ",\"reasons\":");
	lh_buf_add(&s->jcs, s->list.p, s->list.len);
	PUTS(&s->jcs, ",\"run_id\":");
	if (put_jcs(s, &src->run_id, err) < 0)
		return -1;
	PUTS(&s->jcs, ",\"scorer_version\":\"" LH_SCORER_VERSION "\",\"task_id\":");
	if (put_jcs(s, &src->task_id, err) < 0)
		return -1;
	PUTS(&s->jcs, "}");
	if (lh_buf_check(&s->jcs, err) < 0)
		return -1;
	lh_sha256(s->jcs.p, s->jcs.len, hash);
	lh_hex(hash, sizeof hash, hex);
	return 0;
}

static int list_reasons(struct lh_scorer *s, const struct lh_judged *got, struct lh_err *err)
{
	size_t i;

	lh_buf_reset(&s->list);
	for (i = 0; i < got->reasons; i++) {
		lh_buf_putc(&s->list, i ? ',' : '[');
		lh_buf_json(&s->list, got->reason[i].p, got->reason[i].n);
	}
	lh_buf_putc(&s->list, ']');
	return lh_buf_check(&s->list, err);
}

static void put_provenance(struct lh_buf *out, const struct source *src)
{
	PUTS(out, ",\"provenance\":{\"source_file\":");
	put(out, &src->file);
	PUTS(out, ",\"line_offset\":");
	put(out, &src->offset);
	PUTS(out, ",\"sig_hash\":");
	put(out, &src->sig);
	PUTS(out, ",\"recorded_at\":");
	put(out, &src->recorded_at);
	PUTS(out, "}");
}

int lh_score_one(struct lh_scorer *s, const struct lh_record *evidence, const char *scored_at,
		 enum lh_category *category, struct lh_buf *out, struct lh_err *err)
{
	char hex[LH_SHA256_HEX];
	struct lh_judged got;
	struct source src;

	if (find_source(evidence, &src, err) < 0 || lh_score_judge(s, evidence, &got, err) < 0 ||
	    list_reasons(s, &got, err) < 0 || sign(s, &src, got.category, hex, err) < 0)
		return -1;
	PUTS(out, "{\"schema_version\":1,\"evidence_run_id\":");
	put(out, &src.run_id);
	PUTS(out, ",\"evidence_task_id\":");
	put(out, &src.task_id);
	PUTS(out, ",\"category\":\"");
	lh_buf_puts(out, lh_category_name(got.category));
	PUTS(out, "\",\"reasons\":");
	lh_buf_add(out, s->list.p, s->list.len);
	PUTS(out, ",\"scored_at\":");
	if (scored_at)
		lh_buf_json(out, scored_at, strlen(scored_at));
	else
		put(out, &src.recorded_at);
	PUTS(out, ",\"scorer_version\":\"" LH_SCORER_VERSION "\",\"sub_scores\":{\"scored_sig\":\"");
	lh_buf_add(out, hex, sizeof hex);
	PUTS(out, "\"}");
	put_provenance(out, &src);
	PUTS(out, "}");
	if (category)
		*category = got.category;
	return 0;
}

/* ---- what is on file ---- */

/* A string that seldom has escapes: *scratch is used only then. */
static int text_of(const struct lh_value *from, const char *name, struct lh_buf *scratch, struct lh_str *text, struct lh_err *err)
{
	struct lh_value v;

	return take_from(from, name, LH_STRING, &v, err) < 0 ? -1 : lh_value_str(&v, scratch, text, err);
}

int lh_score_sig(const struct lh_record *rec, unsigned char sig[32], enum lh_stem *stem, struct lh_err *err)
{
	struct lh_str hex, path;
	struct lh_value from;
	struct lh_buf scratch;
	int rc;

	if (take(rec, "provenance", LH_OBJECT, &from, err) < 0)
		return -1;
	lh_buf_init(&scratch, LH_BUF_NOMAX);
	rc = text_of(&from, "sig_hash", &scratch, &hex, err);
	if (!rc && !lh_unhex(hex.p, hex.n, sig))
		rc = lh_err_set(err, LH_EDATA, "provenance.sig_hash: expected 64 lowercase hex digits");
	if (!rc && (rc = text_of(&from, "source_file", &scratch, &path, err)) == 0)
		*stem = lh_stem_of(path.p, path.n);
	lh_buf_free(&scratch);
	return rc;
}

int lh_scored_read(const struct lh_record *run, struct lh_scored *got, struct lh_err *err)
{
	struct lh_value v;

	if (lh_score_sig(run, got->sig, &got->stem, err) < 0 || take(run, "category", LH_STRING, &v, err) < 0)
		return -1;
	got->category = lh_category_read(&v);
	if (got->category == LH_CATEGORY_NONE)
		return lh_err_set(err, LH_EDATA, "category: unknown");
	if (take(run, "scorer_version", LH_STRING, &v, err) < 0)
		return -1;
	got->current = lh_value_is(&v, LH_SCORER_VERSION, strlen(LH_SCORER_VERSION));
	return 0;
}
