/*
 * sha2 - SHA-256 of two messages at a time, by the CPU's instructions.
 *
 * One message keeps them waiting for each other; of two, one computes while the
 * other waits, and both are done in little more time than one.  Private to liblh.
 */
#ifndef LH_SHA2_H
#define LH_SHA2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has the CPU got them?  LH_KERNEL=portable says no, for tests. */
bool lh_sha2_can(void);

/* Take n blocks of 64 bytes from each of p into each state (eight words, a to h). */
void lh_sha2_blocks(uint32_t *const state[2], const unsigned char *const p[2], size_t n);

#endif
