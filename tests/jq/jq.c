/*
 * jq that starts in a tenth of the time, for the tests, which start it ten thousand times.
 *
 * jq 1.6 binds each function of its own, which are written in jq, to each place where it is
 * called, and does so again at each start: that is what it spends its time with.  jq is the
 * same program here, but the text of its own functions is cut, before it is parsed, to those
 * whose name is in the filter, and those that they call.  A function that were missing would
 * be an error, and a jq with another text is left as it is.
 *
 * This is compiled twice: as the program jq, which starts that of Debian with the library
 * beside it, and with -DLIBRARY as that library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef LIBRARY

#include <err.h>
#include <limits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - sizeof ".so");

	(void)argc;
	if (len < 0)
		err(2, "/proc/self/exe");
	strcpy(path + len, ".so");
	setenv("LD_PRELOAD", path, 1);
	execv("/usr/bin/jq", argv);
	err(127, "/usr/bin/jq");
}

#else

#include <ctype.h>
#include <dlfcn.h>
#include <stdbool.h>

#define LENGTH 12645	/* of the text in jq 1.6 */

static char asked[1 << 20];
static size_t asked_len;

/* Names in this text are called. */
static bool ask(const char *text, size_t len)
{
	if (len + 2 > sizeof asked - asked_len)
		return false;
	memcpy(asked + asked_len, text, len);
	asked[asked_len += len] = ' ';
	asked_len++;
	return true;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool is_asked(const char *name, size_t len)
{
	for (const char *at = asked; (at = memmem(at, asked + asked_len - at, name, len)); at++)
		if ((at == asked || !in_name(at[-1])) && !in_name(at[len]))
			return true;
	return false;
}

/* Copy the definitions that are asked for, each of which begins a line; true if any were. */
static bool keep(char *kept, const char *text)
{
	bool any = false;

	for (size_t at = 0, next, name; at < LENGTH; at = next) {
		const char *end = memmem(text + at + 1, LENGTH - at - 1, "\ndef ", 5);

		next = end ? (size_t)(end + 1 - text) : LENGTH;
		for (name = at + 4; name < next && in_name(text[name]); name++)
			;
		if (kept[at] == ' ' && is_asked(text + at + 4, name - at - 4) &&
		    ask(text + at, next - at)) {
			memcpy(kept + at, text + at, next - at);
			any = true;
		}
	}
	return any;
}

/* In place of libjq's own, which parses the filter first and then its own functions. */
void *jq_yy_scan_bytes(const char *text, int len, void *scanner);
void *jq_yy_scan_bytes(const char *text, int len, void *scanner)
{
	void *(*real)(const char *, int, void *) = dlsym(RTLD_NEXT, __func__);
	static char kept[LENGTH];

	unsetenv("LD_PRELOAD");
	if (len != LENGTH || strncmp(text, "def halt_error:", 15) != 0) {
		if (!ask(text, (size_t)len))
			memset(asked, 0, sizeof asked);
		return real(text, len, scanner);
	}
	memset(kept, ' ', sizeof kept);
	do {
		/* what the parser calls by itself, the first for break */
		ask("error", 5);
		if (memmem(asked, asked_len, "..", 2))
			ask("recurse", 7);
		if (memchr(asked, '=', asked_len))
			ask("_assign _modify", 15);
	} while (keep(kept, text));
	return real(kept, LENGTH, scanner);
}

#endif
