/* dataset - the file of a manifest.  Private to the room. */
#ifndef LH_CATALOG_DATASET_H
#define LH_CATALOG_DATASET_H

#include "catalog.h"

/* The members of a manifest, in their order, then NULL; others are kept as they are. */
extern const char *const lh_catalog_members[];

/* Read the file of the dataset id: 1, 0 if it does not exist, -1. */
int lh_catalog_dataset_read(const char *path, const char *id, struct lh_catalog_dataset *m,
			    struct lh_err *err);

/* Make FOLDER/ID.json plus an ending. */
char *lh_catalog_dataset_path(const char *folder, const char *id, const char *ending);

/* The members that a record to register has. */
struct lh_registration {
	struct lh_str name, schema_fingerprint, dataset_id, store;
	struct lh_catalog_object *object;
	size_t n_objects;
	struct lh_value objects;
	int64_t row_count;
	bool of_persons;
};

/* Read them; id becomes that of the name. */
int lh_registration_read(const struct lh_record *rec, struct lh_registration *r,
			 char id[LH_DATASET_ID + 1], struct lh_buf *text, struct lh_err *err);

#endif
