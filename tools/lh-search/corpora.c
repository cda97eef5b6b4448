/* corpora.c - the INDEX operands: their names, and opening them.  See search.h. */
#include "index/index_tools.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "search.h"

/* Split FILE or NAME=FILE.  A file name may contain '=': an operand that names an
 * existing file is that file. */
static const char *split(const char *operand, size_t *name_len)
{
	const char *equals = strchr(operand, '=');

	if (!equals || access(operand, F_OK) == 0)
		return NULL;
	*name_len = (size_t)(equals - operand);
	return equals + 1;
}

static int name_corpus(struct corpus *c, const char *operand, struct lh_err *err)
{
	struct lh_str name = { operand, 0 };

	c->path = split(operand, &name.n);
	if (!c->path) {
		name = lh_index_name(operand);
		c->path = operand;
	}
	if (!name.n)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" gives a corpus no name", operand);
	if (!*c->path)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" names no file: NAME=FILE", operand);
	if (!lh_utf8_valid(name.p, name.n))
		return lh_err_set(err, LH_EUSAGE,
				  "corpus name \"%.*s\" is not UTF-8: give it one with NAME=FILE",
				  (int)name.n, name.p);
	c->name = lh_strndup(name.p, name.n, err);
	if (!c->name)
		return -1;
	lh_buf_json(&c->json, name.p, name.n);
	return lh_buf_check(&c->json, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct corpus *)a)->name, ((const struct corpus *)b)->name);
}

bool corpora_same_engine(const struct corpus *x, const struct corpus *y)
{
	const struct lh_index_params *a = x->params, *b = y->params;

	return a->dimension == b->dimension && !strcmp(a->engine, b->engine) &&
	       !strcmp(a->model, b->model) && !strcmp(a->url, b->url);
}

static int check_names(const struct corpora *c, struct lh_err *err)
{
	size_t i;

	for (i = 1; i < c->n; i++)
		if (!strcmp(c->v[i - 1].name, c->v[i].name))
			return lh_err_set(err, LH_EUSAGE,
					  "two corpora are named \"%s\" (%s and %s); name one with "
					  "NAME=FILE",
					  c->v[i].name, c->v[i - 1].path, c->v[i].path);
	return 0;
}

/* Return the file of the engine's table, if the engine is computed in this process. */
static const char *table_of(const struct corpus *c)
{
	return strcmp(c->params->engine, lh_engine_name(LH_ENGINE_STATIC)) ? NULL : c->params->url;
}

static int open_one(struct corpora *all, size_t i, const struct corpora *before, struct lh_err *err)
{
	const struct corpus *was = before && i < before->all ? &before->v[i] : NULL;
	struct corpus *c = &all->v[i];

	c->ix = was ? lh_index_renew(was->ix, err) : lh_index_open(c->path, err);
	if (!c->ix)
		return -1;
	all->all = i + 1;
	c->params = lh_index_get_params(c->ix);
	while (!corpora_same_engine(&all->v[c->engine_owner], c))
		c->engine_owner++;
	if (table_of(c))
		lh_stamp_take(&c->table, table_of(c));
	c->other_table = was && (was->other_table || !lh_stamp_same(&was->table, &c->table));
	return 0;
}

static int add(struct corpora *c, const char *operand, struct lh_err *err)
{
	struct corpus *added = &c->v[c->all++];

	added->json = (struct lh_buf){ 0 };
	return name_corpus(added, operand, err);
}

/* Without a name of its own, a playbook has the default name in queries. */
static int add_playbook(struct corpora *c, const char *operand, struct lh_err *err)
{
	struct corpus *added = &c->v[c->all];
	long same;

	if (add(c, operand, err) < 0)
		return lh_err_prefix(err, "--playbook");
	if (added->path == operand) {
		free(added->name);
		added->name = lh_strndup(LH_PLAYBOOK_CORPUS, strlen(LH_PLAYBOOK_CORPUS), err);
		if (!added->name)
			return -1;
	}
	same = corpora_find(c, added->name, strlen(added->name));
	if (same >= 0)
		return lh_err_set(err, LH_EUSAGE,
				  "--playbook: %s is named \"%s\" already; name one with NAME=FILE",
				  c->v[same].path, added->name);
	return 0;
}

int corpora_name(struct corpora *c, char **operands, size_t n, const char *playbook,
		 struct lh_err *err)
{
	c->playbook = playbook;
	c->v = lh_calloc(n + 1, sizeof *c->v, err);
	if (!c->v)
		return -1;
	while (c->all < n)
		if (add(c, operands[c->all], err) < 0)
			return -1;
	c->n = n;
	qsort(c->v, n, sizeof *c->v, by_name);
	return check_names(c, err) < 0 || (playbook && add_playbook(c, playbook, err) < 0) ? -1 : 0;
}

void corpora_unname(struct corpora *c)
{
	size_t i;

	for (i = 0; i < c->all; i++) {
		lh_buf_free(&c->v[i].json);
		free(c->v[i].name);
	}
	free(c->v);
}

/* A playbook is created by its first entry; once it existed it must not vanish. */
static bool skip_playbook(struct corpora *c, const struct corpora *before)
{
	if (before && before->all > before->n)
		return false;
	lh_stamp_take(&c->absent, c->v[c->n].path);
	return access(c->v[c->n].path, F_OK) < 0 && errno == ENOENT;
}

int corpora_open(struct corpora *c, const struct corpora *names, const struct corpora *before,
		 struct lh_err *err)
{
	size_t i;

	*c = *names;
	c->all = 0;
	c->v = lh_calloc(c->n + 1, sizeof *c->v, err);
	if (!c->v)
		return -1;
	memcpy(c->v, names->v, (c->n + names->playbook) * sizeof *c->v);
	for (i = 0; i < c->n + names->playbook; i++)
		if (!(i == c->n && skip_playbook(c, before)) && open_one(c, i, before, err) < 0)
			return -1;
	return 0;
}

bool corpora_stale(const struct corpora *c)
{
	size_t i;

	for (i = 0; i < c->all; i++)
		if (lh_index_stale(c->v[i].ix) ||
		    (table_of(&c->v[i]) && !lh_stamp_fits(&c->v[i].table, table_of(&c->v[i]))))
			return true;
	return c->playbook && c->all == c->n && !lh_stamp_fits(&c->absent, c->v[c->n].path);
}

int corpora_have_words(const struct corpora *c, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->v[i].params->lexical)
			return lh_err_set(err, LH_EUSAGE,
					  "%s: it has no words to search by: build it with "
					  "lh-index build --lexical",
					  c->v[i].path);
	return 0;
}

void corpora_close(struct corpora *c)
{
	size_t i;

	for (i = 0; i < c->all; i++)
		lh_index_close(c->v[i].ix);
	free(c->v);
}

long corpora_find(const struct corpora *c, const char *name, size_t n)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strlen(c->v[i].name) == n && !memcmp(c->v[i].name, name, n))
			return (long)i;
	return -1;
}
