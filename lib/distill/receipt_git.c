/*
 * receipt_git.c - find the commit that is checked out, from git's own files
 * (gitrepository-layout(5)): HEAD, loose refs, packed-refs; a worktree's .git is a
 * file that names its folder, whose commondir has the refs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/file.h"
#include "base/mem.h"
#include "receipt.h"

#define SMALL 4096	/* HEAD, a loose ref, .git, commondir: one line each */
#define FOLLOWED 5	/* refs that name refs */

/* Read the first line of a small file into out (SMALL bytes); false if there is none. */
static bool first_line(const char *folder, const char *name, char *out)
{
	char path[2 * SMALL];
	ssize_t n = -1;
	int fd;

	if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "",
			     name) >= sizeof path)
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, SMALL - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static bool is_commit(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && ((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
		i++;
	return i == n && n == LH_GIT_COMMIT;
}

/* Search "<commit> <ref>" lines in a file that may be large. */
static bool in_packed_refs(const char *common, const char *ref, char out[LH_GIT_COMMIT + 1],
			   struct lh_err *why)
{
	const char *p, *end, *lf;
	size_t want = strlen(ref);
	struct lh_mapped m;
	char path[2 * SMALL];
	bool found = false;

	if ((size_t)snprintf(path, sizeof path, "%s/packed-refs", common) >= sizeof path ||
	    lh_mapped_open(&m, path, why) < 0)
		return false;
	for (p = m.p, end = p + m.n; p < end && !found; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf)
			lf = end;
		found = (size_t)(lf - p) == LH_GIT_COMMIT + 1 + want &&
			is_commit(p, LH_GIT_COMMIT) &&
			p[LH_GIT_COMMIT] == ' ' && !memcmp(p + LH_GIT_COMMIT + 1, ref, want);
		if (found)
			memcpy(out, p, LH_GIT_COMMIT);
	}
	lh_mapped_close(&m);
	return found;
}

/* Return whether ref is "refs/..." and stays inside that folder. */
static bool is_ref(const char *ref)
{
	return !strncmp(ref, "refs/", 5) && !strstr(ref, "..");
}

static bool resolve(const char *dir, const char *common, char out[LH_GIT_COMMIT + 1],
		    struct lh_err *why)
{
	char text[SMALL], ref[SMALL] = "HEAD";
	int i;

	for (i = 0; i < FOLLOWED; i++) {
		bool loose = first_line(dir, ref, text) || first_line(common, ref, text);

		if (!loose && i && in_packed_refs(common, ref, out, why))
			return true;
		if (!loose)
			break;
		if (is_commit(text, strlen(text))) {
			memcpy(out, text, LH_GIT_COMMIT);
			return true;
		}
		if (strncmp(text, "ref: ", 5) || !is_ref(text + 5))
			break;
		memmove(ref, text + 5, strlen(text + 5) + 1);
	}
	lh_err_set(why, LH_EIO, i && i < FOLLOWED ? "%s: no commit on %s yet"
		   : "%s: cannot make out what %s is", dir, ref);
	return false;
}

/* Copy path, or base/path if it is relative. */
static bool absolute(char *out, const char *base, const char *path)
{
	return (size_t)snprintf(out, SMALL, "%s%s%s", *path == '/' ? "" : base,
				*path == '/' ? "" : "/", path) < SMALL;
}

/* Find the repository whose .git is in folder: dir has HEAD, common the refs. */
static bool repository(const char *folder, char *dir, char *common)
{
	char text[SMALL];
	struct stat st;

	if (!absolute(dir, folder, ".git") || stat(dir, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode) &&
	    (!first_line(dir, "", text) || strncmp(text, "gitdir: ", 8) ||
	     !absolute(dir, folder, text + 8)))
		return false;
	if (first_line(dir, "commondir", text))
		return absolute(common, dir, text);
	memcpy(common, dir, strlen(dir) + 1);
	return true;
}

/* Find the repository around path. */
static bool find_repository(const char *path, char *dir, char *common, struct lh_err *why)
{
	char *folder = realpath(path, NULL), *slash = NULL;
	bool found = false;

	if (!folder) {
		lh_err_sys(why, "%s", path);
		return false;
	}
	do {
		if (slash)
			*slash = '\0';
		found = repository(folder, dir, common);
		slash = strrchr(folder, '/');
	} while (!found && slash);
	free(folder);
	if (!found)
		lh_err_set(why, LH_EIO, "%s: not in a git repository", path);
	return found;
}

bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why)
{
	char dir[SMALL], common[SMALL];

	memset(out, '0', LH_GIT_COMMIT);
	out[LH_GIT_COMMIT] = '\0';
	return find_repository(path, dir, common, why) && resolve(dir, common, out, why);
}

bool lh_git_branch(const char *path, char *out, size_t n)
{
	static const char head[] = "ref: refs/heads/";
	char dir[SMALL], common[SMALL], text[SMALL];
	struct lh_err why;

	if (!find_repository(path, dir, common, &why) || !first_line(dir, "HEAD", text) ||
	    strncmp(text, head, sizeof head - 1) ||
	    (size_t)snprintf(out, n, "%s", text + sizeof head - 1) >= n)
		*out = '\0';
	return *out;
}
