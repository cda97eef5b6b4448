/*
 * fuzz_catalog - any bytes as the file of a manifest, and as a record to register over it:
 * what is read as a manifest is one line of JSON that reads the same again; a registration
 * either changes nothing or leaves a manifest that has the record's members.
 */
#include "fuzz.h"

#include <sys/stat.h>

#include "catalog/catalog.h"

static struct lh_err err;
static char path[160];
static struct lh_catalog_dataset m, again;

static void clean(void)
{
	rmdir(fuzz_path);
}

static void start(void)
{
	char id[LH_DATASET_ID + 1];

	fuzz_choose_path("");
	lh_dataset_id(lh_str_of("a"), id);
	snprintf(path, sizeof path, "%s/%s.json", fuzz_path, id);
	must(mkdir(fuzz_path, 0700) == 0);
	atexit(clean);
}

/* What was read is one line, and is the same if it is read from that line. */
static void check_manifest(void)
{
	struct lh_buf b = { 0 };
	size_t i;

	must(m.json.n && !memchr(m.json.p, '\n', m.json.n) && m.row_count >= -1);
	lh_buf_add(&b, m.json.p, m.json.n);
	must(lh_catalog_dataset_parse(&again, b.p, b.len, &err) == 0);
	must(again.n_objects == m.n_objects && again.row_count == m.row_count);
	must(lh_str_cmp(again.json, m.json) == 0 && lh_str_cmp(again.name, m.name) == 0);
	for (i = 0; i < m.n_objects; i++) {
		must(m.object[i].key.n && m.object[i].size >= -1);
		must(m.object[i].size == again.object[i].size);
	}
	lh_catalog_dataset_free(&again);
	lh_buf_free(&b);
}

static void register_it(const uint8_t *data, size_t n)
{
	static const struct lh_catalog_how how = { "2026-05-03T12:00:00.000Z", 60, "op" };
	struct lh_buf b = { 0 };
	struct lh_record rec;
	bool existing;

	lh_record_init(&rec);
	lh_buf_add(&b, data, n);
	if (n && lh_record_parse(&rec, b.p, b.len, &err) == 0 &&
	    lh_catalog_register(fuzz_path, &rec, &how, &m, &existing, &err) == 0) {
		check_manifest();
		must(lh_catalog_get(fuzz_path, m.name, &again, &err) == 0);
		must(lh_str_cmp(again.json, m.json) == 0);
		must(lh_catalog_remove(fuzz_path, m.name, 60, &err) == 0);
	}
	lh_record_free(&rec);
	lh_buf_free(&b);
}

/* The file ends at NUL, and the record follows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *cut = memchr(data, 0, n);
	size_t file = cut ? (size_t)(cut - data) : n;

	if (!*path)
		start();
	fuzz_write(path, data, file, O_TRUNC);
	if (lh_catalog_get(fuzz_path, lh_str_of("a"), &m, &err) == 0)
		check_manifest();
	else
		must(err.code == LH_ECORRUPT);
	if (cut)
		register_it(cut + 1, n - file - 1);
	unlink(path);
	return 0;
}
