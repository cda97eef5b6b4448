/*
 * pack - the reverse of lh-cat: members in on stdin, an archive out on stdout
 * (LH_CAT_PACK, lib/archive/archive.h).
 *
 * ustar in one frame of zstd: members in the order of arrival, each of mode 0644,
 * owner and group 0 without a name, time 0; one level and one thread.  The same
 * members give the same bytes.
 */
#ifndef PACK_H
#define PACK_H

#include "tool/tool.h"

int pack(struct lh_tool *tool);

/* Do the same for one member, which leaves as a single file in that compression. */
int pack_single(struct lh_tool *tool, const char *compression);

#endif
