/* git - which commit is checked out. */
#ifndef LH_GIT_H
#define LH_GIT_H

#include <stdbool.h>

#include <lh/err.h>

#define LH_GIT_COMMIT 40	/* hex digits */

/* Ask git for the commit of the repository around a folder, 40 hex digits and a NUL; zeros,
 * and false with the reason in *why, if there is none, or no git (LH_EDATA), or it could not be
 * asked (LH_EIO, LH_EINTR). */
bool lh_git_commit(const char *path, char out[LH_GIT_COMMIT + 1], struct lh_err *why);

#endif
