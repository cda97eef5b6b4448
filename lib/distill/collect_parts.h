/* collect_parts - what the two halves of the collect stage share. */
#ifndef LH_COLLECT_PARTS_H
#define LH_COLLECT_PARTS_H

#include <sys/stat.h>

#include <lh/digest.h>
#include "base/table.h"
#include "stages.h"

struct collect {
	struct lh_run *run;
	struct lh_collect *how;
	struct lh_append *skips;
	struct lh_map skips_seen;	/* keys of all skips, on file and of this run */
	struct lh_buf row;
	uint64_t taken;			/* rows of all sources */

	/* of the source being read: */
	enum lh_stream stream;
	struct lh_collected *got;
	struct lh_map seen;		/* sig_hashes, on file and of this run */
	struct lh_append *out;
	uint64_t read;			/* rows that the threads have read */
	struct stat before;		/* the file, and the digest of its bytes so far */
	struct lh_sha256 hash;
	uint64_t bytes;
};

/* Fill `seen` with the evidence on file of the source; today is the folder of its
 * new evidence. */
int lh_collect_known(struct collect *c, const char *today, struct lh_err *err);

/* Fill skips_seen with the skips on file. */
int lh_collect_known_skips(struct collect *c, struct lh_err *err);

/* Compute the key of a skip, which is the same for the same skip; *scratch is
 * overwritten. */
void lh_collect_skip_key(const char *source, size_t n, uint64_t offset, const char *sig,
			 size_t sig_n, struct lh_buf *scratch, unsigned char key[32]);

#endif
