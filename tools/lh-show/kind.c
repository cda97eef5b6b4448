/* kind.c - which members show the kind of a record.  See show.h. */
#include "show.h"

const struct kind kinds[KIND_COUNT] = {
	{ KIND_HITS, "results.0.distance", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query results", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query_text results", "rank distance score corpus id metadata.*" },
	{ KIND_HITS, "query_text rank distance id",
	  "query_text rank distance score corpus id metadata.*" },
	{ KIND_HITS, "rank distance id", "query rank distance score corpus id metadata.*" },
	{ KIND_VERDICTS, "verdict.status",
	  "id kind to verdict.status verdict.error verdict.report.findings" },
	{ KIND_VERDICTS, "status findings", "status error findings" },
	{ KIND_VERDICTS, "status Schema.reason", "status error findings" },
	{ KIND_VERDICTS, "status Completeness.reason", "status error findings" },
	{ KIND_VERDICTS, "status Consistency.reason", "status error findings" },
	{ KIND_VERDICTS, "status Policy.reason", "status error findings" },
	{ KIND_SCORES, "evidence_run_id category",
	  "evidence_run_id evidence_task_id category reasons scored_at" },
	{ KIND_EVIDENCE, "run_id task_id provenance",
	  "timestamp run_id task_id model_name observer_verdict text" },
	{ KIND_SAMPLES, "source_run_id quality_score", "id quality_score instruction response" },
	{ KIND_SAMPLES, "source_run_id success_score", "id success_score title tags content" },
	{ KIND_SAMPLES, "chosen rejected prompt", "id prompt chosen rejected reason" },
	{ KIND_CHAIN, "prev_chain_hash row_hmac",
	  "ts candidate_id accessor.daemon accessor.kind accessor.purpose fields_accessed result" },
	{ KIND_SESSIONS, "session_id final_verdict",
	  "timestamp session_id kind model iterations final_verdict grounded_in_roster "
	  "duration_ms prompt" },
	{ KIND_OPERATIONS, "source endpoint success",
	  "timestamp source endpoint success duration_ms input_summary output_summary error" },
	{ KIND_WORKERS, "name role",
	  "candidate_id name role city state status skills certifications" },
	{ KIND_ERRORS, "error.message", "id error.file error.line error.code error.message" },
	{ KIND_PLAIN, "", "*" },
};

static bool has_all(const struct lh_value *v, const char *tells)
{
	struct lh_value found;
	size_t n;

	for (; *tells; tells += n + strspn(tells + n, " ")) {
		n = strcspn(tells, " ");
		if (!lh_value_at(v, tells, n, &found))
			return false;
	}
	return true;
}

const struct kind *kind_of(const struct lh_value *v, enum kind_name name)
{
	const struct kind *k, *first = NULL;

	for (k = kinds; *k->tells; k++)
		if (name == KIND_ANY || k->name == name) {
			first = first ? first : k;
			if (v->type == LH_OBJECT && has_all(v, k->tells))
				return k;
		}
	return name == KIND_ANY || !first ? k : first;
}
