/* read_file.c - read a small file into memory.  See file.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define BLOCK ((size_t)64 << 10)

int lh_read_rest(int fd, const char *name, struct lh_buf *out, struct lh_err *err)
{
	ssize_t n = 1;
	char *to;

	lh_buf_reset(out);
	while (n > 0 && (to = lh_buf_room(out, BLOCK))) {
		n = lh_read_some(fd, to, BLOCK, err);
		if (n > 0)
			lh_buf_took(out, (size_t)n);
	}
	close(fd);
	if (n < 0 || lh_buf_check(out, err) < 0)
		return lh_err_prefix(err, "%s", name);
	return 1;
}

/* Check the file that is read, not the one that the path leads to next. */
static int check_owner(int fd, const char *path, struct lh_err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "%s", path);
	if (st.st_uid && st.st_uid != geteuid())
		return lh_err_set(err, LH_EUSAGE,
				  "%s: belongs to user %lu: it names commands, so it must belong "
				  "to %s", path, (unsigned long)st.st_uid,
				  geteuid() ? "the user or root" : "root");
	if (st.st_mode & 022)
		return lh_err_set(err, LH_EUSAGE,
				  "%s: mode %04o: it names commands, so only its owner may write "
				  "it", path, st.st_mode & 07777);
	return 0;
}

int lh_file_read_commands(const char *path, struct lh_buf *out, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	if (check_owner(fd, path, err) == 0)
		return lh_read_rest(fd, path, out, err);
	close(fd);
	return -1;
}

int lh_file_read(const char *path, struct lh_buf *out, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return lh_read_rest(fd, path, out, err);
}
