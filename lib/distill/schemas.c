/* schemas.c - the schemas of the records of distillation. */
#include "schemas.h"

#define F(field, of, ...) { .name = field, .len = sizeof field - 1, .type = LH_S_##of, __VA_ARGS__ }
#define MUST .must = true
#define AT_LEAST(n) .ranged = true, .least = n
#define WITHIN(a, b) .ranged = true, .least = a, .most = b
#define VERSION(n) F("schema_version", VERSION, MUST, .version = n)
#define PROVENANCE F("provenance", OBJECT, MUST, .in = lh_schema_provenance)
#define COUNT(name) F(name, INTEGER, MUST, AT_LEAST(0))
#define END { .name = NULL }

static const char *const roles[] = {
	"executor", "reviewer", "extractor", "verifier", "categorizer", "tiebreaker", "applier",
	"embedder", "other", NULL
};
static const char *const verdicts[] = { "accept", "reject", "cycle", NULL };
static const char *const categories[] = { "accepted", "partially_accepted", "rejected",
					  "needs_human_review", NULL };
static const char *const retrievable[] = { "accepted", "partially_accepted", "needs_human_review",
					   NULL };
static const char *const trainable[] = { "accepted", "partially_accepted", NULL };
static const char *const untrainable[] = { "rejected", "needs_human_review", NULL };
static const char *const outcomes[] = { "pass", "fail", "partial", "pending", NULL };

const struct lh_field lh_schema_provenance[] = {
	F("source_file", TEXT, MUST),
	COUNT("line_offset"),
	F("sig_hash", SHA256, MUST),
	F("recorded_at", TIME, MUST),
	END
};

static const struct lh_field retrieved[] = {
	F("matrix_corpora", TEXTS),
	F("matrix_hits", INTEGER, AT_LEAST(0)),
	F("pathway_fingerprints", TEXTS),
	END
};

static const struct lh_field evidence[] = {
	F("run_id", TEXT, MUST),
	F("task_id", TEXT, MUST),
	F("timestamp", TIME, MUST),
	VERSION(1),
	PROVENANCE,
	F("text", TEXT),
	F("model_name", TEXT),
	F("model_provider", TEXT),
	F("model_role", TEXT, .choice = roles),
	F("observer_verdict", TEXT, .choice = verdicts),
	F("observer_notes", TEXTS),
	F("observer_confidence", NUMBER, WITHIN(0, 100)),
	F("source_files", TEXTS),
	F("success_markers", TEXTS),
	F("failure_markers", TEXTS),
	F("validation_results", OBJECT),
	F("retrieved_context", OBJECT, .in = retrieved),
	F("prompt_tokens", INTEGER, AT_LEAST(0)),
	F("completion_tokens", INTEGER, AT_LEAST(0)),
	F("cost_usd", NUMBER, AT_LEAST(0)),
	F("latency_ms", NUMBER, AT_LEAST(0)),
	F("metadata", OBJECT),
	F("scratchpad_summary", TEXT),
	F("human_override", TEXT),
	END
};
const struct lh_schema lh_schema_evidence_record = { .name = "evidence_record", .field = evidence };

static const struct lh_field sub_scores[] = {
	F("cargo_green", BOOL),
	F("anchor_grounding", NUMBER, WITHIN(0, 1)),
	F("schema_valid", BOOL),
	F("pathway_replay_succeeded", BOOL),
	F("observer_verdict", TEXT, .choice = verdicts),
	END
};

static const struct lh_field scored[] = {
	VERSION(1),
	F("evidence_run_id", TEXT, MUST),
	F("evidence_task_id", TEXT, MUST),
	F("category", TEXT, MUST, .choice = categories),
	F("reasons", TEXTS, MUST, .some = true),
	F("scored_at", TIME, MUST),
	F("scorer_version", TEXT, MUST),
	F("sub_scores", OBJECT, .in = sub_scores),
	PROVENANCE,
	END
};
const struct lh_schema lh_schema_scored_run = { .name = "scored_run", .field = scored };

#define FILE_FIELDS F("path", TEXT, MUST), F("sha256", SHA256, MUST), COUNT("bytes")
static const struct lh_field file_in[] = { FILE_FIELDS, END };
static const struct lh_field file_out[] = { FILE_FIELDS, COUNT("record_count"), END };
static const struct lh_field counts[] = { COUNT("in"), COUNT("out"), COUNT("skipped"),
					  COUNT("deduped"), END };

