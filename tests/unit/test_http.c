/* lh_http: addresses, and what messages show of them and of answers. */
#undef NDEBUG
#include <assert.h>

#include "check.h"
#include "model/http.h"

static void masks(const char *url, const char *shown)
{
	char out[64];

	lh_http_mask(url, out, sizeof out);
	if (strcmp(out, shown)) {
		fprintf(stderr, "%s: %s, not %s\n", url, out, shown);
		assert(0);
	}
}

static bool good(const char *url)
{
	struct lh_err err;

	return lh_http_check_url(url, &err) == 0;
}

static void names_and_passwords_are_masked(void)
{
	masks("http://h:1/x", "http://h:1/x");
	masks("http://me:pass@h/x", "http://***@h/x");
	masks("https://me:p@ss@h", "https://***@h");
	masks("http://h/x@y", "http://h/x@y");
	masks("me:pass@h", "***@h");
	masks("http:/me:pass@h/x", "***@h/x");
	masks("http://me:pa/ss@h/x", "http://***@h/x");
	masks("http://[::1]:80/x@y", "http://[::1]:80/x@y");
}

static void addresses_are_checked(void)
{
	assert(good("http://127.0.0.1:11434"));
	assert(good("HTTPS://me:pw@[::1]:8080/base"));
	assert(!good("ftp://h") && !good("file:///etc/passwd") && !good("h:11434") && !good(""));
	assert(!good("http://") && !good("http://:80") && !good("http://me@/x"));
	assert(good("http://h:/") && !good("http://h:http/") && !good("http://h:0") &&
	       !good("http://[::1]:65536"));
	assert(!good("http://h:1:2/") && !good("http://h:000080/") && good("http://h:00080/"));
	assert(!good("http://h/a b") && !good("http://h/\n"));
}

static void a_bearer_is_printable(void)
{
	struct lh_err err;

	assert(lh_http_check_bearer("sk-0123/=+.~", &err) == 0 &&
	       lh_http_check_bearer("", &err) == 0);
	assert(lh_http_check_bearer("a b", &err) < 0 && err.code == LH_EUSAGE &&
	       !strstr(err.msg, "a b"));
	assert(lh_http_check_bearer("a\r\nX: y", &err) < 0 &&
	       lh_http_check_bearer("\x7f", &err) < 0);
	assert(lh_http_check_bearer("\xc3\xa9", &err) < 0);
}

static void what_an_answer_says_is_masked_and_cut(void)
{
	struct lh_http_reply reply = { .status = 200 };
	struct lh_err err;
	char body[300];

	lh_http_refuse(&err, "http://u:p@h/a", &reply, NULL);
	assert(err.code == LH_ENET && !strcmp(err.msg, "http://***@h/a: HTTP 200"));

	/* "me:p/ss" in base64 is bWU6cC9zcw==; plain, with an escape, and cut */
	reply = (struct lh_http_reply){ .status = 401, .body =
					"Basic bWU6cC9zcw== bWU6cC9zcw me:p\\/ss p%2Fss; home" };
	reply.len = strlen(reply.body);
	lh_http_refuse(&err, "http://me:p%2Fss@h/a", &reply, "duplicate key \"p/ss\"");
	assert(!strcmp(err.msg, "http://***@h/a: HTTP 401: duplicate key \"***\": "
				"Basic ***== *** *** ***; ho***"));
	reply = (struct lh_http_reply){ .status = 307, .moved = "https://h" };
	lh_http_refuse(&err, "http://h/a", &reply, NULL);
	assert(!strcmp(err.msg,
		       "http://h/a: HTTP 307: a redirect to https://h, which is not followed"));

	/* 200 bytes would cut the star in two */
	memset(body, 'x', sizeof body);
	memcpy(body + 198, "\xe2\xad\x90", 3);
	reply = (struct lh_http_reply){ .status = 500, .body = body, .len = sizeof body };
	lh_http_refuse(&err, "http://h", &reply, "odd");
	assert(!strncmp(err.msg, "http://h: HTTP 500: odd: xxx", 28));
	assert(strlen(err.msg) == 25 + 198);
}

int main(void)
{
	test(names_and_passwords_are_masked());
	test(addresses_are_checked());
	test(a_bearer_is_printable());
	test(what_an_answer_says_is_masked_and_cut());
	return 0;
}
