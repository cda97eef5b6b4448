/* lib/serve without processes: routes, what no filter of the family answers, the configuration.
 * Targets, bodies and other answers are in serve-http.bats. */

#include "json_text.h"
#include "serve/body.h"
#include "serve/routes.h"

static struct lh_err err;

static void a_route_is_a_method_and_pieces(void)
{
	static const char *const good[] = {
		"GET /", "POST /a", "PUT /a/{b}", "PATCH /{a}/{b}/c", "DELETE /a.b/~c/{d}",
		"GET /\xc3\xa4", "GET /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16",
	};
	static const char *const bad[] = {
		"", "GET", "GET ", "GET a", "/a", "get /a", "HEAD /a", "OPTIONS /a", "BREW /a",
		"GETX /a", "GET  /a", "GET //", "GET /a/", "GET /a//b", "GET /{}", "GET /{a",
		"GET /a}", "GET /{a}b", "GET /a{b}", "GET /{a{b}}", "GET /a%20b", "GET /a?b",
		"GET /{a}/{a}", "GET /\xff", "GET /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
	};
	size_t i;

	for (i = 0; i < sizeof good / sizeof *good; i++) {
		struct lh_route r = { 0 };

		check_why(lh_route_parse(&r, good[i], &err) == 0, err.msg);
		check(!strcmp(r.route, good[i]));
		lh_route_free(&r);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct lh_route r = { 0 };

		check_why(lh_route_parse(&r, bad[i], &err) < 0 && err.code == LH_EDATA, bad[i]);
		lh_route_free(&r);
	}
}

static bool same(const char *a, const char *b)
{
	struct lh_route x = { 0 }, y = { 0 };
	bool is;

	check(lh_route_parse(&x, a, &err) == 0 && lh_route_parse(&y, b, &err) == 0);
	is = lh_route_same(&x, &y) && lh_route_same(&y, &x);
	lh_route_free(&x);
	lh_route_free(&y);
	return is;
}

static void names_do_not_tell_routes_apart(void)
{
	check(same("GET /a/{b}", "GET /a/{c}") && same("GET /", "GET /"));
	check(!same("GET /a/{b}", "GET /a/b") && !same("GET /a", "POST /a"));
	check(!same("GET /a", "GET /a/b") && !same("GET /{a}/b", "GET /a/{b}"));
}

static void a_constant_is_no_piece(void)
{
	struct lh_route r = { 0 };
	struct lh_value v = value_of("{\"i\\u0064\":1}");

	check(lh_route_parse(&r, "GET /{id}", &err) == 0);
	check(lh_route_set_members(&r, &v, &err) < 0 && err.code == LH_EDATA);
	lh_route_free(&r);
}

static void find(const char *method, const char *target, size_t skip, const char *want)
{
	static const char *const text[] = { "GET /", "GET /{a}/b", "GET /a/{b}", "GET /{a}/{b}",
					    "GET /a/b", "POST /a" };
	struct lh_routes all = { 0 };
	struct lh_route_path p = { 0 };
	struct lh_route v[6] = { 0 };
	const struct lh_route *r;
	size_t i;

	for (i = 0; i < 6; i++)
		check(lh_route_parse(&v[i], text[i], &err) == 0);
	all.v = v;
	all.n = 6;
	check_why(lh_route_path_read(&p, lh_str_of(target), &err) == 0, err.msg);
	r = lh_routes_find(&all, method, &p, skip);
	check_why(want ? r && !strcmp(r->route, want) : !r, target);
	for (i = 0; i < 6; i++)
		lh_route_free(&v[i]);
	lh_route_path_free(&p);
}

static void the_route_with_the_fewest_names_is_found(void)
{
	find("GET", "/a/b", 0, "GET /a/b");
	find("GET", "/a/c", 0, "GET /a/{b}");
	find("GET", "/c/b", 0, "GET /{a}/b");
	find("GET", "/c/d", 0, "GET /{a}/{b}");
	find("GET", "/c", 0, NULL);
	find("POST", "/a/b", 0, NULL);
	find("POST", "/a", 0, "POST /a");
	find("GET", "/", 0, "GET /");
	find("GET", "//", 0, NULL);
	find("GET", "/m/", 1, "GET /");
	find("GET", "/m", 1, "GET /");
	find("GET", "/m/a/b", 1, "GET /a/b");
	find("GET", "/m//", 1, NULL);
}

static void says(const char *line, bool own, unsigned status, const char *body)
{
	struct lh_answer a = { .status = 0 };

	lh_answer_read(record_of(line), own, &a);
	check_why(a.status == status, line);
	check_why(lh_str_is(a.body, body, strlen(body)), line);
	lh_answer_free(&a);
}

