/*
 * indexes.c - whether the indexes, playbooks, logs and keys of the state can be opened.  See
 * serve.h.
 *
 * The filters that search them say so to their clients alone.  So those that are new or have
 * changed are opened here, as searches do: header, length and log; and of what is in them the
 * checksums of ids and metadata, which searches do not compute, where that is fast.  What can
 * no longer be opened, or is damaged there, is reported once, and once it can; meanwhile a deep
 * health fails.  It takes at most a part of the time, as to count the state does.
 *
 * A log is opened as its writers do; it must end with a whole line, and not be shorter than it was
 * in the same file: rows are only appended.  A key is read.
 *
 * What a link leads to is for the filters to read if the link was there when they were given their
 * places; one that came later, or leads elsewhere now, is as a damaged one until SIGHUP.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "index/index.h"
#include "base/time.h"
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
	bool other;		/* a log, or a key */
	struct stat whole;	/* of a log, when it last ended with a row, ... */
	off_t size;		/* ... and its bytes at the last look */
};

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
	return &all->v[all->n++];
}

/* Say what filters may read by a link, or that it leads to no index. */
static void say_link(struct lh_tool *tool, const char *path, const char *to)
{
	struct stat st;

	if (to)
		lh_tool_message(tool, "%s is a link: filters may read %s", path, to);
	else if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		lh_tool_warn(tool, "%s is a link to what is not an index: filters may not read "
			     "it",
			     path);
}

/* Look at a link; true if filters may not read what it leads to.  known: they have just been given
 * their places. */
static bool is_late_link(struct lh_tool *tool, struct index_file *f, bool known)
{
	LH_SCOPED(lh_free_local) char *to = lh_index_link(f->path);
	bool late;

	if (known && (!to || !f->leads_to || strcmp(to, f->leads_to) != 0))
		say_link(tool, f->path, to);
	if (known) {
		free(f->leads_to);
		f->leads_to = to ? lh_strndup(to, strlen(to)) : NULL;
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
static void look_at(struct server *s, struct index_file *f)
{
	struct lh_tool *tool = s->tool;
	LH_SCOPED(lh_free_local) char *log = lh_format("%s" LH_INDEX_LOG, f->path);
	struct lh_index *ix;
	struct lh_err err;
	bool damaged;

	if (f->base.there && lh_stamp_fits(&f->base, f->path) && lh_stamp_fits(&f->log, log))
		return;
	lh_stamp_take(&f->base, f->path);
	lh_stamp_take(&f->log, log);
	s->indexes.changed = true;
	ix = lh_index_open(f->path, &err);
	if (!ix && !lh_index_is_file(f->path))
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
	LH_SCOPED(lh_free_local) char *folder = lh_format("%s/%s", s->site->config.state, name);
	struct lh_index_folder in;
	struct index_file *f;
	struct lh_err err;
	size_t i;

	if (lh_index_folder_read(&in, folder, &err) < 0)
		return;
	for (i = 0; i < in.n; i++) {
		LH_SCOPED(lh_free_local) char *path = lh_index_folder_path(folder,
						lh_str_of(in.name[i]));

		f = find_file(&s->indexes, path);
		f->seen = true;
		if (!is_late_link(s->tool, f, known || s->site->config.no_confine))
			look_at(s, f);
	}
	lh_index_folder_free(&in);
}

/* ---- logs and keys ---- */

/* Return what is wrong with a log, or NULL.  One that is being written may end within a row. */
static const char *wrong_log(struct index_file *f)
{
	struct stat st, *is = &st;
	int fd = open(f->path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *why = NULL;
	char last = '\n';

	if (fd < 0 || fstat(fd, is) < 0 || !S_ISREG(is->st_mode))
		why = "cannot be opened";
	else if (is->st_size && pread(fd, &last, 1, is->st_size - 1) != 1)
		why = "cannot be read";
	else if (is->st_ino == f->whole.st_ino && is->st_size < f->whole.st_size)
		why = "is shorter than it was";
	else if (last != '\n' && is->st_size == f->size)
		why = "ends within a row";
	else if (last == '\n')
		f->whole = *is;
	f->size = fd < 0 ? 0 : is->st_size;
	if (fd >= 0)
		close(fd);
	return why;
}

static void note(struct server *s, struct index_file *f, const char *why)
{
	if (why && !f->damaged)
		lh_tool_warn(s->tool, "%s: %s", f->path, why);
	else if (!why && f->damaged)
		lh_tool_message(s->tool, "%s: can be used again", f->path);
	f->damaged = why;
	f->seen = f->other = true;
}

static void look_at_logs(struct server *s)
{
	LH_SCOPED(lh_free_local) char *logs = lh_format("%s/log", s->site->config.state);
	struct index_file *f;
	struct dirent *entry;
	DIR *folder = opendir(logs);

	while (folder && (entry = readdir(folder))) {
		LH_SCOPED(lh_free_local) char *path = lh_format("%s/%s", logs, entry->d_name);

		if (strlen(entry->d_name) < 7 || !lh_ends_with(path, ".jsonl"))
			continue;
		f = find_file(&s->indexes, path);
		note(s, f, wrong_log(f));
	}
	if (folder)
		closedir(folder);
}

/* Return why no row of who looked can be written, or NULL: of the key, by *err. */
static const char *wrong_audit(const struct site *site, const char *key, struct lh_err *err)
{
	struct statvfs fs;

	if (lh_persons_try_keys(site->audit_log, &key, 1, err) < 0)
		return err->code == LH_EDATA ? "is another key than that of the logs of who looked"
					     : "cannot be read";
	if (access(site->audit_log, F_OK) == 0 && access(site->audit_log, W_OK | X_OK) < 0)
		return "has no folder of logs that can be written";
	return statvfs(site->config.state, &fs) == 0 && !fs.f_bavail ? "has no room for a row"
								    : NULL;
}

/* The file of the keys of the logs of persons, without which no row is written, and their folder;
 * without a key, whether persons have come. */
static void look_at_audit(struct server *s)
{
	const char *key = getenv("LH_SUBJECT_AUDIT_KEY");
	struct site *site = s->site;
	struct lh_err err;

	s->audit_wrong = NULL;
	if (site->audit_log) {
		s->audit_wrong = wrong_audit(site, key, &err);
		note(s, find_file(&s->indexes, key), s->audit_wrong);
	} else if (!site->unrecorded && s->indexes.changed) {
		site->unrecorded = lh_persons_in(site->config.state, &site->config.audit.persons);
		audit_say(site);
	}
	s->indexes.changed = false;
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
	look_at_logs(s);
	look_at_audit(s);
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
	while (*at < s->indexes.n && s->indexes.v[*at].other)
		++*at;
	return *at < s->indexes.n ? s->indexes.v[(*at)++].path : NULL;
}

const char *indexes_damaged(const struct server *s, size_t *at, bool others)
{
	const size_t n = strlen(s->site->config.state);

	while (*at < s->indexes.n) {
		const struct index_file *f = &s->indexes.v[(*at)++];

		if (f->damaged && f->other == others)
			return strncmp(f->path, s->site->config.state, n) || f->path[n] != '/'
				? "audit key" : f->path + n + 1;
	}
	return NULL;
}

void indexes_free(struct indexes *all)
{
	while (all->n)
		forget(&all->v[--all->n]);
	free(all->v);
}
