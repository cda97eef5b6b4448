/*
 * describe.c - print --help, --describe-options and --describe from tables.  See tool.h and op.h.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "json/write.h"

/* ---- what the name of an argument says about its value ---- */

/*
 * One table gives the kind of each name; a name that it does not have is text.  A name with a
 * suffix, FILE.md, is a file with that suffix; of "URL|DIR" that
 * counts which can be completed, and of two kinds of files any file is meant.
 */

struct lh_arg_kind {
	const char *name;
	const char *kind;	/* "file", "folder", "command", "page", "url" or "text" */
	const char *files;	/* of a file: "*.jsonl *.log"; NULL: any, or those of its suffix */
};

#define RECORDS "*.jsonl *.ndjson *.jsonl.gz *.jsonl.zst *.jsonl.xz *.jsonl.bz2 *.jsonl.lz4 " \
	"*.tar *.tar.gz *.tar.zst *.tgz *.zip"

/* FILE of an option is any file; as an operand it has records. */
static const struct lh_arg_kind kinds[] = {
	{ "FILE", "file", NULL },
	{ "PATH", "file", NULL },
	{ "DIR", "folder", NULL },
	{ "FOLDER", "folder", NULL },
	{ "ROOT", "folder", NULL },
	{ "STORE", "folder", NULL },
	{ "FROM", "folder", NULL },
	{ "TO", "folder", NULL },
	{ "INDEX", "file", "*.lhv" },
	{ "PLAYBOOK", "file", "*.lhv" },
	{ "DEST", "file", "*.lhv" },
	{ "SRC", "file", "*.lhv" },
	{ "ROSTER", "file", "*.lhv *.jsonl" },
	{ "MODEL", "file", "*.gguf" },
	{ "TABLE", "file", "*.csv *.tsv *.csv.gz *.csv.zst *.xlsx *.parquet *.jsonl" },
	{ "LOG", "file", "*.jsonl *.log" },
	{ "IDS", "file", "*.jsonl" },
	{ "BUNDLE", "file", "*.tar.zst" },
	{ "FIXTURE", "file", RECORDS },
	{ "OPERAND", "file", RECORDS },
	{ "NAME=FILE", "file", RECORDS " *.lhv *.csv *.parquet" },
	{ "CMD", "command", NULL },
	{ "PAGE", "page", NULL },
	{ "URL", "url", NULL },
};

/* The one named, or NULL. */
static const struct lh_arg_kind *by_name(const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strlen(kinds[i].name) == n && memcmp(kinds[i].name, name, n) == 0)
			return &kinds[i];
	return NULL;
}

/* The kind of "URL|DIR": that of the part whose values can be completed; of two kinds of files,
 * any file. */
static struct lh_arg_kind of_parts(const char *name, size_t n)
{
	static const struct lh_arg_kind text = { NULL, "text", NULL },
					file = { NULL, "file", NULL };
	const struct lh_arg_kind *found = NULL, *is;
	const char *end = name + n;
	size_t part;

	for (; name < end; name += part + 1) {
		part = strcspn(name, "|");
		part = part < (size_t)(end - name) ? part : (size_t)(end - name);
		is = by_name(name, part);
		if (is && found && !strcmp(is->kind, "file") && !strcmp(found->kind, "file"))
			return file;
		if (is && (!found || strcmp(found->kind, "url") == 0))
			found = is;
	}
	return found ? *found : text;
}

/* Find the suffix in a name of n bytes, ".md" in "FILE.md"; NULL: none. */
static const char *lh_arg_suffix(const char *name, size_t n)
{
	const char *dot = memchr(name, '.', n);

	return dot && dot + 1 < name + n && dot[1] >= 'a' && dot[1] <= 'z' ? dot : NULL;
}

/* Look up a name of n bytes, of an operand or of an option's argument. */
static struct lh_arg_kind lh_arg_kind_of(const char *name, size_t n, bool operand)
{
	static const struct lh_arg_kind records = { "FILE", "file", RECORDS },
					file = { NULL, "file", NULL };

	if (operand && n == 4 && memcmp(name, "FILE", n) == 0)
		return records;
	return lh_arg_suffix(name, n) ? file : of_parts(name, n);
}

/* ---- --help ---- */

#define WIDTH 79
#define COLUMN_MIN 20
#define COLUMN_MAX 34
#define SCREEN 40		/* lines that the help of a tool has at most */

