/* The meaning of a rule's condition, and what is refused when rules are loaded. */
#include <unistd.h>

#include "check.h"
#include "validate/rules.h"

static struct lh_record rec;
static struct lh_err err;
static struct lh_buf text, scratch, acted;
static char dir[] = "/tmp/test_rules.XXXXXX";

static void put(const char *name, const char *rules)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (!rules) {
		unlink(path);
		return;
	}
	f = fopen(path, "w");
	check(f && fputs(rules, f) >= 0 && fclose(f) == 0);
}

static struct lh_value parse(struct lh_record *r, struct lh_buf *b, const char *s)
{
	struct lh_value v;

	lh_buf_reset(b);
	lh_buf_puts(b, s);
	check_why(lh_json_parse(r, b->p, b->len, &v, &err) == 0, s);
	return v;
}

static int note(void *ctx, const struct lh_rule_hit *hit, struct lh_err *e)
{
	(void)e;
	lh_buf_printf(&acted, "%.*s=%.*s;", (int)hit->id.n, hit->id.p, (int)hit->message.n,
		      hit->message.p);
	return hit->action != LH_RULE_REDACT ? *(int *)ctx : 0;
}

/* Return the rules that acted, as "id=message;". */
static const char *run(enum lh_task task, const char *artifact, const char *context)
{
	struct lh_rules *r = lh_rules_open(dir, &err);
	struct lh_value a = parse(&rec, &text, artifact), c;
	struct lh_buf more = { 0 };
	int stop = 0;

	check_why(r != NULL, err.msg);
	if (context)
		c = parse(&rec, &more, context);
	lh_buf_reset(&acted);
	check(lh_rules_run(r, task, &a, context ? &c : NULL, &scratch, note, &stop, &err) == 0);
	check(scratch.len == 0);
	lh_buf_putc(&acted, '\0');
	lh_rules_free(r);
	lh_buf_free(&more);
	return acted.p;
}

static bool holds(const char *condition, const char *artifact, const char *context)
{
	char file[1000];

	snprintf(file, sizeof file,
		 "{\"rules\":[{\"id\":\"r\",\"task_class\":\"staffing.any\",\"condition\":%s,"
		 "\"action\":{\"type\":\"Reject\",\"message\":\"m\"}}]}", condition);
	put("one.json", file);
	return !strcmp(run(LH_TASK_EMAIL, artifact, context), "r=m;");
}

#define IF(type, rest) "{\"type\":\"" type "\"," rest "}"
#define yes(...) check(holds(__VA_ARGS__, NULL))
#define no(...) check(!holds(__VA_ARGS__, NULL))

static void equality(void)
{
	yes("{\"type\":\"Always\"}", "{}");
#define A_IS(v) IF("FieldEquals", "\"field\":\"a\",\"value\":" v)
#define A_NOT(v) IF("FieldMismatch", "\"field\":\"a\",\"value\":" v)
	yes(A_IS("1"), "{\"a\":1.0}");
	no(A_IS("1"), "{\"a\":\"1\"}");
	yes(A_IS("\"x\""), "{\"a\":\"\\u0078\"}");
	no(A_IS("\"x\""), "{\"a\":\"X\"}");
	yes(A_IS("{\"b\":[1],\"c\":2}"), "{\"a\":{\"c\":2,\"b\":[1]}}");
	yes(A_IS("null"), "{\"a\":null}");
	no(A_IS("null"), "{}");
	yes(A_NOT("1"), "{\"a\":2}");
	yes(A_NOT("1"), "{\"a\":null}");
	no(A_NOT("1"), "{\"a\":1e0}");
	no(A_NOT("1"), "{}");
}

static void emptiness(void)
{
#define A_EMPTY IF("FieldEmpty", "\"field\":\"a\"")
	yes(A_EMPTY, "{}");
	yes(A_EMPTY, "{\"a\":null}");
	yes(A_EMPTY, "{\"a\":\"\"}");
	yes(A_EMPTY, "{\"a\":[ ]}");
	yes(A_EMPTY, "{\"a\":{ }}");
	no(A_EMPTY, "{\"a\":0}");
	no(A_EMPTY, "{\"a\":false}");
	no(A_EMPTY, "{\"a\":\" \"}");
	no(A_EMPTY, "{\"a\":[null]}");
	yes(IF("FieldEmpty", "\"field\":\"a.b\""), "{\"a\":1}");
}

