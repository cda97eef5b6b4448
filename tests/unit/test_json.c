/* What the parser accepts, its errors, and the meaning of values. */
#include "check.h"
#include "json/json.h"
#include "json/json_scanner.h"

static struct lh_record rec;
static struct lh_err err;

/* A padded copy, so that the sanitizer sees every byte read too far. */
static char *padded(const char *s, size_t n)
{
	char *p = malloc(n + LH_PAD);

	check(p != NULL);
	memcpy(p, s, n);
	memset(p + n, '"', LH_PAD);
	return p;
}

static int parse_n(const char *s, size_t n, struct lh_value *v)
{
	static char *last;

	free(last);
	last = padded(s, n);
	return lh_json_parse(&rec, last, n, v, &err);
}

static struct lh_value value(const char *s)
{
	struct lh_value v;

	if (parse_n(s, strlen(s), &v) < 0) {
		fprintf(stderr, "%s: %s at %zu\n", s, err.msg, err.column);
		exit(1);
	}
	return v;
}

static void good(const char *s, enum lh_type type)
{
	check(value(s).type == type);
}

static void bad_n(const char *s, size_t n, const char *msg, size_t column)
{
	struct lh_value v;

	if (parse_n(s, n, &v) < 0 && !strcmp(err.msg, msg) && err.column == column)
		return;
	fprintf(stderr, "%s: got \"%s\" at %zu\n", s, err.msg, err.column);
	exit(1);
}

static void bad(const char *s, const char *msg, size_t column)
{
	bad_n(s, strlen(s), msg, column);
}

static void grammar(void)
{
	good("0", LH_NUMBER);
	good("-0", LH_NUMBER);
	good("-0.0e-0", LH_NUMBER);
	good("1e400", LH_NUMBER);
	good("12345678901234567890123", LH_NUMBER);
	good(" \t\r\n[ ] ", LH_ARRAY);
	good("{ }", LH_OBJECT);
	good("\"\"", LH_STRING);
	good("true", LH_TRUE);
	good("false", LH_FALSE);
	good("null", LH_NULL);
	good("[1,-2.5,3E+4,[],{},\"x\",null,[true , false]]", LH_ARRAY);
	bad("", "unexpected end of line", 1);
	bad("  ", "unexpected end of line", 3);
	bad("[", "unexpected end of line", 2);
	bad("[1", "unexpected end of line", 3);
	bad("[1,", "unexpected end of line", 4);
	bad("{\"a\"", "unexpected end of line", 5);
	bad("{\"a\":", "unexpected end of line", 6);
	bad("{\"a\":1,", "unexpected end of line", 8);
	bad("\"abc", "unexpected end of line", 5);
	bad("\"abc\\", "unexpected end of line", 6);
	bad("\"abc\\u12", "unexpected end of line", 9);
	bad("-", "unexpected end of line", 2);
	bad("1.", "unexpected end of line", 3);
	bad("1e", "unexpected end of line", 3);
	bad("1e+", "unexpected end of line", 4);
	bad("01", "invalid number", 2);
	bad("-x", "invalid number", 2);
	bad("1.x", "invalid number", 3);
	bad("[1.]", "invalid number", 4);
	bad("+1", "expected a value", 1);
	bad(".5", "expected a value", 1);
	bad("NaN", "expected a value", 1);
	bad("nul", "expected a value", 1);
	bad("nullx", "expected the end of the line", 5);
	bad("1 2", "expected the end of the line", 3);
	bad("[1 2]", "expected ',' or ']'", 4);
	bad("[1,]", "expected a value", 4);
	bad("[1}", "expected ',' or ']'", 3);
	bad("{\"a\":1]", "expected ',' or '}'", 7);
	bad("{\"a\" 1}", "expected ':'", 6);
	bad("{a:1}", "expected a key", 2);
	bad("{\"a\":1,}", "expected a key", 8);
	bad("{1:1}", "expected a key", 2);
	bad("\xef\xbb\xbf{}", "expected a value", 1);
	bad_n("[\0]", 3, "expected a value", 2);
	bad_n("{}\0", 3, "expected the end of the line", 3);
}

