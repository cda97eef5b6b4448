/* The tree of a transparency log, against a second way to compute it: RFC 6962 as it is written,
 * by recursion over all leaves. */

#include "check.h"
#include "tlog/tree.h"
#include "crypto/digest.h"

#define MANY 1100

static struct lh_err err;
static uint8_t leaf[MANY][LH_TLOG_HASH];

static void hash_of(uint64_t begin, uint64_t end, uint8_t hash[LH_TLOG_HASH])
{
	uint8_t text[1 + 2 * LH_TLOG_HASH] = { 1 };
	uint64_t k = 1;

	if (end == begin) {
		lh_sha256("", 0, hash);
		return;
	}
	if (end - begin == 1) {
		memcpy(hash, leaf[begin], LH_TLOG_HASH);
		return;
	}
	while (2 * k < end - begin)
		k *= 2;
	hash_of(begin, begin + k, text + 1);
	hash_of(begin + k, end, text + 1 + LH_TLOG_HASH);
	lh_sha256(text, sizeof text, hash);
}

static int read_node(void *from, unsigned level, uint64_t index, uint8_t hash[LH_TLOG_HASH],
		     struct lh_err *why)
{
	const uint64_t *size = from;

	(void)why;
	check(((index + 1) << level) <= *size);
	hash_of(index << level, (index + 1) << level, hash);
	return 0;
}

static void known_answers(void)
{
	static const uint8_t empty[] = { 0xe3, 0xb0, 0xc4, 0x42 }, leaf_of_none[] = {
		0x6e, 0x34, 0x0b, 0x9c, 0xff, 0xb3, 0x7a, 0x98	/* of RFC 6962's test data */
	};
	uint8_t hash[LH_TLOG_HASH];

	lh_tlog_empty(hash);
	check(!memcmp(hash, empty, sizeof empty));
	lh_tlog_leaf("", 0, hash);
	check(!memcmp(hash, leaf_of_none, sizeof leaf_of_none));
}

static void roots_of_every_size(void)
{
	static struct lh_tlog_edge edge;
	uint64_t size;
	struct lh_tlog_nodes nodes = { read_node, &size };
	uint8_t want[LH_TLOG_HASH], got[LH_TLOG_HASH];

	for (size = 0; size < MANY; size++) {
		hash_of(0, size, want);
		lh_tlog_edge_root(&edge, got);
		check(!memcmp(want, got, sizeof got));
		check(lh_tlog_root(&nodes, size, got, &err) == 0);
		check(!memcmp(want, got, sizeof got));
		check(lh_tlog_grow(&edge, leaf[size], &err) == 0 && edge.size == size + 1);
	}
	check(lh_tlog_root(&nodes, LH_TLOG_SIZE_MAX + 1, got, &err) < 0 && err.status == 404);
}

/* What is proved: an entry of a tree, or the growth of one to another. */
struct claim {
	bool of_growth;
	uint64_t index, size;	/* or the older size, and the newer */
	const uint8_t *leaf, *root;	/* or the older root */
};

static bool proves(struct claim c, const struct lh_tlog_proof *p)
{
	if (c.of_growth)
		return lh_tlog_proves_growth(c.index, c.leaf, c.size, p, c.root);
	return lh_tlog_proves(c.leaf, c.index, c.size, p, c.root);
}

/* Change each hash, and the number of hashes: nothing is proved. */
static void refuse_other_hashes(struct claim c, const struct lh_tlog_proof *good)
{
	struct lh_tlog_proof bad = *good;
	size_t i;

	check(proves(c, good));
	for (i = 0; i < good->n; i++) {
		bad.hash[i][i % LH_TLOG_HASH] ^= 1;
		check(!proves(c, &bad));
		bad = *good;
	}
	bad.n++;
	check(!proves(c, &bad));
	bad.n = good->n - 1;
	check(!good->n || !proves(c, &bad));
}

static void refuse_others(uint64_t index, uint64_t size, const struct lh_tlog_proof *good,
			  const uint8_t root[LH_TLOG_HASH])
{
	refuse_other_hashes((struct claim){ false, index, size, leaf[index], root }, good);
	check(!lh_tlog_proves(leaf[index], index + 1, size, good, root));
	check(!lh_tlog_proves(leaf[index], index ^ 1, size, good, root));
	check(!lh_tlog_proves(leaf[(index + 1) % MANY], index, size, good, root));
	check(!lh_tlog_proves(leaf[index], size, size, good, root));
}

