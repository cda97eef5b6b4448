/* test_bind.c - records into structs by tables, and JSON text by the writer. */
#include <limits.h>

#include "json/json.h"

#include "check.h"
#include "json/bind.h"
#include "json/write.h"
#include "jsonschema/jsonschema.h"

struct message {
	const char *role;
	struct lh_str content;
	const struct lh_str *tag;
	size_t n_tags;
};

struct place {
	struct lh_str city;
	double x;
	bool given;
};

struct thing {
	struct lh_str text, id, heat, label, name, role;
	struct lh_value json, any, filter, ids;
	const struct lh_str *other;
	size_t n_others;
	bool flag, had_k;
	int truth, kind;
	uint64_t k;
	int64_t shift;
	double score, distance;
	struct message *message;
	size_t n_messages;
	const struct lh_str *tag;
	size_t n_tags;
	struct place place;
};

static const char *const roles[] = { "system", "user", "assistant", NULL };
static const char *const kinds[] = { "exact", "json", NULL };

static const struct lh_bind message_members[] = {
	{ LH_BIND_CHOICE("role", struct message, role, roles), .required = true,
	  .meant = "from|speaker" },
	{ LH_BIND_STRING("content", struct message, content), .required = true },
	{ LH_BIND_STRINGS("tags", struct message, tag, n_tags) },
	LH_BIND_CLOSED
};

static const struct lh_bind place_members[] = {
	{ LH_BIND_STRING("city", struct place, city), .required = true },
	{ LH_BIND_F64("x", struct place, x, -INFINITY, INFINITY) },
	LH_BIND_END
};

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("query_text|query|text", struct thing, text),
	  .as_written = LH_BIND_FIELD(struct thing, json) },
	{ LH_BIND_ID("id", struct thing, id), .longest = 5, .no_nul = true },
	{ LH_BIND_NUMBER("temperature", struct thing, heat) },
	{ LH_BIND_STRING("label", struct thing, label), .filled = true, .lax = true },
	{ LH_BIND_STRING("name", struct thing, name), .filled = true },
	{ LH_BIND_STRING("role", struct thing, role), .choice = roles },
	{ LH_BIND_STRING("title", struct thing, name), .not_blank = true },
	{ LH_BIND_STRING("strict", struct thing, name), .not_null = true },
	{ LH_BIND_STRINGS("words", struct thing, tag, n_tags), .each_filled = true },
	{ LH_BIND_SOME("any", struct thing, any), .null = true },
	{ LH_BIND_OBJECT("metadata_filter", struct thing, filter) },
	{ LH_BIND_ARRAY("exclude_ids", struct thing, ids),
	  .each = LH_BIND_IS(LH_STRING) | LH_BIND_IS(LH_NUMBER) },
	{ LH_BIND_IDS("others", struct thing, other, n_others) },
	{ LH_BIND_BOOL("flag", struct thing, flag) },
	{ LH_BIND_TRUTH("think", struct thing, truth) },
	{ LH_BIND_INDEX("compare", struct thing, kind, kinds) },
	{ LH_BIND_U64("k", struct thing, k, 0, 10000),
	  .given = LH_BIND_FIELD(struct thing, had_k) },
	{ LH_BIND_I64("shift", struct thing, shift, INT64_MIN, INT64_MAX) },
	{ LH_BIND_F64("score", struct thing, score, 0, 1), .above = true },
	{ LH_BIND_F64("distance", struct thing, distance, 0, INFINITY) },
	{ LH_BIND_TABLES("messages", struct thing, message, n_messages, message_members),
	  .filled = true },
	{ LH_BIND_STRINGS("tags", struct thing, tag, n_tags) },
	{ LH_BIND_TABLE("place", struct thing, place, place_members) },
	LH_BIND_END
};

static struct lh_record rec;
static struct lh_buf line, text;
static struct lh_err err;

static void parse(const char *json, size_t n)
{
	lh_buf_reset(&line);
	lh_buf_add(&line, json, n);
	check_why(lh_record_parse(&rec, line.p, line.len, &err) == 0, err.msg);
}

static int bind(const struct lh_bind *table, const char *json, void *to)
{
	parse(json, strlen(json));
	return lh_bind(table, &rec, to, &text, &err);
}

static struct thing good(const char *json)
{
	struct thing t = { .k = 10, .truth = -1, .kind = -1, .score = -1 };

	check_why(bind(members, json, &t) == 0, err.msg);
	return t;
}

static bool is(struct lh_str s, const char *want)
{
	return s.p && s.n == strlen(want) && !memcmp(s.p, want, s.n);
}

static bool is_value(struct lh_value v, const char *want)
{
	return is((struct lh_str){ v.p, v.n }, want);
}

