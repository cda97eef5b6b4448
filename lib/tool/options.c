/* options.c - parse the command line by a table.  See tool.h. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/time.h"
#include "base/gone.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "file/file.h"
#include "frame.h"
#include "text/escape.h"
#include "tool.h"

/* ---- the command line ---- */

#define LONG_NAME 64

static const char units[] = "KMG";	/* of a size: 1024 of the one before */

struct parser {
	struct lh_tool *t;
	void *settings;
	uint64_t seen;			/* bit per option of the table */
	enum lh_tool_ask ask;		/* the greatest of those given, ... */
	bool alias;			/* ... which is none if there are operands */
};

static bool is_end(const struct lh_option *o)
{
	return !o->key && !o->name;
}

static void *field(const struct parser *p, const struct lh_option *o)
{
	return (char *)(o->common ? (void *)p->t : p->settings) + o->off;
}

static const char *choices_of(const struct lh_option *o)
{
	return o->words ? o->words : o->arg;
}

static void size_text(char *to, size_t n, double v)
{
	char u[2] = "";
	int i;

	for (i = 0; i < 3 && v >= 1024 && v / 1024 == (double)(uint64_t)(v / 1024); i++) {
		v /= 1024;
		u[0] = units[i];
	}
	snprintf(to, n, "%.0f%s", v, u);
}

/* Describe the value of an option: "a whole number from 0 to 10000". */
static const char *accepted(const struct lh_option *o, char *to, size_t n)
{
	char lo[32], hi[32];
	const char *c;

	switch (o->type) {
	case LH_OPT_UINT:
	case LH_OPT_INT:
		snprintf(to, n, "a whole number from %.0f to %.0f", o->min, o->max);
		break;
	case LH_OPT_SIZE:
		size_text(lo, sizeof lo, o->min);
		size_text(hi, sizeof hi, o->max);
		snprintf(to, n, "a size from %s to %s (in bytes, or with K, M or G)", lo, hi);
		break;
	case LH_OPT_REAL:
		snprintf(to, n, "a number from %.15g to %.15g", o->min, o->max);
		break;
	case LH_OPT_CHOICE:
		snprintf(to, n, "one of ");
		for (c = choices_of(o); *c; c++) {
			size_t at = strlen(to);

			snprintf(to + at, n - at, *c == '|' ? ", " : "%c", *c);
		}
		break;
	case LH_OPT_TIME:
		snprintf(to, n, "a time like 2026-05-03T12:00:00Z");
		break;
	default:
		snprintf(to, n, "%s", o->arg ? o->arg : "nothing");
	}
	return to;
}

/* Read a whole decimal number; no sign, no space, no locale. */
static int read_uint(const char *s, const char **end, uint64_t *v)
{
	const char *from = s;

	for (*v = 0; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(*s - '0'), v))
			return -1;
	*end = s;
	return s == from ? -1 : 0;
}

/* Read a whole decimal number with or without "-". */
static int read_int(const char *s, int64_t *v)
{
	bool minus = *s == '-';
	const char *end;
	uint64_t u;

	if (read_uint(s + minus, &end, &u) < 0 || *end || u > INT64_MAX)
		return -1;
	*v = minus ? -(int64_t)u : (int64_t)u;
	return 0;
}

/* Read a size in bytes or with K, M or G: 0, or -1 if it is not one. */
static int read_size(const char *s, uint64_t *v)
{
	const char *end, *unit;

	if (read_uint(s, &end, v) < 0)
		return -1;
	if (!*end)
		return 0;
	unit = strchr(units, *end & ~0x20);
	if (!unit || end[1])
		return -1;
	return __builtin_mul_overflow(*v, UINT64_C(1) << 10 * (unit - units + 1), v) ? -1 : 0;
}

/* Skip digits; return NULL if there are none. */
static const char *skip_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n ? s + n : NULL;
}

#define REAL_MAX 64	/* bytes of a number */

/* Read [-]digits[.digits], and an exponent if the option has measures for values, which tools
 * print so.  strtod would read "0,5" under some locales. */
static int read_real(const char *s, bool exponent, double *v)
{
	char text[REAL_MAX + LH_PAD] = "";
	const char *end = s + (*s == '-'), *next;
	size_t n = strlen(s);

	end = skip_digits(end);
	if (end && *end == '.')
		end = skip_digits(end + 1);
	if (end && exponent && (*end == 'e' || *end == 'E'))
		end = skip_digits(end + 1 + (end[1] == '-' || end[1] == '+'));
	if (!end || *end || n > REAL_MAX)
		return -1;
	memcpy(text, s, n);
	*v = lh_f64_read(text, text + n, &next);
	return isfinite(*v) ? 0 : -1;
}