static void greater(void)
{
#define A_ABOVE(n) IF("FieldGreater", "\"field\":\"a\",\"threshold\":" n)
	yes(A_ABOVE("2"), "{\"a\":2.5}");
	no(A_ABOVE("2"), "{\"a\":2}");
	no(A_ABOVE("2"), "{\"a\":\"3\"}");
	no(A_ABOVE("2"), "{}");
	no(A_ABOVE("2"), "{\"a\":null}");
	yes(A_ABOVE("9007199254740992"), "{\"a\":9007199254740993}");
	yes(A_ABOVE("-1e400"), "{\"a\":-1e300}");
}

static void contains(void)
{
#define A_HAS(list) IF("FieldContainsAny", "\"field\":\"a\",\"needles\":" list)
	yes(A_HAS("[\"Cash\",\"cheque\"]"), "{\"a\":\"paid in cASh.\"}");
	yes(A_HAS("[\"cheque\",\"CASH\"]"), "{\"a\":\"c\\u0061sh\"}");
	no(A_HAS("[\"cash\"]"), "{\"a\":\"cas\"}");
	no(A_HAS("[\"cash\"]"), "{}");
	no(A_HAS("[\"1\"]"), "{\"a\":1}");
	no(A_HAS("[\"cash\"]"), "{\"a\":{\"cash\":\"cash\"}}");
	yes(A_HAS("[\"cash\"]"), "{\"a\":[1,\"no\",\"some Cash\"]}");
	no(A_HAS("[\"cash\"]"), "{\"a\":[1,[\"cash\"],{\"cash\":1}]}");
	/* only ASCII is folded */
	yes(A_HAS("[\"caf\xc3\xa9\"]"), "{\"a\":\"CAF\xc3\xa9\"}");
	no(A_HAS("[\"caf\xc3\xa9\"]"), "{\"a\":\"CAF\xc3\x89\"}");
	yes(A_HAS("[\"a\\u0000b\"]"), "{\"a\":\"xA\\u0000B\"}");
}

static void paths(void)
{
#define IS_1(path) IF("FieldEquals", "\"field\":\"" path "\",\"value\":1")
	yes(IS_1("a.b.c"), "{\"a\":{\"b\":{\"c\":1}}}");
	no(IS_1("a.b"), "{\"a.b\":1}");
	yes(IS_1("fills.1.n"), "{\"fills\":[{\"n\":0},{\"n\":1}]}");
	no(IS_1("fills.01.n"), "{\"fills\":[{\"n\":0},{\"n\":1}]}");
	no(IS_1("fills.2.n"), "{\"fills\":[{\"n\":0},{\"n\":1}]}");
	no(IS_1("fills.n"), "{\"fills\":[{\"n\":1}]}");
	no(IS_1("fills.99999999999999999999"), "{\"fills\":[1]}");
	yes(IS_1("a.0"), "{\"a\":{\"0\":1}}");
	no(IS_1("a.b"), "{\"a\":\"b\"}");
	check(holds(IS_1("_context.n"), "{\"_context\":{\"n\":2}}", "{\"n\":1}"));
	check(!holds(IS_1("_context.n"), "{\"_context\":{\"n\":1}}", NULL));
	check(holds(IF("FieldEmpty", "\"field\":\"_context\""), "{\"_context\":{\"n\":1}}", NULL));
	check(holds(IS_1("a._context"), "{\"a\":{\"_context\":1}}", NULL));
}

#define RULE(id, task, condition, action) \
	"{\"id\":\"" id "\",\"task_class\":\"" task "\"," \
	"\"condition\":" condition ",\"action\":" action "}"
#define ALWAYS "{\"type\":\"Always\"}"
#define REJECT(m) "{\"type\":\"Reject\",\"message\":\"" m "\"}"

