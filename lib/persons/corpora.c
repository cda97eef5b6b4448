/* corpora.c - which corpora are of persons.  See persons_parts.h. */
#include "persons_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "index/index_tools.h"
#include "lineage/person_ids.h"

#define FIRST 10000		/* records that decide, if the index does not say it */

bool lh_persons_is_id(const struct lh_value *object, const struct lh_value *key,
		      struct lh_value *corpus)
{
	struct lh_value other;

	*corpus = (struct lh_value){ .p = NULL };
	if (!lh_person_names(key))
		return false;
	if (lh_value_is(key, "answer_id", 9))
		lh_value_get(object, "answer_corpus", corpus);
	return !lh_value_is(key, "subject", 7) ||
	       !(lh_value_get(object, "sender", &other) || lh_value_get(object, "to", &other) ||
		 lh_value_get(object, "body", &other));
}

/* Return whether an object has the id of a person, at any depth. */
static bool has_id(const struct lh_value *v)
{
	struct lh_value corpus;
	struct lh_iter it;

	if (v->type != LH_OBJECT && v->type != LH_ARRAY)
		return false;
	for (lh_iter_init(&it, v); lh_iter_next(&it); )
		if ((it.object && it.val.type != LH_NULL &&
		     lh_persons_is_id(v, &it.key, &corpus) && !corpus.p) || has_id(&it.val))
			return true;
	return false;
}

/* Return whether the metadata of a record may have an id of a person: it is parsed only then. */
static bool may_have_id(struct lh_str meta)
{
	return memmem(meta.p, meta.n, "_id", 3) || memmem(meta.p, meta.n, "subject", 7) ||
	       memmem(meta.p, meta.n, "\\u", 2);
}

static bool row_has_id(struct lh_persons *p, struct lh_str meta)
{
	struct lh_value v;
	struct lh_err err;

	if (!may_have_id(meta))
		return false;
	lh_buf_reset(&p->copy);
	lh_buf_add(&p->copy, meta.p, meta.n);
	return lh_json_parse(&p->text, p->copy.p, p->copy.len, &v, &err) == 0 && has_id(&v);
}

/* Look at what the index says of itself, and at the first records. */
static void look(struct lh_persons *p, struct lh_persons_known *k, const struct lh_index *ix)
{
	const uint64_t rows = lh_index_rows(ix);
	struct lh_row row;
	struct lh_err err;
	uint64_t i;
	unsigned n = 0;
	int rc;

	k->is = lh_index_get_params(ix)->persons;
	for (i = 0; i < rows && n < FIRST && !k->is; i++) {
		rc = lh_index_row(ix, i, &row, &err);
		if (rc > 0 && row.meta.n && row_has_id(p, row.meta))
			k->is = 1;
		if (rc < 0)
			k->is = -1;
		n += rc > 0;
	}
	k->full = n == FIRST;
}

static bool is_known(const struct lh_persons_known *k, const char *base, const char *log)
{
	return k->is >= 0 && lh_stamp_fits(&k->base, base) &&
	       (k->full || k->is || lh_stamp_fits(&k->log, log));
}

/* Find out what a corpus is, unless it is known and its files are those of then. */
static int find_out(struct lh_persons *p, struct lh_persons_known *k)
{
	char base[4096], log[4096];
	struct lh_index *ix;
	struct lh_err err;

	if ((size_t)snprintf(base, sizeof base, "%s/%s.lhv", p->how.state, k->name) >=
		    sizeof base ||
	    (size_t)snprintf(log, sizeof log, "%s-log", base) >= sizeof log)
		return -1;
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
	look(p, k, ix);
	lh_index_close(ix);
	return k->is;
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
