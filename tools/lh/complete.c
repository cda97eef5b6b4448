/*
 * complete.c - print the script that completes the tools in a shell, and what may follow on a
 * command line.  See lh(1), OUTPUT.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lh.h"

/* ---- the script ---- */

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

/* ---- what may follow ---- */

/* See lh(1), OUTPUT. */

struct line {
	const char *last;		/* what a candidate begins with */
	bool of_lh, ended;		/* ended: after "--" */
	const struct command *command;	/* NULL: none was given */
	size_t n_operands;
	const struct option *open;	/* its value is the word */
	struct described d;
	struct lh_buf out;
};

static bool is(struct lh_str s, const char *text)
{
	return lh_str_is(s, text, strlen(text));
}

static bool is_tool(const char *name)
{
	char path[LIST_PATH_ROOM + 300];
	struct lh_err skipped;

	if (!list_page(name) || list_folder(path, LIST_PATH_ROOM, &skipped) < 0)
		return false;
	snprintf(path + strlen(path), 300, "/%s", name);
	return access(path, X_OK) == 0;
}

/* Find an option by its name, which may have a value after "=", or by its letter. */
static struct option *find_option(const struct line *l, const char *word, bool letter)
{
	size_t n = letter ? 1 : strcspn(word, "=");
	struct option *o, *end = l->d.options + l->d.n_options;

	for (o = l->d.options; o < end; o++)
		if (n && lh_str_is(letter ? o->key : o->name, word, n))
			return o;
	return NULL;
}

/* Mark the options of a word as given.  Returns the one whose value is the next word, or NULL. */
static const struct option *read_options(struct line *l, const char *word)
{
	bool letters = word[1] != '-';
	const char *p = word + (letters ? 1 : 2);
	struct option *o;

	do {
		o = find_option(l, p, letters);
		if (!o)
			return NULL;
		o->given = true;
		p += letters ? 1 : strcspn(p, "=");
		if (!is(o->type, "flag"))
			return *p ? NULL : o;
	} while (letters && *p);
	return NULL;
}

static const struct command *find_command(const struct line *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->d.n_commands; i++)
		if (is(l->d.commands[i].name, name))
			return &l->d.commands[i];
	return NULL;
}

/* Append a word that begins with what is typed: prefix and name, and after a tab what it does. */
static void offer(struct line *l, const char *prefix, struct lh_str name, struct lh_str about)
{
	size_t start = l->out.len, n = strlen(l->last);

	lh_buf_printf(&l->out, "%s%.*s", prefix, (int)name.n, name.p);
	if (l->out.len - start < n || (n && memcmp(l->out.p + start, l->last, n) != 0)) {
		l->out.len = start;
		return;
	}
	lh_buf_printf(&l->out, "%s%.*s\n", about.n ? "\t" : "", (int)about.n, about.p);
}

static void offer_value(struct line *l, const struct slot *s)
{
	size_t i;

	for (i = 0; i < s->n_choices; i++)
		offer(l, "", s->choices[i], lh_str_of(""));
	if (is(s->value, "page")) {
		/* Append the pages by their names without "lh-" and "lakehouse-", unless those
		 * are typed. */
		const struct page *p;
		size_t skip;

		for (p = list_pages; p->name; p++) {
			skip = strncmp(p->name, "lh-", 3) == 0 ? 3 : 0;
			if (strncmp(p->name, "lakehouse-", 10) == 0 &&
			    strcmp(p->name + 10, "tools") != 0)
				skip = 10;
			if (strncmp(l->last, p->name, skip) == 0)
				skip = 0;
			offer(l, "", lh_str_of(p->name + skip), lh_str_of(p->about));
		}
	}
	if (!is(s->value, "file") && !is(s->value, "folder") && !is(s->value, "command"))
		return;
	lh_buf_printf(&l->out, "\t%.*s", (int)s->value.n, s->value.p);
	for (i = 0; i < s->n_files; i++)
		lh_buf_printf(&l->out, "\t%.*s", (int)s->files[i].n, s->files[i].p);
	lh_buf_putc(&l->out, '\n');
}

