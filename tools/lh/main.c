/* lh: list the lh-* tools, run one, or open its page.  See lh(1). */
#include "lh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/coproc.h"
#include "base/gone.h"
#include "base/suggest.h"
#include "tool/op.h"

static const struct lh_option options[] = {
	{ 0, "all", NULL, "list all tools, each with what it does",
	  LH_FLAG(struct settings, all, .verbs = V_LIST) },
	{ 0, "json", NULL, "print JSON",
	  LH_FLAG(struct settings, json, .verbs = V_VERSION | V_DOCTOR) },
	{ 'k', NULL, "WORD", "find WORD in the pages",
	  LH_TEXT(struct settings, word, .verbs = V_HELP) },
	LH_COMMON_OPTIONS,
	LH_OPTION_END
};

static const struct lh_op ops[] = {
	{ "", "", "list the tools", V_LIST, .command = list_command },
	{ "list", "", "list the tools by family", V_LIST, .command = list_command },
	{ "help", "[PAGE]", "open the page of a tool, or find a word", V_HELP,
	  .command = help_command },
	{ "version", "", "print what this is and what it runs with", V_VERSION,
	  .command = version_command },
	{ "doctor", "[FOLDER...]", "check versions, libraries, permissions and limits", V_DOCTOR,
	  .command = doctor_command },
	{ "completion", "bash|zsh|fish", "print what completes the tools in a shell", V_COMPLETION,
	  .command = completion_command },
	{ "complete", "WORD...", "print what may follow on a command line", V_COMPLETE,
	  .command = complete_command },
	LH_OP_END
};

static int check(struct lh_tool *tool, void *settings)
{
	(void)settings;
	return tool->verb->bit == V_HELP && tool->n_operands > 1
		? lh_tool_unexpected(tool, 1, "help opens one page") : 0;
}

static bool is_command(const char *name)
{
	const struct lh_op *op;

	for (op = ops; op->name && strcmp(op->name, name); op++)
		;
	return op->name;
}

/* Report a tool that does not exist.  Options after its name were meant for it. */
static int no_tool(const struct lh_tool_spec *spec, const char *name)
{
	const char *plain = name + (strncmp(name, "lh-", 3) == 0 ? 3 : 0);
	struct lh_suggest s = lh_suggest_for(plain, strlen(plain));
	char close[LH_SUGGEST_ROOM], full[LIST_PATH_ROOM], advice[LH_GONE_ROOM];
	struct lh_tool tool;
	int rc, i, n;
	struct dirent **entries;
	struct help_page *page = NULL;
	struct lh_err skipped;
	size_t pages;
	const struct lh_op *op;

	lh_tool_init(&tool, spec->name, spec->synopsis, spec->summary, spec->options);
	snprintf(full, sizeof full, "lh-%s", plain);
	if (lh_gone(full, "", 0, advice))
		return lh_tool_finish(&tool, lh_tool_usage(&tool, "%s", advice));
	/* Offer the commands, and the tools by their names without "lh-". */
	n = list_names(&entries, &skipped);
	for (op = ops; op->name; op++)
		lh_suggest_offer(&s, op->name, strlen(op->name));
	for (i = 0; i < n; i++) {
		lh_suggest_offer(&s, entries[i]->d_name + 3, strlen(entries[i]->d_name + 3));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	lh_suggest_text(&s, "", close);
	pages = *close ? 0 : help_find(plain, &page);
	if (pages)
		rc = lh_tool_usage(&tool, "no tool \"%.200s\": see %s%s%s (lh help -k %.200s)",
				   name, page[0].name, pages > 1 ? ", " : "",
				   pages > 1 ? page[1].name : "", plain);
	else
		rc = lh_tool_usage(&tool, "no tool \"%.200s\" (%s%slh alone lists them)", name,
				   close, *close ? " " : "");
	help_free(page, pages);
	return lh_tool_finish(&tool, rc);
}

/* Whether a word is an option of other tools, which lh help looks for in the pages. */
static bool is_foreign(const char *word)
{
	const struct lh_option *o;

	if (word[0] != '-' || word[1] != '-' || !word[2] || strchr(word, '='))
		return false;
	for (o = options; o->key || o->name; o++)
		if (o->name && strcmp(o->name, word + 2) == 0 && (!o->verbs || o->verbs & V_HELP))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct settings s = { .json = false };
	static const struct lh_tool_spec spec = {
		.name = "lh",
		.synopsis = "[TOOL [ARGUMENT]... | COMMAND]",
		.summary = "list the tools, run one, or open its page",
		.options = options,
		.ops = ops,
		.check = check,
	};

	if (argc > 1 && argv[1][0] != '-' && !is_command(argv[1])) {
		/* Replace this process by lh-search for "lh search ...", before it touches
		 * anything: options, descriptors and signals belong to that tool. */
		char name[300], path[LIST_PATH_ROOM], *was = argv[1];

		if (!strchr(argv[1], '/') && strlen(argv[1]) <= 250) {
			snprintf(name, sizeof name, "lh-%s", argv[1]);
			lh_coproc_find(name, path, sizeof path);
			argv[1] = name;
			execvp(path, argv + 1);
			argv[1] = was;
		}
		return no_tool(&spec, argv[1]);
	}
	if (argc == 3 && strcmp(argv[1], "help") == 0 && is_foreign(argv[2]))
		return lh_op_main(&spec, 4, (char *[]){ argv[0], argv[1], "-k", argv[2], NULL },
				  &s);
	return lh_op_main(&spec, argc, argv, &s);
}
