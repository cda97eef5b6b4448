/*
 * acceptance_fixture.c - the built-in root: the files of
 * share/fixtures/distillation/acceptance.
 */
#include "acceptance.h"

const struct acceptance_source acceptance_fixture[] = {
	{ LH_DISTILLED_FACTS,
#include "share/fixtures/distillation/acceptance/data/_kb/distilled_facts.jsonl.inc"
	},
	{ LH_CONTRACT_ANALYSES,
#include "share/fixtures/distillation/acceptance/data/_kb/contract_analyses.jsonl.inc"
	},
	{ LH_SCRUM_REVIEWS,
#include "share/fixtures/distillation/acceptance/data/_kb/scrum_reviews.jsonl.inc"
	},
	{ LH_AUTO_APPLY,
#include "share/fixtures/distillation/acceptance/data/_kb/auto_apply.jsonl.inc"
	},
	{ LH_OBSERVER_REVIEWS,
#include "share/fixtures/distillation/acceptance/data/_kb/observer_reviews.jsonl.inc"
	},
	{ LH_AUDITS,
#include "share/fixtures/distillation/acceptance/data/_kb/audits.jsonl.inc"
	},
	{ LH_STREAM_NONE, NULL },
};
