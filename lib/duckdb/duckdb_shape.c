/* duckdb_shape.c - the types of columns.  See duckdb_value.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "duckdb_value.h"

#define DEPTH_MAX 100	/* of types inside each other */

static int unknown(enum duckdb_type type, struct lh_err *err)
{
	return lh_err_set(err, LH_EDATA,
			  "a column of a type that has no JSON value (%d of DuckDB's C API); "
			  "cast it to VARCHAR", (int)type);
}

static bool is_plain(enum duckdb_type type)
{
	switch (type) {
	case DUCKDB_BOOLEAN: case DUCKDB_TINYINT: case DUCKDB_SMALLINT: case DUCKDB_INTEGER:
	case DUCKDB_BIGINT: case DUCKDB_UTINYINT: case DUCKDB_USMALLINT: case DUCKDB_UINTEGER:
	case DUCKDB_UBIGINT: case DUCKDB_FLOAT: case DUCKDB_DOUBLE: case DUCKDB_TIMESTAMP:
	case DUCKDB_DATE: case DUCKDB_TIME: case DUCKDB_HUGEINT: case DUCKDB_UHUGEINT:
	case DUCKDB_VARCHAR: case DUCKDB_BLOB: case DUCKDB_TIMESTAMP_S: case DUCKDB_TIMESTAMP_MS:
	case DUCKDB_TIMESTAMP_NS: case DUCKDB_TIMESTAMP_TZ: case DUCKDB_UUID: case DUCKDB_SQLNULL:
		return true;
	default:
		return false;
	}
}

static int children(struct lh_duckdb_shape *s, size_t n, struct lh_err *err)
{
	s->child = lh_calloc(n + 1, sizeof *s->child, err);
	s->n = s->child ? n : 0;
	return s->child ? 0 : -1;
}

static int read_members(const struct duckdb_api *api, duckdb_handle type, unsigned depth,
			struct lh_duckdb_shape *s, struct lh_err *err)
{
	size_t i;

	if (children(s, api->struct_type_child_count(type), err) < 0)
		return -1;
	for (i = 0; i < s->n; i++) {
		s->child[i].name = api->struct_type_child_name(type, i);
		if (lh_duckdb_shape_read(api, api->struct_type_child_type(type, i), depth + 1,
					 &s->child[i], err) < 0)
			return -1;
	}
	return 0;
}

static int read_choices(const struct duckdb_api *api, duckdb_handle type,
			struct lh_duckdb_shape *s, struct lh_err *err)
{
	size_t n = api->enum_dictionary_size(type), i;

	s->internal = (enum duckdb_type)api->enum_internal_type(type);
	s->choice = lh_calloc(n + 1, sizeof *s->choice, err);
	if (!s->choice)
		return -1;
	for (i = 0; i < n; i++)
		s->choice[i] = api->enum_dictionary_value(type, i);
	s->n_choices = n;
	return 0;
}

static int read_nested(const struct duckdb_api *api, duckdb_handle type, unsigned depth,
		       struct lh_duckdb_shape *s, struct lh_err *err)
{
	switch (s->type) {
	case DUCKDB_DECIMAL:
		s->scale = api->decimal_scale(type);
		s->internal = (enum duckdb_type)api->decimal_internal_type(type);
		return 0;
	case DUCKDB_ENUM:
		return read_choices(api, type, s, err);
	case DUCKDB_STRUCT:
		return read_members(api, type, depth, s, err);
	case DUCKDB_LIST:
		return children(s, 1, err) < 0 ? -1 :
		       lh_duckdb_shape_read(api, api->list_type_child_type(type), depth + 1,
					    s->child, err);
	case DUCKDB_ARRAY:
		s->size = api->array_type_array_size(type);
		return children(s, 1, err) < 0 ? -1 :
		       lh_duckdb_shape_read(api, api->array_type_child_type(type), depth + 1,
					    s->child, err);
	case DUCKDB_MAP:
		return children(s, 2, err) < 0 ||
		       lh_duckdb_shape_read(api, api->map_type_key_type(type), depth + 1,
					    &s->child[0], err) < 0 ? -1 :
		       lh_duckdb_shape_read(api, api->map_type_value_type(type), depth + 1,
					    &s->child[1], err);
	default:
		return unknown(s->type, err);
	}
}

int lh_duckdb_shape_read(const struct duckdb_api *api, duckdb_handle type, unsigned depth,
			 struct lh_duckdb_shape *s, struct lh_err *err)
{
	char *alias = api->logical_type_get_alias(type);
	int rc = 0;

	s->type = (enum duckdb_type)api->get_type_id(type);
	s->json = s->type == DUCKDB_VARCHAR && alias && strcmp(alias, "JSON") == 0;
	api->free(alias);
	if (depth > DEPTH_MAX)
		rc = lh_err_set(err, LH_EDATA, "a type of more than %d levels", DEPTH_MAX);
	else if (!is_plain(s->type))
		rc = read_nested(api, type, depth, s, err);
	api->destroy_logical_type(&type);
	return rc;
}

void lh_duckdb_shape_free(const struct duckdb_api *api, struct lh_duckdb_shape *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		lh_duckdb_shape_free(api, &s->child[i]);
	for (i = 0; i < s->n_choices; i++)
		api->free(s->choice[i]);
	api->free(s->name);
	free(s->child);
	free(s->choice);
}

enum lh_duckdb_kind lh_duckdb_shape_kind(const struct lh_duckdb_shape *s)
{
	switch (s->type) {
	case DUCKDB_BOOLEAN:
		return LH_DUCKDB_BOOL;
	case DUCKDB_TINYINT: case DUCKDB_SMALLINT: case DUCKDB_INTEGER: case DUCKDB_BIGINT:
	case DUCKDB_UTINYINT: case DUCKDB_USMALLINT: case DUCKDB_UINTEGER: case DUCKDB_UBIGINT:
	case DUCKDB_HUGEINT: case DUCKDB_UHUGEINT:
		return LH_DUCKDB_INT;
	case DUCKDB_FLOAT: case DUCKDB_DOUBLE: case DUCKDB_DECIMAL:
		return LH_DUCKDB_NUMBER;
	case DUCKDB_LIST: case DUCKDB_ARRAY: case DUCKDB_STRUCT: case DUCKDB_MAP:
		return LH_DUCKDB_JSON;
	case DUCKDB_SQLNULL:
		return LH_DUCKDB_NULL;
	default:
		return s->json ? LH_DUCKDB_JSON : LH_DUCKDB_TEXT;
	}
}
