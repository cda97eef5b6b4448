/* catalog.h - shared by the commands of lh-catalog. */
#ifndef CATALOG_H
#define CATALOG_H

#include "catalog/catalog.h"
#include "tool/records.h"

enum { V_REGISTER = 1, V_GET = 2, V_LIST = 4, V_REMOVE = 8, V_REQUESTS = 16,
       V_VERIFY = 32 };

struct settings {
	const char *catalog, *store;
};

/* A command at work. */
struct run {
	struct lh_tool *tool;
	const char *folder, *store;
	struct lh_catalog_dataset m;	/* the one read last */
	struct lh_buf strings;		/* of a record */
	const char *omit;		/* a member of a record that is not of its manifest */
	bool failing;			/* requests: a failure is reported already */
};

/* The maps of the commands; context is a struct run. */
int register_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);
int get_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);
int remove_record(struct lh_record *rec, struct lh_buf *out, void *run, struct lh_err *err);

/* Report a manifest that cannot be read: the damaged of a struct lh_catalog_visit. */
int report_damaged(void *tool, const struct lh_err *why, struct lh_err *err);

/* Run a map over the records of files. */
int run_records(struct run *r, char **files, size_t n,
		int (*map)(struct lh_record *, struct lh_buf *, void *, struct lh_err *));

/* The commands. */
int catalog_register(struct lh_tool *tool, void *settings);
int catalog_get(struct lh_tool *tool, void *settings);
int catalog_list(struct lh_tool *tool, void *settings);
int catalog_remove(struct lh_tool *tool, void *settings);
int catalog_verify(struct lh_tool *tool, void *settings);
int catalog_requests(struct lh_tool *tool, void *settings);

#endif
