/*
 * catalog - a folder of manifests: which datasets there are, and which objects each has.
 *
 * A manifest is one JSON object in a file of its own, FOLDER/DATASET_ID.json:
 *
 *     {"dataset_id":"4ee908eb-...","name":"workers","schema_fingerprint":"1bd1...",
 *      "objects":[{"key":"datasets/workers/1bd1....jsonl.zst","size":1234,"sha256":"..."}],
 *      "row_count":500,"store":"/srv/lake/store",
 *      "created_at":"2026-05-03T12:00:00.000Z","updated_at":"2026-05-03T12:00:00.000Z"}
 *
 * on one line; other members follow, and are kept (but "status" and "code" must not be
 * numbers, nor "error" an object: as an answer over HTTP it would be that of an error).
 * Such are "columns", "history": objects with the rows that lh-ingest --history has replaced, and
 * "id_column" and "id_prefix": where the ids of its rows come from (lh-ingest --id).
 * A manifest from before that may have others of these names, which are not read.
 * dataset_id is the UUID of version 5 of the name, in a namespace of this catalog's own.
 * row_count and store may be absent; the keys are relative to the store.
 *
 *     struct lh_catalog_dataset m = { 0 };
 *
 *     if (lh_catalog_get(folder, lh_str_of("workers"), &m, err) == 0)
 *             ... m.store, m.object[0].key ...
 *     lh_catalog_dataset_free(&m);
 *
 * A manifest is replaced as a whole (lh_atomic in file.h), and its writers wait for each
 * other, so that of any number at once none is lost and a reader sees the old one or the
 * new one.  Each change also changes the time of the folder: a reader that keeps manifests
 * checks that alone (lh_stamp in held.h).
 *
 * A manifest is read as hostile: it is a regular file of at most LH_CATALOG_MANIFEST_MAX
 * bytes, its name is that of its file, and one that cannot be read is LH_ECORRUPT with
 * status 503.  The keys may still be any text: the code that opens an object checks its key.
 *
 * Errors:  LH_EDATA with 400, 404, 409 or 413 as described; LH_ECORRUPT, LH_EIO and
 *          LH_ELOCKED name the file.
 * Threads: one thread per struct; any number of processes per folder.
 */
#ifndef LH_CATALOG_H
#define LH_CATALOG_H

#include "file/file.h"
#include "json/bind.h"

#define LH_DATASET_ID 36				/* characters of an id */
#define LH_DATASET_NAME 1024				/* most bytes of a name */
#define LH_CATALOG_MANIFEST_MAX ((size_t)16 << 20)		/* most bytes of a manifest */

struct lh_catalog_object {
	struct lh_str key;
	int64_t size;			/* bytes; -1: not given */
	struct lh_str sha256;		/* 64 lowercase hex digits; p NULL: not given */
};

struct lh_catalog_column {
	struct lh_str name, type;
};

/* A manifest that was read.  All zero is empty; one struct may be used again and again. */
struct lh_catalog_dataset {
	struct lh_str dataset_id, name, schema_fingerprint;
	struct lh_str store;		/* p NULL: not given */
	struct lh_str created_at, updated_at;
	int64_t row_count;		/* -1: not given */
	bool of_persons;		/* its rows are persons; kept as other members are */
	struct lh_catalog_object *object;
	size_t n_objects;
	struct lh_catalog_object *history;	/* what they have replaced; kept as others are */
	size_t n_history;
	struct lh_catalog_column *column;	/* kept so too */
	size_t n_columns;
	struct lh_value checks, lineage;	/* kept so too: objects, or nothing */
	struct lh_str id_column, id_prefix;	/* kept so too: lh-ingest --id */
	struct lh_str json;		/* the manifest itself, without a newline in it */

	/* private */
	struct lh_buf file, text;
	struct lh_record rec;
	struct lh_value objects;
};
void lh_catalog_dataset_free(struct lh_catalog_dataset *m);

/* Parse p[0..n), which LH_PAD bytes follow, and which is changed: a manifest and nothing
 * else.  LH_EDATA without the name of a file.  m points into p. */
