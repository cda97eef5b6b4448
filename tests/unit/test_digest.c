/* Known answers: FIPS 180-4, RFC 4231, and XXH3 as a whole against XXH3 in pieces. */

#include "check.h"
#include "crypto/digest.h"
#include "base/xxh3.h"

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
	struct lh_hmac *h = lh_hmac_new(key, n);
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

static void in_steps(size_t n, size_t step)
{
	unsigned char text[1000], sum[32], want[32];
	struct lh_sha256 h;
	size_t i;

	for (i = 0; i < sizeof text; i++)
		text[i] = (unsigned char)(i * 7);
	lh_sha256_start(&h);
	for (i = 0; i < n; i += step)
		lh_sha256_more(&h, text + i, smaller(step, n - i));
	lh_sha256_end(&h, sum);
	lh_sha256(text, n, want);
	check(!memcmp(sum, want, 32));
}

static void steps_of_any_size(void)
{
	static const size_t steps[] = { 1, 63, 64, 65, 128, 200, 320, 1000 };
	size_t i;

	for (i = 0; i < sizeof steps / sizeof *steps; i++) {
		in_steps(1000, steps[i]);
		in_steps(777, steps[i]);
		in_steps(0, steps[i]);
	}
}

int main(void)
{
	char long_key[131];

	test(sha("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	test(sha("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	memset(long_key, 0x0b, sizeof long_key);
	test(mac(long_key, 20, "Hi ", "There",
		 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"));
	test(mac("Jefe", 4, "what do ya want for nothing?", "",
		 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	memset(long_key, 0xaa, sizeof long_key);
	mac(long_key, 131, "", "Test Using Larger Than Block-Size Key - Hash Key First",
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	test(mac("", 0, "", "",
		 "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
	check(lh_const_eq("abc", "abc", 3) && !lh_const_eq("abc", "abd", 3));
	test(checksums());
	test(steps_of_any_size());
	return 0;
}
