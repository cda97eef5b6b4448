/* catalog.c - register, read, remove and list manifests.  See catalog.h. */
#include "catalog.h"

#include <dirent.h>
#include <errno.h>
#define OPENSSL_SUPPRESS_DEPRECATED	/* as in crypto/digest.c */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "file/file.h"
#include "json/write.h"

/* ---- the file of a manifest ---- */

/* The members that a record to register has. */
struct lh_registration {
	struct lh_str name, schema_fingerprint, dataset_id, store;
	struct lh_catalog_object *object;
	size_t n_objects;
	struct lh_value objects;
	struct lh_catalog_object *history;
	size_t n_history;
	struct lh_catalog_column *column;
	size_t n_columns;
	struct lh_value checks, lineage;
	int64_t row_count;
	bool of_persons;
	struct lh_str id_column, id_prefix;
};

/* ---- the id of a dataset ---- */

/* Of the UUIDs of version 5 (RFC 9562) of names: a8f3c1d2-4e5b-5a6c-9d8e-7f0a1b2c3d4e */
static const unsigned char namespace[16] = {
	0xa8, 0xf3, 0xc1, 0xd2, 0x4e, 0x5b, 0x5a, 0x6c,
	0x9d, 0x8e, 0x7f, 0x0a, 0x1b, 0x2c, 0x3d, 0x4e,
};

void lh_dataset_id(struct lh_str name, char id[LH_DATASET_ID + 1])
{
	static const unsigned char group[] = { 4, 2, 2, 2, 6 };
	unsigned char hash[SHA_DIGEST_LENGTH], *from = hash;
	SHA_CTX c;
	size_t i;

	SHA1_Init(&c);
	SHA1_Update(&c, namespace, sizeof namespace);
	SHA1_Update(&c, name.p, name.n);
	SHA1_Final(hash, &c);
	hash[6] = (hash[6] & 0x0f) | 0x50;
	hash[8] = (hash[8] & 0x3f) | 0x80;
	for (i = 0; i < sizeof group; i++) {
		lh_hex(from, group[i], id);
		from += group[i];
		id += 2 * group[i];
		*id++ = i + 1 < sizeof group ? '-' : '\0';
	}
}

/* ---- manifests ---- */

#define FINGERPRINT_MAX 1024
#define STORE_MAX 4096
#define TIME_MAX 64

