/*
 * lineage - where a record of a distillation root comes from, and what became of it.
 *
 *     struct lh_lineage *l = lh_lineage_open(&how, err);
 *     rc = lh_lineage_trace(l, "rag-1b09f9563820b405", &out, err);
 *     lh_lineage_close(l);
 *
 * An operand is the id of a sample or a replay, a run id (of evidence or of a distillation),
 * at least 8 digits of a sig_hash, FILE:LINE, the id of a subject, or an id that decisions
 * name (a record, a playbook entry, a request id).  Its answer is one JSON object:
 *
 *     {"operand","as","steps":[STEP...]}             or with "searched" or "candidates"
 *     STEP = {"step","file","line",...,"steps":[STEP...]}
 *
 * Rows are found by an index of their keys (key_index.h), which is beside the root or among
 * the caches of the user, and made and renewed as needed.  A file whose state has changed is
 * hashed: if it begins as before, only what was added to it is read, else all of it.  If the
 * index cannot be written it is made in memory.  Every row is read and compared before it is
 * part of an answer.
 *
 * Memory:  24 bytes for each key of the largest file while an index is made, 8 for each key of
 *          the root if it is not written.  A row has one to four keys.
 * Errors:  -1 (NULL) with *err.  What does not prevent an answer goes to how->warn.
 * Threads: one thread per struct.
 */
#ifndef LH_LINEAGE_H
#define LH_LINEAGE_H

#include <lh/json.h>
#include "json/write.h"
#include "row_ids.h"

#define LH_DECISIONS_LOG "log/decisions.jsonl"

struct lh_lineage_how {
	const char *root;	/* NULL: as lh_root_open */
	const char *subjects;	/* their folder; NULL: LH_SUBJECT_DIR below the root */
	const struct lh_list *decisions;	/* their logs; none: LH_DECISIONS_LOG below the
						   root, if it exists */
	bool no_index;		/* neither read nor write an index */
	bool reindex;		/* make it anew */
	bool records;		/* the answer has the rows themselves */
	uint64_t jobs;
	uint64_t most;		/* records of an operand, and rows of a list */
	struct lh_chain_keys *keys;	/* to verify chains with; NULL: do not */
	/* Report what does not prevent an answer; unreadable: something was left out. */
	void (*warn)(void *ctx, bool unreadable, const char *text);
	void *ctx;
};

struct lh_lineage;
struct lh_lineage *lh_lineage_open(const struct lh_lineage_how *how, struct lh_err *err);
void lh_lineage_close(struct lh_lineage *l);	/* NULL is allowed */

/* BROKEN: it was found, and the chain of a log in the answer is broken or torn. */
enum lh_lineage_result {
	LH_LINEAGE_FOUND, LH_LINEAGE_NOWHERE, LH_LINEAGE_AMBIGUOUS, LH_LINEAGE_BROKEN
};

/* Append the answer for an operand, which is UTF-8: an enum lh_lineage_result, or -1.
 * subject: it is the id of a subject and nothing else. */
int lh_lineage_trace(struct lh_lineage *l, struct lh_str operand, bool subject, struct lh_buf *out,
		     struct lh_err *err);

#endif