static void strings(void)
{
	good("\"\xc3\xa9 \xe2\x80\xa8 \xf0\x9f\x98\x80 \x7f\"", LH_STRING);
	good("\"\\u0000 \\ud83d\\ude00 \\/\\b\\f\\n\\r\\t\\\\\\\"\"", LH_STRING);
	good("\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"", LH_STRING);
	bad_n("\"a\0b\"", 5, "control character in string", 3);
	bad("\"a\nb\"", "control character in string", 3);
	bad("\"\x1f\"", "control character in string", 2);
	bad("\"a\xff\"", "invalid UTF-8", 3);
	bad("\"\xc0\xaf\"", "invalid UTF-8", 2);
	bad("\"\xe0\x80\xaf\"", "invalid UTF-8", 2);
	bad("\"\xf0\x80\x80\xaf\"", "invalid UTF-8", 2);
	bad("\"\xed\xa0\x80\"", "invalid UTF-8", 2);
	bad("\"\xf4\x90\x80\x80\"", "invalid UTF-8", 2);
	bad("\"\xc3\"", "invalid UTF-8, looks like Latin-1 "
	    "(iconv -f WINDOWS-1252 -t UTF-8 converts it)", 2);
	bad("\"0123456789012345678901234567890123456789012345678901234567890123456789\xe2\x82\"",
	    "invalid UTF-8", 72);
	bad("\"\\x\"", "invalid escape in string", 2);
	bad("\"\\u12g4\"", "invalid escape in string", 2);
	bad("\"\\ud800\"", "lone surrogate in string", 2);
	bad("\"a\\udc00\"", "lone surrogate in string", 3);
	bad("\"\\ud800\\u0041\"", "lone surrogate in string", 2);
	bad("\"\\ud800\\ud800\"", "lone surrogate in string", 2);
	check(lh_utf8_valid("\xe2\x80\xa8", 3));
	check(!lh_utf8_valid("\xe2\x80", 2));
}

/* Every sequence of one to four bytes from a set with all border cases, at several
 * places in a long text, compared with the definition. */
static bool by_definition(const unsigned char *s, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t i, k, len;
	uint32_t c;

	for (i = 0; i < n; i += len) {
		len = s[i] < 0x80 ? 1 : s[i] < 0xc0 ? 0 : s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3
			: s[i] < 0xf8 ? 4 : 0;
		if (!len || i + len > n)
			return false;
		c = len == 1 ? s[i] : s[i] & (0x7fu >> len);
		for (k = 1; k < len; k++) {
			if ((s[i + k] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i + k] & 0x3f);
		}
		if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
	}
	return true;
}

static void utf8(void)
{
	static const unsigned char set[] = {
		0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
		0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff,
	};
	static const size_t places[] = { 0, 29, 30, 31, 32, 61, 66 };
	const size_t m = sizeof set;
	unsigned char s[70], seq[4];
	size_t i, k, at;

	for (i = 0; i < m * m * m * m; i++) {
		seq[0] = set[i % m];
		seq[1] = set[i / m % m];
		seq[2] = set[i / m / m % m];
		seq[3] = set[i / m / m / m];
		at = places[i % 7];
		memset(s, 'x', sizeof s);
		memcpy(s + at, seq, 4);
		check(lh_utf8_valid((char *)s, sizeof s) == by_definition(seq, 4));
		for (k = 1; k < 4 && i % 5 == 0; k++)
			check(lh_utf8_valid((char *)s, at + k) == by_definition(seq, k));
	}
}

/* A quote, an escape and a high byte at every place around the block sizes. */
static void string_lengths(void)
{
	char s[300];
	size_t n, i;
	struct lh_value v;

	for (n = 0; n < 200; n++) {
		s[0] = '"';
		memset(s + 1, 'x', n);
		s[n + 1] = '"';
		check(parse_n(s, n + 2, &v) == 0 && v.n == n + 2 && !v.escaped);
		bad_n(s, n + 1, "unexpected end of line", n + 2);
		for (i = 0; i + 2 <= n; i++) {
			memcpy(s + 1 + i, "\\n", 2);
			check(parse_n(s, n + 2, &v) == 0 && v.escaped);
			memcpy(s + 1 + i, "\xc3\xa9", 2);
			check(parse_n(s, n + 2, &v) == 0 && !v.escaped);
			s[1 + i] = 'x';
			bad_n(s, n + 2, "invalid UTF-8", i + 3);
			s[2 + i] = 'x';
		}
	}
}

static void duplicates(void)
{
	bad("{\"a\":1,\"a\":2}", "duplicate key \"a\"", 8);
	bad("{\"a\":1,\"\\u0061\":2}", "duplicate key \"\\u0061\"", 8);
	bad("{\"x\":[{\"y\":{\"k\":1,\"b\":2,\"k\":3}}]}", "duplicate key \"k\"", 25);
	bad("{\"\":1,\"\":2}", "duplicate key \"\"", 7);
	good("{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":1}]}},\"b\":{\"a\":1}}", LH_OBJECT);
	good("{\"a\":1,\"b\":2}", LH_OBJECT);
	good("{\"a\":1,\"a\\u0000\":2,\"A\":3}", LH_OBJECT);
}