static void every_type(void)
{
	struct thing t = good(
		"{\"text\":\"a\\u00e9\\n\",\"id\":1.50,\"temperature\":-1e3,\"any\":null,"
		"\"metadata_filter\":{\"a\":1},\"exclude_ids\":[\"x\",2],\"flag\":true,\"think\":"
		"false,"
		"\"compare\":\"js\\u006fn\",\"k\":1e4,\"shift\":-9223372036854775808,\"score\":1,"
		"\"distance\":0,\"tags\":[\"\\\"\",\"\",\"b\"],\"other\":[[]],\"others\":[1e0,"
		"\"\\t\",\"\"],"
		"\"place\":{\"city\":\"\\u0041\",\"x\":-0.5,\"more\":{}}}");

	check(is(t.text, "a\xc3\xa9\n") && is_value(t.json, "\"a\\u00e9\\n\""));
	check(is(t.id, "1.50") && is(t.heat, "-1e3") && t.any.p && t.any.type == LH_NULL);
	check(is_value(t.filter, "{\"a\":1}") && is_value(t.ids, "[\"x\",2]"));
	check(t.flag && t.truth == 0 && t.kind == 1 && t.k == 10000 && t.had_k);
	check(t.shift == INT64_MIN && t.score == 1 && t.distance == 0);
	check(t.n_tags == 3 && is(t.tag[0], "\"") && is(t.tag[1], "") && is(t.tag[2], "b"));
	check(t.n_others == 3 && is(t.other[0], "1e0") && is(t.other[1], "\t") &&
	      is(t.other[2], ""));
	check(is(t.place.city, "A") && t.place.x == -0.5);
}

static void an_array_of_structs(void)
{
	struct thing t = good("{\"messages\":[{\"content\":\"\\u0078\",\"role\":\"user\",\"tags\":["
			      "\"\\/\",\"2\"]},"
			      "{\"role\":\"system\",\"content\":\"\",\"tags\":[]},{\"tags\":null,"
			      "\"role\":\"user\",\"content\":\"z\"}]}");

	check(t.n_messages == 3 && t.message[0].role == roles[1] && is(t.message[0].content, "x"));
	check(t.message[0].n_tags == 2 && is(t.message[0].tag[0], "/") &&
	      is(t.message[0].tag[1], "2"));
	check(t.message[1].role == roles[0] && is(t.message[1].content, "") &&
	      t.message[1].n_tags == 0);
	check(t.message[2].n_tags == 0 && is(t.message[2].content, "z"));
}

static void absent_members_keep_their_defaults(void)
{
	static const char *const as_absent[] = {
		"{}", "{\"k\":null,\"text\":null,\"query\":null,\"think\":null,\"compare\":null,"
		      "\"score\":null,"
		      "\"messages\":null,\"place\":null,\"exclude_ids\":null,\"metadata_filter\":"
		      "null,\"id\":null,\"label\":null}"
	};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct thing t = good(as_absent[i]);

		check(!t.text.p && !t.json.p && !t.id.p && !t.any.p && !t.filter.p && !t.ids.p &&
		      !t.label.p);
		check(t.k == 10 && !t.had_k && t.truth == -1 && t.kind == -1 && t.score == -1);
		check(t.n_messages == 0 && t.n_tags == 0 && !t.place.city.p);
	}
}

static void the_first_name_that_is_there_counts(void)
{
	check(is(good("{\"text\":\"c\",\"query\":\"b\",\"query_text\":\"a\"}").text, "a"));
	check(is(good("{\"query_text\":\"a\",\"query\":\"b\",\"text\":\"c\"}").text, "a"));
	check(is(good("{\"query_text\":null,\"text\":\"c\",\"query\":\"b\"}").text, "b"));
	check(is(good("{\"text\":5,\"query\":\"b\"}").text, "b"));
	check(is(good("{\"\\u0074ext\":\"c\"}").text, "c"));
	check(!good("{\"query_\":\"a\",\"query|text\":\"b\",\"tex\":\"c\",\"text2\":\"d\",\"\":"
		    "\"e\"}")
		       .text.p);
}

static void a_lax_member_of_another_type_is_absent(void)
{
	check(!good("{\"label\":5}").label.p && !good("{\"label\":[\"a\"]}").label.p);
	check(!good("{\"label\":\"\"}").label.p);
	check(is(good("{\"role\":\"us\\u0065r\"}").role, "user"));
	check(is(good("{\"label\":\"a\"}").label, "a"));
}

struct loose {
	const struct lh_str *tag;
	size_t n_tags;
	struct lh_str day;
};

static bool is_day(const struct lh_value *v, struct lh_str s)
{
	return !v->escaped && s.n == 3;
}

static const struct lh_bind loose_members[] = {
	{ LH_BIND_STRINGS("tags", struct loose, tag, n_tags), .lax = true },
	{ LH_BIND_STRING("day", struct loose, day), .not_null = true, .is = is_day, .what = "day" },
	LH_BIND_END
};

