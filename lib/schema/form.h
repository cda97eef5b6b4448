/*
 * form - lines that stand as our stages write them, parsed and checked
 * against their schema in one pass; not installed.
 *
 * Such a line is compact and holds members that its schema knows, in the
 * schema's order: the next key is known before it is read, and none can be
 * there twice.  What comes out is what lh_record_parse gives, and that
 * lh_schema_check_record would find nothing.
 *
 * A form never says that a line is bad.  Of anything else, be it in order or
 * not, it says nothing, and the line is for those two to read.
 *
 *     struct lh_form form = { .schema = lh_schema_find("scored_run") };
 *     rc = lh_form_parse(&form, &rec, p, n, err);
 *
 * Threads: one thread per struct.
 */
#ifndef LH_FORM_H
#define LH_FORM_H

#include "schema_table.h"

#define LH_FORM_TIME 32		/* bytes of a time that is remembered, at most */

struct lh_form {
	const struct lh_schema *schema;
	/* The time found good last, in the record and in an object of it: most
	 * rows of a run have the same. */
	struct {
		char p[LH_FORM_TIME];
		size_t n;
	} time[2];
};

/* 1: rec is the line's, and valid; 0: nothing is known; -1. */
int lh_form_read(struct lh_form *f, struct lh_record *rec, const char *p, size_t n, struct lh_err *err);

/* lh_record_parse of a line that may have the form. */
int lh_form_parse(struct lh_form *f, struct lh_record *rec, const char *p, size_t n, struct lh_err *err);

#endif
