/* scope.c - the records that a request may be about.  See scope.h. */
#include "scope.h"

const struct lh_bind lh_scope_members[] = {
	{ LH_BIND_STRINGS("corpora", struct lh_scope, corpus, n), .filled = true,
	  .about = "these corpora and playbooks alone" },
	{ LH_BIND_OBJECT("filter", struct lh_scope, filter),
	  .about = "records alone whose metadata it matches" },
	LH_BIND_CLOSED
};

bool lh_scope_has(const struct lh_scope *s, struct lh_str corpus)
{
	size_t i;

	for (i = 0; s && i < s->n; i++)
		if (!lh_str_cmp(s->corpus[i], corpus))
			return true;
	return !s || !s->n;
}

int lh_scope_compile(struct lh_filter **f, const struct lh_scope *s, struct lh_err *err)
{
	if (!s->filter.p) {
		lh_filter_free(*f);
		*f = NULL;
		return 0;
	}
	if (*f && lh_filter_is(*f, &s->filter))
		return 0;
	if (!*f)
		*f = lh_filter_new();
	if (lh_filter_compile(*f, &s->filter, err) == 0)
		return 0;
	return lh_err_prefix(err, "scope.filter");
}
