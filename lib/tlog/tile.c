/* tile.c - the tiles of a tree and its right edge.  See tree.h. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

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
