/* bind_words.c - error messages for wrong members.  See bind.h. */
#include "bind_parts.h"
#include "base/gone.h"
#include "base/suggest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SHOWN 60		/* most bytes of a value quoted in a message */
#define KEY_SHOWN 200

/* A text of bounded length; text beyond it is dropped. */
struct words {
	char p[800];
	size_t n;
};

static void LH_PRINTF(2, 3) say(struct words *w, const char *fmt, ...)
{
	size_t room = sizeof w->p - w->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->p + w->n, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->n += (size_t)n < room ? (size_t)n : room - 1;
}

/* ---- place ---- */

/* Return the name number rank of a line. */
static struct lh_str name_of(const struct lh_bind *line, unsigned rank)
{
	const char *p = line->name;

	if (line->n != LH_BIND_ALIASES)
		return (struct lh_str){ p, line->n };
	for (; rank; rank--)
		p = strchr(p, '|') + 1;
	return (struct lh_str){ p, strcspn(p, "|") };
}

static void say_path(struct words *w, const struct lh_bind_place *at)
{
	struct lh_str name = name_of(at->line, at->rank);

	if (at->up) {
		say_path(w, at->up);
		say(w, ".");
	}
	say(w, "%.*s", (int)name.n, name.p);
	if (at->index != SIZE_MAX)
		say(w, "[%zu]", at->index);
}

/* Append the place of a member: a name alone is quoted, a path is not. */
static void say_place(struct words *w, const struct lh_bind_place *at)
{
	const char *quote = at->up || at->index != SIZE_MAX ? "" : "\"";

	say(w, "%s", quote);
	say_path(w, at);
	say(w, "%s", quote);
}

/* ---- type ---- */

static void say_range(struct words *w, const struct lh_bind *line)
{
	if (line->least == INT64_MIN && line->most == INT64_MAX)
		say(w, "whole number");
	else if (line->most == INT64_MAX)
		say(w, "whole number, %" PRId64 " or more", line->least);
	else if (line->least == INT64_MIN)
		say(w, "whole number, %" PRId64 " or less", line->most);
	else
		say(w, "whole number from %" PRId64 " to %" PRId64, line->least, line->most);
}

static void say_f64_range(struct words *w, const struct lh_bind *line)
{
	say(w, "number");
	if (isfinite(line->min) && line->above)
		say(w, " above %g", line->min);
	if (isfinite(line->min) && !line->above)
		say(w, isfinite(line->max) ? " from %g" : ", %g or more", line->min);
	if (isfinite(line->max))
		say(w,
		    !isfinite(line->min) ? ", %g or less"
		    : line->above        ? " and at most %g"
					 : " to %g",
		    line->max);
}

static void say_choice(struct words *w, const char *const *choice)
{
	size_t i;

	for (i = 0; choice[i]; i++)
		say(w, "%s\"%s\"", !i ? "" : choice[i + 1] ? ", " : " or ", choice[i]);
}

/* Append the types of a set, "string, number or array"; many: "strings or numbers". */
static void say_types(struct words *w, unsigned set, unsigned each, bool many)
{
	static const char *const one[] = { "null",   "false", "true",  "number",
					   "string", "array", "object" };
	static const enum lh_type order[] = { LH_STRING, LH_NUMBER, LH_TRUE, LH_FALSE,
					      LH_ARRAY,  LH_OBJECT, LH_NULL };
	size_t i;

	if (set == LH_BIND_ANY)
		say(w, "any value");
	for (i = 0; set != LH_BIND_ANY && i < sizeof order / sizeof *order; i++) {
		if (!(set & LH_BIND_IS(order[i])))
			continue;
		set &= ~LH_BIND_IS(order[i]);
		say(w, "%s%s", one[order[i]], many ? "s" : "");
		if (order[i] == LH_ARRAY && each) {
			say(w, " of ");
			say_types(w, each, 0, true);
		}
		if (set)
			say(w, set & (set - 1) ? ", " : " or ");
	}
}

