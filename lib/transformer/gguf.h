/*
 * gguf - read a GGUF file: the keys and tensors of a model.
 *
 *     struct lh_gguf *g = lh_gguf_open("nomic-embed-text.gguf", err);
 *     uint64_t layers;
 *     if (lh_gguf_u64(g, "nomic-bert.block_count", 1, 1024, &layers, err) < 0) ...
 *     const struct lh_gguf_tensor *t = lh_gguf_tensor(g, "blk.0.ffn_up.weight");
 *     lh_gguf_row(t, 7, row);                 row 7 of the matrix as t->dim[0] floats
 *     lh_gguf_close(g);
 *
 * The file is mapped.  Everything that a function returns was checked when it was opened:
 * counts, lengths, offsets and their sums and products, the alignment, names (unique, UTF-8),
 * types, and that the tensors follow each other inside the file, each at the next multiple of
 * the alignment.  Tensors may be of any type of the format; the reader of one checks
 * lh_gguf_readable first, and lh_gguf_finite.
 *
 * A path of a folder is read as the file that it would become (folder.h).
 *
 * Format:  little-endian; version 2 or 3.  "GGUF", u32 version, u64 tensors, u64 keys; each key
 *          a string, a u32 type and a value; each tensor a name, u32 dimensions, their u64
 *          sizes (innermost first), a u32 type and the u64 offset of its data from the start of
 *          the data, which begins at the next multiple of general.alignment (default 32).
 *          The layouts of the quantized blocks are those of ggml (ggml-common.h).
 * Owner:   lh_gguf_close frees everything; strings and tensors point into the mapping.
 * Errors:  LH_ECORRUPT with "PATH: what is wrong"; LH_EIO.
 * Threads: any number may read.
 */
#ifndef LH_GGUF_H
#define LH_GGUF_H

#include <stdint.h>

#include "base/str.h"

enum lh_gguf_type {			/* of a tensor: the numbers of the format */
	LH_GGUF_F32 = 0, LH_GGUF_F16 = 1, LH_GGUF_Q4_0 = 2, LH_GGUF_Q4_1 = 3,
	LH_GGUF_Q5_0 = 6, LH_GGUF_Q5_1 = 7, LH_GGUF_Q8_0 = 8, LH_GGUF_Q4_K = 12,
	LH_GGUF_Q5_K = 13, LH_GGUF_Q6_K = 14, LH_GGUF_BF16 = 30,
};

struct lh_gguf_tensor {
	struct lh_str name;
	enum lh_gguf_type type;
	unsigned dims;			/* 1 to 4 */
	uint64_t dim[4];		/* innermost first; 1 beyond dims */
	const unsigned char *data;
	size_t bytes;			/* of data */
};

#define LH_MAX_LENGTH "lakehouse.max_length"	/* key: tokens of a text by default */
#define LH_GELU_ERF "lakehouse.gelu_erf"	/* key: GELU by erf, not by tanh */

struct lh_gguf;
struct lh_gguf *lh_gguf_open(const char *path, struct lh_err *err);
void lh_gguf_close(struct lh_gguf *g);

/* Return the checksum of all that the model is made of (lh_xxh3): of a file its bytes. */
uint64_t lh_gguf_sum(const struct lh_gguf *g);

/* Return the bytes of the whole file, mapped, or the header that a folder would have; its
 * path. */
struct lh_str lh_gguf_bytes(const struct lh_gguf *g);
const char *lh_gguf_path(const struct lh_gguf *g);

/* ---- keys ---- */

/* Return whether there is a key of that name. */
bool lh_gguf_has(const struct lh_gguf *g, const char *key);
/* Read a whole number (of any integer type) from least to most: 0, or -1 with *err if the key
 * is absent, of another type, or out of range. */
int lh_gguf_u64(const struct lh_gguf *g, const char *key, uint64_t least, uint64_t most,
		uint64_t *to, struct lh_err *err);
/* The same for a finite number (f32 or f64), a boolean, a string. */
int lh_gguf_f64(const struct lh_gguf *g, const char *key, double *to, struct lh_err *err);
int lh_gguf_bool(const struct lh_gguf *g, const char *key, bool *to, struct lh_err *err);
int lh_gguf_str(const struct lh_gguf *g, const char *key, struct lh_str *to, struct lh_err *err);

/* An array key: number of elements, and elements by number. */
struct lh_gguf_array {
	uint32_t type;			/* of the elements, as in the format: 8 is string */
	uint64_t n;
	const unsigned char *data;	/* of the first element */
	const uint64_t *offset;		/* strings: where each begins (its length) in data, and
					 * where the last one ends; owned by g */
};
/* Find an array of that element type: 0, or -1 with *err if it is absent or of another type. */
int lh_gguf_array(const struct lh_gguf *g, const char *key, uint32_t type,
		  struct lh_gguf_array *to, struct lh_err *err);
struct lh_str lh_gguf_array_str(const struct lh_gguf_array *a, uint64_t i);
int64_t lh_gguf_array_i64(const struct lh_gguf_array *a, uint64_t i);
double lh_gguf_array_f64(const struct lh_gguf_array *a, uint64_t i);

/* ---- tensors ---- */

size_t lh_gguf_tensors(const struct lh_gguf *g);
const struct lh_gguf_tensor *lh_gguf_tensor_at(const struct lh_gguf *g, size_t i);
/* Return the tensor of that name, or NULL. */
const struct lh_gguf_tensor *lh_gguf_tensor(const struct lh_gguf *g, const char *name);

/* Return the tensor of that name, which has to be of the shape dim[0] x dim[1] x dim[2], and of a
 * type whose rows can be decoded; at_least: dim[1] may be more.  NULL with *err. */
const struct lh_gguf_tensor *lh_gguf_find(const struct lh_gguf *g, const char *name,
					  const uint64_t dim[3], bool at_least,
					  struct lh_err *err);

/* Return whether rows of the tensor's type can be decoded. */
bool lh_gguf_readable(const struct lh_gguf_tensor *t);
/* Decode a row of dim[0] values; rows are numbered through all outer dimensions. */
void lh_gguf_row(const struct lh_gguf_tensor *t, uint64_t row, float *to);
/* Return whether all values of n rows are finite. */
bool lh_gguf_rows_finite(const struct lh_gguf_tensor *t, uint64_t row, uint64_t n);
/* Return whether all values of the tensor are finite. */
bool lh_gguf_finite(const struct lh_gguf_tensor *t);
/* Return the name of a type, "Q8_0"; any type of the format has one. */
const char *lh_gguf_type_name(enum lh_gguf_type type);

/* ---- the layouts of tensor data ---- */

/*
 * All types of the format are known, so that a tensor of any type has its place in a file;
 * those without decode are not read.
 */

struct lh_gguf_layout {
	const char *name;		/* NULL: no such type */
	unsigned values, bytes;		/* of a block */
	void (*decode)(const unsigned char *blocks, size_t n, float *to);	/* NULL: not read */
	bool (*finite)(const unsigned char *blocks, size_t n);
};

/* Return the layout of a type number, or NULL. */
const struct lh_gguf_layout *lh_gguf_layout(uint32_t type);

#endif
