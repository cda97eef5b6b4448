/*
 * arg_kind - what the name of an argument (FILE, DIR, INDEX) says about its value, for
 * completion in shells.  Private to lib/tool.
 *
 * One table gives the kind of each name; a name that it does not have is text.  A name with a
 * suffix, FILE.md, is a file with that suffix; of "URL|DIR" that
 * counts which can be completed, and of two kinds of files any file is meant.
 */
#ifndef LH_ARG_KIND_H
#define LH_ARG_KIND_H

#include <stdbool.h>
#include <stddef.h>

struct lh_arg_kind {
	const char *name;
	const char *kind;	/* "file", "folder", "command", "page", "url" or "text" */
	const char *files;	/* of a file: "*.jsonl *.log"; NULL: any, or those of its suffix */
};

/* Find the suffix in a name of n bytes, ".md" in "FILE.md"; NULL: none. */
const char *lh_arg_suffix(const char *name, size_t n);

/* Look up a name of n bytes, of an operand or of an option's argument. */
struct lh_arg_kind lh_arg_kind_of(const char *name, size_t n, bool operand);

#endif