static int read_choice(const char *choices, const char *s)
{
	size_t n = strlen(s);
	int i;

	for (i = 0; *choices; i++) {
		size_t len = strcspn(choices, "|");

		if (len == n && memcmp(choices, s, n) == 0)
			return i;
		choices += len + (choices[len] == '|');
	}
	return -1;
}

/* Report what an earlier version had, and what to do in place of it: -1; or 0 if it had not. */
static int gone(struct parser *p, const char *what, size_t n)
{
	char line[LH_GONE_ROOM];

	return lh_gone(p->t->name, what, n, line) ? lh_tool_usage(p->t, "%s", line) : 0;
}

static int bad_value(struct parser *p, const struct lh_option *o, const char *as, const char *value)
{
	struct lh_suggest s = lh_suggest_for(value, strlen(value));
	char what[256], close[LH_SUGGEST_ROOM];

	snprintf(what, sizeof what, "--%s=%s", o->name ? o->name : "", value);
	if (gone(p, what, strlen(what)) < 0)
		return -1;
	snprintf(what, sizeof what, "%s %s", o->name ? o->name : "", value);
	if (gone(p, what, strlen(what)) < 0)
		return -1;

	if (o->type == LH_OPT_CHOICE)
		lh_suggest_choices(&s, choices_of(o));
	lh_suggest_text(&s, "", close);
	return lh_tool_usage(p->t, "%s: \"%.200s\" is not %s%s%s%s", as, value,
			     accepted(o, what, sizeof what), *close ? " (" : "", close,
			     *close ? ")" : "");
}

static void append(struct lh_list *list, const char *value)
{
	const char **v = lh_realloc(list->v, list->n + 1, sizeof *v);

	v[list->n++] = value;
	list->v = v;
}

/* Set the field of an option; as is the option as the user wrote it: -k, --jobs, LH_URL. */
static int set(struct parser *p, const struct lh_option *o, const char *as, const char *value)
{
	void *f = field(p, o);
	const char *end;
	uint64_t u;
	int64_t ms, whole;
	double d;
	int i;

	switch (o->type) {
	case LH_OPT_FLAG:
		*(bool *)f = true;
		return 0;
	case LH_OPT_TEXT:
		*(const char **)f = value;
		return 0;
	case LH_OPT_TEXTS:
		append(f, value);
		return 0;
	case LH_OPT_UINT:
	case LH_OPT_SIZE:
		if (o->type == LH_OPT_SIZE ? read_size(value, &u) < 0
					   : read_uint(value, &end, &u) < 0 || *end)
			return bad_value(p, o, as, value);
		if (u < (uint64_t)o->min || u > (uint64_t)o->max)	/* exact beyond 2^53 */
			return bad_value(p, o, as, value);
		*(uint64_t *)f = u;
		return 0;
	case LH_OPT_INT:
		if (read_int(value, &whole) < 0 || whole < (int64_t)o->min ||
		    whole > (int64_t)o->max)
			return bad_value(p, o, as, value);
		*(int64_t *)f = whole;
		return 0;
	case LH_OPT_REAL:
		if (read_real(value, o->exponent, &d) < 0 || d < o->min || d > o->max)
			return bad_value(p, o, as, value);
		*(double *)f = d;
		return 0;
	case LH_OPT_CHOICE:
		i = read_choice(choices_of(o), value);
		if (i < 0)
			return bad_value(p, o, as, value);
		*(int *)f = i;
		return 0;
	case LH_OPT_TIME:
		if (lh_time_read(value, strlen(value), &ms) < 0)
			return bad_value(p, o, as, value);
		*(const char **)f = value;
		return 0;
	}
	return 0;
}

/* Handle an option of the command line.  value is NULL if none was attached; the next argument
 * is then its value.  Returns the number of further arguments used, or -1. */
