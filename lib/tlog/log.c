/* log.c - read the folder of a log.  See log.h. */
#include "log_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define READ_ROOM ((size_t)128 << 10)	/* that reading a file takes more than its size */

/* ---- paths ---- */

const char *lh_tlog_file(struct lh_tlog *log, const char *name)
{
	lh_buf_reset(&log->path);
	lh_buf_puts(&log->path, log->dir);
	lh_buf_putc(&log->path, '/');
	lh_buf_add(&log->path, name, strlen(name) + 1);
	return log->path.p;
}

const char *lh_tlog_tile_file(struct lh_tlog *log, int level, uint64_t n, unsigned width)
{
	char path[LH_TLOG_PATH];

	lh_tlog_path(level, n, width, path);
	return lh_tlog_file(log, path);
}

/* ---- checkpoint ---- */

static int parse_head(struct lh_tlog *log, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	const struct lh_str text = { log->note.p, log->note.len };
	struct lh_checkpoint c;

	if (lh_note_parse(&note, text, err) < 0 || lh_checkpoint_parse(&c, note.body, err) < 0)
		return -1;
	log->head = (struct lh_tlog_head){
		.note = text, .origin = c.origin, .size = c.size, .extended = c.extensions.n > 0
	};
	memcpy(log->head.root, c.root, LH_TLOG_HASH);
	log->view = c.size;
	return 0;
}

int lh_tlog_refresh(struct lh_tlog *log, struct lh_err *err)
{
	const char *path = lh_tlog_file(log, "checkpoint");
	int rc = lh_file_read(path, &log->note, err);

	if (rc == 0)
		return lh_err_set(err, LH_EIO, "%s: there is no log, since it has no checkpoint",
				  log->dir);
	if (rc < 0)
		return -1;
	if (parse_head(log, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "%s", path);
}

int lh_tlog_kept(struct lh_tlog *log, uint64_t size, struct lh_buf *text,
		 uint8_t root[LH_TLOG_HASH], struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_checkpoint c;
	const char *path;
	char name[64];
	int rc;

	snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)size);
	path = lh_tlog_file(log, name);
	rc = lh_file_read(path, text, err);
	if (rc <= 0)
		return rc;
	if (lh_note_parse(&note, (struct lh_str){ text->p, text->len }, err) < 0 ||
	    lh_checkpoint_parse(&c, note.body, err) < 0)
		rc = -1;
	else if (c.size != size)
		rc = lh_err_set(err, LH_ECORRUPT, "it is of another size");
	else
		memcpy(root, c.root, LH_TLOG_HASH);
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 1;
}

const struct lh_tlog_head *lh_tlog_head(const struct lh_tlog *log)
{
	return &log->head;
}

/* ---- open and close ---- */

struct lh_tlog *lh_tlog_open(const char *dir, struct lh_err *err)
{
	struct lh_tlog *log = lh_calloc(1, sizeof *log);
	const char *path;
	struct stat st;

	log->lock.fd = log->folder = -1;
	lh_buf_init(&log->note, LH_TLOG_NOTE_MAX + READ_ROOM);
	log->dir = lh_strndup(dir, strlen(dir));
	log->cache = lh_calloc(TILES_CACHED, sizeof *log->cache);
	path = lh_tlog_file(log, "tile/entries");
	if (path) {
		log->entries = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
		if (lh_tlog_refresh(log, err) == 0)
			return log;
	}
	lh_tlog_close(log);
	return NULL;
}

void lh_tlog_close(struct lh_tlog *log)
{
	if (!log)
		return;
	lh_tlog_cancel(log);
	lh_buf_free(&log->note);
	lh_buf_free(&log->path);
	lh_buf_free(&log->file);
	lh_buf_free(&log->bundle);
	free(log->cache);
	free(log->dir);
	free(log);
}

/* ---- tiles ---- */

void lh_tlog_forget(struct lh_tlog *log)
{
	size_t i;

	for (i = 0; i < TILES_CACHED; i++)
		log->cache[i].width = 0;
}

/* Read a file of the folder, a partial one or, as it may have been removed since, the full one:
 * 1 and what its width is; else -1. */
static int read_part(struct lh_tlog *log, int level, uint64_t n, unsigned *width, size_t max,
		     struct lh_buf *out, struct lh_err *err)
{
	const char *path;
	int rc;