static void inclusion(void)
{
	uint64_t size, index;
	struct lh_tlog_nodes nodes = { read_node, &size };
	struct lh_tlog_proof proof;
	uint8_t root[LH_TLOG_HASH];

	for (size = 1; size < 70; size++) {
		hash_of(0, size, root);
		for (index = 0; index < size; index++) {
			check(lh_tlog_prove(&nodes, index, size, &proof, &err) == 0);
			refuse_others(index, size, &proof, root);
		}
		check(lh_tlog_prove(&nodes, size, size, &proof, &err) < 0 && err.status == 404);
	}
	check(!lh_tlog_proves(leaf[0], 0, 0, &proof, root));
}

static void refuse_other_growth(uint64_t older, const uint8_t was[LH_TLOG_HASH], uint64_t size,
				const struct lh_tlog_proof *good, const uint8_t root[LH_TLOG_HASH])
{
	refuse_other_hashes((struct claim){ true, older, size, was, root }, good);
	check(!lh_tlog_proves_growth(older, leaf[MANY - 1], size, good, root));
	check(!older || !lh_tlog_proves_growth(older, was, size, good, leaf[MANY - 1]));
	check(!lh_tlog_proves_growth(size + 1, was, size, good, root));
}

static void growth(void)
{
	uint64_t size, older;
	struct lh_tlog_nodes nodes = { read_node, &size };
	struct lh_tlog_proof proof;
	uint8_t was[LH_TLOG_HASH], root[LH_TLOG_HASH];

	for (size = 0; size < 70; size++) {
		hash_of(0, size, root);
		for (older = 0; older <= size; older++) {
			hash_of(0, older, was);
			check(lh_tlog_prove_growth(&nodes, older, size, &proof, &err) == 0);
			refuse_other_growth(older, was, size, &proof, root);
		}
		check(lh_tlog_prove_growth(&nodes, older, size, &proof, &err) < 0);
	}
}

static int any_node(void *from, unsigned level, uint64_t index, uint8_t hash[LH_TLOG_HASH],
		    struct lh_err *why)
{
	(void)why;
	++*(unsigned *)from;
	memset(hash, (int)(level * 31 + index % 7), LH_TLOG_HASH);
	return 0;
}

/* The hashes of the largest tree are those of any source: lengths alone are looked at. */
static void largest(void)
{
	const uint64_t size = LH_TLOG_SIZE_MAX - 1;
	unsigned calls = 0;
	struct lh_tlog_nodes nodes = { any_node, &calls };
	struct lh_tlog_proof proof;
	uint8_t root[LH_TLOG_HASH], node[LH_TLOG_HASH];

	check(lh_tlog_root(&nodes, size, root, &err) == 0);
	check(lh_tlog_prove(&nodes, size - 1, size, &proof, &err) == 0 && proof.n == 47);
	any_node(&calls, 0, size - 1, node, &err);
	check(lh_tlog_proves(node, size - 1, size, &proof, root));
	check(lh_tlog_prove_growth(&nodes, size - 1, size, &proof, &err) == 0 && proof.n == 48);
	check(lh_tlog_root(&nodes, size - 1, node, &err) == 0);
	check(lh_tlog_proves_growth(size - 1, node, size, &proof, root));
}

static void path_is(int level, uint64_t n, unsigned width, const char *want)
{
	char path[LH_TLOG_PATH];

	lh_tlog_path(level, n, width, path);
	check_why(!strcmp(path, want), path);
}

static void paths(void)
{
	path_is(0, 0, 256, "tile/0/000");
	path_is(1, 999, 17, "tile/1/999.p/17");
	path_is(5, 1234067, 256, "tile/5/x001/x234/067");
	path_is(-1, 1000, 1, "tile/entries/x001/000.p/1");
	path_is(0, UINT64_MAX, 255, "tile/0/x018/x446/x744/x073/x709/x551/615.p/255");
	check(lh_tlog_width(70000, 0, 272) == 256 && lh_tlog_width(70000, 0, 273) == 112);
	check(lh_tlog_width(70000, 1, 1) == 17 && lh_tlog_width(70000, 2, 0) == 1);
	check(lh_tlog_width(256, 1, 0) == 1 && lh_tlog_width(256, 0, 1) == 0);
}

int main(void)
{
	uint64_t i;

	for (i = 0; i < MANY; i++)
		lh_tlog_leaf(&i, sizeof i, leaf[i]);
	test(known_answers());
	test(roots_of_every_size());
	test(inclusion());
	test(growth());
	test(largest());
	test(paths());
	return 0;
}
