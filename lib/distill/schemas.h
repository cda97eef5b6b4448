/*
 * schemas - the schemas of the records of distillation, and their names;
 * lh_schema_find and lh_schema_name of lh/schema.h use these.
 */
#ifndef LH_SCHEMAS_H
#define LH_SCHEMAS_H

#include "schema/schema_table.h"

extern const struct lh_schema lh_schema_evidence_record, lh_schema_scored_run, lh_schema_receipt,
	lh_schema_playbook, lh_schema_scratchpad_summary, lh_schema_model_ledger,
	lh_schema_rag_sample, lh_schema_sft_sample, lh_schema_preference_sample,
	lh_schema_stage_receipt, lh_schema_run_summary, lh_schema_drift_report;

/* The origin of a row. */
extern const struct lh_bind lh_schema_provenance[];

#endif
