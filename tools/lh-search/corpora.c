/* corpora.c - the open indexes: opened, shared and renewed by states.  See search.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "search.h"

/* ---- an open index ---- */

static void opened_drop(struct opened *o)
{
	if (!o || atomic_fetch_sub(&o->others, 1) > 0)
		return;
	filters_free(&o->filters);
	known_keys_free(&o->keys);
	lh_index_close(o->ix);
	lh_buf_free(&o->engine);
	free(o);
}

/* Open the index at path, or renew one that was opened. */
static struct opened *open_one(const char *path, struct opened *was, struct lh_err *err)
{
	struct opened *o = lh_calloc(1, sizeof *o);
	const struct lh_index_params *p;

	filters_init(&o->filters);
	known_keys_init(&o->keys);
	o->ix = was ? lh_index_renew(was->ix, err) : lh_index_open(path, err);
	if (!o->ix) {
		opened_drop(o);
		return NULL;
	}
	o->params = lh_index_get_params(o->ix);
	/* Write what texts must have in common to be embedded once for several corpora. */
	p = o->params;
	lh_buf_add(&o->engine, p->engine, strlen(p->engine) + 1);
	lh_buf_add(&o->engine, p->model, strlen(p->model) + 1);
	lh_buf_add(&o->engine, p->url, strlen(p->url) + 1);
	lh_buf_add(&o->engine, p->query_prefix, strlen(p->query_prefix) + 1);
	lh_buf_printf(&o->engine, "%u", p->dimension);
	return o;
}

static bool opened_stale(const struct opened *o)
{
	return lh_index_stale(o->ix);
}

static struct opened *renew_one(const char *path, struct opened *was, struct lh_err *err)
{
	if (opened_stale(was))
		return open_one(path, was, err);
	atomic_fetch_add(&was->others, 1);
	return was;
}

/* ---- those of a state ---- */

static void strip_path(struct lh_err *err, const char *path)
{
	size_t n = strlen(path);

	if (strncmp(err->msg, path, n) == 0 && strncmp(err->msg + n, ": ", 2) == 0)
		memmove(err->msg, err->msg + n + 2, strlen(err->msg + n + 2) + 1);
}

int name_failed(const struct name *c, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *real = NULL;

	if (!c->alone || err->code == LH_EINTR)
		return -1;
	strip_path(err, c->path);
	real = realpath(c->path, NULL);
	if (real)
		strip_path(err, real);
	err->code = LH_EDATA;
	err->status = 502;
	err->column = 0;
	return lh_err_prefix(err, "corpus \"%s\"", c->text);
}

/* A playbook is created by its first entry; once it existed it must not vanish. */
static bool skip_playbook(struct corpora *c, size_t i, const struct opened *was)
{
	if (i < c->names->n || was)
		return false;
	lh_stamp_take(&c->absent, c->names->v[i].path);
	return access(c->names->v[i].path, F_OK) < 0 && errno == ENOENT;
}

/* Renew a lazy one.  If it cannot be opened again, this is an error of the queries that need
 * it, which will try to open it. */
static int renew_lazy(struct corpora *c, size_t i, struct opened *was, struct lh_err *err)
{
	struct lh_err why;
	struct opened *o = renew_one(c->names->v[i].path, was, &why);

	atomic_init(&c->v[i], o);
	if (o || why.code != LH_EINTR)
		return 0;
	*err = why;
	return -1;
}

static bool is_json_text(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char first = '\0';
	ssize_t n = fd < 0 ? -1 : read(fd, &first, 1);

	if (fd >= 0)
		close(fd);
	return n == 1 && (first == '{' || first == '[');
}

/* Say where a text comes, or where queries are read from, if one is in the place of an index.
 * Returns -1. */
static int hint(const char *path, struct lh_err *err)
{
	size_t n = strlen(err->msg);

	if (err->code == LH_ECORRUPT && is_json_text(path))
		snprintf(err->msg + n, sizeof err->msg - n,
			 " (it is JSON text; queries are read from standard input)");
	return given_hint(path, err);
}

/* Open one that was open before, and any that is not lazy. */
static int open_at(struct corpora *c, size_t i, const struct corpora *before, struct lh_err *err)
{
	const struct name *name = &c->names->v[i];
	long at = before ? names_find_same(before->names, c->names, i) : -1;
	struct opened *was = at < 0 ? NULL : atomic_load(&before->v[at]), *o;

	if (name->lazy)
		return was ? renew_lazy(c, i, was, err) : 0;
	if (skip_playbook(c, i, was))
		return 0;
	o = was ? renew_one(name->path, was, err) : open_one(name->path, NULL, err);
	atomic_init(&c->v[i], o);
	if (!o)
		return i < c->names->n ? hint(name->path, err) : -1;
	return 0;
}

int corpora_open(struct corpora *c, const struct run *run, const struct corpora *before,
		 struct lh_err *err)
{
	size_t i;

	c->names = before && !names_stale(before->names) ? names_share(before->names)
							 : names_new(run, before, err);
	if (!c->names)
		return -1;
	c->v = lh_calloc(c->names->all + 1, sizeof *c->v);
	for (i = 0; i < c->names->all; i++)
		if (open_at(c, i, before, err) < 0)
			return -1;
	return 0;
}

void corpora_close(struct corpora *c)
{
	size_t i;

	for (i = 0; c->v && i < c->names->all; i++)
		opened_drop(atomic_load(&c->v[i]));
	free(c->v);
	names_drop(c->names);
}

bool corpora_stale(const struct corpora *c)
{
	const struct names *l = c->names;
	size_t i;

	for (i = 0; i < l->all; i++) {
		const struct opened *o = atomic_load(&c->v[i]);

		if (o ? opened_stale(o) :
			!l->v[i].lazy &&
				!lh_stamp_fits(&c->absent, l->v[i].path))
			return true;
	}
	return names_stale(l);
}

struct opened *corpora_get(const struct corpora *c, size_t i, struct lh_err *err)
{
	const struct name *name = &c->names->v[i];
	struct opened *o = atomic_load(&c->v[i]), *none = NULL;

	if (o)
		return o;
	o = open_one(name->path, NULL, err);
	if (!o) {
		name_failed(name, err);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&c->v[i], &none, o))
		return o;
	opened_drop(o);		/* another thread was faster */
	return none;
}

int corpora_have_words(const struct corpora *c, struct lh_err *err)
{
	size_t i;

	for (i = 0; i < c->names->n; i++) {
		const struct opened *o = atomic_load(&c->v[i]);

		if (o && !o->params->lexical && !c->names->v[i].lazy)
			return lh_err_set(err, LH_EUSAGE,
					  "%s: it has no words to search by: build it with "
					  "lh-index build --lexical",
					  c->names->v[i].path);
	}
	return 0;
}
