/* samples.h - the built-in records for phase 1. */
#ifndef SAMPLES_H
#define SAMPLES_H

/* "valid/receipt-full"; expected: the violations, a line each, or NULL. */
struct sample {
	const char *name, *text, *expected;
};

extern const struct sample samples[];	/* ends with a name of NULL */

#endif
