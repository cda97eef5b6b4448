/* requests_lookup.c - one record of an index, by its id, or the first of that id in any. */
#include <stdlib.h>

#include "base/mem.h"
#include "json/bind.h"
#include "requests.h"

const struct lh_bind lookup_members[] = {
	{ LH_BIND_STRING("name", struct lookup, name), LH_INDEX_NAMED },
	{ LH_BIND_ID("id", struct lookup, id), .required = true, .filled = true },
	LH_SCOPE_MEMBER(struct lookup, scope),
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
		path = lh_strndup(r->path, strlen(r->path));
		ix = lh_index_open(r->path, err);
		if (!ix) {
			free(path);
			return -1;
		}
		free(r->looked_up_path);
		r->looked_up_path = NULL;
	}
	if (path != r->looked_up_path)
		r->of = (struct lh_persons_known){ .is = -1 };
	lh_index_close(r->looked_up);
	r->looked_up = ix;
	r->looked_up_path = path;
	return ix ? 0 : -1;
}

/* Say whose data the answer has used. */
static void attribute(struct requests *r, struct lh_str name, const struct lh_row *row)
{
	const bool is = requests_names(&r->settings->persons, name) ||
			lh_persons_index_at(&r->of, r->looked_up_path);

	lh_persons_used_reset(&r->used);
	lh_persons_used_record(&r->used, is, row->id, row->meta, NULL);
	lh_persons_used_write(&r->used, &r->w);
}

/* Write the record if the index has it: 1, 0, -1. */
static int write_record(struct requests *r, struct lh_str name, struct lh_str id,
			struct lh_err *err)
{
	struct lh_row row;
	int64_t at;

	if (requests_find(r, name, err) < 0 || bring_up(r, err) < 0)
		return -1;
	at = lh_index_find(r->looked_up, id.p, id.n, err);
	if (at == -1)
		return 0;
	if (at < 0 || lh_index_row(r->looked_up, (uint64_t)at, &row, err) < 0)
		return -1;
	if (!requests_sees(r, row.meta))
		return 0;
	lh_write_str(&r->w, "corpus", name);
	lh_write_str(&r->w, "id", row.id);
	if (metadata_write(&r->metadata, &r->w, &row, err) < 0)
		return -1;
	if (r->settings->attribute)
		attribute(r, name, &row);
	return 1;
}

/* Look into every index, by their names. */
static int in_any(struct requests *r, struct lh_str id, struct lh_err *err)
{
	struct lh_index_folder f;
	size_t i;
	int rc = 0;

	if (lh_index_folder_read(&f, r->in.folder, err) < 0)
		return err->code == LH_ENOMEM ? -1 :
						lh_err_data(err, 503, "the folder cannot be read");
	for (i = 0; !rc && i < f.n; i++) {
		if (!lh_scope_has(r->in.scope, lh_str_of(f.name[i])))
			continue;
		rc = write_record(r, (struct lh_str){ f.name[i], strlen(f.name[i]) }, id, err);
		if (rc < 0 && lh_err_status(err) == 404)
			rc = 0;		/* it was removed meanwhile */
	}
	lh_index_folder_free(&f);
	return rc;
}

int requests_lookup(const struct lh_call *call, const void *in, struct lh_buf *out,
		    struct lh_err *err)
{
	const struct lookup *of = in;
	struct requests *r = requests_begin(call, out);
	int rc = requests_confine(r, &of->scope, err) < 0 ? -1
		 : of->name.p ? write_record(r, of->name, of->id, err) : in_any(r, of->id, err);

	if (rc)
		return rc < 0 ? -1 : requests_end(r);
	return of->name.p ? lh_err_data(err, 404, "there is no such record in index \"%.*s\"",
					(int)of->name.n, of->name.p)
			  : lh_err_data(err, 404, "there is no such record in any index");
}
