/* The names that an index in a folder may have, and the list of those in a folder. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "index/index_tools.h"

static struct lh_err err;

static bool valid(const char *p, size_t n)
{
	return lh_index_name_valid((struct lh_str){ p, n });
}

static void a_name_is_1_to_128_safe_bytes(void)
{
	char name[130];
	int c;

	memset(name, 'x', sizeof name);
	check(!valid(name, 0) && valid(name, 1) && valid(name, 128) && !valid(name, 129));
	for (c = 0; c < 256; c++) {
		bool safe = c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					"0123456789_-.", c);

		name[1] = (char)c;
		check(valid(name, 3) == safe);
		name[1] = 'x';
		name[0] = (char)c;
		check(valid(name, 3) == (safe && c != '.'));
		name[0] = 'x';
	}
	check(!valid("..", 2) && !valid("../x", 4) && !valid("a/b", 3) && valid("a..b", 4));
}

static void make(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	check(fd >= 0 && close(fd) == 0);
}

static void a_folder_lists_its_indexes_and_nothing_else(void)
{
	static const char *const want[] = { "B", "a", "a-b", "a.lhv", "link" };
	static const char *const made[] = {
		"a.lhv", "B.lhv", "a-b.lhv", "a.lhv.lhv", "a.lhv-log", "a.lhv-lock", ".x.lhv",
		".lhv", "x y.lhv", "c.LHV", "d",
	};
	struct lh_index_folder f;
	size_t i;
	char *path;

	for (i = 0; i < sizeof made / sizeof *made; i++)
		make(made[i]);
	check(mkdir("dir.lhv", 0700) == 0 && mkfifo("pipe.lhv", 0600) == 0);
	check(symlink("a.lhv", "link.lhv") == 0);
	check(lh_index_folder_read(&f, ".", &err) == 0 && f.n == sizeof want / sizeof *want);
	for (i = 0; i < f.n; i++)
		check(strcmp(f.name[i], want[i]) == 0);
	path = lh_index_folder_path(".", lh_str_of(f.name[1]), &err);
	check(path && strcmp(path, "./a.lhv") == 0);
	free(path);
	path = lh_index_folder_path("x/", lh_str_of("b"), &err);
	check(path && strcmp(path, "x/b.lhv") == 0);
	free(path);
	lh_index_folder_free(&f);
	check(f.n == 0);
	for (i = 0; i < sizeof made / sizeof *made; i++)
		unlink(made[i]);
	unlink("link.lhv");
	unlink("pipe.lhv");
	rmdir("dir.lhv");
	check(lh_index_folder_read(&f, ".", &err) == 0 && f.n == 0);
	check(lh_index_folder_read(&f, "none", &err) < 0 && err.code == LH_EIO);
	check(!strstr(err.msg, "none"));
}

int main(void)
{
	char dir[] = "/tmp/lh-test-folder-XXXXXX";

	check(mkdtemp(dir) && chdir(dir) == 0);
	test(a_name_is_1_to_128_safe_bytes());
	test(a_folder_lists_its_indexes_and_nothing_else());
	check(chdir("/") == 0 && rmdir(dir) == 0);
	return 0;
}
