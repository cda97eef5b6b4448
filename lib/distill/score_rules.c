/* score_rules.c - the rules, a table for each source.  See score.h. */
#include "base/utf8.h"
#include "score_parts.h"

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

	(void)r;
	(void)found;
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
	(void)s;
	(void)rec;
	(void)r;
	(void)found;
	return true;
}

TEST(stream)
{
	(void)rec;
	(void)r;
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

const struct lh_score_rule *lh_score_rules(enum lh_stream st)
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
