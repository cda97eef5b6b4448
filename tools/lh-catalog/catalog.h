/* catalog.h - shared by the files of lh-catalog. */
#ifndef CATALOG_H
#define CATALOG_H

#include "catalog/catalog.h"
#include "tool/op.h"

enum { V_REGISTER = 1, V_GET = 2, V_LIST = 4, V_REMOVE = 8, V_REQUESTS = 16,
       V_VERIFY = 32 };

struct settings {
	const char *catalog, *store;
	struct lh_catalog_dataset m;	/* the one read last */
};

extern const struct lh_op catalog_ops[];

#endif
