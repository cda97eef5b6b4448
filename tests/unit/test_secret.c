/*
 * Files of secrets: which are read, which are refused and how, and the properties
 * of their memory.
 */
#include "crypto/secret.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define MAX 100

static char dir[] = "/tmp/lh-test-secret.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text, size_t n, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	check(fd >= 0 && write(fd, text, n) == (ssize_t)n);
	check(fchmod(fd, mode) == 0 && close(fd) == 0);
}

static void reads(const char *name, bool insecure, const char *want, size_t n)
{
	struct lh_secret s;
	struct lh_err err = { .msg = "" };
	size_t i;

	check_why(lh_secret_read(&s, in_dir(name), MAX, insecure, &err) == 0, err.msg);
	check(s.n == n && !memcmp(s.p, want, n));
	for (i = 0; i < LH_PAD; i++)
		check(s.p[n + i] == 0);
	lh_secret_wipe(&s);
	check(!s.p && !s.n);
	lh_secret_wipe(&s);
}

static void refuses(const char *name, const char *why)
{
	struct lh_secret s = { (unsigned char *)"x", 1, 1 };
	struct lh_err err = { .msg = "" };
	char want[300];

	check(lh_secret_read(&s, in_dir(name), MAX, false, &err) == -1);
	check(!s.p && !s.n && err.code == LH_EIO);
	snprintf(want, sizeof want, "%s: %s", in_dir(name), why);
	check_why(!strcmp(err.msg, want), err.msg);
}

/* Read the line VmFlags of the mapping that holds p. */
static bool has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long lo = 0, hi = 0, at = (unsigned long)p, a, b;
	char line[500], word[8];
	bool has = false;

	check(f != NULL);
	snprintf(word, sizeof word, " %s ", flag);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2)
			lo = a, hi = b;
		if (at >= lo && at < hi && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, word) != NULL;
	}
	fclose(f);
	return has;
}

static void stays_out_of_cores(void)
{
	struct lh_secret s;
	struct lh_err err;
	bool readable;

	check(lh_secret_alloc(&s, 5000, &err) == 0 && s.n == 5000);
	check(prctl(PR_GET_DUMPABLE) == 0);
	/* /proc of an undumpable process is root's */
	readable = access("/proc/self/smaps", R_OK) == 0;
	check(!readable || has_flag(s.p, "dd"));
	lh_secret_wipe(&s);
	check(lh_secret_alloc(&s, SIZE_MAX, &err) == -1 && err.code == LH_ENOMEM && !s.p);
}

static void each_kind_of_file(void)
{
	static const char *const names[] = {
		"key", "readonly", "empty", "full", "long", "group", "others", "written", "link",
		"fifo"
	};
	char full[MAX + 1];
	size_t i;

	memset(full, 'k', sizeof full);
	check(mkdtemp(dir) != NULL);
	put("key", "secret\n", 7, 0600);
	reads("key", false, "secret\n", 7);
	put("readonly", "\0\n\xff", 3, 0400);
	reads("readonly", false, "\0\n\xff", 3);
	put("empty", "", 0, 0600);
	reads("empty", false, "", 0);
	put("full", full, MAX, 0600);
	reads("full", false, full, MAX);

	put("long", full, MAX + 1, 0600);
	refuses("long", "longer than 100 bytes");
	put("group", "k", 1, 0640);
	refuses("group", "mode 0640 gives others access to secrets; make it 0600");
	reads("group", true, "k", 1);
	put("others", "k", 1, 0604);
	refuses("others", "mode 0604 gives others access to secrets; make it 0600");
	put("written", "k", 1, 0622);
	refuses("written", "mode 0622 gives others access to secrets; make it 0600");
	refuses("absent", "cannot open: No such file or directory");
	refuses(".", "is a directory, not a regular file");
	check(symlink("key", in_dir("link")) == 0);
	refuses("link", "is a symbolic link, not a regular file");
	check(mkfifo(in_dir("fifo"), 0600) == 0);
	refuses("fifo", "is a FIFO, not a regular file");
	for (i = 0; i < sizeof names / sizeof *names; i++)
		check(unlink(in_dir(names[i])) == 0);
	check(rmdir(dir) == 0);

	memcpy(dir, "/dev", 5);
	refuses("zero", "is a device, not a regular file");
}

int main(void)
{
	test(each_kind_of_file());
	test(stays_out_of_cores());
	return 0;
}
