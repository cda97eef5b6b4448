/*
 * bind - read the members of an object into the fields of a struct, by a table.
 *
 * A table has one line for each member of a record: its name, its type, its field.
 * lh_bind finds the members in one pass, checks types and ranges, unescapes strings and
 * writes the error messages.
 *
 *     struct query {
 *             struct lh_str text;
 *             uint64_t k;
 *             struct lh_value filter;
 *             struct message *message;
 *             size_t n_messages;
 *     };
 *     static const char *const roles[] = { "system", "user", NULL };
 *     static const struct lh_bind message_members[] = {
 *             { LH_BIND_CHOICE("role", struct message, role, roles), .required = true },
 *             { LH_BIND_STRING("content", struct message, content), .required = true },
 *             LH_BIND_END
 *     };
 *     static const struct lh_bind query_members[] = {
 *             { LH_BIND_STRING("query_text|query|text", struct query, text), .required = true },
 *             { LH_BIND_U64("k", struct query, k, 0, 10000) },
 *             { LH_BIND_OBJECT("metadata_filter", struct query, filter) },
 *             { LH_BIND_TABLES("messages", struct query, message, n_messages, message_members) },
 *             LH_BIND_END
 *     };
 *
 *     struct query q = { .k = 10 };
 *     if (lh_bind(query_members, rec, &q, &text, err) < 0)
 *             return -1;
 *
 * Names.  "query_text|query|text" are names of one member: the first that is present and
 * not null counts; the others are not checked.
 *
 * Absent members.  null is the same as absent (unless .null or .not_null is set).  The
 * field of an absent member is not changed: set the defaults before each record.  To see
 * whether a string was given, make { NULL, 0 } its default and test p; for a number or
 * bool use a default out of range, or .given.
 *
 * Order.  Members are checked in the order of the table, so the first error is that of the
 * first wrong line.  Of two lines with the same name only one gets the member; to store a
 * value twice, use .as_written, which stores it as a struct lh_value too.
 *
 * Other members are ignored in a table that ends with LH_BIND_END, and are an error in one
 * that ends with LH_BIND_CLOSED.  One that ends with LH_BIND_WATCHED ignores those of a record, but
 * refuses what is meant for a member of its own ("top_k" for "k"): see bind_meant.c.
 *
 * Errors are LH_EDATA without a column (a caller that reads a file of its own changes the
 * code afterwards).  A name alone is quoted, a path is not:
 *
 *     missing "text" (string)
 *     "k" must be a whole number from 0 to 10000
 *     "text" must not be empty                        .filled
 *     "text" must not be blank                        .not_blank
 *     tags[2] must be a string
 *     messages[2].role must be "system" or "user", not "tool"
 *     missing messages[2].content (string)
 *     "trace_id" must be at most 1024 bytes           .longest; status 413
 *     unknown member "x"                              LH_BIND_CLOSED
 *     unknown member "kk" (did you mean "k"?)
 *     unknown member "x" in messages[2]
 *     must be an object                               lh_bind_value of something else
 *     "context" must be an object; context.k must be ...      lh_bind_part, "context"
 *
 * Other conditions, such as two members that exclude each other, are checked by the caller
 * afterwards, in the same wording.
 *
 * Schema.  lh_bind_schema writes a table as JSON Schema (2020-12), with LH_BIND_NULLS so that it
 * permits each record that lh_bind accepts.  It permits more where JSON Schema cannot say a
 * condition: .is without .pattern, .no_nul, .not_blank, whole numbers beyond 64 bits, .longest
 * (in bytes, maxLength in characters, of which there are never more), what a lax line makes of
 * its value.
 * With LH_BIND_WORDS the schema has .what and .meant too, in keywords of its own, so that a table
 * that lh_bind_read makes of it has the same messages.
 * Each name of a member is a property, the first with .about; of several that are present each
 * must fit.  A VALUE line may have a .table too, for the schema alone: it is not checked.  A line
 * called "*" in it is each element of an array, or each member of an object; other lines are the
 * members of the object, or of each element that is one.
 *
 * Owner:   strings without escapes, values and numbers as text point into the record's
 *          line.  Unescaped strings and arrays are in *text, which lh_bind empties first and
 *          sizes once, so that they do not move; they are valid until its next use.  So each
 *          struct in use needs a buffer of its own.  text may be NULL for a table without
 *          strings and arrays.
 * Depth:   the recursion is as deep as the tables are nested.
 * Threads: tables are constant; any number of threads.
 */
