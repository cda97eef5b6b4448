/*
 * duckdb_api - the functions of DuckDB's C API that are used here, as its documentation has
 * them (duckdb.org/docs/stable/clients/c).  Private to lib/duckdb.
 */
#ifndef LH_DUCKDB_API_H
#define LH_DUCKDB_API_H

#include <stdbool.h>
#include <stdint.h>

/* Handles. */
typedef void *duckdb_handle;

/* A result; all its members are private to DuckDB. */
struct duckdb_result {
	uint64_t n[3];
	void *p[3];
};

enum duckdb_type {
	DUCKDB_BOOLEAN = 1, DUCKDB_TINYINT, DUCKDB_SMALLINT, DUCKDB_INTEGER, DUCKDB_BIGINT,
	DUCKDB_UTINYINT, DUCKDB_USMALLINT, DUCKDB_UINTEGER, DUCKDB_UBIGINT, DUCKDB_FLOAT,
	DUCKDB_DOUBLE, DUCKDB_TIMESTAMP, DUCKDB_DATE, DUCKDB_TIME, DUCKDB_INTERVAL, DUCKDB_HUGEINT,
	DUCKDB_VARCHAR, DUCKDB_BLOB, DUCKDB_DECIMAL, DUCKDB_TIMESTAMP_S, DUCKDB_TIMESTAMP_MS,
	DUCKDB_TIMESTAMP_NS, DUCKDB_ENUM, DUCKDB_LIST, DUCKDB_STRUCT, DUCKDB_MAP, DUCKDB_UUID,
	DUCKDB_TIMESTAMP_TZ = 31, DUCKDB_UHUGEINT, DUCKDB_ARRAY, DUCKDB_SQLNULL = 36
};

enum { DUCKDB_STATEMENT_SELECT = 1, DUCKDB_STATEMENT_EXPLAIN = 4 };

/* A string in a vector; up to 12 bytes are in place. */
struct duckdb_string {
	uint32_t n;
	char head[4];
	union {
		char rest[8];
		const char *p;
	};
};

struct duckdb_list_entry {
	uint64_t offset, length;
};

/* Each as RESULT, NAME, (ARGUMENTS). */
#define DUCKDB_FUNCTIONS(F) \
	F(const char *, library_version, (void)) \
	F(void, free, (void *)) \
	F(int, create_config, (duckdb_handle *)) \
	F(int, set_config, (duckdb_handle, const char *, const char *)) \
	F(void, destroy_config, (duckdb_handle *)) \
	F(int, open_ext, (const char *, duckdb_handle *, duckdb_handle, char **)) \
	F(void, close, (duckdb_handle *)) \
	F(int, connect, (duckdb_handle, duckdb_handle *)) \
	F(void, disconnect, (duckdb_handle *)) \
	F(void, interrupt, (duckdb_handle)) \
	F(int, query, (duckdb_handle, const char *, struct duckdb_result *)) \
	F(const char *, result_error, (struct duckdb_result *)) \
	F(void, destroy_result, (struct duckdb_result *)) \
	F(int, prepare, (duckdb_handle, const char *, duckdb_handle *)) \
	F(const char *, prepare_error, (duckdb_handle)) \
	F(void, destroy_prepare, (duckdb_handle *)) \
	F(int, prepared_statement_type, (duckdb_handle)) \
	F(int, pending_prepared_streaming, (duckdb_handle, duckdb_handle *)) \
	F(int, execute_pending, (duckdb_handle, struct duckdb_result *)) \
	F(const char *, pending_error, (duckdb_handle)) \
	F(void, destroy_pending, (duckdb_handle *)) \
	F(duckdb_handle, fetch_chunk, (struct duckdb_result)) \
	F(uint64_t, column_count, (struct duckdb_result *)) \
	F(const char *, column_name, (struct duckdb_result *, uint64_t)) \
	F(duckdb_handle, column_logical_type, (struct duckdb_result *, uint64_t)) \
	F(void, destroy_logical_type, (duckdb_handle *)) \
	F(int, get_type_id, (duckdb_handle)) \
	F(char *, logical_type_get_alias, (duckdb_handle)) \
	F(uint8_t, decimal_scale, (duckdb_handle)) \
	F(int, decimal_internal_type, (duckdb_handle)) \
	F(int, enum_internal_type, (duckdb_handle)) \
	F(uint32_t, enum_dictionary_size, (duckdb_handle)) \
	F(char *, enum_dictionary_value, (duckdb_handle, uint64_t)) \
	F(duckdb_handle, list_type_child_type, (duckdb_handle)) \
	F(duckdb_handle, array_type_child_type, (duckdb_handle)) \
	F(uint64_t, array_type_array_size, (duckdb_handle)) \
	F(uint64_t, struct_type_child_count, (duckdb_handle)) \
	F(char *, struct_type_child_name, (duckdb_handle, uint64_t)) \
	F(duckdb_handle, struct_type_child_type, (duckdb_handle, uint64_t)) \
	F(duckdb_handle, map_type_key_type, (duckdb_handle)) \
	F(duckdb_handle, map_type_value_type, (duckdb_handle)) \
	F(uint64_t, data_chunk_get_size, (duckdb_handle)) \
	F(duckdb_handle, data_chunk_get_vector, (duckdb_handle, uint64_t)) \
	F(void, destroy_data_chunk, (duckdb_handle *)) \
	F(void *, vector_get_data, (duckdb_handle)) \
	F(uint64_t *, vector_get_validity, (duckdb_handle)) \
	F(duckdb_handle, list_vector_get_child, (duckdb_handle)) \
	F(duckdb_handle, array_vector_get_child, (duckdb_handle)) \
	F(duckdb_handle, struct_vector_get_child, (duckdb_handle, uint64_t))

struct duckdb_api {
#define F(result, name, arguments) result (*name) arguments;
	DUCKDB_FUNCTIONS(F)
#undef F
};

#endif
