/* lh_flow_file: the flow without a tool, in order on any number of threads. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "flow/flow.h"

static struct lh_err err;

struct sum {
	uint64_t lines, next;
};

static int map(struct lh_record *r, struct lh_buf *out, void *worker, struct lh_err *e)
{
	(void)worker;
	if (!lh_record_get(r, "n"))
		return lh_err_set(e, LH_EDATA, "no n");
	lh_buf_u64(out, r->number);
	return 0;
}

static void bad(uint64_t number, const struct lh_err *why, struct lh_buf *out, void *worker)
{
	(void)worker;
	check(*why->msg);
	lh_buf_u64(out, number);
}

static int sink(const struct lh_output *o, void *ctx, struct lh_err *e)
{
	char text[32];
	struct sum *s = ctx;

	(void)e;
	check((size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)o->line) == o->n &&
	      !memcmp(text, o->text, o->n));
	check(o->line > s->next);
	s->next = o->line;
	s->lines++;
	return 0;
}

static int run(unsigned jobs, uint64_t max_line, bool lenient, struct sum *s)
{
	*s = (struct sum){ 0 };
	return lh_flow_file("in", &(struct lh_flow){
		.map = map, .bad = lenient ? bad : NULL, .sink = sink, .shared = s, .jobs = jobs,
		.max_line = max_line }, &err);
}

static void put(const char *text)
{
	FILE *f = fopen("in", "w");

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void lines_of_a_file(void)
{
	struct sum s;

	check(run(1, 0, true, &s) < 0 && err.code == LH_EIO && strstr(err.msg, "in: cannot open"));
	put("");
	check(run(1, 0, true, &s) == 0 && s.lines == 0);
	put("\xef\xbb\xbf{\"n\":1}\r\n\n \t\n{\n[]\n{\"n\":2}");
	check(run(2, 0, true, &s) == 0 && s.lines == 4 && s.next == 6);
	check(run(2, 0, false, &s) < 0 && err.code == LH_ECORRUPT && s.lines == 1);
	check_why(!strncmp(err.msg, "in:4: ", 6), err.msg);
	put("{\"n\":1}\n{\"m\":1}\n{\"n\":1}\n");
	check(run(1, 0, true, &s) < 0 && !strcmp(err.msg, "in:2: no n") && s.lines == 1);

	/* not decoded, whatever it looks like */
	put("\x1f\x8b\x08\n{\"n\":1}\n");
	check(run(1, 0, true, &s) == 0 && s.lines == 2);
}

/* In one block and in many. */
static void a_line_over_the_limit(void)
{
	struct sum s;
	FILE *f;
	int i;

	f = fopen("in", "w");
	for (i = 0; f && i < 100000; i++)
		fprintf(f, "{\"n\":%d,\"pad\":\"%.*s\"}\n", i, i == 50000 ? 40 : 3,
			"0123456789012345678901234567890123456789");
	check(f && fclose(f) == 0);
	check(run(1, 50, true, &s) == 0 && s.lines == 100000);
	check(run(4, 50, true, &s) == 0 && s.lines == 100000);
	check(run(4, 50, false, &s) < 0 && !strncmp(err.msg,
						    "in:50001: line is longer than 50 bytes",
						    38) && s.lines == 50000);
	f = fopen("in", "w");
	for (i = 0; f && i < 1000000; i++)
		fputc('x', f);
	check(f && fputs("\n{\"n\":1}\n", f) >= 0 && fclose(f) == 0);
	check(run(4, 1000, true, &s) == 0 && s.lines == 2);
}

static void what_is_no_file(void)
{
	struct sum s;

	check(rename("in", "file") == 0 && symlink("file", "in") == 0);
	check(run(1, 0, true, &s) < 0 && strstr(err.msg, "in: is a symbolic link"));
	check(unlink("in") == 0 && mkfifo("in", 0600) == 0);
	check(run(1, 0, true, &s) < 0 && strstr(err.msg, "in: is a FIFO"));
}

int main(void)
{
	char folder[] = "/tmp/lh-test-flow-file-XXXXXX";

	check(mkdtemp(folder) && chdir(folder) == 0);
	test(lines_of_a_file());
	test(a_line_over_the_limit());
	test(what_is_no_file());
	check(chdir("/") == 0);
	check_end();
	return execlp("rm", "rm", "-rf", folder, (char *)NULL);
}
