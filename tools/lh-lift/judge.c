/* judge.c - score a hit by what is known of the demand.  See lift.h. */
#include "base/ascii.h"
#include "text/role.h"
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

/* Read a string of the metadata; n = 0: none. */
static int get(const struct hit *h, const char *name, struct lh_buf *scratch, struct lh_str *to, struct lh_err *err)
{
	struct lh_value v;

	*to = (struct lh_str){ NULL, 0 };
	if (!lh_value_get(&h->metadata, name, &v) || v.type != LH_STRING)
		return 0;
	return lh_value_str(&v, scratch, to, err);
}

static int judge_hit(const struct demand *d, struct hit *h, struct lh_buf *scratch, struct lh_err *err)
{
	struct lh_str role, city, state;
	int tenths = 0;

	h->score = 0;
	if (!h->metadata.p || h->metadata.type != LH_OBJECT)
		return 0;
	lh_buf_reset(scratch);
	if (!lh_buf_room(scratch, h->metadata.n))	/* so that strings do not move */
		return lh_buf_check(scratch, err);
	if (get(h, "role", scratch, &role, err) < 0 || get(h, "city", scratch, &city, err) < 0 ||
	    get(h, "state", scratch, &state, err) < 0)
		return -1;
	if (role.n && lh_role_same(role.p, role.n, d->role.p, d->role.n))
		tenths += ROLE;
	if (same_place(state, d->state)) {
		tenths += STATE;
		if (same_place(city, d->city))
			tenths += CITY;
	}
	h->score = tenths / 10.0;
	return 0;
}

int judge_needs(const struct demand *d, struct lh_err *err)
{
	const char *missing = !d->role.n ? "role" : !d->city.n ? "city" : !d->state.n ? "state" : NULL;

	return missing ? lh_err_set(err, LH_EDATA, "missing string field \"%s\"", missing) : 0;
}

int judge_hits(const struct demand *d, struct hits *h, struct lh_buf *scratch, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (judge_hit(d, &h->v[i], scratch, err) < 0)
			return -1;
	return 0;
}