/* The members of a manifest, in their order, then NULL; others are kept as they are. */
static const char *const lh_catalog_members[] = {
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

static const struct lh_bind column_members[] = {
	{ LH_BIND_STRING("name", struct lh_catalog_column, name), .required = true },
	{ LH_BIND_STRING("type", struct lh_catalog_column, type), .required = true },
	LH_BIND_END
};

/* of_users: whether members that only newer manifests have may be of another shape, as a user's
 * own members were. */
#define COMMON(s, of_users) \
	{ LH_BIND_STRING("name", struct s, name), .required = true, .filled = true, \
	  .no_nul = true, .longest = LH_DATASET_NAME }, \
	{ LH_BIND_STRING("schema_fingerprint", struct s, schema_fingerprint), \
	  .required = true, .filled = true, .longest = FINGERPRINT_MAX }, \
	{ LH_BIND_TABLES("objects", struct s, object, n_objects, object_members), \
	  .as_written = LH_BIND_FIELD(struct s, objects) }, \
	{ LH_BIND_TABLES("history", struct s, history, n_history, object_members), \
	  .lax = (of_users), .about = "objects with the rows that these have replaced" }, \
	{ LH_BIND_TABLES("columns", struct s, column, n_columns, column_members), \
	  .lax = (of_users) }, \
	{ LH_BIND_VALUE("checks", struct s, checks, LH_BIND_IS(LH_OBJECT)), \
	  .lax = (of_users), .about = "the last result of its checks" }, \
	{ LH_BIND_VALUE("lineage", struct s, lineage, LH_BIND_IS(LH_OBJECT)), \
	  .lax = (of_users), .about = "where its rows are from" }, \
	{ LH_BIND_STRING("id_column", struct s, id_column), .no_nul = true, .lax = (of_users), \
	  .about = "the column with the ids of its rows" }, \
	{ LH_BIND_STRING("id_prefix", struct s, id_prefix), .no_nul = true, .lax = (of_users), \
	  .about = "the text before each" }, \
	{ LH_BIND_I64("row_count", struct s, row_count, 0, INT64_MAX) }, \
	{ LH_BIND_STRING("store", struct s, store), .filled = true, .no_nul = true, \
	  .path = true, .safe = true, \
	  .longest = STORE_MAX }, \
	{ LH_BIND_BOOL("of_persons", struct s, of_persons), .not_null = true, \
	  .about = "its rows are persons, whatever columns they have" }

const struct lh_bind lh_catalog_manifest[] = {
	COMMON(lh_catalog_dataset, true),
	{ LH_BIND_STRING("dataset_id", struct lh_catalog_dataset, dataset_id), .required = true },
	{ LH_BIND_STRING("created_at", struct lh_catalog_dataset, created_at), .required = true,
	  .longest = TIME_MAX },
	{ LH_BIND_STRING("updated_at", struct lh_catalog_dataset, updated_at), .required = true,
	  .longest = TIME_MAX },
	LH_BIND_END
};

const struct lh_bind lh_catalog_registration[] = {
	COMMON(lh_registration, false),
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

/* Read them; id becomes that of the name. */
static int lh_registration_read(const struct lh_record *rec, struct lh_registration *r,
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
	size_t i;

	if (!rc && (memchr(p, '\n', n) || memchr(p, '\r', n) || memchr(p, '\t', n)))
		rc = lh_record_parse(&rec, p, drop_newlines(p, n), err);
	*m = (struct lh_catalog_dataset){ .text = text, .rec = rec, .file = file, .row_count = -1 };
	if (rc < 0 || lh_bind(lh_catalog_manifest, &m->rec, m, &m->text, err) < 0)
		return -1;
	for (i = 0; i < m->n_columns; i++)
		if (!m->column[i].name.p)	/* it is a user's own list */
			m->n_columns = 0;
	for (i = 0; i < m->n_history; i++)
		if (!m->history[i].key.p)
			m->n_history = 0;
	mark_absent(m->object, m->n_objects, &m->objects);
	mark_absent(m->history, m->n_history, lh_record_get(&m->rec, "history"));
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

/* Make FOLDER/ID.json plus an ending. */
static char *lh_catalog_dataset_path(const char *folder, const char *id, const char *ending)
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
	err->code = LH_ECORRUPT;
	err->status = 503;
	err->column = 0;
	return -1;
}

/* Read the file of the dataset id: 1, 0 if it does not exist, -1. */
static int lh_catalog_dataset_read(const char *path, const char *id, struct lh_catalog_dataset *m,
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

/* ---- the catalog ---- */

static int not_there(struct lh_str name, struct lh_err *err)
{
	return lh_err_data(err, 404, "there is no dataset \"%.*s\"", name.n > 100 ? 100 :
			   (int)name.n, name.p);
}

int lh_catalog_get(const char *folder, struct lh_str name, struct lh_catalog_dataset *m,
		   struct lh_err *err)
{
	char id[LH_DATASET_ID + 1];
	LH_SCOPED(lh_free_local) char *path = NULL;
	int rc;

	if (lh_dataset_name_check(name, err) < 0)
		return -1;
	lh_dataset_id(name, id);
	path = lh_catalog_dataset_path(folder, id, "");
	rc = lh_catalog_dataset_read(path, id, m, err);
	return rc ? rc > 0 ? 0 : -1 : not_there(name, err);
}

/* ---- changes ---- */

/* The manifest that is being changed. */
struct change {
	const char *folder;
	char id[LH_DATASET_ID + 1];
	char *path;
	struct lh_lock lock;
	bool locked;
};

static int change_begin(struct change *c, double lock_timeout, struct lh_err *err)
{
	char *name = lh_catalog_dataset_path(c->folder, c->id, ".lock");

	c->path = lh_catalog_dataset_path(c->folder, c->id, "");
	c->locked = lh_lock_take(&c->lock, name, c->path, lock_timeout, err) == 0;
	free(name);
	if (!c->locked)
		return -1;
	lh_sweep_below(c->folder);	/* what killed writers of any manifest left */
	return 0;
}

static void change_end(struct change *c)
{
	if (c->locked)
		lh_lock_drop(&c->lock);
	free(c->path);
}

static bool is_own_member(const struct lh_value *key, const char *omit)
{
	const char *const *member;

	if (omit && lh_value_is(key, omit, strlen(omit)))
		return true;
	for (member = lh_catalog_members; *member; member++)
		if (lh_value_is(key, *member, strlen(*member)))
			return true;
	return false;
}

/* Return whether rec has a member of that name. */
static bool has_member(const struct lh_record *rec, const struct lh_value *key,
		       struct lh_buf *scratch)
{
	struct lh_str name;
	size_t i;

	lh_buf_reset(scratch);
	lh_value_str(key, scratch, &name);
	for (i = 0; i < rec->n; i++)
		if (lh_value_is(&rec->member[i].key, name.p, name.n))
			return true;
	return false;
}

/* Return whether a member is null that a manifest may be without. */
static bool is_removed(const struct lh_member *m)
{
	const struct lh_bind *b = lh_catalog_manifest;

	while (m->val.type == LH_NULL && b->name && !lh_value_is(&m->key, b->name, strlen(b->name)))
		b++;
	return m->val.type == LH_NULL && b->name;
}

static void write_member(struct lh_writer *w, const struct lh_member *m)
{
	lh_write_key(w, NULL);
	lh_buf_add(w->out, m->key.p, m->key.n);
	lh_buf_putc(w->out, ':');
	lh_buf_add(w->out, m->val.p, m->val.n);
}

/* old: the manifest that there is, or an empty one. */
static void write_manifest(struct lh_buf *out, const struct lh_registration *r, const char *id,
			   const struct lh_record *rec, const struct lh_catalog_dataset *old,
			   const struct lh_catalog_how *how)
{
	struct lh_writer w = lh_write_to(out);
	LH_SCOPED(lh_buf_free) struct lh_buf scratch = { 0 };
	size_t i;

	lh_write_object(&w, NULL);
	lh_write_text(&w, "dataset_id", id);
	lh_write_str(&w, "name", r->name);
	lh_write_str(&w, "schema_fingerprint", r->schema_fingerprint);
	if (r->objects.p)
		lh_write_value(&w, "objects", &r->objects);
	else
		lh_write_raw(&w, "objects", lh_str_of("[]"));
	if (r->row_count >= 0)
		lh_write_i64(&w, "row_count", r->row_count);
	if (r->store.p)
		lh_write_str(&w, "store", r->store);
	if (old->created_at.p)
		lh_write_str(&w, "created_at", old->created_at);
	else
		lh_write_text(&w, "created_at", how->now);
	lh_write_text(&w, "updated_at", how->now);
	/* Write the members that are not a manifest's own: those of rec, then those that only the
	 * old manifest has. */
	for (i = 0; i < rec->n; i++)
		if (!is_own_member(&rec->member[i].key, how->omit) && !is_removed(&rec->member[i]))
			write_member(&w, &rec->member[i]);
	for (i = 0; i < old->rec.n; i++)
		if (!is_own_member(&old->rec.member[i].key, NULL) &&
		    !has_member(rec, &old->rec.member[i].key, &scratch))
			write_member(&w, &old->rec.member[i]);
	lh_write_end(&w);
}

static int replace(const char *path, const char *p, size_t n, struct lh_err *err)
{
	struct lh_atomic a;
	int rc;

	if (lh_atomic_open(&a, path, 0666, err) < 0)
		return -1;
	rc = lh_atomic_write(&a, p, n, err);
	if (!rc)
		rc = lh_atomic_write(&a, "\n", 1, err);
	if (!rc)
		rc = lh_atomic_commit(&a, err);
	lh_atomic_close(&a);
	return rc;
}

/* Read the manifest that there is: 1 if it has the fingerprint of r, 0 if there is none. */
static int check_fingerprint(const struct change *c, const struct lh_registration *r,
			     struct lh_catalog_dataset *m, struct lh_err *err)
{
	int rc = lh_catalog_dataset_read(c->path, c->id, m, err);

	if (rc > 0 && !lh_str_is(m->schema_fingerprint, r->schema_fingerprint.p,
				 r->schema_fingerprint.n))
		return lh_err_data(err, 409, "the dataset is registered with another fingerprint, "
				   "\"%.*s\"", m->schema_fingerprint.n > 100 ? 100 :
				   (int)m->schema_fingerprint.n, m->schema_fingerprint.p);
	return rc;
}

static bool is_same_member(const struct lh_catalog_dataset *a, const struct lh_catalog_dataset *b,
			   const char *name)
{
	const struct lh_value *x = lh_record_get(&a->rec, name), *y = lh_record_get(&b->rec, name);

	return x && y ? lh_str_is((struct lh_str){ x->p, x->n }, y->p, y->n) : x == y;
}

/* Under the lock: write the new manifest, and make *m that one. */
static int register_locked(const struct change *c, const struct lh_registration *r,
			   const struct lh_record *rec, const struct lh_catalog_how *how,
			   struct lh_catalog_dataset *m, bool *existing, struct lh_err *err)
{
	struct lh_buf text = { 0 };
	int rc = check_fingerprint(c, r, m, err);

	if (rc < 0)
		return -1;
	*existing = rc > 0;
	if (how->was && (!rc || !is_same_member(m, how->was, "objects") ||
			 !is_same_member(m, how->was, "history")))
		return lh_err_data(err, 409, "the dataset was changed at the same time: run it "
				   "again");
	if (!*existing)
		lh_catalog_dataset_free(m);
	write_manifest(&text, r, c->id, rec, m, how);
	if (text.len >= LH_CATALOG_MANIFEST_MAX)
		rc = lh_err_data(err, 413, "the manifest would be larger than %zuM",
				 LH_CATALOG_MANIFEST_MAX >> 20);
	else
		rc = replace(c->path, text.p, text.len, err);
	if (!rc) {
		lh_buf_free(&m->file);
		m->file = text;
		return lh_catalog_dataset_parse(m, m->file.p, m->file.len, err);
	}
	lh_buf_free(&text);
	return -1;
}

/* Check that a record names no other store than the one that it may. */
static int check_store(struct lh_str store, const char *only, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *real = NULL;
	bool is;

	if (!only || !store.p || lh_str_is(store, only, strlen(only)))
		return 0;
	real = realpath(only, NULL);
	is = real && lh_str_is(store, real, strlen(real));
	return is ? 0 : lh_err_data(err, 400, "\"store\" must be left out: the objects of "
				    "this catalog are in a store of its own");
}

int lh_catalog_register(const char *folder, const struct lh_record *rec,
			const struct lh_catalog_how *how, struct lh_catalog_dataset *m,
			bool *existing, struct lh_err *err)
{
	struct change c = { .folder = folder };
	struct lh_registration r;
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	int rc = lh_registration_read(rec, &r, c.id, &text, err);

	if (!rc)
		rc = check_store(r.store, how->store, err);
	if (!rc && lh_own_mkdir(folder, 0700, err) < 0)
		rc = -1;
	if (!rc)
		rc = change_begin(&c, how->lock_timeout, err);
	if (!rc)
		rc = register_locked(&c, &r, rec, how, m, existing, err);
	change_end(&c);
	return rc;
}

/* ---- an object replaced ---- */

/* Return whether it is the object as it was. */
static bool is_renewed(const struct lh_catalog_renewal *r, const struct lh_catalog_object *o)
{
	return lh_str_is(o->key, r->key.p, r->key.n) && o->size == (int64_t)r->was_size &&
	       (!o->sha256.p || lh_str_is(o->sha256, r->was_sha256, 64));
}

/* Return the number of the object as it was, n if it is not among them. */
static size_t find_renewed(const struct lh_catalog_renewal *r, const struct lh_catalog_object *o,
			   size_t n)
{
	size_t i = 0;

	while (i < n && !is_renewed(r, &o[i]))
		i++;
	return i;
}

static void write_objects(struct lh_writer *w, const char *name, const struct lh_value *objects,
			  const struct lh_catalog_object *o, size_t n,
			  const struct lh_catalog_renewal *r)
{
	struct lh_iter it, in;
	size_t i = 0;

	lh_write_array(w, name);
	for (lh_iter_init(&it, objects); lh_iter_next(&it); i++) {
		if (i >= n || !is_renewed(r, &o[i])) {
			lh_write_value(w, NULL, &it.val);
			continue;
		}
		lh_write_object(w, NULL);
		for (lh_iter_init(&in, &it.val); lh_iter_next(&in); )
			if (lh_value_is(&in.key, "size", 4))
				lh_write_u64(w, "size", r->size);
			else if (lh_value_is(&in.key, "sha256", 6))
				lh_write_text(w, "sha256", r->sha256);
			else
				write_member(w, &(struct lh_member){ in.key, in.val });
		lh_write_end(w);
	}
	lh_write_end(w);
}

static int renew_locked(const struct change *c, const struct lh_catalog_renewal *r,
			const struct lh_catalog_how *how, struct lh_catalog_dataset *m,
			struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	size_t i;
	bool live;
	int rc = lh_catalog_dataset_read(c->path, c->id, m, err);

	if (rc <= 0)
		return rc;
	live = find_renewed(r, m->object, m->n_objects) < m->n_objects;
	if (!live && find_renewed(r, m->history, m->n_history) == m->n_history)
		return 0;
	lh_write_object(&w, NULL);
	for (i = 0; i < m->rec.n; i++)
		if (lh_value_is(&m->rec.member[i].key, "objects", 7))
			write_objects(&w, "objects", &m->rec.member[i].val, m->object,
				      m->n_objects, r);
		else if (m->n_history && lh_value_is(&m->rec.member[i].key, "history", 7))
			write_objects(&w, "history", &m->rec.member[i].val, m->history,
				      m->n_history, r);
		else if (live && lh_value_is(&m->rec.member[i].key, "row_count", 9))
			lh_write_i64(&w, "row_count", m->row_count < (int64_t)r->rows ? 0 :
				     m->row_count - (int64_t)r->rows);
		else if (lh_value_is(&m->rec.member[i].key, "updated_at", 10))
			lh_write_text(&w, "updated_at", how->now);
		else
			write_member(&w, &m->rec.member[i]);
	lh_write_end(&w);
	return replace(c->path, out.p, out.len, err) < 0 ? -1 : 1;
}

int lh_catalog_renew(const char *folder, struct lh_str name, const struct lh_catalog_renewal *r,
		     const struct lh_catalog_how *how, struct lh_err *err)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	struct change c = { .folder = folder };
	int rc;

	if (lh_dataset_name_check(name, err) < 0)
		return -1;
	lh_dataset_id(name, c.id);
	rc = change_begin(&c, how->lock_timeout, err);
	if (!rc)
		rc = renew_locked(&c, r, how, &m, err);
	change_end(&c);
	return rc;
}

static int note_locked(const struct change *c, struct lh_str updated_at, const char *member,
		       struct lh_str json, struct lh_catalog_dataset *m, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);
	int rc = lh_catalog_dataset_read(c->path, c->id, m, err);
	size_t i;

	if (rc <= 0 || !lh_str_is(m->updated_at, updated_at.p, updated_at.n))
		return rc < 0 ? -1 : 0;
	lh_write_object(&w, NULL);
	for (i = 0; i < m->rec.n; i++)
		if (!lh_value_is(&m->rec.member[i].key, member, strlen(member)))
			write_member(&w, &m->rec.member[i]);
	lh_write_raw(&w, member, json);
	lh_write_end(&w);
	if (out.len >= LH_CATALOG_MANIFEST_MAX)
		return lh_err_data(err, 413, "the manifest would be too large");
	return replace(c->path, out.p, out.len, err) < 0 ? -1 : 1;
}

int lh_catalog_note(const char *folder, struct lh_str name, struct lh_str updated_at,
		    const char *member, struct lh_str json, double lock_timeout,
		    struct lh_err *err)
{
	LH_SCOPED(lh_catalog_dataset_free) struct lh_catalog_dataset m = { 0 };
	struct change c = { .folder = folder };
	int rc;

	lh_dataset_id(name, c.id);
	rc = change_begin(&c, lock_timeout, err);
	if (!rc)
		rc = note_locked(&c, updated_at, member, json, &m, err);
	change_end(&c);
	return rc;
}

int lh_catalog_lock(struct lh_lock *lock, const char *folder, const char *id, double timeout,
		    struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };

	lh_buf_printf(&path, "%s/%s.ingest.lock%c", folder, id, '\0');
	return lh_lock_take(lock, path.p, folder, timeout, err);
}