/* Append a heading, followed by text that is not one. */
static void heading(const struct lh_tool *t, struct lh_buf *b, const char *text)
{
	lh_term_put(b, lh_term_colored(STDOUT_FILENO, t->color), LH_STYLE_HEADING, text,
		    strlen(text));
}

static size_t option_left(const struct lh_option *o, char *to, size_t n)
{
	size_t at;

	if (o->key && o->name)
		at = (size_t)snprintf(to, n, "  -%c, --%s", o->key, o->name);
	else if (o->key)
		at = (size_t)snprintf(to, n, "  -%c", o->key);
	else
		at = (size_t)snprintf(to, n, "      --%s", o->name);
	if (o->arg)
		at += (size_t)snprintf(to + at, n - at, " %s", o->arg);
	return at;
}

/* Append a row of two columns, with right broken at spaces. */
static void row(struct lh_buf *b, const char *left, size_t column, const char *right)
{
	size_t at = strlen(left);

	lh_buf_puts(b, left);
	if (at + 2 > column) {
		lh_buf_putc(b, '\n');
		at = 0;
	}
	while (*right) {
		size_t room = WIDTH - column, n = strlen(right);

		for (; at < column; at++)
			lh_buf_putc(b, ' ');
		if (n > room)
			for (n = room; n && right[n] != ' '; n--)
				;
		if (!n)
			n = strcspn(right, " ");
		lh_buf_add(b, right, n);
		lh_buf_putc(b, '\n');
		right += n;
		right += strspn(right, " ");
		at = 0;
	}
}

/* Return whether an option is listed; brief: of a tool with commands, only those of all. */
static bool listed(const struct lh_tool *t, const struct lh_option *o, bool brief)
{
	if (o->hidden)
		return false;
	return !o->verbs || (t->verb ? (o->verbs & t->verb->bit) != 0 : !brief);
}

#define VERBS_MOST 4	/* of an option, before the rest is left to the help of a command */

/* Append the commands of an option, "; add, build", unless it is for all, or for the tool
 * without a command. */
static void verbs_of(const struct lh_tool *t, const struct lh_option *o, struct lh_buf *b)
{
	const struct lh_verb *v;
	const char *between = "; ";
	bool many = __builtin_popcount(o->verbs) > VERBS_MOST;
	unsigned n = 0;

	if (t->verb || !t->verbs || !o->verbs)
		return;
	for (v = t->verbs; v->name; v++)
		if (!*v->name && o->verbs & v->bit)
			return;
	for (v = t->verbs; v->name; v++) {
		if (!(o->verbs & v->bit))
			continue;
		lh_buf_puts(b, between);
		if (many && n++ == 2) {
			lh_buf_puts(b, "...");
			return;
		}
		lh_buf_puts(b, v->name);
		between = ", ";
	}
}

static size_t lines_of(const struct lh_buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->len; i++)
		n += b->p[i] == '\n';
	return n;
}

/* Append the rows, with the texts from a column on. */
static void rows(const struct lh_tool *t, bool brief, size_t column, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf right = { 0 };
	const struct lh_option *o;
	char left[128];

	for (o = t->options; o->key || o->name; o++) {
		if (o->common || o->seldom || !listed(t, o, brief))
			continue;
		option_left(o, left, sizeof left);
		lh_buf_reset(&right);
		lh_buf_puts(&right, o->help);
		if (o->env)
			lh_buf_printf(&right, " [%s]", o->env);
		verbs_of(t, o, &right);
		lh_buf_putc(&right, '\0');
		row(b, left, column, right.p);
	}
}

/* Append the names of the options that most tools have, which the tool's page explains. */
static void common(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 };
	const struct lh_option *o;

	for (o = t->options; o->key || o->name; o++) {
		if (!(o->common || o->seldom) || !listed(t, o, brief))
			continue;
		if (o->key)
			lh_buf_printf(&names, "%s-%c", names.len ? ", " : "", o->key);
		else
			lh_buf_printf(&names, "%s--%s", names.len ? ", " : "", o->name);
	}
	lh_buf_printf(&names, "; see %s(1)", t->name);
	lh_buf_putc(&names, '\0');
	row(b, "  Also", 8, names.p);
}

