/* describe.c - print --describe-options: the tables of a tool as JSON.  See tool.h. */
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "json/write.h"
#include "arg_kind.h"

static const char *const types[] = {
	[LH_OPT_FLAG] = "flag",	  [LH_OPT_TEXT] = "text", [LH_OPT_TEXTS] = "text",
	[LH_OPT_UINT] = "whole",  [LH_OPT_INT] = "whole", [LH_OPT_SIZE] = "size",
	[LH_OPT_REAL] = "number", [LH_OPT_CHOICE] = "choice", [LH_OPT_TIME] = "time",
};

static struct lh_str part_of(const char *p, size_t n)
{
	return (struct lh_str){ p, n };
}

/* Write the kind of a value, and the patterns of the files that it may name: the argument's
 * name is p, of n bytes. */
static void put_value(struct lh_writer *w, const char *p, size_t n, bool operand)
{
	struct lh_arg_kind kind = lh_arg_kind_of(p, n, operand);
	const char *dot = lh_arg_suffix(p, n), *files = kind.files;
	char suffix[32];
	size_t part;

	if (!files && dot && strcmp(kind.kind, "file") == 0) {
		snprintf(suffix, sizeof suffix, "*%.*s", (int)(p + n - dot), dot);
		files = suffix;
	}
	lh_write_text(w, "value", kind.kind);
	if (!files)
		return;
	lh_write_array(w, "files");
	for (; *files; files += part + (files[part] == ' ')) {
		part = strcspn(files, " ");
		lh_write_str(w, NULL, part_of(files, part));
	}
	lh_write_end(w);
}

/* Write the parts of "a|b|c" that are words: NAME is not. */
static void put_words(struct lh_writer *w, const char *p, size_t n)
{
	const char *end = p + n;
	size_t part;

	for (; p < end; p += part + 1) {
		part = strcspn(p, "|");
		part = part < (size_t)(end - p) ? part : (size_t)(end - p);
		if (*p < 'A' || *p > 'Z')
			lh_write_str(w, NULL, part_of(p, part));
	}
}

/* Write "a|b|c" as an array. */
static void put_choices(struct lh_writer *w, const char *p, size_t n)
{
	lh_write_array(w, "choices");
	put_words(w, p, n);
	lh_write_end(w);
}

/* Write the operands of a synopsis such as "--left CMD [OPTION]... INDEX [FILE...]". */
static void put_operands(struct lh_writer *w, const char *s)
{
	size_t n, word;
	bool optional;
	const char *name;

	lh_write_array(w, "operands");
	for (s += strspn(s, " "); *s; s += word, s += strspn(s, " ")) {
		word = strcspn(s, " ");
		if (s[0] == '-' && s[1] == '-') {	/* an option, and its argument */
			word += strspn(s + word, " ");
			word += strcspn(s + word, " ");
			continue;
		}
		optional = *s == '[';
		n = strcspn(s + optional, "] .");
		if (s[optional + n] == '.' && s[optional + n + 1] != '.')	/* FILE.md */
			n += 1 + strcspn(s + optional + n + 1, "] .");
		if (n == 6 && memcmp(s + optional, "OPTION", n) == 0)
			continue;
		/* Write an operand, whose name is "FILE", or "put|get" for words that are
		 * written so. */
		name = s + optional;
		lh_write_object(w, NULL);
		lh_write_str(w, "name", part_of(name, n));
		lh_write_bool(w, "required", !optional);
		lh_write_bool(w, "repeatable", memmem(s, word, "...", 3) != NULL);
		if (*name >= 'a' && *name <= 'z') {
			lh_write_text(w, "value", "choice");
			put_choices(w, name, n);
		} else {
			put_value(w, name, n, true);
		}
		lh_write_end(w);
	}
	lh_write_end(w);
}

/* Find the default that the help of an option states: "(default 10)". */
static struct lh_str default_of(const char *help)
{
	static const char before[] = "default ";
	const char *p = strchr(help, '(');
	size_t n, open = 0;

