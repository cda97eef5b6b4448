/* lh_stage, lh_receipt: ids, times, files hashed and counted, commits, a run's hash. */
#include <fcntl.h>
#include <sys/stat.h>

#include "check.h"
#include "crypto/digest.h"
#include "distill/receipt.h"
#include "distill/stages.h"

#define BLOCK (256 << 10)	/* of manifest/digest.c */
#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define STONE "{\"erased\":\"er-1\",\"at\":\"2026-05-03T12:00:00.000Z\"}"
#define ZEROS "0000000000000000000000000000000000000000"

static struct lh_err err;

/* ---- files ---- */

static void counts(const char *text, uint64_t records)
{
	struct lh_digest_cache *f = lh_digest_cache_new(".");
	unsigned char sum[32];
	struct lh_file_digest fact;

	check_put("file", text);
	lh_sha256(text, strlen(text), sum);
	check_why(f && lh_digest_cache_get(f, "file", &fact, &err) == 1, err.msg);
	check(fact.bytes == strlen(text) && !memcmp(fact.sha256, sum, 32));
	check(fact.records == records);
	lh_digest_cache_free(f);
}

static void records_are_lines_that_are_not_empty(void)
{
	static char large[BLOCK + 128];
	size_t at;

	counts("", 0);
	counts("\n", 0);
	counts(" \t\r\n\n\r\n", 0);
	counts("{}\n", 1);
	counts("{}", 1);
	counts("{}\r\n \n  {}\n\n{}", 3);
	counts("\xef\xbb\xbf\n{}\n", 1);
	counts("\xef\xbb\xbf{}\n\xef\xbb\xbf\n", 2);
	counts("{}\n" STONE "\n" STONE "\r\n{}\n" STONE, 2);
	/* around the end of a block */
	for (at = BLOCK - 4; at < BLOCK + 4; at++) {
		memset(large, ' ', at);
		strcpy(large + at, "\n");
		counts(large, 0);
		strcpy(large + at, "{}\n");
		counts(large, 1);
		memset(large, 'x', at);
		strcpy(large + at, "\n \n");
		counts(large, 1);
		strcpy(large + at, "\ny");
		counts(large, 2);
	}
	for (at = BLOCK - strlen(STONE) - 1; at < BLOCK + 1; at++) {
		memset(large, 'x', at);
		strcpy(large + at - 1, "\n" STONE);
		counts(large, 1);
		strcpy(large + at - 1, "\n" STONE "\n{}");
		counts(large, 2);
		strcpy(large + at - 1, "\n" STONE " \n");
		counts(large, 2);
	}
}

static void a_file_is_read_again_only_when_it_has_changed(void)
{
	struct lh_digest_cache *f = lh_digest_cache_new(".");
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct lh_file_digest a, b;

	check(f && lh_digest_cache_get(f, "absent", &a, &err) == 0);
	check(lh_digest_cache_get(f, "file/below", &a, &err) == 0);
	check_put("file", "{}\n");
	check(lh_digest_cache_get(f, "file", &a, &err) == 1 && a.records == 1);
	check(lh_digest_cache_get(f, "file", &b, &err) == 1 && !memcmp(&a, &b, sizeof a));
	check_put("file", "[]\n");		/* as long, and as old */
	check(utimensat(AT_FDCWD, "file", times, 0) == 0);
	check(lh_digest_cache_get(f, "file", &b, &err) == 1 &&
	      memcmp(a.sha256, b.sha256, 32));
	check_put("other", "{}\n{}\n");
	check(rename("other", "file") == 0);
	check(lh_digest_cache_get(f, "file", &b, &err) == 1 && b.records == 2);
	check(unlink("file") == 0 && lh_digest_cache_get(f, "file", &b, &err) == 0);
	check(symlink("/etc/passwd", "link") == 0);
	check(lh_digest_cache_get(f, "link", &b, &err) == -1 &&
	      strstr(err.msg, "symbolic link"));
	lh_digest_cache_free(f);
}

static void is_as_read(struct lh_digest_cache *known, const char *relpath)
{
	struct lh_digest_cache *f = lh_digest_cache_new(".");
	struct lh_file_digest told, read;

	check(f && lh_digest_cache_get(known, relpath, &told, &err) == 1 &&
	      lh_digest_cache_get(f, relpath, &read, &err) == 1);
	check(told.bytes == read.bytes && told.records == read.records &&
	      !memcmp(told.sha256, read.sha256, 32));
	lh_digest_cache_free(f);
}

/* The file was written between the last byte and its name. */
static void what_was_written_to_since_is_read(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
	struct lh_digest_cache *f = lh_digest_cache_new(".");
	struct lh_file_digest fact = { .bytes = 3, .records = 1 };
	struct stat made;

	check_put("file", "{}\n");
	lh_sha256("{}\n", 3, fact.sha256);
	check(f && stat("file", &made) == 0);
	check_put("file", "[]\n");
	check(utimensat(AT_FDCWD, "file", times, 0) == 0);
	lh_digest_cache_written(f, "file", &made, &fact);
	is_as_read(f, "file");
	check(unlink("file") == 0);
	lh_digest_cache_free(f);
}

