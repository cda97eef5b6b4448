/* requests_look.c - the indexes of a folder: what list, get and corpora answer. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "requests.h"

void catalog_free(struct catalog *c)
{
	while (c->n)
		free(c->v[--c->n].name);
	free(c->v);
	*c = (struct catalog){ .v = NULL };
}

/* Read a summary, or why there is none. */
static int read_summary(struct requests *r, const char *path, struct summary *s,
			struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st;

	s->good = ix != NULL;
	if (ix) {
		lh_index_get_stats(ix, &st);
		summary_set(s, lh_index_get_params(ix));
		s->length = st.live;
		s->status = 0;
		lh_index_close(ix);
		return 0;
	}
	if (!s->status)		/* it was good before, or is new */
		requests_report(r, err);
	lh_index_named_error(&r->in, path, true, err);
	if (err->code != LH_EDATA)
		return -1;
	s->status = lh_err_status(err);
	snprintf(s->why, sizeof s->why, "%.*s", (int)sizeof s->why - 1, err->msg);
	return 0;
}

/* Bring a summary up to date: what did not change is not opened again. */
static int refresh(struct requests *r, const char *path, struct summary *s, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *log = lh_index_sibling_path(path, LH_INDEX_LOG);
	int rc = 0;

	if (!(s->good && lh_stamp_fits(&s->file, path) && lh_stamp_fits(&s->log, log))) {
		lh_stamp_take(&s->file, path);
		lh_stamp_take(&s->log, log);
		rc = read_summary(r, path, s, err);
	}
	return rc;
}

static int by_name(const void *name, const void *summary)
{
	return strcmp(name, ((const struct summary *)summary)->name);
}

static struct summary *known(const struct catalog *c, const char *name)
{
	return c->n ? bsearch(name, c->v, c->n, sizeof *c->v, by_name) : NULL;
}

/* Append the summary of an index to c, from the earlier catalog if it is there. */
static int add_summary(struct requests *r, struct catalog *c, const char *name,
		       struct lh_err *err)
{
	struct lh_str text = { name, strlen(name) };
	LH_SCOPED(lh_free_local) char *path = lh_index_folder_path(r->in.folder, text);
	struct summary *was, *s = &c->v[c->n];

	if (!lh_index_is_file(path))
		return 0;
	was = known(&r->catalog, name);
	*s = was ? *was : (struct summary){ .good = false };
	s->name = NULL;
	if (refresh(r, path, s, err) < 0)
		return -1;
	if (!s->good && s->status == 404)
		return 0;	/* it was removed meanwhile */
	s->name = lh_strndup(name, text.n);
	c->n++;
	return 0;
}

static int read_catalog(struct requests *r, struct lh_err *err)
{
	struct lh_index_folder f;
	struct catalog c = { .v = NULL };
	size_t i;
	int rc = lh_index_folder_read(&f, r->in.folder, err);

	if (rc < 0)
		return err->code == LH_ENOMEM ? -1 :
						lh_err_data(err, 503, "the folder cannot be read");
	lh_grow(&c.v, &c.cap, f.n + 1, sizeof *c.v);
	for (i = 0; rc == 0 && i < f.n; i++)
		rc = add_summary(r, &c, f.name[i], err);
	lh_index_folder_free(&f);
	if (rc < 0) {
		catalog_free(&c);
		return -1;
	}
	catalog_free(&r->catalog);
	r->catalog = c;
	return 0;
}

static struct lh_str name_of(const struct summary *s)
{
	return (struct lh_str){ s->name, strlen(s->name) };
}

/* Write the names of the playbooks, if there are any: a search may use them. */
static void put_playbooks(struct requests *r)
{
	struct lh_index_folder f;
	struct lh_err none;
	bool any = false;
	size_t i;

	if (!r->settings->playbooks || lh_index_folder_read(&f, r->settings->playbooks, &none) < 0)
		return;
	for (i = 0; i < f.n; i++) {
		if (!lh_scope_has(r->in.scope, lh_str_of(f.name[i])))
			continue;
		if (!any)
			lh_write_array(&r->w, "playbooks");
		any = true;
		lh_write_text(&r->w, NULL, f.name[i]);
	}
	if (any)
		lh_write_end(&r->w);
	lh_index_folder_free(&f);
}

int requests_list(const struct lh_call *call, const void *in, struct lh_buf *out,
		  struct lh_err *err)
{
	struct requests *r = requests_begin(call, out);
	bool params = strcmp(call->op->name, "corpora") != 0;
	const struct summary *s;
	uint64_t n = 0;

	if (requests_confine(r, &((const struct listing *)in)->scope, err) < 0 ||
	    read_catalog(r, err) < 0)
		return -1;
	lh_write_array(&r->w, params ? "indexes" : "corpora");
	for (s = r->catalog.v; s < r->catalog.v + r->catalog.n; s++) {
		if (!lh_scope_has(r->in.scope, name_of(s)))
			continue;
		n++;
		lh_write_object(&r->w, NULL);
		if (params)
			requests_put_params(r, name_of(s), s->good ? s : NULL);
		else
			lh_write_str(&r->w, "name", name_of(s));
		if (!s->good)
			lh_write_text(&r->w, "error", s->why);
		else
			requests_put_length(r, s->length);
		if (s->good && !params)
			lh_write_u64(&r->w, "dimension", s->dimension);
		lh_write_end(&r->w);
	}
	lh_write_end(&r->w);
	lh_write_u64(&r->w, "count", n);
	if (!params)
		put_playbooks(r);
	return requests_end(r);
}

int requests_get(const struct lh_call *call, const void *in, struct lh_buf *out,
		 struct lh_err *err)
{
	const struct lh_str name = ((const struct named *)in)->name;
	struct summary own = { .good = false }, *s;
	char text[LH_INDEX_NAME_MAX + 1];
	struct requests *r = requests_begin(call, out);

	if (requests_confine(r, &((const struct named *)in)->scope, err) < 0 ||
	    requests_find(r, name, err) < 0)
		return -1;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	s = known(&r->catalog, text);
	if (!s)
		s = &own;
	if (refresh(r, r->path, s, err) < 0)
		return -1;
	if (!s->good)
		return lh_err_data(err, s->status, "%s", s->why);
	requests_put_params(r, name, s);
	requests_put_length(r, s->length);
	return requests_end(r);
}
