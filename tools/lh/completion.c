/* completion.c - print the script that completes the tools in a shell.  See lh.h. */
#include "lh.h"

#include <string.h>

static const struct shell {
	const char *name, *script;
} shells[] = {
	{ "bash",
#include "share/completion/lh.bash.inc"
	},
	{ "zsh",
#include "share/completion/lh.zsh.inc"
	},
	{ "fish",
#include "share/completion/lh.fish.inc"
	},
};

int completion_command(struct lh_tool *t, void *settings)
{
	const struct shell *sh = shells, *end = shells + sizeof shells / sizeof *shells;

	(void)settings;
	if (t->n_operands > 1)
		return lh_tool_unexpected(t, 1, "completion is for one shell");
	while (sh < end && strcmp(sh->name, t->operands[0]) != 0)
		sh++;
	if (sh == end)
		return lh_tool_usage(t, "no completion for \"%.200s\" (bash, zsh or fish)",
				     t->operands[0]);
	return lh_tool_out(t, sh->script, strlen(sh->script));
}