int lh_catalog_remove(const char *folder, struct lh_str name, double lock_timeout,
		      struct lh_err *err)
{
	struct change c = { .folder = folder };
	int rc;

	if (lh_dataset_name_check(name, err) < 0)
		return -1;
	if (access(folder, F_OK) < 0 && errno == ENOENT)
		return not_there(name, err);
	lh_dataset_id(name, c.id);
	rc = change_begin(&c, lock_timeout, err);
	if (!rc && unlink(c.path) < 0)
		rc = errno == ENOENT ? not_there(name, err)
				     : lh_err_sys(err, "%s: cannot remove", c.path);
	if (!rc)
		rc = lh_sync_folder(c.path, err);
	change_end(&c);
	return rc;
}

/* ---- the list ---- */

struct entry {
	struct lh_str name;		/* allocated; p NULL: damaged, reported already */
	char id[LH_DATASET_ID + 1];
};

struct list {
	const char *folder;
	const struct lh_catalog_visit *visit;
	struct entry *v;
	size_t n, cap;
	struct lh_catalog_dataset m;
};

/* Return whether it is the file of a manifest: ID.json. */
static bool is_manifest(const char *file)
{
	return strspn(file, "0123456789abcdef-") == LH_DATASET_ID &&
	       strcmp(file + LH_DATASET_ID, ".json") == 0;
}

