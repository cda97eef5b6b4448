/*
 * scope - the records that a request may be about: those of some corpora, those that a filter
 * matches.
 *
 *     struct query { struct lh_scope scope; ... };
 *     static const struct lh_bind members[] = { LH_SCOPE_MEMBER(struct query, scope), ... };
 *
 *     {"scope":{"corpora":["workers"],"filter":{"client":"acme"}}, ...}
 *
 * What is beyond it is answered as what does not exist: in results, counts, suggestions and the
 * names that errors list.  lh-serve adds it to each request of a token that has corpora or a
 * filter, and lets such a token use no operation that does not take this member.
 *
 * Owner:   it points into the record, and into the text of lh_bind.
 * Threads: any number may read.
 */
#ifndef LH_SCOPE_H
#define LH_SCOPE_H

#include "filter/metadata_filter.h"
#include "json/bind.h"

struct lh_scope {
	const struct lh_str *corpus;
	size_t n;			/* 0: all corpora */
	struct lh_value filter;		/* p NULL: all records */
};

extern const struct lh_bind lh_scope_members[];
#define LH_SCOPE_MEMBER(s, f) \
	{ LH_BIND_TABLE("scope", s, f, lh_scope_members), \
	  .about = "the records that it may be about: others are as if they were not there" }

/* Return whether a corpus, or a playbook, is in the scope; NULL: all are. */
bool lh_scope_has(const struct lh_scope *s, struct lh_str corpus);
/* Return whether it is narrower than everything. */
static inline bool lh_scope_narrows(const struct lh_scope *s)
{
	return s->n || s->filter.p;
}
/* Compile its filter, unless that is what was compiled last; NULL for none: all records match. */
int lh_scope_compile(struct lh_filter **f, const struct lh_scope *s, struct lh_err *err);

#endif
