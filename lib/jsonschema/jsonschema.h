/*
 * jsonschema - check values by a JSON Schema (2020-12).
 *
 *     s = lh_jsonschema_new(text, NULL, NULL, err);
 *     n = lh_jsonschema_check(s, &run, &value, on_violation, ctx, err);
 *     lh_jsonschema_run_free(&run);
 *     lh_jsonschema_free(s);
 *
 * The schema is compiled once.  It is one document: $ref finds what is in it, by JSON Pointer or
 * $anchor; a reference to another one, $dynamicRef and an $id inside are faults.  A value is
 * read in place, without a tree of it.  Numbers are compared exactly, at any size.  format,
 * content... and unknown keywords annotate only.
 *
 * Errors:  of a schema LH_EDATA with the place as a JSON Pointer and the reason,
 *          "/properties/id/pattern: ( without )".
 * Memory:  that of a schema is proportional to it; that of a run to the widest values.
 * Threads: any number may check by one schema, each with a run of its own.
 */
#ifndef LH_JSONSCHEMA_H
#define LH_JSONSCHEMA_H

#include "schema/schema.h"

#define LH_JSONSCHEMA_DEPTH 4096	/* schemas applied inside each other to one record */

struct lh_jsonschema;

/* Memory of one thread; empty when zeroed. */
struct lh_jsonschema_run {
	struct lh_buf scratch;		/* unescaped texts */
	struct lh_buf bits;		/* members that are present, evaluated children */
	struct lh_buf field, problem;	/* of a report */
	struct pcre2_real_match_data_8 *match;		/* of patterns, up to 64 MiB ... */
	struct pcre2_real_match_context_8 *limits;	/* ... that are kept for the next */
};

/* Gets the place of each keyword that is unknown. */
typedef void lh_jsonschema_note(void *ctx, const char *place);

/* Compile the schema; note may be NULL.  NULL with *err; err->column if it is not JSON. */
struct lh_jsonschema *lh_jsonschema_new(struct lh_str text, lh_jsonschema_note *note, void *ctx,
					struct lh_err *err);
void lh_jsonschema_free(struct lh_jsonschema *s);

/* Return the number of violations (0: valid), and report up to LH_SCHEMA_MAX of them, as
 * lh_schema_check does.  found may be NULL: then the check ends with the first.  -1 with
 * LH_EDATA if the value needs too many steps or too deep a nesting. */
long lh_jsonschema_check(const struct lh_jsonschema *s, struct lh_jsonschema_run *run,
			 const struct lh_value *v, lh_schema_fn *found, void *ctx,
			 struct lh_err *err);
void lh_jsonschema_run_free(struct lh_jsonschema_run *run);

#endif