/* n keys at each of two depths, the last of them twice if requested. */
static char *many_keys(size_t n, int twice, size_t *len)
{
	char *s = malloc(n * 48 + 64), *p = s;
	size_t i;

	check(s != NULL);
	p += sprintf(p, "{");
	for (i = 0; i < n; i++)
		p += sprintf(p, "\"k%zu\":%zu,", i, i);
	p += sprintf(p, "\"in\":{");
	for (i = 0; i < n; i++)
		p += sprintf(p, "\"%s%zu\":0%s", i % 2 ? "k" : "\\u006b", i, i + 1 < n ? "," : "");
	p += sprintf(p, "},\"after\":{\"k1\":1},\"k%zu\":0}", twice ? n - 1 : n);
	*len = (size_t)(p - s);
	return s;
}

static void key_counts(void)
{
	static const size_t counts[] = { 1, 2, 15, 16, 17, 62, 63, 64, 65, 66, 128, 1000, 100000,
					 1000000 };
	struct lh_value v;
	size_t i, n;
	char *s;

	lh_json_members = 2000000;
	for (i = 0; i < sizeof counts / sizeof *counts - check_is_small(); i++) {
		s = many_keys(counts[i], 0, &n);
		check(parse_n(s, n, &v) == 0);
		free(s);
		s = many_keys(counts[i], 1, &n);
		check(parse_n(s, n, &v) < 0 && !strncmp(err.msg, "duplicate key \"k", 16));
		free(s);
	}
	lh_json_members = LH_JSON_MEMBERS;
	s = many_keys(LH_JSON_MEMBERS, 0, &n);
	check(parse_n(s, n, &v) < 0 &&
	      !strcmp(err.msg, "an object of more than 65536 members (--max-members)"));
	check(err.column > 0 && err.column < n && s[err.column - 1] == '"');
	free(s);
}

/* An empty lh_buf. */
static void nothing(void)
{
	struct lh_value v;

	check(lh_json_parse(&rec, NULL, 0, &v, &err) < 0 &&
	      !strcmp(err.msg, "unexpected end of line") && err.column == 1);
	check(lh_record_parse(&rec, NULL, 0, &err) < 0 &&
	      !strcmp(err.msg, "unexpected end of line"));
}

static void depth(void)
{
	size_t n = 100000, i;
	char *s = malloc(2 * n);
	struct lh_value v;

	check(s != NULL);
	for (i = 0; i < 2; i++) {
		memset(s, '[', 512);
		memset(s + 512, ']', 512);
		check(parse_n(s, 1024, &v) == 0);
		memset(s, '[', 513);
		memset(s + 513, ']', 513);
		bad_n(s, 1026, "nested deeper than 512", 513);
	}
	memset(s, '[', n);
	bad_n(s, n, "nested deeper than 512", 513);
	for (i = 0; i < n / 5; i++)
		memcpy(s + 5 * i, "{\"a\":", 5);
	bad_n(s, n, "nested deeper than 512", 512 * 5 + 1);
	free(s);
}

