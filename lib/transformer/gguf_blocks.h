/*
 * gguf_blocks - the layouts of tensor data: how many values a block has, its bytes, and its
 * values as floats.
 *
 * All types of the format are known, so that a tensor of any type has its place in a file;
 * those without decode are not read.
 */
#ifndef LH_GGUF_BLOCKS_H
#define LH_GGUF_BLOCKS_H

#include "gguf.h"

struct lh_gguf_layout {
	const char *name;		/* NULL: no such type */
	unsigned values, bytes;		/* of a block */
	void (*decode)(const unsigned char *blocks, size_t n, float *to);	/* NULL: not read */
	bool (*finite)(const unsigned char *blocks, size_t n);
};

/* Return the layout of a type number, or NULL. */
const struct lh_gguf_layout *lh_gguf_layout(uint32_t type);

#endif
