/* lh_store: keys, and objects in a folder. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "check.h"
#include "store/store.h"

static char top[] = "/tmp/lh-test-store.XXXXXX";
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

static struct lh_store *fresh(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", top, name);
	return lh_store_open(path, NULL, &err);
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

static int count(void *context, const struct lh_object *o, struct lh_err *why)
{
	struct lh_buf *b = context;

	(void)why;
	lh_buf_printf(b, "%s ", o->key);
	return 0;
}

static void objects_are_files_in_the_order_of_their_keys(void)
{
	static const char *const keys[] = { "a.b", "a/c", "a/b/c", "a0", "b", "a-b" };
	struct lh_store *s = fresh("order");
	struct lh_buf seen = { 0 };
	size_t i;

	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		check_why(put(s, keys[i], keys[i]) == 0, err.msg);
	check(lh_store_list(s, "", count, &seen, &err) == 0);
	lh_buf_putc(&seen, '\0');
	check_why(!strcmp(seen.p, "a-b a.b a/b/c a/c a0 b "), seen.p);
	lh_buf_reset(&seen);
	check(lh_store_list(s, "a/", count, &seen, &err) == 0);
	check(seen.len == 10 && !memcmp(seen.p, "a/b/c a/c ", 10));
	lh_buf_free(&seen);
	lh_store_close(s);
}

static void a_key_and_a_key_below_it_exclude_each_other(void)
{
	struct lh_store *s = fresh("exclude");

	check(put(s, "a/b", "1") == 0);
	check(put(s, "a", "2") < 0 && lh_err_status(&err) == 409);
	check(put(s, "a/b/c", "2") < 0 && lh_err_status(&err) == 409);
	check(lh_store_delete(s, "a/b", &err) == 0);
	check(lh_store_delete(s, "a/b", &err) < 0 && lh_err_status(&err) == 404);
	check_why(put(s, "a", "2") == 0 && holds(s, "a", "2"), err.msg);
	lh_store_close(s);
}

static void nothing_outside_the_folder_is_reached(void)
{
	struct lh_store *s = fresh("beneath");
	char path[160], secret[160];
	struct lh_object o;
	int fd;

	check(put(s, "in/a", "1") == 0);
	snprintf(secret, sizeof secret, "%s/secret", top);
	fd = open(secret, O_CREAT | O_WRONLY, 0600);
	check(fd >= 0 && write(fd, "s", 1) == 1 && close(fd) == 0);
	snprintf(path, sizeof path, "%s/beneath/link", top);
	check(symlink(secret, path) == 0);
	snprintf(path, sizeof path, "%s/beneath/up", top);
	check(symlink("..", path) == 0);
	check(lh_store_head(s, "link", &o, &err) < 0 && lh_err_status(&err) == 404);
	check(lh_store_head(s, "up/secret", &o, &err) < 0 && lh_err_status(&err) == 404);
	check(put(s, "up/new", "1") < 0 && lh_err_status(&err) == 409);
	check(put(s, "link", "1") < 0 && lh_err_status(&err) == 409);
	check(lh_store_delete(s, "up/secret", &err) < 0 && access(secret, F_OK) == 0);
	check(!strstr(err.msg, top));
	lh_store_close(s);
}

static struct lh_store *last_sibling;	/* its object "a/y" goes before the next lstat */

/* A put looks at the name it writes to once it has the folder's descriptor. */
int lstat(const char *path, struct stat *st)
{
	struct lh_store *s = last_sibling;
	struct lh_err why;

	last_sibling = NULL;
	if (s)
		check_why(lh_store_delete(s, "a/y", &why) == 0, why.msg);
	return fstatat(AT_FDCWD, path, st, AT_SYMLINK_NOFOLLOW);
}

static void a_folder_that_is_removed_meanwhile_is_made_again(void)
{
	struct lh_store *s = fresh("meanwhile"), *other = fresh("meanwhile");

	check(put(s, "a/y", "1") == 0);
	last_sibling = other;
	check_why(put(s, "a/x", "2") == 0, err.msg);
	check(!last_sibling && holds(s, "a/x", "2"));
	check(lh_store_delete(s, "a/y", &err) < 0 && lh_err_status(&err) == 404);
	lh_store_close(s);
	lh_store_close(other);
}

static void a_put_is_refused_as_asked(void)
{
	struct lh_store *s = fresh("refused");
	struct lh_put what = { .if_none_match = true };
	unsigned char wrong[32] = { 1 };
	struct lh_transfer done;

	check(put(s, "a", "old") == 0);
	what.fd = with("new");
	check(lh_store_put(s, "a", &what, &done, &err) < 0 && lh_err_status(&err) == 412);
	what = (struct lh_put){ .fd = what.fd, .max = 2 };
	check(lh_store_put(s, "a", &what, &done, &err) < 0 && lh_err_status(&err) == 413);
	check(lseek(what.fd, 0, SEEK_SET) == 0);
	what = (struct lh_put){ .fd = what.fd, .sha256 = wrong };
	check(lh_store_put(s, "a", &what, &done, &err) < 0 && err.code == LH_EIO);
	close(what.fd);
	check(holds(s, "a", "old"));
	lh_store_close(s);
}

static void *write_often(void *arg)
{
	const char *text = arg;
	struct lh_put what = { .fd = with(text) };
	struct lh_store *s = lh_store_open(top, NULL, &err);
	struct lh_transfer done;
	struct lh_err why;
	int i;

	for (i = 0; i < 50; i++) {
		check(lseek(what.fd, 0, SEEK_SET) == 0);
		check_why(lh_store_put(s, "both/a", &what, &done, &why) == 0, why.msg);
	}
	close(what.fd);
	lh_store_close(s);
	return NULL;
}

static void two_threads_write_one_key(void)
{
	char one[] = "one", two[] = "two";
	struct lh_store *s;
	pthread_t a, b;

	check(!pthread_create(&a, NULL, write_often, one));
	check(!pthread_create(&b, NULL, write_often, two));
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	s = lh_store_open(top, NULL, &err);
	check(holds(s, "both/a", "one") || holds(s, "both/a", "two"));
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

static void remove_top(void)
{
	char *argv[] = { "rm", "-rf", top, NULL };

	check_end();
	execvp(argv[0], argv);
}

int main(void)
{
	check(mkdtemp(top));
	test(keys_are_checked());
	test(objects_are_files_in_the_order_of_their_keys());
	test(a_key_and_a_key_below_it_exclude_each_other());
	test(nothing_outside_the_folder_is_reached());
	test(a_folder_that_is_removed_meanwhile_is_made_again());
	test(a_put_is_refused_as_asked());
	test(two_threads_write_one_key());
	test(names_of_stores_are_checked());
	remove_top();
}
