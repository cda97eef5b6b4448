/*
 * Keys masked in texts.
 */
#include "model/chat.h"

#include <sys/stat.h>

#include "check.h"

static struct lh_keys *load(const char *file)
{
	struct lh_err err = { .msg = "" };
	struct lh_keys *k;

	check_put("keys", file);
	check(chmod("keys", 0600) == 0 && setenv("LH_KEYS_FILE", "keys", 1) == 0);
	k = lh_keys_load(&err);
	check_why(k != NULL, err.msg);
	return k;
}

static void scrubs(const struct lh_keys *k, const char *text, size_t n, const char *want)
{
	struct lh_buf out = { 0 };

	lh_keys_scrub(k, text, strlen(text), n, &out);
	lh_buf_putc(&out, '\0');
	check_why(!strcmp(out.p, want), out.p);
	lh_buf_free(&out);
}

static void scrubbing(void)
{
	struct lh_keys *k = load("KIMI_API_KEY=ab/c+\nOPENCODE_API_KEY=ab\n");

	scrubs(k, "", 100, "");
	scrubs(k, "nothing here", 100, "nothing here");
	scrubs(k, "ab/c+", 100, "***");
	scrubs(k, "xabxab/c+x", 100, "x***x***x");
	scrubs(k, "ab\\/c+", 100, "***");
	scrubs(k, "\\u0061\\u0062\\u002Fc\\u002b", 100, "***");
	scrubs(k, "aab/cab", 100, "a***/c***");
	scrubs(k, "\\u006", 100, "\\u006");
	scrubs(k, "\\", 100, "\\");
	/* bytes beyond the end are not examined, and no key is cut */
	scrubs(k, "xxxxab/c+", 5, "xxxx***");
	scrubs(k, "xxxxab/c+", 4, "xxxx");
	lh_keys_free(k);
	k = load("");
	scrubs(k, "ab", 100, "ab");
	lh_keys_free(k);
}

int main(void)
{
	static const char *const names[] = {
		"OLLAMA_CLOUD_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY", "KIMI_API_KEY",
		"LH_OLLAMA_URL",
		"LH_OLLAMA_CLOUD_URL", "LH_OPENROUTER_URL", "LH_OPENCODE_URL", "LH_KIMI_URL"
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	check_folder();
	test(scrubbing());
	return 0;
}
