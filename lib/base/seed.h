/*
 * seed - a random number that is known only to this process and constant while it
 * runs: the seed of hashes over data from outside, whose keys may have been chosen
 * to collide.
 */
#ifndef LH_SEED_H
#define LH_SEED_H

#include <stdint.h>

uint64_t lh_seed(void);

#endif
