/*
 * aid_index FILE ENGINE MODEL URL - an empty index of dimension 8 with these names,
 * also ones that lh-index refuses.  For tests of foreign files.
 */
#include <stdio.h>
#include <string.h>

#include "index/index.h"

int main(int argc, char **argv)
{
	struct lh_index_params p;
	struct lh_index_writer *w;
	struct lh_err err;

	if (argc != 5)
		return 2;
	lh_index_params_default(&p);
	p.dimension = 8;
	snprintf(p.created_at, sizeof p.created_at, "2026-05-03T12:00:00.000Z");
	snprintf(p.engine, sizeof p.engine, "%s", argv[2]);
	snprintf(p.model, sizeof p.model, "%s", argv[3]);
	snprintf(p.url, sizeof p.url, "%s", argv[4]);
	w = lh_index_writer_new(argv[1], &p, 10, &err);
	if (w && lh_index_commit(w, 1, &err) == 0)
		return lh_index_writer_free(w), 0;
	fprintf(stderr, "%s\n", err.msg);
	return 1;
}
