/* fetched.c - indexes in S3: local copies of them.  See search.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "search.h"

int fetched_open(struct fetched *f, struct settings *set, struct lh_tool *tool)
{
	size_t i;

	f->operands = lh_calloc(tool->n_operands + 1, sizeof *f->operands);
	for (i = 0; i < tool->n_operands; i++) {
		f->operands[i] = tool->operands[i];
		if (lh_object_copies_take(&f->copies, (const char **)&f->operands[i],
					  &tool->err) < 0)
			return -1;
	}
	return set->playbook ? lh_object_copies_take(&f->copies, &set->playbook, &tool->err) : 0;
}

void fetched_close(struct fetched *f)
{
	lh_object_copies_free(&f->copies);
	free(f->operands);
}
