/* load.h - what the files of lh-load share. */
#ifndef LOAD_H
#define LOAD_H

#include <stdint.h>

#include "client.h"
#include "tool/tool.h"

/* ---- durations in bounded memory ---- */

/*
 * 128 buckets for each power of two nanoseconds: a percentile is within 0.4 % of the
 * duration it stands for, after any number of them.
 */

#define HISTOGRAM_BITS 7	/* buckets for a power of two, as a power of two */
#define HISTOGRAM_SIZE ((65 - HISTOGRAM_BITS) << HISTOGRAM_BITS)

struct histogram {
	uint64_t n, max;
	uint64_t count[HISTOGRAM_SIZE];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* Return the duration that a share of all, 0 to 1, do not exceed (nearest rank), in
 * nanoseconds; n is above 0. */
uint64_t histogram_at(const struct histogram *h, double share);


#define STEPS_MAX 32		/* of -c */
#define CONNECTIONS_MAX 20000

enum via { VIA_HTTP, VIA_FILTERS };

struct settings {
	const char *connections;	/* as given: "10,50,100" */
	size_t step[STEPS_MAX], steps;
	double duration, rate, timeout;
	uint64_t number, seed;
	struct lh_list headers;
	const char *token_file;
	int via;
	bool each;
};

/* The requests that are sent in turn. */
struct requests {
	struct lh_buf text;
	struct lh_str *one;
	size_t n, cap;
};

/* Read the bodies of stdin, JSON Lines; none, or a terminal: one GET. */
int requests_read(struct lh_tool *tool, const struct target *t, struct requests *r);
void requests_free(struct requests *r);

/* Run each step of -c against a target, and print its summary. */
int load_run(struct lh_tool *tool, const struct settings *s, const struct target *t,
	     const struct requests *r, const char *url);

/* Run the scenarios of a file against a target: the address of a server (NULL: where lh-serve
 * listens by default), or, via filters, a folder. */
int mix_run(struct lh_tool *tool, const struct settings *s, const char *file, const char *target);

/* Round to a microsecond: a duration as it is written. */
static inline double milliseconds(uint64_t ns)
{
	return (double)((ns + 500) / 1000) / 1000;
}

static inline double seconds(uint64_t ns)
{
	return (double)((ns + 500) / 1000) / 1000000;
}

#endif
