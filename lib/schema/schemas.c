/* schemas.c - the schemas of the records of distillation. */
#include "schema_table.h"

#include "base/utf8.h"

static bool is_commit(const struct lh_value *v, struct lh_str text)
{
	(void)v;
	return lh_is_hex(text, 40);
}

#define F(field, of, ...) { LH_BIND_ONLY(field, LH_BIND_TO_##of), __VA_ARGS__ }
#define MUST .required = true
#define TEXT(name) F(name, STRING, MUST, .filled = true)
#define TIME(name) \
	F(name, STRING, MUST, .is = lh_bind_is_time, .what = "RFC 3339 time", .format = "date-time")
#define HEX(name, digits, of) \
	F(name, STRING, MUST, .is = of, .what = #digits " lowercase hex digits", \
	  .pattern = "^[0-9a-f]{" #digits "}$")
#define SHA256(name) HEX(name, 64, lh_bind_is_sha256)
#define COMMIT(name) HEX(name, 40, is_commit)
#define INTEGER(name, a, ...) F(name, WHOLE, .least = a, .most = INT64_MAX, __VA_ARGS__)
#define NUMBER(name, a, b, ...) F(name, F64, .min = a, .max = b, __VA_ARGS__)
#define OBJECT(name) F(name, VALUE, .types = LH_BIND_IS(LH_OBJECT))
#define VERSION LH_SCHEMA_VERSION
#define PROVENANCE F("provenance", TABLE, MUST, .table = provenance)
#define COUNT(name) INTEGER(name, 0, MUST)
#define END LH_BIND_END

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

static const struct lh_bind provenance[] = {
	TEXT("source_file"),
	COUNT("line_offset"),
	SHA256("sig_hash"),
	TIME("recorded_at"),
	END
};

static const struct lh_bind retrieved[] = {
	F("matrix_corpora", STRINGS),
	INTEGER("matrix_hits", 0),
	F("pathway_fingerprints", STRINGS),
	END
};

const struct lh_bind lh_evidence_members[] = {
	TEXT("run_id"),
	TEXT("task_id"),
	TIME("timestamp"),
	VERSION(1),
	PROVENANCE,
	F("text", STRING),
	F("model_name", STRING),
	F("model_provider", STRING),
	F("model_role", STRING, .choice = roles),
	F("observer_verdict", STRING, .choice = verdicts),
	F("observer_notes", STRINGS),
	NUMBER("observer_confidence", 0, 100),
	F("source_files", STRINGS),
	F("success_markers", STRINGS),
	F("failure_markers", STRINGS),
	OBJECT("validation_results"),
	F("retrieved_context", TABLE, .table = retrieved),
	INTEGER("prompt_tokens", 0),
	INTEGER("completion_tokens", 0),
	NUMBER("cost_usd", 0, INFINITY),
	NUMBER("latency_ms", 0, INFINITY),
	OBJECT("metadata"),
	F("scratchpad_summary", STRING),
	F("human_override", STRING),
	END
};
static const struct lh_schema evidence_schema = {
	.name = "evidence_record", .field = lh_evidence_members
};

static const struct lh_bind sub_scores[] = {
	F("cargo_green", BOOL),
	NUMBER("anchor_grounding", 0, 1),
	F("schema_valid", BOOL),
	F("pathway_replay_succeeded", BOOL),
	F("observer_verdict", STRING, .choice = verdicts),
	END
};

const struct lh_bind lh_scored_members[] = {
	VERSION(1),
	TEXT("evidence_run_id"),
	TEXT("evidence_task_id"),
	F("category", STRING, MUST, .choice = categories),
	F("reasons", STRINGS, MUST, .filled = true),
	TIME("scored_at"),
	TEXT("scorer_version"),
	F("sub_scores", TABLE, .table = sub_scores),
	PROVENANCE,
	END
};
static const struct lh_schema scored_run_schema = {
	.name = "scored_run", .field = lh_scored_members
};

#define FILE_FIELDS TEXT("path"), SHA256("sha256"), COUNT("bytes")
static const struct lh_bind file_in[] = { FILE_FIELDS, END };
static const struct lh_bind file_out[] = { FILE_FIELDS, COUNT("record_count"), END };
static const struct lh_bind counts[] = { COUNT("in"), COUNT("out"), COUNT("skipped"),
					  COUNT("deduped"), END };

static const struct lh_bind receipt[] = {
	VERSION(1),
	TEXT("command"),
	COMMIT("git_sha"),
	TEXT("git_branch"),
	F("git_dirty", BOOL, MUST),
	TIME("started_at"),
	TIME("ended_at"),
	NUMBER("duration_ms", 0, INFINITY, MUST),
	F("input_files", TABLES, MUST, .table = file_in),
	F("output_files", TABLES, MUST, .table = file_out),
	F("record_counts", TABLE, MUST, .table = counts),
	F("validation_pass", BOOL, MUST),
	F("errors", STRINGS, MUST),
	F("warnings", STRINGS, MUST),
	END
};
static const struct lh_schema receipt_schema = { .name = "receipt", .field = receipt };

static const struct lh_bind playbook[] = {
	VERSION(1),
	TEXT("playbook_id"),
	TEXT("task_type"),
	TEXT("problem_pattern"),
	F("source_run_ids", STRINGS, MUST, .filled = true),
	F("acceptance_criteria", STRINGS, MUST, .filled = true),
	F("validation_steps", STRINGS, MUST),
	F("failure_modes", STRINGS, MUST),
	TIME("created_at"),
	PROVENANCE,
	END
};
static const struct lh_schema playbook_schema = { .name = "playbook", .field = playbook };

static const struct lh_bind scratchpad[] = {
	VERSION(1),
	TEXT("run_id"),
	TEXT("goal"),
	F("decisions", STRINGS, MUST),
	F("open_loops", STRINGS, MUST),
	F("failed_attempts", STRINGS, MUST),
	F("validation_status", STRING, MUST, .choice = outcomes),
	TEXT("next_command"),
	COUNT("token_estimate"),
	SHA256("hash"),
	TIME("created_at"),
	END
};
static const struct lh_schema scratchpad_summary_schema = { .name = "scratchpad_summary",
							.field = scratchpad };

static const struct lh_bind ledger[] = {
	VERSION(1),
	TEXT("model_name"),
	TEXT("task_type"),
	NUMBER("success_rate", 0, 1, MUST),
	INTEGER("sample_count", 1, MUST),
	F("failure_modes", STRINGS, MUST),
	NUMBER("latency_ms_p50", 0, INFINITY, MUST),
	NUMBER("cost_usd_p50", 0, INFINITY, MUST),
	TIME("last_updated"),
	END
};
static const struct lh_schema model_ledger_schema = { .name = "model_ledger", .field = ledger };

const struct lh_bind lh_rag_members[] = {
	VERSION(1),
	TEXT("id"),
	TEXT("title"),
	TEXT("content"),
	TEXT("embedding_text"),
	F("tags", STRINGS, MUST),
	TEXT("source_run_id"),
	F("success_score", STRING, MUST, .choice = retrievable),
	F("source_category", STRING, MUST, .choice = retrievable),
	TIME("created_at"),
	PROVENANCE,
	END
};
static const struct lh_schema rag_sample_schema = {
	.name = "rag_sample", .field = lh_rag_members
};

const struct lh_bind lh_sft_members[] = {
	VERSION(1),
	TEXT("id"),
	F("instruction", STRING, MUST, .filled = true, .not_blank = true),
	F("context", STRING, MUST),
	F("response", STRING, MUST, .filled = true, .not_blank = true),
	TEXT("source_run_id"),
	F("quality_score", STRING, MUST, .choice = trainable),
	TIME("created_at"),
	PROVENANCE,
	END
};
static const struct lh_schema sft_sample_schema = {
	.name = "sft_sample", .field = lh_sft_members,
	.never = { "quality_score", untrainable, "sft" }
};

const struct lh_bind lh_preference_members[] = {
	VERSION(1),
	TEXT("id"),
	TEXT("prompt"),
	TEXT("chosen"),
	TEXT("rejected"),
	F("reason", STRING, MUST, .filled = true, .not_blank = true),
	TEXT("chosen_run_id"),
	TEXT("rejected_run_id"),
	TIME("created_at"),
	PROVENANCE,
	END
};
static const struct lh_schema preference_sample_schema = {
	.name = "preference_sample", .field = lh_preference_members,
	.differ = { { "rejected", "chosen" }, { "rejected_run_id", "chosen_run_id" } }
};

/* ---- the files of a run ---- */
static const char *const stages[] = { "collect", "score", "export-rag", "export-sft",
				      "export-preference", NULL };
static const char *const severities[] = { "ok", "warn", "alert", NULL };

static const struct lh_bind stage_side[] = {
	F("files", TABLES, MUST, .table = file_out),
	COUNT("record_count"),
	SHA256("hash"),
	END
};
static const struct lh_bind stage_stats[] = { COUNT("accepted"), COUNT("rejected"),
					       COUNT("quarantined"), COUNT("skipped"), END };
static const struct lh_bind stage_validation[] = {
	F("passed", BOOL, MUST), F("errors", STRINGS, MUST), F("warnings", STRINGS, MUST), END
};

static const struct lh_bind stage_erased[] = { TEXT("receipt"), COUNT("rows"), END };

static const struct lh_bind stage_receipt[] = {
	VERSION(1),
	TEXT("run_id"),
	F("stage", STRING, MUST, .choice = stages),
	TIME("timestamp"),
	COMMIT("git_commit"),
	F("inputs", TABLE, MUST, .table = stage_side),
	F("outputs", TABLE, MUST, .table = stage_side),
	F("stats", TABLE, MUST, .table = stage_stats),
	F("validation", TABLE, MUST, .table = stage_validation),
	NUMBER("duration_ms", 0, INFINITY, MUST),
	F("erased", TABLES, .table = stage_erased),
	END
};
static const struct lh_schema stage_receipt_schema = { .name = "stage_receipt",
						   .field = stage_receipt };

static const struct lh_bind summary_stage[] = {
	F("stage", STRING, MUST, .choice = stages),
	COUNT("records_in"), COUNT("records_out"),
	COUNT("accepted"), COUNT("rejected"), COUNT("quarantined"), COUNT("skipped"),
	F("passed", BOOL, MUST),
	NUMBER("duration_ms", 0, INFINITY, MUST),
	SHA256("input_hash"),
	SHA256("output_hash"),
	END
};

static const struct lh_bind run_summary[] = {
	VERSION(1),
	TEXT("run_id"),
	TIME("started_at"),
	TIME("ended_at"),
	COMMIT("git_commit"),
	F("stages", TABLES, MUST, .table = summary_stage),
	COUNT("total_records_in"), COUNT("total_records_out"),
	COUNT("total_records_accepted"), COUNT("total_records_rejected"),
		COUNT("total_records_quarantined"), COUNT("total_records_skipped"),
	COUNT("rag_records"), COUNT("sft_records"), COUNT("preference_pairs"),
	F("overall_passed", BOOL, MUST),
	SHA256("run_hash"),
	NUMBER("total_duration_ms", 0, INFINITY, MUST),
	END
};
static const struct lh_schema run_summary_schema = { .name = "run_summary", .field = run_summary };

static const struct lh_bind drift_stage[] = {
	F("stage", STRING, MUST, .choice = stages),
	INTEGER("delta_in", INT64_MIN, MUST),
	INTEGER("delta_out", INT64_MIN, MUST),
	INTEGER("delta_accepted", INT64_MIN, MUST),
	INTEGER("delta_quarantined", INT64_MIN, MUST),
	NUMBER("pct_change_out", -INFINITY, INFINITY, MUST, .null = true),
	F("input_hash_match", BOOL, MUST, .null = true),
	F("output_hash_match", BOOL, MUST, .null = true),
	F("deterministic_violation", BOOL, MUST),
	END
};

static const struct lh_bind drift[] = {
	VERSION(2),
	TEXT("run_id"),
	F("prior_run_id", STRING, MUST, .filled = true, .null = true),
	TIME("generated_at"),
	F("severity", STRING, MUST, .choice = severities),
	F("stages", TABLES, MUST, .table = drift_stage),
	END
};
static const struct lh_schema drift_report_schema = { .name = "drift_report", .field = drift };

static const struct lh_schema *const schemas[] = {
	&evidence_schema, &scored_run_schema, &receipt_schema,
	&playbook_schema, &scratchpad_summary_schema, &model_ledger_schema,
	&rag_sample_schema, &sft_sample_schema, &preference_sample_schema,
	&stage_receipt_schema, &run_summary_schema, &drift_report_schema,
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

uint64_t lh_schema_version(const struct lh_schema *s)
{
	const struct lh_bind *f = s->field;

	while (strcmp(f->name, "schema_version"))
		f++;
	return (uint64_t)f->most;
}
