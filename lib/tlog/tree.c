/* tree.c - hashes, roots, proofs and tiles of a Merkle tree.  See tree.h. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"

/* ---- hashes, roots and proofs ---- */

#define LEAF 0
#define NODE 1

void lh_tlog_leaf(const void *entry, size_t n, uint8_t hash[LH_TLOG_HASH])
{
	struct lh_sha256 s;

	lh_sha256_start(&s);
	lh_sha256_more(&s, &(uint8_t){ LEAF }, 1);
	lh_sha256_more(&s, entry, n);
	lh_sha256_end(&s, hash);
}

static void lh_tlog_node(const uint8_t left[LH_TLOG_HASH], const uint8_t right[LH_TLOG_HASH],
			 uint8_t hash[LH_TLOG_HASH])
{
	uint8_t both[1 + 2 * LH_TLOG_HASH];

	both[0] = NODE;
	memcpy(both + 1, left, LH_TLOG_HASH);
	memcpy(both + 1 + LH_TLOG_HASH, right, LH_TLOG_HASH);
	lh_sha256(both, sizeof both, hash);
}

void lh_tlog_empty(uint8_t hash[LH_TLOG_HASH])
{
	lh_sha256("", 0, hash);
}

/* Return the greatest power of two below n, which is at least 2. */
static uint64_t half(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* Compute the root of the entries from begin to end.  begin is a multiple of a power of two that
 * is not below their number, so that each part that is a power of two is a node. */
static int range(const struct lh_tlog_nodes *nodes, uint64_t begin, uint64_t end,
		 uint8_t hash[LH_TLOG_HASH], struct lh_err *err)
{
	uint64_t n = end - begin, left;
	uint8_t right[LH_TLOG_HASH];
	unsigned level;

	if ((n & (n - 1)) == 0) {
		level = (unsigned)__builtin_ctzll(n);
		return nodes->read(nodes->from, level, begin >> level, hash, err);
	}
	left = half(n);
	if (range(nodes, begin, begin + left, hash, err) < 0 ||
	    range(nodes, begin + left, end, right, err) < 0)
		return -1;
	lh_tlog_node(hash, right, hash);
	return 0;
}

static int too_large(uint64_t size, struct lh_err *err)
{
	return lh_err_data(err, 404, "a tree of %llu entries is too large",
			   (unsigned long long)size);
}

int lh_tlog_root(const struct lh_tlog_nodes *nodes, uint64_t size, uint8_t root[LH_TLOG_HASH],
		 struct lh_err *err)
{
	if (size > LH_TLOG_SIZE_MAX)
		return too_large(size, err);
	if (size)
		return range(nodes, 0, size, root, err);
	lh_tlog_empty(root);
	return 0;
}

static void reverse(struct lh_tlog_proof *proof)
{
	uint8_t swap[LH_TLOG_HASH];
	size_t i, j;

	for (i = 0, j = proof->n; i + 1 < j; i++) {
		j--;
		memcpy(swap, proof->hash[i], LH_TLOG_HASH);
		memcpy(proof->hash[i], proof->hash[j], LH_TLOG_HASH);
		memcpy(proof->hash[j], swap, LH_TLOG_HASH);
	}
}

static int add_range(const struct lh_tlog_nodes *nodes, uint64_t begin, uint64_t end,
		     struct lh_tlog_proof *proof, struct lh_err *err)
{
	return range(nodes, begin, end, proof->hash[proof->n++], err);
}

/* Go down from the root to where a split is of no use: add the half that does not have the entry
 * at `to`, or the last entry of the tree that ends there, and go on in the other one. */
static int descend(const struct lh_tlog_nodes *nodes, uint64_t to, bool growth, uint64_t size,
		   struct lh_tlog_proof *proof, struct lh_err *err)
{
	uint64_t begin = 0, end = size, split;
	bool whole = true;	/* the older tree begins at begin, so its root is known */

	proof->n = 0;
	while (growth ? end != to : end - begin > 1) {
		split = begin + half(end - begin);
		if (growth ? to <= split : to < split) {
			if (add_range(nodes, split, end, proof, err) < 0)
				return -1;
			end = split;
		} else {
			if (add_range(nodes, begin, split, proof, err) < 0)
				return -1;
			begin = split;
			whole = false;
		}
	}
	if (growth && !whole && add_range(nodes, begin, end, proof, err) < 0)
		return -1;
	reverse(proof);
	return 0;
}

int lh_tlog_prove(const struct lh_tlog_nodes *nodes, uint64_t index, uint64_t size,
		  struct lh_tlog_proof *proof, struct lh_err *err)
{
	if (size > LH_TLOG_SIZE_MAX)
		return too_large(size, err);
	if (index >= size)
		return lh_err_data(err, 404, "no entry %llu in a tree of %llu",
				   (unsigned long long)index, (unsigned long long)size);
	return descend(nodes, index, false, size, proof, err);
}

int lh_tlog_prove_growth(const struct lh_tlog_nodes *nodes, uint64_t older, uint64_t size,
			 struct lh_tlog_proof *proof, struct lh_err *err)
{
	proof->n = 0;
	if (size > LH_TLOG_SIZE_MAX)
		return too_large(size, err);
	if (older > size)
		return lh_err_data(err, 404, "a tree of %s extends none of %llu",
				   LH_N(size, "entry|entries"), (unsigned long long)older);
	return older == 0 ? 0 : descend(nodes, older, true, size, proof, err);
}

/* RFC 9162, section 2.1.3.2. */
bool lh_tlog_proves(const uint8_t leaf[LH_TLOG_HASH], uint64_t index, uint64_t size,
		    const struct lh_tlog_proof *proof, const uint8_t root[LH_TLOG_HASH])
{
	uint64_t at = index, last = size - 1;
	uint8_t hash[LH_TLOG_HASH];
	size_t i;

	if (index >= size || size > LH_TLOG_SIZE_MAX || proof->n > LH_TLOG_PROOF_MAX)
		return false;
	memcpy(hash, leaf, LH_TLOG_HASH);
	for (i = 0; i < proof->n; i++) {
		if (last == 0)
			return false;
		if (at & 1 || at == last) {
			lh_tlog_node(proof->hash[i], hash, hash);
			while (!(at & 1) && at) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			lh_tlog_node(hash, proof->hash[i], hash);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(hash, root, LH_TLOG_HASH) == 0;
}

/* RFC 9162, section 2.1.4.2. */
bool lh_tlog_proves_growth(uint64_t older, const uint8_t older_root[LH_TLOG_HASH], uint64_t size,
			   const struct lh_tlog_proof *proof, const uint8_t root[LH_TLOG_HASH])
{
	uint8_t was[LH_TLOG_HASH], is[LH_TLOG_HASH];
	uint64_t at = older - 1, last = size - 1;
	size_t i;

	if (older > size || size > LH_TLOG_SIZE_MAX || proof->n > LH_TLOG_PROOF_MAX)
		return false;
	if (older == 0) {
		lh_tlog_empty(was);
		return proof->n == 0 && memcmp(was, older_root, LH_TLOG_HASH) == 0 &&
		       (size || memcmp(was, root, LH_TLOG_HASH) == 0);
	}
	if (older == size || proof->n == 0)
		return older == size && proof->n == 0 &&
		       memcmp(older_root, root, LH_TLOG_HASH) == 0;
	for (; at & 1; at >>= 1)
		last >>= 1;
	memcpy(was, at ? proof->hash[0] : older_root, LH_TLOG_HASH);
	memcpy(is, was, LH_TLOG_HASH);
	for (i = at != 0; i < proof->n; i++) {
		if (last == 0)
			return false;
		if (at & 1 || at == last) {
			lh_tlog_node(proof->hash[i], was, was);
			lh_tlog_node(proof->hash[i], is, is);
			while (!(at & 1) && at) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			lh_tlog_node(is, proof->hash[i], is);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 && memcmp(was, older_root, LH_TLOG_HASH) == 0 &&
	       memcmp(is, root, LH_TLOG_HASH) == 0;
}

/* ---- the tiles of a tree and its right edge ---- */

unsigned lh_tlog_width(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t hashes = size >> (8 * level), first = n * LH_TLOG_TILE;

	if (hashes <= first)
		return 0;
	return hashes - first < LH_TLOG_TILE ? (unsigned)(hashes - first) : LH_TLOG_TILE;
}

void lh_tlog_tile_root(uint8_t (*of)[LH_TLOG_HASH], size_t n, uint8_t hash[LH_TLOG_HASH])
{
	uint8_t row[LH_TLOG_TILE][LH_TLOG_HASH];
	size_t i;

	memcpy(row, of, n * LH_TLOG_HASH);
	/* The last hash of an odd number goes up as it is, which gives the root of RFC 6962. */
	for (; n > 1; n = (n + 1) / 2) {
		for (i = 0; i + 1 < n; i += 2)
			lh_tlog_node(row[i], row[i + 1], row[i / 2]);
		if (n & 1)
			memcpy(row[n / 2], row[n - 1], LH_TLOG_HASH);
	}
	memcpy(hash, row[0], LH_TLOG_HASH);
}

int lh_tlog_grow(struct lh_tlog_edge *edge, const uint8_t leaf[LH_TLOG_HASH], struct lh_err *err)
{
	uint8_t hash[LH_TLOG_HASH];
	unsigned level;
	uint64_t at;

	if (edge->size >= LH_TLOG_SIZE_MAX)
		return lh_err_set(err, LH_EUSAGE, "the log is full");
	memcpy(hash, leaf, LH_TLOG_HASH);
	for (level = 0; level < LH_TLOG_LEVELS; level++) {
		at = edge->size >> (8 * level);
		memcpy(edge->tile[level][at % LH_TLOG_TILE], hash, LH_TLOG_HASH);
		if (at % LH_TLOG_TILE != LH_TLOG_TILE - 1)
			break;
		if (edge->full && edge->full(edge->to, level, at / LH_TLOG_TILE,
					     edge->tile[level], err) < 0)
			return -1;
		lh_tlog_tile_root(edge->tile[level], LH_TLOG_TILE, hash);
	}
	edge->size++;
	return 0;
}

void lh_tlog_edge_root(const struct lh_tlog_edge *edge, uint8_t root[LH_TLOG_HASH])
{
	uint8_t row[LH_TLOG_TILE][LH_TLOG_HASH];
	bool below = false;	/* root is that of the hashes of the levels below */
	unsigned level;
	size_t n;

	lh_tlog_empty(root);
	for (level = 0; level < LH_TLOG_LEVELS; level++) {
		n = (edge->size >> (8 * level)) % LH_TLOG_TILE;
		memcpy(row, edge->tile[level], n * LH_TLOG_HASH);
		if (below)
			memcpy(row[n], root, LH_TLOG_HASH);
		if (n + below)
			lh_tlog_tile_root(row, n + below, root);
		below = below || n;
	}
}

void lh_tlog_path(int level, uint64_t n, unsigned width, char path[LH_TLOG_PATH])
{
	char *p = path, *end = path + LH_TLOG_PATH;
	unsigned long long groups[8];
	int i = 0;

	p += level < 0 ? snprintf(p, LH_TLOG_PATH, "tile/entries") :
			 snprintf(p, LH_TLOG_PATH, "tile/%d", level);
	do
		groups[i++] = n % 1000;
	while ((n /= 1000) && i < 8);
	while (i--)
		p += snprintf(p, (size_t)(end - p), i ? "/x%03llu" : "/%03llu", groups[i]);
	if (width < LH_TLOG_TILE)
		snprintf(p, (size_t)(end - p), ".p/%u", width);
}
