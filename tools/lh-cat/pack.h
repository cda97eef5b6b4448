/*
 * pack - the reverse of lh-cat: bytes in on stdin, as frames (lib/archive/archive.h), one
 * compressed file out on stdout.
 */
#ifndef PACK_H
#define PACK_H

#include "tool/tool.h"

int pack(struct lh_tool *tool, const char *compression);

#endif
