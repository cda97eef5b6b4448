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
 * Nothing is kept between two runs: files are read through for the bytes of a name, and only the
 * rows that have them are parsed; of a file that many names are looked for in, the keys of all
 * rows are read once.  Every row is read and compared before it is part of an answer.
 *
 * Memory:  8 bytes for each key of a file of which keys were read; a row has one to four.
 * Errors:  -1 (NULL) with *err.  What does not prevent an answer goes to how->warn.
 * Threads: one thread per struct.
 */
#ifndef LH_LINEAGE_H
#define LH_LINEAGE_H

#include "json/json.h"

#include "distill/evidence.h"
#include "json/write.h"

#define LH_DECISIONS_LOG "log/decisions.jsonl"

struct lh_lineage_how {
	const char *root;	/* NULL: as lh_root_open */
	const char *subjects;	/* their folder; NULL: LH_SUBJECT_DIR below the root */
	const struct lh_list *decisions;	/* their logs; none: LH_DECISIONS_LOG below the
						   root, if it exists */
	bool records;		/* the answer has the rows themselves */
	bool every;		/* many names are looked for, each in all rows that may have it */
	uint64_t jobs;
	uint64_t most;		/* records of an operand, and rows of a list */
	struct lh_chain_keys *keys;	/* to verify chains with; NULL: do not */
	/* Find the entry of a receipt with that SHA-256 in a transparency log: 1, 0, -1.  Or
	 * NULL. */
	int (*committed)(void *ctx, const uint8_t sha256[32], uint64_t *index,
			 struct lh_err *err);
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

/*
 * Rows by what they have to do with persons, each passed to a function, whose result is 0, or -1
 * with *err.  Rows that belong to one record are found as an answer finds them: from any of them
 * all others, its source too, and the replays that retrieved its samples; then the receipts of
 * the runs that wrote these rows and of the newest, with line 1.  A row may be passed twice.
 */
struct lh_lineage_row {
	const char *file;		/* relative to the root */
	uint64_t line;
};
struct lh_lineage_made {
	struct lh_lineage_row row;
	size_t via;			/* the number of the row that it was found by */
	const struct lh_record *rec;	/* NULL: a receipt */
	const struct lh_row_ids *ids;
};
typedef int lh_lineage_made_fn(void *ctx, const struct lh_lineage_made *made, struct lh_err *err);

/* Pass each row of the records of n rows, but nothing of a row that has two records or none.  A
 * row that is not there is left out. */
int lh_lineage_made(struct lh_lineage *l, const struct lh_lineage_row *row, size_t n,
		    lh_lineage_made_fn *fn, void *ctx, struct lh_err *err);

/* Append the answer for an operand, which is UTF-8: an enum lh_lineage_result, or -1.
 * subject: it is the id of a subject and nothing else. */
int lh_lineage_trace(struct lh_lineage *l, struct lh_str operand, bool subject, struct lh_buf *out,
		     struct lh_err *err);

/* Append {"id","exporter","sample","run","from"} for the id of a sample, as lh-trace --requests
 * answers.  LH_EDATA with the status 404: there is none. */
int lh_lineage_sample(struct lh_lineage *l, struct lh_str id, struct lh_buf *out,
		      struct lh_err *err);

/*
 * row_ids - what the rows of a distillation root are called, and what they refer to.
 *
 *     evidence      run_id and provenance
 *     scored run    evidence_run_id and provenance, a copy of the evidence's
 *     sample        id, source_run_id and provenance; of a pair chosen_run_id, the
 *                   provenance of the chosen record, and rejected_run_id
 *     refusal       those of source_record: a scored run, or the two of a pair
 *     skip          source_file, line_offset and sig_hash of the source row
 *     source        its sig_hash, computed
 *     replay        recorded_run_id, and the ids of the samples that were retrieved
 *
 * This is the one place that knows how rows of different files are joined: by a run id, a
 * sig_hash, the id of a sample, or the line of a source.
 *
 * A key is 32 bits of a hash of one of these texts and its kind.  Two texts can have the same
 * key, so a row that is found by one is read and compared.
 *
 * Threads: one thread per struct.
 */

/* The kinds of files in a root, in the order in which they are searched. */
enum lh_place {
	LH_PLACE_SOURCE, LH_PLACE_SKIP, LH_PLACE_EVIDENCE, LH_PLACE_SCORED, LH_PLACE_RAG,
	LH_PLACE_SFT, LH_PLACE_PREFERENCE, LH_PLACE_QUARANTINE, LH_PLACE_REPLAY,
	LH_PLACE_BASELINE, LH_PLACES
};

enum lh_key_kind { LH_KEY_ID, LH_KEY_RUN, LH_KEY_SIG, LH_KEY_LINE, LH_KEY_RETRIEVED };

/* The record that a row is about; of a pair one of two, the chosen one first. */
struct lh_row_side {
	struct lh_str run;		/* p NULL: none */
	struct lh_provenance from;	/* sig_hash p NULL: none that is well-formed */
};

struct lh_row_ids {
	struct lh_str id;		/* of a sample or a replay; p NULL: none */
	struct lh_row_side side[2];
	size_t n_sides;			/* up to the last that names something */
	const struct lh_str *retrieved;
	size_t n_retrieved;
	struct lh_buf text;		/* where strings are that had escapes */
	struct lh_buf scratch;
	char sig[65];
};

void lh_row_ids_free(struct lh_row_ids *ids);

/* Read those of a row.  Members that are absent or of another type are left out.  Strings
 * point into the record or *ids. */
int lh_row_ids_read(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		    struct lh_err *err);

/* Return the key of a text.  A sig_hash, or the beginning of one, has at least 8 hex digits,
 * and the key is their value. */
uint32_t lh_row_key(enum lh_key_kind kind, struct lh_str text);

/* Return the key of a line of a source, counted from 0. */
uint32_t lh_row_line_key(struct lh_str source_file, int64_t line);

/* Append the keys of a row, 4 bytes each; *ids then has what it is called. */
int lh_row_keys(struct lh_row_ids *ids, enum lh_place place, const struct lh_record *rec,
		struct lh_buf *out, struct lh_err *err);

#endif