static int met(struct parser *p, const struct lh_option *o, const char *as, const char *value,
	       const char *next)
{
	char what[256];

	p->seen |= UINT64_C(1) << (o - p->t->options);
	if (o->type == LH_OPT_FLAG && value)
		return lh_tool_usage(p->t, "%s: takes no value", as);
	if (o->type == LH_OPT_FLAG && o->asks) {
		p->ask = o->asks > p->ask ? o->asks : p->ask;
		p->alias |= !o->common;
		if (o->common)
			return 0;
	}
	if (o->type != LH_OPT_FLAG && !value && !next)
		return lh_tool_usage(p->t, "%s: missing value, which is %s", as,
				     accepted(o, what, sizeof what));
	if (set(p, o, as, value ? value : next) < 0)
		return -1;
	return o->type != LH_OPT_FLAG && !value;
}

/* The command that was given so far, or NULL. */
static const struct lh_verb *verb_so_far(const struct lh_tool *t)
{
	const struct lh_verb *v = t->verbs;

	for (; v && v->name && t->n_operands; v++)
		if (strcmp(v->name, t->operands[0]) == 0)
			return v;
	return NULL;
}

/* Find an option by its letter or name among those of the command given so far; NULL: none. */
static const struct lh_option *option_of(const struct lh_tool *t, const char *name, size_t n)
{
	const struct lh_verb *verb = verb_so_far(t);
	const struct lh_option *o;

	for (o = t->options; !is_end(o); o++)
		if ((n == 1 ? o->key == *name
			    : o->name && strlen(o->name) == n && memcmp(o->name, name, n) == 0) &&
		    (!verb || !o->verbs || o->verbs & verb->bit))
			return o;
	return NULL;
}

/* What other programs call our options. */
static const struct lh_option *called_elsewhere(const struct lh_tool *t, const char *name, size_t n)
{
	static const char *const names[][2] = {
		{ "limit", "k" }, { "top-k", "k" }, { "top_k", "k" }, { "topk", "k" },
		{ "top", "k" }, { "n", "k" }, { "num-results", "k" }, { "results", "k" },
		{ "k", "k" }, { "size", "k" }, { "max-results", "k" }, { "count", "k" },
		{ "count", "n" }, { "rows", "n" }, { "limit", "max-rows" }, { "k", "max-rows" },
		{ "filter", "where" }, { "f", "where" }, { "metadata-filter", "where" },
		{ "q", "query" }, { "text", "query" }, { "json", "flat" }, { "format", "flat" },
		{ "port", "listen" }, { "p", "listen" }, { "host", "listen" },
		{ "bind", "listen" }, { "address", "listen" }, { "threads", "j" },
		{ "workers", "j" }, { "out", "output" }, { "pk", "id" }, { "key", "id" },
		{ "pk", "id-field" }, { "key", "id-field" }, { "sep", "delimiter" },
		{ "separator", "delimiter" }, { "d", "delimiter" }, { "data-dir", "state" },
		{ "data", "state" }, { "overwrite", "force" }, { "dim", "dimension" },
		{ "dimensions", "dimension" },
	};
	const struct lh_option *o = NULL;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names && !o; i++)
		if (strlen(names[i][0]) == n && memcmp(names[i][0], name, n) == 0)
			o = option_of(t, names[i][1], strlen(names[i][1]));
	return o;
}

/* Report an option that is not in the table, with what others call so, or those of this command,
 * or else of any, whose names are close. */
static int unknown(struct parser *p, const char *arg, size_t n, const char *name, size_t n_name)
{
	struct lh_suggest s = lh_suggest_for(name, n_name);
	const struct lh_verb *verb = verb_so_far(p->t);
	const struct lh_option *o, *any;
	char close[LH_SUGGEST_ROOM];

	if (gone(p, arg, n) < 0)
		return -1;
	o = n_name ? called_elsewhere(p->t, name, n_name) : called_elsewhere(p->t, arg + 1, n - 1);
	for (; !o && (verb || !s.n_best); verb = NULL) {
		for (any = p->t->options; !is_end(any); any++)
			if (any->name && !any->hidden &&
			    (!verb || !any->verbs || any->verbs & verb->bit))
				lh_suggest_offer(&s, any->name, strlen(any->name));
		if (!verb)
			break;
	}
	if (o && o->name)
		snprintf(close, sizeof close, "did you mean --%s?", o->name);
	else if (o)
		snprintf(close, sizeof close, "did you mean -%c?", o->key);
	else
		lh_suggest_text(&s, "--", close);
	if (*close && n_name && arg[1] != '-') {	/* the word, not its first unknown letter */
		arg = name - 1;
		n = n_name + 1;
	}
	return lh_tool_usage(p->t, "unknown option \"%.*s\" (%s%ssee %s --help)",
			     (int)(n > 200 ? 200 : n), arg, close, *close ? " " : "", p->t->name);
}

