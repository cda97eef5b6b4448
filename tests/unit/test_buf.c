/* A buffer grows to its maximum and no further, and is padded. */
#include "check.h"
#include "base/buf.h"

/* One byte that needs an escape, at every place in texts of every length. */
static void escapes_are_found_anywhere(void)
{
	char text[48], want[64];
	struct lh_buf b = { 0 };
	size_t n, at;

	for (n = 0; n < sizeof text; n++)
		for (at = 0; at <= n; at++) {
			memset(text, 0x7f, n);
			*want = '"';
			memset(want + 1, 0x7f, n);
			want[n + 1] = '"';
			if (at < n) {
				text[at] = '\n';
				want[at + 1] = '\\';
				want[at + 2] = 'n';
				memset(want + at + 3, 0x7f, n - at - 1);
				want[n + 2] = '"';
			}
			lh_buf_reset(&b);
			lh_buf_json(&b, text, n);
			check(b.len == n + 2 + (at < n) && !memcmp(b.p, want, b.len));
		}
	lh_buf_free(&b);
}

static void it_grows_to_its_maximum(void)
{
	struct lh_err err;
	struct lh_buf b = { 0 };
	size_t i;

	check(lh_buf_check(&b, &err) == 0 && b.len == 0);
	lh_buf_json(&b, "a\"\\\b\f\n\r\t\x01\x1f\x7f\xc3\xa9", 13);
	check(b.len == 32 && !memcmp(b.p, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\"",
				     32));
	lh_buf_reset(&b);
	lh_buf_u64(&b, 0);
	lh_buf_putc(&b, ' ');
	lh_buf_u64(&b, UINT64_MAX);
	check(b.len == 22 && !memcmp(b.p, "0 18446744073709551615", 22));
	lh_buf_reset(&b);
	for (i = 0; i < 1000; i++)
		lh_buf_printf(&b, "%0*d", (int)i, 1);
	check(lh_buf_check(&b, &err) == 0 && b.len == 999 * 1000 / 2 + 1 && b.p[b.len - 1] == '1');
	memset(b.p + b.len, 0, LH_PAD);
	lh_buf_free(&b);
	lh_buf_init(&b, 10);
	lh_buf_puts(&b, "0123456789");
	check(lh_buf_check(&b, &err) == 0);
	lh_buf_putc(&b, 'x');
	lh_buf_puts(&b, "");
	check(lh_buf_check(&b, &err) == -1 && err.code == LH_EDATA && b.len == 10);
	lh_buf_reset(&b);
	lh_buf_puts(&b, "again");
	check(lh_buf_check(&b, &err) == 0 && b.len == 5);
	lh_buf_free(&b);
}

int main(void)
{
	test(escapes_are_found_anywhere());
	test(it_grows_to_its_maximum());
	return 0;
}
