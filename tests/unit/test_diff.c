/* A diff is read the same in pieces of any size, and its parts have the right paths. */
#include "check.h"
#include "../../tools/lh-review/diff.c"
#include "../../tools/lh-review/diff_lines.c"
#include "../../tools/lh-review/diff_names.c"

struct pieces {
	const char *p;
	size_t n, at, piece;	/* piece: bytes a read */
};

static ssize_t read_piece(void *ctx, void *p, size_t n, struct lh_err *err)
{
	struct pieces *s = ctx;
	size_t some = s->piece < n ? s->piece : n;

	(void)err;
	if (some > s->n - s->at)
		some = s->n - s->at;
	memcpy(p, s->p + s->at, some);
	s->at += some;
	return (ssize_t)some;
}

/* Append every part as a line PATH@LINE+SIZE, and an error as !LINE. */
static void read_all(const char *p, size_t n, size_t piece, uint64_t max_file, struct lh_buf *to)
{
	struct pieces s = { p, n, 0, piece };
	struct lh_diff d = { .max_file = max_file, .read = read_piece, .ctx = &s };
	struct lh_err err;
	int rc;

	while ((rc = lh_diff_next(&d, &err)) > 0) {
		lh_buf_add(to, d.path.p, d.path.n);
		lh_buf_printf(to, "@%d+%d\n", (int)d.line, (int)d.size);
		check(d.text.len == (d.size > max_file ? 0 : d.size));
		lh_buf_add(to, d.text.p, d.text.len);
	}
	if (rc < 0) {
		check(err.code == LH_EDATA);
		lh_buf_printf(to, "!%d", (int)d.line);
	}
	check(d.bytes == s.at);
	lh_diff_free(&d);
}

static const char *const diffs[] = {
	"text\n\ndiff --git a/x y b/x y\nold mode 1\nnew mode 2\nmore text\n",
	"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@ f()\n--- y\n+++ z\n"
	"\\ No newline at end of file\ndiff --git \"a/\\303\\251\\t\" \"b/\\303\\251\\t\"\n"
	"deleted file mode 1\n--- \"a/\\303\\251\\t\"\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n",
	"diff --cc m\nindex 1,2..3\n--- a/m\n+++ b/m\n"
	"@@@ -1,1 -1,3 +1,2 @@@\n  a\n+ b\n -c\nend\n",
	"diff --git a/b b/b\nindex 1..2\nGIT binary patch\n"
	"literal 3\nKcmZQzU|\n\nliteral 0\nHcmV?d00001\n"
	"\ndiff --git a/l b/m\nsimilarity index 100%\nrename from l\nrename to m\n",
	"--- a.c\t2026-01-01\n+++ b.c\t2026-01-01\n@@ -0,0 +1,3 @@\n+a\n+\r\n+c\n-- \n2.39\n",
	"--- a\n--- a/b\n+++ b/b\r\n@@ -1,1 +1,1 @@\r\n-a\r\n+b\r\n",
	"diff --git a/x b/x\n@@ -1,3 +1 @@\n-a\n",
};

static void pieces(void)
{
	size_t i, piece, n;

	for (i = 0; i < sizeof diffs / sizeof *diffs; i++) {
		struct lh_buf whole = { 0 };

		n = strlen(diffs[i]);
		read_all(diffs[i], n, SIZE_MAX, UINT64_MAX, &whole);
		check(whole.len);
		for (piece = 1; piece <= n; piece++) {
			struct lh_buf same = { 0 };

			read_all(diffs[i], n, piece, UINT64_MAX, &same);
			check_why(same.len == whole.len && !memcmp(same.p, whole.p, same.len),
				  diffs[i]);
			lh_buf_free(&same);
		}
		lh_buf_free(&whole);
	}
}

static void is(const char *diff, const char *want)
{
	struct lh_buf got = { 0 };

	read_all(diff, strlen(diff), SIZE_MAX, 0, &got);
	lh_buf_putc(&got, '\0');
	check_why(!strcmp(got.p, want), got.p);
	lh_buf_free(&got);
}