/* Three files grow at the same time; one is abandoned, and one grows once more. */
static void what_is_made_is_hashed_as_if_it_were_read(struct lh_root *root)
{
	static const char *const names[] = { "made/a", "made/b", "made/c" };
	struct lh_digest_cache *f = lh_digest_cache_new(".");
	struct lh_append *a[3];
	char line[301];
	int i, j;

	lh_root_remember(root, f);
	memset(line, 'x', sizeof line);
	for (i = 0; i < 3; i++)
		check((a[i] = lh_root_append(root, names[i], &err)) != NULL);
	for (j = 0; j < 5000; j++)
		for (i = 0; i < 3; i++)
			check(lh_append_line(a[i], line, (size_t)(j * (i + 1) % 300) + 1,
					     &err) == 0);
	lh_append_close(a[1]);
	check(lh_append_commit(a[0], &err) == 0 && lh_append_commit(a[2], &err) == 0);
	lh_append_close(a[0]);
	lh_append_close(a[2]);
	is_as_read(f, "made/a");
	is_as_read(f, "made/c");
	check((a[0] = lh_root_append(root, "made/a", &err)) &&
	      lh_append_line(a[0], line, 1, &err) == 0 && lh_append_commit(a[0], &err) == 0);
	lh_append_close(a[0]);
	is_as_read(f, "made/a");
	check_put("made/c", "{}\n");
	is_as_read(f, "made/c");
	lh_root_remember(root, NULL);
	lh_digest_cache_free(f);
}

/* ---- lists of files ---- */

struct faults {
	int n[4];
};

static void on_listed(void *ctx, enum lh_listed_fault what, const struct lh_listed *newest,
		      const struct lh_listed *differs, uint64_t size)
{
	(void)newest, (void)differs, (void)size;
	((struct faults *)ctx)->n[what]++;
}

static int on_unread(void *ctx, const struct lh_listed *newest, struct lh_err *e)
{
	(void)ctx, (void)newest, (void)e;
	return -1;
}

static void a_list_of_files_is_true_until_one_changes(void)
{
	static const char *const names[] = { "l4", "l1", "l2", "l3" };
	struct lh_digest_cache *cache = lh_digest_cache_new(".");
	struct faults faults = { { 0 } };
	struct lh_files_check how = { .folder = ".", .fault = on_listed, .unread = on_unread,
				      .ctx = &faults };
	struct lh_cut cut = { .path = "l4", .at = 0, .n = 3, .is = 0 };
	struct lh_files m = { .n = 0 };
	struct lh_buf sums = { 0 };
	bool changed = false;
	uint64_t rows = 0;
	size_t i;

	for (i = 0; i < 4; i++) {
		struct lh_listed *l = lh_files_add(&m, lh_str_of(names[i]));

		check_put(names[i], "{}\n{}\n");
		check(lh_digest_cache_get(cache, names[i], &l->is, &err) == 1);
	}
	lh_files_sort(&m);
	check(lh_files_records(&m) == 8 && lh_files_has(&m, "l3") && !lh_files_has(&m, "l"));
	lh_files_sums(&sums, &m);
	check_put("SUMS", lh_buf_room(&sums, 1) ? (sums.p[sums.len] = 0, sums.p) : "");
	check(system("sha256sum --quiet -c SUMS") == 0);
	check(lh_files_check(&m, &how, &err) == 0 && how.files == 4 && !faults.n[LH_LISTED_GONE]);
	check(unlink("l1") == 0);
	check_put("l2", "{}\n");
	check_put("l3", "{}\n[]\n{}");
	check_put("l4", "{}\n{}\n{}\n");
	check(lh_files_check(&m, &how, &err) == 0);
	for (i = 0; i < 4; i++)
		check(faults.n[i] == 1);
	check_put("l4", "{}\n");
	check(lh_files_cut(&m, ".", &cut, 1, &rows, &changed, &err) == 0 && changed && rows == 1);
	check(m.v[3].is.bytes == 3 && m.v[3].is.records == 1);
	changed = false;
	check(lh_files_cut(&m, ".", &cut, 1, &rows, &changed, &err) == 0 && !changed && rows == 1);
	lh_buf_free(&sums);
	lh_files_free(&m);
	lh_digest_cache_free(cache);
}

/* ---- commits ---- */

static void commit_is(const char *path, const char *want)
{
	char got[LH_GIT_COMMIT + 1];
	struct lh_err why;
	bool found = lh_git_commit(path, got, &why);

	check_why(!strcmp(got, want), got);
	check(found == (strcmp(want, ZEROS) != 0));
}

