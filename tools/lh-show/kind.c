/* kind.c - which members show the kind of a record.  See kind.h. */
#include "kind.h"

#include "cell.h"

const struct kind kinds[KIND_COUNT] = {
	{ "hits", "results.0.distance", "rank distance score corpus id metadata.*", "results" },
	{ "hits", "query results", "rank distance score corpus id metadata.*", "results" },
	{ "hits", "query_text results", "rank distance score corpus id metadata.*", "results" },
	{ "hits", "rank distance id", "query rank distance score corpus id metadata.*", NULL },
	{ "verdicts", "verdict.status",
	  "id kind to verdict.status verdict.error verdict.report.findings", NULL },
	{ "scores", "evidence_run_id category",
	  "evidence_run_id evidence_task_id category reasons scored_at", NULL },
	{ "evidence", "run_id task_id provenance",
	  "timestamp run_id task_id model_name observer_verdict text", NULL },
	{ "samples", "source_run_id quality_score", "id quality_score instruction response", NULL },
	{ "samples", "source_run_id success_score", "id success_score title tags content", NULL },
	{ "samples", "chosen rejected prompt", "id prompt chosen rejected reason", NULL },
	{ "chain", "prev_chain_hash row_hmac",
	  "ts candidate_id accessor.daemon accessor.kind accessor.purpose fields_accessed result",
	  NULL },
	{ "sessions", "session_id final_verdict",
	  "timestamp session_id kind model iterations final_verdict grounded_in_roster "
	  "duration_ms prompt", NULL },
	{ "workers", "name role", "candidate_id name role city state status skills certifications",
	  NULL },
	{ "errors", "error.message", "id error.file error.line error.code error.message", NULL },
	{ "plain", "", "*", NULL },
};

bool kind_exists(const char *name)
{
	size_t i;

	for (i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			return true;
	return false;
}

static bool has_all(const struct lh_value *v, const char *tells)
{
	struct lh_value found;
	size_t n;

	for (; *tells; tells += n + strspn(tells + n, " ")) {
		n = strcspn(tells, " ");
		if (!cell_at(v, tells, n, &found))
			return false;
	}
	return true;
}

const struct kind *kind_of(const struct lh_value *v, const char *name)
{
	const struct kind *k, *first = NULL;
	bool plain;

	for (k = kinds;; k++) {
		plain = !*k->tells;
		if (!name || !strcmp(k->name, name)) {
			first = first ? first : k;
			if (v->type == LH_OBJECT && has_all(v, k->tells))
				return k;
		}
		if (plain)
			return name ? first : k;
	}
}