static void an_element_of_a_lax_array_is_zero(void)
{
	struct loose l = { .n_tags = 0 };

	parse("{\"tags\":[1,\"\\n\",null]}", strlen("{\"tags\":[1,\"\\n\",null]}"));
	check(lh_bind(loose_members, &rec, &l, &text, &err) == 0);
	check(l.n_tags == 3 && !l.tag[0].p && is(l.tag[1], "\n") && !l.tag[2].p);
}

static void what_a_string_must_be(void)
{
	static const char *const wrong[] = { "{\"day\":\"Monday\"}", "{\"day\":\"\\u0053un\"}",
					     "{\"day\":null}", "{\"day\":7}" };
	struct loose l = { .n_tags = 0 };
	size_t i;

	parse("{\"day\":\"Sun\"}", strlen("{\"day\":\"Sun\"}"));
	check(lh_bind(loose_members, &rec, &l, &text, &err) == 0 && is(l.day, "Sun"));
	for (i = 0; i < 4; i++) {
		parse(wrong[i], strlen(wrong[i]));
		check(lh_bind(loose_members, &rec, &l, &text, &err) < 0);
		check_why(strcmp(err.msg, "\"day\" must be a day") == 0, err.msg);
	}
}

/* Every byte of a message is compared. */
static void wrong(const char *json, const char *want)
{
	struct thing t = { .k = 10 };

	err = (struct lh_err){ .status = 7, .column = 7 };
	check(bind(members, json, &t) == -1);
	check_why(strcmp(err.msg, want) == 0, err.msg);
	check(err.code == LH_EDATA && err.column == 0 &&
	      (err.status == 0) == !strstr(want, "bytes"));
}

static void wrong_members(void)
{
	wrong("{\"query\":5}", "\"query\" must be a string");
	wrong("{\"id\":true}", "\"id\" must be a string or number");
	wrong("{\"id\":\"123456\"}", "\"id\" must be at most 5 bytes");
	wrong("{\"id\":\"1\\u0000\"}", "\"id\" must not hold NUL");
	wrong("{\"strict\":null}", "\"strict\" must be a string");
	wrong("{\"words\":[\"a\",\"\"]}", "words[1] must not be empty");
	wrong("{\"temperature\":\"1\"}", "\"temperature\" must be a number");
	wrong("{\"role\":\"a\"}",
	      "\"role\" must be \"system\", \"user\" or \"assistant\", not \"a\"");
	wrong("{\"name\":\"\"}", "\"name\" must not be empty");
	wrong("{\"title\":\" \\t\"}", "\"title\" must not be blank");
	wrong("{\"metadata_filter\":[]}", "\"metadata_filter\" must be an object");
	wrong("{\"exclude_ids\":{}}", "\"exclude_ids\" must be an array of strings or numbers");
	wrong("{\"exclude_ids\":[1,null]}", "exclude_ids[1] must be a string or number");
	wrong("{\"others\":[1,\"a\",{}]}", "others[2] must be a string or number");
	wrong("{\"others\":1}", "\"others\" must be an array of strings or numbers");
	wrong("{\"flag\":1}", "\"flag\" must be true or false");
	wrong("{\"think\":\"yes\"}", "\"think\" must be true or false");
	wrong("{\"compare\":\"x\"}", "\"compare\" must be \"exact\" or \"json\", not \"x\"");
	wrong("{\"compare\":1}", "\"compare\" must be \"exact\" or \"json\"");
	wrong("{\"k\":10001}", "\"k\" must be a whole number from 0 to 10000");
	wrong("{\"k\":-1}", "\"k\" must be a whole number from 0 to 10000");
	wrong("{\"k\":1.5}", "\"k\" must be a whole number from 0 to 10000");
	wrong("{\"k\":\"1\"}", "\"k\" must be a whole number from 0 to 10000");
	wrong("{\"shift\":9223372036854775808}", "\"shift\" must be a whole number");
	wrong("{\"score\":0}", "\"score\" must be a number above 0 and at most 1");
	wrong("{\"score\":1.01}", "\"score\" must be a number above 0 and at most 1");
	wrong("{\"distance\":-1e-9}", "\"distance\" must be a number, 0 or more");
	wrong("{\"tags\":\"a\"}", "\"tags\" must be an array of strings");
	wrong("{\"tags\":[\"a\",null]}", "tags[1] must be a string");
	wrong("{\"place\":1}", "\"place\" must be an object");
	wrong("{\"place\":{}}", "missing place.city (string)");
	wrong("{\"place\":{\"city\":\"a\",\"x\":\"\"}}", "place.x must be a number");
}

static void wrong_elements(void)
{
	wrong("{\"messages\":{}}", "\"messages\" must be an array of objects");
	wrong("{\"messages\":[]}", "\"messages\" must not be empty");
	wrong("{\"messages\":[1]}", "messages[0] must be an object");
	wrong("{\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"tool\",\"content\":"
	      "\"\"}]}",
	      "messages[1].role must be \"system\", \"user\" or \"assistant\", not \"tool\"");
	wrong("{\"messages\":[{\"role\":\"user\",\"content\":null}]}",
	      "missing messages[0].content (string)");
	wrong("{\"messages\":[{\"content\":\"\"}]}",
	      "missing messages[0].role (\"system\", \"user\" or \"assistant\")");
	wrong("{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"x\":1}]}",
	      "unknown member \"x\" in messages[0]");
	wrong("{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"tags\":[\"\",2]}]}",
	      "messages[0].tags[1] must be a string");
}

