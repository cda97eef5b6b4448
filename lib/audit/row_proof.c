/* row_proof.c - rows with what a stranger needs to check them.  See row_proof.h. */
#include "row_proof.h"

#include <lh/digest.h>

#include "base/mem.h"
#include "json/write.h"
#include "tlog/policy.h"

int lh_row_proofs_open(struct lh_row_proofs *p, const char *dir, const char *name, const char *tlog,
		       struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *cursor = lh_subject_path(dir, name, LH_SUBJECT_COMMIT);
	LH_SCOPED(lh_free_local) char *secret = lh_subject_path(dir, name, LH_SUBJECT_SECRET);
	int rc;

	*p = (struct lh_row_proofs){ .tree = NULL };
	rc = lh_commit_read(&p->at, cursor, err);
	if (rc > 0)
		p->secret = lh_opening_key(secret, false, err);
	if (rc < 0 || (rc > 0 && !p->secret))
		return -1;
	p->tree = lh_tlog_open(tlog, err);
	return p->tree ? 0 : -1;
}

void lh_row_proofs_close(struct lh_row_proofs *p)
{
	lh_commit_free(&p->at);
	lh_hmac_free(p->secret);
	lh_tlog_close(p->tree);
	lh_buf_free(&p->text);
}

/* Put the text of the proof that the tree has the entry at an index; it is checked, since a
 * cursor may be of another tree. */
static int make_proof(struct lh_row_proofs *p, const uint8_t leaf[LH_TLOG_HASH],
		      uint64_t index, struct lh_err *err)
{
	const struct lh_tlog_head *head = lh_tlog_head(p->tree);
	struct lh_tlog_nodes nodes = lh_tlog_nodes(p->tree);
	struct lh_entry_proof proof = { .index = index, .text = head->note };

	if (lh_tlog_prove(&nodes, index, head->size, &proof.path, err) < 0)
		return -1;
	if (!lh_tlog_proves(leaf, index, head->size, &proof.path, head->root))
		return lh_err_set(err, LH_ECORRUPT, "entry %llu of the log %.*s is not this row",
				  (unsigned long long)index, (int)head->origin.n, head->origin.p);
	lh_buf_reset(&p->text);
	lh_entry_proof_print(&proof, &p->text);
	return 0;
}

int lh_row_proofs_add(struct lh_row_proofs *p, uint64_t row, struct lh_str line,
		      struct lh_str row_hmac, struct lh_buf *out, struct lh_err *err)
{
	uint8_t opening[LH_OPENING], leaf[LH_TLOG_HASH];
	char hex[2 * LH_OPENING], entry[LH_COMMIT_ENTRY];
	struct lh_writer w = lh_write_to(out);
	uint64_t index;

	lh_commit_find(&p->at, row, &index);
	lh_opening_of(p->secret, row_hmac, opening);
	lh_hex(opening, sizeof opening, hex);
	lh_commit_entry(opening, line, entry);
	lh_tlog_leaf(entry, sizeof entry, leaf);
	if (make_proof(p, leaf, index, err) < 0)
		return lh_err_prefix(err, "row %llu", (unsigned long long)row);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "row", line);
	lh_write_str(&w, "opening", (struct lh_str){ hex, sizeof hex });
	lh_write_str(&w, "entry", (struct lh_str){ entry, sizeof entry });
	lh_write_str(&w, "proof", (struct lh_str){ p->text.p, p->text.len });
	lh_write_end(&w);
	lh_buf_putc(out, '\n');
	return 0;
}
