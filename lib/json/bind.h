/*
 * bind - the members of an object into the fields of a struct, by a table.
 *
 * A tool says once what its records hold, and lh_bind does the rest: it finds the
 * members in one pass, checks their types and ranges, unescapes the strings and
 * words the errors.
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
 * Names.  "query_text|query|text" are names of one member: the first of them that is
 * there and not null counts, the others are not looked at.
 *
 * Absent members.  null is the same as absent (unless .null or .not_null is set).  The field of an
 * absent member keeps what the caller put there: set the defaults first, for each
 * record anew.  Was a string given?  Let its default be { NULL, 0 } and ask for p; of
 * a number or bool, let the default be a value out of range, or use .given.
 *
 * Order.  Members are checked in the table's order, so the first error is that of the
 * first wrong line.  A table may have two lines with the same name: the later one is
 * not used; .as_written keeps the value in addition to what it says.
 *
 * Other members are ignored when a table ends with LH_BIND_END, and are an error when
 * it ends with LH_BIND_CLOSED.
 *
 * Errors are LH_EDATA (a caller that reads a file of its own sets another code
 * afterwards), without a column, and have one wording; a name alone is quoted, a path
 * is not:
 *
 *     missing "text" (string)
 *     "k" must be a whole number from 0 to 10000
 *     "text" must not be empty                        .filled
 *     tags[2] must be a string
 *     messages[2].role must be "system" or "user", not "tool"
 *     missing messages[2].content (string)
 *     "trace_id" must be at most 1024 bytes           .longest; status 413
 *     unknown member "x"                              LH_BIND_CLOSED
 *     unknown member "x" in messages[2]
 *     must be an object                               lh_bind_value of something else
 *     "context" must be an object; context.k must be ...      lh_bind_part, "context"
 *
 * What a table cannot say (two members that exclude each other, a string that is a
 * time) the caller checks afterwards, in the same words.
 *
 * Owner:   strings without escapes, values and numbers as text point into the
 *          record's line.  Unescaped strings and arrays are in *text, which lh_bind
 *          empties first and sizes once, so that nothing in it moves; they are valid
 *          until its next use.  So each struct that is alive has a buffer of its own.
 *          text may be NULL for a table without strings and arrays.
 * Depth:   no deeper than the tables are nested.
 * Threads: tables are constant; any number of threads.
 */
#ifndef LH_BIND_H
#define LH_BIND_H

#include <math.h>
#include <stddef.h>

#include <lh/json.h>

#define LH_BIND_MAX 64		/* lines of a table */
#define LH_BIND_ALIASES 0xffff

enum lh_bind_to {		/* the type of the field, and what the member must be */
	LH_BIND_TO_STRING,	/* struct lh_str: a string */
	LH_BIND_TO_ID,		/* struct lh_str: a string, or a number as it is written */
	LH_BIND_TO_JSON,	/* struct lh_str: a value of .types as it is written */
	LH_BIND_TO_BOOL,	/* bool */
	LH_BIND_TO_TRUTH,	/* int: 1 or 0 */
	LH_BIND_TO_WHOLE,	/* int64_t or uint64_t */
	LH_BIND_TO_F64,		/* double */
	LH_BIND_TO_CHOICE,	/* const char *: the element of .choice that the string equals */
	LH_BIND_TO_INDEX,	/* int or an enum: its index */
	LH_BIND_TO_VALUE,	/* struct lh_value: a value of .types */
	LH_BIND_TO_STRINGS,	/* const struct lh_str *, and how many: an array of strings */
	LH_BIND_TO_IDS,		/* the same of strings and numbers */
	LH_BIND_TO_TABLE,	/* a struct in the struct, by .table */
	LH_BIND_TO_TABLES,	/* a pointer to such structs, and how many; each is zeroed first */
};

struct lh_bind {
	const char *name;	/* and aliases; NULL ends the table */
	unsigned short n;	/* its bytes; LH_BIND_ALIASES: it is several names */
	unsigned char to;	/* enum lh_bind_to */
	bool closed;		/* in the line that ends the table */

	/* what a line may add to its type */
	bool required;		/* absent is an error */
	bool filled;		/* "" (and []) is an error */
	bool each_filled;	/* the same of each string of an array */
	bool lax;		/* a value of another type (or "", if .filled) counts as absent, */
				/* an element of another type is zero */
	bool null;		/* of a value: null is one, and not absent */
	bool not_null;		/* null is an error, and not absent */
	bool no_nul;		/* a string that holds NUL is an error */
	bool above;		/* of a number: min itself is out of range */
	unsigned longest;	/* bytes of a string; 0: any number */
	const char *const *choice;	/* of a string: what it may be; ends with NULL */
	const char *what;	/* "RFC 3339 time": what it must be, in the place of the type */
	/* of a string: is it that? */
	bool (*is)(const struct lh_value *v, struct lh_str text);
	size_t as_written;	/* LH_BIND_FIELD: a struct lh_value gets the value too */
	size_t given;		/* LH_BIND_FIELD: a bool gets true */
	unsigned each;		/* of an array that is a value: types of its elements, LH_BIND_IS */