static bool may_follow(const struct line *l, const struct option *o)
{
	size_t i;

	if (o->given && !o->slot.repeatable)
		return false;
	if (!o->n_commands || (!l->command && !l->n_operands))
		return true;
	for (i = 0; i < o->n_commands; i++)
		if (is(o->commands[i], "") ? !l->command : l->command &&
		    lh_str_is(l->command->name, o->commands[i].p, o->commands[i].n))
			return true;
	return false;
}

static void offer_operands(struct line *l)
{
	const struct command *c = l->command ? l->command : find_command(l, "");
	const struct slot *slots = c ? c->operands : l->d.operands;
	size_t i, n = c ? c->n_operands : l->d.n_operands;
	const struct page *p;

	for (i = 0; !l->command && !l->n_operands && i < l->d.n_commands; i++)
		if (l->d.commands[i].name.n)
			offer(l, "", l->d.commands[i].name, l->d.commands[i].help);
	for (p = list_pages; l->of_lh && !l->command && !l->n_operands && p->name; p++)
		if (strncmp(p->name, "lh-", 3) == 0 && is_tool(p->name))
			offer(l, "", lh_str_of(p->name + 3), lh_str_of(p->about));
	i = l->n_operands < n ? l->n_operands : n - 1;
	if (n && i && !slots[i].repeatable && slots[i - 1].repeatable)
		i--;	/* FILE... [TEXT]: another file may come as well */
	if (n && (l->n_operands < n || slots[i].repeatable))
		offer_value(l, &slots[i]);
}

static void offer_words(struct line *l)
{
	const char *value = strchr(l->last, '=');

	if (!l->open && !l->ended && strncmp(l->last, "--", 2) == 0 && value) {
		l->open = find_option(l, l->last + 2, false);
		l->last = value + 1;
		if (l->open && !is(l->open->type, "flag"))
			offer_value(l, &l->open->slot);
	} else if (l->open) {
		offer_value(l, &l->open->slot);
	} else if (!l->ended && *l->last == '-') {
		/* Append the options; their letters, too, where the word is "-". */
		const struct option *o, *end = l->d.options + l->d.n_options;

		for (o = l->d.options; o < end; o++) {
			if (!may_follow(l, o))
				continue;
			if (o->name.n)
				offer(l, "--", o->name, o->help);
			if (o->key.n && (!o->name.n || !l->last[1]))
				offer(l, "-", o->key, o->help);
		}
	} else {
		offer_operands(l);
	}
}

int complete_command(struct lh_tool *t, void *settings)
{
	const char *slash = strrchr(t->operands[0], '/');
	char *const *words = t->operands + 1;
	size_t n = t->n_operands - 1;
	struct line l = { .of_lh = false };
	char name[300];
	int rc;

	(void)settings;
	snprintf(name, sizeof name, "%s", slash ? slash + 1 : t->operands[0]);
	l.of_lh = strcmp(name, "lh") == 0;
	if (l.of_lh && n > 1) {
		snprintf(name, sizeof name, "lh-%s", *words);
		l.of_lh = !is_tool(name);
		words += !l.of_lh;
		n -= !l.of_lh;
	}
	if (!n || !is_tool(l.of_lh ? "lh" : name))
		return 0;
	l.last = words[n - 1];
	rc = described_read(&l.d, l.of_lh ? "lh" : name, &t->err);
	if (!rc) {
		for (; n > 1; n--, words++) {
			if (l.open)
				l.open = NULL;
			else if (!l.ended && strcmp(*words, "--") == 0)
				l.ended = true;
			else if (!l.ended && words[0][0] == '-' && words[0][1])
				l.open = read_options(&l, *words);
			else if (!l.command && !l.n_operands && **words && find_command(&l, *words))
				l.command = find_command(&l, *words);
			else
				l.n_operands++;
		}
		offer_words(&l);
	}
	if (!rc && l.out.len)
		rc = lh_tool_out(t, l.out.p, l.out.len);
	described_free(&l.d);
	lh_buf_free(&l.out);
	return rc;
}