static void a_closed_table(void)
{
	struct message m = { .role = NULL };

	check(bind(message_members, "{\"role\":\"user\",\"content\":\"a\",\"y\":1}", &m) == -1);
	check_why(strcmp(err.msg, "unknown member \"y\"") == 0, err.msg);
	/* the closest name is suggested, and that of a member that goes by another */
	check(bind(message_members, "{\"role\":\"user\",\"content\":\"a\",\"tag\":[]}", &m) == -1);
	check_why(strcmp(err.msg, "unknown member \"tag\" (did you mean \"tags\"?)") == 0, err.msg);
	check(bind(message_members, "{\"speaker\":\"user\",\"content\":\"a\"}", &m) == -1);
	check_why(strcmp(err.msg, "unknown member \"speaker\" (did you mean \"role\"?)") == 0,
		  err.msg);
	check(bind(message_members, "{\"content\":\"a\",\"role\":\"user\"}", &m) == 0);
}

static void a_value_that_is_no_object(void)
{
	struct message m = { .role = NULL };
	struct lh_value v;

	lh_buf_reset(&line);
	lh_buf_puts(&line, "[{\"role\":\"user\",\"content\":\"\\t\"}]");
	check(lh_json_parse(&rec, line.p, line.len, &v, &err) == 0);
	check(lh_bind_value(message_members, &v, &m, &text, &err) == -1 &&
	      !strcmp(err.msg, "must be an object"));
	v = (struct lh_value){ v.p + 1, v.n - 2, LH_OBJECT, false };
	check_why(lh_bind_value(message_members, &v, &m, &text, &err) == 0, err.msg);
	check(is(m.content, "\t"));
	check(lh_bind_part(message_members, "part", &v, &m, &text, &err) == 0 &&
	      is(m.content, "\t"));
	v.type = LH_ARRAY;
	check(lh_bind_part(message_members, "part", &v, &m, &text, &err) == -1);
	check_why(!strcmp(err.msg, "\"part\" must be an object"), err.msg);
	check(lh_bind_part(place_members, "part", &(struct lh_value){ "{}", 2, LH_OBJECT, false },
			   &m, &text, &err) == -1);
	check_why(!strcmp(err.msg, "missing part.city (string)"), err.msg);
}

static void a_name_that_is_known_at_run_time(void)
{
	struct lh_bind one[] = { { LH_BIND_STRING("", struct message, content), .required = true },
				 LH_BIND_END };
	struct message m = { .role = NULL };

	lh_bind_rename(one, "a|b");
	check(bind(one, "{\"a\":\"1\",\"b\":\"2\",\"a|b\":\"3\"}", &m) == 0 && is(m.content, "3"));
	check(bind(one, "{\"a\\u007cb\":\"4\"}", &m) == 0 && is(m.content, "4"));
	check(bind(one, "{\"a\":\"1\"}", &m) == -1 && !strcmp(err.msg, "missing \"a|b\" (string)"));
	lh_bind_rename(one, "");
	check(bind(one, "{\"\":\"5\"}", &m) == 0 && is(m.content, "5"));
}

static void a_table_that_is_too_long(void)
{
	struct lh_bind table[LH_BIND_MAX + 2] = { { .name = NULL } };
	struct message m = { .role = NULL };
	size_t i;

	for (i = 0; i <= LH_BIND_MAX; i++)
		table[i] = (struct lh_bind){ LH_BIND_STRING("x", struct message, content) };
	check(bind(table, "{}", &m) == -1 && err.code == LH_EUSAGE);
	table[LH_BIND_MAX].name = NULL;
	check(bind(table, "{}", &m) == 0);
}

/* All strings of a large record stay in place while later ones are added. */
static void nothing_moves(void)
{
	struct lh_buf json = { 0 };
	struct thing t = { .k = 1 };
	size_t i, n = 20000;

	lh_buf_puts(&json, "{\"text\":\"\\t\",\"messages\":[");
	for (i = 0; i < n; i++)
		lh_buf_printf(&json,
			      "%s{\"role\":\"user\",\"content\":\"\\n%zu\",\"tags\":[\"\\r%zu\"]}",
			      i ? "," : "", i, i);
	lh_buf_puts(&json, "],\"tags\":[");
	for (i = 0; i < n; i++)
		lh_buf_printf(&json, "%s\"\\f%zu\"", i ? "," : "", i);
	lh_buf_puts(&json, "]}");
	lh_buf_free(&text);
	parse(json.p, json.len);
	check_why(lh_bind(members, &rec, &t, &text, &err) == 0, err.msg);
	check(is(t.text, "\t") && t.n_messages == n && t.n_tags == n);
	for (i = 0; i < n; i++) {
		char want[32];

		snprintf(want, sizeof want, "\n%zu", i);
		check(is(t.message[i].content, want));
		*want = '\r';
		check(t.message[i].n_tags == 1 && is(t.message[i].tag[0], want));
		*want = '\f';
		check(is(t.tag[i], want));
	}
	lh_buf_free(&json);
}

