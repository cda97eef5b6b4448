/* The catalog: ids of datasets, register and get, hostile manifests. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "check.h"
#include "file/file.h"

#define NOW "2026-05-03T12:00:00.000Z"
#define LATER "2026-05-04T12:00:00.000Z"
#define WORKERS "4ee908eb-05e4-5c26-a4ad-4ca54bb01062"

static char folder[64];
static struct lh_err err;
static struct lh_catalog_dataset m;
static bool existing;

static int add(const char *json, const char *now)
{
	struct lh_catalog_how how = { .now = now, .lock_timeout = 60, .omit = "op" };
	struct lh_record rec;
	struct lh_buf b = { 0 };
	int rc;

	lh_record_init(&rec);
	lh_buf_puts(&b, json);
	check(lh_record_parse(&rec, b.p, b.len, &err) == 0);
	rc = lh_catalog_register(folder, &rec, &how, &m, &existing, &err);
	lh_record_free(&rec);
	lh_buf_free(&b);
	return rc;
}

static void is(const char *want)
{
	check_why(lh_str_is(m.json, want, strlen(want)), m.json.p ? m.json.p : "nothing");
}

static void the_id_of_a_name_is_a_uuid_of_version_5(void)
{
	char id[LH_DATASET_ID + 1];

	lh_dataset_id(lh_str_of("workers"), id);
	check_why(strcmp(id, WORKERS) == 0, id);
	lh_dataset_id(lh_str_of("fill_events"), id);
	check_why(strcmp(id, "a556bc0d-eb3c-5af0-87de-824f1b4e4c10") == 0, id);
}

static void a_dataset_is_registered_and_found(void)
{
	check(lh_catalog_get(folder, lh_str_of("workers"), &m, &err) < 0);
	check(lh_err_status(&err) == 404);
	check_why(add("{\"name\":\"workers\",\"op\":1,\"schema_fingerprint\":\"f\",\"row_count\":5,"
		      "\"objects\":[{\"key\":\"k\",\"size\":7,\"x\":1.0},{\"key\":\"l\"}],"
		      "\"y\":[1.10]}", NOW) == 0, err.msg);
	check(!existing);
	check(lh_catalog_get(folder, lh_str_of("workers"), &m, &err) == 0);
	is("{\"dataset_id\":\"" WORKERS "\",\"name\":\"workers\",\"schema_fingerprint\":\"f\","
	   "\"objects\":[{\"key\":\"k\",\"size\":7,\"x\":1.0},{\"key\":\"l\"}],\"row_count\":5,"
	   "\"created_at\":\"" NOW "\",\"updated_at\":\"" NOW "\",\"y\":[1.10]}");
	check(m.row_count == 5 && m.n_objects == 2 && !m.store.p);
	check(m.object[0].size == 7 && m.object[1].size == -1 && !m.object[1].sha256.p);
	check(lh_str_is(m.object[1].key, "l", 1));
}

static void the_same_fingerprint_renews_it(void)
{
	check_why(add("{\"schema_fingerprint\":\"f\",\"name\":\"workers\",\"store\":\"/s\","
		      "\"z\":2}", LATER) == 0, err.msg);
	check(existing && m.row_count == -1 && m.n_objects == 0 && lh_str_is(m.store, "/s", 2));
	is("{\"dataset_id\":\"" WORKERS "\",\"name\":\"workers\",\"schema_fingerprint\":\"f\","
	   "\"objects\":[],\"store\":\"/s\",\"created_at\":\"" NOW "\",\"updated_at\":\"" LATER
	   "\",\"z\":2,\"y\":[1.10]}");
	check(add("{\"schema_fingerprint\":\"g\",\"name\":\"workers\"}", LATER) < 0);
	check(lh_err_status(&err) == 409);
}

static int count(void *ctx, const struct lh_catalog_dataset *d, struct lh_err *e)
{
	(void)d;
	(void)e;
	++*(int *)ctx;
	return 0;
}

static int count_damaged(void *ctx, const struct lh_err *why, struct lh_err *e)
{
	(void)e;
	check(why->code == LH_ECORRUPT || why->code == LH_EIO);
	*(int *)ctx += 100;
	return 0;
}

static void a_damaged_manifest_does_not_hide_others(void)
{
	int n = 0;
	struct lh_catalog_visit visit = { count, count_damaged, &n };
	char path[128];
	int fd;

	check(add("{\"schema_fingerprint\":\"g\",\"name\":\"other\"}", NOW) == 0);
	snprintf(path, sizeof path, "%s/%s.json", folder, WORKERS);
	fd = open(path, O_WRONLY | O_TRUNC);
	check(fd >= 0 && lh_write_all(fd, "{\"name\":\"other\"}", 16, &err) == 0);
	close(fd);
	check(lh_catalog_list(folder, &visit, &err) == 0 && n == 101);
	check(lh_catalog_get(folder, lh_str_of("workers"), &m, &err) < 0);
	check(err.code == LH_ECORRUPT && lh_err_status(&err) == 503);
	check(add("{\"schema_fingerprint\":\"f\",\"name\":\"workers\"}", NOW) < 0);
	check(lh_catalog_remove(folder, lh_str_of("workers"), 60, &err) == 0);
	check(lh_catalog_remove(folder, lh_str_of("other"), 60, &err) == 0);
	check(lh_catalog_remove(folder, lh_str_of("other"), 60, &err) < 0);
	check(lh_err_status(&err) == 404);
}

int main(void)
{
	snprintf(folder, sizeof folder, "/tmp/lh-test-catalog-%ld", (long)getpid());
	test(the_id_of_a_name_is_a_uuid_of_version_5());
	test(a_dataset_is_registered_and_found());
	test(the_same_fingerprint_renews_it());
	test(a_damaged_manifest_does_not_hide_others());
	lh_catalog_dataset_free(&m);
	check(rmdir(folder) == 0);
	return 0;
}
