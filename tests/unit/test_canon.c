/* Known answers of both canonical forms. */
#include "check.h"
#include "json/canon.h"
#include "crypto/digest.h"
#include "json/json_scanner.h"

static struct lh_record rec;
static struct lh_err err;
static struct lh_buf out, text;

static struct lh_value parse(const char *s)
{
	struct lh_value v;

	lh_buf_reset(&text);
	lh_buf_puts(&text, s);
	if (lh_json_parse(&rec, text.p, text.len, &v, &err) < 0) {
		fprintf(stderr, "%s: %s\n", s, err.msg);
		exit(1);
	}
	lh_buf_reset(&out);
	return v;
}

static void is(const char *s, const char *want)
{
	if (out.len == strlen(want) && !memcmp(out.p, want, out.len))
		return;
	fprintf(stderr, "%s: %.*s, not %s\n", s, (int)out.len, out.p, want);
	exit(1);
}

static void jcs(const char *s, const char *want)
{
	struct lh_value v = parse(s);

	check(lh_canon_jcs(&out, &v, &err) == 0);
	is(s, want);
	if (v.type == LH_OBJECT) {
		lh_buf_reset(&out);
		check(lh_record_parse(&rec, text.p, text.len, &err) == 0 &&
		      lh_canon_jcs_record(&out, &rec, &err) == 0);
		is(s, want);
	}
}

static void audit(const char *s, const char *want)
{
	static const char *const skip[] = { "mac", "n\xc3\xa9" };
	struct lh_value v = parse(s);

	check(lh_canon_audit(&out, &v, skip, 2, &err) == 0);
	is(s, want);
}

static void sig_hash(const char *s, const char *want)
{
	struct lh_value v = parse(s);
	unsigned char sum[32];
	char hex[65] = "";

	check(lh_canon_jcs(&out, &v, &err) == 0);
	lh_sha256(out.p, out.len, sum);
	lh_hex(sum, 32, hex);
	check(!strcmp(hex, want));
}

#define ZEROS_54 "000000000000000000000000000000000000000000000000000000"
#define ZEROS_324 ZEROS_54 ZEROS_54 ZEROS_54 ZEROS_54 ZEROS_54 ZEROS_54

/* Appendix B of RFC 8785, and the edges of ECMAScript's notations. */
static void numbers(void)
{
	struct lh_value v;

	jcs("[0,-0,-0.0,0e5,1,-1,1.0,10e-1,100]", "[0,0,0,0,1,-1,1,1,100]");
	jcs("[5e-324,-5e-324]", "[5e-324,-5e-324]");
	jcs("[1.7976931348623157e308,-1.7976931348623157e308]",
	    "[1.7976931348623157e+308,-1.7976931348623157e+308]");
	jcs("[9007199254740992,-9007199254740992,295147905179352825856]",
	    "[9007199254740992,-9007199254740992,295147905179352825856]");
	jcs("[9.999999999999997e22,1e23,1.0000000000000001e23]",
	    "[9.999999999999997e+22,1e+23,1.0000000000000001e+23]");
	jcs("[999999999999999700000,999999999999999900000,1e21,1e20]",
	    "[999999999999999700000,999999999999999900000,1e+21,100000000000000000000]");
	jcs("[9.999999999999997e-7,0.000001,1e-7]", "[9.999999999999997e-7,0.000001,1e-7]");
	jcs("[333333333.3333332,333333333.33333325,333333333.33333329,333333333.3333334,"
	    "333333333.33333343]",
	    "[333333333.3333332,333333333.33333325,333333333.33333329,333333333.3333334,"
	    "333333333.33333343]");
	jcs("[-0.0000033333333333333333,1424953923781206.2]",
	    "[-0.0000033333333333333333,1424953923781206.2]");
	jcs("[4.50,2e-3,0.000000000000000000000000001]", "[4.5,0.002,1e-27]");
	jcs("[123456789012345,1234567890123456,12345678901234567890]",
	    "[123456789012345,1234567890123456,12345678901234567890]");
	jcs("[1e23,100000000000000000000000,123456789012345680000,12345678901234568e4]",
	    "[1e+23,1e+23,123456789012345680000,123456789012345680000]");
	jcs("[123456789012345678900,1234567890123456789e2,-9007199254740993,9007199254740993.00]",
	    "[123456789012345678900,123456789012345678900,-9007199254740993,9007199254740993]");
	jcs("[9007199254740993e-20,-0.10000000000000000001,12.345678901234567890,0.00e-5]",
	    "[0.00009007199254740993,-0.10000000000000000001,12.34567890123456789,0]");
	jcs("[1e-325,-1.50e-325]", "[0." ZEROS_324 "1,-0." ZEROS_324 "15]");
	v = parse("[1e400]");
	check(lh_canon_jcs(&out, &v, &err) < 0 && err.code == LH_EDATA);
	v = parse("[1e-999999999999999999999]");
	check(lh_canon_jcs(&out, &v, &err) < 0 && err.code == LH_EDATA);
	parse("{\"a\":1e400}");
	check(lh_record_parse(&rec, text.p, text.len, &err) == 0 &&
	      lh_canon_jcs_record(&out, &rec, &err) < 0 && err.code == LH_EDATA);
	audit("[1e400, 1.0 ,-0, 1E+2]", "[1e400,1.0,-0,1E+2]");
}

