/* lineage.c - open a root, and close it.  See lineage.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "lineage_parts.h"

struct lh_lineage *lh_lineage_open(const struct lh_lineage_how *how, struct lh_err *err)
{
	struct lh_lineage *l = lh_calloc(1, sizeof *l);

	l->how = *how;
	l->fd = -1;
	l->root = lh_root_open(how->root, err);
	if (l->root && lh_lineage_list(l, err) == 0)
		return l;
	lh_lineage_close(l);
	return NULL;
}

void lh_lineage_close(struct lh_lineage *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n_files; i++) {
		free(l->file[i].path);
		free(l->file[i].mark);
		free(l->file[i].key);
	}
	free(l->file);
	if (l->fd >= 0)
		close(l->fd);
	lh_buf_free(&l->row);
	lh_record_free(&l->rec);
	lh_row_ids_free(&l->ids);
	lh_root_close(l->root);
	free(l);
}
