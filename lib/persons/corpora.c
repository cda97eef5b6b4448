/* corpora.c - which corpora are of persons.  See persons_parts.h. */
#include "persons_parts.h"

#include <stdio.h>

#include "base/mem.h"
#include "index/index_tools.h"
#include "lineage/person_ids.h"

#define FIRST 10000		/* records that decide, if the index does not say it */

/* End the walk at the id of a person. */
static int on_id(void *ctx, const struct lh_person_at *at, const struct lh_value *v, bool id,
		 struct lh_err *err)
{
	const struct lh_value *in;
	struct lh_value corpus;

	(void)ctx, (void)v, (void)err;
	return lh_person_of(at, id, &in, &corpus) && !corpus.p;
}

/* Look at what the index says of itself, and at the first records; *full: there were enough that
 * more do not matter. */
static int look(const struct lh_index *ix, bool *full)
{
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	LH_SCOPED(lh_record_free) struct lh_record scan = { 0 };
	const uint64_t rows = lh_index_rows(ix);
	bool is = lh_index_get_params(ix)->persons;
	struct lh_value v;
	struct lh_row row;
	struct lh_err err;
	uint64_t i;
	unsigned n = 0;
	int rc;

	for (i = 0; i < rows && n < FIRST && !is; i++) {
		rc = lh_index_row(ix, i, &row, &err);
		if (rc < 0)
			return -1;
		n += rc > 0;
		if (rc == 0 || !lh_person_may_be_in(row.meta))
			continue;
		lh_buf_reset(&copy);
		lh_buf_add(&copy, row.meta.p, row.meta.n);
		is = lh_json_parse(&scan, copy.p, copy.len, &v, &err) == 0 &&
		     lh_person_walk(&v, false, on_id, NULL, &err) > 0;
	}
	*full = n == FIRST;
	return is;
}

int lh_persons_index(const struct lh_index *ix)
{
	bool full;

	return look(ix, &full);
}

static bool is_known(const struct lh_persons_known *k, const char *base, const char *log)
{
	return k->is >= 0 && lh_stamp_fits(&k->base, base) &&
	       (k->full || k->is || lh_stamp_fits(&k->log, log));
}

int lh_persons_index_at(struct lh_persons_known *k, const char *base)
{
	char log[4096];
	struct lh_index *ix;
	struct lh_err err;

	if ((size_t)snprintf(log, sizeof log, "%s-log", base) >= sizeof log)
		return k->is = -1;
	if (is_known(k, base, log))
		return k->is;
	lh_stamp_take(&k->base, base);
	lh_stamp_take(&k->log, log);
	k->is = 0;
	k->full = false;
	if (!k->base.there)
		return 0;
	ix = lh_index_open(base, &err);
	if (!ix)
		return k->is = -1;
	k->is = look(ix, &k->full);
	lh_index_close(ix);
	return k->is;
}

static int find_out(struct lh_persons *p, struct lh_persons_known *k)
{
	char base[4096];

	return (size_t)snprintf(base, sizeof base, "%s/%s.lhv", p->how.state, k->name) <
		       sizeof base ? lh_persons_index_at(k, base) : -1;
}

static bool is_named(const struct lh_persons *p, struct lh_str name)
{
	size_t i;

	for (i = 0; i < p->how.corpora; i++)
		if (lh_str_is(name, p->how.corpus[i], strlen(p->how.corpus[i])))
			return true;
	return false;
}

/* Return what is known about an index in a folder of the state, "index/NAME". */
static struct lh_persons_known *known(struct lh_persons *p, const char *folder, struct lh_str name)
{
	char path[16 + LH_INDEX_NAME_MAX + 1];
	struct lh_persons_known *k;
	size_t i;

	snprintf(path, sizeof path, "%s/%.*s", folder, (int)name.n, name.p);
	for (i = 0; i < p->n_known; i++)
		if (!strcmp(path, p->known[i].name))
			return &p->known[i];
	lh_grow(&p->known, &p->cap_known, p->n_known + 1, sizeof *p->known);
	k = &p->known[p->n_known++];
	*k = (struct lh_persons_known){ .name = lh_strndup(path, strlen(path)), .is = -1 };
	return k;
}

int lh_persons_corpus(struct lh_persons *p, struct lh_str name)
{
	struct lh_persons_known *k;

	if (is_named(p, name))
		return 1;
	if (!lh_index_name_valid(name))
		return 0;
	k = known(p, "index", name);
	return k ? find_out(p, k) : -1;
}

bool lh_persons_kept(struct lh_persons *p, const char *folder, struct lh_str name, bool *there)
{
	struct lh_persons_known *k = known(p, folder, name);
	const int is = k ? find_out(p, k) : -1;

	*there |= is || k->base.there;
	return is || is_named(p, name);
}
