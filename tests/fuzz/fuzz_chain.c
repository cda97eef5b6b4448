/* fuzz_chain - any bytes as a log: no crash, no read out of bounds, and a line reads
 * the same by the fast and the general reader. */
#include "fuzz.h"

#include "audit/chain_parts.h"

static struct lh_err err;
static struct lh_chain_keys keys;

static void start(void)
{
	static const unsigned char key[32];

	lh_chain_keys_add(&keys, key, sizeof key);
	fuzz_choose_path(".audit.jsonl");
}

static bool equal(struct lh_str a, struct lh_str b)
{
	return a.p ? lh_str_is(b, a.p, a.n) : !b.p;
}

/* A blank in front is white space, which only the general reader accepts. */
static void line(const uint8_t *data, size_t n)
{
	struct lh_chain_reader a = { 0 }, b = { 0 };
	struct lh_chain_line x, y;
	char *p = malloc(n + 1 + LH_PAD);
	int rc;

	*p = ' ';
	memcpy(p + 1, data, n);
	memset(p + 1 + n, '"', LH_PAD);
	rc = lh_chain_line(&a, p + 1, n, &x, &err);
	must(rc == lh_chain_line(&b, p, n + 1, &y, &err));
	if (rc == 0)
		must(x.n == y.n && memcmp(x.text, y.text, x.n) == 0 && equal(x.id, y.id) &&
		     equal(x.prev, y.prev) && equal(x.mac, y.mac) && x.bare == y.bare);
	lh_chain_reader_free(&a);
	lh_chain_reader_free(&b);
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct lh_chain_verdict v;

	if (!keys.n)
		start();
	line(data, n);
	fuzz_write(fuzz_path, data, n, O_TRUNC);
	if (lh_chain_verify(fuzz_path,
			    &(struct lh_chain_check){ .keys = &keys, .jobs = 2, .max_row = 65536 },
			    &v, &err) == 0)
		must(v.fault ? v.state != LH_CHAIN_INTACT :
			       v.state == LH_CHAIN_INTACT && v.bytes == n);
	return 0;
}
