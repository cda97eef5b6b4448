/* libraries.h - the libraries that the tools load, for lh version and lh doctor. */
#ifndef LIBRARIES_H
#define LIBRARIES_H

#include <stddef.h>

#define LIBRARY_VERSION 64

struct library {
	const char *name, *file;
	const char *function;	/* returns the version */
	const char *compiled;	/* the version of its headers; NULL: they do not say */
	const char *without;	/* what does not work without it; NULL: it is optional */
};

/* All of them; the name of the last is NULL. */
extern const struct library libraries[];

/* The file of DuckDB's library: that which LH_DUCKDB names, else libduckdb.so. */
const char *library_duckdb(void);

/* Write the version that the library in a file says it has to to: "7.88.1", "" if it does not
 * say.  Returns 0, or -1 if the file cannot be loaded. */
int library_loaded(const char *file, const char *function, char to[LIBRARY_VERSION]);

#endif
