/*
 * validation_error - the reason why an artifact may not be sent.
 *
 * Three forms, which other runtimes write and compare byte for byte:
 *
 *     tagged  {"Schema":{"field":"x","reason":"y"}}  {"Policy":{"reason":"y"}}
 *     legacy  {"Kind":"schema","Field":"x","Reason":"y"}      (read only)
 *     text    schema: x: y                    policy: y       (for logs)
 *
 * Only Schema has a field.  Reading is strict, because a default would turn a
 * damaged error into another one: exactly one variant, all of its members, all
 * strings, and nothing else.  Tags and member names are case-sensitive, the legacy
 * Kind is not; a legacy Field must be "" unless the kind is schema.
 *
 * Owner:   the strings of a struct lh_validation_error are borrowed.
 * Threads: no state.
 */
#ifndef LH_VALIDATION_ERROR_H
#define LH_VALIDATION_ERROR_H

#include "json/json.h"

enum lh_validation_error_kind { LH_VAL_SCHEMA, LH_VAL_COMPLETENESS, LH_VAL_CONSISTENCY,
				LH_VAL_POLICY };

struct lh_validation_error {
	enum lh_validation_error_kind kind;
	struct lh_str field;	/* Schema only */
	struct lh_str reason;
};

/* Append the tagged form; append the text form. */
void lh_validation_error_json(struct lh_buf *out, const struct lh_validation_error *e);
void lh_validation_error_text(struct lh_buf *out, const struct lh_validation_error *e);

/* Read the tagged or the legacy form of a checked value.  The strings point into
 * the value's text or, unescaped, into *scratch, which is emptied first: they are
 * valid until either changes.  LH_EDATA has the reason. */
int lh_validation_error_read(const struct lh_value *v, struct lh_buf *scratch,
			     struct lh_validation_error *e, struct lh_err *err);

#endif
