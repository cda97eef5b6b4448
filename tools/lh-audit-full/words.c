/* words.c - what each check looks at, what it means, and what to do when it fails.  See
 * audit.h. */
#include "audit.h"

#define RERUN "Run lh-distill run to its end, then audit again."
#define RESTORE \
	"Put back a copy of the file that the note names. Do not run lh-distill before that: " \
	"its receipts would be made for the file as it is now."
#define FIREWALL \
	"Train on nothing from this root. Find out how the row came in (lh-trace ID), and put " \
	"back a copy of the file from before that."

const struct check_words check_words[CHECKS] = {
	[CHECK_RECON] = {
		"the file " AUDIT_RECON,
		"The sources of this root are described.",
		"Write the document, or put it back."
	},
	[CHECK_STREAMS] = {
		"the names of the first eight sources in data/_kb",
		"There is something to distill.",
		"Check that --root is the right folder, and that the sources are delivered."
	},
	[CHECK_VALIDATORS] = {
		"known samples, valid and invalid, of each schema; no file of the root",
		"The rules that decide what a valid record is are those that were agreed.",
		"Do not trust the verdicts of this installation: install it again."
	},
	[CHECK_SAMPLES] = {
		"the number of those samples",
		"The rules are tried often enough.",
		"Add samples to the folder of --samples."
	},
	[CHECK_DRY_RUN] = {
		"every row of the sources, of data/evidence and of the skips",
		"The sources can be read, and every row of evidence is whole.",
		"Mend the line that the note names. " RESTORE,
		"every row of data/evidence and of the skips; not the sources"
	},
	[CHECK_TIER1] = {
		"the number of rows of the first eight sources in data/evidence",
		"The best sources have become evidence.",
		"See why they are skipped: data/_kb/distillation_skips.jsonl."
	},
	[CHECK_SCORED] = {
		"every row of data/scored-runs; the scores are not computed again",
		"Every score is one of the four, and there is accepted work.",
		"Compare the scores with the rules: lh-score --check-drift. " RESTORE
	},
	[CHECK_SFT] = {
		"quality_score of every row of exports/sft",
		"Nothing that was rejected is in the samples for fine-tuning.",
		FIREWALL
	},
	[CHECK_RAG] = {
		"success_score and source_category of every row of exports/rag",
		"Nothing that was rejected is in the samples for retrieval.",
		FIREWALL
	},
	[CHECK_SELF_PAIR] = {
		"the run ids of every pair in exports/preference",
		"No pair compares a run with itself.",
		FIREWALL
	},
	[CHECK_SAME_TEXT] = {
		"the texts of every pair in exports/preference",
		"No pair prefers a text to itself.",
		FIREWALL
	},
	[CHECK_PROVENANCE] = {
		"provenance.sig_hash of every row of the three exports",
		"Every sample says from which row of a source it comes.",
		FIREWALL
	},
	[CHECK_QUARANTINE] = {
		"the number of lines in exports/quarantine",
		"What was refused can be looked at.",
		"Nothing, if nothing was refused; else put the files back."
	},
	[CHECK_FIVE] = {
		"the names of the receipts of the newest run",
		"Every stage of that run has said what it did.",
		RERUN
	},
	[CHECK_RECEIPTS] = {
		"size and SHA-256 of every file that the newest receipts name: sources as far as "
		"they were read, evidence, skips, scored runs, exports, quarantine; and the "
		"receipts themselves, which are not signed",
		"No file was forged, cut, removed or added since its receipt was written.",
		"A file that has grown or that no receipt names may be of a run that was killed: "
		"run lh-distill run to its end. For a file that was cut, changed or is gone: "
		RESTORE
	},
	[CHECK_SUMMARY] = {
		"summary.json of the newest run; not summary.md",
		"The sums of that run are those of its stages.",
		"Put back a copy of the summary that the note names; or: " RERUN
	},
	[CHECK_RUN_HASH] = {
		"run_hash in that summary",
		"It is the SHA-256 over what the five stages wrote.",
		"Put back a copy of the summary; or: " RERUN
	},
	[CHECK_DRIFT] = {
		"whether drift.json of the newest run parses; its numbers are not compared",
		"That run was compared with the one before.",
		RERUN
	},
	[CHECK_ACCEPTANCE] = {
		"a small root made for it, distilled twice; no file of this root",
		"This installation distills as was agreed.",
		"Do not trust what this installation makes: install it again."
	},
	[CHECK_REPLAYS] = {
		"three tasks answered from exports/rag, without a model",
		"What was learned can be used.",
		"The note has the reason; see lh-replay.",
		"the last 50 rows of " AUDIT_REPLAYS "; nothing was replayed"
	},
	[CHECK_GUARD] = {
		"a task that may not leave the machine, with a model that does not answer",
		"No other model is asked then.",
		"Send nothing confidential to lh-replay until this passes."
	},
	[CHECK_TAIL] = {
		"the last 50 rows of " AUDIT_REPLAYS,
		"The log of replays can be read.",
		"Mend the row that the note names, or put back a copy."
	},
};

const char *check_looked(const struct audit *a, enum check_id id)
{
	const struct check_words *w = &check_words[id];

	if (!a->check[id].ran || a->check[id].skipped)
		return "nothing";
	return a->s->observer && w->observed ? w->observed : w->looked;
}

bool audit_is_whole(const struct audit *a)
{
	const struct check *c;

	for (c = a->check; c < a->check + CHECKS; c++)
		if (!c->ran || c->skipped)
			return false;
	return true;
}