/* Members that a program of the operator's own may have mean nothing. */
static void an_answer_of_a_program_of_ones_own_has_a_status(void)
{
	says("{\"status\":404,\"a\":1}", true, 200, "{\"status\":404,\"a\":1}");
	says("{\"code\":404,\"a\":1}", true, 200, "{\"code\":404,\"a\":1}");
	says("{\"message\":\"no\",\"status\":404}", true, 404, "{\"error\":\"no\"}");
	says("{\"error\":{\"code\":404,\"message\":\"no\"},\"status\":200}", true, 404,
	     "{\"error\":\"no\"}");
	says("{\"error\":{\"code\":422}}", false, 422,
	     "{\"error\":\"the filter refused the request\"}");
	says("{\"a\":1,\"code\":404,\"status\":409}", false, 409, "{\"a\":1}");
	says("{\"status\":4.04e2,\"a\":1}", false, 404, "{\"a\":1}");
}

/* ---- the configuration ---- */

static void what_guards_a_route_guards_its_replacement(void)
{
	struct lh_routes all = { 0 }, own = { 0 };
	struct lh_route v[2] = { 0 };
	size_t i, seen = 0, n;

	check(lh_routes_built_in(&all, "state", &err) == 0);
	n = all.n;
	check(lh_route_parse(&v[0], "GET /v1/audit/subject/{who}", &err) == 0);
	check(lh_route_parse(&v[1], "GET /health", &err) == 0);
	own.v = v;
	own.n = 2;
	lh_routes_replace(&all, &own);
	check(all.n == n);
	for (i = 0; i < all.n; i++) {
		seen += !strcmp(all.v[i].path, "/v1/audit/subject/{who}") && all.v[i].audit;
		seen += !strcmp(all.v[i].path, "/health") && all.v[i].open;
	}
	check(seen == 2);
	lh_routes_free(&all);
}

static bool is_operation(const struct lh_route *r, const char *id)
{
	struct lh_value v;

	return r->operation.p ? lh_value_get(&r->operation, "id", &v) &&
				lh_value_is(&v, id, strlen(id))
			      : !*id;
}

/* The operation that a command and members have: that of its program, modes and "op". */
static void a_route_has_the_operation_of_its_command(void)
{
	const struct lh_described all[] = {
		{ (const char *const[]){ "lh-embed", "--wire", "go", "-j1", NULL },
		  "{\"operations\":[{\"name\":\"\",\"operands\":\"\",\"id\":\"go\"},"
		  "{\"name\":\"stats\",\"operands\":null,\"id\":\"stats\"}]}" },
		{ (const char *const[]){ "lh-index", "requests", "{state}", NULL },
		  "{\"operations\":[{\"name\":\"get\",\"operands\":\"ID\",\"id\":\"command\"},"
		  "{\"name\":\"get\",\"operands\":null,\"id\":\"get\"},"
		  "{\"name\":\"requests\",\"operands\":\"\",\"id\":\"any\"}]}" },
		{ NULL, NULL }
	};
	static const struct {
		const char *words[6], *members, *id;
	} cases[] = {
		{ { "/usr/bin/lh-embed", "-q", "--wire", "go" }, NULL, "go" },
		{ { "lh-embed", "--wire", "go" }, "\"a\":{\"op\":1},\"op\":\"stats\"", "stats" },
		{ { "lh-embed", "--wire", "go" }, "\"op\":\"other\"", "" },
		{ { "lh-embed", "--wire", "rust" }, NULL, "" },
		{ { "lh-embed" }, NULL, "" },
		{ { "lh-embed", "--wire", "go", "--info" }, NULL, "" },
		{ { "lh-index", "requests", "x" }, "\"op\":\"g\\u0065t\"", "get" },
		{ { "lh-index", "requests", "x" }, NULL, "any" },
		{ { "lh-index", "get", "x" }, NULL, "" },
		{ { "my-index", "requests" }, NULL, "" },
		{ { NULL }, NULL, "" },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct lh_route r = { .run = *cases[i].words ? (char **)cases[i].words : NULL,
				      .members = (char *)cases[i].members };
		struct lh_routes one = { &r, 1, 1 };

		lh_routes_describe(&one, all);
		check_why(is_operation(&r, cases[i].id), cases[i].id);
	}
}

int main(void)
{
	test(a_route_is_a_method_and_pieces());
	test(names_do_not_tell_routes_apart());
	test(a_constant_is_no_piece());
	test(the_route_with_the_fewest_names_is_found());
	test(an_answer_of_a_program_of_ones_own_has_a_status());
	test(what_guards_a_route_guards_its_replacement());
	test(a_route_has_the_operation_of_its_command());
	return 0;
}
