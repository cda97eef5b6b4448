/*
 * tlog.c - logs that strangers check: their files.  See serve.h.
 *
 * A log is a folder tlog/NAME of the state, in the form of C2SP tlog-tiles.  Of its files the
 * checkpoint and the tiles are served, and the bundles of entries if the configuration says so;
 * a path is served only as tlog-tiles writes it, so that there is one name for each file and none
 * for another.
 *
 * A tile is served only once the checkpoint has a tree with all of it.  Such a tile never changes,
 * so that it may be cached for ever; what a writer has stored beyond that may still be replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/bind.h"
#include "serve.h"
#include "tlog/log.h"
#include "tlog/note.h"

#define TILE "tile/"
#define BUNDLE_MAX (2 + LH_TLOG_ENTRY_MAX)	/* bytes of an entry in a bundle */

/* ---- paths ---- */

struct tile {
	int level;			/* -1: a bundle of entries */
	uint64_t n;
	unsigned width;
};

/* Read the path of a tile below tile/; each has one spelling. */
static bool read_tile(struct lh_str s, struct tile *to)
{
	char path[LH_TLOG_PATH], text[LH_TLOG_PATH], *p = text;

	if (s.n >= sizeof text - strlen(TILE) || memchr(s.p, '\0', s.n))
		return false;
	snprintf(text, sizeof text, TILE "%.*s", (int)s.n, s.p);
	p += strlen(TILE);
	to->level = -1;
	if (strncmp(p, "entries", 7) != 0)
		to->level = (int)strtoul(p, NULL, 10);
	for (to->n = 0, p = strchr(p, '/'); p; p = strchr(p + 1, '/')) {
		if (p[-1] == 'p')
			break;
		to->n = 1000 * to->n + strtoul(p + 1 + (p[1] == 'x'), NULL, 10);
	}
	to->width = p ? (unsigned)strtoul(p + 1, NULL, 10) : LH_TLOG_TILE;
	lh_tlog_path(to->level, to->n, to->width, path);
	return !strcmp(text, path) && to->level < LH_TLOG_LEVELS && to->width &&
	       to->n <= LH_TLOG_SIZE_MAX / LH_TLOG_TILE;
}

/* ---- files ---- */

struct file {
	const char *folder;		/* below which it is */
	const char *path;
	uint64_t least, most;		/* bytes */
	const char *type, *cache;	/* Content-Type, Cache-Control */
};

/* Open a regular file that is no symbolic link, nor behind one: 1, 0 if there is none, -1. */
static int open_beneath(const struct file *f, int *fd, struct stat *st, struct lh_err *err)
{
	int folder = lh_open_beneath(f->folder, err), at = -1, why;
	char by_fd[32];

	if (folder >= 0) {
		at = lh_path_beneath(folder, f->path);
		why = errno;
		close(folder);
		errno = why;
	}
	if (at < 0)
		return lh_is_nowhere(errno) ? 0 : lh_err_sys(err, "%s/%s", f->folder, f->path);
	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", at);
	if (fstat(at, st) == 0 && S_ISREG(st->st_mode)) {
		*fd = open(by_fd, O_RDONLY | O_CLOEXEC);
		if (*fd < 0)
			lh_err_sys(err, "%s/%s", f->folder, f->path);
	}
	close(at);
	return !S_ISREG(st->st_mode) ? 0 : *fd < 0 ? -1 : 1;
}

static void close_file(void *fd)
{
	if (*(int *)fd >= 0)
		close(*(int *)fd);
	free(fd);
}

/* Read the size of the tree of a checkpoint: 1, 0 if there is none, -1. */
static int read_size(const struct file *f, uint64_t *size, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX };
	struct lh_str rest, line;
	struct stat st;
	int fd = -1, rc = open_beneath(f, &fd, &st, err);

	if (rc > 0)
		rc = lh_read_rest(fd, f->path, &text, err);
	if (rc <= 0)
		return rc;
	rest = (struct lh_str){ text.p, text.len };
	if (lh_next_line(&rest, &line) && lh_next_line(&rest, &line) &&
	    lh_tlog_size_read(line, LH_TLOG_SIZE_MAX, size))
		return 1;
	return lh_err_set(err, LH_ECORRUPT, "%s/%s: is not a checkpoint", f->folder, f->path);
}

