/* test_html.c - text from outside in a page cannot be markup, nor move or hide what is
 * around it. */

#include "check.h"
#include "text/escape.h"

static void is_shown(const char *text, const char *want)
{
	struct lh_buf b = { 0 };

	lh_html_text(&b, text, strlen(text));
	check(!b.failed);
	check_why(b.len == strlen(want) && !memcmp(b.p, want, b.len), text);
	lh_buf_free(&b);
}

static void text_stays_text(void)
{
	is_shown("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;");
	is_shown("Ä 東京 e\u0301 👍", "Ä 東京 e\u0301 👍");
}

static void what_steers_is_escaped(void)
{
	is_shown("\n\t\x7f", "\\x0a\\x09\\x7f");
	is_shown("a\u202e\u2066", "a\\xe2\\x80\\xae\\xe2\\x81\\xa6");
	is_shown("\xc2\x85\u200b", "\\xc2\\x85\\xe2\\x80\\x8b");
	is_shown("\u3164\u2800", "\\xe3\\x85\\xa4\\xe2\\xa0\\x80");
	is_shown("\u2764\ufe0f", "\u2764\ufe0f");
	is_shown("\xff\xc3", "\\xff\\xc3");
}

int main(void)
{
	test(text_stays_text());
	test(what_steers_is_escaped());
	return 0;
}
