/* publish.c - publish the tree of a log, also one that a killed writer left.  See log.h. */
#include "log_parts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Added to `pending` once its tree is published. */
#define PUBLISHED "\npublished\n"
#define BATCH (1 << 21)	/* entries that are at most in a batch */

/* ---- the tree in the files ---- */

/* Load the edge of a tree of that size, whose root must be this. */
static int lh_tlog_load_edge(struct lh_tlog *log, uint64_t size, const uint8_t root[LH_TLOG_HASH],
			     struct lh_err *err)
{
	struct lh_tlog_edge *edge = log->edge;
	uint8_t (*hash)[LH_TLOG_HASH], is[LH_TLOG_HASH];
	unsigned level;
	uint64_t at;
	int width;

	lh_tlog_forget(log);
	log->view = size;
	edge->size = size;
	for (level = 0; level < LH_TLOG_LEVELS; level++) {
		at = size >> (8 * level);
		if (at % LH_TLOG_TILE == 0)
			continue;
		width = lh_tlog_tile(log, level, at / LH_TLOG_TILE, &hash, err);
		if (width < 0)
			return -1;
		memcpy(edge->tile[level], hash, (size_t)width * LH_TLOG_HASH);
	}
	lh_tlog_edge_root(edge, is);
	if (memcmp(is, root, LH_TLOG_HASH) != 0)
		return lh_err_set(err, LH_ECORRUPT, "%s: the tiles are not those of the "
				  "checkpoint of %s; nothing is signed", log->dir,
				  LH_N(size, "entry|entries"));
	return 0;
}

/* Check by the tiles that a tree of one size extends a smaller one, which was signed. */
static int check_growth(struct lh_tlog *log, uint64_t older, const uint8_t older_root[LH_TLOG_HASH],
			uint64_t size, const uint8_t root[LH_TLOG_HASH], struct lh_err *err)
{
	const struct lh_tlog_nodes nodes = lh_tlog_nodes(log);
	struct lh_tlog_proof proof;

	if (lh_tlog_prove_growth(&nodes, older, size, &proof, err) < 0)
		return -1;
	if (lh_tlog_proves_growth(older, older_root, size, &proof, root))
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: the tree of %s does not extend that of %llu, "
			  "which was signed; nothing is signed", log->dir,
			  LH_N(size, "entry|entries"), (unsigned long long)older);
}

int lh_tlog_each_new(struct lh_tlog *log, uint64_t older, uint64_t size, bool full,
		     int (*fn)(const char *path, bool last, struct lh_err *err),
		     struct lh_err *err)
{
	int level = log->entries ? -1 : 0;
	const char *path;
	unsigned width;
	uint64_t n;
	bool last;

	for (; level < LH_TLOG_LEVELS; level++) {
		const unsigned l = level < 0 ? 0 : (unsigned)level;

		for (n = older >> (8 * l) >> 8; (width = lh_tlog_width(size, l, n)) != 0; n++) {
			if (width == lh_tlog_width(older, l, n) || (full && width < LH_TLOG_TILE))
				continue;
			path = lh_tlog_tile_file(log, level, n, width);
			last = n % 1000 == 999 || lh_tlog_width(size, l, n + 1) < LH_TLOG_TILE;
			if (fn(path, last, err) < 0)
				return -1;
		}
	}
	return 0;
}

/* Remove the partial files of a tile that is full. */
static int remove_partial(const char *path, bool last, struct lh_err *err)
{
	char partial[4096];
	size_t n = strlen(path);

	(void)last;
	(void)err;
	if (n + sizeof ".p" > sizeof partial)
		return 0;
	memcpy(partial, path, n);
	memcpy(partial + n, ".p", sizeof ".p");
	if (access(partial, F_OK) == 0)
		lh_remove_all(partial);
	return 0;
}

/* ---- pending ---- */

/* Remove the partial files of tiles that are full since the tree was of the older size, and note
 * in `pending` that it is published.  A failure is none of the batch, which is published: without
 * the note the tree is published once more, with the same bytes. */
static int end_pending(struct lh_tlog *log, uint64_t older, struct lh_err *err)
{
	const char *path;
	int fd;

	if (lh_tlog_each_new(log, older, log->head.size, true, remove_partial, err) < 0)
		return -1;
	path = lh_tlog_file(log, "pending");
	fd = lh_open_regular(path, O_WRONLY | O_APPEND, 0, &(struct lh_err){ 0 });
	if (fd >= 0) {
		lh_write_all(fd, PUBLISHED, sizeof PUBLISHED - 1, &(struct lh_err){ 0 });
		close(fd);
	}
	return 0;
}