static void nul_and_long_keys_are_no_names(void)
{
	static const char json[] = "{\"k\\u0000\":1,\"\\u006b\":5,\"kk\":2,\"messages\\u0000\":3}";

	check(good(json).k == 5);
	check(bind(message_members, "{\"role\":\"user\",\"content\":\"a\",\"\\u0000\":1}",
		   &(struct message){ 0 }) == -1);
}

static void a_bounded_buffer_says_so(void)
{
	struct lh_buf small;
	struct thing t = { .k = 1 };

	lh_buf_init(&small, 300);
	parse("{\"text\":\"\\n\"}", 13);
	check(lh_bind(members, &rec, &t, &small, &err) == 0 && is(t.text, "\n"));
	lh_buf_reset(&line);
	lh_buf_puts(&line, "{\"text\":\"\\n");
	while (line.len < 1000)
		lh_buf_putc(&line, 'a');
	lh_buf_puts(&line, "\"}");
	check(lh_record_parse(&rec, line.p, line.len, &err) == 0);
	check(lh_bind(members, &rec, &t, &small, &err) == -1 && err.code == LH_EDATA);
	lh_buf_free(&small);
}

/* ---- the writer ---- */

static void written(struct lh_buf *out, const char *want)
{
	lh_buf_putc(out, '\0');
	check_why(strcmp(out->p, want) == 0, out->p);
	lh_buf_reset(out);
}

static void write_everything(void)
{
	struct lh_buf out = { 0 };
	struct lh_writer w;

	w = lh_write_to(&out);
	lh_write_object(&w, NULL);
	lh_write_object(&w, "a");
	lh_write_end(&w);
	lh_write_str(&w, "s", (struct lh_str){ "\"\n", 2 });
	lh_write_text(&w, "t", "");
	lh_write_text(&w, "z", NULL);
	lh_write_bytes(&w, "p", "\xc3\xa9");
	lh_write_bytes(&w, "q", "a\xc3\xa9\xff\"");
	lh_write_array(&w, "l");
	lh_write_u64(&w, NULL, UINT64_MAX);
	lh_write_i64(&w, NULL, INT64_MIN);
	lh_write_i64(&w, NULL, 7);
	lh_write_array(&w, NULL);
	lh_write_end(&w);
	lh_write_object(&w, NULL);
	lh_write_bool(&w, "b", true);
	lh_write_end(&w);
	lh_write_end(&w);
	lh_write_f32(&w, "f", 0.1f);
	lh_write_f64(&w, "d", 0.1);
	lh_write_null(&w, "n");
	lh_write_key_str(&w, (struct lh_str){ "\\", 1 });
	lh_write_bool(&w, NULL, false);
	lh_write_raw(&w, "r", (struct lh_str){ "[ ]", 3 });
	lh_write_end(&w);
	written(&out,
		"{\"a\":{},\"s\":\"\\\"\\n\",\"t\":\"\",\"z\":null,\"p\":\"\xc3\xa9\","
		"\"q\":\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\\"\",\"l\":[18446744073709551615,-"
		"9223372036854775808,7,[],"
		"{\"b\":true}],\"f\":0.1,\"d\":0.1,\"n\":null,\"\\\\\":false,\"r\":[ ]}");
	lh_buf_free(&out);
}

static void go_on_with_a_record(void)
{
	static const char *const drop[] = { "x", "y" };
	static const char *const records[][3] = {
		{ "{}", "{\"z\":1}", "{}" },
		{ "{ \"a\" : 1 }", "{ \"a\" : 1 ,\"z\":1}", "{ \"a\" : 1 }" },
		{ "{\"x\":1,\"y\":2}", "{\"z\":1}", "{}" },
		{ "{\"x\":1,\"a\":2,\"y\":3}", "{\"a\":2,\"z\":1}", "{\"a\":2}" },
	};
	struct lh_buf out = { 0 };
	struct lh_writer w;
	size_t i;

	for (i = 0; i < sizeof records / sizeof *records; i++) {
		parse(records[i][0], strlen(records[i][0]));
		w = lh_write_record(&out, &rec, drop, 2);
		lh_write_u64(&w, "z", 1);
		lh_write_end(&w);
		written(&out, records[i][1]);
		w = lh_write_record(&out, &rec, drop, 2);
		lh_write_end(&w);
		written(&out, records[i][2]);
		lh_buf_puts(&out, "{\"a\":1}");
		w = lh_write_again(&out);
		lh_write_u64(&w, "z", 1);
		lh_write_end(&w);
		written(&out, "{\"a\":1,\"z\":1}");
	}
	lh_buf_free(&out);
}