/* Read the manifest of an id: 1, 0 if it is not there or was reported as damaged, -1. */
static int read_entry(struct list *l, const char *id, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *path = lh_catalog_dataset_path(l->folder, id, "");
	struct lh_err why;
	int rc;

	rc = lh_catalog_dataset_read(path, id, &l->m, &why);
	if (rc >= 0)
		return rc;
	return l->visit->damaged ? l->visit->damaged(l->visit->ctx, &why, err) : 0;
}

static int add_entry(struct list *l, const char *id, struct lh_err *err)
{
	struct entry *e;
	char *name;
	int rc = read_entry(l, id, err);

	if (rc <= 0)
		return rc;
	name = lh_strndup(l->m.name.p, l->m.name.n);
	lh_grow(&l->v, &l->cap, l->n + 1, sizeof *l->v);
	e = &l->v[l->n++];
	e->name = (struct lh_str){ name, l->m.name.n };
	memcpy(e->id, id, LH_DATASET_ID + 1);
	return 0;
}

static int find_entries(struct list *l, struct lh_err *err)
{
	DIR *d = opendir(l->folder);
	char id[LH_DATASET_ID + 1];
	struct dirent *e;
	int rc = 0;

	if (!d)
		return errno == ENOENT ? 0 : lh_err_sys(err, "%s", l->folder);
	for (errno = 0; !rc && (e = readdir(d)); errno = 0) {
		if (!is_manifest(e->d_name))
			continue;
		memcpy(id, e->d_name, LH_DATASET_ID);
		id[LH_DATASET_ID] = '\0';
		rc = add_entry(l, id, err);
	}
	if (!rc && errno)
		rc = lh_err_sys(err, "%s", l->folder);
	closedir(d);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return lh_str_cmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

int lh_catalog_list(const char *folder, const struct lh_catalog_visit *visit, struct lh_err *err)
{
	struct list l = { .folder = folder, .visit = visit };
	int rc = find_entries(&l, err);
	size_t i;

	if (l.n)
		qsort(l.v, l.n, sizeof *l.v, by_name);
	for (i = 0; rc >= 0 && i < l.n; i++) {
		rc = read_entry(&l, l.v[i].id, err);
		if (rc > 0)
			rc = visit->each(visit->ctx, &l.m, err);
	}
	for (i = 0; i < l.n; i++)
		free((char *)l.v[i].name.p);
	free(l.v);
	lh_catalog_dataset_free(&l.m);
	return rc;
}