/* Find the option that names the member with the id, which is --id or --id-field; either is
 * understood where the command has the other.  NULL: it is not that. */
static const struct lh_option *id_field(const struct lh_tool *t, const char *name, size_t n)
{
	static const char id[] = "id", field[] = "id-field";
	const struct lh_option *o = NULL;

	if (n == 2 && memcmp(name, id, n) == 0)
		o = option_of(t, field, strlen(field));
	else if (n == strlen(field) && memcmp(name, field, n) == 0)
		o = option_of(t, id, strlen(id));
	return o && o->arg && (strcmp(o->arg, "NAME") == 0 || strcmp(o->arg, "COLUMN") == 0)
		? o : NULL;
}

static int long_option(struct parser *p, const char *arg, const char *next)
{
	size_t n = strcspn(arg + 2, "=");
	const struct lh_option *o, *any;
	char as[LONG_NAME];

	o = n > 1 ? option_of(p->t, arg + 2, n) : NULL;
	if (!o)
		o = id_field(p->t, arg + 2, n);
	for (any = p->t->options; !o && !is_end(any); any++)
		if (any->name && strlen(any->name) == n && memcmp(any->name, arg + 2, n) == 0)
			o = any;	/* of another command, which is said later */
	if (!o)
		return unknown(p, arg, n + 2, arg + 2, n);
	snprintf(as, sizeof as, "--%s", o->name);
	return met(p, o, as, arg[2 + n] == '=' ? arg + 3 + n : NULL, next);
}