	/* what the macros below fill in */
	size_t off, count;	/* of the field, of the number of elements */
	unsigned types;
	int64_t least, most;
	double min, max;
	const struct lh_bind *table;
	size_t size;
};

#define LH_BIND_END { .name = NULL }
#define LH_BIND_CLOSED { .name = NULL, .closed = true }

/* A set of types: LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER). */
#define LH_BIND_IS(type) (1u << (type))
#define LH_BIND_ANY 0x7fu

/* For .as_written and .given. */
#define LH_BIND_FIELD(s, f) (offsetof(s, f) + 1)

/*
 * The beginning of a line: s is the struct, f the field in it, of the type said above.
 * From a to b; INT64_MIN and INT64_MAX (-INFINITY and INFINITY) are no bounds.  A list
 * of choices ends with NULL.
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

/* A number as it is written; any other value. */
#define LH_BIND_NUMBER(names, s, f) LH_BIND_JSON(names, s, f, LH_BIND_IS(LH_NUMBER))
#define LH_BIND_JSON(names, s, f, set) \
	LH_BIND_LINE(names, LH_BIND_TO_JSON, s, f, struct lh_str), .types = (set)

/* The value itself, of a set of types; of any; an object; an array. */
#define LH_BIND_VALUE(names, s, f, set) \
	LH_BIND_LINE(names, LH_BIND_TO_VALUE, s, f, struct lh_value), .types = (set)
#define LH_BIND_SOME(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_ANY)
#define LH_BIND_OBJECT(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_IS(LH_OBJECT))
#define LH_BIND_ARRAY(names, s, f) LH_BIND_VALUE(names, s, f, LH_BIND_IS(LH_ARRAY))

/* An array of strings, of ids: f, and in n_f (a size_t) how many there are. */
#define LH_BIND_STRINGS(names, s, f, n_f) \
	LH_BIND_LINE(names, LH_BIND_TO_STRINGS, s, f, const struct lh_str *), \
	.count = LH_BIND_SIZE_T(s, n_f)
#define LH_BIND_IDS(names, s, f, n_f) \
	LH_BIND_LINE(names, LH_BIND_TO_IDS, s, f, const struct lh_str *), \
	.count = LH_BIND_SIZE_T(s, n_f)

/* An object by table t, which is about structs of f's type; an array of them. */
#define LH_BIND_TABLE(names, s, f, t) LH_BIND_AT(names, LH_BIND_TO_TABLE, s, f, true), .table = (t)
#define LH_BIND_TABLES(names, s, f, n_f, t) \
	LH_BIND_AT(names, LH_BIND_TO_TABLES, s, f, true), .count = LH_BIND_SIZE_T(s, n_f), \
	.table = (t), .size = sizeof *((s *)0)->f

#define LH_BIND_IF(cond) (0 * sizeof(char[(cond) ? 1 : -1]))
#define LH_BIND_TYPE(s, f, t) __builtin_types_compatible_p(__typeof__(((s *)0)->f), t)
#define LH_BIND_SIZE_T(s, f) (offsetof(s, f) + LH_BIND_IF(LH_BIND_TYPE(s, f, size_t)))
#define LH_BIND_AT(names, type, s, f, cond) \
	.name = (names), .to = (type), .off = offsetof(s, f) + LH_BIND_IF(cond), \
	.n = __builtin_strchr((names), '|') ? LH_BIND_ALIASES : sizeof(names) - 1
#define LH_BIND_LINE(names, type, s, f, t) LH_BIND_AT(names, type, s, f, LH_BIND_TYPE(s, f, t))

/* Bind a record's members to the fields of the struct at to. */
int lh_bind(const struct lh_bind *table, const struct lh_record *rec, void *to, struct lh_buf *text,
	    struct lh_err *err);

/* The same of a checked value, which must be an object: a file, a reply, an element. */
int lh_bind_value(const struct lh_bind *table, const struct lh_value *v, void *to,
		  struct lh_buf *text, struct lh_err *err);

/* The same of a value that is the member called name: paths begin with that name. */
int lh_bind_part(const struct lh_bind *table, const char *name, const struct lh_value *v, void *to,
		 struct lh_buf *text, struct lh_err *err);

/* Give a line of a table that is not constant a name that is known at run time; it
 * may hold any byte, and has no aliases. */
void lh_bind_rename(struct lh_bind *line, const char *name);

#endif
