/* named.c - an index by its name from outside, and its errors for a client.  See
 * index_tools.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "index_tools.h"

bool lh_index_is_name(const struct lh_value *v, struct lh_str name)
{
	(void)v;
	return lh_index_name_valid(name);
}

bool lh_index_is_file(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool folder_is_there(const struct lh_index_named *in)
{
	struct stat st;

	return stat(in->folder, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Report why there is no index at path: that of the folder or that of the name. */
static int missing(const struct lh_index_named *in, const char *path, struct lh_err *err)
{
	struct lh_str name = lh_index_name(path);
	char text[LH_INDEX_NAMES];
	struct lh_index_names list = { .to = text };
	struct lh_index_folder all;
	size_t i;

	if (!folder_is_there(in) || lh_index_folder_read(&all, in->folder, err) < 0)
		return lh_err_data(err, 503, "the folder cannot be read");
	for (i = 0; i < all.n; i++)
		if (lh_scope_has(in->scope, lh_str_of(all.name[i])))
			lh_index_names_add(&list, all.name[i]);
	lh_index_names_end(&list);
	lh_index_folder_free(&all);
	return lh_err_data(err, 404, "there is no %s \"%.*s\"; %s", in->what, (int)name.n, name.p,
			   text);
}

int lh_index_named_check(const struct lh_index_named *in, struct lh_err *err)
{
	struct stat st;

	if (stat(in->folder, &st) < 0)
		return lh_err_sys(err, "%s", in->folder);
	return S_ISDIR(st.st_mode) ? 0 : lh_err_set(err, LH_EIO, "%s: not a folder", in->folder);
}

char *lh_index_named_find(const struct lh_index_named *in, struct lh_str name, struct lh_err *err)
{
	char *path = lh_index_folder_path(in->folder, name);

	if (lh_scope_has(in->scope, name) && lh_index_is_file(path))
		return path;
	missing(in, path, err);
	free(path);
	return NULL;
}

int lh_index_named_error(const struct lh_index_named *in, const char *path, bool must_exist,
			 struct lh_err *err)
{
	struct lh_str name = lh_index_name(path);
	const char *why;

	switch (err->code) {
	case LH_ELOCKED: why = "is locked by another writer"; break;
	case LH_ECORRUPT:
		why = err->status == LH_INDEX_OLD ?
			      "is of an earlier format: `lh-index upgrade FILE` makes it qg" :
			      "is damaged";
		break;
	case LH_EIO: why = "cannot be used at present"; break;
	default: return -1;
	}
	if (err->code != LH_ELOCKED && !lh_index_is_file(path) &&
	    (must_exist || !folder_is_there(in)))
		return missing(in, path, err);
	return lh_err_data(err, 503, "%s \"%.*s\" %s", in->what, (int)name.n, name.p, why);
}
