/* lh_root, lh_append, lh_hashset: walk, lock and append. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "check.h"
#include "crypto/digest.h"
#include "file/file.h"
#include "base/table.h"
#include "distill/root.h"

static struct lh_err err;

static void grow(struct lh_root *r, const char *path, const char *line, bool commit)
{
	struct lh_append *a = lh_root_append(r, path, &err);

	check_why(a, err.msg);
	check_why(lh_append_line(a, line, strlen(line), &err) == 0, err.msg);
	check(lh_append_lines(a) == 1);
	if (commit)
		check_why(lh_append_commit(a, &err) == 0, err.msg);
	lh_append_close(a);
}

static void appends(struct lh_root *r)
{
	const char *path = "data/evidence/2026/05/03/audits.jsonl";
	struct lh_append *a;
	struct stat st;

	a = lh_root_append(r, path, &err);
	check(a && lh_append_commit(a, &err) == 0);	/* nothing added, nothing created */
	lh_append_close(a);
	check(access("data", F_OK) < 0);
	grow(r, path, "one", true);
	check_holds(path, "one\n");
	grow(r, path, "two", false);
	check_holds(path, "one\n");
	check(chmod(path, 0640) == 0);
	grow(r, path, "two", true);
	check_holds(path, "one\ntwo\n");
	check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
	check_put("torn.jsonl", "half");
	grow(r, "torn.jsonl", "whole", true);
	check_holds("torn.jsonl", "half\nwhole\n");
	check(unlink("torn.jsonl") == 0 && symlink(path, "torn.jsonl") == 0);
	check(!lh_root_append(r, "torn.jsonl", &err) &&
	      !strcmp(err.msg, "torn.jsonl: is a symbolic link, not a regular file"));
	check(unlink("torn.jsonl") == 0);
	check_put("file", "");
	a = lh_root_append(r, "file/x.jsonl", &err);
	check(!a || lh_append_line(a, "x", 1, &err) < 0);
	lh_append_close(a);
}

static int gather(void *ctx, const char *path, struct lh_err *e)
{
	char *to = ctx;

	(void)e;
	strcat(strcat(to, path), "\n");
	return !!strstr(path, "stop");
}

static void walks(struct lh_root *r)
{
	char got[1000] = "";

	check(lh_root_each(r, "w", gather, got, &err) == 0 && !*got);
	check(lh_root_folders(r, "w/a/b/x", &err) == 0 && lh_root_folders(r, "w/a/b/x", &err) == 0);
	check_put("w/a/z.jsonl", "");
	check_put("w/a-b.jsonl", "");
	check_put("w/a/b/1.jsonl", "");
	check_put("w/a/b/.hidden.jsonl", "");
	check_put("w/a/b/2.json", "");
	check_put("w/.jsonl", "");
	check(symlink("b", "w/a/l") == 0 && symlink("z.jsonl", "w/a/y.jsonl") == 0 &&
	      mkfifo("w/f.jsonl", 0600) == 0);
	check(lh_root_each(r, "w", gather, got, &err) == 0);
	check_why(!strcmp(got, "w/a-b.jsonl\nw/a/b/1.jsonl\nw/a/z.jsonl\n"), got);
	check_put("w/a/stop.jsonl", "");
	*got = '\0';
	check(lh_root_each(r, "w", gather, got, &err) == 1 && strstr(got, "stop") &&
	      !strstr(got, "z.jsonl"));
	check_put("w/\xff.jsonl", "");
	check(lh_root_each(r, "w", gather, got, &err) < 0 && strstr(err.msg, "not UTF-8"));
}

static void hashes(void)
{
	struct lh_map s = { 0 };
	unsigned char h[32], again[32];
	char hex[65];
	bool is_new;
	int i;

	check(!lh_hashset_has(&s, (const unsigned char *)"00000000000000000000000000000000"));
	for (i = 0; i < 20000; i++) {
		lh_sha256(&(int){ i % 10000 }, sizeof i, h);
		check(lh_hashset_has(&s, h) == (i >= 10000));
		check(lh_hashset_add(&s, h, &is_new, &err) == 0 && is_new == (i < 10000));
	}
	check(s.n == 10000);
	lh_hex(h, 32, hex);
	check(lh_unhex(hex, 64, again) && !memcmp(h, again, 32));
	check(!lh_unhex(hex, 63, again));
	hex[63] = 'A';
	check(!lh_unhex(hex, 64, again));
	lh_map_free(&s);
	lh_map_free(&s);
}

int main(void)
{
	struct lh_root *r;

	check_folder();
	check(unsetenv("LH_DISTILL_ROOT") == 0);
	r = lh_root_open(NULL, &err);
	check(r && !strcmp(lh_root_path(r), "."));
	test(appends(r));
	test(walks(r));
	test(hashes());
	lh_root_close(r);
	return 0;
}
