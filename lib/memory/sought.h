/*
 * sought - the role and the place that a text asks for: by its wording (staffing/staffing.h), else,
 * in shorthand ("Forklift Operator Detroit MI"), by the values of role, city and state that the
 * records of indexes have.  Recording into a playbook and asking it go by this one function, so
 * that an entry has the role that its text has as a query.
 *
 * The values of an index are found once, for each file of it and filter; what was appended to it
 * is added.  An index of which none of the first 1,000 records has a role has none.
 *
 * Memory:  less than 6 MB for an index and a filter; those of 256 are kept, the last used ones.
 * Threads: any number.
 */
#ifndef LH_SOUGHT_H
#define LH_SOUGHT_H

#include "filter/scope.h"
#include "json/bind.h"
#include "json/write.h"
#include "staffing/staffing.h"

struct lh_index;

/* A zeroed one has found nothing. */
struct lh_sought {
	struct lh_buf role;
	struct lh_buf members;	/* of an answer, which say what was found, or why no role */
};
void lh_sought_reset(struct lh_sought *s);
void lh_sought_free(struct lh_sought *s);
void lh_sought_write(const struct lh_sought *s, struct lh_writer *w);

#define LH_SOUGHT_MEMBERS \
	{ LH_BIND_ONLY("query_role", LH_BIND_TO_STRING), .about = "that the text asks for" }, \
	{ LH_BIND_ONLY("query_city", LH_BIND_TO_STRING), .about = "likewise" }, \
	{ LH_BIND_ONLY("query_state", LH_BIND_TO_STRING), .about = "likewise" }, \
	{ LH_BIND_ONLY("query_role_missing", LH_BIND_TO_STRING), .about = "why it has no role" }

struct lh_vocabularies *lh_vocabularies_new(void);
void lh_vocabularies_free(struct lh_vocabularies *l);	/* NULL: does nothing */
/* Find what a text asks for, by n indexes, of which the first 256 count, and by those of their
 * records that match the filter, which is that of the scope, or NULL. */
void lh_sought_find(struct lh_sought *s, struct lh_vocabularies *l, struct lh_str text,
		   const struct lh_index *const *ix, size_t n, const struct lh_scope *scope,
		   struct lh_filter *filter);

#endif
