/*
 * lh-export: make samples of scored evidence, and store what is refused.  See
 * lh-export(1).
 */
#include "export.h"
#include "schema/schema_table.h"

#include <sys/stat.h>
#include <unistd.h>

static const struct lh_option options[] = {
	{ 0, "root", "DIR", "export the scored runs of this root",
	  LH_TEXT(struct settings, run.root) },
	{ 0, "include-review", NULL, "also needs_human_review",
	  LH_FLAG(struct settings, how.include_review, .verbs = VERB_RAG) },
	{ 0, "include-partial", NULL, "also partially_accepted",
	  LH_FLAG(struct settings, how.include_partial, .verbs = VERB_SFT) },
	{ 0, "verify-paths", "DIR", "source_files must be files below DIR",
	  LH_TEXT(struct settings, how.verify_paths) },
	{ 0, "quarantine", "FILE", "filter: append refused records to FILE",
	  LH_TEXT(struct settings, quarantine) },
	{ 0, "recorded-at", "TIME", "created_at of samples (default: --now)",
	  LH_TIME(struct settings, run.recorded_at) },
	{ 0, "run-id", "ID", "id of the run in a root (default: a UUID)",
	  LH_TEXT(struct settings, run.run_id) },
	LH_LOCK_OPTION(0),
	LH_NOW_OPTION,
	LH_JOBS_OPTION,
	LH_INPUT_OPTIONS,
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static bool is_file(const struct stat *file, const char *operand)
{
	struct stat st;
	int rc = strcmp(operand, "-") ? stat(operand, &st) : fstat(STDIN_FILENO, &st);

	return rc == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Refused records would be read, and refused again, without end. */
static int check_quarantine(struct lh_tool *tool, const struct settings *s)
{
	struct stat file;
	bool same = false;
	size_t i;

	if (!s->quarantine || stat(s->quarantine, &file) < 0 || !S_ISREG(file.st_mode))
		return 0;
	for (i = 0; i < tool->n_operands; i++)
		same |= is_file(&file, tool->operands[i]);
	if (same || (!tool->n_operands && is_file(&file, "-")))
		return lh_tool_usage(tool, "--quarantine: %s is also the input", s->quarantine);
	return 0;
}

/* Refuse options of the other mode. */
static int check_options(struct lh_tool *tool, const struct settings *s)
{
	if (!s->run.root && s->run.run_id)
		return lh_tool_usage(tool, "--run-id is for a --root");
	if (!s->run.root)
		return check_quarantine(tool, s);
	if (tool->n_operands)
		return lh_tool_usage(tool, "--root takes no operand: %s", tool->operands[0]);
	if (s->quarantine)
		return lh_tool_usage(tool, "--quarantine: a root has a quarantine of its own");
	if (tool->rejects || tool->on_error != LH_ON_ERROR_SKIP)
		return lh_tool_usage(tool,
				     "--rejects and --on-error are for a filter, not for a --root");
	return 0;
}

static int run(struct lh_tool *tool, void *settings)
{
	enum lh_exporter x = tool->verb->bit == VERB_RAG ? LH_RAG
		: tool->verb->bit == VERB_SFT		 ? LH_SFT
							 : LH_PREFERENCE;
	struct settings *s = settings;

	if (check_options(tool, s) < 0)
		return -1;
	return (s->run.root ? root_run : filter_run)(tool, x, s);
}

static const struct lh_op ops[] = {
	{ "rag", "[FILE]...", "samples for retrieval", VERB_RAG, .in = lh_evidence_members,
	  .out = lh_rag_members, .command = run },
	{ "sft", "[FILE]...", "instructions and responses for fine-tuning", VERB_SFT,
	  .in = lh_evidence_members, .out = lh_sft_members, .command = run },
	{ "preference", "[FILE]...", "pairs of a better and a worse answer", VERB_PREFERENCE,
	  .in = lh_evidence_members, .out = lh_preference_members, .command = run },
	LH_OP_END
};

int main(int argc, char **argv)
{
	struct settings s = { .quarantine = NULL };
	static const struct lh_tool_spec spec = {
		.name = "lh-export",
		.synopsis = "rag|sft|preference [OPTION]... [FILE]...",
		.summary = "turn scored evidence into samples",
		.example = "lh-export rag --root r | jq .quarantine_summary",
		.options = options,
		.ops = ops,
	};

	return lh_op_main(&spec, argc, argv, &s);
}
