/*
 * schema_table - the notation of a schema.
 *
 *     static const struct lh_field fields[] = {
 *             { .name = "run_id", .len = 6, .type = LH_S_TEXT, .must = true },
 *             { .name = "tags", .len = 4, .type = LH_S_TEXTS, .must = true, .some = true },
 *             { .name = NULL }
 *     };
 */
#ifndef LH_SCHEMA_TABLE_H
#define LH_SCHEMA_TABLE_H

#include <lh/schema.h>

#define LH_SCHEMA_FIELDS 32	/* of one object, at most */

enum lh_schema_type {
	LH_S_TEXT, LH_S_TIME, LH_S_SHA256, LH_S_COMMIT, LH_S_BOOL,
	LH_S_NUMBER, LH_S_INTEGER,	/* with .ranged, from .least to .most */
	LH_S_VERSION,			/* exactly .version */
	LH_S_TEXTS,			/* a list of strings */
	LH_S_OBJECT, LH_S_OBJECTS,	/* with the members in .in, NULL: any; a list of such */
};

struct lh_field {
	const char *name;		/* NULL ends a table */
	unsigned char len;		/* of name */
	enum lh_schema_type type;
	bool must;			/* required */
	bool may_be_empty;		/* a required text that may be "" */
	/* a list with at least one element; a text that is not blank */
	bool some;
	bool or_null;
	bool ranged;
	int least, most;		/* most: 0 means no upper bound */
	int version;
	const char *const *choice;	/* ended by NULL */
	const char *const *never;	/* values whose presence is contamination, ... */
	const char *never_in;		/* ... and of what */
	const struct lh_field *in;
};

struct lh_schema {
	const char *name;
	const struct lh_field *field;
	struct lh_differ {
		const char *field, *from;	/* these texts must differ */
	} differ[2];
};

/* Check one value against one field, reported as name. */
long lh_schema_check_value(const struct lh_field *f, const char *name, const struct lh_value *v,
			   struct lh_buf *scratch, lh_schema_fn *found, void *ctx,
			   struct lh_err *err);

/* Write "expected WHAT, got ...": the value if it is short, else its type. */
void lh_schema_expected(char *to, size_t size, const char *what, const struct lh_value *v);

#endif