static void long_array(void)
{
	size_t n = 1000000, i, count = 0;
	char *s = malloc(n * 12 + 2), *p = s;
	struct lh_value v;
	struct lh_iter it;

	check(s != NULL);
	for (i = 0; i < n; i++)
		p += sprintf(p, "%c%s%zu", i ? ',' : '[', i % 3 ? "-0." : "", i);
	*p++ = ']';
	check(parse_n(s, (size_t)(p - s), &v) == 0);
	for (lh_iter_init(&it, &v); lh_iter_next(&it); )
		count++;
	check(count == n);
	free(s);
}

/* A bad or odd element is found at every place in a long array of numbers. */
static void number_arrays(void)
{
	static const char *const fine[] = {
		"0", "-0.0", "1e5", "-1.5E-7", "12e+3", "{\"a\":[1]}", "[]", "\"x\"", "null", "1 ",
		"  1", " -1",
	};
	static const struct { const char *text, *msg; size_t off; } wrong[] = {
		{ "01", "invalid number", 1 }, { "-01", "invalid number", 2 },
		{ "1.", "invalid number", 2 },
		{ ".5", "expected a value", 0 }, { "-", "invalid number", 1 },
		{ "1e", "invalid number", 2 },
		{ "1e+", "invalid number", 3 }, { "1.2.3", "expected ',' or ']'", 3 },
		{ "1e5.3", "expected ',' or ']'", 3 },
		{ "1e5e3", "expected ',' or ']'", 3 }, { "--1", "invalid number", 1 },
		{ "+1", "expected a value", 0 },
		{ "1-2", "expected ',' or ']'", 1 }, { "1+2", "expected ',' or ']'", 1 },
		{ "1 2", "expected ',' or ']'", 2 },
		{ "", "expected a value", 0 }, { "-.5", "invalid number", 1 },
		{ "1.e5", "invalid number", 2 },
		{ "1.-5", "invalid number", 2 }, { "1e1-", "expected ',' or ']'", 3 },
		{ "e5", "expected a value", 0 },
		{ "1,", "expected a value", 2 }, { "00", "invalid number", 1 },
		{ "0.5 .5", "expected ',' or ']'", 4 },
	};
	char s[600];
	struct lh_value v;
	size_t before, i, at, n;

	for (before = 0; before < 160; before++) {
		for (i = 0; i < sizeof fine / sizeof *fine; i++) {
			at = (size_t)sprintf(s, "[%.*s,", (int)before,
					     "1.5,-2.25e-3,17, 0.125,1.5,-2.25e-3,17, "
					     "0.125,1.5,-2.25e-3,17, 0.125,1.5,-2.25e-3,17, "
					     "0.125,1.5,-2.25e-3,17, 0.125,1.5,-2.25e-3,17, "
					     "0.125,1.5,-2.25e-3,17, 0.125");
			if (parse_n(s, at, &v) < 0 && err.column <= at)
				continue;
			n = (size_t)sprintf(s + at,
					    "%s,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
					    "22,23,24,25,26,27,28,29,30]", fine[i]);
			check(parse_n(s, at + n, &v) == 0);
			bad_n(s, at + n - 1, "unexpected end of line", at + n);
			s[at + n - 1] = ',';
			bad_n(s, at + n, "unexpected end of line", at + n + 1);
			memcpy(s + at + n, " ]", 2);
			bad_n(s, at + n + 2, "expected a value", at + n + 2);
			s[at + n] = ']';
			bad_n(s, at + n + 1, "expected a value", at + n + 1);
		}
		for (i = 0; at > before && i < sizeof wrong / sizeof *wrong; i++) {
			n = (size_t)sprintf(s + at,
					    "%s,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,"
					    "22,23,24,25,26,27,28,29,30]", wrong[i].text);
			s[at - 1] = ',';
			if (parse_n(s, at, &v) < 0 && err.column <= at)
				break;
			bad_n(s, at + n, wrong[i].msg, at + wrong[i].off + 1);
		}
	}
}

