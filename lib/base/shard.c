/* shard.c - reading "I/N".  See xxh3.h. */
#include "xxh3.h"

/* Read the digits at *p, at most LH_SHARDS_MAX, and step over them. */
static int digits(const char **p, uint64_t *value)
{
	const char *from = *p;

	for (*value = 0; **p >= '0' && **p <= '9'; ++*p) {
		*value = *value * 10 + (uint64_t)(**p - '0');
		if (*value > LH_SHARDS_MAX)
			return -1;
	}
	return *p > from ? 0 : -1;
}

int lh_shard_read(const char *text, struct lh_shard *shard)
{
	struct lh_shard read;

	if (digits(&text, &read.i) < 0 || *text++ != '/' || digits(&text, &read.n) < 0 || *text ||
	    read.i >= read.n)
		return -1;
	*shard = read;
	return 0;
}
