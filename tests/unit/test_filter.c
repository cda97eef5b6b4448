/* test_filter.c - metadata_filter: matches, non-matches and damage. */

#include "check.h"
#include "filter/metadata_filter.h"

static int failed;

static const struct {
	const char *filter, *meta;
	int match;
} cases[] = {
	{ "{}", "", 1 },
	{ "{}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "", 0 },
	{ "{\"a\":1}", "{}", 0 },
	{ "{\"a\":1}", "{\"b\":1}", 0 },
	/* scalars, after canonicalisation */
	{ "{\"a\":1}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "{\"a\":1.0}", 1 },
	{ "{\"a\":1e0}", "{\"a\":1}", 1 },
	{ "{\"a\":1}", "{\"a\":\"1\"}", 0 },
	{ "{\"a\":\"1\"}", "{\"a\":1}", 0 },
	{ "{\"a\":1}", "{\"a\":true}", 0 },
	{ "{\"a\":0}", "{\"a\":false}", 0 },
	{ "{\"a\":true}", "{\"a\":true}", 1 },
	{ "{\"a\":false}", "{\"a\":true}", 0 },
	{ "{\"a\":null}", "{\"a\":null}", 1 },
	{ "{\"a\":null}", "{\"b\":1}", 0 },
	{ "{\"a\":null}", "{\"a\":0}", 0 },
	{ "{\"a\":9007199254740993}", "{\"a\":9007199254740993}", 1 },
	{ "{\"a\":9007199254740993}", "{\"a\":9007199254740992}", 0 },
	{ "{\"a\":123456789012345678901234567890}", "{\"a\":123456789012345678901234567891}", 0 },
	{ "{\"a\":123456789012345678901234567890}", "{\"a\":1.2345678901234567890123456789e29}",
	  1 },
	/* strings by code points */
	{ "{\"a\":\"x\"}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":\"x\"}", "{\"a\":\"X\"}", 0 },
	{ "{\"a\":\"x\"}", "{\"a\":\"xy\"}", 0 },
	{ "{\"a\":\"\"}", "{\"a\":\"\"}", 1 },
	{ "{\"a\":\"\\u00e9\"}", "{\"a\":\"é\"}", 1 },
	{ "{\"a\":\"é\"}", "{\"a\":\"\\u00E9\"}", 1 },
	{ "{\"\\u0061\":\"x\"}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":\"x\"}", "{\"\\u0061\":\"x\"}", 1 },
	{ "{\"a\":\"q\\\"\\\\\"}", "{\"z\":\"\\\\\",\"a\":\"q\\\"\\\\\"}", 1 },
	/* keys are ANDed, of the metadata itself */
	{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1,\"c\":3}", 1 },
	{ "{\"a\":1,\"b\":2}", "{\"b\":3,\"a\":1}", 0 },
	{ "{\"a\":1,\"b\":2}", "{\"a\":1}", 0 },
	{ "{\"a\":1}", "{\"b\":{\"a\":1}}", 0 },
	{ "{\"a\":1}", "{\"b\":[{\"a\":2}],\"c\":\"{\\\"a\\\":2}\" , \"a\" : 1 }", 1 },
	/* a list is OR, an empty one nothing */
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":\"x\"}", 1 },
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":null}", 1 },
	{ "{\"a\":[1,\"x\",null]}", "{\"a\":2}", 0 },
	{ "{\"a\":[\"ccc\",\"a\",\"bb\",\"dd\"]}", "{\"a\":\"bb\"}", 1 },
	{ "{\"a\":[]}", "{\"a\":1}", 0 },
	{ "{\"a\":[]}", "{\"a\":[]}", 0 },
	/* a key with a dot is a name, or else a path */
	{ "{\"a.b\":1}", "{\"a\":{\"b\":1}}", 1 },
	{ "{\"a.b\":1}", "{\"a\":{\"b\":2},\"a.b\":1}", 1 },
	{ "{\"a.b\":1}", "{\"a.b\":2,\"a\":{\"b\":1}}", 0 },
	{ "{\"a.b.c\":1}", "{\"a\":{\"b\":{\"c\":2},\"b.c\":1}}", 1 },
	{ "{\"a.1.\\u0062\":\"x\"}", "{\"a\":[{\"b\":\"y\"},{\"z\":0,\"\\u0062\":\"x\"}]}", 1 },
	{ "{\"a.2.b\":1}", "{\"a\":[{\"b\":1},{\"b\":1}]}", 0 },
	{ "{\"a.b\":[1,2],\"c\":3}", "{\"a\":{\"b\":[4,2]},\"c\":3}", 1 },
	{ "{\"a.b\":1}", "{\"a\":\"b\"}", 0 },
	{ "{\"a.01\":1}", "{\"a\":[0,1]}", 1 },
	{ "{\"a.\":1}", "{\"a\":[1]}", 0 },
	{ "{\"a.x\":1}", "{\"a\":[1]}", 0 },
	{ "{\"a.b\":1}", "", 0 },
	{ "{\"a.b\":{\"not\":1}}", "{\"a\":{\"c\":1}}", 1 },
	{ "{\"a.b\":{\"exists\":true}}", "{\"a\":{\"b\":null}}", 1 },
	{ "{\"or\":[{\"a.b\":1},{\"c\":2}]}", "{\"a\":{\"b\":1}}", 1 },
	/* metadata that is an array: any element */
	{ "{\"a\":\"x\"}", "{\"a\":[\"w\",\"x\"]}", 1 },
	{ "{\"a\":\"x\"}", "{\"a\":[]}", 0 },
	{ "{\"a\":[1,2]}", "{\"a\":[ 3 , 2.0 ]}", 1 },
	{ "{\"a\":[1,2]}", "{\"a\":[3,[2]]}", 0 },
	{ "{\"a\":[[1,2]]}", "{\"a\":[1,2]}", 1 },
	{ "{\"a\":[[1,2]]}", "{\"a\":[2,1]}", 0 },
	/* eq: JSON equality, and so in a list */
	{ "{'a':{'eq':{'x':1,'y':[2]}}}", "{'a':{'y':[2.0],'x':1}}", 1 },
	{ "{'a':[{'x':1,'y':[2]}]}", "{'a':{'y':[2.0],'x':1}}", 1 },
	{ "{'a':{'eq':{'x':1}}}", "{'a':{'x':1,'y':2}}", 0 },
	{ "{'a':{'eq':{'x':1}}}", "{'a':[{'x':1.0}]}", 1 },
	{ "{'a':{'eq':[1,2]}}", "{'a':[1,2.0]}", 1 },
	{ "{'a':{'eq':[1,2]}}", "{'a':[2,1]}", 0 },
	{ "{'a':{'eq':[1,2]}}", "{'a':1}", 0 },
	{ "{'a':{'eq':null}}", "{'a':null}", 1 },
	{ "{'a':{'eq':null}}", "{}", 0 },
	{ "{'a':{'in':[1,'x']}}", "{'a':'x'}", 1 },
	{ "{'a':{'in':[]}}", "{'a':'x'}", 0 },
	/* bounds: numbers exactly, strings by bytes, each with its like only */
	{ "{'a':{'lt':50}}", "{'a':49.999}", 1 },
	{ "{'a':{'lt':50}}", "{'a':50}", 0 },
	{ "{'a':{'lte':50}}", "{'a':5.0e1}", 1 },
	{ "{'a':{'gte':1e2}}", "{'a':100}", 1 },
	{ "{'a':{'gt':1e2}}", "{'a':100.0}", 0 },
	{ "{'a':{'gt':9007199254740992}}", "{'a':9007199254740993}", 1 },
	{ "{'a':{'gt':9007199254740993}}", "{'a':9007199254740993.0}", 0 },
	{ "{'a':{'lt':0.1}}", "{'a':0.09999999999999999999999}", 1 },
	{ "{'a':{'gt':0}}", "{'a':1e-99999999999999999999}", 1 },
	{ "{'a':{'lt':0}}", "{'a':-1e-99999999999999999999}", 1 },
	{ "{'a':{'lt':0}}", "{'a':-0.0}", 0 },
	{ "{'a':{'lt':1e100000000000000000000}}", "{'a':1e99999999999999999999}", 1 },
	{ "{'a':{'gt':1e99999999999999999999}}", "{'a':1e100000000000000000000}", 1 },
	{ "{'a':{'gte':10e99999999999999999999}}", "{'a':1e100000000000000000000}", 1 },
	{ "{'a':{'gt':10e99999999999999999999}}", "{'a':1e100000000000000000000}", 0 },
	{ "{'a':{'lt':1e-5}}", "{'a':1e-100000000000000000000}", 1 },
	{ "{'a':{'lt':-1e20}}", "{'a':-1E+00021}", 1 },
	{ "{'a':{'lt':50}}", "{'a':'49'}", 0 },
	{ "{'a':{'gt':0}}", "{'a':true}", 0 },
	{ "{'a':{'lt':50}}", "{'a':null}", 0 },
	{ "{'a':{'lt':50}}", "{}", 0 },
	{ "{'a':{'lt':50}}", "", 0 },
	{ "{'a':{'lt':'50'}}", "{'a':49}", 0 },
	{ "{'a':{'gte':'2026-01-01','lt':'2026-02-01'}}", "{'a':'2026-01-31T23:59'}", 1 },
	{ "{'a':{'gte':'2026-01-01','lt':'2026-02-01'}}", "{'a':'2026-02-01'}", 0 },
	{ "{'a':{'gt':'ab'}}", "{'a':'abc'}", 1 },
	{ "{'a':{'gt':'Z'}}", "{'a':'\\u00e9'}", 1 },
	{ "{'a':{'gt':'a','lt':5}}", "{'a':'b'}", 0 },
	/* one element must be within both */
	{ "{'a':{'gte':10,'lt':50}}", "{'a':[5,100]}", 0 },
	{ "{'a':{'gte':10,'lt':50}}", "{'a':[5,30,100]}", 1 },
	{ "{'a':{'gte':10,'in':[5,60]}}", "{'a':[5,30]}", 0 },
	{ "{'a':{'gte':10,'in':[5,60]}}", "{'a':[5,60]}", 1 },
	/* a filter and its negation divide the rows */
	{ "{'a':{'not':'x'}}", "{'a':'x'}", 0 },
	{ "{'a':{'not':'x'}}", "{'a':'y'}", 1 },
	{ "{'a':{'not':'x'}}", "{'a':1}", 1 },
	{ "{'a':{'not':'x'}}", "{'b':1}", 1 },
	{ "{'a':{'not':'x'}}", "{}", 1 },
	{ "{'a':{'not':'x'}}", "", 1 },
	{ "{'a':{'not':'x'}}", "{'a':['y','x']}", 0 },
	{ "{'a':{'not':['x','y']}}", "{'a':'y'}", 0 },
	{ "{'a':{'not':[]}}", "{'a':'y'}", 1 },
	{ "{'a':{'not':null}}", "{'a':null}", 0 },
	{ "{'a':{'not':{'lt':5}}}", "{'a':4}", 0 },
	{ "{'a':{'not':{'lt':5}}}", "{'a':'4'}", 1 },
	{ "{'a':{'not':{'not':'x'}}}", "{'a':'x'}", 1 },
	{ "{'a':{'not':{'not':'x'}}}", "{}", 0 },
	{ "{'a':{'not':'x','exists':true}}", "{'b':1}", 0 },
	{ "{'a':{'not':'x','gt':'a'}}", "{'a':'b'}", 1 },
	{ "{'a':{'not':'x'},'b':1}", "{'b':1}", 1 },
	{ "{'a':{'not':'x'},'b':1}", "{'b':2}", 0 },
	{ "{'a':{'not':'x'},'b':1}", "{'b':1,'a':'x'}", 0 },
	{ "{'a':{'not':'x'},'b':1}", "{}", 0 },
	{ "{'a':{'exists':true}}", "{'a':null}", 1 },
	{ "{'a':{'exists':false}}", "{'a':null}", 0 },
	{ "{'a':{'exists':false}}", "{}", 1 },
	{ "{'a':{'exists':false}}", "", 1 },
	{ "{'a':{'not':{'exists':true}}}", "{}", 1 },
	{ "{'exists':'a'}", "{'a':null}", 1 },
	{ "{'exists':'a'}", "{'b':null}", 0 },
	{ "{'exists':'\\u0061','a':1}", "{'a':1}", 1 },
	{ "{'exists':'a','a':1}", "{'a':2}", 0 },
	/* or, and, and keys of such names */
	{ "{'or':[{'a':1},{'b':1}]}", "{'b':1}", 1 },
	{ "{'or':[{'a':1},{'b':1}]}", "{'b':2,'a':0}", 0 },
	{ "{'or':[{'a':1},{'b':1}],'c':1}", "{'b':1}", 0 },
	{ "{'or':[{'a':1},{'b':1}],'c':1}", "{'b':1,'c':1}", 1 },
	{ "{'or':[]}", "{'b':1}", 0 },
	{ "{'and':[]}", "{'b':1}", 1 },
	{ "{'and':[]}", "", 1 },
	{ "{'or':[{}]}", "", 1 },
	{ "{'and':[{'a':{'gt':1}},{'a':{'lt':3}}]}", "{'a':[0,9]}", 1 },
	{ "{'and':[{'or':[{'a':1},{'a':2}]},{'or':[{'b':1},{'b':2}]}]}", "{'a':2,'b':1}", 1 },
	{ "{'and':[{'or':[{'a':1},{'a':2}]},{'or':[{'b':1},{'b':2}]}]}", "{'a':2,'b':3}", 0 },
	{ "{'or':[{'a':{'not':1}},{'exists':'c'}]}", "{'a':1}", 0 },
	{ "{'or':[{'a':{'not':1}},{'exists':'c'}]}", "", 1 },
	{ "{'or':{'eq':1}}", "{'or':1}", 1 },
	{ "{'and':{'in':[1]},'exists':{'not':2}}", "{'and':1,'exists':1}", 1 },
	/* any, not and within at the top; keys of such names have values of another shape */
	{ "{'any':[{'a':1},{'b':1}]}", "{'b':1}", 1 },
	{ "{'any':[{'a':1},{'b':1}]}", "{'b':2}", 0 },
	{ "{'any':[],'a':1}", "{'a':1}", 0 },
	{ "{'any':['x']}", "{'any':'x'}", 1 },
	{ "{'any':{'not':'x'}}", "{'any':'x'}", 0 },
	{ "{'not':{'a':1,'b':1}}", "{'a':1}", 1 },
	{ "{'not':{'a':1,'b':1}}", "{'b':1,'a':1}", 0 },
	{ "{'not':{'a':1}}", "", 1 },
	{ "{'not':{'not':{'a':1}}}", "", 0 },
	{ "{'not':{'a':{'not':1}}}", "", 0 },
	{ "{'not':{}}", "{'a':1}", 0 },
	{ "{'not':'x'}", "{'not':'x'}", 1 },
	{ "{'not':['x','y']}", "{'not':'z'}", 0 },
	{ "{'not':{'any':[{'a':1},{'b':{'gt':1}}]},'c':1}", "{'a':2,'b':1,'c':1}", 1 },
	{ "{'within':{'eq':{'lat':1,'lon':2,'km':3}}}", "{'within':{'lat':1,'lon':2,'km':3}}", 1 },
	/* a pole is one point, and so are both sides of the date line and its antipode */
	{ "{'within':{'lat':90,'lon':0,'km':0}}", "{'lat':90,'lon':137.2}", 1 },
	{ "{'within':{'lat':-90,'lon':5,'miles':0}}", "{'latitude':-90,'longitude':-180}", 1 },
	{ "{'within':{'lat':0,'lon':180,'km':0}}", "{'lat':0,'lon':-180.0}", 1 },
	{ "{'within':{'lat':10,'lon':190,'km':0}}", "{'lat':10,'lon':-170}", 1 },
	{ "{'within':{'lat':0,'lon':179.9,'km':22.3}}", "{'lat':0,'lon':-179.9}", 1 },
	{ "{'within':{'lat':0,'lon':179.9,'km':22.2}}", "{'lat':0,'lon':-179.9}", 0 },
	{ "{'within':{'lat':89.9,'lon':0,'km':22.3}}", "{'lat':89.9,'lon':180}", 1 },
	{ "{'within':{'lat':89.9,'lon':0,'km':22.2}}", "{'lat':89.9,'lon':180}", 0 },
	{ "{'within':{'lat':30,'lon':40,'km':20015.12}}", "{'lat':-30,'lon':-140}", 1 },
	{ "{'within':{'lat':30,'lon':40,'km':20015.11}}", "{'lat':-30,'lon':-140}", 0 },
	{ "{'within':{'lat':41.88,'lon':-87.63,'miles':1}}", "{'lat':41.88,'lon':-87.63}", 1 },
	{ "{'within':{'lat':0,'lon':0,'miles':69.1}}", "{'lat':1,'lon':0}", 1 },
	{ "{'within':{'lat':0,'lon':0,'miles':69}}", "{'lat':1,'lon':0}", 0 },
	{ "{'within':{'lat':0,'lon':0,'km':30000}}", "{'lat':91,'lon':0}", 0 },
	{ "{'within':{'lat':0,'lon':0,'km':30000}}", "{'lat':'1','lon':0}", 0 },
	{ "{'within':{'lat':0,'lon':0,'km':30000}}", "{'lat':1}", 0 },
	{ "{'within':{'lat':0,'lon':0,'km':30000}}", "", 0 },
	{ "{'not':{'within':{'lat':0,'lon':0,'km':9}}}", "", 1 },
	{ "{'p.q':{'within':{'lat':1,'lon':2,'km':1}}}", "{'p':{'q':{'lat':1,'lon':2}}}", 1 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':1}}}", "{'p':' 1.0 ,2e0'}", 1 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':1}}}", "{'p':['9,9','1,2']}", 1 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':1},'not':'1,2'}}", "{'p':'1,2'}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{'p':'0x1,2'}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{'p':'nan,2'}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{'p':'1,2,3'}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{'p':'1'}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{'p':1}", 0 },
	{ "{'p':{'within':{'lat':1,'lon':2,'km':30000}}}", "{}", 0 },
	/* damage is detected where it is read */
	{ "{'within':{'lat':1,'lon':2,'km':1}}", "{'lat':1,'lon':2", -1 },
	{ "{'within':{'lat':1,'lon':2,'km':1}}", "{'lat':1x,'lon':2}", -1 },
	{ "{\"a\":1}", "[1]", -1 },
	{ "{\"a\":1}", "{", -1 },
	{ "{\"a\":1}", "{\"", -1 },
	{ "{\"a\":1}", "{\"a", -1 },
	{ "{\"a\":1}", "{\"a\\", -1 },
	{ "{\"a\":1}", "{\"a\"", -1 },
	{ "{\"a\":1}", "{\"a\":", -1 },
	{ "{\"a\":1}", "{\"a\":}", -1 },
	{ "{\"a\":1}", "{\"a\":1x}", -1 },
	{ "{\"a\":1}", "{\"b\":[[[}", -1 },
	{ "{\"a\":1}", "{\"b\":1 \"a\":1}", -1 },
	{ "{\"a\":1}", "{\"b\":1,}", -1 },
	{ "{\"a\":1}", "{\"b\":\"\\", -1 },
	{ "{\"a\":\"x\"}", "{\"a\":\"\\q\"}", -1 },
	{ "{\"a\":\"x\"}", "{\"a\":[\"y\"", -1 },
};