static void records(void)
{
	static const char line[] =
		" {\"id\":\"w1\", \"n\" : 1.0 ,\"e\\u0061\":[1,{\"x\":2}],\"s\":\"a\\nb\"} ";
	char *p = padded(line, strlen(line));
	const struct lh_value *v;
	struct lh_buf b = { 0 };
	struct lh_str s;

	check(lh_record_parse(&rec, p, strlen(line), &err) == 0);
	check(rec.n == 4 && rec.line == p + 1 && rec.len == strlen(line) - 2);
	v = lh_record_get(&rec, "n");
	check(v && v->type == LH_NUMBER && v->n == 3 && !memcmp(v->p, "1.0", 3));
	v = lh_record_get(&rec, "ea");
	check(v && v->type == LH_ARRAY && v->n == 11);
	check(!lh_record_get(&rec, "x"));
	v = lh_record_get(&rec, "s");
	check(v && v->escaped);
	lh_value_str(v, &b, &s);
	check(s.n == 3 && !memcmp(s.p, "a\nb", 3));
	check(lh_value_is(v, "a\nb", 3) && !lh_value_is(v, "a\nc", 3) && !lh_value_is(v, "a\n", 2));
	check(rec.member[2].key.escaped);
	lh_buf_free(&b);
	free(p);
	p = padded("[1]", 3);
	check(lh_record_parse(&rec, p, 3, &err) < 0 && !strcmp(err.msg, "not a JSON object"));
	check(rec.n == 0);
	free(p);
}

static void spliced(const char *line, const char *drop, const char *want)
{
	const char *names[4];
	char list[64], *p = padded(line, strlen(line)), *at;
	struct lh_buf b = { 0 };
	size_t n = 0;

	snprintf(list, sizeof list, "%s", drop);
	for (at = strtok(list, " "); at; at = strtok(NULL, " "))
		names[n++] = at;
	check(lh_record_parse(&rec, p, strlen(line), &err) == 0);
	lh_record_open(&b, &rec, names, n);
	lh_buf_puts(&b, "\"z\":1}");
	if (b.len != strlen(want) || memcmp(b.p, want, b.len)) {
		fprintf(stderr, "%s without %s: %.*s\n", line, drop, (int)b.len, b.p);
		exit(1);
	}
	lh_buf_free(&b);
	free(p);
}

