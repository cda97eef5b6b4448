/* replace.c - whether a file that stands where a tool writes may be replaced.  See tool.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "text/escape.h"
#include "tool.h"

#define AUDIT_LOG ".audit.jsonl"
#define BEGIN_MAX 256		/* bytes of a file's beginning */

extern char **environ;

const struct lh_made lh_made_page = { "a page of these tools", { LH_HTML_BEGIN }, NULL };

static bool is_file(const char *path, const struct stat *of)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == of->st_dev && st.st_ino == of->st_ino;
}

static bool ends_so(const char *text, size_t n, const char *end)
{
	return n >= strlen(end) && memcmp(text + n - strlen(end), end, strlen(end)) == 0;
}

/* Return whether an option of that name has the path of a key or a token. */
static bool names_secret(const struct lh_option *o)
{
	size_t n = o->name ? strlen(o->name) : 0;

	return ends_so(o->name, n, "key-file") || ends_so(o->name, n, "token-file");
}

/* Find the option whose value is the path of that file, a key or a token; or NULL. */
static const char *option_of_secret(const struct lh_tool *t, const struct stat *st)
{
	const struct lh_option *o;
	size_t i;

	for (o = t->options; o->key || o->name; o++) {
		const struct lh_list *list = lh_tool_option_field(t, o);
		const char *const *text = lh_tool_option_field(t, o);

		if (!text || !names_secret(o))
			continue;
		if (o->type == LH_OPT_TEXT && *text && is_file(*text, st))
			return o->name;
		for (i = 0; o->type == LH_OPT_TEXTS && i < list->n; i++)
			if (is_file(list->v[i], st))
				return o->name;
	}
	return NULL;
}

/* Find the variable of the environment that has the path of that file, a key or a token. */
static const char *variable_of_secret(const struct stat *st)
{
	static const char *const words[] = { "KEY", "TOKEN", "CREDENTIALS" };
	char **v;
	size_t i;

	for (v = environ; v && *v; v++) {
		const char *value = strchr(*v, '=');

		for (i = 0; value && i < sizeof words / sizeof *words; i++)
			if (memmem(*v, (size_t)(value - *v), words[i], strlen(words[i])) &&
			    is_file(value + 1, st))
				return *v;
	}
	return NULL;
}

/* Refuse a file that is never replaced, also with --force. */
static int refuse_always(struct lh_tool *t, const char *path, const struct stat *st)
{
	const char *name;

	if (ends_so(path, strlen(path), AUDIT_LOG))
		return lh_tool_usage(t, "%s: is an audit log, which is never replaced", path);
	name = option_of_secret(t, st);
	if (name)
		return lh_tool_usage(t, "%s: is what --%s names, and never replaced", path, name);
	name = variable_of_secret(st);
	if (name)
		return lh_tool_usage(t, "%s: is what %.*s names, and never replaced", path,
				     (int)strcspn(name, "="), name);
	return 0;
}

/* Return whether the file is one of that kind: 1, 0, or -1 if it cannot be read. */
static int is_made(const char *path, const struct lh_made *made, struct lh_err *err)
{
	char begin[BEGIN_MAX];
	ssize_t n;
	size_t i;
	int fd;

	if (made->is)
		return made->is(path);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return lh_err_sys(err, "%s: cannot tell what is replaced", path);
	n = lh_read_some(fd, begin, sizeof begin, err);
	close(fd);
	for (i = 0; n >= 0 && i < LH_MADE_WAYS && made->begins[i]; i++)
		if ((size_t)n >= strlen(made->begins[i]) &&
		    memcmp(begin, made->begins[i], strlen(made->begins[i])) == 0)
			return 1;
	return n < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

/* A path that names no regular file is left to what opens it for writing. */
int lh_tool_replaces(struct lh_tool *t, const char *path, const struct lh_made *made)
{
	struct stat st;
	int rc;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (refuse_always(t, path, &st) < 0)
		return -1;
	if (!st.st_size || t->force)
		return 0;
	rc = is_made(path, made, &t->err);
	if (rc)
		return rc < 0 ? -1 : 0;
	return lh_tool_usage(t, "%s: is not %s: give another name, or --force", path, made->what);
}
