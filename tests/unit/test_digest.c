/* Known answers: FIPS 180-4, RFC 4231, and XXH3 whole against in pieces. */
#include <string.h>

#include "check.h"
#include <lh/digest.h>
#include "base/xxh3.h"

static struct lh_err err;

static void hex_is(const unsigned char sum[32], const char *want)
{
	char hex[65] = "";

	lh_hex(sum, 32, hex);
	if (!strcmp(hex, want))
		return;
	fprintf(stderr, "%s, not %s\n", hex, want);
	exit(1);
}

static void sha(const char *s, const char *want)
{
	unsigned char sum[32];

	lh_sha256(s, strlen(s), sum);
	hex_is(sum, want);
}

static void mac(const char *key, size_t n, const char *a, const char *b, const char *want)
{
	struct lh_hmac *h = lh_hmac_new(key, n, &err);
	unsigned char sum[32];
	int i;

	check(h != NULL);
	for (i = 0; i < 2; i++) {
		lh_hmac(h, a, strlen(a), b, strlen(b), sum);
		hex_is(sum, want);
	}
	lh_hmac_free(h);
}

static void checksums(void)
{
	check(lh_xxh3("", 0) == 0x2d06800538d394c2ull);
	check(lh_xxh3("a", 1) == 0xe6c632b61e964e1full);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Two messages, each in steps of its own, like one. */
static void two_at_a_time(size_t n, size_t m, size_t step, size_t other)
{
	static unsigned char text[2][1000];
	const size_t of[2] = { n, m }, by[2] = { step, other };
	unsigned char sum[32], want[32];
	struct lh_sha256 h[2];
	size_t at[2] = { 0 }, take[2], i;

	for (i = 0; i < sizeof text[0]; i++) {
		text[0][i] = (unsigned char)(i * 7);
		text[1][i] = (unsigned char)(i * 11 + 3);
	}
	lh_sha256_start(&h[0]);
	lh_sha256_start(&h[1]);
	while (at[0] < n || at[1] < m) {
		for (i = 0; i < 2; i++)
			take[i] = smaller(by[i], of[i] - at[i]);
		lh_sha256_more2((struct lh_sha256 *[]){ &h[0], &h[1] }, (const void *[]){ text[0] + at[0], text[1] + at[1] }, take);
		for (i = 0; i < 2; i++)
			at[i] += take[i];
	}
	for (i = 0; i < 2; i++) {
		lh_sha256(text[i], of[i], want);
		lh_sha256_end(&h[i], sum);
		check(!memcmp(sum, want, 32));
	}
}

/* Lengths around the ends of blocks, where padding takes one block or two. */
static void pairs(void)
{
	static const size_t lengths[] = { 0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 447, 1000 };
	const size_t n = sizeof lengths / sizeof *lengths;
	unsigned char text[2][1000], sum[2][32], want[32];
	size_t i, k;

	memset(text[0], 'a', sizeof text[0]);
	memset(text[1], 0xe9, sizeof text[1]);
	for (i = 0; i < n * n; i++) {
		const size_t of[2] = { lengths[i / n], lengths[i % n] };

		lh_sha256_pair((const void *[]){ text[0], text[1] }, of, sum);
		for (k = 0; k < 2; k++) {
			lh_sha256(text[k], of[k], want);
			check(!memcmp(sum[k], want, 32));
		}
	}
}

static void steps_of_any_size(void)
{
	static const size_t steps[] = { 1, 63, 64, 65, 128, 200, 320, 1000 };
	const size_t n = sizeof steps / sizeof *steps;
	size_t i;

	for (i = 0; i < n * n; i++) {
		two_at_a_time(1000, 1000, steps[i / n], steps[i % n]);
		two_at_a_time(777, 320, steps[i / n], steps[i % n]);
		two_at_a_time(0, 64, steps[i / n], steps[i % n]);
	}
}

int main(void)
{
	char long_key[131];

	test(sha("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	test(sha("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	memset(long_key, 0x0b, sizeof long_key);
	test(mac(long_key, 20, "Hi ", "There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
	test(mac("Jefe", 4, "what do ya want for nothing?", "", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	memset(long_key, 0xaa, sizeof long_key);
	mac(long_key, 131, "", "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	test(mac("", 0, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
	check(lh_const_eq("abc", "abc", 3) && !lh_const_eq("abc", "abd", 3));
	test(checksums());
	test(pairs());
	test(steps_of_any_size());
	return 0;
}