#ifndef LH_BIND_H
#define LH_BIND_H

#include <math.h>
#include <stddef.h>

#include "json/json.h"

#define LH_BIND_MAX 64		/* lines of a table */
#define LH_BIND_ALIASES 0xffff

enum lh_bind_to {		/* type of the field: type of the member */
	LH_BIND_TO_STRING,	/* struct lh_str: a string */
	LH_BIND_TO_ID,		/* struct lh_str: a string, or a number as its text */
	LH_BIND_TO_JSON,	/* struct lh_str: a value of .types, as its JSON text */
	LH_BIND_TO_BOOL,	/* bool */
	LH_BIND_TO_TRUTH,	/* int: 1 or 0 */
	LH_BIND_TO_WHOLE,	/* int64_t or uint64_t */
	LH_BIND_TO_F64,		/* double */
	LH_BIND_TO_CHOICE,	/* const char *: the element of .choice equal to the string */
	LH_BIND_TO_INDEX,	/* int or an enum: the index of that element */
	LH_BIND_TO_VALUE,	/* struct lh_value: a value of .types */
	LH_BIND_TO_STRINGS,	/* const struct lh_str * and a count: an array of strings */
	LH_BIND_TO_IDS,		/* likewise: an array of strings and numbers */
	LH_BIND_TO_TABLE,	/* a nested struct: an object, by .table */
	LH_BIND_TO_TABLES,	/* pointer to structs, zeroed first, and a count: an array of
				 * objects, by .table */
};

/* Which other members an open table refuses, since one of its own is meant: names that other
 * programs have for it, and names like it; or a filter alone, without which an answer shows what it
 * must not. */
enum lh_bind_watch { LH_BIND_ANY_OTHER, LH_BIND_NOT_MEANT, LH_BIND_NO_FILTER };

struct lh_bind {
	const char *name;	/* name, or names separated by "|"; NULL ends the table */
	unsigned short n;	/* bytes of name; LH_BIND_ALIASES: several names */
	unsigned char to;	/* enum lh_bind_to */
	bool closed;		/* in the last line: other members are an error */
	enum lh_bind_watch watch;	/* in the last line: members that are meant otherwise are */

	/* optional conditions */
	bool required;		/* absent is an error */
	bool filled;		/* "" (and []) is an error */
	bool not_blank;		/* a string of white space alone is an error */
	bool each_filled;	/* "" in an array of strings is an error */
	bool lax;		/* a value of another type (or "", if .filled) counts as absent; */
				/* an array element of another type, or that .table refuses, is */
				/* zero */
	bool null;		/* null is a value, not absent */
	bool not_null;		/* null is an error, not absent */
	bool no_nul;		/* a string with NUL is an error */
	bool above;		/* a number equal to min is out of range */
	unsigned longest;	/* most bytes of a string; 0: no limit */
	const char *const *choice;	/* accepted strings; ends with NULL */
	const char *what;	/* "RFC 3339 time": noun for messages in place of the type */
	/* return whether a string is valid */
	bool (*is)(const struct lh_value *v, struct lh_str text);
	/* "where|filter": names by which users call the member; none is accepted, but the
	 * member is suggested for them and names like them */
	const char *meant;
	size_t as_written;	/* LH_BIND_FIELD of a struct lh_value: set to the value too */
	size_t given;		/* LH_BIND_FIELD of a bool: set to true if the member is there */
	unsigned each;		/* LH_BIND_IS set: types of the elements of an LH_BIND_ARRAY */

