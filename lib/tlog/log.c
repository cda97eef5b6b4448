/* log.c - read and write the folder of a log.  See log.h. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "base/mem.h"
#include "log_parts.h"
#include "note.h"

/* ---- reading ---- */

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

/* Read a bundle as a tree of that size has it. */
static int lh_tlog_read_bundle(struct lh_tlog *log, uint64_t n, unsigned width, struct lh_buf *out,
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

/* ---- making and appending ---- */

#define SYNC_ALL 16	/* tiles of a batch from which on all is synced at once */

/* ---- files ---- */

/* Make the folder that a file is in. */
static int make_folder(const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *folder = lh_strndup(path, strlen(path));

	*strrchr(folder, '/') = '\0';
	return lh_own_mkdirs(folder, 0755, err);
}

/* Write a file that no checkpoint refers to yet; one that a killed writer left is replaced.  It is
 * on disk once it was synced. */
static int write_file(struct lh_tlog *log, int level, uint64_t n, unsigned width, const void *p,
		      size_t bytes, struct lh_err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_TRUNC;
	const char *path = lh_tlog_tile_file(log, level, n, width);
	int fd = lh_open_regular(path, flags, 0644, err), rc;

	if (fd < 0 && path && errno == ENOENT && make_folder(path, err) == 0)
		fd = lh_open_regular(path, flags, 0644, err);
	if (fd < 0)
		return -1;
	log->wrote = true;
	rc = lh_write_all(fd, p, bytes, err);
	/* Begin to write it to disk, which the sync at the end of the batch waits for. */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	if (close(fd) < 0 && rc == 0)
		return lh_err_sys(err, "%s: cannot write", path);
	return rc < 0 ? lh_err_prefix(err, "%s", path) : 0;
}

static int on_full_tile(void *to, unsigned level, uint64_t n, uint8_t (*hash)[LH_TLOG_HASH],
			struct lh_err *err)
{
	return write_file(to, (int)level, n, LH_TLOG_TILE, hash, LH_TLOG_TILE * LH_TLOG_HASH, err);
}

/* Write the tiles and the bundle at the right edge. */
static int write_partial(struct lh_tlog *log, struct lh_err *err)
{
	struct lh_tlog_edge *edge = log->edge;
	unsigned level, width, was;
	uint64_t n;

	for (level = 0; level < LH_TLOG_LEVELS; level++) {
		n = edge->size >> (8 * level) >> 8;
		width = lh_tlog_width(edge->size, level, n);
		was = lh_tlog_width(log->head.size, level, n);
		if (width == was)
			continue;
		if (write_file(log, (int)level, n, width, edge->tile[level], width * LH_TLOG_HASH,
			       err) < 0)
			return -1;
	}
	n = edge->size / LH_TLOG_TILE;
	width = edge->size % LH_TLOG_TILE;
	if (!log->entries || !width)
		return 0;
	return write_file(log, -1, n, width, log->bundle.p, log->bundle.len, err);
}

static int sync_new(const char *path, bool last, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd) < 0 ? lh_err_sys(err, "%s: cannot sync", path) : 0;
	close(fd);
	return rc == 0 && last ? lh_sync_folder(path, err) : rc;
}

/* Sync the files that are new since the tree was of the older size.  Each fsync(2) waits for the
 * disk, so many files are synced with all others of the file system. */
static int sync_batch(struct lh_tlog *log, uint64_t older, uint64_t size, struct lh_err *err)
{
	if (size - older < SYNC_ALL * LH_TLOG_TILE)
		return lh_tlog_each_new(log, older, size, false, sync_new, err);
	return syncfs(log->folder) < 0 ? lh_err_sys(err, "%s: cannot sync", log->dir) : 0;
}

/* ---- open ---- */

static int check_signers(struct lh_signer *const *signer, size_t n, struct lh_str origin,
			 struct lh_err *err)
{
	const struct lh_vkey *key;
	size_t i;

	for (i = 0; i < n; i++) {
		key = lh_signer_vkey(signer[i]);
		if (key->kind != LH_KEY_ED25519)
			return lh_err_set(err, LH_EUSAGE, "%s: is a key of a witness, not of a log",
					  key->name);
		if (i == 0 && !lh_str_is(origin, key->name, strlen(key->name)))
			return lh_err_set(err, LH_EUSAGE,
					  "the key is of %s, not of the origin %.*s", key->name,
					  (int)origin.n, origin.p);
	}
	return n ? 0 : lh_err_set(err, LH_EUSAGE, "no key signs the log");
}

