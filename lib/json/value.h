/* value - JSON values: numbers of any size compared, a value by its path, and a text made of
 * several of them. */
#ifndef LH_VALUE_H
#define LH_VALUE_H

#include <stdatomic.h>

#include "json/json.h"

/*
 * path - a value by its path, and whether any record had it.
 *
 *     struct lh_path p = LH_PATH("title.en");
 *     const struct lh_value *v = lh_path_find(&p, rec, &inner);
 *
 * A path is the name of a member, or names and numbers of array elements separated by dots.
 * A member whose whole name is the path, or the rest of it, comes before one inside another.
 *
 * Threads: any number may use one path.
 */

struct lh_path {
	const char *text;
	const char *option;		/* that names it; set by lh_records_want, ... */
	struct lh_path *next;		/* ... and this too */
	atomic_bool asked, found;	/* in a record */
	atomic_bool early;		/* found in one of the first LH_PATH_EARLY lines */
};

#define LH_PATH_EARLY 1000

#define LH_PATH(path) { .text = (path) }

/* Read the number of an array element in a path; false if it is none. */
bool lh_path_number(const char *digits, size_t n, uint64_t *i);

/* Set *out to the value at a path of n bytes in the checked value v; return false if it has
 * none. */
bool lh_value_at(const struct lh_value *v, const char *path, size_t n, struct lh_value *out);

/* Return the value at the path in the record, in *inner or in the record; NULL if there is
 * none.  p notes whether it was found. */
const struct lh_value *lh_path_find(struct lh_path *p, const struct lh_record *rec,
				    struct lh_value *inner);

/* Set *out to the value at the path, which must be a string.  LH_EDATA. */
int lh_path_string(struct lh_path *p, const struct lh_record *rec, struct lh_value *out,
		   struct lh_err *err);

/*
 * template - a text made of several fields of a record.
 *
 *     t = lh_template_new("{role} in {city}. Skills: {skills}", err);
 *     lh_template_render(t, rec, &text, err);
 *     lh_template_free(t);
 *
 * {PATH} stands for the field of that name or path (value.h): a string as its text, a
 * number or boolean as written, an array as its elements joined by ", ", an object
 * (or an array in an array) as its JSON text; null and an absent field as nothing.  A field that
 * the record does not have is looked for in the object "metadata" of it.
 * {{ and }} are literal braces.
 *
 * Errors:  LH_EUSAGE for a template that does not parse; the message has the byte.
 * Threads: one template may be rendered by many threads.
 */

struct lh_template;

struct lh_template *lh_template_new(const char *text, struct lh_err *err);
void lh_template_free(struct lh_template *t);

/* Append the text. */
int lh_template_render(const struct lh_template *t, const struct lh_record *rec, struct lh_buf *out,
		       struct lh_err *err);

/* Return the path of the field number i, NULL after the last.  It notes whether a record that
 * was rendered had it. */
struct lh_path *lh_template_path(const struct lh_template *t, size_t i);

/*
 * exact - the value of a checked number, of any size and without rounding.
 *
 *     struct lh_exact x = lh_exact_of(&v);
 *     if (lh_exact_cmp(&x, &limit) > 0) ...
 *
 * Owner:  it points into the text of the number.
 */

/* 0.DIGITS * 10^exp.  DIGITS begin and end with a digit other than 0 and are in p..end, perhaps
 * with a point among them.  Zero has no digits.  A written exponent beyond 10^15 makes exp
 * wrong, but as far from 0. */
struct lh_exact {
	const char *p, *end;
	int64_t exp, n;		/* n: number of digits */
	int64_t shift;		/* exp without the written exponent, ... */
	struct lh_str e;	/* ... which is this */
	bool neg;
};

struct lh_exact lh_exact_of(const struct lh_value *v);

/* Compare, however many digits the numbers and their exponents have: <0, 0, >0. */
int lh_exact_cmp(const struct lh_exact *a, const struct lh_exact *b);

static inline bool lh_exact_whole(const struct lh_exact *x)
{
	return x->n <= x->exp;
}

/* text - a string as its text. */

/* Append the text of a string. */
void lh_value_add(const struct lh_value *v, struct lh_buf *out);

/* Return the text of a string, in *scratch, which is cleared, or in the record; "" of NULL and of
 * any other value. */
static inline struct lh_str lh_value_text(const struct lh_value *v, struct lh_buf *scratch)
{
	struct lh_str out = { "", 0 };

	lh_buf_reset(scratch);
	if (v && v->p && v->type == LH_STRING)
		lh_value_str(v, scratch, &out);
	return out;
}

/* count - the number of children of a value. */

/* Return the number of elements of an array or members of an object; 0 for other types. */
static inline size_t lh_value_count(const struct lh_value *v)
{
	struct lh_iter it;
	size_t n = 0;

	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		n++;
	return n;
}

#endif
