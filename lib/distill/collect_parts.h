/* collect_parts - the collect stage: what its two halves share; not installed. */
#ifndef LH_COLLECT_PARTS_H
#define LH_COLLECT_PARTS_H

#include <sys/stat.h>

#include <lh/digest.h>
#include "base/hashset.h"
#include "stage_collect.h"

struct collect {
	struct lh_run *run;
	struct lh_collect *how;
	struct lh_append *skips;
	struct lh_hashset skips_seen;	/* keys of all skips, on file and of this run */
	struct lh_buf row;
	uint64_t taken;			/* rows of all sources */

	/* of the source that is read */
	enum lh_stream stem;
	struct lh_collected *got;
	struct lh_hashset seen;		/* sig_hashes, on file and of this run */
	struct lh_append *out;
	uint64_t read;			/* rows that the threads have seen */
	struct stat before;		/* the file, and its bytes hashed as they come */
	struct lh_sha256 hash;
	uint64_t bytes;
};

/* Fill seen with what is on file for the source; today is where its evidence goes. */
int lh_collect_known(struct collect *c, const char *today, struct lh_err *err);

/* Fill skips_seen with what is on file. */
int lh_collect_known_skips(struct collect *c, struct lh_err *err);

/* What makes a skip the same as another, hashed; *scratch is overwritten. */
int lh_collect_skip_key(const char *source, size_t n, uint64_t offset, const char *sig, size_t sig_n,
		     struct lh_buf *scratch, unsigned char key[32], struct lh_err *err);

#endif
