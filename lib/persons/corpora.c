/* corpora.c - which corpora are of persons.  See persons_parts.h. */
#include "persons_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "audit/chain.h"
#include "base/mem.h"
#include "index/index_tools.h"
#include "lineage/person_ids.h"

#define FIRST 10000		/* records that decide, if the index does not say it */
#define TRIED 16		/* logs that a key is tried on */

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

/* ---- a state, and the keys of its logs ---- */

/* Return the path of the next log of a folder, to be freed; NULL: there are no more. */
static char *next_log(DIR *d, const char *folder)
{
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (lh_ends_with(e->d_name, LH_SUBJECT_LOG))
			return lh_format("%s/%s", folder, e->d_name);
	return NULL;
}

static char *index_of_persons(const char *state, const char *folder, const struct lh_list *named)
{
	LH_SCOPED(lh_free_local) char *path = lh_format("%s/%s", state, folder);
	struct lh_index_folder in;
	struct lh_err unused;
	char *found = NULL;
	size_t i, k;

	if (lh_index_folder_read(&in, path, &unused) < 0)
		return NULL;
	for (i = 0; !found && i < in.n; i++) {
		LH_SCOPED(lh_free_local) char *file = lh_index_folder_path(path,
							lh_str_of(in.name[i]));
		struct lh_persons_known known = { .is = -1 };
		bool is = lh_persons_index_at(&known, file) > 0;

		for (k = 0; !is && named && k < named->n; k++)
			is = !strcmp(named->v[k], in.name[i]);
		if (is)
			found = lh_format("%s/%s.lhv", folder, in.name[i]);
	}
	lh_index_folder_free(&in);
	return found;
}

char *lh_persons_in(const char *state, const struct lh_list *named)
{
	LH_SCOPED(lh_free_local) char *logs = lh_format("%s/" LH_SUBJECT_DIR, state);
	DIR *d = opendir(logs);
	LH_SCOPED(lh_free_local) char *log = next_log(d, logs);
	char *found = log ? lh_strndup(LH_SUBJECT_DIR, sizeof LH_SUBJECT_DIR - 1) : NULL;

	if (d)
		closedir(d);
	if (!found)
		found = index_of_persons(state, "index", named);
	return found ? found : index_of_persons(state, "playbook", named);
}

int lh_persons_try_keys(const char *folder, const char *const *key, size_t keys,
			struct lh_err *err)
{
	LH_SCOPED(lh_chain_keys_free) struct lh_chain_keys all = { 0 };
	int fits = -1;
	unsigned n;
	char *log;
	DIR *d;

	if (lh_chain_keys_read(&all, key, keys, false, err) < 0)
		return -1;
	d = opendir(folder);
	for (n = 0; n < TRIED && fits != 1 && (log = next_log(d, folder)); n++) {
		const int is = lh_chain_keys_fit(&all, log);

		fits = is < 0 ? fits : is;
		free(log);
	}
	if (d)
		closedir(d);
	return fits ? 0 : lh_err_set(err, LH_EDATA, "%s is another key than that of the logs of "
				     "who looked in %s", key[0], folder);
}