/* ---- a table as a schema ---- */

static void schema_of(struct lh_buf *out, const struct lh_bind *table, unsigned how)
{
	struct lh_writer w = lh_write_to(out);

	lh_write_object(&w, NULL);
	lh_bind_schema(&w, table, how);
	lh_write_end(&w);
}

static bool is_word(const struct lh_value *v, struct lh_str s)
{
	(void)v;
	return s.n == 1 && *s.p == 'w';
}

/* Writing at the beginning of the struct would be a write to nowhere that its caller expects. */
static void a_line_without_a_field_is_refused(void)
{
	static const struct lh_bind user[] = {
		{ LH_BIND_ONLY("user", LH_BIND_TO_VALUE), .types = LH_BIND_ANY }, LH_BIND_END
	};
	static const struct lh_bind part[] = {
		{ LH_BIND_TABLE("place", struct thing, place, user) }, LH_BIND_END
	};
	struct thing before, t;

	memset(&before, 0x5a, sizeof before);
	t = before;
	check(bind(user, "{}", &t) < 0 && err.code == LH_EUSAGE);
	check(!strcmp(err.msg, "a table to read by has no field for \"user\""));
	check(bind(user, "{\"user\":[1,\"u\"]}", &t) < 0);
	check(bind(part, "{\"place\":{\"user\":1}}", &t) < 0);
	check(!memcmp(&t, &before, sizeof t));
}

static void an_ignored_member_is_not_stored(void)
{
	static const struct lh_bind user[] = {
		{ LH_BIND_IGNORED("user|caller", LH_BIND_ANY) }, LH_BIND_END
	};
	static const char *const values[] = { "1", "\"a\\u0000b\"", "true", "[{\"a\":[]}]", "{}",
					      "null" };
	struct thing before, t;
	char json[64];
	size_t i;

	memset(&before, 0x5a, sizeof before);
	t = before;
	for (i = 0; i < sizeof values / sizeof *values; i++) {
		snprintf(json, sizeof json, "{\"caller\":%s,\"user\":1}", values[i]);
		check_why(bind(user, json, &t) == 0, err.msg);
	}
	check(!memcmp(&t, &before, sizeof t));
}

static void what_a_schema_says(void)
{
	static const struct lh_bind number[] = { { LH_BIND_ONLY("*", LH_BIND_TO_F64),
		.min = -INFINITY, .max = INFINITY }, LH_BIND_END };
	static const struct lh_bind words[] = {
		{ LH_BIND_STRING("word", struct thing, text), .required = true, .filled = true,
		  .is = is_word, .pattern = "^w$", .longest = 9, .about = "A \"word\"." },
		{ LH_BIND_STRING("at", struct thing, id), .format = "date-time" },
		{ LH_BIND_INDEX("kind", struct thing, kind, kinds), .usual = "\"json\"" },
		{ LH_BIND_F64("score", struct thing, score, 0, 1), .above = true },
		{ LH_BIND_VALUE("vector", struct thing, ids, LH_BIND_IS(LH_ARRAY)),
		  .table = number },
		{ LH_BIND_OBJECT("counts", struct thing, filter), .table = number, .null = true },
		{ LH_BIND_TABLES("messages", struct thing, message, n_messages, message_members) },
		LH_BIND_CLOSED
	};
	struct lh_buf out = { 0 };

	schema_of(&out, words, 0);
	written(&out, "{\"type\":\"object\",\"properties\":{"
		"\"word\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":9,"
		"\"pattern\":\"^w$\",\"description\":\"A \\\"word\\\".\"},"
		"\"at\":{\"type\":\"string\",\"format\":\"date-time\"},"
		"\"kind\":{\"type\":\"string\",\"enum\":[\"exact\",\"json\"],"
		"\"default\":\"json\"},"
		"\"score\":{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":1},"
		"\"vector\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},"
		"\"counts\":{\"type\":[\"object\",\"null\"],"
		"\"additionalProperties\":{\"type\":\"number\"}},"
		"\"messages\":{\"type\":\"array\",\"items\":"
		"{\"type\":\"object\",\"properties\":{"
		"\"role\":{\"type\":\"string\","
		"\"enum\":[\"system\",\"user\",\"assistant\"]},"
		"\"content\":{\"type\":\"string\"},"
		"\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}},"
		"\"required\":[\"role\",\"content\"],\"additionalProperties\":false}}},"
		"\"required\":[\"word\"],\"additionalProperties\":false}");
	lh_buf_free(&out);
}

