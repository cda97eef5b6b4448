/*
 * aid_unlink FILE ROW... - take away all links to these rows, and make the checksums anew.  The
 * codes of links stay as they were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/index_parts.h"

static struct lh_index *ix;

static void unlink_everywhere(char *map, uint32_t row)
{
	size_t base = (size_t)((const char *)ix->block - ix->map.p) + ix->shape.ids_at;
	uint32_t n = 2 * ix->params.m, *links, r, i, kept;

	for (r = 0; r < ix->rows; r++) {
		links = (uint32_t *)(void *)(map + base + r * ix->stride);
		for (i = kept = 0; i < n; i++)
			if (links[i] != row)
				links[kept++] = links[i];
		for (i = kept; i < n; i++)
			links[i] = r;
	}
}

int main(int argc, char **argv)
{
	struct lh_index_header *h;
	struct lh_err err;
	char *map;
	FILE *f;
	int i;

	ix = argc > 2 ? lh_index_open_base(argv[1], &err) : NULL;
	map = ix ? malloc(ix->map.n) : NULL;
	if (!map)
		return 2;
	memcpy(map, ix->map.p, ix->map.n);
	for (i = 2; i < argc; i++)
		unlink_everywhere(map, (uint32_t)atoi(argv[i]));
	h = (struct lh_index_header *)(void *)map;
	for (i = 0; i < (int)h->n_sections; i++)
		h->section[i].xxh3 = lh_xxh3(map + h->section[i].at, h->section[i].bytes);
	h->xxh3 = lh_xxh3(h, offsetof(struct lh_index_header, xxh3));
	f = fopen(argv[1], "r+");
	if (!f || fwrite(map, 1, ix->map.n, f) != ix->map.n || fclose(f) != 0)
		return 1;
	free(map);
	lh_index_close(ix);
	return 0;
}
