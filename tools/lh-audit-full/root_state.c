/* root_state.c - the files of a root that a census read.  See root_state.h. */
#include "root_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int root_state_add(struct root_state *s, const char *path, size_t n, const struct root_file *f,
		   struct lh_err *err)
{
	char *copy;

	if (lh_grow(&s->file, &s->cap, s->n + 1, sizeof *s->file, err) < 0)
		return -1;
	copy = lh_strndup(path, n, err);
	if (!copy)
		return -1;
	s->file[s->n] = *f;
	s->file[s->n++].path = copy;
	return 0;
}

static bool same_file(const struct root_file *a, const struct root_file *b)
{
	return !strcmp(a->path, b->path) && a->bytes == b->bytes && a->digest == b->digest &&
	       a->unreadable == b->unreadable;
}

const char *root_state_diff(const struct root_state *a, const struct root_state *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (!same_file(&a->file[i], &b->file[i]))
			return a->file[i].path;
	return i < a->n ? a->file[i].path : i < b->n ? b->file[i].path : NULL;
}

void root_state_free(struct root_state *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->file[i].path);
	free(s->file);
	*s = (struct root_state){ .file = NULL };
}