/* What is not a filter, and a part of its message. */
static const struct {
	const char *filter, *why;
} not_filters[] = {
	{ "1", "must be a JSON object" },
	{ "null", "must be a JSON object" },
	{ "[]", "must be a JSON object" },
	{ "'a'", "must be a JSON object" },
	{ "{'price':{'less':5}}", "unknown operator \"less\" under \"price\"" },
	{ "{'price':{'lt':5,'LT':6}}", "unknown operator \"LT\" under \"price\"" },
	{ "{'a':{'not':{'x':1}}}", "unknown operator \"x\" under \"a\"" },
	{ "{'a':{'x':1}}", "{\"eq\":{...}}" },
	{ "{'within':{'lat':1,'lon':2}}", "needs miles or km" },
	{ "{'within':{'lat':1,'lon':2,'km':1,'miles':1}}", "needs miles or km" },
	{ "{'within':{'lat':1,'lon':2,'km':-1}}", "0 or more" },
	{ "{'within':{'lat':91,'lon':2,'km':1}}", "needs lat, -90 to 90" },
	{ "{'within':{'lon':2,'km':1}}", "needs lat" },
	{ "{'within':{'lat':1,'lon':2,'mi':1}}", "numbers alone: lat, lon, and miles or km" },
	{ "{'within':{'lat':1,'lon':'2','km':1}}", "numbers alone" },
	{ "{'a':{'within':5}}", "\"within\" must be an object" },
	{ "{'within':{'miles':5}}", "unknown operator \"miles\" under \"within\"" },
	{ "{'a':{}}", "no operator under \"a\"" },
	{ "{'a':{'not':{}}}", "no operator under \"a\"" },
	{ "{'a':{'lt':null}}", "\"lt\" under \"a\" must be a number or a string" },
	{ "{'a':{'gte':[1]}}", "\"gte\" under \"a\" must be a number or a string" },
	{ "{'a':{'in':1}}", "\"in\" under \"a\" must be an array" },
	{ "{'a':{'exists':1}}", "\"exists\" under \"a\" must be true or false" },
	{ "{'or':'x'}", "\"or\" must be an array" },
	{ "{'or':['x']}", "must hold objects" },
	{ "{'and':1}", "\"and\" must be an array" },
	{ "{'exists':true}", "\"exists\" must be a string" },
	{ "{'or':[{'a':{'near':1}}]}", "unknown operator \"near\"" },
};

