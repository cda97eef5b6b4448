/* corpora.c - the INDEX operands: names, opening.  See search.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lh_mem.h"
#include "search.h"

/* FILE or NAME=FILE.  A file may have '=' in its name, so what names an
 * existing file as it stands is that file. */
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
		name = lh_lhv_name(operand);
		c->path = operand;
	}
	if (!name.n)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" gives a corpus no name", operand);
	if (!*c->path)
		return lh_err_set(err, LH_EUSAGE, "\"%s\" names no file: NAME=FILE", operand);
	if (!lh_utf8_valid(name.p, name.n))
		return lh_err_set(err, LH_EUSAGE, "corpus name \"%.*s\" is not UTF-8: give it one with NAME=FILE", (int)name.n, name.p);
	c->name = lh_strndup(name.p, name.n, err);
	if (!c->name)
		return -1;
	lh_buf_puts(&c->json, ",\"corpus\":");
	lh_buf_json(&c->json, name.p, name.n);
	return lh_buf_check(&c->json, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct corpus *)a)->name, ((const struct corpus *)b)->name);
}

static bool same_engine(const struct lh_lhv_params *a, const struct lh_lhv_params *b)
{
	return a->dimension == b->dimension && !strcmp(a->engine, b->engine) &&
	       !strcmp(a->model, b->model) && !strcmp(a->url, b->url);
}

static int check_names(const struct corpora *c, struct lh_err *err)
{
	size_t i;

	for (i = 1; i < c->n; i++)
		if (!strcmp(c->v[i - 1].name, c->v[i].name))
			return lh_err_set(err, LH_EUSAGE, "two corpora are named \"%s\": %s and %s; name one with NAME=FILE",
					  c->v[i].name, c->v[i - 1].path, c->v[i].path);
	return 0;
}

static int open_one(struct corpora *all, size_t i, struct lh_err *err)
{
	struct corpus *c = &all->v[i];

	c->ix = lh_lhv_open(c->path, err);
	if (!c->ix)
		return -1;
	c->params = lh_lhv_get_params(c->ix);
	while (!same_engine(all->v[c->twin].params, c->params))
		c->twin++;
	return 0;
}

static int add(struct corpora *c, const char *operand, struct lh_err *err)
{
	struct corpus *added = &c->v[c->all++];

	lh_buf_init(&added->json, LH_BUF_NOMAX);
	return name_corpus(added, operand, err);
}

/* Without a name of its own it has the one that queries take for granted. */
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
		return lh_err_set(err, LH_EUSAGE, "--playbook: %s is named \"%s\" already; name one with NAME=FILE",
				  c->v[same].path, added->name);
	if (access(added->path, F_OK) < 0 && errno == ENOENT) {
		lh_buf_free(&added->json);
		free(added->name);
		c->all--;
	}
	return 0;
}

int corpora_open(struct corpora *c, char **operands, size_t n, const char *playbook, struct lh_err *err)
{
	size_t i;

	c->v = lh_calloc(n + 1, sizeof *c->v, err);
	if (!c->v)
		return -1;
	while (c->all < n)
		if (add(c, operands[c->all], err) < 0)
			return -1;
	c->n = n;
	qsort(c->v, n, sizeof *c->v, by_name);
	if (check_names(c, err) < 0 || (playbook && add_playbook(c, playbook, err) < 0))
		return -1;
	for (i = 0; i < c->all; i++)
		if (open_one(c, i, err) < 0)
			return -1;
	return 0;
}

int corpora_have_words(const struct corpora *c, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (!c->v[i].params->lexical)
			return lh_err_set(err, LH_EUSAGE, "%s: it has no words to search by: build it with lh-index build --lexical", c->v[i].path);
	return 0;
}

void corpora_close(struct corpora *c)
{
	size_t i;

	for (i = 0; i < c->all; i++) {
		lh_lhv_close(c->v[i].ix);
		lh_buf_free(&c->v[i].json);
		free(c->v[i].name);
	}
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
