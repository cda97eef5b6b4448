/* evidence_table.c - which input makes which field, for each stream. */
#include "evidence_parts.h"

static const struct lh_bind kept_text = { .to = LH_BIND_TO_STRING };
static const struct lh_bind kept_number = {
	.to = LH_BIND_TO_F64, .min = -INFINITY, .max = INFINITY
};
static const struct lh_bind kept_flag = { .to = LH_BIND_TO_BOOL };

/* a name, and the key as written after another member */
#define NAMED(name) name, { ",\"" name "\":", sizeof name + 3 }
#define COPY(to, from) { NAMED(to), from, LH_EV_COPY, NULL, { NULL }, false, NULL }
#define CONST(to, text) { NAMED(to), NULL, LH_EV_CONST, "\"" text "\"", { NULL }, false, NULL }
#define HOW(to, how, from) { NAMED(to), from, LH_EV_##how, NULL, { NULL }, false, NULL }
#define MARK(to, prefix, from, ...) \
	{ NAMED(to), from, LH_EV_MARK, prefix, { __VA_ARGS__ }, false, NULL }
#define MARK_UNLESS(to, prefix, from, ...) \
	{ NAMED(to), from, LH_EV_MARK, prefix, { __VA_ARGS__ }, true, NULL }
#define COUNTED(to, prefix, from) \
	{ NAMED(to), from, LH_EV_MARK_COUNT, prefix, { NULL }, false, NULL }
#define ALL_OK(to, text) { NAMED(to), NULL, LH_EV_ALL_OK, text, { NULL }, false, NULL }
/* metadata: field and input have the same name */
#define KEEP(key, of) \
	{ NAMED(key), key, LH_EV_COPY, NULL, { NULL }, false, &kept_##of }
/* an identity, whose type was checked as such */
#define KEEP_ANY(key) { NAMED(key), key, LH_EV_COPY, NULL, { NULL }, false, NULL }

#define ROLE(role) CONST("model_role", role)
#define CONTEXT COPY("retrieved_context", "retrieved_context")
#define TOKENS \
	COPY("prompt_tokens", "prompt_tokens"), COPY("completion_tokens", "completion_tokens")

#define DISTILLED(kind) { \
	.run_id = "{run_id}:{off}", .task_id = "distilled:{run_id}", .time = { "created_at" }, \
	.text = { "text" }, \
	.also = { COPY("model_name", "extractor"), ROLE("extractor") }, \
	.metadata = { CONST("kind", kind), KEEP("verifier", text), KEEP("categorizer", text) }, \
}

const struct lh_transform lh_transforms[LH_STREAMS] = {
	[LH_DISTILLED_FACTS] = DISTILLED("fact"),
	[LH_DISTILLED_PROCEDURES] = DISTILLED("procedure"),
	[LH_DISTILLED_CONFIG_HINTS] = DISTILLED("config_hint"),
	[LH_CONTRACT_ANALYSES] = {
		.run_id = "contract:{permit_id}:{off}", .task_id = "permit:{permit_id}",
		.time = { "ts" }, .text = { "analysis" },
		.also = {
			ROLE("executor"),
			COPY("observer_verdict", "observer_verdict"),
			COPY("observer_notes", "observer_notes"),
			COPY("failure_markers", "failure_markers"),
			CONTEXT,
			COPY("cost_usd", "cost_usd"),
			COPY("latency_ms", "duration_ms"),
		},
		.metadata = { KEEP("contractor", text) },
	},
	[LH_MODE_EXPERIMENTS] = {
		.run_id = "mode:{off}:{ts}", .task_id = "{task_class}:{f}", .time = { "ts" },
		.text = { "response" },
		.also = {
			COPY("model_name", "model"),
			ROLE("executor"),
			CONTEXT,
			TOKENS,
			COPY("latency_ms", "latency_ms"),
		},
		.metadata = { KEEP_ANY("task_class"), KEEP("mode", text) },
	},
	[LH_SCRUM_REVIEWS] = {
		.run_id = "scrum:{f}:{off}", .task_id = "scrum_review:{f}",
		.time = { "reviewed_at" },
		.text = { "suggestions_preview", "text" },
		.also = {
			COPY("model_name", "accepted_model"),
			ROLE("executor"),
			HOW("source_files", FILE, NULL),
			COUNTED("success_markers", "accepted_on_attempt_", "accepted_on_attempt"),
		},
		.metadata = { KEEP("tree_split_fired", flag) },
	},
	[LH_OBSERVER_ESCALATIONS] = {
		.run_id = "escalation:{off}", .task_id = "escalation:{sig}", .time = { "ts" },
		.text = { "analysis" },
		.also = { COPY("model_name", "model"), ROLE("reviewer"), TOKENS },
		.metadata = { KEEP("trigger", text) },
	},
	[LH_AUDIT_FACTS] = {
		.run_id = "audit_facts:{llm_team_run_id}:{off}", .task_id = "pr:{pr_number}",
		.time = { "extracted_at", "ts" },
		.text = { "facts" }, .text_list = true,
		.also = { ROLE("extractor") },
		.metadata = {
			KEEP("source", text),
			HOW("entity_count", LENGTH, "entities"),
			HOW("relationship_count", LENGTH, "relationships"),
		},
	},
	[LH_AUTO_APPLY] = {
		.run_id = "auto_apply:{off}", .task_id = "auto_apply:{f}", .time = { "ts" },
		.or_clock = true,
		.also = {
			ROLE("applier"),
			HOW("source_files", FILE, NULL),
			MARK("success_markers", "", "action", "committed"),
			MARK_UNLESS("failure_markers", "", "action", "committed"),
		},
	},
	[LH_OBSERVER_REVIEWS] = {
		.run_id = "observer:{off}:{ts}", .task_id = "observer_review:{f}", .time = { "ts" },
		.text = { "notes", "review" }, .text_list = true,
		.also = {
			ROLE("reviewer"),
			COPY("observer_verdict", "verdict"),
			HOW("observer_notes", LIST, "notes"),
			COPY("observer_confidence", "confidence"),
		},
		.metadata = { KEEP("attempt", number) },
	},
	[LH_AUDITS] = {
		.run_id = "{finding_id}", .task_id = "phase:{phase}", .time = { "ts" },
		.text = { "evidence", "topic" },
		.also = {
			ROLE("reviewer"),
			MARK("success_markers", "audit_severity_", "severity", "info", "low"),
			MARK_UNLESS("failure_markers", "audit_severity_", "severity", "info",
				    "low"),
		},
		.metadata = { KEEP("topic", text), KEEP("resolution", text) },
	},
	[LH_OUTCOMES] = {
		.run_id = "outcome:{run_id|off}", .task_id = "outcome:{sig}",
		.time = { "created_at" },
		.also = { ROLE("executor"), ALL_OK("success_markers", "all_events_ok") },
		.metadata = { HOW("gap_signals", AMOUNT, "gap_signals"),
			      KEEP("elapsed_secs", number) },
	},
};