	p = p ? strstr(p, before) : NULL;
	if (!p || (p[-1] != '(' && p[-1] != ' '))
		return (struct lh_str){ NULL, 0 };
	p += sizeof before - 1;
	for (n = 0; p[n] && p[n] != ';' && (p[n] != ')' || open); n++)
		open += (p[n] == '(') - (p[n] == ')');
	return part_of(p, n);
}

static void put_option_commands(struct lh_writer *w, const struct lh_tool *t, unsigned verbs)
{
	const struct lh_verb *v;

	if (!verbs || !t->verbs)
		return;
	lh_write_array(w, "commands");
	for (v = t->verbs; v->name; v++)
		if (verbs & v->bit)
			lh_write_text(w, NULL, v->name);
	lh_write_end(w);
}

/* Write the values of a text that have a name: those of the option, and "all" of "N|all". */
static void put_named(struct lh_writer *w, const struct lh_option *o)
{
	const char *bar = strchr(o->arg, '|');

	while (bar && (bar[1] < 'a' || bar[1] > 'z'))
		bar = strchr(bar + 1, '|');
	if (!o->words && !bar)
		return;
	lh_write_array(w, "choices");
	if (o->words)
		put_words(w, o->words, strlen(o->words));
	if (bar)
		put_words(w, bar + 1, strlen(bar + 1));
	lh_write_end(w);
}

static void put_argument(struct lh_writer *w, const struct lh_option *o)
{
	struct lh_str value = default_of(o->help);
	const char *choices = o->words ? o->words : o->arg;

	lh_write_text(w, "argument", o->arg);
	if (o->type == LH_OPT_CHOICE) {
		put_choices(w, choices, strlen(choices));
	} else if (o->type == LH_OPT_TEXT || o->type == LH_OPT_TEXTS) {
		put_value(w, o->arg, strlen(o->arg), false);
		put_named(w, o);
	} else if (o->type != LH_OPT_TIME) {
		lh_write_f64(w, "min", o->min);
		lh_write_f64(w, "max", o->max);
	}
	if (value.p)
		lh_write_str(w, "default", value);
	if (o->env)
		lh_write_text(w, "env", o->env);
}

static void put_option(struct lh_writer *w, const struct lh_tool *t, const struct lh_option *o)
{
	char key = (char)o->key;

	lh_write_object(w, NULL);
	if (o->key)
		lh_write_str(w, "short", part_of(&key, 1));
	if (o->name)
		lh_write_text(w, "long", o->name);
	lh_write_text(w, "type", types[o->type]);
	lh_write_bool(w, "repeatable", o->type == LH_OPT_TEXTS);
	if (o->type != LH_OPT_FLAG)
		put_argument(w, o);
	put_option_commands(w, t, o->verbs);
	lh_write_text(w, "help", o->help);
	lh_write_end(w);
}

void lh_describe_text(const struct lh_tool *t, struct lh_buf *b)
{
	struct lh_writer w = lh_write_to(b);
	const struct lh_option *o;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "tool", t->name);
	lh_write_text(&w, "version", LH_VERSION);
	lh_write_text(&w, "summary", t->summary);
	lh_write_text(&w, "synopsis", t->synopsis);
	if (t->verbs) {
		const struct lh_verb *v;

		lh_write_array(&w, "commands");
		for (v = t->verbs; v->name; v++) {
			lh_write_object(&w, NULL);
			lh_write_text(&w, "name", v->name);
			lh_write_text(&w, "synopsis", v->operands);
			put_operands(&w, v->operands);
			lh_write_text(&w, "help", v->help);
			lh_write_end(&w);
		}
		lh_write_end(&w);
	} else {
		put_operands(&w, t->synopsis);
	}
	lh_write_array(&w, "options");
	for (o = t->options; o->key || o->name; o++)
		if (!o->hidden)
			put_option(&w, t, o);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(b, '\n');
}