/* Hold records against a table and against its schema, which must agree. */
static void agree(const struct lh_bind *table, const char *const *samples, bool want)
{
	struct lh_jsonschema_run run = { 0 };
	struct lh_jsonschema *schema;
	struct lh_buf out = { 0 };
	struct lh_value v;
	struct thing t;

	schema_of(&out, table, LH_BIND_NULLS);
	schema = lh_jsonschema_new((struct lh_str){ out.p, out.len }, NULL, NULL, &err);
	check_why(schema, err.msg);
	for (; *samples; samples++) {
		memset(&t, 0, sizeof t);
		check_why((bind(table, *samples, &t) == 0) == want, *samples);
		v = (struct lh_value){ .p = rec.line, .n = rec.len, .type = LH_OBJECT };
		check_why((lh_jsonschema_check(schema, &run, &v, NULL, NULL, &err) == 0) == want,
			  *samples);
	}
	lh_jsonschema_run_free(&run);
	lh_jsonschema_free(schema);
	lh_buf_free(&out);
}

static void a_schema_accepts_what_its_table_accepts(void)
{
	static const struct lh_bind strict[] = {
		{ LH_BIND_STRING("query|text", struct thing, text), .required = true },
		{ LH_BIND_SOME("any", struct thing, any), .required = true },
		{ LH_BIND_U64("k", struct thing, k, 1, 10), .not_null = true },
		LH_BIND_CLOSED
	};
	static const char *const good_ones[] = {
		"{}", "{\"query\":\"a\"}", "{\"text\":null,\"query\":null}", "{\"id\":1e3}",
		"{\"id\":\"12345\"}", "{\"temperature\":2}", "{\"label\":[]}", "{\"label\":\"\"}",
		"{\"name\":null}", "{\"role\":\"user\"}", "{\"role\":null}", "{\"any\":null}",
		"{\"any\":[{}]}", "{\"words\":[]}", "{\"words\":[\"a\"]}",
		"{\"metadata_filter\":{}}",
		"{\"exclude_ids\":[1,\"a\"]}", "{\"others\":[\"\",2]}", "{\"flag\":false}",
		"{\"think\":true}", "{\"compare\":\"json\"}", "{\"k\":0}", "{\"k\":10000.0}",
		"{\"shift\":-9223372036854775808}", "{\"score\":1}", "{\"distance\":1e300}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"tags\":null}]}",
		"{\"place\":{\"city\":\"\",\"more\":1}}", "{\"place\":null}", NULL
	};
	static const char *const bad_ones[] = {
		"{\"query_text\":1}", "{\"text\":{}}", "{\"id\":true}", "{\"id\":\"123456\"}",
		"{\"temperature\":\"2\"}", "{\"name\":\"\"}", "{\"role\":\"tool\"}",
		"{\"strict\":null}", "{\"words\":[\"\"]}", "{\"words\":[null]}",
		"{\"metadata_filter\":[]}", "{\"exclude_ids\":[true]}", "{\"others\":[{}]}",
		"{\"flag\":0}", "{\"compare\":\"xml\"}", "{\"k\":-1}", "{\"k\":10001}",
		"{\"k\":1.5}", "{\"score\":0}", "{\"score\":1.1}", "{\"distance\":-1}",
		"{\"messages\":[]}", "{\"messages\":[{\"role\":\"user\"}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":null}]}",
		"{\"messages\":[{\"role\":\"user\",\"content\":\"\",\"x\":1}]}",
		"{\"messages\":[1]}", "{\"place\":{}}",
		"{\"place\":{\"city\":\"a\",\"x\":\"1\"}}", NULL
	};
	static const char *const strict_good[] = {
		"{\"query\":\"a\",\"any\":0}", "{\"text\":\"a\",\"any\":{}}",
		"{\"query\":null,\"text\":\"a\",\"any\":[],\"k\":1}", NULL
	};
	static const char *const strict_bad[] = {
		"{}", "{\"query\":null,\"any\":0}", "{\"query\":\"a\"}",
		"{\"query\":\"a\",\"any\":null}", "{\"query\":\"a\",\"any\":0,\"k\":null}",
		"{\"query\":\"a\",\"any\":0,\"more\":1}", NULL
	};

	agree(members, good_ones, true);
	agree(members, bad_ones, false);
	agree(strict, strict_good, true);
	agree(strict, strict_bad, false);
}