static void the_commit_is_what_git_says(void)
{
	check(mkdir("repo", 0777) == 0 && mkdir("repo/below", 0777) == 0);
	check(mkdir("repo/.git", 0777) == 0 && mkdir("repo/.git/refs", 0777) == 0 &&
	      mkdir("repo/.git/refs/heads", 0777) == 0 && mkdir("repo/.git/objects", 0777) == 0);
	commit_is("repo", ZEROS);
	check_put("repo/.git/HEAD", "ref: refs/heads/main\n");
	commit_is("repo", ZEROS);			/* no commit yet */
	check_put("repo/.git/packed-refs", "# pack-refs with: peeled fully-peeled sorted\n"
	    "1111111111111111111111111111111111111111 "
	    "refs/heads/main2\n" COMMIT " refs/heads/main\n"
	    "^2222222222222222222222222222222222222222\n");
	commit_is("repo/below", COMMIT);
	/* wins over the packed one */
	check_put("repo/.git/refs/heads/main", "89abcdef89abcdef89abcdef89abcdef89abcdef\n");
	commit_is("repo", "89abcdef89abcdef89abcdef89abcdef89abcdef");
	check_put("repo/.git/HEAD", COMMIT "\n");		/* detached */
	commit_is("repo", COMMIT);
	check_put("repo/.git/HEAD", "0123456789abcdef0123456789abcdef0123456G\n");
	commit_is("repo", ZEROS);
	check_put("repo/.git/HEAD", "ref: refs/../../file\n");	/* leads out */
	commit_is("repo", ZEROS);
	check_put("repo/.git/HEAD", "ref: refs/heads/a\n");
	check_put("repo/.git/refs/heads/a", "ref: refs/heads/a\n");	/* a circle */
	commit_is("repo", ZEROS);
}

static void a_worktrees_commit_is_its_own(void)
{
	check(mkdir("tree", 0777) == 0 && mkdir("repo/.git/worktrees", 0777) == 0 &&
	      mkdir("repo/.git/worktrees/t", 0777) == 0);
	check_put("tree/.git", "gitdir: ../repo/.git/worktrees/t\n");
	check_put("repo/.git/worktrees/t/commondir", "../..\n");
	check_put("repo/.git/worktrees/t/HEAD", "ref: refs/heads/main\n");
	check_put("repo/.git/HEAD", "ref: refs/heads/none\n");
	commit_is("tree", "89abcdef89abcdef89abcdef89abcdef89abcdef");
	commit_is("repo", ZEROS);
	check(unlink("repo/.git/refs/heads/main") == 0);
	commit_is("tree", COMMIT);			/* packed, in the common folder */
}

/* ---- runs ---- */

static void ids_are_names_of_folders(void)
{
	char longest[130];

	memset(longest, 'x', 129);
	longest[129] = '\0';
	check(!lh_run_id_valid(longest));
	longest[128] = '\0';
	check(lh_run_id_valid(longest));
	check(lh_run_id_valid("2026-05-03 nightly, \xc3\xa9") && lh_run_id_valid("a..b"));
	check(!lh_run_id_valid("") && !lh_run_id_valid(".") && !lh_run_id_valid("..") &&
	      !lh_run_id_valid(".x"));
	check(!lh_run_id_valid("a/b") && !lh_run_id_valid("a\nb") && !lh_run_id_valid("\x7f") &&
	      !lh_run_id_valid("\xff"));
}

/* A text that needs escapes, and one that is cut in the middle of a character. */
static void a_fault_fails_the_stage(void)
{
	struct lh_stage_result res;
	char text[2000];

	lh_stage_begin(&res, LH_STAGE_SCORE);
	check(res.passed);
	lh_stage_warn(&res, "a \"%s\"\n", "b");
	lh_stage_warn(&res, "c");
	check(res.passed && res.warnings.len == 15 &&
	      !memcmp(res.warnings.p, "\"a \\\"b\\\"\\n\",\"c\"", 15));
	memset(text, 0, sizeof text);
	while (strlen(text) < 1500)
		strcat(text, "\xe2\x82\xac");
	lh_stage_fault(&res, "x%s", text);
	check(!res.passed && res.errors.len == 1021 + 2 &&
	      !memcmp(res.errors.p + 1020, "\x82\xac\"", 3));
	lh_stage_done(&res);
}

int main(void)
{
	struct lh_root *root;

	check_folder();
	root = lh_root_open(".", &err);
	check(root);
	test(records_are_lines_that_are_not_empty());
	test(a_file_is_read_again_only_when_it_has_changed());
	test(what_was_written_to_since_is_read());
	test(what_is_made_is_hashed_as_if_it_were_read(root));
	test(a_list_of_files_is_true_until_one_changes());
	lh_root_close(root);
	test(the_commit_is_what_git_says());
	test(a_worktrees_commit_is_its_own());
	test(ids_are_names_of_folders());
	test(a_fault_fails_the_stage());
	return 0;
}
