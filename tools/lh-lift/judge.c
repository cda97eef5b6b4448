/* judge.c - score a hit by what is known of the demand.  See lift.h. */
#include "base/utf8.h"
#include "json/bind.h"
#include "staffing/staffing.h"
#include "lift.h"

/* Tenths of a point. */
#define ROLE 5
#define STATE 2
#define CITY 3	/* in the same state: there is more than one Springfield */

static bool same_place(struct lh_str a, struct lh_str b)
{
	a = lh_trim(a.p, a.n);
	b = lh_trim(b.p, b.n);
	return a.n && lh_fold_equal(a.p, a.n, b.p, b.n);
}

struct place {
	struct lh_str role, city, state;
};
static const struct lh_bind members[] = {
	{ LH_BIND_STRING("role", struct place, role), .lax = true },
	{ LH_BIND_STRING("city", struct place, city), .lax = true },
	{ LH_BIND_STRING("state", struct place, state), .lax = true },
	LH_BIND_END
};

static int judge_hit(const struct demand *d, struct hit *h, struct lh_buf *scratch,
		     struct lh_err *err)
{
	struct place at = { .role = { NULL, 0 } };
	int tenths = 0;

	h->score = 0;
	if (!h->metadata.p)
		return 0;
	if (lh_bind_value(members, &h->metadata, &at, scratch, err) < 0)
		return err->code == LH_EDATA ? 0 : -1;	/* not an object: nothing is known */
	if (at.role.n && lh_role_same(at.role.p, at.role.n, d->role.p, d->role.n))
		tenths += ROLE;
	if (same_place(at.state, d->state)) {
		tenths += STATE;
		if (same_place(at.city, d->city))
			tenths += CITY;
	}
	h->score = tenths / 10.0;
	return 0;
}

int judge_needs(const struct demand *d, struct lh_err *err)
{
	const char *missing = !d->role.n ? "role"
		: !d->city.n		 ? "city"
		: !d->state.n		 ? "state"
					 : NULL;

	return missing ? lh_err_set(err, LH_EDATA, "missing \"%s\" (string)", missing) : 0;
}

int judge_hits(const struct demand *d, struct hits *h, struct lh_buf *scratch, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (judge_hit(d, &h->v[i], scratch, err) < 0)
			return -1;
	return 0;
}