/* Read the pending tree, which points into text: 1, 0 if there is none, -1. */
static int read_pending(struct lh_tlog *log, struct lh_buf *text, struct lh_checkpoint *tree,
			bool *published, struct lh_err *err)
{
	const char *path = lh_tlog_file(log, "pending"), *end;
	int rc = lh_file_read(path, text, err);
	struct lh_str body;

	if (rc <= 0)
		return rc;
	body = (struct lh_str){ text->p, text->len };
	end = memmem(body.p, body.n, "\n\n", 2);
	if (end)
		body.n = (size_t)(end + 1 - body.p);
	*published = text->len - body.n >= sizeof PUBLISHED - 1;
	if (lh_checkpoint_parse(tree, body, err) == 0)
		return 1;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return lh_err_prefix(err, "%s", path);
}

static int rolled_back(const struct lh_tlog *log, uint64_t size, const char *how,
		       struct lh_err *err)
{
	return lh_err_set(err, LH_ECORRUPT, "%s: the checkpoint is of %s, but one of %llu was "
			  "signed: it was brought back, as by a backup. Nothing is signed; %s",
			  log->dir, LH_N(log->head.size, "entry|entries"),
			  (unsigned long long)size, how);
}

/* Publish the pending tree, if there is one. */
static int settle_pending(struct lh_tlog *log, bool recover, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX };
	const uint64_t older = log->head.size;
	struct lh_checkpoint tree;
	const char *path;
	bool published;
	int rc = read_pending(log, &text, &tree, &published, err);

	if (rc <= 0)
		return rc;
	if (tree.origin.n != log->head.origin.n ||
	    memcmp(tree.origin.p, log->head.origin.p, tree.origin.n) != 0)
		return lh_err_set(err, LH_ECORRUPT, "%s/pending: is of another log", log->dir);
	if (tree.size < older) {
		/* An older `pending` was brought back, or the checkpoint of a copy of the log. */
		lh_tlog_forget(log);
		return check_growth(log, tree.size, tree.root, older, log->head.root, err);
	}
	if (tree.size == older && memcmp(tree.root, log->head.root, LH_TLOG_HASH) != 0)
		return lh_err_set(err, LH_ECORRUPT, "%s: the checkpoint contradicts the tree of "
				  "%s that was signed; nothing is signed", log->dir,
				  LH_N(older, "entry|entries"));
	if (tree.size == older && published)
		return 0;
	if (tree.size == older) {
		/* The name of its checkpoint may not be on disk yet: its writer was killed. */
		path = lh_tlog_file(log, "checkpoint");
		return !path || lh_sync_folder(path, err) < 0 ? -1
			: end_pending(log, older > BATCH ? older - BATCH : 0, err);
	}
	if (published && !recover)
		return rolled_back(log, tree.size, "put the newest checkpoint back, or sign that "
				   "tree again: lh-tlog checkpoint --recover", err);
	if (lh_tlog_load_edge(log, tree.size, tree.root, err) < 0 ||
	    check_growth(log, older, log->head.root, tree.size, tree.root, err) < 0)
		return -1;
	return lh_tlog_publish(log, &tree, (struct lh_str){ NULL, 0 }, err);
}

/* ---- what failed batches leave ---- */

static bool has_tile(struct lh_tlog *log, int level, uint64_t n, unsigned width)
{
	const char *path = lh_tlog_tile_file(log, level, n, width);
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Remove a tile as a larger tree has it. */
static void sweep_tile(struct lh_tlog *log, int level, uint64_t n)
{
	unsigned width = lh_tlog_width(log->head.size, level < 0 ? 0 : (unsigned)level, n);

	while (++width <= LH_TLOG_TILE)
		if (has_tile(log, level, n, width))
			unlink(log->path.p);
}

void lh_tlog_sweep(struct lh_tlog *log)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX };
	struct lh_checkpoint tree = { .size = 0 };
	bool published;
	struct lh_err err;
	uint64_t first, n;
	int level, rc = read_pending(log, &text, &tree, &published, &err);

	if (rc < 0 || (rc > 0 && tree.size > log->head.size))
		return;
	for (level = log->entries ? -1 : 0; level < LH_TLOG_LEVELS; level++) {
		first = log->head.size >> (level > 0 ? 8 * level : 0) >> 8;
		for (n = first; has_tile(log, level, n, LH_TLOG_TILE); n++)
			;
		/* The last one goes first, so that one that is killed leaves no gap. */
		for (;; n--) {
			sweep_tile(log, level, n);
			if (n == first)
				break;
		}
	}
}

/* ---- checkpoint ---- */