static void order_and_tasks(void)
{
	struct lh_rules *r;
	struct lh_value v;
	int stop = 1;

	put("one.json", NULL);
	put("b.json", "{\"rules\":[" RULE("fill", "staffing.fill", ALWAYS, REJECT("f")) ","
	    RULE("mail", "staffing.email", ALWAYS, "{\"type\":\"Block\",\"message\":\"e\"}") "]}");
	put("a.json", "{\"rules\":[" RULE("pass", "staffing.any", ALWAYS, "{\"type\":\"Pass\"}") ","
	    RULE("soft", "staffing.any", ALWAYS,
		 "{\"type\":\"Redact\",\"fields\":[\"to\",\"bo\\u0064y\"]}") "]}");
	put("Z.json", "{\"rules\":[" RULE("any", "staffing.any", ALWAYS, REJECT("z")) "]}");
	put(".hidden.json", "{");
	put("c.jsonl", "{");
	check(!strcmp(run(LH_TASK_FILL, "{}", NULL), "any=z;soft=redact: to, body;fill=f;"));
	check(!strcmp(run(LH_TASK_EMAIL, "{}", NULL), "any=z;soft=redact: to, body;mail=e;"));
	check(!strcmp(run(LH_TASK_OTHER, "{}", NULL), "any=z;soft=redact: to, body;"));

	put("Z.json", NULL);
	r = lh_rules_open(dir, &err);
	check_why(r != NULL, err.msg);
	v = parse(&rec, &text, "{}");
	lh_buf_reset(&acted);
	check(lh_rules_run(r, LH_TASK_FILL, &v, NULL, &scratch, note, &stop, &err) == 1);
	lh_rules_free(r);
	put("a.json", NULL);
	put("b.json", NULL);
	put(".hidden.json", NULL);
	put("c.jsonl", NULL);
	check(!strcmp(run(LH_TASK_FILL, "{}", NULL), ""));
}

static void bad(const char *file, const char *want)
{
	char all[600];

	put("x.json", file);
	check_why(!lh_rules_open(dir, &err), file);
	snprintf(all, sizeof all, "%s/x.json:%s%s", dir, *want >= '0' && *want <= '9' ? "" : " ",
		 want);
	check_why(!strcmp(err.msg, all), err.msg);
	put("x.json", NULL);
}

#define BAD(rule, want) bad("{\"rules\":[" rule "]}", want)
#define BAD_IF(condition, want) \
	BAD(RULE("r", "staffing.any", condition, REJECT("m")), "rule \"r\": " want)
#define BAD_DO(action, want) BAD(RULE("r", "staffing.any", ALWAYS, action), "rule \"r\": " want)
#define CONDITIONS                                                                                 \
	"\"Always\", \"FieldEquals\", \"FieldMismatch\", \"FieldEmpty\", \"FieldGreater\" or "     \
	"\"FieldContainsAny\""