struct lh_tlog *lh_tlog_open_writer(const char *dir, struct lh_signer *const *signer, size_t n,
				    double lock_timeout, struct lh_err *err)
{
	struct lh_tlog *log = lh_tlog_open(dir, err);

	if (!log)
		return NULL;
	log->signer = signer;
	log->n_signers = n;
	log->lock_timeout = lock_timeout;
	if (check_signers(signer, n, log->head.origin, err) == 0)
		return log;
	lh_tlog_close(log);
	return NULL;
}

static int take_lock(struct lh_tlog *log, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *lock = NULL;
	const char *path = lh_tlog_file(log, "lock");

	lock = lh_strndup(path, strlen(path));
	path = lh_tlog_file(log, "checkpoint");
	return lh_lock_take(&log->lock, lock, path, log->lock_timeout, err);
}

/* Make the files of an empty log, of which the checkpoint is the last. */
static int make_files(struct lh_tlog *log, const char *origin, bool entries, struct lh_err *err)
{
	struct lh_checkpoint tree = { .origin = lh_str_of(origin) };
	LH_SCOPED(lh_buf_free) struct lh_buf line = { 0 };
	const char *path = lh_tlog_file(log, "checkpoint");

	if (path && access(path, F_OK) == 0)
		return lh_err_set(err, LH_EUSAGE, "%s: has a log already", log->dir);
	path = lh_tlog_file(log, "tile/0");
	if (path && access(path, F_OK) == 0)
		return lh_err_set(err, LH_EUSAGE, "%s: has the tiles of a log, which has lost its "
				  "checkpoint: put that back", log->dir);
	path = lh_tlog_file(log, "tile/entries");
	/* A run for a log with entries, which was killed, may have left their folder. */
	if (path && !entries && rmdir(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return lh_err_sys(err, "%s: cannot remove", path);
	path = lh_tlog_file(log, entries ? "tile/entries" : "tile");
	if (lh_own_mkdirs(path, 0755, err) < 0)
		return -1;
	lh_buf_printf(&line, "%s\n", origin);
	path = lh_tlog_file(log, "origin");
	if (lh_atomic_put(path, 0644, &line, err) < 0)
		return -1;
	lh_tlog_empty(tree.root);
	return lh_tlog_publish(log, &tree, (struct lh_str){ NULL, 0 }, err);
}

int lh_tlog_init(const char *dir, const char *origin, bool entries,
		 struct lh_signer *const *signer, size_t n, struct lh_err *err)
{
	struct lh_tlog log = {
		.lock = { .fd = -1 }, .folder = -1, .signer = signer, .n_signers = n,
		.lock_timeout = LH_LOCK_TIMEOUT,
	};
	int rc = check_signers(signer, n, lh_str_of(origin), err);

	log.dir = rc == 0 ? lh_strndup(dir, strlen(dir)) : NULL;
	rc = log.dir && lh_own_mkdirs(dir, 0755, err) == 0 ? take_lock(&log, err) : -1;
	if (rc == 0)
		rc = make_files(&log, origin, entries, err);
	lh_tlog_cancel(&log);
	lh_buf_free(&log.note);
	lh_buf_free(&log.path);
	free(log.dir);
	return rc;
}

/* ---- a batch ---- */

/* Load the entries after the last full bundle, which must be those of the tile. */
static int load_bundle(struct lh_tlog *log, struct lh_err *err)
{
	const struct lh_tlog_edge *edge = log->edge;
	unsigned width = edge->size % LH_TLOG_TILE, i;
	uint8_t hash[LH_TLOG_HASH];
	struct lh_str rest, entry;

	lh_buf_reset(&log->bundle);
	if (!log->entries || !width)
		return 0;
	if (lh_tlog_read_bundle(log, edge->size / LH_TLOG_TILE, width, &log->bundle, err) < 0)
		return -1;
	rest = (struct lh_str){ log->bundle.p, log->bundle.len };
	for (i = 0; lh_tlog_next_entry(&rest, &entry); i++) {
		lh_tlog_leaf(entry.p, entry.n, hash);
		if (memcmp(hash, edge->tile[0][i], LH_TLOG_HASH) != 0)
			return lh_err_set(err, LH_ECORRUPT, "%s: its entries are not those of the "
					  "tree; nothing is signed", log->path.p);
	}
	return 0;
}

static int begin(struct lh_tlog *log, enum lh_tlog_purpose why, struct lh_err *err)
{
	if (take_lock(log, err) < 0)
		return -1;
	log->edge = lh_calloc(1, sizeof *log->edge);
	log->folder = open(log->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (log->folder < 0)
		lh_err_sys(err, "%s: cannot open", log->dir);
	if (log->folder >= 0 && lh_tlog_settle(log, why, err) == 0 && load_bundle(log, err) == 0) {
		log->edge->full = on_full_tile;
		log->edge->to = log;
		if (why == LH_TLOG_EXTEND)
			lh_tlog_sweep(log);
		return 0;
	}
	lh_tlog_cancel(log);
	return -1;
}

int lh_tlog_begin(struct lh_tlog *log, struct lh_err *err)
{
	return begin(log, LH_TLOG_EXTEND, err);
}

void lh_tlog_cancel(struct lh_tlog *log)
{
	log->view = log->head.size;
	if (log->edge && log->wrote)
		lh_tlog_sweep(log);
	log->wrote = false;
	free(log->edge);
	log->edge = NULL;
	if (log->folder >= 0)
		close(log->folder);
	log->folder = -1;
	lh_lock_drop(&log->lock);
}

/* Add an entry to the bundle, and write the bundle once it is full. */
static int add_to_bundle(struct lh_tlog *log, const void *p, size_t n, struct lh_err *err)
{
	struct lh_buf *b = &log->bundle;
	const uint64_t index = log->edge->size;

	lh_buf_putc(b, (char)(n >> 8));
	lh_buf_putc(b, (char)n);
	lh_buf_add(b, p, n);
	if (index % LH_TLOG_TILE < LH_TLOG_TILE - 1)
		return 0;
	if (write_file(log, -1, index / LH_TLOG_TILE, LH_TLOG_TILE, b->p, b->len, err) < 0)
		return -1;
	lh_buf_reset(b);
	return 0;
}

int lh_tlog_add(struct lh_tlog *log, const void *p, size_t n, uint64_t *index,
		uint8_t leaf[LH_TLOG_HASH], struct lh_err *err)
{
	uint8_t hash[LH_TLOG_HASH];

	if (log->entries && n > LH_TLOG_ENTRY_MAX)
		return lh_err_data(err, 413, "an entry must be at most %d bytes, not %zu",
				   LH_TLOG_ENTRY_MAX, n);
	*index = log->edge->size;
	lh_tlog_leaf(p, n, hash);
	if (leaf)
		memcpy(leaf, hash, LH_TLOG_HASH);
	if ((!log->entries || add_to_bundle(log, p, n, err) == 0) &&
	    lh_tlog_grow(log->edge, hash, err) == 0)
		return 0;
	lh_tlog_cancel(log);
	return -1;
}

static int store(struct lh_tlog *log, struct lh_err *err)
{
	struct lh_checkpoint tree = { .origin = log->head.origin, .size = log->edge->size };
	const uint64_t older = log->head.size;

	if (tree.size == older)
		return 0;
	lh_tlog_edge_root(log->edge, tree.root);
	if (write_partial(log, err) < 0 ||
	    sync_batch(log, older, tree.size, err) < 0)
		return -1;
	if (lh_tlog_publish(log, &tree, (struct lh_str){ NULL, 0 }, err) < 0)
		return -1;
	log->wrote = false;
	return 0;
}

int lh_tlog_commit(struct lh_tlog *log, struct lh_err *err)
{
	int rc = store(log, err);

	lh_tlog_cancel(log);
	return rc;
}

int lh_tlog_append(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *first,
		   struct lh_err *err)
{
	uint64_t index;
	size_t i;

	if (lh_tlog_begin(log, err) < 0)
		return -1;
	*first = log->edge->size;
	for (i = 0; i < n; i++)
		if (lh_tlog_add(log, entry[i].p, entry[i].n, &index, NULL, err) < 0) {
			lh_tlog_cancel(log);
			return -1;
		}
	return lh_tlog_commit(log, err);
}

/* ---- signatures ---- */

/* Return whether a signature line is by one of the origin's keys or of the signers. */
static bool is_of_log(const struct lh_tlog *log, const struct lh_note_line *line)
{
	const struct lh_vkey *key;
	size_t i;

	for (i = 0; i < log->n_signers; i++) {
		key = lh_signer_vkey(log->signer[i]);
		if (line->id == key->id && lh_str_is(line->name, key->name, strlen(key->name)))
			return true;
	}
	return lh_str_is(line->name, log->head.origin.p, log->head.origin.n);
}

int lh_tlog_sign(struct lh_tlog *log, bool recover, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf others = { 0 };
	struct lh_checkpoint tree;
	size_t i;
	int rc;

	if (begin(log, recover ? LH_TLOG_RECOVER : LH_TLOG_RESIGN, err) < 0)
		return -1;
	rc = lh_note_parse(&note, log->head.note, err);
	for (i = 0; rc == 0 && i < note.n; i++)
		if (!is_of_log(log, &note.lines[i]))
			lh_buf_add(&others, note.lines[i].line.p, note.lines[i].line.n);
	if (rc == 0)
		rc = lh_checkpoint_parse(&tree, note.body, err);
	if (rc == 0)
		rc = lh_tlog_publish(log, &tree, (struct lh_str){ others.p, others.len }, err);
	lh_tlog_cancel(log);
	return rc;
}

/* Make *text the checkpoint with those lines of a note whose keys have none there. */
static int merge(struct lh_tlog *log, const struct lh_note *note, const struct lh_note *was,
		 struct lh_buf *text, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note merged = { .n = 0 };
	size_t i, j;

	lh_buf_add(text, log->head.note.p, log->head.note.n);
	for (i = 0; i < note->n; i++) {
		const struct lh_note_line *line = &note->lines[i], *is = was->lines;

		for (j = 0; j < was->n; j++, is++)
			if (is->id == line->id && !lh_str_cmp(is->name, line->name))
				break;
		if (j == was->n)
			lh_buf_add(text, line->line.p, line->line.n);
	}
	return lh_note_parse(&merged, (struct lh_str){ text->p, text->len }, err);
}

static int put_note(struct lh_tlog *log, uint64_t size, const struct lh_buf *note, bool newest,
		    struct lh_err *err)
{
	char name[64] = "checkpoints";
	const char *path = lh_tlog_file(log, name);

	if (lh_own_mkdirs(path, 0755, err) < 0)
		return -1;
	snprintf(name, sizeof name, "checkpoints/%llu", (unsigned long long)size);
	path = lh_tlog_file(log, name);
	if (lh_atomic_put(path, 0644, note, err) < 0)
		return -1;
	if (!newest)
		return 0;
	path = lh_tlog_file(log, "checkpoint");
	return !path || lh_atomic_put(path, 0644, note, err) < 0 ? -1 : 1;
}

/* Check by the tiles that the tree of the checkpoint extends another. */
static int check_grown(struct lh_tlog *log, const struct lh_checkpoint *older, struct lh_err *err)
{
	const struct lh_tlog_nodes nodes = lh_tlog_nodes(log);
	const struct lh_tlog_head *head = &log->head;
	struct lh_tlog_proof proof;

	if (older->size < head->size &&
	    lh_tlog_prove_growth(&nodes, older->size, head->size, &proof, err) < 0)
		return -1;
	if (older->size < head->size &&
	    lh_tlog_proves_growth(older->size, older->root, head->size, &proof, head->root))
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: the checkpoint does not extend the one of %llu "
			  "entries that was cosigned", log->dir, (unsigned long long)older->size);
}

static int replace(struct lh_tlog *log, struct lh_str text, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 }, was = { .n = 0 };
	LH_SCOPED(lh_buf_free) struct lh_buf merged = { 0 };
	struct lh_checkpoint c;

	if (lh_tlog_refresh(log, err) < 0 || lh_note_parse(&note, text, err) < 0 ||
	    lh_checkpoint_parse(&c, note.body, err) < 0 ||
	    lh_note_parse(&was, log->head.note, err) < 0)
		return -1;
	if (lh_str_is(note.body, was.body.p, was.body.n))
		return merge(log, &note, &was, &merged, err) < 0 ? -1
			: put_note(log, c.size, &merged, true, err);
	lh_tlog_forget(log);
	lh_buf_add(&merged, text.p, text.n);
	return check_grown(log, &c, err) < 0 ? -1
		: put_note(log, c.size, &merged, false, err);
}

int lh_tlog_replace(struct lh_tlog *log, struct lh_str note, double lock_timeout,
		    struct lh_err *err)
{
	int rc;

	log->lock_timeout = lock_timeout;
	rc = take_lock(log, err);
	if (rc == 0)
		rc = replace(log, note, err);
	lh_tlog_cancel(log);
	return rc;
}

/* ---- entries that are there once ---- */

#define SEARCHES 4	/* by reading all hashes; for more they are kept in memory */

int lh_tlog_keyed_open(struct lh_tlog_keyed *k, const char *dir, const char *const *key_file,
		       size_t n, double lock_timeout, struct lh_err *err)
{
	*k = (struct lh_tlog_keyed){ .signer = lh_calloc(n + 1, sizeof *k->signer) };
	for (; k->n < n; k->n++)
		if (lh_signer_read(&k->signer[k->n], key_file[k->n], err) < 0)
			return -1;
	k->log = lh_tlog_open_writer(dir, k->signer, n, lock_timeout, err);
	return k->log ? 0 : -1;
}

void lh_tlog_keyed_close(struct lh_tlog_keyed *k)
{
	lh_tlog_close(k->log);
	while (k->n)
		lh_signer_free(k->signer[--k->n]);
	free(k->signer);
	*k = (struct lh_tlog_keyed){ .log = NULL };
}

/* ---- find ---- */

/* Call fn for the hashes of the entries from an index on; 1 from fn ends it. */
typedef int leaf_fn(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
		    struct lh_err *err);

static int each_leaf(struct lh_tlog *log, uint64_t from, leaf_fn *fn, void *ctx,
		     struct lh_err *err)
{
	uint64_t size = lh_tlog_head(log)->size, n = from / LH_TLOG_TILE, index;
	uint8_t (*hash)[LH_TLOG_HASH];
	int i, width, rc = 0;

	for (; n * LH_TLOG_TILE < size && !rc; n++) {
		width = lh_tlog_tile(log, 0, n, &hash, err);
		if (width < 0)
			return -1;
		for (i = 0; i < width && !rc; i++) {
			index = n * LH_TLOG_TILE + (uint64_t)i;
			if (index >= from)
				rc = fn(ctx, hash[i], index, err);
		}
	}
	return rc;
}

struct wanted {
	const uint8_t *hash;
	uint64_t *index;
};

static int compare_leaf(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
			struct lh_err *err)
{
	struct wanted *w = ctx;

	(void)err;
	*w->index = index;
	return memcmp(hash, w->hash, LH_TLOG_HASH) == 0;
}

struct place {
	uint8_t hash[LH_TLOG_HASH];
	uint64_t index;
};

static int put_leaf(void *ctx, const uint8_t hash[LH_TLOG_HASH], uint64_t index,
		    struct lh_err *err)
{
	struct lh_map *map = ctx;
	bool is_new;
	int64_t at = lh_map_add(map, hash, LH_TLOG_HASH, sizeof(struct place), &is_new, err);

	if (at >= 0 && is_new)
		((struct place *)(void *)map->entry)[at].index = index;
	return at < 0 ? -1 : 0;
}

int lh_tlog_index(struct lh_tlog *log, uint64_t from, struct lh_map *map, struct lh_err *err)
{
	return each_leaf(log, from, put_leaf, map, err);
}

bool lh_tlog_index_find(const struct lh_map *map, const uint8_t leaf[LH_TLOG_HASH],
			uint64_t *index)
{
	int64_t at = lh_map_find(map, leaf, LH_TLOG_HASH, sizeof(struct place));

	if (at >= 0)
		*index = ((const struct place *)(const void *)map->entry)[at].index;
	return at >= 0;
}

int lh_tlog_look_up(struct lh_tlog_finder *f, const uint8_t leaf[LH_TLOG_HASH], uint64_t *index,
		    struct lh_err *err)
{
	if (f->searches < SEARCHES) {
		f->searches++;
		return each_leaf(f->log, 0, compare_leaf, &(struct wanted){ leaf, index }, err);
	}
	if (lh_tlog_index(f->log, f->size, &f->map, err) < 0)
		return -1;
	f->size = lh_tlog_head(f->log)->size;
	return lh_tlog_index_find(&f->map, leaf, index);
}

/* ---- append ---- */

/* Append those that are missing, between begin and commit. */
static int add_missing(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *index,
		       struct lh_err *err)
{
	struct lh_tlog_finder f = { .log = log };
	uint8_t leaf[LH_TLOG_HASH];
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc >= 0; i++) {
		lh_tlog_leaf(entry[i].p, entry[i].n, leaf);
		rc = lh_tlog_look_up(&f, leaf, &index[i], err);
		if (!rc)
			rc = lh_tlog_add(log, entry[i].p, entry[i].n, &index[i], NULL, err);
	}
	lh_map_free(&f.map);
	return rc < 0 ? -1 : lh_tlog_commit(log, err);
}

int lh_tlog_append_once(struct lh_tlog *log, const struct lh_str *entry, size_t n, uint64_t *index,
			struct lh_err *err)
{
	int rc = lh_tlog_begin(log, err);

	if (rc < 0)
		return -1;
	/* The lock is held: no other process appends what was not found. */
	rc = add_missing(log, entry, n, index, err);
	if (rc < 0)
		lh_tlog_cancel(log);
	return rc;
}

void lh_receipt_entry(const uint8_t sha256[LH_TLOG_HASH], char entry[LH_RECEIPT_ENTRY])
{
	static const char version[] = "lh-receipt/v1 ";

	memcpy(entry, version, sizeof version - 1);
	lh_hex(sha256, LH_TLOG_HASH, entry + sizeof version - 1);
}