/* Single quotes stand for double ones. */
static void quote(struct lh_buf *b, const char *text)
{
	lh_buf_reset(b);
	for (; *text; text++)
		lh_buf_putc(b, *text == '\'' ? '"' : *text);
	lh_buf_putc(b, '\0');
	b->len--;
}

/* Metadata is at the end of its memory, so that reading past it is detected. */
static int match(struct lh_filter *f, const char *meta, struct lh_err *err)
{
	struct lh_buf quoted = { 0 };
	char *exact;
	size_t n;
	int got;

	quote(&quoted, meta);
	n = quoted.len;
	exact = malloc(n + !n);
	memcpy(exact, quoted.p, n);
	got = lh_filter_match(f, exact, n, err);
	lh_buf_free(&quoted);
	free(exact);
	return got;
}

static void parsed(struct lh_record *scan, struct lh_buf *text, const char *json,
		   struct lh_value *v)
{
	struct lh_err err;

	quote(text, json);
	if (lh_json_parse(scan, text->p, text->len, v, &err) < 0) {
		fprintf(stderr, "test_filter: %s: %s\n", json, err.msg);
		exit(1);
	}
}

static void check_cases(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_value v;
	struct lh_err err;
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		int got;

		parsed(scan, text, cases[i].filter, &v);
		got = lh_filter_compile(f, &v, &err) < 0 ? -2 : match(f, cases[i].meta, &err);
		if (got == cases[i].match && (got != -1 || err.code == LH_ECORRUPT))
			continue;
		fprintf(stderr, "test_filter: %s against %s: %d, not %d\n", cases[i].filter,
			cases[i].meta, got, cases[i].match);
		failed = 1;
	}
	check(!failed);
}

