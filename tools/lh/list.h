/*
 * list - the lh-* tools next to this executable; list_command prints them by family.
 *
 *     search
 *       lh-embed          text in, vectors out
 *       ...
 *
 * Without --all it prints seven tools and lh to begin with, and each family as one line.
 * Families and their order are those of the README.  A tool of no family comes
 * last, under "other".
 */
#ifndef LIST_H
#define LIST_H

#include <dirent.h>

#include "tool/tool.h"

#define LIST_PATH_ROOM 4096
#define LIST_OUTPUT_MAX (1u << 20)

/* The pages of the manual by their names, with what each is about; the last has no name. */
extern const struct page {
	const char *name, *about;
} list_pages[];

/* Find a page by its name; NULL if there is none. */
const struct page *list_page(const char *name);

/* Write the folder of this executable, without a slash at its end, to to.  0, or -1
 * with *err filled. */
int list_folder(char *to, size_t n, struct lh_err *err);

/* Return the name of tool i of all that belong to a family, from 0; NULL past the last. */
const char *list_name(size_t i);

/* Set *entries to the tools there, by name; the caller frees each and the array.  Their
 * number, or -1 with *err filled. */
int list_names(struct dirent ***entries, struct lh_err *err);

/* Append what a tool writes to stdout when it is run with one option.  0, or -1 with *err
 * filled. */
int list_run(const char *name, const char *option, struct lh_buf *out, struct lh_err *err);

#endif