static void options(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf best = { 0 }, text = { 0 };
	size_t column;

	for (column = COLUMN_MAX; column >= COLUMN_MIN; column--) {
		lh_buf_reset(&text);
		rows(t, brief, column, &text);
		if (column < COLUMN_MAX && lines_of(&text) > lines_of(&best))
			continue;
		lh_buf_reset(&best);
		lh_buf_add(&best, text.p, text.len);
	}
	lh_buf_putc(b, '\n');
	heading(t, b, "Options:");
	lh_buf_putc(b, '\n');
	lh_buf_add(b, best.p, best.len);
	common(t, brief, b);
}

static void verbs(const struct lh_tool *t, struct lh_buf *b)
{
	const struct lh_verb *v;
	char left[128];

	lh_buf_putc(b, '\n');
	heading(t, b, "Commands:");
	lh_buf_putc(b, '\n');
	for (v = t->verbs; v->name; v++) {
		if (!*v->name)
			continue;
		snprintf(left, sizeof left, "  %s%s%s", v->name, *v->operands ? " " : "",
			 v->operands);
		row(b, left, COLUMN_MAX, v->help);
	}
}

static void help_text(const struct lh_tool *t, bool brief, struct lh_buf *b)
{
	heading(t, b, "Usage:");
	if (t->verb) {
		lh_buf_printf(b, " %s %s [OPTION]...%s%s\n%s\n", t->name, t->verb->name,
			      *t->verb->operands ? " " : "", t->verb->operands, t->verb->help);
	} else {
		lh_buf_printf(b, " %s %s\n%s\n", t->name, t->synopsis, t->summary);
		if (t->spec && t->spec->example)
			lh_buf_printf(b, "\n  %s\n", t->spec->example);
		if (t->verbs)
			verbs(t, b);
	}
	options(t, brief, b);
	if (brief)
		lh_buf_printf(b, "\n%s COMMAND --help lists the options of a command.\n",
			      t->name);
}

void lh_help_text(const struct lh_tool *t, struct lh_buf *b)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };

	help_text(t, false, &text);
	if (t->verbs && !t->verb && lines_of(&text) > SCREEN) {
		lh_buf_reset(&text);
		help_text(t, true, &text);
	}
	lh_buf_add(b, text.p, text.len);
}

/* ---- --describe-options ---- */

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

/* ---- --describe ---- */

const struct lh_bind lh_op_any[] = { LH_BIND_END };

void lh_op_names_set(struct lh_op_names *n, const struct lh_op *ops)
{
	const struct lh_bind line = {
		LH_BIND_INDEX("op", struct lh_op_asked, op, n->name), .required = true,
		.about = "the operation"
	};
	size_t i = 0;

	for (; ops->name; ops++) {
		if (!ops->answer)
			continue;
		n->of[i] = ops;
		n->name[i++] = ops->request ? ops->request : ops->name;
	}
	n->name[i] = NULL;
	n->member[0] = line;
	n->member[1] = (struct lh_bind)LH_BIND_END;
}

const struct lh_op *lh_op_of_filter(const struct lh_tool *t)
{
	return t->spec->mode ? t->spec->mode(t->state->settings) : t->spec->ops;
}

/* Write the options of all commands, or those of the commands in bits alone. */
static void write_options(struct lh_writer *w, const struct lh_tool *t, bool all, unsigned bits)
{
	const struct lh_option *o;
	char key[] = "?";

	lh_write_array(w, "options");
	for (o = t->options; o->key || o->name; o++) {
		if (o->hidden || (all ? o->verbs != 0 : !(o->verbs & bits)))
			continue;
		key[0] = (char)o->key;
		lh_write_object(w, NULL);
		lh_write_text(w, "name", o->name ? o->name : key);
		lh_write_text(w, "about", o->help);
		lh_write_end(w);
	}
	lh_write_end(w);
}

bool lh_op_is_shut(const struct lh_op *op)
{
	return op->in && op->in != lh_op_any && !op->keeps;
}

