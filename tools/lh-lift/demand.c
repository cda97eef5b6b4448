/* demand.c - read a query and what is known about it.  See lift.h. */
#include "lift.h"

void demand_free(struct demand *d)
{
	lh_buf_free(&d->strings);
}

const struct lh_bind demand_members[] = {
	{ LH_BIND_STRING("query_text|query|text", struct demand, text), .required = true,
	  .filled = true, .as_written = LH_BIND_FIELD(struct demand, text_json) },
	{ LH_BIND_STRING("role", struct demand, role),
	  .as_written = LH_BIND_FIELD(struct demand, role_json) },
	{ LH_BIND_STRING("city", struct demand, city) },
	{ LH_BIND_STRING("state", struct demand, state) },
	{ LH_BIND_STRING("style", struct demand, style) },
	{ LH_BIND_STRING("client", struct demand, client) },
	{ LH_BIND_STRING("at", struct demand, at) },
	{ LH_BIND_VALUE("count", struct demand, count, LH_BIND_IS(LH_NUMBER)) },
	LH_BIND_END
};

int demand_read(struct demand *d, struct lh_record *rec, struct lh_err *err)
{
	struct lh_buf strings = d->strings;

	*d = (struct demand){ .rec = rec, .strings = strings };
	return lh_bind(demand_members, rec, d, &d->strings, err);
}
