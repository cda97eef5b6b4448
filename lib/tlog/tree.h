/*
 * tree - the Merkle tree of a log (RFC 6962, section 2.1): hashes, roots and proofs.
 *
 * The hash of an entry is SHA-256(0x00, entry), that of a node SHA-256(0x01, left, right), and the
 * root of an empty tree the SHA-256 of nothing.  A node (level, index) is the root of a complete
 * subtree: of the entries from index * 2^level to (index + 1) * 2^level.  Level 0 are the entries
 * themselves.
 *
 *     struct lh_tlog_nodes nodes = lh_tlog_nodes(log);          (log.h; or any other source)
 *     struct lh_tlog_proof proof;
 *
 *     if (lh_tlog_prove(&nodes, index, size, &proof, err) == 0)
 *             ok = lh_tlog_proves(leaf, index, size, &proof, root);
 *
 * Nothing here trusts its arguments: an index that is not below the size, a size above
 * LH_TLOG_SIZE_MAX and a proof of another length are refused.
 *
 * Owner:   all structs are the caller's, and need not be freed.
 * Errors:  LH_EDATA with status 404 for an index or size that the tree does not have; else those
 *          of the source of nodes.
 * Threads: as those of the source of nodes.
 */
#ifndef LH_TLOG_TREE_H
#define LH_TLOG_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LH_TLOG_HASH 32
#define LH_TLOG_SIZE_MAX (UINT64_C(1) << 48)	/* entries */
#define LH_TLOG_PROOF_MAX 63	/* hashes of a proof that is read; one made here has at most 49 */

/* Set hash to that of an entry, to that of a node, to the root of the empty tree. */
void lh_tlog_leaf(const void *entry, size_t n, uint8_t hash[LH_TLOG_HASH]);
void lh_tlog_empty(uint8_t hash[LH_TLOG_HASH]);

/* Where nodes come from.  read is asked for nodes alone that the tree has as complete subtrees. */
struct lh_tlog_nodes {
	int (*read)(void *from, unsigned level, uint64_t index, uint8_t hash[LH_TLOG_HASH],
		    struct lh_err *err);
	void *from;
};

struct lh_tlog_proof {
	size_t n;
	uint8_t hash[LH_TLOG_PROOF_MAX][LH_TLOG_HASH];
};

/* Compute the root of the first size entries. */
int lh_tlog_root(const struct lh_tlog_nodes *nodes, uint64_t size, uint8_t root[LH_TLOG_HASH],
		 struct lh_err *err);

/* Make the proof that the tree of that size has the entry; that it extends the tree of the older
 * size, for which an older size of 0 or of the same number needs no hash. */
int lh_tlog_prove(const struct lh_tlog_nodes *nodes, uint64_t index, uint64_t size,
		  struct lh_tlog_proof *proof, struct lh_err *err);
int lh_tlog_prove_growth(const struct lh_tlog_nodes *nodes, uint64_t older, uint64_t size,
			 struct lh_tlog_proof *proof, struct lh_err *err);

/* Return whether the proof shows that the tree of that size and root has the entry of that hash
 * at the index; that it extends the older tree. */
bool lh_tlog_proves(const uint8_t leaf[LH_TLOG_HASH], uint64_t index, uint64_t size,
		    const struct lh_tlog_proof *proof, const uint8_t root[LH_TLOG_HASH]);
bool lh_tlog_proves_growth(uint64_t older, const uint8_t older_root[LH_TLOG_HASH], uint64_t size,
			   const struct lh_tlog_proof *proof, const uint8_t root[LH_TLOG_HASH]);

/*
 * tile - the same tree as tiles of up to 256 hashes (tlog-tiles of C2SP), and its right edge.
 *
 * Tile n of level l has the nodes (8 l, 256 n) to (8 l, 256 n + 255).  The edge is the last tile
 * of each level, from which a tree grows: adding an entry needs nothing else, and so does its
 * root.  It is a tree of no entries when it is all zero.
 */

#define LH_TLOG_TILE 256	/* hashes of a full tile */
#define LH_TLOG_LEVELS 7

struct lh_tlog_edge {
	uint64_t size;
	uint8_t tile[LH_TLOG_LEVELS][LH_TLOG_TILE][LH_TLOG_HASH];
	/* Take a tile that became full, before those above it; 0, or -1 with *err.  Or NULL. */
	int (*full)(void *to, unsigned level, uint64_t n,
		    uint8_t (*hash)[LH_TLOG_HASH], struct lh_err *err);
	void *to;
};

/* Return how many hashes the tile has in a tree of that size: 0 to 256. */
unsigned lh_tlog_width(uint64_t size, unsigned level, uint64_t n);

/* Add the hash of the next entry.  After -1 the edge is of no use. */
int lh_tlog_grow(struct lh_tlog_edge *edge, const uint8_t leaf[LH_TLOG_HASH], struct lh_err *err);

void lh_tlog_edge_root(const struct lh_tlog_edge *edge, uint8_t root[LH_TLOG_HASH]);

/* Set hash to the root of n hashes (1 to 256) of a tile, those of a tree of its own. */
void lh_tlog_tile_root(uint8_t (*of)[LH_TLOG_HASH], size_t n, uint8_t hash[LH_TLOG_HASH]);

/* Print where a tile is in the folder of a log: "tile/1/x001/234.p/17"; width 256: full.  level
 * -1: the bundle of entries, "tile/entries/000". */
#define LH_TLOG_PATH 64
void lh_tlog_path(int level, uint64_t n, unsigned width, char path[LH_TLOG_PATH]);

#endif