static void check_type(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_value v;
	struct lh_err err;
	size_t i;

	for (i = 0; i < sizeof not_filters / sizeof *not_filters; i++) {
		parsed(scan, text, not_filters[i].filter, &v);
		if (lh_filter_compile(f, &v, &err) == 0 || err.code != LH_EDATA ||
		    !strstr(err.msg, not_filters[i].why)) {
			fprintf(stderr, "test_filter: %s: %s\n", not_filters[i].filter, err.msg);
			failed = 1;
		}
		/* it matches nothing else by mistake */
		if (lh_filter_match(f, "", 0, &err) != 1) {
			fprintf(stderr, "test_filter: %s is left behind\n", not_filters[i].filter);
			failed = 1;
		}
	}
	check(!failed);
}

/* Compile a filter of n levels, or of n filters in "or": 0, -1. */
static int compile_large(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text,
			 bool deep, const char *one, unsigned n, struct lh_err *err)
{
	struct lh_buf json = { 0 };
	struct lh_value v;
	unsigned i;

	lh_buf_puts(&json, deep ? "" : "{'or':[{'a':1}");
	for (i = 0; i < n; i++)
		lh_buf_puts(&json, one);
	lh_buf_puts(&json, deep ? "{'a':1}" : "]}");
	for (i = 0; deep && i < n; i++)
		lh_buf_puts(&json, "]}");
	lh_buf_putc(&json, '\0');
	parsed(scan, text, json.p, &v);
	lh_buf_free(&json);
	return lh_filter_compile(f, &v, err);
}

