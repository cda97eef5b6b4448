/* state.c - roots and states, of which nothing is kept in a cache.  See filesearch.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "filesearch_parts.h"

/* Return whether a folder has a file of such a name. */
static bool has_named(const char *folder, const char *begins, const char *ends)
{
	const size_t b = strlen(begins), e = strlen(ends);
	DIR *d = opendir(folder);
	struct dirent *one;
	bool found = false;

	while (d && !found && (one = readdir(d))) {
		const size_t n = strlen(one->d_name);

		found = n >= b + e && !strncmp(one->d_name, begins, b) &&
			!strcmp(one->d_name + n - e, ends);
	}
	if (d)
		closedir(d);
	return found;
}

static bool is_state(const char *folder)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_buf_printf(&path, "%s/data/_kb%c", folder, '\0');
	if (access(path.p, F_OK) == 0)
		return true;
	lh_buf_reset(&path);
	lh_buf_printf(&path, "%s/index%c", folder, '\0');
	if (access(path.p, F_OK) < 0)
		return false;
	return has_named(path.p, "", ".lhv") || has_named(folder, "roster", ".jsonl");
}

char *lh_filesearch_state(const char *path)
{
	char *at = realpath(path, NULL), *slash;

	for (; at; *slash = '\0') {
		if (is_state(at))
			return at;
		slash = strrchr(at, '/');
		if (!slash || slash == at)
			break;
	}
	free(at);
	return NULL;
}
