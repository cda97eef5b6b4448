/*
 * magic - the first bytes of the binary files that these tools write, for code that
 * meets one where it expects another format.
 */
#ifndef LH_MAGIC_H
#define LH_MAGIC_H

/* As in PNG: they show a file damaged as text. */
#define LH_INDEX_MAGIC "\x89LHV\r\n\x1a\n"
#define LH_LHW_MAGIC "\x89LHW\r\n\x1a\n"	/* a compiled table of words */
#define LH_LHM_MAGIC "\x89LHM\r\n\x1a\n"	/* a compiled model */

#endif
