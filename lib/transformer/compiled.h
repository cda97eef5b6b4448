/*
 * compiled - a model in the form that it has in memory, in a file that is mapped: its vectors
 * begin without reading, decoding and arranging the weights again.
 *
 *     struct lh_compiling m = { .source = ... };                  write one
 *     lh_tokenizer_compile(tokenizer, &m);
 *     lh_encoder_compile(encoder, &m);
 *     lh_compiled_write(&m, "m.gguf.lhm", 0600, err);
 *
 *     struct lh_compiled *c = lh_compiled_open("m.gguf.lhm", err);
 *     lh_tokenizer_mapped(c, err), lh_encoder_mapped(c, &how, err)
 *     lh_compiled_close(c);
 *
 * Format:  a header; then the parts, each at the next multiple of 4096, in the order of enum
 *          lh_compiled_part: tables, which are read into memory when the file is opened, and
 *          data, which is mapped.  Numbers are those of the processor.  It is no format for
 *          exchange: another version of it, byte order or packing of weights (lh_packing) is
 *          refused, and the model is compiled again.
 * Checked: the header and the tables against their checksums, and every number, length and
 *          index in them before its first use: a file that is wrong on purpose is refused or
 *          gives other vectors, never an access outside of it.  Data is any bytes; against its
 *          checksums only lh_compiled_verify reads it.
 * Source:  the file carries size, mtime and checksum of the model that it was made from.
 * Owner:   tokenizer and encoder point into the struct lh_compiled, which must outlive them.
 * Errors:  LH_ECORRUPT with "PATH: what is wrong"; LH_EIO.
 * Threads: any number may read.
 */
#ifndef LH_COMPILED_H
#define LH_COMPILED_H

#include <stdint.h>
#include <sys/stat.h>

#include "base/str.h"

#define LH_COMPILED_TYPES 64		/* numbers of types that are counted */

enum lh_compiled_part {
	/* tables */
	LH_PART_PACKINGS,	/* struct lh_packing of each matrix */
	LH_PART_TOKEN_AT,	/* u64: where each token begins, and where the last one ends */
	LH_PART_TOKENS,		/* of each its length as u64, and its bytes */
	LH_PART_EDGES, LH_PART_NODES,			/* of the trie of the tokens */
	LH_PART_USER, LH_PART_USER_EDGES, LH_PART_USER_NODES,	/* user-defined tokens */
	LH_PART_SCORES,		/* f32 of each token */
	LH_PART_CHARSMAP,
	LH_PART_PAIRS,		/* that BPE merges */
	LH_TABLES,
	/* data */
	LH_PART_ROWS = LH_TABLES,	/* the embeddings of tokens, as in the model */
	LH_PART_POSITIONS,		/* those of positions */
	LH_PART_WEIGHTS,		/* all others, as the kernels read them */
	LH_PARTS
};

struct lh_packing {			/* of a matrix */
	uint32_t type;			/* of its tensors; UINT32_MAX: several */
	char name[12];			/* lh_packing */
};

/* What a model was when it was compiled. */
struct lh_compiled_source {
	uint64_t bytes, xxh3;
	int64_t seconds, nanoseconds;	/* mtime */
	uint64_t of_type[LH_COMPILED_TYPES];	/* bytes of tensors */
	char name[240];			/* NUL-terminated */
};

#define LH_LAYERS_MAX 1024

/* The parameters of an encoder. */
struct lh_shape {
	uint32_t architecture, pooling;	/* number of a struct lh_design; as in the keys */
	uint64_t layers, width, context, heads, feed_forward;
	uint64_t experts, experts_used, moe_every;
	double epsilon, base;
	uint32_t row_type, position_type;
	uint64_t rows;
	uint32_t causal, has;		/* has: bits of what a file may have or not */
	uint64_t labels;		/* of a cross-encoder; 0: it is none */
	uint64_t kv_heads, head, rotated;	/* head: its width; rotated: numbers of it */
	uint64_t limit;			/* tokens of a text, by default; 0: the context */
	uint64_t window, dense;		/* 0: none; dense: from dense_2 to dense_3 */
	double local_base;		/* of layers with the window, ... */
	uint64_t local[LH_LAYERS_MAX / 64];	/* ... a bit each */
};

struct lh_compiled_tokenizer {
	int64_t first, last;
	uint32_t unknown, kind, pre, prefix, merge, twice, words, reserved;
	uint64_t longest, seed, user_seed, pair_seed;
	double unknown_score;
};

struct lh_compiled_header {
	unsigned char magic[8];
	uint32_t version, byte_order;
	uint64_t file_bytes;
	struct lh_compiled_source source;
	struct lh_shape encoder;
	struct lh_compiled_tokenizer tokenizer;
	struct {
		uint64_t at, bytes, xxh3;
	} part[LH_PARTS];
	uint64_t xxh3;			/* of all before it */
};

/* ---- writing ---- */

struct lh_compiling {
	struct lh_compiled_header h;
	struct lh_str part[LH_PARTS];	/* not copied */
};
int lh_compiled_write(struct lh_compiling *m, const char *path, mode_t mode, struct lh_err *err);

/* ---- reading ---- */

struct lh_compiled;
struct lh_compiled *lh_compiled_open(const char *path, struct lh_err *err);
void lh_compiled_close(struct lh_compiled *c);

const struct lh_compiled_header *lh_compiled_header(const struct lh_compiled *c);
const char *lh_compiled_path(const struct lh_compiled *c);
/* Return a part as objects of some bytes, with their number in *n; NULL if those are not whole:
 * the part is then empty, too. */
const void *lh_compiled_part(const struct lh_compiled *c, enum lh_compiled_part part, size_t each,
			     size_t *n);
/* Report that the file is wrong; returns -1. */
int lh_compiled_wrong(const struct lh_compiled *c, const char *what, struct lh_err *err);

/* Check that the file may be trusted for a model of that owner: it belongs to this user, to root
 * or to the same owner, and others cannot write to it. */
int lh_compiled_trusted(const struct lh_compiled *c, const struct stat *model, struct lh_err *err);
/* Check that it was made from the model at the path: by size and mtime; if the mtime alone
 * differs, by reading the model. */
int lh_compiled_fits(const struct lh_compiled *c, const char *path, const struct stat *model,
		     struct lh_err *err);
/* Compare all data with its checksums. */
int lh_compiled_verify(const struct lh_compiled *c, struct lh_err *err);

#endif
