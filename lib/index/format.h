/*
 * format - the bytes of an index file, as lhv(5) describes them.
 *
 * All numbers are little-endian.  Sections lie one after the other, each from
 * the start of a page, ascending by kind; the rest of a section's last page is
 * zero.  A kind that a reader does not know is skipped.
 */
#ifndef LH_FORMAT_H
#define LH_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "file/magic.h"

#define LH_LHV_FORMAT 2	/* the newest; 1 when the ids have seed 0 */
#define LH_LHV_BYTE_ORDER 0x01020304u
#define LH_LHV_PAGE 4096u
#define LH_LHV_SECTIONS 64
#define LH_LHV_PROBES 256	/* slots that a look-up of an id takes at most */
#define LH_LHV_PARAMS_MAX 65536
#define LH_LHV_M_MAX 128
#define LH_LHV_ROWS_MAX 0xfffffffeu

enum lh_lhv_kind {
	LH_LHV_PARAMS = 1,	/* JSON text */
	LH_LHV_ROWS,		/* rows * stride */
	LH_LHV_LEVELS,		/* u32[rows + 1]; empty without a graph */
	LH_LHV_UPPER,		/* u32[1 + m] per upper link list */
	LH_LHV_ID_AT,		/* u64[rows + 1] */
	LH_LHV_IDS,
	LH_LHV_ID_HASH,		/* u32[2] per slot */
	LH_LHV_META_AT,		/* u64[rows + 1] */
	LH_LHV_METAS,
	LH_LHV_EXACT,		/* f32[dimension] per row; only with rescore */
	LH_LHV_ORDER,		/* u32[rows]; empty without a graph */
	LH_LHV_LENGTHS,	/* u32[rows]; this and what follows: of the inverted index */
	LH_LHV_TERMS,		/* the head and terms + 1 of lexical/lexical.h */
	LH_LHV_TERM_TEXTS,
	LH_LHV_POSTINGS,
	LH_LHV_KINDS,
};

struct lh_lhv_section {
	uint32_t kind, zero;
	uint64_t at, bytes, xxh3;
};

struct lh_lhv_header {
	unsigned char magic[8];
	uint32_t version, byte_order;
	uint64_t file_bytes, rows;
	uint32_t stride, vector_at;
	uint32_t entry, top;
	uint32_t n_sections, zero;
	uint64_t id_seed;	/* of the id hash; version 2 */
	uint32_t zeros[16];
	struct lh_lhv_section section[LH_LHV_SECTIONS];
	unsigned char rest[LH_LHV_PAGE - 8 - 128 - 32 * LH_LHV_SECTIONS];
	uint64_t xxh3;		/* of the bytes before it */
};
_Static_assert(sizeof(struct lh_lhv_header) == LH_LHV_PAGE, "the header is a page");
_Static_assert(offsetof(struct lh_lhv_header, section) == 128, "the section table is at 128");

static inline uint64_t lh_lhv_round(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* A row: u32 count, u32[2 * m] links, zero to 64, code, zero to 64. */
static inline uint32_t lh_lhv_vector_at(uint32_t m)
{
	return (uint32_t)lh_lhv_round(4 + 8 * (uint64_t)m, 64);
}

static inline uint32_t lh_lhv_stride(uint32_t m, size_t code)
{
	return (uint32_t)lh_lhv_round(lh_lhv_vector_at(m) + code, 64);
}

const char *lh_lhv_kind_name(uint32_t kind);

#endif
