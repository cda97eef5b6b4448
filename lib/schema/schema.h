/*
 * schema - check a record against its schema.
 *
 * A schema is a table of fields (schema/schema_table.h): name, type, whether it is
 * required, range, choices, nested fields.  One validator walks the tables over any
 * JSON value and reports every violation, in the order of the schema: the field
 * ("input_files[2].sha256") and the problem.
 *
 * Required strings are non-empty unless the schema permits it, lists contain
 * strings, times are RFC 3339, 3.0 is an integer; null is not absence; fields that
 * the schema does not name are accepted.
 *
 *     s = lh_schema_find("rag_sample");
 *     n = lh_schema_check(s, &value, &scratch, on_violation, ctx);
 *
 * Owner:   schemas are constants.
 * Memory:  none, except *scratch for strings with escapes.
 * Threads: no state.
 */
#ifndef LH_SCHEMA_H
#define LH_SCHEMA_H

#include "json/json.h"

/* violations reported of one record; all further ones are counted in one more */
#define LH_SCHEMA_MAX 1000

struct lh_schema;

/* Return the schema of that name, or NULL. */
const struct lh_schema *lh_schema_find(const char *name);

/* Return the name of schema i, from 0; NULL past the last. */
const char *lh_schema_name(size_t i);

/* Receive a violation.  field is "record" if the record itself is the problem.
 * Both strings are valid until the function returns. */
typedef void lh_schema_fn(void *ctx, const struct lh_str *field, const struct lh_str *problem);

/* Return the number of violations (0: valid).  *scratch is used after its end, and its
 * length is restored. */
long lh_schema_check(const struct lh_schema *s, const struct lh_value *v,
		     struct lh_buf *scratch, lh_schema_fn *found, void *ctx);

/* The same for a parsed record, which saves finding its members again. */
long lh_schema_check_record(const struct lh_schema *s, const struct lh_record *rec,
			    struct lh_buf *scratch, lh_schema_fn *found, void *ctx);

#endif