void lh_tlog_newest_kept(struct lh_tlog *log, uint64_t *newest)
{
	const char *path = lh_tlog_file(log, "checkpoints");
	DIR *d = opendir(path);
	const struct dirent *e;
	uint64_t size;

	*newest = 0;
	while (d && (e = readdir(d)))
		if (lh_tlog_size_read(lh_str_of(e->d_name), LH_TLOG_SIZE_MAX, &size) &&
		    size > *newest)
			*newest = size;
	if (d)
		closedir(d);
}

/* Refuse a checkpoint that is older than one that is kept. */
static int check_kept(struct lh_tlog *log, struct lh_err *err)
{
	uint64_t newest;

	lh_tlog_newest_kept(log, &newest);
	return newest <= log->head.size ? 0
		: rolled_back(log, newest, "put the newest checkpoint back, which is in "
			      "checkpoints", err);
}

/* Check the signatures of the checkpoint that are by our keys; *ours is their number. */
static int check_signatures(struct lh_tlog *log, size_t *ours, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	enum lh_signature is;
	size_t i, j;

	*ours = 0;
	if (lh_note_parse(&note, log->head.note, err) < 0)
		return -1;
	for (i = 0; i < note.n; i++)
		for (j = 0; j < log->n_signers; j++) {
			is = lh_note_check(&note, i, lh_signer_vkey(log->signer[j]), NULL);
			if (is == LH_SIGNATURE_BAD)
				return lh_err_set(err, LH_ECORRUPT, "%s/checkpoint: its signature "
						  "by %s is wrong; nothing is signed", log->dir,
						  lh_signer_vkey(log->signer[j])->name);
			*ours += is == LH_SIGNATURE_GOOD;
		}
	return 0;
}

/* Check that the folder is a log that these signers write. */
static int check_origin(struct lh_tlog *log, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { .max = LH_TLOG_NOTE_MAX };
	const char *path = lh_tlog_file(log, "origin");
	const struct lh_str origin = log->head.origin;
	int rc = lh_file_read(path, &text, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return lh_err_set(err, LH_EUSAGE, "%s: is written by another program, since it has "
				  "no file \"origin\"", log->dir);
	if (text.len != origin.n + 1 || memcmp(text.p, origin.p, origin.n) != 0 ||
	    text.p[origin.n] != '\n')
		return lh_err_set(err, LH_ECORRUPT, "%s: the checkpoint is not that of the log in "
				  "\"origin\"", log->dir);
	if (log->head.extended)
		return lh_err_set(err, LH_EUSAGE, "%s: is written by another program, since its "
				  "checkpoint has extension lines", log->dir);
	return 0;
}

int lh_tlog_settle(struct lh_tlog *log, enum lh_tlog_purpose why, struct lh_err *err)
{
	size_t ours;

	if (lh_tlog_refresh(log, err) < 0 || check_origin(log, err) < 0 ||
	    check_signatures(log, &ours, err) < 0)
		return -1;
	if (!ours && why == LH_TLOG_EXTEND)
		return lh_err_set(err, LH_EUSAGE, "%s: the checkpoint is not signed by this key; "
				  "lh-tlog checkpoint signs it with a new one", log->dir);
	if (settle_pending(log, why == LH_TLOG_RECOVER, err) < 0 || check_kept(log, err) < 0)
		return -1;
	return lh_tlog_load_edge(log, log->head.size, log->head.root, err);
}

/* Append the note of a tree, signed by all signers, which with others may be too many. */
static int sign(struct lh_tlog *log, struct lh_str body, struct lh_str others, struct lh_buf *out,
		struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	size_t i;

	lh_buf_add(out, body.p, body.n);
	lh_buf_putc(out, '\n');
	for (i = 0; i < log->n_signers; i++)
		if (lh_signer_sign(log->signer[i], body, 0, out, err) < 0)
			return -1;
	lh_buf_add(out, others.p, others.n);
	if (lh_note_parse(&note, (struct lh_str){ out->p, out->len }, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_EUSAGE;
	return lh_err_prefix(err, "%s: the checkpoint with these signatures", log->dir);
}

static int put(struct lh_tlog *log, const char *name, const struct lh_buf *text,
	       struct lh_err *err)
{
	const char *path = lh_tlog_file(log, name);

	return lh_atomic_put(path, 0644, text, err);
}

int lh_tlog_publish(struct lh_tlog *log, const struct lh_checkpoint *tree, struct lh_str others,
		    struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf body = { 0 }, note = { 0 };
	const uint64_t older = log->head.size;

	if (lh_checkpoint_print(tree, &body, err) < 0 || put(log, "pending", &body, err) < 0 ||
	    sign(log, (struct lh_str){ body.p, body.len }, others, &note, err) < 0 ||
	    put(log, "checkpoint", &note, err) < 0 || lh_tlog_refresh(log, err) < 0)
		return -1;
	return end_pending(log, older, err);
}
