/*
 * format - the structures of an index file, as lhv(5) describes them.
 *
 * All numbers are little-endian.  Sections follow each other by ascending kind,
 * each starting at a page boundary; the rest of a section's last page is zero.
 * Readers skip kinds that they do not know.
 */
#ifndef LH_FORMAT_H
#define LH_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "file/file.h"

/* The version of files; of those before it, which may have another graph, lh_index_open_old reads
 * the rows. */
#define LH_INDEX_FORMAT 4
#define LH_INDEX_BYTE_ORDER 0x01020304u
#define LH_INDEX_PAGE 4096u
#define LH_INDEX_SECTIONS 64
#define LH_INDEX_PROBES 256	/* most slots that a look-up of an id reads */
#define LH_INDEX_PARAMS_MAX 65536
#define LH_INDEX_M_MAX 32
#define LH_INDEX_ROWS_MAX 0xfffffffeu

enum lh_index_kind {
	LH_INDEX_PARAMS = 1,	/* JSON text */
	LH_INDEX_ROWS,		/* rows * stride */
	LH_INDEX_LEVELS,	/* this and the next are empty, ... */
	LH_INDEX_UPPER,		/* ... but in earlier formats */
	LH_INDEX_ID_AT,		/* u64[rows + 1] */
	LH_INDEX_IDS,
	LH_INDEX_ID_HASH,		/* u32[2] per slot */
	LH_INDEX_META_AT,		/* u64[rows + 1] */
	LH_INDEX_METAS,
	LH_INDEX_EXACT,		/* f32[dimension] per row; only with rescore */
	/* u32[rows]: row numbers in the order of the puts; empty without a graph */
	LH_INDEX_ORDER,
	LH_INDEX_LENGTHS,	/* u32[rows]; this and the next three: the inverted index */
	LH_INDEX_TERMS,		/* struct lh_lexical_head and terms + 1 of struct lh_lexical_term */
	LH_INDEX_TERM_TEXTS,
	LH_INDEX_POSTINGS,
	LH_INDEX_SIGNS,		/* of the rotation (vector/graph.h) */
	LH_INDEX_KINDS,		/* 17 to 19 were weighted terms; no other kind has these numbers */
};

struct lh_index_section {
	uint32_t kind, zero;
	uint64_t at, bytes, xxh3;
};

struct lh_index_header {
	unsigned char magic[8];
	uint32_t version, byte_order;
	uint64_t file_bytes, rows;
	uint32_t stride, vector_at;	/* vector_at and top: 0, but in earlier formats */
	uint32_t entry, top;
	uint32_t n_sections, zero;
	uint64_t id_seed;	/* of the hashes of ids */
	uint32_t zeros[16];
	struct lh_index_section section[LH_INDEX_SECTIONS];
	unsigned char rest[LH_INDEX_PAGE - 8 - 128 - 32 * LH_INDEX_SECTIONS];
	uint64_t xxh3;		/* of all bytes before it */
};
_Static_assert(sizeof(struct lh_index_header) == LH_INDEX_PAGE, "the header is a page");
_Static_assert(offsetof(struct lh_index_header, section) == 128, "the section table is at 128");

static inline uint64_t lh_index_round(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

const char *lh_index_kind_name(uint32_t kind);

#endif