static const struct lh_field receipt[] = {
	VERSION(1),
	F("command", TEXT, MUST),
	F("git_sha", COMMIT, MUST),
	F("git_branch", TEXT, MUST),
	F("git_dirty", BOOL, MUST),
	F("started_at", TIME, MUST),
	F("ended_at", TIME, MUST),
	F("duration_ms", NUMBER, MUST, AT_LEAST(0)),
	F("input_files", OBJECTS, MUST, .in = file_in),
	F("output_files", OBJECTS, MUST, .in = file_out),
	F("record_counts", OBJECT, MUST, .in = counts),
	F("validation_pass", BOOL, MUST),
	F("errors", TEXTS, MUST),
	F("warnings", TEXTS, MUST),
	END
};
const struct lh_schema lh_schema_receipt = { .name = "receipt", .field = receipt };

static const struct lh_field playbook[] = {
	VERSION(1),
	F("playbook_id", TEXT, MUST),
	F("task_type", TEXT, MUST),
	F("problem_pattern", TEXT, MUST),
	F("source_run_ids", TEXTS, MUST, .some = true),
	F("acceptance_criteria", TEXTS, MUST, .some = true),
	F("validation_steps", TEXTS, MUST),
	F("failure_modes", TEXTS, MUST),
	F("created_at", TIME, MUST),
	PROVENANCE,
	END
};
const struct lh_schema lh_schema_playbook = { .name = "playbook", .field = playbook };

static const struct lh_field scratchpad[] = {
	VERSION(1),
	F("run_id", TEXT, MUST),
	F("goal", TEXT, MUST),
	F("decisions", TEXTS, MUST),
	F("open_loops", TEXTS, MUST),
	F("failed_attempts", TEXTS, MUST),
	F("validation_status", TEXT, MUST, .choice = outcomes),
	F("next_command", TEXT, MUST),
	COUNT("token_estimate"),
	F("hash", SHA256, MUST),
	F("created_at", TIME, MUST),
	END
};
const struct lh_schema lh_schema_scratchpad_summary = { .name = "scratchpad_summary",
							.field = scratchpad };

static const struct lh_field ledger[] = {
	VERSION(1),
	F("model_name", TEXT, MUST),
	F("task_type", TEXT, MUST),
	F("success_rate", NUMBER, MUST, WITHIN(0, 1)),
	F("sample_count", INTEGER, MUST, AT_LEAST(1)),
	F("failure_modes", TEXTS, MUST),
	F("latency_ms_p50", NUMBER, MUST, AT_LEAST(0)),
	F("cost_usd_p50", NUMBER, MUST, AT_LEAST(0)),
	F("last_updated", TIME, MUST),
	END
};
const struct lh_schema lh_schema_model_ledger = { .name = "model_ledger", .field = ledger };

static const struct lh_field rag[] = {
	VERSION(1),
	F("id", TEXT, MUST),
	F("title", TEXT, MUST),
	F("content", TEXT, MUST),
	F("embedding_text", TEXT, MUST),
	F("tags", TEXTS, MUST),
	F("source_run_id", TEXT, MUST),
	F("success_score", TEXT, MUST, .choice = retrievable),
	F("source_category", TEXT, MUST, .choice = retrievable),
	F("created_at", TIME, MUST),
	PROVENANCE,
	END
};
const struct lh_schema lh_schema_rag_sample = { .name = "rag_sample", .field = rag };

static const struct lh_field sft[] = {
	VERSION(1),
	F("id", TEXT, MUST),
	F("instruction", TEXT, MUST, .some = true),
	F("context", TEXT, MUST, .may_be_empty = true),
	F("response", TEXT, MUST, .some = true),
	F("source_run_id", TEXT, MUST),
	F("quality_score", TEXT, MUST, .choice = trainable, .never = untrainable,
	  .never_in = "sft"),
	F("created_at", TIME, MUST),
	PROVENANCE,
	END
};
const struct lh_schema lh_schema_sft_sample = { .name = "sft_sample", .field = sft };

static const struct lh_field preference[] = {
	VERSION(1),
	F("id", TEXT, MUST),
	F("prompt", TEXT, MUST),
	F("chosen", TEXT, MUST),
	F("rejected", TEXT, MUST),
	F("reason", TEXT, MUST, .some = true),
	F("chosen_run_id", TEXT, MUST),
	F("rejected_run_id", TEXT, MUST),
	F("created_at", TIME, MUST),
	PROVENANCE,
	END
};
const struct lh_schema lh_schema_preference_sample = {
	.name = "preference_sample", .field = preference,
	.differ = { { "rejected", "chosen" }, { "rejected_run_id", "chosen_run_id" } }
};

/* ---- the files of a run ---- */
static const char *const stages[] = { "collect", "score", "export-rag", "export-sft",
				      "export-preference", NULL };
