/* audit.c - lh-tlog audit: compute the tree of a log again, and compare. */
#include "tlog.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "tlog/policy.h"
#include <lh/num.h>

const struct lh_bind audit_out[] = {
	LH_OP_BOOL("verified"),
	LH_OP_TEXT("origin"),
	LH_OP_COUNT("size"),
	LH_OP_TEXT("root"),
	{ LH_BIND_ONLY("differs", LH_BIND_TO_STRING), .null = true, .required = true,
	  .about = "the first file that differs" },
	{ LH_BIND_ONLY("reason", LH_BIND_TO_STRING), .about = "why it is not verified" },
	LH_OP_TEXT("signatures"),
	LH_BIND_END
};

struct audit {
	struct lh_tlog *log;
	const struct lh_tlog_head *head;
	struct lh_tlog_edge *edge;	/* of the tree computed so far */
	struct lh_checkpoint older;	/* of --from, or size 0 */
	struct lh_buf older_text, bundle;
	char differs[LH_TLOG_PATH];	/* the first file that does, or "" */
	char why[sizeof ((struct lh_err *)NULL)->msg];	/* it is not verified, or "" */
};

/* Note what differs; LH_EDATA ends the audit. */
static int differ(struct audit *a, int level, uint64_t n, const char *why, struct lh_err *err)
{
	unsigned width = lh_tlog_width(a->head->size, level < 0 ? 0 : (unsigned)level, n);

	lh_tlog_path(level, n, width, a->differs);
	snprintf(a->why, sizeof a->why, "%s", why);
	return lh_err_set(err, LH_EDATA, "%s", why);
}

/* Compare a tile with the hashes that were computed. */
static int on_tile(void *arg, unsigned level, uint64_t n, uint8_t (*hash)[LH_TLOG_HASH],
		   struct lh_err *err)
{
	struct audit *a = arg;
	uint8_t (*is)[LH_TLOG_HASH];
	int width = lh_tlog_tile(a->log, level, n, &is, err);

	if (width < 0 && err->code != LH_ECORRUPT)
		return -1;
	if (width < 0)
		return differ(a, (int)level, n, err->msg, err);
	if (memcmp(is, hash, (size_t)width * LH_TLOG_HASH) != 0)
		return differ(a, (int)level, n, "a tile differs from the tree", err);
	return 0;
}

static int grow(struct audit *a, const uint8_t leaf[LH_TLOG_HASH], struct lh_err *err)
{
	uint8_t root[LH_TLOG_HASH];

	if (lh_tlog_grow(a->edge, leaf, err) < 0)
		return -1;
	if (a->edge->size != a->older.size)
		return 0;
	lh_tlog_edge_root(a->edge, root);
	if (memcmp(root, a->older.root, LH_TLOG_HASH) == 0)
		return 0;
	snprintf(a->why, sizeof a->why, "the log does not extend the checkpoint of %llu entries",
		 (unsigned long long)a->older.size);
	return lh_err_set(err, LH_EDATA, "%s", a->why);
}

/* Add the entries of a bundle to the tree. */
static int add_bundle(struct audit *a, uint64_t n, struct lh_err *err)
{
	uint8_t leaf[LH_TLOG_HASH];
	struct lh_str rest, entry;

	if (lh_tlog_bundle(a->log, n, &a->bundle, err) < 0)
		return err->code == LH_ECORRUPT ? differ(a, -1, n, err->msg, err) : -1;
	rest = (struct lh_str){ a->bundle.p, a->bundle.len };
	while (lh_tlog_next_entry(&rest, &entry)) {
		lh_tlog_leaf(entry.p, entry.n, leaf);
		if (grow(a, leaf, err) < 0)
			return -1;
	}
	return 0;
}

/* Add the hashes of a tile to the tree, in a log without entries. */
static int add_tile(struct audit *a, uint64_t n, struct lh_err *err)
{
	uint8_t (*is)[LH_TLOG_HASH], hash[LH_TLOG_TILE][LH_TLOG_HASH];
	int width = lh_tlog_tile(a->log, 0, n, &is, err), i;

	if (width < 0)
		return err->code == LH_ECORRUPT ? differ(a, 0, n, err->msg, err) : -1;
	memcpy(hash, is, (size_t)width * LH_TLOG_HASH);
	for (i = 0; i < width; i++)
		if (grow(a, hash[i], err) < 0)
			return -1;
	return 0;
}

/* Compare the tiles at the right edge, and the root. */
static int compare_edge(struct audit *a, struct lh_err *err)
{
	uint8_t root[LH_TLOG_HASH];
	unsigned level;

	for (level = 0; level < LH_TLOG_LEVELS; level++) {
		const uint64_t n = a->head->size >> (8 * level) >> 8;

		if (lh_tlog_width(a->head->size, level, n) &&
		    on_tile(a, level, n, a->edge->tile[level], err) < 0)
			return -1;
	}
	lh_tlog_edge_root(a->edge, root);
	if (memcmp(root, a->head->root, LH_TLOG_HASH) == 0)
		return 0;
	snprintf(a->differs, sizeof a->differs, "checkpoint");
	snprintf(a->why, sizeof a->why, "the root of the checkpoint is not that of the tree");
	return lh_err_set(err, LH_EDATA, "%s", a->why);
}