	/* for lh_bind_schema and --describe alone */
	unsigned char either;	/* not 0: of the lines with this number, if they are several, one
				   has to be there, which the caller checks */
	bool person;	/* it is the id of a record, or shows ids of persons at any depth */
	bool path;	/* it names a file, a folder or an index: refused from outside, unless */
	bool safe;	/* the operation itself refuses all but those that may be named */
	const char *about;	/* a sentence for people */
	const char *usual;	/* the default, as JSON text */
	const char *pattern;	/* regular expression for which .is stands */
	const char *format;	/* "date-time" */

	/* set by the macros below */
	size_t field;		/* LH_BIND_FIELD; 0: it has none, and lh_bind refuses the table */
	bool ignored;		/* the value is checked, and not stored */
	size_t count;		/* offset of the number of elements */
	unsigned types;
	int64_t least, most;
	double min, max;
	const struct lh_bind *table;
	size_t size;
};

#define LH_BIND_END { .name = NULL }
#define LH_BIND_CLOSED { .name = NULL, .closed = true }
#define LH_BIND_WATCHED(which) { .name = NULL, .watch = (which) }

/* A set of types: LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER). */
#define LH_BIND_IS(type) (1u << (type))
#define LH_BIND_ANY 0x7fu

/* For .as_written and .given. */
#define LH_BIND_FIELD(s, f) (offsetof(s, f) + 1)

/*
 * The beginning of a line: s is the struct, f its field, of the type given at enum
 * lh_bind_to.  Numbers are from a to b; INT64_MIN and INT64_MAX (-INFINITY and INFINITY)
 * mean no bound.  A list of choices ends with NULL.
 */
#define LH_BIND_STRING(names, s, f) LH_BIND_LINE(names, LH_BIND_TO_STRING, s, f, struct lh_str)
#define LH_BIND_ID(names, s, f) LH_BIND_LINE(names, LH_BIND_TO_ID, s, f, struct lh_str)
#define LH_BIND_BOOL(names, s, f) LH_BIND_LINE(names, LH_BIND_TO_BOOL, s, f, bool)
#define LH_BIND_TRUTH(names, s, f) LH_BIND_LINE(names, LH_BIND_TO_TRUTH, s, f, int)
#define LH_BIND_I64(names, s, f, a, b) \
	LH_BIND_LINE(names, LH_BIND_TO_WHOLE, s, f, int64_t), .least = (a), .most = (b)
#define LH_BIND_U64(names, s, f, a, b) \
	LH_BIND_LINE(names, LH_BIND_TO_WHOLE, s, f, uint64_t), .least = (a), .most = (b)
#define LH_BIND_F64(names, s, f, a, b) \
	LH_BIND_LINE(names, LH_BIND_TO_F64, s, f, double), .min = (a), .max = (b)
#define LH_BIND_CHOICE(names, s, f, list) \
	LH_BIND_LINE(names, LH_BIND_TO_CHOICE, s, f, const char *), .choice = (list)
#define LH_BIND_INDEX(names, s, f, list) \
	LH_BIND_AT(names, LH_BIND_TO_INDEX, s, f, sizeof(((s *)0)->f) == sizeof(int)), \
	.choice = (list)

/* A number as its text; a value of a set of types as its JSON text. */
#define LH_BIND_NUMBER(names, s, f) LH_BIND_JSON(names, s, f, LH_BIND_IS(LH_NUMBER))
#define LH_BIND_JSON(names, s, f, set) \
	LH_BIND_LINE(names, LH_BIND_TO_JSON, s, f, struct lh_str), .types = (set)

/* A value of a set of types, of any type, an object, an array: as struct lh_value. */
#define LH_BIND_VALUE(names, s, f, set) \
	LH_BIND_LINE(names, LH_BIND_TO_VALUE, s, f, struct lh_value), .types = (set)
