/* RFC 4648's test vectors, every length, and texts that are not base64. */
#include "check.h"
#include "base/num.h"

static void known(const char *plain, const char *text)
{
	unsigned char out[16];
	struct lh_buf b = { 0 };

	lh_buf_base64(&b, plain, strlen(plain));
	check(b.len == strlen(text) && (!b.len || !memcmp(b.p, text, b.len)));
	check(lh_base64_read(text, strlen(text), out) == (long)strlen(plain));
	check(!memcmp(out, plain, strlen(plain)));
	lh_buf_free(&b);
}

static void every_length(void)
{
	unsigned char in[600], out[600];
	struct lh_buf b = { 0 };
	size_t n, i;

	for (i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)(i * 167 + (i >> 3));
	for (n = 0; n < sizeof in; n++) {
		lh_buf_reset(&b);
		lh_buf_base64(&b, in, n);
		check(b.len == (n + 2) / 3 * 4);
		check(lh_base64_read(b.p, b.len, out) == (long)n && !memcmp(in, out, n));
		for (i = 0; i < b.len && n % 7 == 0; i++) {
			char c = b.p[i];

			b.p[i] = "-_ \n@.\xff"[i % 7];
			check(lh_base64_read(b.p, b.len, out) == -1);
			b.p[i] = c;
		}
	}
	lh_buf_free(&b);
}

static void bad_texts(void)
{
	static const char *const bad[] = {
		"A", "AA", "AAA", "AAAAA", "=", "====", "A===", "AA=A", "AB==", "AAB=", "AA==AAAA",
		"AAA=AAAA", "AAAA====",
	};
	unsigned char out[16];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		check(lh_base64_read(bad[i], strlen(bad[i]), out) == -1);
}

int main(void)
{
	test(known("", ""));
	test(known("f", "Zg=="));
	test(known("fo", "Zm8="));
	test(known("foo", "Zm9v"));
	test(known("foob", "Zm9vYg=="));
	test(known("fooba", "Zm9vYmE="));
	test(known("foobar", "Zm9vYmFy"));
	test(bad_texts());
	test(every_length());
	return 0;
}
