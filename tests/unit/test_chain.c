/* The fast reader of a row agrees with the general one. */
#include "check.h"
#include "audit/chain_parts.h"

static struct lh_err err;

/* Read a line as it is, and after a blank, which only the general reader accepts. */
static void both_ways(const char *line, size_t n)
{
	struct lh_chain_reader a = { 0 }, b = { 0 };
	struct lh_chain_line x, y;
	struct lh_buf text[2];
	int i, rc[2];

	for (i = 0; i < 2; i++) {
		text[i] = (struct lh_buf){ 0 };
		if (i)
			lh_buf_putc(&text[i], ' ');
		lh_buf_add(&text[i], line, n);
		check(lh_buf_room(&text[i], 1) && lh_buf_check(&text[i], &err) == 0);
	}
	rc[0] = lh_chain_line(&a, text[0].p, text[0].len, &x, &err);
	rc[1] = lh_chain_line(&b, text[1].p, text[1].len, &y, &err);
	check_why(rc[0] == rc[1], line);
	if (rc[0] == 0) {
		check_why(x.n == y.n && memcmp(x.text, y.text, x.n) == 0, line);
		check(lh_str_is(x.id, y.id.p, y.id.n) == (y.id.p != NULL));
		check(lh_str_is(x.mac, y.mac.p, y.mac.n) == (y.mac.p != NULL));
		check(lh_str_is(x.prev, y.prev.p, y.prev.n) == (y.prev.p != NULL) &&
		      x.bare == y.bare);
	}
	for (i = 0; i < 2; i++)
		lh_buf_free(&text[i]);
	lh_chain_reader_free(&a);
	lh_chain_reader_free(&b);
}

/* A row as written, with each byte in turn removed, and replaced. */
static void near_misses(void)
{
	static const char row[] =
		"{\"schema\":\"subject_audit.v1\",\"ts\":\"2026-05-03T12:00:00Z\","
		"\"candidate_id\":\"W\","
		"\"accessor\":{\"kind\":\"k\",\"daemon\":\"d\",\"purpose\":\"a long one, beyond a "
		"step of 16\",\"trace_id\":\"\"},"
		"\"fields_accessed\":[\"name\",\"phone\"],\"result\":\"success\","
		"\"prev_chain_hash\":\"GENESIS\",\"row_hmac\":\"00\"}";
	static const char other[] = "\"\\,:{}[] \n\r\t\x01\x7f\xc3\xa9" "0aA";
	char line[sizeof row];
	size_t i, k, n = sizeof row - 1;

	both_ways(row, n);
	for (i = 0; i < n; i++) {
		memcpy(line, row, i);
		memcpy(line + i, row + i + 1, n - i);
		both_ways(line, n - 1);
		both_ways(row, i);
		for (k = 0; k < sizeof other - 1; k++) {
			memcpy(line, row, sizeof row);
			line[i] = other[k];
			both_ways(line, n);
		}
	}
}

int main(void)
{
	test(near_misses());
	return 0;
}
