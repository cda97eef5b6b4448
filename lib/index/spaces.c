/* spaces.c - which engine and model embed the texts of the indexes in a folder.  See
 * index_tools.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "file/held.h"
#include "index_tools.h"

struct space {
	char *path;
	struct lh_stamp file;
	struct lh_index_params *is;	/* NULL: it has no engine, or cannot be read */
};

struct lh_index_spaces {
	char *folder;
	struct lh_stamp stamp;
	struct space *v;
	size_t n;
};

struct lh_index_params *lh_index_read_params(const char *path, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_params *p = ix ? lh_calloc(1, sizeof *p) : NULL;

	if (p)
		*p = *lh_index_get_params(ix);
	lh_index_close(ix);
	return p;
}

/* Copy what is known of the same file from an earlier reading. */
static void take_known(struct space *s, const struct lh_index_spaces *before, bool *known)
{
	size_t i;

	*known = false;
	for (i = 0; before && i < before->n; i++)
		if (!strcmp(before->v[i].path, s->path))
			break;
	if (!before || i == before->n || before->v[i].file.recent ||
	    !lh_stamp_same(&before->v[i].file, &s->file))
		return;
	*known = true;
	if (!before->v[i].is)
		return;
	s->is = lh_calloc(1, sizeof *s->is);
	*s->is = *before->v[i].is;
}

/* Read what an index says of its engine.  One that cannot be read counts as one without. */
static int read_space(struct space *s, const struct lh_index_spaces *before, struct lh_err *err)
{
	struct lh_err why;
	bool known;

	lh_stamp_take(&s->file, s->path);
	take_known(s, before, &known);
	if (known)
		return 0;
	s->is = lh_index_read_params(s->path, &why);
	if (!s->is && why.code == LH_ENOMEM) {
		*err = why;
		return -1;
	}
	if (s->is && !*s->is->engine) {
		free(s->is);
		s->is = NULL;
	}
	return 0;
}

static int read_all(struct lh_index_spaces *l, const struct lh_index_folder *found,
		    const struct lh_index_spaces *before, struct lh_err *err)
{
	l->v = lh_calloc(found->n + 1, sizeof *l->v);
	for (; l->n < found->n; l->n++) {
		struct space *s = &l->v[l->n];

		s->path = lh_index_folder_path(l->folder, lh_str_of(found->name[l->n]));
		if (read_space(s, before, err) < 0) {
			l->n++;
			return -1;
		}
	}
	return 0;
}

struct lh_index_spaces *lh_index_spaces_read(const char *folder,
					     const struct lh_index_spaces *before,
					     struct lh_err *err)
{
	struct lh_index_spaces *l = lh_calloc(1, sizeof *l);
	LH_SCOPED(lh_index_folder_free) struct lh_index_folder found = { NULL, 0, 0 };
	int rc;

	l->folder = lh_strndup(folder, strlen(folder));
	lh_stamp_take(&l->stamp, folder);
	rc = l->stamp.there ? lh_index_folder_read(&found, folder, err) : 0;
	if (rc == 0)
		rc = read_all(l, &found, before, err);
	if (rc == 0)
		return l;
	lh_index_spaces_free(l);
	return NULL;
}

void lh_index_spaces_free(struct lh_index_spaces *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].is);
	}
	free(l->v);
	free(l->folder);
	free(l);
}

bool lh_index_spaces_stale(const struct lh_index_spaces *l)
{
	return !lh_stamp_fits(&l->stamp, l->folder);
}

/* Return the place of the model among the defaults; that of others is after them. */
static size_t rank(const struct lh_index_params *p, const char *const *defaults)
{
	size_t i;

	for (i = 0; defaults[i] && strcmp(defaults[i], p->model) != 0; i++)
		;
	return i;
}

const struct lh_index_params *lh_index_spaces_best(const struct lh_index_spaces *l,
						   const char *const *defaults)
{
	const struct lh_index_params *best = NULL;
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct lh_index_params *p = l->v[i].is;

		if (p && (!best || rank(p, defaults) < rank(best, defaults) ||
			  (rank(p, defaults) == rank(best, defaults) &&
			   strcmp(p->created_at, best->created_at) > 0)))
			best = p;
	}
	return best;
}
