/*
 * schema_table - the notation of a schema: a table of lh_bind (json/bind.h).
 *
 *     static const struct lh_bind fields[] = {
 *             { LH_BIND_ONLY("run_id", LH_BIND_TO_STRING), .required = true, .filled = true },
 *             { LH_BIND_ONLY("tags", LH_BIND_TO_STRINGS), .required = true },
 *             LH_BIND_END
 *     };
 *
 * A line has one name, and is a string, a bool, a number, a list of strings, a table or a list
 * of tables, or an object of any members.  Its conditions are .required, .null, .filled,
 * .not_blank, .choice, .is with .what, a range.
 */
#ifndef LH_SCHEMA_TABLE_H
#define LH_SCHEMA_TABLE_H

#include "schema/schema.h"

#include "json/bind.h"

#define LH_SCHEMA_FIELDS 32	/* of one object, at most */

/* The version of a record; of two the older is read, the newer read and written. */
#define LH_SCHEMA_VERSION(n) LH_SCHEMA_VERSION_IS(n, n, #n)
#define LH_SCHEMA_VERSIONS(older, newer) \
	LH_SCHEMA_VERSION_IS(older, newer, #older " or " #newer)
#define LH_SCHEMA_VERSION_IS(a, b, words) \
	{ LH_BIND_ONLY("schema_version", LH_BIND_TO_WHOLE), .required = true, \
	  .least = (a), .most = (b), .what = words }

struct lh_schema {
	const char *name;
	const struct lh_bind *field;
	struct lh_differ {
		const char *field, *from;	/* these texts must differ */
	} differ[2];
	struct lh_never {
		const char *field;		/* of which these values are contamination ... */
		const char *const *choice;	/* ended by NULL */
		const char *in;			/* ... of what */
	} never;
};

/* The members of an evidence record, a scored run and the samples; lh_schema_find has the
 * schemas of all records of distillation. */
extern const struct lh_bind lh_evidence_members[], lh_scored_members[], lh_rag_members[],
	lh_sft_members[], lh_preference_members[];

/* Return the version in which a record is written: s has a version. */
uint64_t lh_schema_version(const struct lh_schema *s);

/* Check one value against one line, reported as name. */
long lh_schema_check_value(const struct lh_bind *f, const char *name, const struct lh_value *v,
			   struct lh_buf *scratch, lh_schema_fn *found, void *ctx);

/* Write "expected WHAT, got ...": the value if it is short, else its type. */
void lh_schema_expected(char *to, size_t size, const char *what, const struct lh_value *v);

#endif
