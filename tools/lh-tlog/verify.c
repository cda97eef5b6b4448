/* verify.c - lh-tlog prove, verify and audit: proofs, and the tree of a log computed again. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "base/num.h"
#include "audit/commitment.h"
#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "json/write.h"
#include "tlog.h"
#include "tlog/log.h"
#include "tlog/policy.h"

/* ---- prove ---- */

struct asked_proof {
	struct lh_str leaf;
	uint64_t index, size;
	bool has_index, has_size;
};

const struct lh_bind prove_members[] = {
	{ LH_BIND_U64("index", struct asked_proof, index, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct asked_proof, has_index), .about = "the entry, from 0" },
	{ LH_BIND_STRING("leaf_hash", struct asked_proof, leaf),
	  .about = "the hash of its leaf, in base64, in place of the index" },
	{ LH_BIND_U64("size", struct asked_proof, size, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct asked_proof, has_size),
	  .about = "of the tree, of which a checkpoint is kept; else the newest" },
	LH_BIND_END
};
const struct lh_bind prove_out[] = {
	LH_OP_TEXT("proof"),
	LH_BIND_END
};

struct prove {
	const char *dir;
	struct lh_tlog *log;
	struct lh_tlog_finder finder;
	struct lh_buf strings, note, text;	/* of one record */
};

/* Find the entry with a hash. */
static int find_entry(struct prove *p, struct lh_str text, uint64_t *index, struct lh_err *err)
{
	uint8_t leaf[LH_TLOG_HASH];
	int rc;

	if (!lh_tlog_hash_read(text, leaf))
		return lh_err_set(err, LH_EDATA, "\"leaf_hash\" is not a hash in base64");
	rc = lh_tlog_look_up(&p->finder, leaf, index, err);
	return rc ? (rc < 0 ? -1 : 0) : lh_err_data(err, 404, "no entry has that \"leaf_hash\"");
}

/* Make the hashes of a proof, which damaged tiles do not give. */
static int make_path(struct prove *p, struct lh_entry_proof *proof, uint64_t size,
		     const uint8_t root[LH_TLOG_HASH], struct lh_err *err)
{
	struct lh_tlog_nodes nodes = lh_tlog_nodes(p->log);
	uint8_t leaf[LH_TLOG_HASH];

	if (lh_tlog_prove(&nodes, proof->index, size, &proof->path, err) < 0 ||
	    nodes.read(nodes.from, 0, proof->index, leaf, err) < 0)
		return -1;
	if (lh_tlog_proves(leaf, proof->index, size, &proof->path, root))
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: the tiles are not those of the checkpoint of %s",
			  p->dir, LH_N(size, "entry|entries"));
}

/* Make the text of the proof that is asked for, by the checkpoint that is the newest now. */
static int make_proof(struct prove *p, const struct asked_proof *a, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(p->log);
	struct lh_entry_proof proof = { .index = a->index };
	uint8_t root[LH_TLOG_HASH];
	uint64_t size;
	int rc;

	if (a->has_index == (a->leaf.p != NULL))
		return lh_err_set(err, LH_EDATA, "one of \"index\" and \"leaf_hash\" is needed");
	if (lh_tlog_refresh(p->log, err) < 0)
		return -1;
	size = a->has_size ? a->size : head->size;
	proof.text = head->note;
	memcpy(root, head->root, sizeof root);
	if (size > head->size)
		return lh_err_data(err, 404, "the log has %s, fewer than \"size\"",
				   LH_N(head->size, "entry|entries"));
	if (size != head->size) {
		rc = lh_tlog_kept(p->log, size, &p->note, root, err);
		if (rc <= 0)
			return rc < 0 ? -1 : lh_err_data(err, 404, "no checkpoint of size %llu is "
							 "kept", (unsigned long long)size);
		proof.text = (struct lh_str){ p->note.p, p->note.len };
	}
	if (a->leaf.p && find_entry(p, a->leaf, &proof.index, err) < 0)
		return -1;
	if (make_path(p, &proof, size, root, err) < 0)
		return -1;
	lh_buf_reset(&p->text);
	lh_entry_proof_print(&proof, &p->text);
	return 0;
}

static int on_entry(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	static const char *const added[] = { "proof" };
	struct prove *p = context;
	struct asked_proof a = { .leaf = { NULL, 0 } };
	struct lh_writer w;

	lh_buf_reset(&p->strings);
	if (lh_bind(prove_members, rec, &a, &p->strings, err) < 0 || make_proof(p, &a, err) < 0)
		return -1;
	w = lh_write_record(out, rec, added, 1);
	lh_write_str(&w, "proof", (struct lh_str){ p->text.p, p->text.len });
	lh_write_end(&w);
	return 0;
}

