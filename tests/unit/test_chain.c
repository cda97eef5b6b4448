/*
 * The known answers of a chain; and the fast reader of a row agrees with the
 * general one.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "json/canon.h"
#include "audit/chain.h"
#include "audit/chain_parts.h"
#include "crypto/digest.h"
#include "file/file.h"
#include "audit/subject.h"

static struct lh_err err;
static struct lh_chain_keys keys;

#define S(text) { text, sizeof text - 1 }

static void known_chain(void)
{
	static const struct lh_str two[] = { S("name"), S("phone") }, one[] = { S("exists") };
	const struct lh_chain_row row[] = {
		{ S("WORKER-1"), S("2026-05-03T09:00:00.461439210Z"),
		  { S("gateway_lookup"), S("gateway"), S("tool_lookup"), S(""), { NULL, 0 } }, two,
		  2, "success" },
		{ S("WORKER-1"), S("2026-05-03T09:00:01Z"),
		  { S("validator_lookup"), S("gateway"), S("validator_worker_lookup"), S(""),
		    { NULL, 0 } }, one,
		  1, "not_found" },
		{ S("WORKER-1"), S("2026-05-03T09:00:02.500Z"),
		  { S("gateway_lookup"), S("gateway"), S("caf\xc3\xa9 \"q\" </&>"), S("t-3"),
		    { NULL, 0 } },
		  NULL, 0, "error" },
	};
	static const char *const want[] = {
		"4f658d9adea2454252e9340fe1192953d6272d3780d118b4c837fd1bbc650971",
		"3529a596290d31e7b1ad8ba8c4bd039b4972409b9bb5ecf74d7f7c7a1a6e20ef",
		"c6d38cb0ad488bb2c33eb004a36ed44921d620c6a111c2b38ca8b3e26a2cb31b",
	};
	char dir[] = "/tmp/test_chain.XXXXXX", *path;
	struct lh_chain_verdict v;
	struct lh_chain_log *log;
	struct lh_buf out = { 0 };
	size_t i;

	check(mkdtemp(dir) != NULL);
	log = lh_chain_log_open(dir, &keys, LH_CHAIN_NONE, 60, &err);
	check(log != NULL);
	for (i = 0; i < 3; i++) {
		lh_buf_reset(&out);
		check_why(lh_chain_append(log, &row[i], &out, &err) == 0, err.msg);
		check(memcmp(out.p + out.len - LH_CHAIN_HEX - 2, want[i], LH_CHAIN_HEX) == 0);
	}
	check_why(lh_chain_log_close(log, &err) == 0, err.msg);
	path = lh_subject_path(dir, "WORKER-1", LH_SUBJECT_LOG);
	check_why(lh_chain_verify(path, &(struct lh_chain_check){ .keys = &keys,
								  .name = "WORKER-1" }, &v,
								  &err) == 0, err.msg);
	check(v.state == LH_CHAIN_INTACT && v.count == 3 && strcmp(v.tip, want[2]) == 0);
	check(unlink(path) == 0 && rmdir(dir) == 0);
	lh_buf_free(&out);
	free(path);
}

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

static void names(void)
{
	char name[LH_SUBJECT_MAX + 1], path[] = "a/b/W-1.audit.jsonl";

	check(lh_subject_name(name, "a/\xc3\xa9\xf0\x9f\x98\x80 .-_Z", 13, &err) == 0 &&
	      strcmp(name, "a________.-_Z~8fbcf5dcf76f") == 0);
	check(lh_subject_named(name, "a/\xc3\xa9\xf0\x9f\x98\x80 .-_Z", 13) &&
	      !lh_subject_named(name, "a/\xc3\xa9\xf0\x9f\x98\x80 .-_ ", 13));
	check(lh_subject_named("a____.-_Z", "a/\xc3\xa9\xf0\x9f\x98\x80 .-_Z", 13) &&
	      !lh_subject_plain_name(name, "W-1", 3));
	check(lh_subject_name(name, "", 0, &err) < 0 && lh_subject_name(name, ".", 1, &err) < 0);
	check(lh_subject_name(name, "\0x", 2, &err) == 0 && strcmp(name, "_x~3c7e9bc930dc") == 0);
	check(lh_subject_of_path(name, path, LH_SUBJECT_LOG) && strcmp(name, "W-1") == 0);
	check(!lh_subject_of_path(name, ".audit.jsonl", LH_SUBJECT_LOG) &&
	      !lh_subject_of_path(name, "x", LH_SUBJECT_LOG));
}

int main(void)
{
	unsigned char key[32];
	size_t i;

	for (i = 0; i < sizeof key; i++)
		key[i] = (unsigned char)i;
	lh_chain_keys_add(&keys, key, sizeof key);
	test(known_chain());
	test(near_misses());
	test(names());
	lh_chain_keys_free(&keys);
	return 0;
}