/* A table that is made of the schema of another refuses the same, in the same words. */
static void a_table_of_a_schema_speaks_as_the_first(void)
{
	static const struct lh_bind words[] = {
		{ LH_BIND_STRING("word", struct thing, text), .required = true, .filled = true,
		  .is = is_word, .what = "word", .pattern = "^w$", .longest = 9 },
		{ LH_BIND_INDEX("kind", struct thing, kind, kinds) },
		{ LH_BIND_ID("id", struct thing, id), .filled = true },
		{ LH_BIND_U64("k", struct thing, k, 0, 10000), .meant = "limit|n" },
		{ LH_BIND_F64("score", struct thing, score, 0, 1), .above = true,
		  .what = "share" },
		{ LH_BIND_OBJECT("filter", struct thing, filter) },
		{ LH_BIND_TABLES("messages", struct thing, message, n_messages, message_members),
		  .filled = true },
		LH_BIND_CLOSED
	};
	static const struct lh_bind_known known[] = {
		{ "^w$", is_word, "word" }, { .pattern = NULL },
	};
	static const char *const samples[] = {
		"{}", "{\"word\":7}", "{\"word\":\"\"}", "{\"word\":\"v\"}", "{\"word\":null}",
		"{\"word\":\"w\",\"kind\":\"x\"}", "{\"word\":\"w\",\"kind\":7}",
		"{\"word\":\"w\",\"id\":[]}", "{\"word\":\"w\",\"id\":\"\"}",
		"{\"word\":\"w\",\"k\":10001}", "{\"word\":\"w\",\"k\":-1}",
		"{\"word\":\"w\",\"k\":1.5}", "{\"word\":\"w\",\"score\":0}",
		"{\"word\":\"w\",\"score\":1.1}", "{\"word\":\"w\",\"filter\":[]}",
		"{\"word\":\"w\",\"messages\":[]}", "{\"word\":\"w\",\"messages\":{}}",
		"{\"word\":\"w\",\"messages\":[{},7]}",
		"{\"word\":\"w\",\"messages\":[{\"role\":1}]}",
		"{\"word\":\"w\",\"wrod\":1}",
		"{\"word\":\"w\",\"limit\":1}", "[]", "{\"word\":\"w\"}",
		"{\"word\":\"w\",\"k\":1e2,\"score\":1,\"id\":7,\"filter\":{},\"kind\":null}",
	};
	struct lh_buf out = { 0 };
	struct lh_err first = { .code = LH_OK }, second = first;
	struct lh_bind *table;
	struct lh_value v;
	struct thing t;
	size_t i;

	schema_of(&out, words, LH_BIND_NULLS | LH_BIND_WORDS);
	check(lh_json_parse(&rec, out.p, out.len, &v, &err) == 0);
	table = lh_bind_read(&v, known, &err);
	check_why(table != NULL, err.msg);
	for (i = 0; i < sizeof samples / sizeof *samples; i++) {
		lh_buf_reset(&line);
		lh_buf_puts(&line, samples[i]);
		check(lh_json_parse(&rec, line.p, line.len, &v, &err) == 0);
		*first.msg = *second.msg = '\0';
		check_why(lh_bind_value(words, &v, &t, &text, &first) ==
			  lh_bind_check(table, &v, &second), samples[i]);
		check_why(!strcmp(first.msg, second.msg), second.msg);
	}
	lh_bind_free(table);
	lh_buf_free(&out);
}

/* A choice that is written with escapes is the same text in a table of the schema. */
static void a_choice_with_escapes_is_read(void)
{
	static const char schema[] = "{\"type\":\"object\",\"properties\":{\"kind\":"
		"{\"type\":\"string\",\"enum\":[\"caf\\u00e9\",\"a\\\"b\"]}}}";
	static const struct { const char *json; int want; } samples[] = {
		{ "{\"kind\":\"caf\u00e9\"}", 0 }, { "{\"kind\":\"a\\\"b\"}", 0 },
		{ "{\"kind\":\"a\"}", -1 },
	};
	struct lh_bind *table;
	struct lh_value v;
	size_t i;

	lh_buf_reset(&line);
	lh_buf_puts(&line, schema);
	check(lh_json_parse(&rec, line.p, line.len, &v, &err) == 0);
	table = lh_bind_read(&v, NULL, &err);
	check_why(table != NULL, err.msg);
	for (i = 0; i < sizeof samples / sizeof *samples; i++) {
		lh_buf_reset(&line);
		lh_buf_puts(&line, samples[i].json);
		check(lh_json_parse(&rec, line.p, line.len, &v, &err) == 0);
		check_why(lh_bind_check(table, &v, &err) == samples[i].want, samples[i].json);
	}
	lh_bind_free(table);
}

int main(void)
{
	test(every_type());
	test(an_array_of_structs());
	test(absent_members_keep_their_defaults());
	test(the_first_name_that_is_there_counts());
	test(a_lax_member_of_another_type_is_absent());
	test(an_element_of_a_lax_array_is_zero());
	test(what_a_string_must_be());
	test(wrong_members());
	test(wrong_elements());
	test(a_closed_table());
	test(a_value_that_is_no_object());
	test(a_name_that_is_known_at_run_time());
	test(a_table_that_is_too_long());
	test(a_line_without_a_field_is_refused());
	test(an_ignored_member_is_not_stored());
	test(nothing_moves());
	test(nul_and_long_keys_are_no_names());
	test(a_bounded_buffer_says_so());
	test(write_everything());
	test(go_on_with_a_record());
	test(what_a_schema_says());
	test(a_schema_accepts_what_its_table_accepts());
	test(a_table_of_a_schema_speaks_as_the_first());
	test(a_choice_with_escapes_is_read());
	return 0;
}