static void check_limits(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_err err;

	check(compile_large(f, scan, text, true, "{'or':[", LH_FILTER_DEPTH, &err) == 0);
	check(match(f, "{'a':1}", &err) == 1 && match(f, "{'a':2}", &err) == 0);
	check(compile_large(f, scan, text, true, "{'or':[", LH_FILTER_DEPTH + 1, &err) < 0);
	check(strstr(err.msg, "32 deep"));
	check(compile_large(f, scan, text, false, ",{'b':1}", LH_FILTER_GROUPS - 1, &err) == 0);
	check(match(f, "{'b':1}", &err) == 1 && match(f, "{'b':2}", &err) == 0);
	check(compile_large(f, scan, text, false, ",{'b':1}", LH_FILTER_GROUPS, &err) < 0);
	check(strstr(err.msg, "1000 filters"));
}

static void check_keys(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	const struct lh_filter_key *key;
	struct lh_value v;
	struct lh_err err;
	size_t n;

	parsed(scan, text, "{'within':{'lat':1,'lon':2,'km':1},'not':{'lat':5,'a':1}}", &v);
	check(lh_filter_compile(f, &v, &err) == 0);
	key = lh_filter_keys(f, &n);
	check(n == 4 && lh_str_is(key[0].name, "a", 1) && lh_str_is(key[1].name, "lat", 3) &&
	      lh_str_is(key[2].name, "lat or latitude", 15) && key[3].filter);
	parsed(scan, text, "{'b':1,'or':[{'c':{'not':2}},{'b':3}],'exists':'aa'}", &v);
	check(lh_filter_compile(f, &v, &err) == 0);
	key = lh_filter_keys(f, &n);
	check(n == 3 && lh_str_is(key[0].name, "b", 1) && lh_str_is(key[1].name, "c", 1) &&
	      lh_str_is(key[2].name, "aa", 2));
}

