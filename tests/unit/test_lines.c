/* lh_lines: whole lines, in blocks, from a pipe with reads of any size. */
#include <fcntl.h>

#include "check.h"
#include "flow/flow.h"

static struct lh_err err;
static struct lh_bytes block;

static void is_block(struct lh_lines *l, const char *want)
{
	check(lh_lines_next(l, &block, &err) == LH_LINES_BLOCK);
	check(block.n == strlen(want) && memcmp(block.p, want, block.n) == 0);
}

static struct lh_lines start(int *to)
{
	struct lh_lines l = { .wake = -1, .max_line = 100000, .target = 65536 };
	int ends[2];

	check(pipe(ends) == 0);
	*to = ends[1];
	lh_lines_open(&l, ends[0]);
	return l;
}

static void send(int to, const char *s)
{
	check(write(to, s, strlen(s)) == (ssize_t)strlen(s));
}

static void finish(struct lh_lines *l, int to)
{
	close(to);
	check(lh_lines_next(l, &block, &err) == LH_LINES_END);
	check(lh_lines_next(l, &block, &err) == LH_LINES_END);
	close(l->fd);
	lh_lines_free(l);
}

static void half_lines_wait(void)
{
	int to;
	struct lh_lines l = start(&to);

	check(lh_lines_next(&l, &block, &err) == LH_LINES_WAIT);
	send(to, "one\ntw");
	is_block(&l, "one\n");
	check(!lh_lines_ready(&l));
	check(lh_lines_next(&l, &block, &err) == LH_LINES_WAIT);
	send(to, "o\n\nthree");
	check(lh_lines_ready(&l) && lh_lines_wait(&l, &err) == 0);
	is_block(&l, "two\n\n");
	close(to);
	check(!lh_lines_ready(&l));
	is_block(&l, "three");
	to = open("/dev/null", O_RDONLY);
	finish(&l, to);
}

/* A wait for input ends when the output has no reader any more. */
static void a_wait_ends_with_the_reader(void)
{
	int to, out[2];
	struct lh_lines l = start(&to);

	check(pipe(out) == 0);
	l.reader = out[1];
	send(to, "x");
	check(lh_lines_wait(&l, &err) == 0);
	check(lh_lines_next(&l, &block, &err) == LH_LINES_WAIT);
	close(out[0]);
	err.code = LH_OK;
	check(lh_lines_wait(&l, &err) < 0 && err.code == LH_EINTR);
	close(out[1]);
	close(to);
	is_block(&l, "x");
	finish(&l, open("/dev/null", O_RDONLY));
}

static void blocks_of_so_many_lines(void)
{
	int to;
	struct lh_lines l = start(&to);

	l.max_lines = 2;
	send(to, "1\n2\n3\n4\n5\n6");
	is_block(&l, "1\n2\n");
	is_block(&l, "3\n4\n");
	is_block(&l, "5\n");
	close(to);
	is_block(&l, "6");
	finish(&l, open("/dev/null", O_RDONLY));
}

/* The buffer grows to the limit, and calls back before it gets large. */
static void long_lines(void)
{
	char *line = malloc(300001);
	const char *p;
	size_t n = 0;
	ssize_t got;
	int to;
	struct lh_lines l = start(&to);

	close(to);
	close(l.fd);
	l.fd = fileno(tmpfile());
	memset(line, 'x', 300000);
	line[300000] = '\n';
	check(write(l.fd, line, 90000) == 90000 && write(l.fd, "\n", 1) == 1);
	check(write(l.fd, line, 300001) == 300001 && write(l.fd, "end", 3) == 3);
	check(lseek(l.fd, 0, SEEK_SET) == 0);
	lh_lines_open(&l, l.fd);
	check(lh_lines_next(&l, &block, &err) == LH_LINES_BLOCK && block.n == 90001);
	check(lh_lines_next(&l, &block, &err) == LH_LINES_LONG);
	while ((got = lh_lines_piece(&l, &p, &err)) > 0) {
		check(*p == 'x' && p[got - 1] == 'x');
		n += (size_t)got;
	}
	check(got == 0 && n == 300000);
	is_block(&l, "end");
	check(l.b.cap <= 200000);
	check(lh_lines_next(&l, &block, &err) == LH_LINES_END);

	check(lseek(l.fd, 90001, SEEK_SET) == 90001);
	lh_lines_open(&l, l.fd);
	l.max_line = 1000000;
	check(lh_lines_next(&l, &block, &err) == LH_LINES_BLOCK && block.n == 300001);
	is_block(&l, "end");
	free(line);
	close(l.fd);
	lh_lines_free(&l);
}

static void big_ones_ask(void)
{
	size_t size = LH_LINES_FREE_GROWTH * 3;
	char *line = malloc(size);
	int to, asked = 0;
	enum lh_lines_is is;
	struct lh_lines l = start(&to);

	close(to);
	close(l.fd);
	l.max_line = size * 2;
	l.fd = fileno(tmpfile());
	memset(line, 'x', size);
	line[size - 1] = '\n';
	check(write(l.fd, line, size) == (ssize_t)size && lseek(l.fd, 0, SEEK_SET) == 0);
	lh_lines_open(&l, l.fd);
	while ((is = lh_lines_next(&l, &block, &err)) == LH_LINES_ROOM) {
		asked++;
		check(l.want > LH_LINES_FREE_GROWTH);
		lh_lines_allow(&l);
	}
	check(is == LH_LINES_BLOCK && block.n == size && asked == 2);
	free(line);
	close(l.fd);
	lh_lines_free(&l);
}

static ssize_t breaks_off(void *ctx, void *p, size_t n, struct lh_err *e)
{
	int *calls = ctx;

	if ((*calls)++)
		return lh_err_set(e, LH_EIO, "broken");
	check(n > 7);
	memcpy(p, "1\n2\n3..", 7);
	return 7;
}

/* Whole lines before an error are returned, the incomplete one is not. */
static void errors_come_behind(void)
{
	int calls = 0;
	struct lh_lines l = { .wake = -1, .max_line = 100, .target = 65536, .read = breaks_off,
			      .ctx = &calls };

	lh_lines_open(&l, fileno(tmpfile()));
	is_block(&l, "1\n2\n");
	check(lh_lines_next(&l, &block, &err) == LH_LINES_ERROR && strcmp(err.msg, "broken") == 0);
	check(lh_lines_next(&l, &block, &err) == LH_LINES_ERROR && calls == 2);
	close(l.fd);
	lh_lines_free(&l);
}

int main(void)
{
	test(half_lines_wait());
	test(a_wait_ends_with_the_reader());
	test(blocks_of_so_many_lines());
	test(long_lines());
	test(big_ones_ask());
	test(errors_come_behind());
	free(block.p);
	return 0;
}
