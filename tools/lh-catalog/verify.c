/* verify.c - lh-catalog verify: whether objects are what their manifests say. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>
#include "base/mem.h"
#include "catalog.h"
#include "json/write.h"
#include "store/store.h"

#define DATASETS "datasets/"	/* where lh-ingest puts objects */

struct verify {
	struct lh_tool *tool;
	struct lh_store *store;
	int null;		/* /dev/null: what is hashed goes there */
	char **named;		/* the keys of all manifests */
	size_t n, cap;
	uint64_t objects, differ;
};

/* ---- a line for each object that differs ---- */

static void begin_line(struct lh_writer *w, struct lh_str name, const char *key,
		       const char *problem)
{
	lh_write_object(w, NULL);
	if (name.p)
		lh_write_str(w, "name", name);
	lh_write_text(w, "key", key);
	lh_write_text(w, "problem", problem);
}

static int end_line(struct verify *v, struct lh_writer *w)
{
	v->differ++;
	lh_tool_verdict_bad(v->tool);
	lh_write_end(w);
	return lh_tool_out_line(v->tool, w->out);
}

static int report_size(struct verify *v, struct lh_str name, const char *key, int64_t want,
		       uint64_t size)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	begin_line(&w, name, key, "size");
	lh_write_u64(&w, "size", size);
	lh_write_i64(&w, "manifest_size", want);
	return end_line(v, &w);
}

static int report_sha256(struct verify *v, struct lh_str name, const char *key,
			 struct lh_str want, const unsigned char *sum)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);
	char hex[LH_SHA256_HEX];

	lh_hex(sum, 32, hex);
	begin_line(&w, name, key, "sha256");
	lh_write_str(&w, "sha256", (struct lh_str){ hex, sizeof hex });
	lh_write_str(&w, "manifest_sha256", want);
	return end_line(v, &w);
}

static int report_key(struct verify *v, struct lh_str name, const char *key, const char *problem)
{
	struct lh_buf line = { 0 };
	struct lh_writer w = lh_write_to(&line);

	begin_line(&w, name, key, problem);
	return end_line(v, &w);
}

/* ---- objects ---- */

static int check_object(struct verify *v, struct lh_str name, const char *key,
			const struct lh_catalog_object *o, struct lh_err *err)
{
	struct lh_transfer got;
	struct lh_object head;
	unsigned char want[32];

	if (lh_store_head(v->store, key, &head, err) < 0)
		return lh_err_status(err) == 404 ? report_key(v, name, key, "missing") :
		       lh_err_status(err) == 400 ? report_key(v, name, key, "not a key") : -1;
	if (o->size >= 0 && head.size != (uint64_t)o->size)
		return report_size(v, name, key, o->size, head.size);
	if (!o->sha256.p || !lh_unhex(o->sha256.p, o->sha256.n, want))
		return 0;
	if (lh_store_get(v->store, key, v->null, &got, err) < 0)
		return -1;
	return memcmp(got.sha256, want, sizeof want)
		? report_sha256(v, name, key, o->sha256, got.sha256) : 0;
}

static int check_dataset(void *verify, const struct lh_catalog_dataset *m, struct lh_err *err)
{
	struct verify *v = verify;
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < m->n_objects; i++) {
		char *key = lh_strndup(m->object[i].key.p, m->object[i].key.n);

		lh_grow(&v->named, &v->cap, v->n + 1, sizeof *v->named);
		v->named[v->n++] = key;
		v->objects++;
		rc = check_object(v, m->name, key, &m->object[i], err);
	}
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Report an object that no manifest names: a run of lh-ingest was killed before it registered
 * the object, or the dataset was removed. */
static int check_named(void *verify, const struct lh_object *o, struct lh_err *err)
{
	struct verify *v = verify;

	(void)err;
	if (v->n && bsearch(&o->key, v->named, v->n, sizeof *v->named, by_text))
		return 0;
	v->objects++;
	return report_key(v, (struct lh_str){ NULL, 0 }, o->key, "no manifest");
}

/* Report what has no key, and so no manifest. */
static void on_refused(void *verify, const struct lh_err *why)
{
	struct verify *v = verify;

	lh_tool_warn(v->tool, "%s", why->msg);
	lh_tool_verdict_bad(v->tool);
}

/* ---- the command ---- */

static int damaged(void *verify, const struct lh_err *why, struct lh_err *err)
{
	return report_damaged(((struct verify *)verify)->tool, why, err);
}

static int check_all(struct verify *v, const struct settings *s, struct lh_err *err)
{
	const struct lh_catalog_visit visit = { check_dataset, damaged, v };

	if (lh_catalog_list(s->catalog, &visit, err) < 0)
		return -1;
	if (!lh_store_is_s3(s->store) && access(s->store, F_OK) < 0)
		return 0;
	if (v->n)
		qsort(v->named, v->n, sizeof *v->named, by_text);
	return lh_store_list(v->store, DATASETS, check_named, v, err);
}

static int check_names(struct verify *v, const struct settings *s, struct lh_err *err)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < v->tool->n_operands; i++) {
		if (lh_catalog_get(s->catalog, lh_str_of(v->tool->operands[i]), &m, err) == 0)
			rc = check_dataset(v, &m, err);
		else if (err->code == LH_EDATA || err->code == LH_ECORRUPT)
			report_damaged(v->tool, err, NULL);
		else
			rc = -1;
	}
	return rc;
}

int catalog_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct lh_err *err = &tool->err;
	struct verify v = { .tool = tool, .null = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	struct lh_store_opts opts = LH_STORE_DEFAULTS;
	int rc = v.null < 0 ? lh_err_sys(err, "/dev/null") : 0;

	opts.refused = on_refused;
	opts.context = &v;
	if (!rc)
		v.store = lh_store_open(s->store, &opts, err);
	if (v.store)
		rc = tool->n_operands ? check_names(&v, s, err) : check_all(&v, s, err);
	else
		rc = -1;
	if (!rc && !tool->n_operands)
		lh_tool_verdict_over(tool, v.objects, "objects", s->catalog);
	if (!rc && v.differ)
		lh_tool_warn(tool, "%llu of %llu objects differ", (unsigned long long)v.differ,
			     (unsigned long long)v.objects);
	while (v.n)
		free(v.named[--v.n]);
	free(v.named);
	lh_store_close(v.store);
	if (v.null >= 0)
		close(v.null);
	return rc;
}