static void answer_nothing(struct request *r)
{
	answer_error(r, 404, "there is no such file");
}

static void answer_failed(struct request *r, const struct lh_err *err)
{
	lh_tool_warn(r->server->tool, "%s", err->msg);
	answer_error(r, 500, err->code == LH_ECORRUPT ? "the file is damaged"
						     : "the file cannot be read");
}

static void answer_file(struct request *r, const struct file *f)
{
	struct stat st = { .st_size = 0 };
	struct lh_err err;
	int *fd = lh_calloc(1, sizeof *fd), found;

	*fd = -1;
	found = open_beneath(f, fd, &st, &err);
	r->work.of = fd;
	r->work.free = close_file;
	if (found > 0 &&
	    ((uint64_t)st.st_size < f->least || (uint64_t)st.st_size > f->most))
		found = lh_err_set(&err, LH_ECORRUPT, "%s/%s: has %lld bytes", f->folder, f->path,
				   (long long)st.st_size);
	if (found < 0) {
		answer_failed(r, &err);
	} else if (!found) {
		answer_nothing(r);
	} else {
		r->reply.in_file = true;
		r->reply.file = *fd;
		r->reply.size = (uint64_t)st.st_size;
		r->reply.type = f->type;
		r->reply.cache = f->cache;
		answer(r, 200);
	}
}

/* Answer with a tile of the tree of a checkpoint; the text of path ends before its name. */
static void answer_tile(struct request *r, const struct lh_serve_log *log,
			const struct file *checkpoint, struct lh_buf *path)
{
	const size_t from = path->len;
	uint64_t size, least;
	struct tile tile;
	struct lh_err err;
	int rc = lh_route_rest(r->route->route, &r->path, r->skip, path, &err);

	lh_buf_putc(path, '\0');
	if (rc < 0) {
		answer_error(r, lh_err_status(&err), err.msg);
		return;
	}
	if (!read_tile((struct lh_str){ path->p + from, path->len - from - 1 }, &tile) ||
	    (tile.level < 0 && !log->entries)) {
		answer_nothing(r);
		return;
	}
	rc = read_size(checkpoint, &size, &err);
	least = tile.width * (tile.level < 0 ? 2u : LH_TLOG_HASH);
	if (rc < 0)
		answer_failed(r, &err);
	else if (!rc || lh_tlog_width(size, tile.level < 0 ? 0 : (unsigned)tile.level,
				      tile.n) < tile.width)
		answer_nothing(r);
	else
		answer_file(r, &(struct file){
			checkpoint->folder, path->p, least,
			tile.level < 0 ? (uint64_t)tile.width * BUNDLE_MAX : least,
			"application/octet-stream",
			log->is_public ? "public, max-age=31536000, immutable"
				       : "private, max-age=31536000, immutable" });
}

void tlog_answer(struct request *r)
{
	LH_SCOPED(lh_free_local) char *folder = lh_format("%s/tlog", r->site->config.state);
	LH_SCOPED(lh_free_local) char *note = NULL;
	LH_SCOPED(lh_buf_free) struct lh_buf path = { 0 };
	const struct lh_serve_log *log = log_of(r);

	if (!log) {
		answer_nothing(r);
		return;
	}
	note = lh_format("%s/checkpoint", log->name);
	lh_buf_printf(&path, "%s/" TILE, log->name);
	if (r->route->route->kind == LH_ROUTE_TILE)
		answer_tile(r, log, &(struct file){ .folder = folder, .path = note }, &path);
	else
		answer_file(r, &(struct file){ folder, note, 1, LH_TLOG_NOTE_MAX,
					       "text/plain; charset=utf-8", "no-cache" });
}