/* Print the hashes that prove that the tree of one size has grown from that of another. */
static int print_growth(struct lh_tool *tool, struct lh_tlog *log, const char *from,
			const char *newer)
{
	struct lh_tlog_nodes nodes = lh_tlog_nodes(log);
	LH_SCOPED(lh_buf_free) struct lh_buf out = { 0 };
	uint64_t older, size = lh_tlog_head(log)->size;
	struct lh_tlog_proof proof;

	if (!lh_tlog_size_read(lh_str_of(from), LH_TLOG_SIZE_MAX, &older))
		return lh_tool_usage(tool, "--consistency: \"%s\" is not the size of a tree",
				     from);
	if (newer && !lh_tlog_size_read(lh_str_of(newer), LH_TLOG_SIZE_MAX, &size))
		return lh_tool_usage(tool, "\"%s\" is not the size of a tree", newer);
	if (size > lh_tlog_head(log)->size)
		return lh_tool_usage(tool, "the log has %s, fewer than %llu",
				     LH_N(lh_tlog_head(log)->size, "entry|entries"),
				     (unsigned long long)size);
	if (older > size)
		return lh_tool_usage(tool, "--consistency: %llu is above the size, %llu",
				     (unsigned long long)older, (unsigned long long)size);
	if (lh_tlog_prove_growth(&nodes, older, size, &proof, &tool->err) < 0)
		return -1;
	lh_tlog_proof_print(&proof, &out);
	return lh_tool_out_text(tool, &out);
}

int tlog_prove(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	struct prove p = { .dir = tool->operands[0], .note = { .max = LH_TLOG_NOTE_MAX } };
	int rc;

	if (s->consistency && tool->n_operands > 2)
		return lh_tool_unexpected(tool, 2, "--consistency takes one size");
	p.log = lh_tlog_open(p.dir, &tool->err);
	if (!p.log)
		return -1;
	p.finder.log = p.log;
	tool->jobs = 1;
	rc = s->consistency
		? print_growth(tool, p.log, s->consistency,
			       tool->n_operands > 1 ? tool->operands[1] : NULL)
		: lh_records_run(tool, &(struct lh_flow){
			.map = on_entry, .shared = &p, .files = tool->operands + 1,
			.n_files = tool->n_operands - 1 });
	lh_tlog_close(p.log);
	lh_map_free(&p.finder.map);
	lh_buf_free(&p.strings);
	lh_buf_free(&p.note);
	lh_buf_free(&p.text);
	return rc;
}

/* ---- verify ---- */

/* What is asked: an entry in one of three forms, or with --row a row and its opening too. */
struct asked {
	struct lh_str entry, base64, leaf, proof, row, opening;
};

const struct lh_bind verify_members[] = {
	{ LH_BIND_STRING("entry", struct asked, entry), .about = "the entry as text" },
	{ LH_BIND_STRING("entry_base64", struct asked, base64), .about = "the entry's bytes" },
	{ LH_BIND_STRING("leaf_hash", struct asked, leaf), .about = "the hash of its leaf" },
	{ LH_BIND_STRING("proof", struct asked, proof), .required = true,
	  .about = "the text of a tlog-proof" },
	LH_BIND_END
};
static const struct lh_bind row_members[] = {
	{ LH_BIND_STRING("row", struct asked, row), .required = true },
	{ LH_BIND_STRING("opening", struct asked, opening), .required = true,
	  .is = lh_bind_is_sha256, .what = "string of 64 lowercase hex digits" },
	{ LH_BIND_STRING("entry", struct asked, entry), .required = true },
	{ LH_BIND_STRING("proof", struct asked, proof), .required = true },
	LH_BIND_END
};
const struct lh_bind verify_out[] = {
	LH_OP_BOOL("verified"),
	{ LH_BIND_ONLY("reason", LH_BIND_TO_STRING), .about = "why it does not hold" },
	{ LH_BIND_ONLY("index", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("size", LH_BIND_TO_WHOLE), .most = INT64_MAX },
	{ LH_BIND_ONLY("origin", LH_BIND_TO_STRING) },
	{ LH_BIND_ONLY("witnesses", LH_BIND_TO_VALUE), .types = LH_BIND_IS(LH_ARRAY),
	  .about = "names of those that cosigned, in the order of the policy" },
	LH_BIND_END
};

/* The memory of a thread. */
struct verify {
	struct lh_tool *tool;
	const struct lh_policy *policy;
	bool row;
	uint64_t *proofs;		/* that were judged, by all threads */
	struct lh_buf strings, bytes;	/* of one record */
};

static int verify_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	*(struct verify *)context = *(const struct verify *)shared;
	return 0;
}

static void verify_free(void *context)
{
	struct verify *v = context;

	lh_buf_free(&v->strings);
	lh_buf_free(&v->bytes);
}

/* ---- the leaf ---- */

/* Hash bytes that are given in base64. */
static int hash_base64(struct verify *v, struct lh_str text, uint8_t leaf[LH_TLOG_HASH],
		       struct lh_err *err)
{
	char *to;
	long n;

	lh_buf_reset(&v->bytes);
	to = lh_buf_room(&v->bytes, text.n + 1);
	n = lh_base64_read(text.p, text.n, to);
	if (n < 0)
		return lh_err_set(err, LH_EDATA, "\"entry_base64\" is not base64");
	lh_tlog_leaf(to, (size_t)n, leaf);
	return 0;
}

