/* lh_store: what happens between two steps of a put.  lh-store.bats has all else. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "store/store.h"

static struct lh_err err;

static int with(const char *text)
{
	int fd = memfd_create("content", 0);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	check(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int put(struct lh_store *s, const char *key, const char *text)
{
	struct lh_put what = { .fd = with(text) };
	struct lh_transfer done;
	int rc = lh_store_put(s, key, &what, &done, &err);

	close(what.fd);
	return rc;
}

static bool holds(struct lh_store *s, const char *key, const char *text)
{
	int fd = memfd_create("copy", 0);
	struct lh_transfer done;
	char got[64] = "";
	bool same = lh_store_get(s, key, fd, &done, &err) == 0 && done.size == strlen(text) &&
		pread(fd, got, sizeof got - 1, 0) == (ssize_t)strlen(text) && !strcmp(got, text);

	close(fd);
	return same;
}

static struct lh_store *last_sibling;	/* its object "a/y" goes before the next lstat */

/* A put looks at the name it writes to once it has the folder's descriptor. */
int lstat(const char *path, struct stat *st)
{
	struct lh_store *s = last_sibling;
	struct lh_err why;

	last_sibling = NULL;
	if (s)
		check_why(lh_store_delete(s, "a/y", NULL, &why) == 0, why.msg);
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

static void a_folder_that_is_removed_meanwhile_is_made_again(void)
{
	struct lh_store *s = lh_store_open("meanwhile", NULL, &err);
	struct lh_store *other = lh_store_open("meanwhile", NULL, &err);

	check(put(s, "a/y", "1") == 0);
	last_sibling = other;
	check_why(put(s, "a/x", "2") == 0, err.msg);
	check(!last_sibling && holds(s, "a/x", "2"));
	check(lh_store_delete(s, "a/y", NULL, &err) < 0 && lh_err_status(&err) == 404);
	lh_store_close(s);
	lh_store_close(other);
}

static void what_was_added_since_is_not_put(void)
{
	static const uint64_t few[] = { 3, 0 };
	struct lh_store *s = lh_store_open("grown", NULL, &err);
	struct lh_transfer done;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct lh_put what = { .fd = with("one more"), .bytes = &few[i] };

		check_why(lh_store_put(s, "a", &what, &done, &err) == 0, err.msg);
		check(done.size == few[i] && holds(s, "a", i ? "" : "one"));
		close(what.fd);
	}
	lh_store_close(s);
}

int main(void)
{
	check_folder();
	test(a_folder_that_is_removed_meanwhile_is_made_again());
	test(what_was_added_since_is_not_put());
	return 0;
}
