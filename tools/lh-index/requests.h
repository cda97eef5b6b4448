/* requests.h - shared by the files of lh-index requests. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include "index.h"
#include "file/held.h"
#include "index/index_tools.h"
#include "json/write.h"
#include "lineage/person_ids.h"
#include "persons/persons.h"

#define NAME(s, f) { LH_BIND_STRING(#f, struct s, f), .required = true, LH_INDEX_NAMED }

#define OPEN_MAX 8	/* indexes that stay open for adding */

/* An index that stays open. */
struct opened {
	char *path;			/* NULL: unused */
	struct lh_stamp file;		/* when it was opened */
	struct changes changes;		/* of one that records are added to */
	struct lh_index *ix;		/* for its length */
	struct lh_embedder *texts;	/* of its engine; NULL: not started */
	struct lh_persons_known of;
	uint64_t used;			/* number of the last request for it */
};

/* What list, get and corpora print of an index. */
struct summary {
	char *name;
	struct lh_stamp file, log;	/* of which it is */
	uint32_t dimension, m, ef_search;
	enum lh_distance distance;
	uint64_t length;
	bool good;			/* it could be read; else: */
	unsigned status;
	char why[LH_INDEX_NAME_MAX + 72];
};

struct catalog {
	struct summary *v;		/* sorted by name */
	size_t n, cap;
};

struct requests {
	struct lh_tool *tool;
	const struct settings *settings;
	struct lh_index_named in;
	uint64_t jobs;			/* for compaction */
	struct opened opened[OPEN_MAX];
	struct catalog catalog;
	struct opened looked_up;	/* the index of the last look-up */
	struct lh_persons_used used;
	struct metadata metadata;
	struct lh_writer w;		/* of the current answer */
	uint64_t n;			/* requests so far */
	const char *at;			/* the path that an error is about, or NULL */
	bool making;			/* there need not be a file */
	char *path, *other;		/* of the current request */
	struct lh_filter *scope;	/* of the current request; NULL: all records */
	struct lh_buf vector, meta;
	char reported[256];		/* the last failure, until a request without one */
};

/* ---- the operations and their records ---- */

struct creation {
	struct lh_str name;
	uint64_t dimension, m, ef_search;
	int distance, layout;
};
struct named {
	struct lh_str name;
	struct lh_scope scope;
};
struct listing {
	struct lh_scope scope;
};
struct addition {
	struct lh_str name, trace;
	struct lh_value items;
	struct lh_scope scope;
};
struct lookup {
	struct lh_str name, id;		/* name: or NULL */
	struct lh_scope scope;
};
struct merging {
	struct lh_str src, dest;
	bool clear;
};
extern const struct lh_bind creation_members[], named_members[], seen_members[], listing_members[],
	addition_members[], lookup_members[], merging_members[];

lh_op_fn requests_create, requests_get, requests_delete, requests_add, requests_lookup,
	requests_merge;
lh_op_fn requests_list;			/* and corpora, without their parameters */

/* Turn the error of an index at r->at into a refusal; -1. */
int requests_refuse(const struct lh_call *call, struct lh_err *err);

#endif