static void paths(void)
{
	is(diffs[0], "x y@3+45\n");
	is(diffs[1], "x@1+91\n\xc3\xa9\t@8+116\n");
	is(diffs[2], "m@1+76\n");
	is(diffs[3], "b@1+47\nm@10+67\n");
	is(diffs[4], "b.c@1+63\n");
	is(diffs[5], "b@2+42\n");
	is(diffs[6], "!3");
	is("diff --git x/y x/y\n", "x/y@1+19\n");
	is("diff --git i/y w/y\n", "y@1+19\n");
	is("diff --git a/b b/b b/b b/b\n", "b b/b@1+27\n");
	is("diff --git a/long/x b/other\n+++ b/other\n", "b/other@1+40\n");
	is("diff --git none\n@ no\n", "!1");
	is("--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+\n", "n@1+38\n");
	is("--- a/n\n+++ /dev/null\n@@ -1 +0,0 @@\n-\n", "n@1+38\n");
	is("--- b/n\n+++ b/n\n", "!1");
	is("--- \n+++ \n@@ -1 +1 @@\n-a\n+b\n", "!3");
	is("diff --git a/long/x b/other\n+++ \n", "b/other@1+33\n");
	is("", "");
}

/* A line that is longer than any buffer belongs to its part, which is not kept. */
static void long_lines(void)
{
	struct lh_buf diff = { 0 };
	size_t n = 300000, i;
	char want[64];

	lh_buf_puts(&diff, "diff --git a/x b/x\n@@ -0,0 +1,2 @@\n+");
	for (i = 0; i < n; i++)
		lh_buf_putc(&diff, i % 70000 ? 'x' : '@');
	lh_buf_puts(&diff, "\n+y\ndiff --git a/z b/z\n");
	lh_buf_putc(&diff, '\0');
	snprintf(want, sizeof want, "x@1+%zu\nz@5+19\n", diff.len - 20);
	is(diff.p, want);
	lh_buf_free(&diff);
}

static void again(void)
{
	struct pieces s = { diffs[6], strlen(diffs[6]), 0, 5 };
	struct lh_diff d = { .max_file = 100, .read = read_piece, .ctx = &s };
	struct lh_err err;

	check(lh_diff_next(&d, &err) < 0);
	s = (struct pieces){ diffs[0], strlen(diffs[0]), 0, 5 };
	lh_diff_restart(&d);
	check(lh_diff_next(&d, &err) == 1);
	check(d.line == 3 && lh_str_is(d.path, "x y", 3) && d.text.len == 45);
	check(lh_diff_next(&d, &err) == 0);
	check(lh_diff_next(&d, &err) == 0);
	lh_diff_free(&d);
}

static void unquote_is(const char *s, size_t used, const char *want)
{
	struct lh_buf name = { 0 };

	check_why(lh_diff_unquote(lh_str_of(s), &name) == used, s);
	check_why(name.len == strlen(want) && !memcmp(name.p ? name.p : "", want, name.len), s);
	lh_buf_free(&name);
}

static void quotes(void)
{
	struct lh_buf quoted = { 0 }, name = { 0 };
	char bytes[255];
	size_t i;

	unquote_is("\"a\\tb\" c", 6, "a\tb");
	unquote_is("\"\\\\\\\"\\303\\251\"", 14, "\\\"\xc3\xa9");
	unquote_is("a", 0, "");
	unquote_is("\"a", 0, "");
	unquote_is("\"\"", 0, "");
	unquote_is("\"\\000\"", 0, "");
	unquote_is("\"\\400\"", 0, "");
	unquote_is("\"\\18\"", 0, "");
	unquote_is("\"\\x\"", 0, "");
	for (i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i + 1);
	lh_diff_quote((struct lh_str){ bytes, sizeof bytes }, &quoted);
	check(lh_diff_unquote((struct lh_str){ quoted.p, quoted.len }, &name) == quoted.len);
	check(name.len == sizeof bytes && !memcmp(name.p, bytes, sizeof bytes));
	lh_buf_reset(&quoted);
	lh_diff_quote(lh_str_of("a b/c.d"), &quoted);
	check(lh_str_is((struct lh_str){ quoted.p, quoted.len }, "a b/c.d", 7));
	lh_buf_free(&quoted);
	lh_buf_free(&name);
}

int main(void)
{
	test(pieces());
	test(paths());
	test(long_lines());
	test(again());
	test(quotes());
	return 0;
}
