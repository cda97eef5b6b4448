/* Numbers print as the shortest text that reads back, and read correctly rounded. */
#include <locale.h>
#include <math.h>

#include "check.h"
#include "base/num.h"

static struct lh_err err;

static void prints(double v, bool single, const char *want)
{
	char text[LH_F64_MAX + 1];
	size_t n = single ? lh_f32_print(text, (float)v) : lh_f64_print(text, v);

	text[n] = '\0';
	check_why(!strcmp(text, want), text);
}

static void printing(void)
{
	static const struct { float v; const char *text; } singles[] = {
		{ 0, "0" }, { -0.0f, "-0" }, { 1, "1" }, { -1.5f, "-1.5" }, { 0.1f, "0.1" },
		{ 0.01f, "0.01" }, { 0.001f, "1e-3" }, { 0.0123f, "0.0123" },
		{ 0.00123f, "0.00123" }, { 0.000123f, "1.23e-4" }, { 1e-7f, "1e-7" },
		{ 100, "100" }, { 1000, "1e3" }, { 1234, "1234" }, { 123456.7f, "123456.7" },
		{ 16777216, "16777216" }, { 3.4028235e38f, "3.4028235e38" },
		{ 1.17549435e-38f, "1.1754944e-38" }, { 1e-45f, "1e-45" },
		{ -3.0517578e-5f, "-3.0517578e-5" },
	};
	static const struct { double v; const char *text; } doubles[] = {
		{ 0.1, "0.1" }, { -0.0, "-0" }, { 5e-324, "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e308" },
		{ 333333333.33333329, "333333333.3333333" },
		{ 9007199254740993.0, "9007199254740992" },
		{ -2.2250738585072014e-308, "-2.2250738585072014e-308" }, { 1e21, "1e21" },
		{ 9.5e-3, "0.0095" },
	};

	for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
		prints(singles[i].v, true, singles[i].text);
	for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++)
		prints(doubles[i].v, false, doubles[i].text);
}

/* text, with digits after it that are not part of it */
static double read64(const char *s)
{
	char text[2000];
	const char *next;
	size_t n = strlen(s);
	double v;

	memset(text, '7', sizeof text);
	memcpy(text, s, n);
	v = lh_f64_read(text, text + n, &next);
	check(next == text + n);
	return v;
}

static float read32(const char *s)
{
	char text[2000];
	const char *next;
	size_t n = strlen(s);
	float v;

	memset(text, '7', sizeof text);
	memcpy(text, s, n);
	v = lh_f32_read(text, text + n, &next);
	check(next == text + n);
	return v;
}

