/* lh_store: keys, and objects in a folder. */
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

static void keys_are_checked(void)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.",
					   "./a", "a\nb", "a\tb", "a\rb", "\xff" };
	static const char *const good[] = { "a", "a/b", "...", "a/..b", ".a", "\xc3\xa9", "\x01" };
	char longest[LH_KEY_MAX + 2];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		check_why(lh_store_check_key(bad[i], strlen(bad[i]), &err) < 0, bad[i]);
		check(err.code == LH_EDATA && lh_err_status(&err) == 400);
	}
	for (i = 0; i < sizeof good / sizeof *good; i++)
		check_why(lh_store_check_key(good[i], strlen(good[i]), &err) == 0, good[i]);
	check(lh_store_check_key("a\0b", 3, &err) < 0);
	memset(longest, 'x', sizeof longest);
	check(lh_store_check_key(longest, LH_KEY_MAX, &err) == 0);
	check(lh_store_check_key(longest, LH_KEY_MAX + 1, &err) < 0);
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

static void names_of_stores_are_checked(void)
{
	const char *key;

	setenv("AWS_ACCESS_KEY_ID", "id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "a b", 1);
	check(!lh_store_open("s3://bucket", NULL, &err) && err.code == LH_EUSAGE);
	check(!strstr(err.msg, "a b"));
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	check(!lh_store_open("s3://b/", NULL, &err) && err.code == LH_EUSAGE);
	check(!lh_store_open("s3://bucket/../x", NULL, &err) && err.code == LH_EUSAGE);
	check(!lh_store_of("s3://bucket", NULL, &key, &err));
	setenv("LH_S3_ENDPOINT", "http://me:secret@h", 1);
	check(!lh_store_open("s3://bucket", NULL, &err) && !strstr(err.msg, "secret"));
	unsetenv("LH_S3_ENDPOINT");
	unsetenv("AWS_ACCESS_KEY_ID");
	check(!lh_store_open("s3://bucket", NULL, &err) && err.code == LH_EUSAGE);
}

int main(void)
{
	check_folder();
	test(keys_are_checked());
	test(a_folder_that_is_removed_meanwhile_is_made_again());
	test(what_was_added_since_is_not_put());
	test(names_of_stores_are_checked());
	return 0;
}
