/* duckdb_value - the types of columns, and values of vectors.  Private to lib/duckdb. */
#ifndef LH_DUCKDB_VALUE_H
#define LH_DUCKDB_VALUE_H

#include "duckdb.h"
#include "duckdb_api.h"

/* A type, with those that it is made of. */
struct lh_duckdb_shape {
	enum duckdb_type type, internal;	/* internal: of DECIMAL and ENUM */
	bool json;		/* a VARCHAR that is JSON text */
	unsigned scale;		/* of DECIMAL */
	uint64_t size;		/* of ARRAY */
	char *name;		/* as a member of a STRUCT */
	struct lh_duckdb_shape *child;
	size_t n;		/* children */
	char **choice;		/* of ENUM */
	size_t n_choices;
};

/* Read a logical type, which is destroyed.  depth: of the types around it. */
int lh_duckdb_shape_read(const struct duckdb_api *api, duckdb_handle type, unsigned depth,
			 struct lh_duckdb_shape *s, struct lh_err *err);
void lh_duckdb_shape_free(const struct duckdb_api *api, struct lh_duckdb_shape *s);
enum lh_duckdb_kind lh_duckdb_shape_kind(const struct lh_duckdb_shape *s);

/* Read a value.  Its text is in the vector, or appended to *text at that of before. */
void lh_duckdb_value_read(const struct duckdb_api *api, const struct lh_duckdb_shape *s,
			  duckdb_handle vector, uint64_t row, struct lh_duckdb_value *v,
			  struct lh_buf *text);
/* Append a value as JSON text. */
void lh_duckdb_value_json(const struct lh_duckdb_value *v, struct lh_buf *out);

#endif
