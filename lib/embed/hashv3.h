/*
 * hashv3 - whether a text is about staffing, by rules stated in lh-hash-v3(7): hash-v3
 * embeds such texts as hash-v2 does, and all others as hash-v1 does.
 */
#ifndef LH_HASHV3_H
#define LH_HASHV3_H

#include <stdbool.h>
#include <stddef.h>

/* Return whether n bytes of text are a worker's record, a job order, or name an occupation
 * and a place. */
bool lh_hashv3_staffing(const char *text, size_t n);

/* Return whether it is a job order. */
bool lh_hashv3_job_order(const char *text, size_t n);

#endif
