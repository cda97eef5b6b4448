/*
 * git.c - ask git which commit is checked out.  See git.h.
 *
 * A root may belong to another user than who audits it, so git's check of the owner is off.  It
 * protects from programs that the configuration of a repository names; the question below does not
 * make git run one, or look at anything but refs.  Variables such as GIT_DIR do not reach it.
 */
#include "git.h"

#include <stdio.h>
#include <string.h>

#include "proc/coproc.h"
#include "proc/run.h"

#define GIT "git", "-c", "safe.directory=*", "-c", "safe.bareRepository=explicit"
#define SECONDS 10
#define ANSWER_MAX 4096

/* Ask git in a folder, and copy its answer without the LF to out.  False with the reason in *why
 * if it has none, or one of more than n - 1 bytes: LH_EDATA; any other code is a failure to ask. */
static bool ask_git(const char *folder, char *const *argv, char *out, size_t n, struct lh_err *why)
{
	static char *const env[] = { "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
				     "GIT_CONFIG_GLOBAL=/dev/null",
				     "GIT_DISCOVERY_ACROSS_FILESYSTEM=1", NULL };
	struct lh_child_how how = { .argv = argv, .env = env, .keys = LH_KEYS_STRANGER,
				    .folder = folder, .seconds = SECONDS, .max = ANSWER_MAX };
	LH_SCOPED(lh_child_free) struct lh_child_out got;
	bool found = false;
	size_t len;

	if (lh_child_run(&how, NULL, 0, &got, why) == 0) {
		len = got.out.len ? got.out.len - 1 : 0;
		found = got.status == 0 && len && len < n;
		if (found)
			snprintf(out, n, "%.*s", (int)len, got.out.p);
		else if (got.status == 1)
			lh_err_set(why, LH_EDATA, "%s: no commit yet", folder);
		else if (got.timed_out || !strstr(got.last_line, "not a git repository"))
			lh_err_set(why, LH_EDATA, "%s: git cannot read the repository: %s", folder,
				   got.last_line);
		else
			lh_err_set(why, LH_EDATA, "%s: not in a git repository", folder);
	} else if (why->code == LH_EIO &&
		   !strncmp(why->msg, "cannot run git", sizeof "cannot run git" - 1)) {
		why->code = LH_EDATA;
	}
	return found;
}

bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why)
{
	char *argv[] = { GIT, "rev-parse", "-q", "--verify", "HEAD", NULL };

	if (ask_git(path, argv, out, LH_GIT_COMMIT + 1, why))
		return true;
	memset(out, '0', LH_GIT_COMMIT);
	out[LH_GIT_COMMIT] = '\0';
	return false;
}