static const char *const severities[] = { "ok", "warn", "alert", NULL };

static const struct lh_field stage_side[] = {
	F("files", OBJECTS, MUST, .in = file_out),
	COUNT("record_count"),
	F("hash", SHA256, MUST),
	END
};
static const struct lh_field stage_stats[] = { COUNT("accepted"), COUNT("rejected"),
					       COUNT("quarantined"), COUNT("skipped"), END };
static const struct lh_field stage_validation[] = {
	F("passed", BOOL, MUST), F("errors", TEXTS, MUST), F("warnings", TEXTS, MUST), END
};

static const struct lh_field stage_receipt[] = {
	VERSION(1),
	F("run_id", TEXT, MUST),
	F("stage", TEXT, MUST, .choice = stages),
	F("timestamp", TIME, MUST),
	F("git_commit", COMMIT, MUST),
	F("inputs", OBJECT, MUST, .in = stage_side),
	F("outputs", OBJECT, MUST, .in = stage_side),
	F("stats", OBJECT, MUST, .in = stage_stats),
	F("validation", OBJECT, MUST, .in = stage_validation),
	F("duration_ms", NUMBER, MUST, AT_LEAST(0)),
	END
};
const struct lh_schema lh_schema_stage_receipt = { .name = "stage_receipt",
						   .field = stage_receipt };

static const struct lh_field summary_stage[] = {
	F("stage", TEXT, MUST, .choice = stages),
	COUNT("records_in"), COUNT("records_out"),
	COUNT("accepted"), COUNT("rejected"), COUNT("quarantined"), COUNT("skipped"),
	F("passed", BOOL, MUST),
	F("duration_ms", NUMBER, MUST, AT_LEAST(0)),
	F("input_hash", SHA256, MUST),
	F("output_hash", SHA256, MUST),
	END
};

static const struct lh_field run_summary[] = {
	VERSION(1),
	F("run_id", TEXT, MUST),
	F("started_at", TIME, MUST),
	F("ended_at", TIME, MUST),
	F("git_commit", COMMIT, MUST),
	F("stages", OBJECTS, MUST, .in = summary_stage),
	COUNT("total_records_in"), COUNT("total_records_out"),
	COUNT("total_records_accepted"), COUNT("total_records_rejected"),
		COUNT("total_records_quarantined"), COUNT("total_records_skipped"),
	COUNT("rag_records"), COUNT("sft_records"), COUNT("preference_pairs"),
	F("overall_passed", BOOL, MUST),
	F("run_hash", SHA256, MUST),
	F("total_duration_ms", NUMBER, MUST, AT_LEAST(0)),
	END
};
const struct lh_schema lh_schema_run_summary = { .name = "run_summary", .field = run_summary };

static const struct lh_field drift_stage[] = {
	F("stage", TEXT, MUST, .choice = stages),
	F("delta_in", INTEGER, MUST),
	F("delta_out", INTEGER, MUST),
	F("delta_accepted", INTEGER, MUST),
	F("delta_quarantined", INTEGER, MUST),
	F("pct_change_out", NUMBER, MUST, .or_null = true),
	F("input_hash_match", BOOL, MUST, .or_null = true),
	F("output_hash_match", BOOL, MUST, .or_null = true),
	F("deterministic_violation", BOOL, MUST),
	END
};

static const struct lh_field drift[] = {
	VERSION(2),
	F("run_id", TEXT, MUST),
	F("prior_run_id", TEXT, MUST, .or_null = true),
	F("generated_at", TIME, MUST),
	F("severity", TEXT, MUST, .choice = severities),
	F("stages", OBJECTS, MUST, .in = drift_stage),
	END
};
const struct lh_schema lh_schema_drift_report = { .name = "drift_report", .field = drift };

static const struct lh_schema *const schemas[] = {
	&lh_schema_evidence_record, &lh_schema_scored_run, &lh_schema_receipt,
	&lh_schema_playbook, &lh_schema_scratchpad_summary, &lh_schema_model_ledger,
	&lh_schema_rag_sample, &lh_schema_sft_sample, &lh_schema_preference_sample,
	&lh_schema_stage_receipt, &lh_schema_run_summary, &lh_schema_drift_report,
	NULL
};

const struct lh_schema *lh_schema_find(const char *name)
{
	size_t i;

	for (i = 0; schemas[i]; i++)
		if (!strcmp(schemas[i]->name, name))
			break;
	return schemas[i];
}

const char *lh_schema_name(size_t i)
{
	return schemas[i] ? schemas[i]->name : NULL;
}