	lh_buf_reset(out);
	out->max = max + READ_ROOM;
	path = lh_tlog_tile_file(log, level, n, *width);
	rc = lh_file_read(path, out, err);
	if (rc == 0 && *width < LH_TLOG_TILE) {
		*width = LH_TLOG_TILE;
		path = lh_tlog_tile_file(log, level, n, *width);
		rc = lh_file_read(path, out, err);
	}
	if (rc == 0)
		return lh_err_set(err, LH_ECORRUPT, "%s: is missing", path);
	return rc;
}

int lh_tlog_tile(struct lh_tlog *log, unsigned level, uint64_t n, uint8_t (**hash)[LH_TLOG_HASH],
		 struct lh_err *err)
{
	struct cached_tile *tile = &log->cache[(n + level * 5) % TILES_CACHED];
	unsigned want = level < LH_TLOG_LEVELS ? lh_tlog_width(log->view, level, n) : 0,
		 width = want;

	*hash = tile->hash;
	if (!want)
		return lh_err_data(err, 404, "the tree has no tile %llu of level %u",
				   (unsigned long long)n, level);
	if (tile->width >= want && tile->n == n && tile->level == level)
		return (int)want;
	tile->width = 0;
	if (read_part(log, (int)level, n, &width, sizeof tile->hash, &log->file, err) < 0)
		return -1;
	if (log->file.len != (size_t)width * LH_TLOG_HASH)
		return lh_err_set(err, LH_ECORRUPT, "%s: has %zu bytes, not %u", log->path.p,
				  log->file.len, width * LH_TLOG_HASH);
	memcpy(tile->hash, log->file.p, log->file.len);
	tile->n = n;
	tile->level = level;
	tile->width = width;
	return (int)want;
}

static int read_node(void *from, unsigned level, uint64_t index, uint8_t hash[LH_TLOG_HASH],
		     struct lh_err *err)
{
	struct lh_tlog *log = from;
	unsigned up = level % 8;
	size_t at = (index << up) % LH_TLOG_TILE, n = (size_t)1 << up;
	uint8_t (*of)[LH_TLOG_HASH];
	int width = lh_tlog_tile(log, level / 8, index >> (8 - up), &of, err);

	if (width < 0)
		return -1;
	if ((size_t)width < at + n)
		return lh_err_data(err, 404, "the tree has no node %llu of level %u",
				   (unsigned long long)index, level);
	lh_tlog_tile_root(of + at, n, hash);
	return 0;
}

struct lh_tlog_nodes lh_tlog_nodes(struct lh_tlog *log)
{
	return (struct lh_tlog_nodes){ read_node, log };
}

/* ---- entries ---- */

bool lh_tlog_has_entries(const struct lh_tlog *log)
{
	return log->entries;
}

bool lh_tlog_next_entry(struct lh_str *rest, struct lh_str *entry)
{
	size_t n;

	if (rest->n < 2)
		return false;
	n = (size_t)((uint8_t)rest->p[0] << 8 | (uint8_t)rest->p[1]);
	if (rest->n - 2 < n)
		return false;
	*entry = (struct lh_str){ rest->p + 2, n };
	rest->p += 2 + n;
	rest->n -= 2 + n;
	return true;
}

int lh_tlog_read_bundle(struct lh_tlog *log, uint64_t n, unsigned width, struct lh_buf *out,
			struct lh_err *err)
{
	unsigned found, has = width;
	struct lh_str rest, entry;

	if (read_part(log, -1, n, &has, LH_TLOG_TILE * (2 + LH_TLOG_ENTRY_MAX), out, err) < 0)
		return -1;
	rest = (struct lh_str){ out->p, out->len };
	for (found = 0; found < width && lh_tlog_next_entry(&rest, &entry); found++)
		;
	if (found < width || (has == width && rest.n))
		return lh_err_set(err, LH_ECORRUPT, "%s: is not a bundle of %u entries",
				  log->path.p, has);
	out->len -= rest.n;
	return 0;
}

int lh_tlog_bundle(struct lh_tlog *log, uint64_t n, struct lh_buf *out, struct lh_err *err)
{
	unsigned width = lh_tlog_width(log->view, 0, n);

	if (!width)
		return lh_err_data(err, 404, "the tree has no entry %llu",
				   (unsigned long long)n * LH_TLOG_TILE);
	return lh_tlog_read_bundle(log, n, width, out, err);
}
