/*
 * magic - the first bytes of the binary files that these tools write, for code that
 * meets one where it expects another format.
 */
#ifndef LH_MAGIC_H
#define LH_MAGIC_H

#define LH_INDEX_MAGIC "\x89LHV\r\n\x1a\n"	/* as in PNG: shows a file damaged as text */

#endif