static int find_leaf(struct verify *v, const struct asked *a, uint8_t leaf[LH_TLOG_HASH],
		     struct lh_err *err)
{
	if ((a->entry.p != NULL) + (a->base64.p != NULL) + (a->leaf.p != NULL) != 1)
		return lh_err_set(err, LH_EDATA, "one of \"entry\", \"entry_base64\" and "
				  "\"leaf_hash\" is needed");
	if (a->base64.p)
		return hash_base64(v, a->base64, leaf, err);
	if (a->entry.p)
		lh_tlog_leaf(a->entry.p, a->entry.n, leaf);
	else if (!lh_tlog_hash_read(a->leaf, leaf))
		return lh_err_set(err, LH_EDATA, "\"leaf_hash\" is not a hash in base64");
	return 0;
}

/* Return whether the entry is the commitment of the row under that opening. */
static bool is_of_row(const struct asked *a)
{
	char entry[LH_COMMIT_ENTRY];
	uint8_t opening[LH_OPENING];

	return lh_unhex(a->opening.p, a->opening.n, opening) &&
		(lh_commit_entry(opening, a->row, entry),
		 lh_str_is(a->entry, entry, sizeof entry));
}

/* ---- the verdict ---- */

/* Write what the proof says, whether or not it holds. */
static void write_proof(struct lh_writer *w, const struct verify *v,
			const struct lh_entry_proof *p, const struct lh_cosigned *judged)
{
	size_t i;

	lh_write_u64(w, "index", p->index);
	lh_write_u64(w, "size", p->at.size);
	lh_write_str(w, "origin", p->at.origin);
	lh_write_array(w, "witnesses");
	for (i = 0; i < v->policy->n_parties; i++)
		if (lh_policy_is_witness(&v->policy->parties[i]) && judged->cosigned[i])
			lh_write_bytes(w, NULL, v->policy->parties[i].name);
	lh_write_end(w);
}

/* Verify a proof: 0, or -1 with the reason; *parsed: it is a proof. */
static int judge(const struct verify *v, const struct asked *a, const uint8_t leaf[LH_TLOG_HASH],
		 struct lh_entry_proof *p, struct lh_cosigned *judged, bool *parsed,
		 struct lh_err *err)
{
	int rc;

	*parsed = lh_entry_proof_parse(p, a->proof, err) == 0;
	if (!*parsed)
		return -1;
	rc = lh_entry_proof_verify(p, leaf, v->policy, judged, err);
	if (!rc && v->row && !is_of_row(a))
		rc = lh_err_set(err, LH_EDATA, "the entry is not that of the row and its opening");
	return rc;
}

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	static const char *const added[] = { "verified", "reason", "index", "size", "origin",
					     "witnesses" };
	LH_SCOPED(lh_entry_proof_free) struct lh_entry_proof p = { .index = 0 };
	struct verify *v = context;
	struct lh_cosigned judged;
	struct asked a = { .entry = { NULL, 0 } };
	uint8_t leaf[LH_TLOG_HASH];
	struct lh_writer w;
	bool parsed;
	int rc;

	lh_buf_reset(&v->strings);
	if (lh_bind(v->row ? row_members : verify_members, rec, &a, &v->strings, err) < 0 ||
	    find_leaf(v, &a, leaf, err) < 0)
		return -1;
	__atomic_add_fetch(v->proofs, 1, __ATOMIC_RELAXED);
	rc = judge(v, &a, leaf, &p, &judged, &parsed, err);
	if (rc < 0 && err->code != LH_EDATA)
		return -1;
	w = lh_write_record(out, rec, added, sizeof added / sizeof *added);
	lh_write_bool(&w, "verified", !rc);
	if (rc < 0)
		lh_write_bytes(&w, "reason", err->msg);
	if (parsed)
		write_proof(&w, v, &p, &judged);
	lh_write_end(&w);
	if (rc < 0)
		lh_tool_verdict_bad(v->tool);
	return 0;
}

int tlog_verify(struct lh_tool *tool, void *settings)
{
	const struct settings *s = settings;
	LH_SCOPED(lh_policy_free_local) struct lh_policy *policy = NULL;
	uint64_t proofs = 0;
	struct verify v = { .tool = tool, .row = s->row, .proofs = &proofs };
	int rc;

	if (!s->policy)
		return lh_tool_usage(tool, "no policy: name its file by --policy");
	if (lh_policy_read(&policy, s->policy, &tool->err) < 0)
		return -1;
	if (!policy->n_logs)
		return lh_tool_usage(tool, "%s: it names no log", s->policy);
	v.policy = policy;
	rc = lh_records_run(tool, &(struct lh_flow){
		.map = on_record, .context_size = sizeof v, .context_init = verify_init,
		.context_free = verify_free, .shared = &v });
	if (!rc)
		lh_tool_verdict_over(tool, proofs, "proofs", NULL);
	return rc;
}

/* ---- audit ---- */

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
	snprintf(a->why, sizeof a->why, "the log does not extend the checkpoint of %s",
		 LH_N(a->older.size, "entry|entries"));
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