/* Append the type of a line: a noun without its article, or a list of choices. */
static void say_what(struct words *w, const struct lh_bind *line, bool element)
{
	switch (line->what ? UINT8_MAX : line->to) {
	case LH_BIND_TO_STRING:
		if (line->choice)
			say_choice(w, line->choice);
		else
			say(w, "string");
		break;
	case LH_BIND_TO_ID: say(w, "string or number"); break;
	case LH_BIND_TO_BOOL:
	case LH_BIND_TO_TRUTH: say(w, "true or false"); break;
	case LH_BIND_TO_WHOLE: say_range(w, line); break;
	case LH_BIND_TO_F64: say_f64_range(w, line); break;
	case LH_BIND_TO_CHOICE:
	case LH_BIND_TO_INDEX: say_choice(w, line->choice); break;
	case LH_BIND_TO_STRINGS: say(w, element ? "string" : "array of strings"); break;
	case LH_BIND_TO_IDS:
		say(w, element ? "string or number" : "array of strings or numbers");
		break;
	case LH_BIND_TO_TABLE: say(w, "object"); break;
	case LH_BIND_TO_TABLES: say(w, element ? "object" : "array of objects"); break;
	case LH_BIND_TO_JSON:
	case LH_BIND_TO_VALUE:
		say_types(w, element ? line->each : line->types, line->each, false);
		break;
	default: say(w, "%s", line->what);
	}
}

static const char *article(const char *noun)
{
	if (*noun == '"' || strncmp(noun, "true or", 7) == 0)
		return "";
	return strchr("aeio", *noun) ? "an " : "a ";
}

/* ---- messages ---- */

int lh_bind_missing(const struct lh_bind_place *up, const struct lh_bind *line, struct lh_err *err)
{
	struct lh_bind_place at = { up, line, 0, SIZE_MAX };
	struct words where = { .n = 0 }, what = { .n = 0 };

	say_place(&where, &at);
	say_what(&what, line, false);
	return lh_err_set(err, LH_EDATA, "missing %s (%s)", where.p, what.p);
}

/* Offer all names of a line, each of which stands for its first. */
static void offer(struct lh_suggest *s, const struct lh_bind *line, const char *names, size_t n)
{
	struct lh_str first = name_of(line, 0);
	size_t length;

	for (; n; names += length + 1, n -= length + 1) {
		length = strcspn(names, "|");
		length = length < n ? length : n;
		lh_suggest_alias(s, names, length, first.p, first.n);
		if (length == n)
			break;
	}
}

int lh_bind_unknown(const struct lh_bind_place *up, const struct lh_bind *table,
		    const struct lh_value *key, struct lh_err *err)
{
	struct words where = { .n = 0 };
	struct lh_suggest s;
	char close[LH_SUGGEST_ROOM];

	if (up) {
		say(&where, " in ");
		say_place(&where, up);
	}
	/* Append " (did you mean "k"?)" if a line of the table is close to the key. */
	s = lh_suggest_for(key->p + 1, key->n - 2);
	for (; table->name; table++) {
		offer(&s, table, table->name,
		      table->n == LH_BIND_ALIASES ? strlen(table->name) : table->n);
		if (table->meant)
			offer(&s, table, table->meant, strlen(table->meant));
	}
	lh_suggest_text(&s, "\"", close);
	if (*close)
		say(&where, " (%s)", close);
	return lh_err_set(err, LH_EDATA, "unknown member %.*s%s",
			  (int)(key->n < KEY_SHOWN ? key->n : KEY_SHOWN), key->p, where.p);
}

int lh_bind_must(const struct lh_bind_place *at, struct lh_err *err, const char *fmt, ...)
{
	struct words where = { .n = 0 };
	va_list ap;

	if (at)
		say_place(&where, at);
	lh_err_set(err, LH_EDATA, "%s%smust ", where.p, at ? " " : "");
	va_start(ap, fmt);
	vsnprintf(err->msg + strlen(err->msg), sizeof err->msg - strlen(err->msg), fmt, ap);
	va_end(ap);
	return -1;
}

int lh_bind_wrong(const struct lh_bind_place *at, const struct lh_value *v, struct lh_err *err)
{
	struct words what = { .n = 0 };
	bool quote = at->line->choice && v->type == LH_STRING;
	char was[64], line[LH_GONE_ROOM];

	if (quote && v->n < SHOWN) {
		snprintf(was, sizeof was, "%s %.*s", at->line->name, (int)v->n - 2, v->p + 1);
		if (lh_gone("", was, strlen(was), line))
			return lh_err_set(err, LH_EDATA, "%s", line);
	}
	say_what(&what, at->line, at->index != SIZE_MAX);
	return lh_bind_must(at, err, "be %s%s%s%.*s", article(what.p), what.p,
			    quote ? ", not " : "",
			    !quote         ? 0
			    : v->n < SHOWN ? (int)v->n
					   : SHOWN,
			    v->p);
}
