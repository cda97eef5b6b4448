/* prove.c - lh-tlog prove: proofs that entries are in a log, and that it has grown. */
#include "tlog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "file/file.h"
#include "json/write.h"
#include "tlog/log.h"
#include "tlog/policy.h"
#include <lh/num.h>

struct asked {
	struct lh_str leaf;
	uint64_t index, size;
	bool has_index, has_size;
};

const struct lh_bind prove_members[] = {
	{ LH_BIND_U64("index", struct asked, index, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct asked, has_index), .about = "the entry, from 0" },
	{ LH_BIND_STRING("leaf_hash", struct asked, leaf),
	  .about = "the hash of its leaf, in base64, in place of the index" },
	{ LH_BIND_U64("size", struct asked, size, 0, INT64_MAX),
	  .given = LH_BIND_FIELD(struct asked, has_size),
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
	return lh_err_set(err, LH_ECORRUPT, "%s: the tiles are not those of the checkpoint of "
			  "%llu entries", p->dir, (unsigned long long)size);
}

/* Make the text of the proof that is asked for, by the checkpoint that is the newest now. */
static int make_proof(struct prove *p, const struct asked *a, struct lh_err *err)
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
		return lh_err_data(err, 404, "the log has %llu entries, fewer than \"size\"",
				   (unsigned long long)head->size);
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

static int on_record(struct lh_record *rec, struct lh_buf *out, void *context, struct lh_err *err)
{
	static const char *const added[] = { "proof" };
	struct prove *p = context;
	struct asked a = { .leaf = { NULL, 0 } };
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
		return lh_tool_usage(tool, "the log has %llu entries, fewer than %llu",
				     (unsigned long long)lh_tlog_head(log)->size,
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
			.map = on_record, .shared = &p, .files = tool->operands + 1,
			.n_files = tool->n_operands - 1 });
	lh_tlog_close(p.log);
	lh_map_free(&p.finder.map);
	lh_buf_free(&p.strings);
	lh_buf_free(&p.note);
	lh_buf_free(&p.text);
	return rc;
}
