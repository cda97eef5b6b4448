/*
 * magic - the first bytes of our own binary files, for those who meet one where
 * they expect something else.
 */
#ifndef LH_MAGIC_H
#define LH_MAGIC_H

#define LH_INDEX_MAGIC "\x89LHV\r\n\x1a\n"	/* as PNG's: shows a file mangled as text */

#endif
