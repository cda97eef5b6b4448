/* time - points in time as RFC 3339 text and as milliseconds since 1970. */
#ifndef LH_TIME_H
#define LH_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define LH_TIME_LEN 24		/* 2026-05-03T12:00:00.000Z */

/* Read "YYYY-MM-DDTHH:MM:SS[.fraction](Z|+hh:mm|-hh:mm)", years 0000 to 9999,
 * rounded down to a millisecond.  0, or -1 if the text is not a time. */
int lh_time_read(const char *s, size_t n, int64_t *ms);

/* The same, rounded down to a nanosecond: seconds since 1970, and nanoseconds from
 * 0 to 999,999,999. */
struct lh_moment {
	int64_t s;
	int32_t ns;
};
int lh_moment_read(const char *s, size_t n, struct lh_moment *at);

static inline bool lh_moment_before(struct lh_moment a, struct lh_moment b)
{
	return a.s < b.s || (a.s == b.s && a.ns < b.ns);
}

/* Write the LH_TIME_LEN bytes of ms in UTC, and a NUL. */
void lh_time_print(int64_t ms, char *out);

/* Return the current time. */
int64_t lh_time_clock(void);

/* Return seconds of a clock that is never set (CLOCK_MONOTONIC), for durations. */
double lh_time_monotonic(void);

#endif
