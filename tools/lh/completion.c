/* completion.c - print what completes the tools in a shell.  See lh.h. */
#include "completion.h"

#include <string.h>

#include "lh.h"

static const char bash_script[] =
#include "share/completion/lh.bash.inc"
	;
static const char zsh_script[] =
#include "share/completion/lh.zsh.inc"
	;
static const char fish_script[] =
#include "share/completion/lh.fish.inc"
	;

typedef void put_fn(const struct described *all, size_t n, struct lh_buf *out);

static void put_names(const struct described *all, size_t n, struct lh_buf *out)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_putc(out, ' ');
		put(out, all[i].tool);
	}
}

static const struct shell {
	const char *name, *script;
	put_fn *tables, *tools, *pages;
} shells[] = {
	{ "bash", bash_script, bash_tables, bash_tools, bash_pages },
	{ "zsh", zsh_script, zsh_tables, zsh_tools, zsh_pages },
	{ "fish", fish_script, fish_tables, bash_tools, bash_pages },
};

const struct page pages[N_PAGES] = {
	{ "lh", "list the tools, run one, or open its page" },
	{ "lakehouse-tools", "command-line tools for JSON Lines" },
	{ "tutorial", "fifteen minutes, from nothing to an audited pipeline" },
	{ "recipes", "the tools together with other programs" },
	{ "models", "models that make vectors of texts" },
	{ "hash-v1", "how the hash-v1 embedding is made" },
	{ "hash-v2", "how the hash-v2 embedding is made" },
	{ "lhv", "vector index file" },
	{ "lhw", "compiled table of word vectors" },
};

void put_quoted(struct lh_buf *out, struct lh_str s, const char *quote)
{
	size_t i;

	lh_buf_putc(out, '\'');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\'')
			lh_buf_puts(out, quote);
		else
			lh_buf_putc(out, s.p[i]);
	}
	lh_buf_putc(out, '\'');
}

void put_commands_of(struct lh_buf *out, const struct option *o)
{
	size_t i;

	for (i = 0; i < o->n_commands; i++) {
		if (i)
			lh_buf_putc(out, ',');
		put(out, o->commands[i].n ? o->commands[i] : lh_str_of("."));
	}
	if (!o->n_commands)
		lh_buf_putc(out, '-');
}

void put_joined(struct lh_buf *out, const struct lh_str *s, size_t n, const char *between)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			lh_buf_puts(out, between);
		put(out, s[i]);
	}
}

struct command nameless(const struct described *d)
{
	return (struct command){
		.name = { "", 0 }, .operands = d->operands, .n_operands = d->n_operands,
	};
}

/* Append a script with the places between @ filled. */
static void put_script(const struct shell *sh, const struct described *all, size_t n,
		       struct lh_buf *out)
{
	const struct place {
		const char *name;
		put_fn *fill;
	} places[] = {
		{ "@TABLES@\n", sh->tables }, { "@TOOLS@", sh->tools }, { "@NAMES@", put_names },
		{ "@PAGES@", sh->pages },
	};
	const char *p = sh->script, *at;
	size_t i;

	while ((at = strchr(p, '@'))) {
		lh_buf_add(out, p, (size_t)(at - p));
		for (i = 0; i < sizeof places / sizeof *places; i++)
			if (strncmp(at, places[i].name, strlen(places[i].name)) == 0)
				break;
		p = at + 1;
		if (i == sizeof places / sizeof *places) {
			lh_buf_putc(out, '@');
			continue;
		}
		places[i].fill(all, n, out);
		p = at + strlen(places[i].name);
	}
	lh_buf_puts(out, p);
}

int completion_command(struct lh_tool *t, void *settings)
{
	const struct shell *sh = shells, *end = shells + sizeof shells / sizeof *shells;
	struct lh_buf out = { 0 };
	struct described *all;
	size_t n;
	int rc;

	(void)settings;
	if (t->n_operands > 1)
		return lh_tool_unexpected(t, 1, "completion is for one shell");
	while (sh < end && strcmp(sh->name, t->operands[0]) != 0)
		sh++;
	if (sh == end)
		return lh_tool_usage(t, "no completion for \"%.200s\" (bash, zsh or fish)",
				     t->operands[0]);
	rc = described_read(&all, &n, &t->err);
	if (!rc) {
		put_script(sh, all, n, &out);
		rc = lh_buf_check(&out, &t->err);
	}
	if (!rc)
		rc = lh_tool_out(t, out.p, out.len);
	described_free(all, n);
	lh_buf_free(&out);
	return rc;
}