static int compute(struct audit *a, struct lh_err *err)
{
	const bool entries = lh_tlog_has_entries(a->log);
	uint64_t n;

	if (a->older.size > a->head->size) {
		snprintf(a->why, sizeof a->why, "the log is shorter than the checkpoint of %llu "
			 "entries", (unsigned long long)a->older.size);
		return lh_err_set(err, LH_EDATA, "%s", a->why);
	}
	a->edge->full = on_tile;
	a->edge->to = a;
	for (n = 0; n * LH_TLOG_TILE < a->head->size; n++) {
		if (lh_stopping())
			return lh_err_set(err, LH_EINTR, "interrupted");
		if ((entries ? add_bundle(a, n, err) : add_tile(a, n, err)) < 0)
			return -1;
	}
	return compare_edge(a, err);
}

/* Read the checkpoint of --from. */
static int read_older(struct audit *a, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	uint8_t empty[LH_TLOG_HASH];
	int rc = lh_file_read(path, &a->older_text, err);

	if (rc <= 0)
		return rc < 0 ? -1 : lh_err_set(err, LH_EIO, "%s: does not exist", path);
	if (lh_note_parse(&note, (struct lh_str){ a->older_text.p, a->older_text.len }, err) < 0 ||
	    lh_checkpoint_parse(&a->older, note.body, err) < 0)
		return lh_err_prefix(err, "%s", path);
	if (!lh_str_is(a->older.origin, a->head->origin.p, a->head->origin.n))
		return lh_err_set(err, LH_EUSAGE, "%s: is of another log: %.*s", path,
				  (int)a->older.origin.n, a->older.origin.p);
	lh_tlog_empty(empty);
	if (a->older.size || memcmp(a->older.root, empty, sizeof empty) == 0)
		return 0;
	return lh_err_set(err, LH_EDATA, "%s: its root is not that of an empty tree", path);
}

/* Judge the signatures of the checkpoint. */
static int check_signatures(struct audit *a, const char *path, struct lh_err *err)
{
	LH_SCOPED(lh_policy_free_local) struct lh_policy *policy = NULL;
	LH_SCOPED(lh_note_free) struct lh_note note = { .n = 0 };
	struct lh_cosigned judged;

	if (lh_policy_read(&policy, path, err) < 0 || lh_note_parse(&note, a->head->note, err) < 0)
		return -1;
	if (lh_policy_judge(policy, &note, &judged, err) < 0) {
		if (err->code == LH_EDATA)
			snprintf(a->why, sizeof a->why, "%s", err->msg);
		return -1;
	}
	if (judged.quorum)
		return 0;
	snprintf(a->why, sizeof a->why, "too few witnesses cosigned the checkpoint");
	return lh_err_set(err, LH_EDATA, "%s", a->why);
}

static int print(struct lh_tool *tool, const struct audit *a, const char *signatures)
{
	struct lh_buf out = { 0 };
	struct lh_writer w = lh_write_to(&out);

	lh_write_object(&w, NULL);
	lh_write_bool(&w, "verified", !*a->why);
	lh_write_str(&w, "origin", a->head->origin);
	lh_write_u64(&w, "size", a->head->size);
	lh_write_key(&w, "root");
	lh_buf_putc(&out, '"');
	lh_buf_base64(&out, a->head->root, LH_TLOG_HASH);
	lh_buf_putc(&out, '"');
	lh_write_text(&w, "differs", *a->differs ? a->differs : NULL);
	if (*a->why)
		lh_write_bytes(&w, "reason", a->why);
	lh_write_text(&w, "signatures", signatures);
	lh_write_end(&w);
	if (*a->why)
		lh_tool_verdict_bad(tool);
	return lh_tool_out_line(tool, &out);
}

int tlog_audit(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct audit a = { .older_text = { .max = LH_TLOG_NOTE_MAX } };
	const char *signatures = "not checked";
	int rc = -1;

	a.log = lh_tlog_open(tool->operands[0], &tool->err);
	a.edge = a.log ? lh_calloc(1, sizeof *a.edge) : NULL;
	if (a.edge) {
		a.head = lh_tlog_head(a.log);
		rc = s->from ? read_older(&a, s->from, &tool->err) : 0;
	}
	if (rc == 0 && s->policy) {
		rc = check_signatures(&a, s->policy, &tool->err);
		signatures = *a.why ? "bad" : "good";
	}
	if (rc == 0)
		rc = compute(&a, &tool->err);
	if (rc == 0 || *a.why)
		rc = print(tool, &a, signatures);
	lh_tlog_close(a.log);
	lh_buf_free(&a.older_text);
	lh_buf_free(&a.bundle);
	free(a.edge);
	return rc;
}
