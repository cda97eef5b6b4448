/* dataset.c - read and check a manifest, and what is to become one.  See catalog.h. */
#include "dataset.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include <lh/digest.h>

#define FINGERPRINT_MAX 1024
#define STORE_MAX 4096
#define TIME_MAX 64

const char *const lh_catalog_members[] = {
	"dataset_id", "name", "schema_fingerprint", "objects", "row_count", "store",
	"created_at", "updated_at", NULL
};

static const struct lh_bind object_members[] = {
	{ LH_BIND_STRING("key", struct lh_catalog_object, key), .required = true, .filled = true,
	  .no_nul = true, .longest = 1024 },
	{ LH_BIND_I64("size", struct lh_catalog_object, size, 0, INT64_MAX) },
	{ LH_BIND_STRING("sha256", struct lh_catalog_object, sha256), .is = lh_bind_is_sha256,
	  .what = "hash of 64 lowercase hex digits", .pattern = "^[0-9a-f]{64}$" },
	LH_BIND_END
};

#define COMMON(s) \
	{ LH_BIND_STRING("name", struct s, name), .required = true, .filled = true, \
	  .no_nul = true, .longest = LH_DATASET_NAME }, \
	{ LH_BIND_STRING("schema_fingerprint", struct s, schema_fingerprint), \
	  .required = true, .filled = true, .longest = FINGERPRINT_MAX }, \
	{ LH_BIND_TABLES("objects", struct s, object, n_objects, object_members), \
	  .as_written = LH_BIND_FIELD(struct s, objects) }, \
	{ LH_BIND_I64("row_count", struct s, row_count, 0, INT64_MAX) }, \
	{ LH_BIND_STRING("store", struct s, store), .filled = true, .no_nul = true, \
	  .path = true, .safe = true, \
	  .longest = STORE_MAX }, \
	{ LH_BIND_BOOL("of_persons", struct s, of_persons), .not_null = true, \
	  .about = "its rows are persons, whatever columns they have" }

const struct lh_bind lh_catalog_manifest[] = {
	COMMON(lh_catalog_dataset),
	{ LH_BIND_STRING("dataset_id", struct lh_catalog_dataset, dataset_id), .required = true },
	{ LH_BIND_STRING("created_at", struct lh_catalog_dataset, created_at), .required = true,
	  .longest = TIME_MAX },
	{ LH_BIND_STRING("updated_at", struct lh_catalog_dataset, updated_at), .required = true,
	  .longest = TIME_MAX },
	LH_BIND_END
};

const struct lh_bind lh_catalog_registration[] = {
	COMMON(lh_registration),
	{ LH_BIND_STRING("dataset_id", struct lh_registration, dataset_id) },
	LH_BIND_END
};

int lh_dataset_name_check(struct lh_str name, struct lh_err *err)
{
	if (!name.n)
		return lh_err_set(err, LH_EDATA, "the name of a dataset must not be empty");
	if (name.n > LH_DATASET_NAME)
		return lh_err_set(err, LH_EDATA, "the name of a dataset must be at most %d bytes",
				  LH_DATASET_NAME);
	if (memchr(name.p, '\0', name.n) || !lh_utf8_valid(name.p, name.n))
		return lh_err_set(err, LH_EDATA,
				  "the name of a dataset must be UTF-8 without NUL");
	return 0;
}

/* Check that the id is that of the name; copy it to id. */
static int check_id(struct lh_str name, struct lh_str given, char id[LH_DATASET_ID + 1],
		    struct lh_err *err)
{
	lh_dataset_id(name, id);
	if (given.p && !lh_str_is(given, id, LH_DATASET_ID))
		return lh_err_set(err, LH_EDATA, "\"dataset_id\" must be that of the name, \"%s\"",
				  id);
	return 0;
}

/* A size that is absent is zero in the array: mark it. */
static void mark_absent(struct lh_catalog_object *o, size_t n, const struct lh_value *objects)
{
	struct lh_value size;
	struct lh_iter it;
	size_t i = 0;

	if (!n)
		return;
	for (lh_iter_init(&it, objects); i < n && lh_iter_next(&it); i++)
		if (!lh_value_get(&it.val, "size", &size) || size.type == LH_NULL)
			o[i].size = -1;
}

