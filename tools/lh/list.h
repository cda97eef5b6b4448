/*
 * list - print the lh-* tools next to this executable, by family.
 *
 *     search
 *       lh-embed          text in, vectors out
 *       ...
 *
 * Families and their order are those of the README.  A tool of no family comes
 * last, under "other".
 */
#ifndef LIST_H
#define LIST_H

#include "tool/tool.h"

#define LIST_PATH_ROOM 4096

/* Write the folder of this executable, without a slash at its end, to to.  0, or -1
 * with *err filled. */
int list_folder(char *to, size_t n, struct lh_err *err);

/* Print a heading for each family and a line for each of its tools: the name, and
 * what the tool's --help says that it does.  0, or -1 with t->err filled. */
int list_tools(struct lh_tool *t);

#endif