static void refused(void)
{
	bad("", "1:1: unexpected end of line");
	bad("{\"rules\":[]", "1:12: unexpected end of line");
	bad("{\n \"rules\":[\n{x}]}\n", "3:2: expected a key");
	bad("{\"rules\":[{\"id\":\"a\",\n\"id\":\"b\"}]}", "2:1: duplicate key \"id\"");
	bad("[]", "must be an object");
	bad("{\"rule\":[]}", "missing \"rules\" (array of objects)");
	bad("{\"rules\":{}}", "\"rules\" must be an array of objects");
	BAD("1", "rules[0] must be an object");
	BAD("{}", "rules[0]: missing \"id\" (string)");
	BAD("{\"id\":\"\"}", "rules[0]: \"id\" must not be empty");
	BAD("{\"id\":\"r\"}", "rule \"r\": missing \"task_class\" (\"staffing.fill\", "
			      "\"staffing.email\" or \"staffing.any\")");
	BAD(RULE("r", "staffing.sms", ALWAYS, REJECT("m")),
	    "rule \"r\": \"task_class\" must be \"staffing.fill\", \"staffing.email\" or "
	    "\"staffing.any\", not \"staffing.sms\"");
	BAD("{\"id\":\"r\",\"task_class\":\"staffing.any\",\"description\":1}",
	    "rule \"r\": \"description\" must be a string");
	BAD("{\"id\":\"r\",\"task_class\":\"staffing.any\"}",
	    "rule \"r\": missing \"condition\" (object)");
	BAD_IF("[]", "\"condition\" must be an object");
	BAD_IF("{}", "missing condition.type (" CONDITIONS ")");
	BAD_IF("{\"type\":\"always\"}", "condition.type must be " CONDITIONS ", not \"always\"");
	BAD_IF("{\"type\":7}", "condition.type must be " CONDITIONS);
	BAD_IF("{\"type\":\"FieldEmpty\"}", "missing condition.field (string)");
	BAD_IF("{\"type\":\"FieldEmpty\",\"field\":1}", "condition.field must be a string");
	BAD_IF("{\"type\":\"FieldEmpty\",\"field\":\"a..b\"}",
	       "condition.field must not have an empty part");
	BAD_IF("{\"type\":\"FieldEmpty\",\"field\":\"a.\"}",
	       "condition.field must not have an empty part");
	BAD_IF("{\"type\":\"FieldEquals\",\"field\":\"a\"}", "missing condition.value (any value)");
	BAD_IF("{\"type\":\"FieldMismatch\",\"field\":\"a\"}",
	       "missing condition.value (any value)");
	BAD_IF("{\"type\":\"FieldGreater\",\"field\":\"a\"}",
	       "missing condition.threshold (number)");
	BAD_IF("{\"type\":\"FieldGreater\",\"field\":\"a\",\"threshold\":\"1\"}",
	       "condition.threshold must be a number");
	BAD_IF("{\"type\":\"FieldContainsAny\",\"field\":\"a\"}",
	       "missing condition.needles (array of strings)");
	BAD_IF("{\"type\":\"FieldContainsAny\",\"field\":\"a\",\"needles\":\"x\"}",
	       "condition.needles must be an array of strings");
	BAD_IF("{\"type\":\"FieldContainsAny\",\"field\":\"a\",\"needles\":[]}",
	       "condition.needles must not be empty");
	BAD_IF("{\"type\":\"FieldContainsAny\",\"field\":\"a\",\"needles\":[\"\"]}",
	       "condition.needles[0] must not be empty");
	BAD("{\"id\":\"r\",\"task_class\":\"staffing.any\",\"condition\":" ALWAYS "}",
	    "rule \"r\": missing \"action\" (object)");
	BAD_DO("{\"type\":\"Warn\"}",
	       "action.type must be \"Pass\", \"Reject\", \"Redact\" or \"Block\", not \"Warn\"");
	BAD_DO("{\"type\":\"Reject\"}", "missing action.message (string)");
	BAD_DO("{\"type\":\"Block\",\"message\":null}", "missing action.message (string)");
	BAD_DO("{\"type\":\"Redact\"}", "missing action.fields (array of strings)");
	BAD_DO("{\"type\":\"Redact\",\"fields\":[1]}", "action.fields[0] must be a string");
}

static void refused_folder(void)
{
	char want[600];

	put("a.json", "{\"rules\":[" RULE("r", "staffing.any", ALWAYS, REJECT("m")) "]}");
	put("b.json", "{\"rules\":[" RULE("\\u0072", "staffing.fill", ALWAYS, REJECT("m")) "]}");
	check(!lh_rules_open(dir, &err));
	snprintf(want, sizeof want, "%s/b.json: rule \"r\": duplicate id, also in %s/a.json", dir,
		 dir);
	check_why(!strcmp(err.msg, want), err.msg);
	put("b.json", NULL);
	put("a.json", "{\"rules\":[" RULE("r", "staffing.any", ALWAYS, REJECT("m")) ","
	    RULE("q", "staffing.any", ALWAYS, REJECT("m")) ","
	    RULE("r", "staffing.any", ALWAYS, REJECT("m")) "]}");
	check(!lh_rules_open(dir, &err));
	snprintf(want, sizeof want, "%s/a.json: rule \"r\": duplicate id, also in %s/a.json", dir,
		 dir);
	check_why(!strcmp(err.msg, want), err.msg);
	put("a.json", NULL);
	check(!lh_rules_open("/nonexistent", &err) && err.code == LH_EIO);
}

int main(void)
{
	check(mkdtemp(dir));
	lh_record_init(&rec);
	text = (struct lh_buf){ 0 };
	scratch = (struct lh_buf){ 0 };
	acted = (struct lh_buf){ 0 };
	test(equality());
	test(emptiness());
	test(greater());
	test(contains());
	test(paths());
	test(order_and_tasks());
	test(refused());
	test(refused_folder());
	lh_record_free(&rec);
	lh_buf_free(&text);
	lh_buf_free(&scratch);
	lh_buf_free(&acted);
	check(rmdir(dir) == 0);
	return 0;
}
