/* read_file.c - read a small file into memory.  See file.h. */
#include <errno.h>
#include <fcntl.h>
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

int lh_file_read(const char *path, struct lh_buf *out, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err);

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	return lh_read_rest(fd, path, out, err);
}
