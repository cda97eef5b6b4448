/*
 * seed - a number that nobody outside of this process knows, the same as long
 * as it runs: the seed of hashes of what comes from outside, whose keys may have
 * been chosen so that they collide.
 */
#ifndef LH_SEED_H
#define LH_SEED_H

#include <stdint.h>

uint64_t lh_seed(void);

#endif