static void keys(void)
{
	/* section 3.2.3 of RFC 8785 */
	jcs("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter "
	    "Dalet With Dagesh\","
	    "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning "
	    "Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
	    "{\"\\r\":\"Carriage "
	    "Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\",\"\xc3\xb6\":\"Latin Small Letter O "
	    "With Diaeresis\","
	    "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning "
	    "Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
	/* by bytes the emoji comes last */
	audit("{\"\\ud83d\\ude00\":1,\"\\ufb33\":2,\"\xf0\x9f\x98\x81\":3}",
	      "{\"\xef\xac\xb3\":2,\"\xf0\x9f\x98\x80\":1,\"\xf0\x9f\x98\x81\":3}");
	jcs(" { \"c\" : 1e20 , \"b\" : \"\\u00e9\" , \"a\" : [ 1.50 , {} ] } ",
	    "{\"a\":[1.5,{}],\"b\":\"\xc3\xa9\",\"c\":100000000000000000000}");
	jcs("{\"b\":[{\"z\":1,\"y\":{\"d\":1,\"c\":2}}],\"\":0,\"a\":{},\"ab\":[],\"aa\":null}",
	    "{\"\":0,\"a\":{},\"aa\":null,\"ab\":[],\"b\":[{\"y\":{\"c\":2,\"d\":1},\"z\":1}]}");
	/* escapes are compared by their meaning */
	audit("{\"\\\\\":1,\"]\":2,\"[\":3,\"\\\"\":4,\"!\":5}",
	      "{\"!\":5,\"\\\"\":4,\"[\":3,\"\\\\\":1,\"]\":2}");
}

static void strings(void)
{
	const char *in =
		"[\"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\", "
		"\"\\b\\f\\n\\r\\t\\u007f\\u2028\\u0000\"]";
	const char *want =
		"[\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\","
		"\"\\b\\f\\n\\r\\t\x7f\xe2\x80\xa8\\u0000\"]";

	jcs(in, want);
	audit(in, want);
}

static void leaving_out(void)
{
	audit("{\"mac\":\"x\"}", "{}");
	audit("{\"mac\":\"x\", \"b\":1}", "{\"b\":1}");
	audit("{ \"b\" : 1 , \"m\\u0061c\":\"x\" }", "{\"b\":1}");
	audit("{\"z\":{\"mac\":1},\"n\\u00e9\":[1,{}],\"c\":2,\"mac\":3}",
	      "{\"c\":2,\"z\":{\"mac\":1}}");
	audit("[{\"mac\":1}]", "[{\"mac\":1}]");
}

static void many(void)
{
	struct lh_buf in = { 0 };
	struct lh_value v;
	unsigned i;

	lh_json_members = 300000;
	for (i = 0; i < 300000; i++)
		lh_buf_printf(&in, "%s\"%07u\":[%u]", i ? "," : "{", i * 7919 % 300000, i);
	lh_buf_putc(&in, '}');
	check(lh_json_parse(&rec, in.p, in.len, &v, &err) == 0);
	lh_buf_reset(&out);
	check(lh_canon_audit(&out, &v, NULL, 0, &err) == 0 && out.len == in.len);
	check(!memcmp(out.p, "{\"0000000\":[0],\"0000001\":[", 26));
	lh_buf_reset(&text);
	lh_buf_add(&text, out.p, out.len);
	lh_buf_reset(&out);
	check(lh_record_parse(&rec, in.p, in.len, &err) == 0 &&
	      lh_canon_jcs_record(&out, &rec, &err) == 0);
	check(out.len == text.len && !memcmp(out.p, text.p, out.len));
	lh_buf_reset(&in);
	for (i = 0; i < 512; i++)
		lh_buf_puts(&in, i < 511 ? "{\"b\":0,\"a\":" : "{");
	for (i = 0; i < 512; i++)
		lh_buf_putc(&in, '}');
	check(lh_json_parse(&rec, in.p, in.len, &v, &err) == 0);
	lh_buf_reset(&out);
	check(lh_canon_jcs(&out, &v, &err) == 0 && out.len == in.len);
	check(!memcmp(out.p, "{\"a\":{\"a\":", 10) &&
	      !memcmp(out.p + out.len - 14, ",\"b\":0},\"b\":0}", 14));
	lh_buf_free(&in);
}

int main(void)
{
	test(sig_hash("{}", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"));
	test(sig_hash("{\"a\":1,\"b\":{\"c\":[true,null,\"\xc3\xa9\"],\"d\":\"x\"}}",
		      "044dd5712bc8962c07455734d153d28e9d32c96314b6dadcb0eceb276d6ffd7d"));
	test(sig_hash(" { \"b\" : {\"d\":\"x\",\"c\":[true,null,\"\\u00e9\"]}, \"a\":1.0}",
		      "044dd5712bc8962c07455734d153d28e9d32c96314b6dadcb0eceb276d6ffd7d"));
	test(numbers());
	test(keys());
	test(strings());
	test(leaving_out());
	test(many());
	return 0;
}
