/*
 * hnswlib_format - the structures of an index file of hnswlib 0.6.2.  Numbers are
 * little-endian.
 */
#ifndef LH_HNSWLIB_FORMAT_H
#define LH_HNSWLIB_FORMAT_H

#include <stdint.h>

#define LH_HNSWLIB_HEAD 96u
#define LH_HNSWLIB_LINKS_MAX 0xffffu	/* of a list, whose first word is their number */
#define LH_HNSWLIB_COUNT 0xffffu	/* the part of that word that counts, */
#define LH_HNSWLIB_DELETED 0x10000u	/* and on level 0 the mark of a deleted element */

struct lh_hnswlib_head {
	uint64_t level0_at;	/* 0 */
	uint64_t room;		/* elements that there is room for in memory */
	uint64_t rows;
	uint64_t stride, label_at, vector_at;	/* of an element */
	int32_t top;		/* -1: no element */
	uint32_t entry;		/* UINT32_MAX: no element */
	uint64_t max_upper, max_base, m;	/* links of a list */
	double scale;		/* of the levels: 1 / ln m */
	uint64_t ef_construction;
};
_Static_assert(sizeof(struct lh_hnswlib_head) == LH_HNSWLIB_HEAD, "the head has 96 bytes");

#endif
