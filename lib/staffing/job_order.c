/* job_order.c - demand in the wording of coordinators.  See staffing.h. */
#include "staffing.h"

/* %n count, %r role, %R roles, %t city, %s state, %h time, %c client */
static const struct {
	const char *name, *sentence;
} styles[LH_JOB_ORDER_STYLES] = {
	[LH_JOB_ORDER_NEED] = { "need", "Need %n %R in %t %s starting at %h for %c" },
	[LH_JOB_ORDER_CLIENT_FIRST] = { "client_first", "%c needs %n %R in %t %s starting at %h" },
	[LH_JOB_ORDER_LOOKING] = { "looking", "Looking for %n %R at %c in %t %s for a %h start" },
	[LH_JOB_ORDER_SHORTHAND] = { "shorthand", "%n %r %t %s %h %c" },
};

const char *lh_job_order_style_name(enum lh_job_order_style style)
{
	return styles[style].name;
}

static void append_hole(struct lh_buf *out, char hole, const struct lh_job_order *d)
{
	const struct lh_str *s = hole == 't' ? &d->city : hole == 's' ? &d->state :
				 hole == 'h' ? &d->at : hole == 'c' ? &d->client : &d->role;

	if (hole == 'n')
		lh_buf_u64(out, d->count);
	else
		lh_buf_add(out, s->p, s->n);
	if (hole == 'R' && d->count > 1)
		lh_buf_putc(out, 's');
}

void lh_job_order_put(struct lh_buf *out, enum lh_job_order_style style,
		      const struct lh_job_order *d)
{
	const char *p = styles[style].sentence, *hole;

	for (; (hole = strchr(p, '%')); p = hole + 2) {
		lh_buf_add(out, p, (size_t)(hole - p));
		append_hole(out, hole[1], d);
	}
	lh_buf_puts(out, p);
}
