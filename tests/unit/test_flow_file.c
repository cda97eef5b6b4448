/* lh_flow_file: the flow without a tool, in order on any number of threads. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/signal.h"
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

static void bad(const struct lh_bad_line *line, void *result, struct lh_buf *out, void *worker)
{
	(void)worker;
	check(!result);
	check(*line->why->msg);
	check(!line->p == !line->n && (!line->p || !memchr(line->p, '\n', line->n)));
	lh_buf_u64(out, line->line);
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

static void lines_of_a_file(void)
{
	struct sum s;

	check(run(1, 0, true, &s) < 0 && err.code == LH_EIO && strstr(err.msg, "in: cannot open"));
	check_put("in", "");
	check(run(1, 0, true, &s) == 0 && s.lines == 0);
	check_put("in", "\xef\xbb\xbf{\"n\":1}\r\n\n \t\n{\n[]\n{\"n\":2}");
	check(run(2, 0, true, &s) == 0 && s.lines == 4 && s.next == 6);
	check(run(2, 0, false, &s) < 0 && err.code == LH_ECORRUPT && s.lines == 1);
	check_why(!strncmp(err.msg, "in:4: ", 6), err.msg);
	check_put("in", "{\"n\":1}\n{\"m\":1}\n{\"n\":1}\n");
	check(run(1, 0, true, &s) < 0 && !strcmp(err.msg, "in:2: no n") && s.lines == 1);

	/* not decoded, whatever it looks like */
	check_put("in", "\x1f\x8b\x08\n{\"n\":1}\n");
	check(run(1, 0, true, &s) == 0 && s.lines == 2);
}

/* ---- lines of any value, without a tool ---- */

struct seen {
	char text[256];
	size_t n;
};

/* Each value is kept as it is written, after the number of its line. */
static int value(struct lh_record *r, struct lh_buf *out, void *context, struct lh_err *e)
{
	(void)context;
	(void)e;
	lh_buf_printf(out, "%llu:%.*s ", (unsigned long long)r->number, (int)r->len, r->line);
	return r->line[0] != 'n' ? 0 : lh_err_set(e, LH_EDATA, "null");
}

static void not_a_value(const struct lh_bad_line *bad, void *result, struct lh_buf *out,
			void *context)
{
	(void)result;
	(void)context;
	check(bad->why->code == LH_EDATA && *bad->why->msg);
	lh_buf_printf(out, "%llu:bad ", (unsigned long long)bad->line);
}

static int see(const struct lh_output *o, void *shared, struct lh_err *e)
{
	struct seen *s = shared;

	(void)e;
	check(s->n + o->n < sizeof s->text);
	memcpy(s->text + s->n, o->text, o->n);
	s->n += o->n;
	return 0;
}

static const char *values(unsigned jobs, bool any, const char *text)
{
	static struct seen s;

	s = (struct seen){ 0 };
	check_put("in", text);
	check_why(lh_flow_file("in", &(struct lh_flow){
		.map = value, .bad = not_a_value, .sink = see, .shared = &s, .jobs = jobs,
		.values = any }, &err) == 0, err.msg);
	return s.text;
}

static void lines_of_any_value(void)
{
	static const char text[] = "\xef\xbb\xbf 12.50 \r\n\n\"a\\u0062\"\n[1, {}]\n{\"b\":1}\n"
				   "{\"b\":1,\"b\":2}\n1 2\n[\n-\ntrue\n\"\xff\"\nfalse";
	static const char want[] = "1:12.50 3:\"a\\u0062\" 4:[1, {}] 5:{\"b\":1} "
				   "6:bad 7:bad 8:bad 9:bad 10:true 11:bad 12:false ";
	struct lh_flow strict = { .map = value, .sink = see, .values = true };
	struct seen s = { .n = 0 };
	unsigned jobs;

	for (jobs = 1; jobs <= 4; jobs += 3) {
		check_why(!strcmp(values(jobs, true, text), want), values(jobs, true, text));
		/* without values a line is an object */
		check(!strcmp(values(jobs, false, "12\n{\"a\":1}\n[]\n"),
			      "1:bad 2:{\"a\":1} 3:bad "));
	}
	check_put("in", "1\nnull\n2\n");
	strict.shared = &s;
	check(lh_flow_file("in", &strict, &err) < 0 && !strcmp(err.msg, "in:2: null"));
	check(!strcmp(s.text, "1:1 "));
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

/* In a process of its own: a second signal ends it. */
static void open_after_a_signal(void)
{
	char *operands[] = { "fifo" };
	struct lh_input in;
	struct pollfd f;

	alarm(600);
	lh_signal_install();
	lh_signal_defer(true);
	check(raise(SIGTERM) == 0 && lh_signal_pending() == SIGTERM);
	check(lh_signal_wake_open(&err) == 0);
	f = (struct pollfd){ .fd = lh_signal_wake_fd(), .events = POLLIN };
	check(poll(&f, 1, 0) == 1);
	lh_input_init(&in, operands, 1, 100);
	in.lines.wake = lh_signal_wake_fd();
	check(lh_input_open(&in, &err) < 0 && err.code == LH_EINTR);
	lh_input_free(&in);
	_exit(0);
}

static void a_signal_that_came_early_is_not_lost(void)
{
	int status;
	pid_t pid;

	check(mkfifo("fifo", 0600) == 0);
	pid = fork();
	if (!pid)
		open_after_a_signal();
	check(waitpid(pid, &status, 0) == pid && status == 0);
}

/* The writer comes late, and writes late. */
static void write_late(void)
{
	int fd;

	alarm(600);
	usleep(50000);
	fd = open("fifo", O_WRONLY);
	usleep(50000);
	_exit(write(fd, "{}\n", 3) != 3);
}

static void a_fifo_waits_for_its_writer(void)
{
	char *operands[] = { "fifo", "fifo" };
	struct lh_input in;
	char text[8];
	int i, status;
	pid_t pid;

	alarm(600);
	check(lh_signal_wake_open(&err) == 0);
	lh_input_init(&in, operands, 2, 100);
	in.lines.wake = lh_signal_wake_fd();
	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid)
			write_late();
		check_why(lh_input_open(&in, &err) == 1, err.msg);
		check(!(fcntl(in.fd, F_GETFL) & O_NONBLOCK));
		check(read(in.fd, text, sizeof text) == 3 && !memcmp(text, "{}\n", 3));
		check(waitpid(pid, &status, 0) == pid && status == 0);
		check(read(in.fd, text, sizeof text) == 0);
	}
	check(lh_input_open(&in, &err) == 0);
	lh_input_free(&in);
	alarm(0);
}

int main(void)
{
	check_folder();
	test(a_signal_that_came_early_is_not_lost());	/* first: there is no wake descriptor */
	test(a_fifo_waits_for_its_writer());
	test(lines_of_a_file());
	test(lines_of_any_value());
	test(a_line_over_the_limit());
	test(what_is_no_file());
	return 0;
}