#define LH_BIND_SOME(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_ANY)
#define LH_BIND_OBJECT(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_IS(LH_OBJECT))
#define LH_BIND_ARRAY(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_IS(LH_ARRAY))

/* An array of strings, of ids: elements in f, their number in n_f (a size_t). */
#define LH_BIND_STRINGS(names, s, f, n_f) \
	LH_BIND_LINE(names, LH_BIND_TO_STRINGS, s, f, const struct lh_str *), \
	.count = LH_BIND_SIZE_T(s, n_f)
#define LH_BIND_IDS(names, s, f, n_f) \
	LH_BIND_LINE(names, LH_BIND_TO_IDS, s, f, const struct lh_str *), \
	.count = LH_BIND_SIZE_T(s, n_f)

/* An object, an array of objects, by table t, which is for the type of f. */
#define LH_BIND_TABLE(names, s, f, t) LH_BIND_AT(names, LH_BIND_TO_TABLE, s, f, true), .table = (t)
#define LH_BIND_TABLES(names, s, f, n_f, t) \
	LH_BIND_AT(names, LH_BIND_TO_TABLES, s, f, true), .count = LH_BIND_SIZE_T(s, n_f), \
	.table = (t), .size = sizeof *((s *)0)->f

/* A line without a field, in a table that is only written as a schema: lh_bind refuses the table,
 * whether the member is there or not. */
#define LH_BIND_ONLY(names, type) \
	.name = (names), .to = (type), \
	.n = __builtin_strchr((names), '|') ? LH_BIND_ALIASES : sizeof(names) - 1

/* A member of a set of types that has no effect, or that others read. */
#define LH_BIND_IGNORED(names, set) \
	LH_BIND_ONLY(names, LH_BIND_TO_VALUE), .types = (set), .ignored = true

#define LH_BIND_IF(cond) (0 * sizeof(char[(cond) ? 1 : -1]))
#define LH_BIND_TYPE(s, f, t) __builtin_types_compatible_p(__typeof__(((s *)0)->f), t)
#define LH_BIND_SIZE_T(s, f) (offsetof(s, f) + LH_BIND_IF(LH_BIND_TYPE(s, f, size_t)))
#define LH_BIND_AT(names, type, s, f, cond) \
	LH_BIND_ONLY(names, type), .field = LH_BIND_FIELD(s, f) + LH_BIND_IF(cond)
#define LH_BIND_LINE(names, type, s, f, t) LH_BIND_AT(names, type, s, f, LH_BIND_TYPE(s, f, t))

/* Read the members of a record into the fields of the struct at to. */
int lh_bind(const struct lh_bind *table, const struct lh_record *rec, void *to, struct lh_buf *text,
	    struct lh_err *err);

/* Refuse a record with other members than those of the table and those called but (ended by NULL),
 * as if the table ended with LH_BIND_CLOSED. */
int lh_bind_refuse_others(const struct lh_bind *table, const char *const *but,
			  const struct lh_record *rec, struct lh_err *err);

/* Read the members of a parsed value, which must be an object: a file, a reply, an element. */
int lh_bind_value(const struct lh_bind *table, const struct lh_value *v, void *to,
		  struct lh_buf *text, struct lh_err *err);

/* Read those of a value in a text of several lines: err->column is the byte of the wrong member
 * in file, from 1. */
int lh_bind_file(const struct lh_bind *table, const struct lh_value *v, const char *file, void *to,
		 struct lh_buf *text, struct lh_err *err);

/* Return the line, from 1, of a byte of a text; NULL: the first. */
size_t lh_bind_line(const char *text, const char *at);
/* Put "PATH:LINE: " before an error about the byte at `at` of a file's text, or if that is NULL
 * at err->column, and make it an LH_EUSAGE.  Returns -1. */