/* Refuse members that would say how a request went, where a manifest is the answer to it. */
static int check_reserved(const struct lh_record *rec, struct lh_err *err)
{
	static const char *const name[] = { "status", "code", "error" };
	const struct lh_value *v;
	size_t i;

	for (i = 0; i < 3; i++) {
		v = lh_record_get(rec, name[i]);
		if (v && v->type == (i < 2 ? LH_NUMBER : LH_OBJECT))
			return lh_err_set(err, LH_EDATA, "\"%s\" must not be %s", name[i],
					  i < 2 ? "a number" : "an object");
	}
	return 0;
}

int lh_registration_read(const struct lh_record *rec, struct lh_registration *r,
			 char id[LH_DATASET_ID + 1], struct lh_buf *text, struct lh_err *err)
{
	*r = (struct lh_registration){ .row_count = -1 };
	if (lh_bind(lh_catalog_registration, rec, r, text, err) < 0) {
		if (err->status == 413)
			err->status = 400;
		return -1;
	}
	mark_absent(r->object, r->n_objects, &r->objects);
	return check_reserved(rec, err) < 0 ? -1 : check_id(r->name, r->dataset_id, id, err);
}

/* Drop the newlines and tabs of checked JSON, which are outside its strings. */
static size_t drop_newlines(char *p, size_t n)
{
	size_t i, to = 0;

	for (i = 0; i < n; i++)
		if (p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
			p[to++] = p[i];
	memset(p + to, ' ', n - to);
	return to;
}

int lh_catalog_dataset_parse(struct lh_catalog_dataset *m, char *p, size_t n, struct lh_err *err)
{
	struct lh_buf text = m->text;
	struct lh_record rec = m->rec;
	struct lh_buf file = m->file;
	char id[LH_DATASET_ID + 1];
	int rc = lh_record_parse(&rec, p, n, err);

	if (!rc && (memchr(p, '\n', n) || memchr(p, '\r', n) || memchr(p, '\t', n)))
		rc = lh_record_parse(&rec, p, drop_newlines(p, n), err);
	*m = (struct lh_catalog_dataset){ .text = text, .rec = rec, .file = file, .row_count = -1 };
	if (rc < 0 || lh_bind(lh_catalog_manifest, &m->rec, m, &m->text, err) < 0)
		return -1;
	mark_absent(m->object, m->n_objects, &m->objects);
	m->json = (struct lh_str){ m->rec.line, m->rec.len };
	return check_reserved(&m->rec, err) < 0 ? -1 : check_id(m->name, m->dataset_id, id, err);
}

void lh_catalog_dataset_free(struct lh_catalog_dataset *m)
{
	lh_buf_free(&m->file);
	lh_buf_free(&m->text);
	lh_record_free(&m->rec);
	*m = (struct lh_catalog_dataset){ .row_count = -1 };
}

char *lh_catalog_dataset_path(const char *folder, const char *id, const char *ending)
{
	size_t n = strlen(folder) + strlen(id) + strlen(ending) + 8;
	char *path = lh_calloc(n, 1);

	snprintf(path, n, "%s/%s.json%s", folder, id, ending);
	return path;
}

/* Report a file that cannot be read, or is no manifest: this dataset alone is affected. */
static int damaged(const char *path, struct lh_err *err)
{
	if (err->code == LH_EDATA)
		lh_err_prefix(err, "%s: not a manifest", path);
	if (err->code != LH_ENOMEM) {
		err->code = LH_ECORRUPT;
		err->status = 503;
		err->column = 0;
	}
	return -1;
}

int lh_catalog_dataset_read(const char *path, const char *id, struct lh_catalog_dataset *m,
			    struct lh_err *err)
{
	int rc;

	m->file.max = LH_CATALOG_MANIFEST_MAX;
	rc = lh_file_read(path, &m->file, err);
	if (rc <= 0)
		return rc ? damaged(path, err) : 0;
	while (m->file.len && m->file.p[m->file.len - 1] == '\n')
		m->file.len--;
	if (lh_catalog_dataset_parse(m, m->file.p, m->file.len, err) < 0)
		return damaged(path, err);
	if (!lh_str_is(m->dataset_id, id, LH_DATASET_ID)) {
		lh_err_set(err, LH_EDATA, "its name is that of another file");
		return damaged(path, err);
	}
	return 1;
}
