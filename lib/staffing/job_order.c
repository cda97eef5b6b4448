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

void lh_job_order_put(struct lh_buf *out, enum lh_job_order_style style,
		      const struct lh_job_order *d)
{
	const char *p = styles[style].sentence, *hole;
	const struct lh_str *s;

	for (; (hole = strchr(p, '%')); p = hole + 2) {
		lh_buf_add(out, p, (size_t)(hole - p));
		s = hole[1] == 't' ? &d->city : hole[1] == 's' ? &d->state :
		    hole[1] == 'h' ? &d->at : hole[1] == 'c' ? &d->client : &d->role;
		if (hole[1] == 'n')
			lh_buf_u64(out, d->count);
		else
			lh_buf_add(out, s->p, s->n);
		if (hole[1] == 'R' && d->count > 1)
			lh_buf_putc(out, 's');
	}
	lh_buf_puts(out, p);
}
