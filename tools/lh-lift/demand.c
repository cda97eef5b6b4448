/* demand.c - read a query and what is known about it.  See lift.h. */
#include "lift.h"

void demand_init(struct demand *d)
{
	memset(d, 0, sizeof *d);
	lh_buf_init(&d->strings, LH_BUF_NOMAX);
}

void demand_free(struct demand *d)
{
	lh_buf_free(&d->strings);
}

struct lh_str head_of(struct lh_str s, size_t max)
{
	size_t n = s.n < max ? s.n : max;

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return (struct lh_str){ s.p, n };
}

static int get(struct demand *d, const char *name, struct lh_str *to, struct lh_err *err)
{
	const struct lh_value *v = lh_record_get(d->rec, name);

	*to = (struct lh_str){ NULL, 0 };
	if (!v || v->type == LH_NULL)
		return 0;
	if (v->type != LH_STRING)
		return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", name);
	return lh_value_str(v, &d->strings, to, err);
}

/* Read the text under the names that lh-search knows, in its order. */
static int get_text(struct demand *d, struct lh_err *err)
{
	static const char *const names[] = { "query_text", "query", "text" };
	const struct lh_value *v;
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		v = lh_record_get(d->rec, names[i]);
		if (!v || v->type == LH_NULL)
			continue;
		if (v->type != LH_STRING)
			return lh_err_set(err, LH_EDATA, "\"%s\" must be a string", names[i]);
		d->text_json = *v;
		if (lh_value_str(v, &d->strings, &d->text, err) < 0)
			return -1;
		return d->text.n ? 0 : lh_err_set(err, LH_EDATA, "empty text");
	}
	return lh_err_set(err, LH_EDATA, "missing string field \"query_text\"");
}

int demand_read(struct demand *d, struct lh_record *rec, struct lh_err *err)
{
	d->rec = rec;
	lh_buf_reset(&d->strings);
	if (!lh_buf_room(&d->strings, rec->len))	/* so that strings do not move */
		return lh_buf_check(&d->strings, err);
	if (get_text(d, err) < 0 || get(d, "role", &d->role, err) < 0 || get(d, "city", &d->city, err) < 0 ||
	    get(d, "state", &d->state, err) < 0 || get(d, "style", &d->style, err) < 0)
		return -1;
	return 0;
}
