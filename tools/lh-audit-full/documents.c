/* documents.c - phase 0: documents and streams. */
#include "audit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "file/file.h"
#include "distill/root.h"

int root_file(const struct audit *a, const char *relpath, struct lh_buf *out, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(a->root, relpath);

	return lh_file_read(path, out, err);
}

/* Return 1 if there is a regular file of that name, 0 if nothing is there, -1 with
 * the reason (it is not a regular file). */
static int root_has(const struct audit *a, const char *relpath, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_root_join(a->root, relpath);
	struct stat st;
	int rc = 1;

	if (lstat(path, &st) < 0)
		rc = errno == ENOENT || errno == ENOTDIR ? 0 : lh_err_sys(err, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = lh_not_regular(path, st.st_mode, err);
	return rc;
}

static int check_recon(struct audit *a, struct lh_err *err)
{
	int rc = root_has(a, AUDIT_RECON, err);

	if (rc < 0 && !check_is_finding(err))
		return -1;
	check_set(a, CHECK_RECON, rc > 0, AUDIT_RECON, "%s",
		  rc > 0 ? "present" : rc ? check_reason(a, err) : "absent");
	return 0;
}

int phase_documents(struct audit *a, struct lh_err *err)
{
	int i, rc, there = 0;

	if (check_recon(a, err) < 0)
		return -1;
	for (i = 0; i < TIER1; i++) {
		rc = root_has(a, lh_stream_source((enum lh_stream)i), err);
		if (rc < 0 && !check_is_finding(err))
			return -1;
		if (rc < 0)
			check_note(a, CHECK_STREAMS, "%s", check_reason(a, err));
		there += rc > 0;
	}
	check_set(a, CHECK_STREAMS, there > 0, "> 0 of 8", "%d of %d", there, TIER1);
	return 0;
}
