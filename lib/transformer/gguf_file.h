/* gguf_file - an open GGUF file, for gguf.c, which reads it, and gguf_keys.c. */
#ifndef LH_GGUF_FILE_H
#define LH_GGUF_FILE_H

#include "gguf.h"
#include "base/table.h"
#include "file/file.h"

enum {				/* types of keys: the numbers of the format */
	KEY_U8, KEY_I8, KEY_U16, KEY_I16, KEY_U32, KEY_I32, KEY_F32, KEY_BOOL, KEY_STRING,
	KEY_ARRAY, KEY_U64, KEY_I64, KEY_F64, KEY_TYPES
};

struct lh_gguf_key {
	struct lh_str name;
	uint32_t type;			/* KEY_ARRAY: the elements are in array */
	struct lh_gguf_array value;	/* of one element, unless an array */
	uint64_t *offset;		/* of strings */
};

struct lh_gguf_place {
	struct lh_gguf_tensor tensor;
	uint64_t offset;		/* from the start of the data */
};

struct lh_gguf {
	char *path;
	struct lh_mapped map;
	struct lh_gguf_key *key;
	struct lh_gguf_place *place;
	size_t keys, keys_cap, places, places_cap;
	struct lh_table by_key, by_tensor;
};

/* Read a whole number as lh_gguf_u64 does; errors are without the path. */
int lh_gguf_whole(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
		  uint64_t *to, struct lh_err *err);

/* Return the name of the key with that number, for the table. */
lh_key_fn lh_gguf_key_name;

#endif