static void check_same(struct lh_filter *f, struct lh_record *scan, struct lh_buf *text)
{
	struct lh_value v;
	struct lh_err err;
	bool same, other;

	parsed(scan, text, "{\"a\":1}", &v);
	lh_filter_compile(f, &v, &err);
	same = lh_filter_is(f, &v);
	parsed(scan, text, "{\"a\":2}", &v);
	other = lh_filter_is(f, &v);
	if (!same || other) {
		fprintf(stderr, "test_filter: lh_filter_is is wrong\n");
		failed = 1;
	}
	check(!failed);
}

struct where {
	const char *pair[8], *json;
};

static const struct where wheres[] = {
	{ { "n=1", "state=IL", "n=x=y", "e=", "l=[1]", "q=\"s\"", "t=true", "s= 1" },
	  "{'n':['1',1,'x=y'],'state':['IL'],'e':[''],'l':['[1]'],'q':['\\'s\\'','s'],"
	  "'t':['true',true],'s':[' 1']}" },
	{ { "price<50", "price>=10.0", "day>2026-01-01" },
	  "{'price':{'gte':10.0,'lt':50},'day':{'gt':'2026-01-01'}}" },
	{ { "a<=true", "b>\"5\"", "c<\"\"", "d<=x" },
	  "{'a':{'lte':'true'},'b':{'gt':'5'},'c':{'lt':''},'d':{'lte':'x'}}" },
	{ { "a=\"=1\"", "b<\">5\"", "c!=\"!=x\"", "d>\" 5\"", "e<=\"050\"" },
	  "{'a':['\\'=1\\'','=1'],'b':{'lt':'>5'},'c':{'not':['\\'!=x\\'','!=x']},"
	  "'d':{'gt':' 5'},'e':{'lte':'050'}}" },
	{ { "a<-0.5", "b>1E+5", "c<=12:30", "d>=2026-01-01T10:00:00Z", "e<1.2.3", "f>5kg", "g<-",
	    "h>e5" },
	  "{'a':{'lt':-0.5},'b':{'gt':1E+5},'c':{'lte':'12:30'},"
	  "'d':{'gte':'2026-01-01T10:00:00Z'},'e':{'lt':'1.2.3'},'f':{'gt':'5kg'},"
	  "'g':{'lt':'-'},'h':{'gt':'e5'}}" },
	{ { "a= 5", "b!=050", "c=", "d!=+5", "e<0x10", "f<.", "g<1e", "h<nan" },
	  "{'a':[' 5'],'b':{'not':['050']},'c':[''],'d':{'not':['+5']},'e':{'lt':'0x10'},"
	  "'f':{'lt':'.'},'g':{'lt':'1e'},'h':{'lt':'nan'}}" },
	{ { "role!=Welder", "role!=5", "a=1", "a!=2", "a=3" },
	  "{'role':{'not':['Welder','5',5]},'a':{'not':['2',2],'in':['1',1,'3',3]}}" },
	{ { "or=1", "exists=x", "and!=y", "not=z" },
	  "{'or':{'in':['1',1]},'exists':{'in':['x']},'and':{'not':['y']},'not':['z']}" },
	{ { "b!c=1", "d=x<2", "e!=!", "f=!x" },
	  "{'b!c':['1',1],'d':['x<2'],'e':{'not':['!']},'f':['!x']}" },
};

