/*
 * job_order - demand for workers in the wording of coordinators, in the four styles
 * that role.h distinguishes:
 *
 *     need          Need 3 Welders in Gary IN starting at 06:00 for Beacon Freight
 *     client_first  Beacon Freight needs 3 Welders in Gary IN starting at 06:00
 *     looking       Looking for 3 Welders at Beacon Freight in Gary IN for a 06:00 start
 *     shorthand     3 Welder Gary IN 06:00 Beacon Freight
 *
 * A role gets an s from two workers on, but not in shorthand.
 */
#ifndef LH_JOB_ORDER_H
#define LH_JOB_ORDER_H

#include <lh/json.h>

enum lh_job_order_style { LH_JOB_ORDER_NEED, LH_JOB_ORDER_CLIENT_FIRST, LH_JOB_ORDER_LOOKING,
			  LH_JOB_ORDER_SHORTHAND, LH_JOB_ORDER_STYLES };

struct lh_job_order {
	struct lh_str role, city, state, client, at;
	uint64_t count;
};

const char *lh_job_order_style_name(enum lh_job_order_style style);

/* Append the sentence, with the texts as they are. */
void lh_job_order_put(struct lh_buf *out, enum lh_job_order_style style,
		      const struct lh_job_order *d);

#endif
