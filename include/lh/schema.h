/*
 * schema - is this record what its schema says?
 *
 * A schema is a table of fields (schema/schema_table.h): name, type, whether it is
 * required, range, choices, members of its own.  One validator walks the tables
 * over any JSON value and tells every violation, in the schema's order, each
 * with the field ("input_files[2].sha256") and then the problem.
 *
 * Required strings are non-empty unless the schema says otherwise, lists hold
 * strings, times are RFC 3339, 3.0 is an integer; null is no absence; fields
 * that the schema does not know pass.
 *
 *     s = lh_schema_find("rag_sample");
 *     n = lh_schema_check(s, &value, &scratch, on_violation, ctx, err);
 *
 * Owner:   schemas are constants.
 * Memory:  none, but for *scratch when strings with escapes are looked into.
 * Threads: no state.
 */
#ifndef LH_SCHEMA_H
#define LH_SCHEMA_H

#include <lh/json.h>

LH_C_BEGIN

/* Violations told of one record; what is beyond is counted in one more. */
#define LH_SCHEMA_MAX 1000

struct lh_schema;

/* NULL when there is no schema of that name. */
LH_API const struct lh_schema *lh_schema_find(const char *name);

/* The names, in the order of the list; NULL past the last. */
LH_API const char *lh_schema_name(size_t i);

/* field is "record" when the problem is the record's own.  Both are good until
 * the function returns. */
typedef void lh_schema_fn(void *ctx, const struct lh_str *field, const struct lh_str *problem);

/* The number of violations (0: valid), or -1 when memory is out.  *scratch is
 * used behind its end and left as long as it was. */
LH_API long lh_schema_check(const struct lh_schema *s, const struct lh_value *v, struct lh_buf *scratch,
			    lh_schema_fn *found, void *ctx, struct lh_err *err);

/* The same of a record, whose members the parse has found already. */
LH_API long lh_schema_check_record(const struct lh_schema *s, const struct lh_record *rec, struct lh_buf *scratch,
				   lh_schema_fn *found, void *ctx, struct lh_err *err);

LH_C_END

#endif