int lh_bind_file_error(const char *path, const char *text, const char *at, struct lh_err *err);

/* Read those of a value that is the member called name: paths in messages begin with name. */
int lh_bind_part(const struct lh_bind *table, const char *name, const struct lh_value *v, void *to,
		 struct lh_buf *text, struct lh_err *err);

/* Write the keywords of a table as JSON Schema to w, an open object: type, properties, required,
 * additionalProperties. */
#define LH_BIND_NULLS 1u	/* null where it counts as absent */
#define LH_BIND_WORDS 2u	/* .what as "x-must-be", .meant as "x-meant": for lh_bind_read */
struct lh_writer;
void lh_bind_schema(struct lh_writer *w, const struct lh_bind *table, unsigned how);
/* Write the lines with .person to w, an open array, as strings like "results[].id"; those with
 * .path as objects {"member","safe"}.  What w has from that byte on is not written again. */
void lh_bind_marked(struct lh_writer *w, const struct lh_bind *table, bool paths, size_t from);

/* Make a table of a JSON Schema of an object, to check values by it in the same words: it refuses
 * what the schema refuses of types, ranges, choices, lengths (in bytes), elements, required and
 * unknown members.  Of patterns it checks those that are known (NULL: none; ended by a pattern
 * NULL); other keywords are not checked. */
struct lh_bind_known {
	const char *pattern;
	bool (*is)(const struct lh_value *v, struct lh_str text);
	const char *what;
};
struct lh_bind *lh_bind_read(const struct lh_value *schema, const struct lh_bind_known *known,
			     struct lh_err *err);
/* Free a table; a text that the caller has set as .meant or .what of a line is freed too. */
void lh_bind_free(struct lh_bind *table);
/* Check a value, a record by such a table, which has no fields. */
int lh_bind_check(const struct lh_bind *table, const struct lh_value *v, struct lh_err *err);
int lh_bind_check_record(const struct lh_bind *table, const struct lh_record *rec,
			 struct lh_err *err);
/* Return the types that the keyword "type" of a schema permits. */
unsigned lh_bind_schema_types(const struct lh_value *schema);

/* For .is: a time that lh_time_read reads, a SHA-256 of 64 lowercase hex digits. */
bool lh_bind_is_time(const struct lh_value *v, struct lh_str text);
bool lh_bind_is_sha256(const struct lh_value *v, struct lh_str text);
#define LH_BIND_TIME .is = lh_bind_is_time, .what = "time like 2026-05-03T12:00:00Z"

/* Set the name of a line, in a table that is not constant, to a name known only at run time.
 * It may contain any byte, and has no aliases. */
void lh_bind_rename(struct lh_bind *line, const char *name);

/* Return the types that a line accepts. */
static inline unsigned lh_bind_types(const struct lh_bind *line)
{
	static const unsigned char types[] = {
		[LH_BIND_TO_STRING] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_ID] = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_BOOL] = LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE),
		[LH_BIND_TO_TRUTH] = LH_BIND_IS(LH_TRUE) | LH_BIND_IS(LH_FALSE),
		[LH_BIND_TO_WHOLE] = LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_F64] = LH_BIND_IS(LH_NUMBER),
		[LH_BIND_TO_CHOICE] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_INDEX] = LH_BIND_IS(LH_STRING),
		[LH_BIND_TO_STRINGS] = LH_BIND_IS(LH_ARRAY),
		[LH_BIND_TO_IDS] = LH_BIND_IS(LH_ARRAY),
		[LH_BIND_TO_TABLE] = LH_BIND_IS(LH_OBJECT),
		[LH_BIND_TO_TABLES] = LH_BIND_IS(LH_ARRAY),
	};

	if (line->to == LH_BIND_TO_VALUE || line->to == LH_BIND_TO_JSON)
		return line->types | (line->null ? LH_BIND_IS(LH_NULL) : 0);
	return types[line->to];
}

#endif
