/* acceptance_check.h - what the parts of the check share. */
#ifndef ACCEPTANCE_CHECK_H
#define ACCEPTANCE_CHECK_H

#include "acceptance.h"
#include "acceptance_rows.h"
#include "distill/evidence.h"
#include "distill/sample.h"
#include "json/write.h"

struct check {
	struct acceptance *a;
	struct table evidence, skips, scored;
	struct table samples[LH_EXPORTERS], refused[LH_EXPORTERS];
	struct lh_buf source[LH_STREAMS];
	struct lh_record row;		/* of a source */
	struct lh_provenance from;	/* of the record whose row that is */
	struct lh_buf from_text, scratch, want, got;
};

/* Print the next invariant with want and got, which check_fresh empties. */
void check_fresh(struct check *c);
int check_tell(struct check *c, const char *name, bool passed);
int check_count(struct check *c, const char *name, uint64_t want, uint64_t got);

/* Append a value as it is, or null. */
void check_put(struct lh_buf *b, const struct lh_value *v);

/* Return how many rows do not match the schema. */
long check_invalid(struct check *c, const struct table *t, const char *schema);

/* Return the scored run of that evidence, or NULL. */
const struct lh_record *check_scored(const struct check *c, const struct lh_value *run_id);

/* Check invariants 13 to 20. */
int check_exports(struct check *c);

#endif