static int short_options(struct parser *p, const char *arg, const char *next)
{
	const char *word = arg + 1;		/* -where may be meant as --where */
	const struct lh_option *o;
	char as[3] = "-?";
	size_t n = strcspn(word, "=");

	while (*++arg) {
		as[1] = *arg;
		for (o = p->t->options; !is_end(o) && o->key != *arg; o++)
			;
		if (is_end(o))
			return unknown(p, as, 2, word, n > 2 ? n : 0);
		if (o->type != LH_OPT_FLAG)
			return met(p, o, as, arg[1] ? arg + 1 : NULL, next);
		if (met(p, o, as, NULL, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Set the options of argv, and collect its operands. */
static int arguments(struct parser *p, int argc, char **argv)
{
	struct lh_tool *t = p->t;
	int i, used;

	t->operands = argv + (argc > 0);
	t->n_operands = 0;
	for (i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (argv[i][0] != '-' || !argv[i][1]) {
			t->operands[t->n_operands++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				t->operands[t->n_operands++] = argv[i];
			break;
		}
		used = argv[i][1] == '-' ? long_option(p, argv[i], next)
					 : short_options(p, argv[i], next);
		if (used < 0)
			return -1;
		i += used;
	}
	return 0;
}

/* Take the command named "", which is for operands only if it has any. */
static int default_verb(struct parser *p, const char *names)
{
	struct lh_tool *t = p->t;
	struct lh_suggest s = lh_suggest_for("", 0);
	const char *given = t->n_operands ? t->operands[0] : NULL;
	const struct lh_verb *v;
	char close[LH_SUGGEST_ROOM];

	for (v = t->verbs; v->name && *v->name; v++)
		;
	if (v->name && (!given || *v->operands)) {
		t->verb = v;
		return 0;
	}
	if (!given)
		return lh_tool_usage(t, "missing command, which is one of %s", names);
	if (gone(p, given, strlen(given)) < 0)
		return -1;
	s = lh_suggest_for(given, strlen(given));
	for (v = t->verbs; v->name; v++)
		lh_suggest_offer(&s, v->name, strlen(v->name));
	lh_suggest_text(&s, "", close);
	return lh_tool_usage(t, "unknown command \"%.200s\"%s%s%s, not one of %s", given,
			     *close ? " (" : "", close, *close ? ")" : "", names);
}

/* Find the command, which is the first operand. */
static int find_verb(struct parser *p)
{
	struct lh_tool *t = p->t;
	char names[256];
	const struct lh_verb *v;
	size_t at = 0;

	if (!t->verbs)
		return 0;
	v = verb_so_far(t);
	if (v && *v->name) {
		t->verb = v;
		t->operands++;
		t->n_operands--;
		return 0;
	}
	if (p->ask)
		return 0;
	*names = '\0';
	for (v = t->verbs; v->name && at < sizeof names; v++)
		if (*v->name)
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%s",
					       at ? ", " : "", v->name);
	return default_verb(p, names);
}

static bool belongs(const struct lh_tool *t, const struct lh_option *o)
{
	return !o->verbs || !t->verb || o->verbs & t->verb->bit;
}

bool lh_tool_has_option(const struct lh_tool *t, const char *name)
{
	const struct lh_option *o = t->options;

	for (; o->key || o->name; o++)
		if (o->name && !strcmp(o->name, name))
			return belongs(t, o);
	return false;
}

/* Report an option of another command, and whose it is. */
static int foreign(struct lh_tool *t, const struct lh_option *o)
{
	const char *verb = t->verb->name, *between = "";
	char as[LONG_NAME], of[256] = "";
	const struct lh_verb *v;
	size_t at = 0;

	if (o->name)
		snprintf(as, sizeof as, "--%s", o->name);
	else
		snprintf(as, sizeof as, "-%c", o->key);
	for (v = t->verbs; v->name && at < sizeof of; v++) {
		if (!(o->verbs & v->bit))
			continue;
		at += (size_t)snprintf(of + at, sizeof of - at, "%s%s", between,
				       *v->name ? v->name : t->name);
		between = ", ";
	}
	return lh_tool_usage(t, "%s: not an option of \"%s%s%s\", but of %s", as, t->name,
			     *verb ? " " : "", verb, of);
}

/* Reject options of another command, and set options that were not given from the
 * environment. */
static int check_options(struct parser *p)
{
	struct lh_tool *t = p->t;
	const struct lh_option *o;

	for (o = t->options; !is_end(o); o++) {
		bool given = p->seen >> (o - t->options) & 1;
		const char *value = o->env ? getenv(o->env) : NULL;

		if (given && !belongs(t, o))
			return foreign(t, o);
		if (!given && belongs(t, o) && value && *value && set(p, o, o->env, value) < 0)
			return -1;
	}
	return 0;
}

/* Return the field of an option, or NULL before lh_tool_parse. */
static void *lh_tool_option_field(const struct lh_tool *t, const struct lh_option *o)
{
	struct parser p = { .t = (struct lh_tool *)(uintptr_t)t, .settings = t->state->settings };

	return p.settings ? field(&p, o) : NULL;
}

/* Check what stands where the options have the tool write. */
static int check_replaced(struct lh_tool *t)
{
	const struct lh_option *o;

	for (o = t->options; !is_end(o); o++) {
		const char *const *path = lh_tool_option_field(t, o);

		if (o->makes && *path && strcmp(*path, "-") != 0 &&
		    lh_tool_replaces(t, *path, o->makes) < 0)
			return -1;
	}
	return 0;
}

/* Report the first operand of the synopsis that is missing: "INDEX" of "INDEX [FILE...]". */
static int missing_operand(struct lh_tool *t)
{
	const char *s = t->verb->operands;
	size_t i, n = 0;

	for (i = 0; i <= t->n_operands; i++) {
		s += n;
		s += strspn(s, " ");
		n = strcspn(s, " ");
	}
	return lh_tool_usage(t, "%s%smissing operand %.*s", t->verb->name,
			     *t->verb->name ? ": " : "", (int)n, s);
}

/* Print what was asked for in place of a run. */
static int answer(const struct parser *p)
{
	struct lh_tool *t = p->t;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc;

	if (p->ask == LH_ASK_HELP)
		lh_help_text(t, &text);
	else if (p->ask == LH_ASK_DESCRIPTION)
		lh_describe_text(t, &text);
	else if (p->ask == LH_ASK_OPERATIONS)
		lh_operations_text(t, &text);
	else
		lh_buf_printf(&text, "%s %s\n", t->name, LH_VERSION);
	rc = lh_tool_out(t, text.p, text.len);
	return rc < 0 ? -1 : LH_TOOL_DONE;
}

int lh_options_parse(struct lh_tool *t, int argc, char **argv, void *settings)
{
	struct parser p = { .t = t, .settings = settings };

	t->state->settings = settings;
	if (arguments(&p, argc, argv) < 0 || find_verb(&p) < 0)
		return -1;
	if (p.alias && t->n_operands)
		p.ask = LH_ASK_NOTHING;
	if (p.ask)
		return answer(&p);
	if (check_options(&p) < 0)
		return -1;
	if (t->verb && t->n_operands < t->verb->min_operands)
		return missing_operand(t);
	return check_replaced(t);
}

void lh_options_free(struct lh_tool *t)
{
	struct parser p = { .t = t, .settings = t->state->settings };
	const struct lh_option *o;

	for (o = t->options; p.settings && !is_end(o); o++) {
		if (o->type == LH_OPT_TEXTS) {
			struct lh_list *list = field(&p, o);

			free(list->v);
			*list = (struct lh_list){ NULL, 0 };
		}
	}
	t->state->settings = NULL;
}

/* ---- whether a file may be replaced ---- */

#define AUDIT_LOG ".audit.jsonl"
#define BEGIN_MAX 256		/* bytes of a file's beginning */

extern char **environ;

const struct lh_made lh_made_page = { "a page of these tools", { LH_HTML_BEGIN }, NULL };

static bool is_file(const char *path, const struct stat *of)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == of->st_dev && st.st_ino == of->st_ino;
}

static bool ends_so(const char *text, size_t n, const char *end)
{
	return n >= strlen(end) && memcmp(text + n - strlen(end), end, strlen(end)) == 0;
}

/* Return whether an option of that name has the path of a key or a token. */
static bool names_secret(const struct lh_option *o)
{
	size_t n = o->name ? strlen(o->name) : 0;

	return ends_so(o->name, n, "key-file") || ends_so(o->name, n, "token-file");
}

/* Find the option whose value is the path of that file, a key or a token; or NULL. */
static const char *option_of_secret(const struct lh_tool *t, const struct stat *st)
{
	const struct lh_option *o;
	size_t i;

	for (o = t->options; o->key || o->name; o++) {
		const struct lh_list *list = lh_tool_option_field(t, o);
		const char *const *text = lh_tool_option_field(t, o);

		if (!text || !names_secret(o))
			continue;
		if (o->type == LH_OPT_TEXT && *text && is_file(*text, st))
			return o->name;
		for (i = 0; o->type == LH_OPT_TEXTS && i < list->n; i++)
			if (is_file(list->v[i], st))
				return o->name;
	}
	return NULL;
}

/* Find the variable of the environment that has the path of that file, a key or a token. */
static const char *variable_of_secret(const struct stat *st)
{
	static const char *const words[] = { "KEY", "TOKEN", "CREDENTIALS" };
	char **v;
	size_t i;

	for (v = environ; v && *v; v++) {
		const char *value = strchr(*v, '=');

		for (i = 0; value && i < sizeof words / sizeof *words; i++)
			if (memmem(*v, (size_t)(value - *v), words[i], strlen(words[i])) &&
			    is_file(value + 1, st))
				return *v;
	}
	return NULL;
}

/* Refuse a file that is never replaced, also with --force. */
static int refuse_always(struct lh_tool *t, const char *path, const struct stat *st)
{
	const char *name;

	if (ends_so(path, strlen(path), AUDIT_LOG))
		return lh_tool_usage(t, "%s: is an audit log, which is never replaced", path);
	name = option_of_secret(t, st);
	if (name)
		return lh_tool_usage(t, "%s: is what --%s names, and never replaced", path, name);
	name = variable_of_secret(st);
	if (name)
		return lh_tool_usage(t, "%s: is what %.*s names, and never replaced", path,
				     (int)strcspn(name, "="), name);
	return 0;
}

/* Return whether the file is one of that kind: 1, 0, or -1 if it cannot be read. */
static int is_made(const char *path, const struct lh_made *made, struct lh_err *err)
{
	char begin[BEGIN_MAX];
	ssize_t n;
	size_t i;
	int fd;

	if (made->is)
		return made->is(path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot tell what is replaced", path);
	n = lh_read_some(fd, begin, sizeof begin, err);
	close(fd);
	for (i = 0; n >= 0 && i < LH_MADE_WAYS && made->begins[i]; i++)
		if ((size_t)n >= strlen(made->begins[i]) &&
		    memcmp(begin, made->begins[i], strlen(made->begins[i])) == 0)
			return 1;
	return n < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

/* A path that names no regular file is left to what opens it for writing. */
int lh_tool_replaces(struct lh_tool *t, const char *path, const struct lh_made *made)
{
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (refuse_always(t, path, &st) < 0)
		return -1;
	if (!st.st_size || t->force)
		return 0;
	rc = is_made(path, made, &t->err);
	if (rc)
		return rc < 0 ? -1 : 0;
	return lh_tool_usage(t, "%s: is not %s: give another name, or --force", path, made->what);
}