int lh_catalog_dataset_parse(struct lh_catalog_dataset *m, char *p, size_t n, struct lh_err *err);

/* The members of a manifest, and of a record to register. */
extern const struct lh_bind lh_catalog_manifest[], lh_catalog_registration[];

/* Check the name of a dataset: 1 to 1,024 bytes, no NUL; LH_EDATA. */
int lh_dataset_name_check(struct lh_str name, struct lh_err *err);

/* Compute the id of a name, with a NUL after it. */
void lh_dataset_id(struct lh_str name, char id[LH_DATASET_ID + 1]);

/* Read the manifest of a name; 404 if there is none, also if there is no folder. */
int lh_catalog_get(const char *folder, struct lh_str name, struct lh_catalog_dataset *m,
		   struct lh_err *err);

struct lh_catalog_how {
	const char *now;		/* RFC 3339, the time to write */
	double lock_timeout;		/* seconds to wait for another writer */
	const char *omit;		/* a member of the record that is not kept, or NULL */
	const char *store;		/* the only one that a record may name; NULL: any */
	/* 409 unless the dataset still has these objects and history; NULL: any */
	const struct lh_catalog_dataset *was;
};

/*
 * Register a dataset: the members of rec are those of a manifest (name and
 * schema_fingerprint at least; dataset_id, if given, must be that of the name).  A new name
 * makes a manifest, and the folder if there is none.  With the fingerprint that is
 * registered, objects, row_count, store and updated_at become those of rec (what it leaves
 * out is removed), and other members of the old manifest are kept unless rec has them.
 * Another fingerprint is 409, another store than the only one is 400; both change nothing.
 * *m: the manifest that is there now.
 */
int lh_catalog_register(const char *folder, const struct lh_record *rec,
			const struct lh_catalog_how *how, struct lh_catalog_dataset *m,
			bool *existing, struct lh_err *err);

/* An object that was replaced under its key by one with fewer rows. */
struct lh_catalog_renewal {
	struct lh_str key;
	uint64_t was_size, size;
	const char *was_sha256, *sha256;	/* 64 digits */
	uint64_t rows;				/* fewer */
};
/* Make the manifest of a name say what the object, which may be one of its history, is now, with
 * how->now as updated_at; the fingerprint stays.  1; 0 if it does not say what the object was. */
int lh_catalog_renew(const char *folder, struct lh_str name, const struct lh_catalog_renewal *r,
		     const struct lh_catalog_how *how, struct lh_err *err);

/* Set a member that is not a manifest's own, as long as updated_at is that: 1, 0 if it is another
 * by now, -1.  updated_at stays. */
int lh_catalog_note(const char *folder, struct lh_str name, struct lh_str updated_at,
		    const char *member, struct lh_str json, double lock_timeout,
		    struct lh_err *err);

/* Wait for another process that changes the objects of a dataset: lh-ingest from what it reads of
 * them to what it registers, lh-subject while it replaces one.  The folder must exist; lock.path
 * is NULL before and after. */
int lh_catalog_lock(struct lh_lock *lock, const char *folder, const char *id, double timeout,
		    struct lh_err *err);

/* Remove the manifest of a name, also a damaged one, but not its objects; 404 if there is
 * none. */
int lh_catalog_remove(const char *folder, struct lh_str name, double lock_timeout,
		      struct lh_err *err);

/*
 * Call each for all manifests, sorted by name.  For one that cannot be read, damaged is
 * called with the reason, which names the file, and the others are still listed.  -1 from
 * either ends the list.  There is no folder: the list is empty.
 */
struct lh_catalog_visit {
	int (*each)(void *ctx, const struct lh_catalog_dataset *m, struct lh_err *err);
	int (*damaged)(void *ctx, const struct lh_err *why, struct lh_err *err); /* or NULL */
	void *ctx;
};
int lh_catalog_list(const char *folder, const struct lh_catalog_visit *visit, struct lh_err *err);

#endif
