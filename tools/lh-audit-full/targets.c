/* targets.c - check that the output files of an audit may be written.  See audit.h. */
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "audit.h"

/* A name in a folder, independent of the path to it: files are replaced by name. */
struct place {
	const char *who, *path, *name;
	struct stat folder;
	bool is_there;		/* the folder exists */
};

static bool same_place(const struct place *a, const struct place *b)
{
	return a->is_there && b->is_there && a->folder.st_dev == b->folder.st_dev &&
		a->folder.st_ino == b->folder.st_ino &&
	       strcmp(a->name, b->name) == 0;
}

int targets_check(const struct audit *a, struct lh_err *err)
{
	char *baselines = lh_root_join(a->root, AUDIT_BASELINES);
	char *replays = lh_root_join(a->root, AUDIT_REPLAYS);
	struct place p[] = {
		{ .who = "the log of replays", .path = replays },
		{ .who = "the file of baselines", .path = baselines },
		{ .who = "--out", .path = a->s->out },
		{ .who = "--html", .path = a->s->html },
	};
	int rc = 0;
	size_t i, k;

	for (i = 0; i < sizeof p / sizeof *p; i++) {
		const char *path = p[i].path, *slash = path ? strrchr(path, '/') : NULL;
		char folder[PATH_MAX] = ".";
		int n = slash ? snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path),
					 path) : 1;

		p[i].name = slash ? slash + 1 : path;
		p[i].is_there = path && n < PATH_MAX && stat(folder, &p[i].folder) == 0;
	}
	for (i = 2; !rc && i < sizeof p / sizeof *p; i++)
		for (k = 0; !rc && k < i; k++)
			if (same_place(&p[i], &p[k]))
				rc = lh_err_set(err, LH_EUSAGE, "%s: %s is %s", p[i].who, p[i].path,
						p[k].who);
	free(baselines);
	free(replays);
	return rc;
}