static void splicing(void)
{
	spliced("{}", "", "{\"z\":1}");
	spliced("{ }", "a", "{ \"z\":1}");
	spliced("{\"a\":1}", "", "{\"a\":1,\"z\":1}");
	spliced("{\"a\":1}", "a", "{\"z\":1}");
	spliced("{\"n\":1e400,\"m\":12345678901234567890,\"x\":1.0}", "",
		"{\"n\":1e400,\"m\":12345678901234567890,\"x\":1.0,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "a", "{\"b\":2,\"c\":3,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "b", "{\"a\":1,\"c\":3,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "c", "{\"a\":1,\"b\":2,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "a b", "{\"c\":3,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "b c", "{\"a\":1,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "a c", "{\"b\":2,\"z\":1}");
	spliced("{\"a\":1,\"b\":2,\"c\":3}", "a b c", "{\"z\":1}");
	spliced("{ \"a\" : 1 , \"b\" : [ 1 ,2] , \"\\u0063\":3 }", "b c", "{ \"a\" : 1 ,\"z\":1}");
	spliced("{ \"a\" : 1.0 , \"b\" : \"\\u00e9\" }", "x",
		"{ \"a\" : 1.0 , \"b\" : \"\\u00e9\" ,\"z\":1}");
}

static bool equal(const char *a, const char *b)
{
	char *p = padded(a, strlen(a)), *q = padded(b, strlen(b));
	struct lh_value x, y;
	bool same;

	check(lh_json_parse(&rec, p, strlen(a), &x, &err) == 0);
	check(lh_json_parse(&rec, q, strlen(b), &y, &err) == 0);
	same = lh_value_equal(&x, &y);
	check(same == lh_value_equal(&y, &x));
	free(p);
	free(q);
	return same;
}

static void equality(void)
{
	size_t na, i;
	char *a, *b;

	check(equal("1", "1.0") && equal("1", "1e0") && equal("100", "1E+2") && equal("0", "-0.0"));
	check(equal("1200e-2", "12") && equal("0.1", "1e-1") &&
	      equal("0.1", "0.10000000000000000001"));
	check(!equal("9007199254740993", "9007199254740992") &&
	      equal("9007199254740993.0", "9007199254740993"));
	check(!equal("1e400", "1e401") && equal("1e400", "10e399") && !equal("1", "-1"));
	check(!equal("0.1", "0.2") && !equal("1", "true") && !equal("1", "\"1\"") &&
	      equal("null", "null"));
	check(equal("\"a\\u00e9\"", "\"a\xc3\xa9\"") && !equal("\"a\"", "\"b\"") &&
	      !equal("\"a\"", "\"ab\""));
	check(equal("[1,2]", "[ 1.0 , 2 ]") && !equal("[1,2]", "[2,1]") && !equal("[1]", "[1,2]"));
	check(equal("{\"a\":1,\"b\":[{}]}", "{\"b\":[{}],\"\\u0061\":1e0}"));
	check(!equal("{\"a\":1}", "{\"a\":2}") && !equal("{\"a\":1}", "{\"b\":1}") &&
	      !equal("{\"a\":1}", "{}"));
	a = many_keys(50000, 0, &na);
	b = many_keys(50000, 0, &i);
	b[i - 2] = '1';
	check(equal(a, a) && !equal(a, b));
	free(a);
	free(b);
}

static void integer(const char *s, bool is, int64_t want)
{
	struct lh_value v = value(s);
	int64_t i = 0;

	check(lh_value_i64(&v, &i) == is && (!is || i == want));
}

static void numbers(void)
{
	struct lh_value v;

	integer("0", true, 0);
	integer("-0.0", true, 0);
	integer("3", true, 3);
	integer("3.0", true, 3);
	integer("3e0", true, 3);
	integer("1.25e2", true, 125);
	integer("1200e-2", true, 12);
	integer("9223372036854775807", true, INT64_MAX);
	integer("-9223372036854775808", true, INT64_MIN);
	integer("9223372036854775808", false, 0);
	integer("18446744073709551617", false, 0);
	integer("1e19", false, 0);
	integer("1e999999999999999999999999", false, 0);
	integer("0e999999999999999999999999", true, 0);
	integer("1.5", false, 0);
	integer("1e-1", false, 0);
	integer("\"1\"", false, 0);
	v = value("1.5e3");
	check(lh_value_f64(&v) == 1500);
}

static void walking(void)
{
	struct lh_value v =
		value("{\"a\" : [ 1 , \"]\\\"\" , {\"x\":[]} ] , \"b\":null, \"c\":-1.5e3}"), got;
	struct lh_iter it;
	size_t n = 0;

	check(lh_value_get(&v, "a", &got) && got.type == LH_ARRAY);
	for (lh_iter_init(&it, &got); lh_iter_next(&it); n++)
		check(it.val.type == (n == 0 ? LH_NUMBER : n == 1 ? LH_STRING : LH_OBJECT));
	check(n == 3);
	check(lh_value_get(&v, "b", &got) && got.type == LH_NULL && got.n == 4);
	check(lh_value_get(&v, "c", &got) && got.type == LH_NUMBER && got.n == 6);
	check(!lh_value_get(&v, "x", &got));
	lh_iter_init(&it, &got);
	v = value("[]");
	lh_iter_init(&it, &v);
	check(!lh_iter_next(&it) && !lh_iter_next(&it));
}

int main(void)
{
	test(grammar());
	test(strings());
	test(utf8());
	test(string_lengths());
	test(duplicates());
	test(key_counts());
	test(nothing());
	test(depth());
	test(long_array());
	test(number_arrays());
	test(records());
	test(splicing());
	test(equality());
	test(numbers());
	test(walking());
	return 0;
}
