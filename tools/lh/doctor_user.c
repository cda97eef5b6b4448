/* doctor_user.c - lh doctor: what this user has outside of any folder.  See doctor.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "file/file.h"

#define RANDOM "-XXXXXX"	/* the end of the name of a temporary folder */

/* Check that a folder of caches is the user's alone to change. */
static void check_cache(struct doctor *d, const char *name, const char *path)
{
	struct stat st;
	char size[64];

	if (stat(path, &st) < 0 && errno == ENOENT)
		doctor_add(d, DOCTOR_ABSENT, "cache", name, "nothing yet in %s", path);
	else if (access(path, R_OK) < 0 || stat(path, &st) < 0)
		doctor_add(d, DOCTOR_PROBLEM, "cache", name, "%s: %s", path, strerror(errno));
	else if (st.st_uid != geteuid() && geteuid() != 0)
		doctor_add(d, DOCTOR_PROBLEM, "cache", name,
			   "%s belongs to user %u, not to you (%u)", path, st.st_uid, geteuid());
	else if (st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX))
		doctor_add(d, DOCTOR_PROBLEM, "cache", name, "mode %04o lets all users change %s",
			   st.st_mode & 07777, path);
	else {
		doctor_size(path, size, sizeof size);
		doctor_add(d, DOCTOR_OK, "cache", name, "%s in %s", size, path);
	}
}

/* ---- temporary folders ---- */

/* Return the PID of "lh-NAME-PID-XXXXXX"; 0 if the name is not of that form. */
static long folder_of(const char *name)
{
	size_t n = strlen(name);
	const char *p;
	char *end;
	long pid;

	if (strncmp(name, "lh-", 3) != 0 || n < 3 + strlen(RANDOM) + 2)
		return 0;
	p = memrchr(name, '-', n - strlen(RANDOM));
	pid = strtol(p + 1, &end, 10);
	return end == name + n - strlen(RANDOM) && *end == '-' && pid > 0 ? pid : 0;
}

/* Return whether the folder is this user's, and no process uses it. */
static bool is_left(const char *path, long pid, struct stat *st)
{
	char lock[4096];
	bool left;
	int fd;

	if (lstat(path, st) < 0 || !S_ISDIR(st->st_mode) || st->st_uid != geteuid())
		return false;
	snprintf(lock, sizeof lock, "%s/.in-use", path);
	fd = open(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
	left = flock(fd, LOCK_SH | LOCK_NB) == 0;
	close(fd);
	return left;
}

static void temporary_folders(struct doctor *d)
{
	const char *base = getenv("TMPDIR");
	char path[2048], age[DOCTOR_AGE];
	struct dirent **e;
	struct stat st;
	int i, n;

	base = base && *base ? base : "/tmp";
	n = scandir(base, &e, NULL, alphasort);
	for (i = 0; i < n; i++) {
		long pid = folder_of(e[i]->d_name);

		snprintf(path, sizeof path, "%s/%s", base, e[i]->d_name);
		free(e[i]);
		if (!pid || !is_left(path, pid, &st))
			continue;
		doctor_age(st.st_mtime, age);
		doctor_add(d, DOCTOR_WARNING, "leftover", path,
			   "a folder that process %ld left %s ago when it was killed", pid, age);
	}
	if (n < 0)
		doctor_add(d, DOCTOR_PROBLEM, "temporary", base, "%s", strerror(errno));
	else
		free(e);
}

void doctor_user(struct doctor *d)
{
	static const char *const keys[] = { "LH_KEYS_FILE", "LH_S3_KEY_FILE",
					    "LH_SUBJECT_AUDIT_KEY" };
	static const char *const caches[] = { "LH_CACHE", "LH_EMBED_CACHE" };
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	const char *file;
	size_t i;

	for (i = 0; i < sizeof keys / sizeof *keys; i++) {
		file = getenv(keys[i]);
		if (!file || !*file)
			doctor_add(d, DOCTOR_ABSENT, "key", keys[i], "not configured");
		else if (doctor_key_file(d, file))
			doctor_add(d, DOCTOR_OK, "key", keys[i], "%s", file);
	}
	if (lh_user_cache(&path)) {
		lh_buf_putc(&path, '\0');
		if (!path.failed)
			check_cache(d, "lakehouse-tools", path.p);
	}
	for (i = 0; i < sizeof caches / sizeof *caches; i++)
		if (getenv(caches[i]) && *getenv(caches[i]))
			check_cache(d, caches[i], getenv(caches[i]));
	temporary_folders(d);
}
