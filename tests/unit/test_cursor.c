/* lh_cursor: a cursor goes with its log when rows of it become tombstones. */
#include <fcntl.h>
#include <string.h>

#include "check.h"
#include "observe/observe.h"

#define STONE "{\"erased\":\"er-1\",\"at\":\"2026-05-03T12:00:00.000Z\"}"

static struct lh_err err;
static char row[9000];		/* more than is hashed */

static int make(const char *name, const char *first, const char *second, const char *third)
{
	FILE *f = fopen(name, "w");
	int fd;

	check(f && fprintf(f, "%s\n%s\n%s\n", first, second, third) > 0 && fclose(f) == 0);
	fd = open(name, O_RDONLY);
	check(fd >= 0);
	return fd;
}

static void write_cursor(int log, uint64_t offset, uint64_t line)
{
	check_why(lh_cursor_write("cursor", lh_str_of("otlp"), log, offset, line, &err) == 0,
		  err.msg);
}

/* The cursor holds against the log, is after that line, and was made for OpenTelemetry. */
static void is_after(int log, uint64_t offset, uint64_t line)
{
	struct lh_cursor c;

	check_why(lh_cursor_read(&c, "cursor", &err) == 1, err.msg);
	check(c.offset == offset && c.line == line && lh_str_is(c.to, "otlp", 4));
	check(lh_cursor_holds(&c, log, &err) == 1);
	lh_cursor_free(&c);
}

static void a_cursor_moves_to_the_same_line(void)
{
	int before = make("before", row, "{}", "{}"), after = make("after", STONE, "{}", "{}");
	uint64_t at = strlen(STONE) + 1;

	unlink("cursor");
	check(lh_cursor_move("cursor", before, after, &err) == 0 && access("cursor", F_OK) < 0);
	write_cursor(before, sizeof row, 1);
	check(lh_cursor_move("cursor", before, after, &err) == 1);
	is_after(after, at, 1);
	/* as after a kill before the new log was in place */
	check(lh_cursor_move("cursor", before, after, &err) == 0);
	is_after(after, at, 1);
	write_cursor(before, 0, 0);
	check(lh_cursor_move("cursor", before, after, &err) == 1);
	is_after(after, 0, 0);
	write_cursor(before, sizeof row + 6, 3);
	check(lh_cursor_move("cursor", before, after, &err) == 1);
	is_after(after, at + 6, 3);
	close(before);
	close(after);
}

static void a_cursor_of_another_log_stays(void)
{
	int before = make("before", row, "{}", "{}"), after = make("after", STONE, "{}", "{}");
	int other = make("other", "{\"a\":1}", "{}", "{}"), shorter = make("shorter", "{}", "", "");

	write_cursor(other, 8, 1);
	check(lh_cursor_move("cursor", before, after, &err) == 0);
	is_after(other, 8, 1);
	write_cursor(before, sizeof row + 6, 4);	/* a line that the log does not have */
	check(lh_cursor_move("cursor", before, shorter, &err) == 0);
	is_after(before, sizeof row + 6, 4);
	close(before);
	close(after);
	close(other);
	close(shorter);
}

static void a_damaged_cursor_is_an_error(void)
{
	int log = make("before", "{}", "{}", "{}");
	FILE *f = fopen("cursor", "w");

	check(f && fputs("{\"schema\":\"observe.cursor.v2\"}\n", f) > 0 && fclose(f) == 0);
	check(lh_cursor_move("cursor", log, log, &err) == -1 && err.code == LH_ECORRUPT);
	close(log);
}

int main(void)
{
	char folder[] = "/tmp/test_cursor.XXXXXX";
	static const char *const made[] = { "before", "after", "other", "shorter", "cursor" };
	size_t i;

	memset(row, 'x', sizeof row - 1);
	check(mkdtemp(folder) && chdir(folder) == 0);
	test(a_cursor_moves_to_the_same_line());
	test(a_cursor_of_another_log_stays());
	test(a_damaged_cursor_is_an_error());
	for (i = 0; i < sizeof made / sizeof *made; i++)
		check(unlink(made[i]) == 0);
	check(rmdir(folder) == 0);
	return 0;
}
