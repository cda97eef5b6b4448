/*
 * indexes.c - whether the indexes and playbooks of the state can be opened.  See serve.h.
 *
 * The filters that search them say so to their clients alone.  So those that are new or have
 * changed are opened here, as searches do: header, length and log; and of what is in them the
 * checksums of ids and metadata, which searches do not compute, where that is fast.  What can
 * no longer be opened, or is damaged there, is reported once, and once it can; meanwhile a deep
 * health fails.  It takes at most a part of the time, as to count the state does.
 *
 * What a link leads to is for the filters to read if the link was there when they were given their
 * places; one that came later, or leads elsewhere now, is as a damaged one until SIGHUP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lh/index.h>
#include <lh/time.h>
#include "base/mem.h"
#include "file/held.h"
#include "index/index_tools.h"
#include "serve.h"

#define EACH 2.0		/* seconds between two looks ... */
#define SHARE 20		/* ... which take at most 1/20 of the time */

struct index_file {
	char *path;		/* owned */
	char *leads_to;		/* what the link led to, of which filters know; NULL: it was none */
	struct lh_stamp base, log;
	bool damaged, late, seen;
};

/* Return the file that a link leads to, or NULL: it is none. */
static char *link_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, NULL) : NULL;
}

static void forget(struct index_file *f)
{
	free(f->path);
	free(f->leads_to);
}

static struct index_file *find_file(struct indexes *all, const char *path)
{
	struct index_file *f;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->v[i].path, path))
			return &all->v[i];
	lh_grow(&all->v, &all->cap, all->n + 1, sizeof *all->v);
	f = &all->v[all->n];
	*f = (struct index_file){ .path = lh_strndup(path, strlen(path)) };
	return f->path ? &all->v[all->n++] : NULL;
}

/* Look at a link; true if filters may not read what it leads to.  known: they have just been given
 * their places. */
static bool is_late_link(struct lh_tool *tool, struct index_file *f, bool known)
{
	LH_SCOPED(lh_free_local) char *to = link_of(f->path);
	bool late;

	if (known) {
		free(f->leads_to);
		f->leads_to = to ? strdup(to) : NULL;
	}
	late = to && (!f->leads_to || strcmp(to, f->leads_to) != 0);
	if (late && !f->damaged)
		lh_tool_warn(tool, "%s: is a link that was not there when the filters began: "
			     "requests for it fail until SIGHUP", f->path);
	if (late || f->late)
		f->base.there = false;	/* look at the file once it may be read */
	f->damaged = late || (f->damaged && !f->late);
	f->late = late;
	return late;
}

/* Open an index that has changed since it was opened last. */
static void look_at(struct lh_tool *tool, struct index_file *f)
{
	char log[4096];
	struct lh_index *ix;
	struct lh_err err;
	bool damaged;

	snprintf(log, sizeof log, "%s" LH_INDEX_LOG, f->path);
	if (f->base.there && lh_stamp_fits(&f->base, f->path) && lh_stamp_fits(&f->log, log))
		return;
	lh_stamp_take(&f->base, f->path);
	lh_stamp_take(&f->log, log);
	ix = lh_index_open(f->path, &err);
	if (!ix && (err.code == LH_ENOMEM || !lh_index_is_file(f->path)))
		return;
	damaged = !ix || lh_index_check_few_texts(ix, &err) < 0;
	if (damaged && ix)
		lh_err_prefix(&err, "%s", f->path);
	if (damaged && !f->damaged)
		lh_tool_warn(tool, "%s: requests for it fail%s", err.msg,
			     ix ? ", or are wrong" : "");
	else if (!damaged && f->damaged)
		lh_tool_message(tool, "%s: can be used again", f->path);
	f->damaged = damaged;
	lh_index_close(ix);
}

static void look_below(struct server *s, const char *name, bool known)
{
	struct lh_index_folder in;
	struct index_file *f;
	char folder[4096];
	struct lh_err err;
	size_t i;

	snprintf(folder, sizeof folder, "%s/%s", s->site->config.state, name);
	if (lh_index_folder_read(&in, folder, &err) < 0)
		return;
	for (i = 0; i < in.n; i++) {
		LH_SCOPED(lh_free_local) char *path = lh_index_folder_path(folder,
						lh_str_of(in.name[i]));

		f = find_file(&s->indexes, path);
		if (!f)
			continue;
		f->seen = true;
		if (!is_late_link(s->tool, f, known || s->site->config.no_confine))
			look_at(s->tool, f);
	}
	lh_index_folder_free(&in);
}

void indexes_look(struct server *s, bool now)
{
	const double begun = lh_time_monotonic();
	struct indexes *all = &s->indexes;
	const bool known = all->of != s->site;
	size_t i, n = 0;

	if (!now && begun < all->next && !known)
		return;
	all->of = s->site;
	for (i = 0; i < all->n; i++)
		all->v[i].seen = false;
	look_below(s, "index", known);
	look_below(s, "playbook", known);
	for (i = 0; i < all->n; i++)
		if (all->v[i].seen)
			all->v[n++] = all->v[i];
		else
			forget(&all->v[i]);
	all->n = n;
	all->next = lh_time_monotonic();
	all->next += EACH + SHARE * (all->next - begun);
}

const char *indexes_next(const struct server *s, size_t *at)
{
	return *at < s->indexes.n ? s->indexes.v[(*at)++].path : NULL;
}

const char *indexes_damaged(const struct server *s, size_t *at)
{
	while (*at < s->indexes.n)
		if (s->indexes.v[(*at)++].damaged)
			return s->indexes.v[*at - 1].path + strlen(s->site->config.state) + 1;
	return NULL;
}

void indexes_free(struct indexes *all)
{
	while (all->n)
		forget(&all->v[--all->n]);
	free(all->v);
}
