/* bind.c - read the members of an object into the fields of a struct.  See bind.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/time.h"
#include "base/bits.h"
#include "base/gone.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "bind.h"
#include "bind_meant.h"
#include "value.h"

/* ---- error messages ---- */

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

/* A member on the path from the record to the current value. */
struct lh_bind_place {
	const struct lh_bind_place *up;	/* the member that contains it; NULL: the record */
	const struct lh_bind *line;
	unsigned rank;			/* index of the name used in the record */
	size_t index;			/* of the array element; SIZE_MAX: the member itself */
};

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

/* Set the error of a member missing or unknown in the object up.  All functions here return
 * -1. */
static int lh_bind_missing(const struct lh_bind_place *up, const struct lh_bind *line,
			   struct lh_err *err)
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

/* The second suggests what may be meant, of the lines of the table. */
static int lh_bind_unknown(const struct lh_bind_place *up, const struct lh_bind *table,
			   const struct lh_value *key, struct lh_err *err)
{
	struct words where = { .n = 0 };
	const char *why, *ours = lh_bind_foreign(key, &why);
	const struct lh_bind *line = ours ? lh_bind_line_named(table, ours) : NULL;
	struct lh_suggest s;
	char close[LH_SUGGEST_ROOM];

	if (up) {
		say(&where, " in ");
		say_place(&where, up);
	}
	if (line && why)
		return lh_err_set(err, LH_EDATA, "unknown member %.*s%s (%s)", (int)key->n, key->p,
				  where.p, why);
	/* Append " (did you mean "k"?)" if a line of the table is close to the key. */
	s = lh_suggest_for(key->p + 1, key->n - 2);
	if (line)
		lh_suggest_alias(&s, key->p + 1, key->n - 2, line->name,
				 strcspn(line->name, "|"));
	for (; !line && table->name; table++) {
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

static int LH_PRINTF(3, 4) lh_bind_must(const struct lh_bind_place *at, struct lh_err *err,
					const char *fmt, ...)
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

/* Set the error "must be" with the type of the line; "must" with the text given. */
static int lh_bind_wrong(const struct lh_bind_place *at, const struct lh_value *v,
			 struct lh_err *err)
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

/* ---- members into fields ---- */

#define FEW 2
#define ALIGN 8			/* of arrays in the caller's buffer */

/* The member found for a line: its value, and the index of its name among the line's. */
struct found {
	struct lh_value v;	/* p NULL: nothing */
	unsigned rank;
};

/* State of one call, the same at any depth. */
struct bind {
	struct lh_buf *text;
	struct lh_err *err;
	bool started;		/* the outermost object has reserved room */
	const char *wrong;	/* the innermost member with an error */
};

/* Count the lines, and refuse those that lh_bind cannot read by. */
static int count(const struct lh_bind *table, size_t *n, struct lh_err *err)
{
	for (*n = 0; table[*n].name; ++*n) {
		if (*n == LH_BIND_MAX)
			return lh_err_set(err, LH_EUSAGE, "a table of more than %d members",
					  LH_BIND_MAX);
		if (unlikely(!table[*n].field && !table[*n].ignored))
			return lh_err_set(err, LH_EUSAGE, "a table to read by has no field for "
					  "\"%s\"", table[*n].name);
	}
	return 0;
}

/* ---- find: one pass over the members ---- */

static inline bool is_key(const struct lh_value *key, const char *name, size_t n)
{
	if (unlikely(key->escaped))
		return lh_value_is(key, name, n);
	return key->n == n + 2 && !memcmp(key->p + 1, name, n);
}

/* Return whether the key is one of the line's names; *rank is its index. */
static bool has_alias(const struct lh_bind *line, const struct lh_value *key, unsigned *rank)
{
	const char *p = line->name, *end;

	for (*rank = 0;; ++*rank, p = end + 1) {
		end = strchrnul(p, '|');
		if (is_key(key, p, (size_t)(end - p)))
			return true;
		if (!*end)
			return false;
	}
}

/* Return the line from..end with that name, or NULL. */
static inline const struct lh_bind *line_of(const struct lh_bind *from, const struct lh_bind *end,
					    const struct lh_value *key, unsigned *rank)
{
	const size_t n = key->n - 2;
	const bool escaped = key->escaped;

	for (; from < end; from++) {
		if (unlikely(from->n == n || escaped) && is_key(key, from->name, from->n)) {
			*rank = 0;
			return from;
		}
		if (unlikely(from->n == LH_BIND_ALIASES) && has_alias(from, key, rank))
			return from;
	}
	return NULL;
}

/* Store a member at the line with its name.  Most records have their members in the order of
 * the table, so the search begins after the line found last. */
static bool keep(const struct lh_bind *table, size_t n, struct found *found, size_t *next,
		 const struct lh_value *key, const struct lh_value *v)
{
	const struct lh_bind *line;
	struct found *to;
	unsigned rank;

	line = line_of(table + *next, table + n, key, &rank);
	if (!line)
		line = line_of(table, table + *next, key, &rank);
	if (!line)
		return false;
	*next = (size_t)(line - table) + 1;
	to = &found[line - table];
	if ((v->type != LH_NULL || line->null || line->not_null) && (!to->v.p || rank < to->rank))
		*to = (struct found){ *v, rank };
	return true;
}

/* Look up the names of a small table in the record, which is less work than the reverse.
 * False if the table is not of that kind. */
static bool look_up(const struct lh_bind *table, size_t n, const struct lh_record *rec,
		    struct found *found)
{
	const struct lh_value *v;
	size_t i;

	if (n > FEW || table[n].closed || table[n].watch)
		return false;
	for (i = 0; i < n; i++)
		if (table[i].n == LH_BIND_ALIASES ||
		    (i && table[i].n == table[0].n &&
		     !memcmp(table[i].name, table[0].name, table[0].n)))
			return false;
	for (i = 0; i < n; i++) {
		v = lh_record_get(rec, table[i].name);
		if (v && (v->type != LH_NULL || table[i].null || table[i].not_null))
			found[i] = (struct found){ *v, 0 };
	}
	return true;
}

/* Find the members of the record, or, if rec is NULL, of the object v. */
static int find_members(struct bind *b, const struct lh_bind *table, size_t n,
			const struct lh_bind_place *up, const struct lh_record *rec,
			const struct lh_value *v, struct found *found)
{
	size_t i, next = 0;
	struct lh_iter it;

	for (i = 0; i < n; i++)
		found[i].v.p = NULL;
	if (rec && look_up(table, n, rec, found))
		return 0;
	for (i = 0; rec && i < rec->n; i++) {
		const struct lh_value *key = &rec->member[i].key;

		if (!keep(table, n, found, &next, key, &rec->member[i].val) &&
		    (table[n].closed || lh_bind_is_meant(table, key, table[n].watch)))
			return lh_bind_unknown(NULL, table, key, b->err);
	}
	if (rec)
		return 0;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if (!keep(table, n, found, &next, &it.key, &it.val) && table[n].closed) {
			b->wrong = it.key.p;
			return lh_bind_unknown(up, table, &it.key, b->err);
		}
	return 0;
}

/* ---- room: upper bound of the bytes of strings and arrays ---- */

static size_t room_of_strings(const struct lh_value *v)
{
	size_t array = v->type == LH_ARRAY ? lh_value_count(v) * sizeof(struct lh_str) + ALIGN : 0;

	return array + (memchr(v->p, '\\', v->n) ? v->n : 0);
}

static size_t room_in(const struct lh_bind *table, const struct lh_value *v);

/* Return the room for a value.  A value of a wrong type counts too; it is an error later. */
static size_t room_of(const struct lh_bind *line, const struct lh_value *v)
{
	struct lh_iter it;
	size_t room = 0;

	switch (line->to) {
	case LH_BIND_TO_STRING:
	case LH_BIND_TO_ID:
		return v->escaped ? v->n : 0;
	case LH_BIND_TO_STRINGS:
	case LH_BIND_TO_IDS:
		return room_of_strings(v);
	case LH_BIND_TO_TABLE:
		return room_in(line->table, v);
	case LH_BIND_TO_TABLES:
		for (lh_iter_init(&it, v); v->type == LH_ARRAY && lh_iter_next(&it); )
			room += line->size + room_in(line->table, &it.val);
		return room + ALIGN;
	default:
		return 0;
	}
}

/* Return an upper bound for an object: aliases that will not be used count too. */
static size_t room_in(const struct lh_bind *table, const struct lh_value *v)
{
	const struct lh_bind *line, *end = table;
	struct lh_iter it;
	size_t room = 0;
	unsigned rank;

	if (v->type != LH_OBJECT)
		return 0;
	while (end->name)
		end++;
	for (lh_iter_init(&it, v); lh_iter_next(&it); ) {
		line = line_of(table, end, &it.key, &rank);
		room += line ? room_of(line, &it.val) : 0;
	}
	return room;
}

/* Make room in the buffer of texts, which may have a maximum, for those of all members. */
static int make_room(struct bind *b, const struct lh_bind *table, const struct found *found,
		     size_t n)
{
	size_t room = 0, i;

	for (i = 0; i < n; i++)
		if (found[i].v.p)
			room += room_of(&table[i], &found[i].v);
	if (b->text)
		lh_buf_reset(b->text);
	return !room || lh_buf_room(b->text, room) ? 0 : lh_buf_check(b->text, b->err);
}

/* Append n zeroed elements to the buffer, which has room for them. */
static void *array(struct bind *b, size_t n, size_t size)
{
	struct lh_buf *text = b->text;
	char *p;

	text->len = (text->len + ALIGN - 1) / ALIGN * ALIGN;
	p = text->p + text->len;
	memset(p, 0, n * size);
	lh_buf_took(text, n * size);
	return p;
}

/* ---- take: store a value in its field ---- */

static bool chosen(const char *const *choice, const struct lh_value *v)
{
	while (*choice && !lh_value_is(v, *choice, strlen(*choice)))
		choice++;
	return *choice;
}

static int take_string(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
		       struct lh_str *to)
{
	const struct lh_bind *line = at->line;

	if (v->type == LH_NUMBER) {
		*to = (struct lh_str){ v->p, v->n };
		return 0;
	}
	lh_value_str(v, b->text, to);
	if (unlikely(line->choice && !chosen(line->choice, v)))
		return lh_bind_wrong(at, v, b->err);
	if (unlikely(line->filled && !to->n))
		return lh_bind_must(at, b->err, "not be empty");
	if (unlikely(line->not_blank && !lh_trim(to->p, to->n).n))
		return lh_bind_must(at, b->err, "not be blank");
	if (unlikely(line->is && !line->is(v, *to)))
		return lh_bind_wrong(at, v, b->err);
	if (unlikely(line->no_nul && memchr(to->p, '\0', to->n)))
		return lh_bind_must(at, b->err, "not hold NUL");
	if (unlikely(line->longest && to->n > line->longest)) {
		lh_bind_must(at, b->err, "be at most %u bytes", line->longest);
		b->err->status = 413;
		return -1;
	}
	return 0;
}

static int take_whole(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
		      int64_t *to)
{
	int64_t n;

	if (!lh_value_i64(v, &n) || n < at->line->least || n > at->line->most)
		return lh_bind_wrong(at, v, b->err);
	*to = n;
	return 0;
}

static int take_f64(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
		    double *to)
{
	double n = lh_value_f64(v);

	if (!(n >= at->line->min && n <= at->line->max) || (at->line->above && n <= at->line->min))
		return lh_bind_wrong(at, v, b->err);
	*to = n;
	return 0;
}

static int take_choice(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
		       void *to)
{
	const char *const *choice = at->line->choice;
	int i;

	for (i = 0; choice[i]; i++) {
		if (!lh_value_is(v, choice[i], strlen(choice[i])))
			continue;
		if (at->line->to == LH_BIND_TO_INDEX)
			*(int *)to = i;
		else
			*(const char **)to = choice[i];
		return 0;
	}
	return lh_bind_wrong(at, v, b->err);
}

static int take_value(struct bind *b, struct lh_bind_place *at, const struct lh_value *v,
		      struct lh_value *to)
{
	struct lh_iter it;

	*to = *v;
	if (v->type == LH_ARRAY && at->line->filled && !lh_value_count(v))
		return lh_bind_must(at, b->err, "not be empty");
	if (v->type != LH_ARRAY || !at->line->each)
		return 0;
	for (at->index = 0, lh_iter_init(&it, v); lh_iter_next(&it); at->index++)
		if (!(at->line->each & LH_BIND_IS(it.val.type)))
			return lh_bind_wrong(at, &it.val, b->err);
	return 0;
}

static int bind_object(struct bind *b, const struct lh_bind *table, const struct lh_bind_place *up,
		       const struct lh_record *rec, const struct lh_value *v, char *to);

static int take_listed(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
		       struct lh_str *to)
{
	lh_value_str(v, b->text, to);
	if (at->line->no_nul && memchr(to->p, '\0', to->n))
		return lh_bind_must(at, b->err, "not hold NUL");
	return to->n || !at->line->each_filled ? 0 : lh_bind_must(at, b->err, "not be empty");
}

static int take_element(struct bind *b, const struct lh_bind_place *at, const struct lh_value *v,
			char *to)
{
	if (at->line->to == LH_BIND_TO_TABLES && v->type == LH_OBJECT) {
		if (bind_object(b, at->line->table, at, NULL, v, to) == 0)
			return 0;
		if (!at->line->lax)
			return -1;
		memset(to, 0, at->line->size);
		b->wrong = NULL;
		b->err->code = LH_OK;
		return 0;
	}
	if (at->line->to == LH_BIND_TO_IDS && v->type == LH_NUMBER)
		*(struct lh_str *)(void *)to = (struct lh_str){ v->p, v->n };
	else if (at->line->to == LH_BIND_TO_TABLES || v->type != LH_STRING)
		return at->line->lax ? 0 : lh_bind_wrong(at, v, b->err);
	else
		return take_listed(b, at, v, (struct lh_str *)(void *)to);
	return 0;
}

/* Store an array of strings or of structs. */
static int take_array(struct bind *b, struct lh_bind_place *at, const struct lh_value *v, char *to,
		      size_t *n)
{
	size_t size = at->line->to == LH_BIND_TO_TABLES ? at->line->size : sizeof(struct lh_str);
	struct lh_iter it;
	char *element;

	*n = lh_value_count(v);
	if (!*n && at->line->filled)
		return lh_bind_must(at, b->err, "not be empty");
	element = array(b, *n, size);
	memcpy(to, &element, sizeof element);
	for (at->index = 0, lh_iter_init(&it, v); lh_iter_next(&it); at->index++, element += size)
		if (take_element(b, at, &it.val, element) < 0)
			return -1;
	return 0;
}

/* Store a value of the right type in its field. */
static int take(struct bind *b, struct lh_bind_place *at, const struct lh_value *v, char *base)
{
	char *to = base + at->line->field - 1;

	if (at->line->ignored)
		return 0;
	switch (at->line->to) {
	case LH_BIND_TO_STRING:
	case LH_BIND_TO_ID:
		return take_string(b, at, v, (struct lh_str *)(void *)to);
	case LH_BIND_TO_JSON:
		*(struct lh_str *)(void *)to = (struct lh_str){ v->p, v->n };
		return 0;
	case LH_BIND_TO_BOOL:
		*(bool *)to = v->type == LH_TRUE;
		return 0;
	case LH_BIND_TO_TRUTH:
		*(int *)(void *)to = v->type == LH_TRUE;
		return 0;
	case LH_BIND_TO_WHOLE:
		return take_whole(b, at, v, (int64_t *)(void *)to);
	case LH_BIND_TO_F64:
		return take_f64(b, at, v, (double *)(void *)to);
	case LH_BIND_TO_CHOICE:
	case LH_BIND_TO_INDEX:
		return take_choice(b, at, v, to);
	case LH_BIND_TO_VALUE:
		return take_value(b, at, v, (struct lh_value *)(void *)to);
	case LH_BIND_TO_TABLE:
		return bind_object(b, at->line->table, at, NULL, v, to);
	default:
		return take_array(b, at, v, to, (size_t *)(void *)(base + at->line->count));
	}
}

static int take_line(struct bind *b, const struct lh_bind *line, const struct lh_bind_place *up,
		     const struct found *found, char *to)
{
	struct lh_bind_place at = { up, line, found->rank, SIZE_MAX };
	bool fits = found->v.p && lh_bind_types(line) & LH_BIND_IS(found->v.type), wrong;

	if (fits && line->lax && line->filled && found->v.type == LH_STRING && found->v.n == 2)
		fits = false;
	wrong = found->v.p && found->v.type != LH_NULL &&
		!(lh_bind_types(line) & LH_BIND_IS(found->v.type));
	if (!fits && found->v.p && (!line->lax || (line->required && wrong)))
		return lh_bind_wrong(&at, &found->v, b->err);
	if (!fits)
		return line->required ? lh_bind_missing(up, line, b->err) : 0;
	if (line->as_written)
		*(struct lh_value *)(void *)(to + line->as_written - 1) = found->v;
	if (line->given)
		*(bool *)(to + line->given - 1) = true;
	return take(b, &at, &found->v, to);
}

static int bind_object(struct bind *b, const struct lh_bind *table, const struct lh_bind_place *up,
		       const struct lh_record *rec, const struct lh_value *v, char *to)
{
	struct found found[LH_BIND_MAX];
	bool outermost = !b->started;
	size_t n, i;

	b->started = true;
	if (count(table, &n, b->err) < 0 || find_members(b, table, n, up, rec, v, found) < 0)
		return -1;
	if (outermost && make_room(b, table, found, n) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if ((found[i].v.p || table[i].required) &&
		    take_line(b, &table[i], up, &found[i], to) < 0) {
			if (!b->wrong)
				b->wrong = found[i].v.p ? found[i].v.p : v ? v->p : NULL;
			return -1;
		}
	return 0;
}

int lh_bind(const struct lh_bind *table, const struct lh_record *rec, void *to,
	    struct lh_buf *text, struct lh_err *err)
{
	return bind_object(&(struct bind){ .text = text, .err = err }, table, NULL, rec, NULL, to);
}

int lh_bind_refuse_others(const struct lh_bind *table, const char *const *but,
			  const struct lh_record *rec, struct lh_err *err)
{
	const struct lh_bind *end = table;
	unsigned rank;
	size_t i;

	while (end->name)
		end++;
	for (i = 0; i < rec->n; i++) {
		const struct lh_value *key = &rec->member[i].key;

		if (!line_of(table, end, key, &rank) && !chosen(but, key))
			return lh_bind_unknown(NULL, table, key, err);
	}
	return 0;
}

int lh_bind_value(const struct lh_bind *table, const struct lh_value *v, void *to,
		  struct lh_buf *text, struct lh_err *err)
{
	if (v->type != LH_OBJECT)
		return lh_bind_must(NULL, err, "be an object");
	return bind_object(&(struct bind){ .text = text, .err = err }, table, NULL, NULL, v, to);
}

int lh_bind_file(const struct lh_bind *table, const struct lh_value *v, const char *file, void *to,
		 struct lh_buf *text, struct lh_err *err)
{
	struct bind b = { .text = text, .err = err, .wrong = NULL };

	if (v->type != LH_OBJECT)
		return lh_bind_must(NULL, err, "be an object");
	if (bind_object(&b, table, NULL, NULL, v, to) == 0)
		return 0;
	if (b.wrong)
		err->column = (size_t)(b.wrong - file) + 1;
	return -1;
}

size_t lh_bind_line(const char *text, const char *at)
{
	size_t line = 1;

	for (; at && text < at; text++)
		line += *text == '\n';
	return line;
}

int lh_bind_file_error(const char *path, const char *text, const char *at, struct lh_err *err)
{
	if (!at && err->column)
		at = text + err->column - 1;
	err->column = 0;
	err->code = LH_EUSAGE;
	return lh_err_prefix(err, "%s:%zu", path, lh_bind_line(text, at));
}

int lh_bind_part(const struct lh_bind *table, const char *name, const struct lh_value *v, void *to,
		 struct lh_buf *text, struct lh_err *err)
{
	const struct lh_bind line = { .name = name, .n = (unsigned short)strlen(name) };
	const struct lh_bind_place at = { NULL, &line, 0, SIZE_MAX };

	if (v->type != LH_OBJECT)
		return lh_bind_must(&at, err, "be an object");
	return bind_object(&(struct bind){ .text = text, .err = err }, table, &at, NULL, v, to);
}

void lh_bind_rename(struct lh_bind *line, const char *name)
{
	line->name = name;
	line->n = (unsigned short)strlen(name);
}

bool lh_bind_is_time(const struct lh_value *v, struct lh_str text)
{
	int64_t ms;

	(void)v;
	return lh_time_read(text.p, text.n, &ms) == 0;
}

bool lh_bind_is_sha256(const struct lh_value *v, struct lh_str text)
{
	(void)v;
	return lh_is_hex(text, 64);
}