/* Set to, of LH_BIND_MAX + 3 lines, to the members that a request may have besides "op". */
static void shut_table(const struct lh_bind *from, struct lh_bind *to)
{
	static const struct lh_bind own[] = {
		{ LH_BIND_ONLY(LH_OP_TRACE, LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
		  .about = "the request, in logs" },
		{ LH_BIND_ONLY(LH_OP_ID, LH_BIND_TO_VALUE), .types = LH_BIND_ANY,
		  .about = "the request, in its error" },
	};
	bool has[2] = { false, false };
	size_t i;

	for (; from->name; from++) {
		for (i = 0; i < 2; i++)
			has[i] |= !strcmp(from->name, own[i].name);
		*to++ = *from;
	}
	for (i = 0; i < 2; i++)
		if (!has[i])
			*to++ = own[i];
	*to = (struct lh_bind)LH_BIND_CLOSED;
}

static void write_schema(struct lh_writer *w, const char *name, const struct lh_bind *table,
			 unsigned how)
{
	if (!table) {
		lh_write_null(w, name);
		return;
	}
	lh_write_object(w, name);
	if (table == lh_op_any)
		lh_write_text(w, "type", "object");
	else
		lh_bind_schema(w, table, how);
	lh_write_end(w);
}

/* Write which members of its answer and its record are marked; all: those of all requests. */
static void write_marked(struct lh_writer *w, const struct lh_op *row, bool all)
{
	static const struct {
		const char *name;
		bool in, paths;
	} lists[] = { { "shows", false, false }, { "uses", true, false }, { "paths", true, true } };
	size_t i, from;

	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		const struct lh_op *op = row;

		if (!all && !lists[i].in && (!op->out || op->out == lh_op_any)) {
			lh_write_null(w, lists[i].name);
			continue;
		}
		lh_write_array(w, lists[i].name);
		from = w->out->len;
		do {
			const struct lh_bind *table = lists[i].in ? op->in : op->out;

			if (table && (op->answer || !all))
				lh_bind_marked(w, table, lists[i].paths, from);
		} while (all && (++op)->name);
		lh_write_end(w);
	}
}

/* Write an operation; operands NULL: as requests have it, without a command. */
static void write_op(struct lh_writer *w, const struct lh_tool *t, const struct lh_op *op,
		     const char *name, const char *operands)
{
	const bool requests = !op->answer && !strcmp(op->name, "requests");
	const bool shut = t->verbs && !operands && lh_op_is_shut(op);
	struct lh_bind members[LH_BIND_MAX + 3];
	struct lh_op_names names;

	if (requests)
		lh_op_names_set(&names, t->spec->ops);
	lh_write_object(w, NULL);
	lh_write_text(w, "name", name);
	lh_write_text(w, "operands", operands);
	lh_write_text(w, "about", op->about);
	write_options(w, t, false, operands ? op->bit : 0);
	if (shut)
		shut_table(op->in, members);
	write_schema(w, "input", requests ? names.member : shut ? members : op->in,
		     LH_BIND_NULLS | LH_BIND_WORDS);
	write_schema(w, "output", op->out, 0);
	lh_write_bool(w, "writes", op->writes);
	write_marked(w, requests ? t->spec->ops : op, requests);
	lh_write_end(w);
}

/* Write the operation of a filter, and those of its requests; what it does not say of itself is
 * said of the tool. */
static void write_filter(struct lh_writer *w, const struct lh_tool *t)
{
	static const char before[] = "[OPTION]...";
	const char *operands = strstr(t->synopsis, before);
	const struct lh_op *row = lh_op_of_filter(t);
	struct lh_op op = *row;

	if (!op.about)
		op.about = t->summary;
	operands = operands ? operands + sizeof before - 1 : "";
	write_op(w, t, &op, "", operands + (*operands == ' '));
	while ((++row)->name && *row->name)
		write_op(w, t, row, row->name, NULL);
}

static void write_ops(struct lh_writer *w, const struct lh_tool *t)
{
	const struct lh_op *op;
	bool requests = false;

	for (op = t->spec->ops; op->name; op++)
		requests |= !op->answer && !strcmp(op->name, "requests");
	for (op = t->spec->ops; op->name; op++) {
		if (op->operands)
			write_op(w, t, *op->name ? op : lh_op_of_filter(t), op->name, op->operands);
		if (requests && op->answer)
			write_op(w, t, op, op->request ? op->request : op->name, NULL);
	}
}

void lh_operations_text(const struct lh_tool *t, struct lh_buf *b)
{
	struct lh_writer w = lh_write_to(b);

	lh_write_object(&w, NULL);
	lh_write_text(&w, "name", t->name);
	lh_write_text(&w, "about", t->summary);
	write_options(&w, t, true, 0);
	lh_write_array(&w, "operations");
	(t->verbs ? write_ops : write_filter)(&w, t);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_buf_putc(b, '\n');
}
