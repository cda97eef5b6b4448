/*
 * safetensors - the tensors of a file of that format.
 *
 * Format:  u64 bytes of the header, little-endian; the header, a JSON object with a member for
 *          each tensor, {"dtype": "F32", "shape": [30522, 384], "data_offsets": [0, 46881792]},
 *          and perhaps "__metadata__"; the data.  The innermost size is the last one.
 * Checked: the header's length, its JSON, names that are there twice, types, shapes and their
 *          products, and that the tensors follow each other without a gap up to the file's end.
 * Owner:   lh_safetensors_close frees everything, also after a failure.
 * Errors:  LH_ECORRUPT with "PATH: what is wrong"; LH_EIO.
 */
#ifndef LH_SAFETENSORS_H
#define LH_SAFETENSORS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "file/file.h"

#define LH_SAFETENSORS_DIMS 8

struct lh_safetensor {
	struct lh_str name;
	struct lh_str dtype;
	unsigned dims;
	uint64_t dim[LH_SAFETENSORS_DIMS];	/* as in the file, outermost first */
	uint64_t at, bytes;			/* in the data */
	const unsigned char *data;
};

struct lh_safetensors {
	struct lh_mapped map;
	struct lh_buf header, names;
	struct lh_safetensor *tensor;		/* in the order of their data */
	size_t n, cap;
};

int lh_safetensors_open(struct lh_safetensors *s, const char *path, struct lh_err *err);
void lh_safetensors_close(struct lh_safetensors *s);

#endif
