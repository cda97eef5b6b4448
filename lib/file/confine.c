/* confine.c - Landlock.  See file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of a later ABI than the headers of Debian 12 have. */
#define REFER (UINT64_C(1) << 13)	/* 2 */
#define TRUNCATE (UINT64_C(1) << 14)	/* 3 */

#define CHANGES \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Return a set of rules with one rule: changes below the folder; -1 with *err. */
static int make_rules(const char *folder, long abi, struct lh_err *err)
{
	struct landlock_ruleset_attr all = {
		.handled_access_fs = CHANGES | (abi >= 2 ? REFER : 0) | (abi >= 3 ? TRUNCATE : 0)
	};
	struct landlock_path_beneath_attr below = { .allowed_access = all.handled_access_fs };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0), rc;

	if (rules < 0)
		return lh_err_sys(err, "Landlock");
	below.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = below.parent_fd < 0 ? -1 :
	     (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	if (rc < 0)
		lh_err_sys(err, "%s: Landlock", folder);
	if (below.parent_fd >= 0)
		close(below.parent_fd);
	if (!rc)
		return rules;
	close(rules);
	return -1;
}

int lh_confine(const char *folder, struct lh_err *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	int rules, rc;

	if (abi < 1)
		return 0;
	rules = make_rules(folder, abi, err);
	if (rules < 0)
		return -1;
	rc = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!rc)
		rc = (int)syscall(SYS_landlock_restrict_self, rules, 0);
	if (rc)
		lh_err_sys(err, "Landlock");
	close(rules);
	return rc ? -1 : 1;
}
