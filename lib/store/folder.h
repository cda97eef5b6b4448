/* folder - the parts of a store in a folder.  Private to lib/store. */
#ifndef LH_STORE_FOLDER_H
#define LH_STORE_FOLDER_H

#include <sys/stat.h>

#include "store_parts.h"

struct folder {
	struct lh_store store;
	char *path;
	int fd;			/* O_PATH; -1: not opened yet */
	bool swept;		/* of what killed writers left */
};

int lh_folder_root(struct folder *f, bool make, struct lh_err *err);
int lh_folder_reopen(int fd, int flags);
void lh_folder_etag(const struct stat *st, char etag[LH_ETAG_MAX]);
int64_t lh_folder_modified(const struct stat *st);
int lh_folder_list(struct lh_store *s, const char *prefix, store_each each, void *context,
		   struct lh_err *err);

#endif