static void reading(void)
{
	static const char *const texts[] = {
		"0", "-0", "1", "-1.5", "0.1", "1e22", "1e23", "123456789012345678",
		"9007199254740993",
		"9007199254740992.9999999999999999999", "9007199254740993.0000000000000000000001",
		"5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
		"1.7976931348623157e308",
		"1.7976931348623159e308", "1e400", "1e-400", "-1e400", "2.2250738585072011e-308",
		"16777217", "16777216.9999999999", "16777217.00000000000000000000000001",
		"16777219",
		"3.4028235e38", "3.4028235677973366e38", "3.4028236e38", "1e39", "1.1754943e-38",
		"1e-45",
		"7.0064923216240853e-46", "7.0064923216240854e-46", "7.006492321624085355e-46",
		"1e-50",
		"0.0000000000000000000000000000000000000000000001234567890123456789012345",
		"12345678901234567890123456789012345678901234567890e-40", "0.012345679104328156",
		"1E+5", "1e-5", "0e999999999999999999999", "1e999999999999999999999",
		"1e-999999999999999999999",
		"8.5899345925e9", "1.00000017881393421514957253748434595763683319091796875001",
		"1.00000017881393432617187499", "1.000000178813934326171875",
		"1.00000017881393432617187501",
	};
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		double d = strtod(texts[i], NULL);
		float f = strtof(texts[i], NULL);

		if (read64(texts[i]) == d && signbit(read64(texts[i])) == signbit(d) &&
		    read32(texts[i]) == f && signbit(read32(texts[i])) == signbit(f))
			continue;
		fprintf(stderr, "%s reads as %a and %a\n", texts[i], read64(texts[i]),
			(double)read32(texts[i]));
		exit(1);
	}
}

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* The shortest text is as short as printf's shortest that reads back. */
static int digits_needed(double v, bool single)
{
	char text[64];
	int n;

	for (n = 1; n < 17; n++) {
		snprintf(text, sizeof text, "%.*e", n - 1, v);
		if (single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
			break;
	}
	return n;
}

static int digits_used(const char *s)
{
	int n = 0, zeros = 0;

	for (; *s && *s != 'e'; s++) {
		if (*s < '0' || *s > '9' || (*s == '0' && !n))
			continue;
		zeros = *s == '0' ? zeros + 1 : 0;
		n++;
	}
	return n - zeros;
}

static void round_trips(void)
{
	uint64_t seed = 88172645463325252ull;
	char text[64];
	int i;

	for (i = 0; i < 200000; i++) {
		uint64_t u = next_random(&seed);
		uint32_t w = (uint32_t)(u >> 32);
		double d;
		float f;

		memcpy(&d, &u, sizeof d);
		memcpy(&f, &w, sizeof f);
		if (i % 4 == 0)
			f = (float)(int32_t)w / 2147483648.0f, d = (double)(int64_t)u / 9e18;
		if (isfinite(d)) {
			text[lh_f64_print(text, d)] = '\0';
			check(read64(text) == d && strtod(text, NULL) == d);
			check(i % 16 || digits_used(text) <= digits_needed(d, false));
		}
		if (isfinite(f)) {
			text[lh_f32_print(text, f)] = '\0';
			check(read32(text) == f && strtof(text, NULL) == f);
			check(i % 16 || digits_used(text) <= digits_needed(f, true));
			snprintf(text, sizeof text, "%.17g", (double)f * 1.0000000000000002);
			check(read32(text) == strtof(text, NULL) &&
			      read64(text) == strtod(text, NULL));
		}
	}
}

static void arrays(void)
{
	static const char good[] = "[ 1,-2.5 ,\t3e-1 ]",
		*const bad[] = { "[1,\"2\"]", "[null]", "[1e39]", "[1,[2]]" };
	float v[1000], w[1000];
	struct lh_buf b = { 0 };
	size_t i;

	lh_buf_puts(&b, good);
	check(lh_f32s_read(b.p, b.p + b.len, v, 3, &err) == 3 && v[0] == 1 && v[1] == -2.5f &&
	      v[2] == 0.3f);
	check(lh_f32s_read(b.p, b.p + b.len, v, 2, &err) == -1);
	for (i = 0; i < 4; i++) {
		lh_buf_reset(&b);
		lh_buf_puts(&b, bad[i]);
		check(lh_f32s_read(b.p, b.p + b.len, v, 9, &err) == -1 && err.code == LH_EDATA);
	}
	for (i = 0; i < 1000; i++)
		v[i] = (float)sin((double)i) / (float)(i + 1);
	lh_buf_reset(&b);
	lh_buf_f32s(&b, v, 1000);
	check(lh_buf_check(&b, &err) == 0);
	check(lh_f32s_read(b.p, b.p + b.len, w, 1000, &err) == 1000 && !memcmp(v, w, sizeof v));
	lh_buf_reset(&b);
	lh_buf_f32s(&b, v, 0);
	check(b.len == 2 && !memcmp(b.p, "[]", 2) && lh_f32s_read(b.p, b.p + 2, w, 0, &err) == 0);
	lh_buf_free(&b);
}

int main(void)
{
	test(printing());
	test(reading());
	test(round_trips());
	test(arrays());
	/* where a comma is the decimal point, nothing changes */
	if (setlocale(LC_ALL, "de_DE.UTF-8")) {
		test(printing());
		test(arrays());
		check(read64("1.5") == 1.5 && read32("7.0064923216240854e-46") == 1e-45f);
	}
	return 0;
}
