/* lh_shard_plan: what is read is written again, and edited plans are refused. */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "index/index_tools.h"

#define SHARD(file, length, sum, more) \
	"{\"file\":\"" file "\",\"length\":" length ",\"checksum\":" sum more "}"
#define SUM "\"0123456789abcdef\""
#define FILE_A SHARD("a.lhv", "4096", "\"00ff00ff00ff00ff\"", "")
#define CENTROID SHARD("d/b.lhv", "0", "\"ffffffffffffffff\"", ",\"centroid\":[0.5,-1]")
#define PLAN(by, model, shards) "{\"format\":1,\"by\":\"" by "\",\"dimension\":2,\"model\":" model \
	",\"shards\":[" shards "]}"

static int parse(const char *text, struct lh_shard_plan *p, struct lh_err *err)
{
	struct lh_buf copy = { 0 };
	int rc;

	lh_buf_puts(&copy, text);
	rc = lh_shard_plan_parse(p, copy.p, copy.len, err);
	lh_buf_free(&copy);
	return rc;
}

static void test_written_as_read(void)
{
	static const char *const plans[] = {
		PLAN("hash", "null", FILE_A),
		PLAN("hash", "\"m\"", FILE_A "," SHARD("b", "1", SUM, "")),
		PLAN("centroid", "null", FILE_A "," CENTROID),
	};
	struct lh_shard_plan p;
	struct lh_err err;
	size_t i;

	for (i = 0; i < sizeof plans / sizeof *plans; i++) {
		struct lh_buf out = { 0 };

		assert(parse(plans[i], &p, &err) == 0);
		lh_shard_plan_write(&out, &p);
		assert(out.len == strlen(plans[i]) + 1 && out.p[out.len - 1] == '\n');
		assert(memcmp(out.p, plans[i], out.len - 1) == 0);
		lh_buf_free(&out);
		lh_shard_plan_free(&p);
	}
}

static void test_paths(void)
{
	struct lh_shard_plan p;
	struct lh_err err;
	char *path;

	assert(parse(PLAN("centroid", "null", FILE_A "," CENTROID), &p, &err) == 0);
	path = lh_shard_plan_path("plan.json", &p, 1, &err);
	assert(strcmp(path, "d/b.lhv") == 0);
	free(path);
	path = lh_shard_plan_path("/x/y/plan.json", &p, 0, &err);
	assert(strcmp(path, "/x/y/a.lhv") == 0);
	free(path);
	assert(lh_shard_plan_name("/x/plan.json").n == 4);
	assert(p.shard[0].checksum == 0x00ff00ff00ff00ff && !p.shard[0].centroid);
	assert(p.shard[1].centroid[0] == 0.5f && p.shard[1].centroid[1] == -1);
	lh_shard_plan_free(&p);
}

static void test_refused(void)
{
	static const char *const bad[] = {
		"", "[]", "{}", "null", "{\"format\":1}", PLAN("hash", "null", ""),
		PLAN("hash", "1", FILE_A), PLAN("hash", "\"a\\u0000b\"", FILE_A),
		PLAN("hash", "null", FILE_A "," FILE_A), PLAN("hash", "null", CENTROID),
		PLAN("hash", "null", SHARD("a", "-1", SUM, "")),
		PLAN("hash", "null", SHARD("a", "1", "\"0123456789ABCDEF\"", "")),
		PLAN("hash", "null", SHARD("a", "1", "\"123\"", "")),
		PLAN("hash", "null", SHARD("a", "1", "18446744073709551615", "")),
		PLAN("hash", "null", "{\"file\":\"a\",\"length\":1}"),
		PLAN("centroid", "null", SHARD("a", "1", SUM, ",\"centroid\":[1]")),
		PLAN("centroid", "null", SHARD("a", "1", SUM, ",\"centroid\":[1,1e39]")),
		PLAN("centroid", "null", SHARD("a", "1", SUM, ",\"centroid\":\"AAAAAAAAAAA=\"")),
	};
	static const char *const files[] = { "", "/a", "/", "..", ".", "../a", "a/..", "a/../b",
					     "a//b", "./a", "a/", "a/./b", "a\\u0000b" };
	struct lh_shard_plan p;
	struct lh_err err;
	char text[400];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert(parse(bad[i], &p, &err) == -1 && err.code == LH_EDATA);
		lh_shard_plan_free(&p);
	}
	for (i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(text, sizeof text, PLAN("hash", "null", SHARD("%s", "1", SUM, "")),
			 files[i]);
		assert(parse(text, &p, &err) == -1 && err.code == LH_EDATA);
		lh_shard_plan_free(&p);
	}
	assert(parse(PLAN("hash", "null", SHARD("..a/...", "1", SUM, "")), &p, &err) == 0);
	lh_shard_plan_free(&p);
}

int main(void)
{
	test(test_written_as_read());
	test(test_paths());
	test(test_refused());
	return 0;
}