static void check_where(void)
{
	static const char *const bad[] = { "state", "=x", "", "a=\xff", "<5", "!=x", "a!",
					   "\xff<1", "a==1", "a===1", "a=<2", "a=>2", "a<>2",
					   "a<<2", "a>=<2", "a<==2", "a!==2", "a!=<", "a=!=2",
					   "a==", "a<", "a<=", "a>", "a>=", "a< 5", "a<5 ",
					   "a<\t5", "a<+5", "a<050", "a<-05", "a<.5e2", "a<5.",
					   "a>=5.e1", "a>-.5", "a<00", "a> 1e5" };
	static const char *const said[][2] = {
		{ "a==1", "\"a==1\": \"==\" is not one of =, !=, <, <=, >, >=; "
			  "a string needs quotes: "
			  "a=\"=1\"" },
		{ "a<>b\"c", "\"a<>b\"c\": \"<>\" is not one of =, !=, <, <=, >, >=; "
			     "a string needs quotes: a<\">b\\\"c\"" },
		{ "a>=", "\"a>=\": no bound; a string needs quotes: a>=\"\"" },
		{ "a< 5", "\"a< 5\": the bound is not a number as JSON writes it; "
			  "a string needs quotes: a<\" 5\"" },
	};
	static const char *const twice[] = { "a<1", "b<2", "a<3" };
	struct lh_buf json = { 0 }, want = { 0 };
	struct lh_err err;
	size_t i, n;

	for (i = 0; i < sizeof wheres / sizeof *wheres; i++) {
		for (n = 0; n < 8 && wheres[i].pair[n]; n++)
			;
		lh_buf_reset(&json);
		if (lh_filter_where(&json, wheres[i].pair, n, &err) < 0)
			lh_buf_puts(&json, err.msg);
		lh_buf_putc(&json, '\0');
		quote(&want, wheres[i].json);
		if (strcmp(json.p, want.p)) {
			fprintf(stderr, "test_filter: where gives %s\n", json.p);
			failed = 1;
		}
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (lh_filter_where(&json, &bad[i], 1, &err) == 0 || err.code != LH_EUSAGE) {
			fprintf(stderr, "test_filter: --where %s is taken\n", bad[i]);
			failed = 1;
		}
	}
	for (i = 0; i < sizeof said / sizeof *said; i++) {
		check(lh_filter_where(&json, &said[i][0], 1, &err) < 0);
		if (strcmp(err.msg, said[i][1])) {
			fprintf(stderr, "test_filter: it says %s\n", err.msg);
			failed = 1;
		}
	}
	check(lh_filter_where(&json, twice, 3, &err) < 0 && err.code == LH_EUSAGE);
	check(strstr(err.msg, "\"a<\" is given twice"));
	lh_buf_free(&json);
	lh_buf_free(&want);
	check(!failed);
}

int main(void)
{
	struct lh_filter *f = lh_filter_new();
	struct lh_record scan;
	struct lh_buf text = { 0 };

	lh_record_init(&scan);
	test(check_cases(f, &scan, &text));
	test(check_type(f, &scan, &text));
	test(check_limits(f, &scan, &text));
	test(check_keys(f, &scan, &text));
	test(check_same(f, &scan, &text));
	test(check_where());
	lh_buf_free(&text);
	lh_record_free(&scan);
	lh_filter_free(f);
	return 0;
}
