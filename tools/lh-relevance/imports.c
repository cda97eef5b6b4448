/* imports.c - recognize text that consists of import statements. */
#include "base/utf8.h"
#include "relevance.h"

static bool starts(struct lh_str s, const char *with)
{
	return s.n >= strlen(with) && memcmp(s.p, with, strlen(with)) == 0;
}

static bool has(struct lh_str s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static char last(struct lh_str s)
{
	return s.n ? s.p[s.n - 1] : '\0';
}

/* Return whether s is the keyword and, after optional blanks, a quote or bracket. */
static bool calls(struct lh_str s, const char *keyword)
{
	size_t i = strlen(keyword);

	if (!starts(s, keyword))
		return false;
	while (i < s.n && lh_is_blank(s.p[i]))
		i++;
	return i < s.n && (s.p[i] == '"' || s.p[i] == '\'' || s.p[i] == '(');
}

static bool is_comment(struct lh_str s)
{
	if (starts(s, "//") || starts(s, "/*") || starts(s, "*"))
		return true;
	return starts(s, "#") &&
		(s.n == 1 || lh_is_blank(s.p[1]) || s.p[1] == '#' || s.p[1] == '!');
}

/* Return whether a line imports in C, Go, Java, JavaScript, PHP, Python, Ruby, Rust or
 * TypeScript.  Keywords that prose may begin with must end or continue as in a
 * statement. */
static bool is_import(struct lh_str s)
{
	if (starts(s, "#include") || starts(s, "#import") || starts(s, "import ") ||
	    starts(s, "import{") || starts(s, "import("))
		return true;
	if (calls(s, "import") || calls(s, "require") || calls(s, "require_relative") ||
	    calls(s, "include"))
		return true;
	if (starts(s, "from ") && has(s, " import "))
		return true;
	if (starts(s, "use ") || starts(s, "pub use ") || starts(s, "using ") ||
	    starts(s, "extern crate "))
		return last(s) == ';' || last(s) == '{';
	if (starts(s, "package "))
		return !memchr(s.p + 8, ' ', s.n - 8);
	if (starts(s, "export "))
		return has(s, " from '") || has(s, " from \"");
	return (starts(s, "const ") || starts(s, "let ") || starts(s, "var ")) &&
		has(s, "= require(");
}

/* Count the brackets that the line leaves open. */
static long open_after(struct lh_str s)
{
	long open = 0;
	size_t i;

	for (i = 0; i < s.n; i++) {
		open += s.p[i] == '(' || s.p[i] == '{' || s.p[i] == '[';
		open -= s.p[i] == ')' || s.p[i] == '}' || s.p[i] == ']';
	}
	return open;
}

bool imports_only(struct lh_str text)
{
	struct lh_str line;
	bool some = false;
	long open = 0;

	while (lh_next_line(&text, &line)) {
		line = lh_trim(line.p, line.n);
		if (open > 0) {
			open += open_after(line);
			continue;
		}
		if (!line.n || is_comment(line))
			continue;
		if (!is_import(line))
			return false;
		some = true;
		open = open_after(line);
	}
	return some;
}
