/*
 * Addresses and keys from the environment and a file; keys masked in texts; the
 * provider for each model.
 */
#include "model/chat.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static char path[] = "/tmp/lh-test-keys.XXXXXX";

static struct lh_keys *load(const char *file)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	struct lh_err err = { .msg = "" };
	struct lh_keys *k;

	check(fd >= 0 && write(fd, file, strlen(file)) == (ssize_t)strlen(file) && close(fd) == 0);
	check(setenv("LH_KEYS_FILE", path, 1) == 0);
	k = lh_keys_load(&err);
	check_why(k != NULL, err.msg);
	return k;
}

static void is_key(const char *file, const char *want)
{
	struct lh_keys *k = load(file);

	check(lh_keys_has(k, LH_KIMI) == (want != NULL));
	if (want)
		check_why(!strcmp(lh_keys_token(k, LH_KIMI), want), lh_keys_token(k, LH_KIMI));
	else
		check(!lh_keys_token(k, LH_KIMI));
	check(lh_keys_has(k, LH_OLLAMA) && !lh_keys_token(k, LH_OLLAMA));
	lh_keys_free(k);
}

static void files(void)
{
	is_key("", NULL);
	is_key("\n\n# KIMI_API_KEY=a\n", NULL);
	is_key("KIMI_API_KEY=", NULL);
	is_key("KIMI_API_KEY=''", NULL);
	is_key("KIMI_API_KEY=a", "a");
	is_key("KIMI_API_KEY=a\nKIMI_API_KEY=b\r\n", "b");
	is_key("KIMI_API_KEY=a\nKIMI_API_KEY=\n", NULL);
	is_key("  export   KIMI_API_KEY=a#b # c", "a#b");
	is_key("KIMI_API_KEYS=a\nXKIMI_API_KEY=b\nkimi_api_key=c\n", NULL);
	is_key("export KIMI_API_KEY='a'\"b\"c", "abc");
	is_key("KIMI_API_KEY=\"$HOME`x`\"", "$HOME`x`");
	is_key("export=x\nKIMI_API_KEY=\\a\\", "a\\");
	setenv("KIMI_API_KEY", "env", 1);
	is_key("KIMI_API_KEY=a", "env");
	unsetenv("KIMI_API_KEY");
}

static void addresses(void)
{
	struct lh_keys *k;
	struct lh_err err;

	setenv("LH_OLLAMA_URL", "http://h:1///", 1);
	k = load("");
	check(!strcmp(lh_keys_url(k, LH_OLLAMA), "http://h:1"));
	check(!strcmp(lh_keys_url(k, LH_OPENCODE), "https://opencode.ai/zen/v1"));
	lh_keys_free(k);
	setenv("LH_OLLAMA_URL", "h:1", 1);
	check(!lh_keys_load(&err) && err.code == LH_EUSAGE);
	unsetenv("LH_OLLAMA_URL");
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

static void routes(void)
{
	static const struct {
		const char *model;
		enum lh_provider p;
		const char *upstream;
	} row[] = {
		{ "m", LH_OLLAMA, "m" }, { "m:8b", LH_OLLAMA, "m:8b" }, { "", LH_OLLAMA, "" },
		{ "ollama/m", LH_OLLAMA, "m" }, { "ollama/m:cloud", LH_OLLAMA, "m:cloud" },
		{ "ollama/", LH_OLLAMA, "" },
		{ "ollama", LH_OLLAMA, "ollama" }, { "ollama/ollama/m", LH_OLLAMA, "ollama/m" },
		{ "hf.co/x", LH_OLLAMA, "hf.co/x" }, { "/m", LH_OLLAMA, "/m" },
		{ "Kimi/m", LH_OLLAMA, "Kimi/m" },
		{ "m:cloud", LH_OLLAMA_CLOUD, "m" }, { ":cloud", LH_OLLAMA_CLOUD, "" },
		{ "cloud", LH_OLLAMA, "cloud" },
		{ "m:CLOUD", LH_OLLAMA, "m:CLOUD" }, { "m-cloud", LH_OLLAMA, "m-cloud" },
		{ "m:cloud:cloud", LH_OLLAMA_CLOUD, "m:cloud" },
		{ "hf.co/x:cloud", LH_OLLAMA_CLOUD, "hf.co/x" },
		{ "ollama_cloud/m", LH_OLLAMA_CLOUD, "m" },
		{ "ollama_cloud/m:cloud", LH_OLLAMA_CLOUD, "m" },
		{ "openrouter/v/m", LH_OPENROUTER, "v/m" },
		{ "openrouter/v/m:cloud", LH_OPENROUTER, "v/m:cloud" },
		{ "opencode/m", LH_OPENCODE, "m" }, { "kimi/m", LH_KIMI, "m" },
		{ "kimi/kimi/m", LH_KIMI, "kimi/m" },
	};
	struct lh_str up;
	size_t i;

	for (i = 0; i < sizeof row / sizeof *row; i++) {
		struct lh_str model = { row[i].model, strlen(row[i].model) };

		check_why(lh_chat_route(model, &up) == row[i].p, row[i].model);
		check_why(up.n == strlen(row[i].upstream) && !memcmp(up.p, row[i].upstream, up.n),
			  row[i].model);
	}
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
	check(mkstemp(path) >= 0);
	test(files());
	test(addresses());
	test(scrubbing());
	unlink(path);
	test(routes());
	return 0;
}
