/* requests_lookup.c - one record of an index, by its id. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "requests.h"

struct lookup {
	struct lh_str name, id;
};
static const struct lh_bind lookup_members[] = {
	NAME(lookup, name),
	{ LH_BIND_ID("id", struct lookup, id), .required = true, .filled = true },
	LH_BIND_END
};

/* Set r->looked_up to the present state of the index at r->path.  The index of the last look-up
 * stays open. */
static int bring_up(struct requests *r, struct lh_err *err)
{
	struct lh_index *ix;
	char *path;

	if (r->looked_up && !strcmp(r->looked_up_path, r->path)) {
		ix = lh_index_renew(r->looked_up, err);
		path = r->looked_up_path;
	} else {
		path = lh_strndup(r->path, strlen(r->path), err);
		ix = path ? lh_index_open(r->path, err) : NULL;
		if (!ix) {
			free(path);
			return -1;
		}
		free(r->looked_up_path);
	}
	lh_index_close(r->looked_up);
	r->looked_up = ix;
	r->looked_up_path = path;
	return ix ? 0 : -1;
}

int requests_lookup(struct requests *r, const struct lh_record *rec, struct lh_writer *w,
		    struct lh_err *err)
{
	struct lookup of;
	struct lh_row row;
	int64_t at;

	if (lh_bind(lookup_members, rec, &of, &r->text, err) < 0 ||
	    requests_find(r, of.name, err) < 0 || bring_up(r, err) < 0)
		return -1;
	at = lh_index_find(r->looked_up, of.id.p, of.id.n, err);
	if (at == -1)
		return lh_err_data(err, 404, "there is no such record in index \"%.*s\"",
				   (int)of.name.n, of.name.p);
	if (at < 0 || lh_index_row(r->looked_up, (uint64_t)at, &row, err) < 0)
		return -1;
	lh_write_str(w, "corpus", of.name);
	lh_write_str(w, "id", row.id);
	return metadata_write(&r->metadata, w, &row, err);
}
