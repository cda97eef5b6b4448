/*
 * lineage_parts - what the parts of lh_lineage share.
 *
 *     lineage.c            open and close; the answer for an operand, and for persons
 *     lineage_find.c       the files of a root, rows by name, keys, lines, one sample
 *     lineage_subject.c    manifest and look-ups of a subject, and which file FILE:LINE names
 *     lineage_origin.c     from an operand to its records, and the run that wrote them
 *     lineage_steps.c      the steps of one record, and the decisions that name an id
 */
#ifndef LH_LINEAGE_PARTS_H
#define LH_LINEAGE_PARTS_H

#include "distill/stage.h"
#include "lineage.h"

#define LH_LINEAGE_CANDIDATES 10000	/* rows that one name is compared in */

/* Where a line begins in its file. */
struct lh_line_mark {
	uint64_t line, at;
};

struct lh_lineage_file {
	char *path;		/* relative to the root */
	enum lh_place place;
	bool unreadable;
	unsigned scans;		/* how often it was read through for a name */
	/* once it was read through: */
	bool counted;
	uint64_t lines, rows;	/* up to its last row; rows: lines that are not empty */
	struct lh_line_mark *mark;	/* of some rows */
	size_t n_marks, cap_marks;
	/* once its keys were read: */
	bool keyed;
	uint64_t *key;		/* key << 32 | line, sorted */
	size_t n_keys, cap_keys;
};

struct lh_lineage_hit {
	size_t file;
	uint64_t line;
};
struct lh_hits {
	struct lh_lineage_hit *hit;
	size_t n, cap;
	bool more;		/* there may be others, which were not compared */
};

struct lh_lineage {
	struct lh_lineage_how how;
	struct lh_root *root;
	struct lh_lineage_file *file;	/* sorted by place, then path */
	size_t n_files, cap_files;

	size_t opened;			/* the file that fd is of */
	int fd;
	bool broken;			/* a chain of the present answer */
	struct { uint64_t files, rows; } decisions;	/* searched for the present answer */
	/* the row read last */
	struct lh_buf row;
	struct lh_record rec;
	struct lh_row_ids ids;
};

/* ---- lineage_find.c ---- */

int lh_lineage_list(struct lh_lineage *l, struct lh_err *err);
/* Report what cannot be read and is left out: 0; -1 if *err is another error. */
int lh_lineage_left_out(struct lh_lineage *l, const struct lh_err *err);
/* Return the number of a file; that of all files if there is none of that path. */
size_t lh_lineage_file_of(const struct lh_lineage *l, struct lh_str path);
void lh_hit_add(struct lh_hits *h, size_t file, uint64_t line);

/* Return the name of a place: "data/evidence". */
const char *lh_place_name(enum lh_place place);
const char *lh_place_step(enum lh_place place);

/* A name that rows are looked for by. */
struct lh_wanted {
	enum lh_key_kind kind;
	struct lh_str text;	/* of a line the source_file; of a hash at least 8 digits */
	int64_t line;		/* of a line, from 0 */
	struct lh_str source;	/* of all sources, only this one; p NULL: all */
};

/* Add the rows that may have the name, of all places in a set of bits; sorted, none twice. */
int lh_lineage_find(struct lh_lineage *l, unsigned places, const struct lh_wanted *want,
		    struct lh_hits *hits, struct lh_err *err);

/* Read a file through, if it was not: its lines and rows are then known. */
int lh_lineage_count(struct lh_lineage *l, size_t i, struct lh_err *err);

/* Read a line into l->row: 1, 0 if there is none or it is empty, -1. */
int lh_lineage_line(struct lh_lineage *l, const struct lh_lineage_hit *hit, struct lh_err *err);

/* The same, and parse it into l->rec and l->ids: 0 also if it is not a record.  The side of a row
 * of a source has its file and line, too. */
int lh_lineage_row(struct lh_lineage *l, const struct lh_lineage_hit *hit, struct lh_err *err);
/* Write the member record, l->rec; of a large one its size. */
void lh_lineage_record(const struct lh_lineage *l, struct lh_writer *w);

/* ---- lineage_origin.c ---- */

/* A record: what its rows have in common. */
struct lh_origin {
	struct lh_str run, sig, source;	/* p NULL: not known */
	int64_t line;			/* of source, from 0; -1 */
	char *text;			/* of these */
	bool completed;
};
struct lh_origins {
	struct lh_origin *of;
	size_t n, cap, more;
};

/* Return whether a side of a row may be that record. */
bool lh_origin_is(const struct lh_origin *o, const struct lh_row_side *side);

/* What an operand means.  A zeroed struct is nothing. */
struct lh_meant {
	const char *as;		/* NULL: nothing was found */
	struct lh_origins records;
	struct lh_hits rows;		/* the rows that were found, which may name no record */
	struct lh_buf candidates;	/* the sig_hashes that begin with it, if several do */
	uint64_t line;			/* of FILE:LINE, of a receipt or of a file of a subject: */
	struct lh_buf run, subject;	/* the id of that run or subject */
};
void lh_meant_free(struct lh_meant *m);

/* Find what an operand means. */
int lh_lineage_resolve(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		       struct lh_err *err);

/* Add the records of a row, completed: none of a row of two, which is about both. */
int lh_lineage_records(struct lh_lineage *l, const struct lh_lineage_hit *hit,
		       struct lh_origins *o, struct lh_err *err);

/* ---- lineage_subject.c ---- */

/* Add what a line means: 1, 0 if there is no such line, -1.  hit->file is l->n_files if no
 * file of the root with rows has the path, which may be that of a source removed since. */
typedef int lh_line_fn(struct lh_lineage *l, struct lh_meant *m, const struct lh_lineage_hit *hit,
		       const char *path, struct lh_err *err);

/* Return where ":LINE" begins in an operand, and set *line; NULL: it has none. */
const char *lh_operand_line(struct lh_str operand, uint64_t *line);

/* Find what an operand FILE:LINE means, and call fn if it may be a line of a row: 1, 0 if the
 * operand is none or its file is unknown, -1. */
int lh_lineage_place(struct lh_lineage *l, struct lh_str operand, struct lh_meant *m,
		     lh_line_fn *fn, struct lh_err *err);

/* ---- lineage_steps.c ---- */

int lh_lineage_steps(struct lh_lineage *l, struct lh_writer *w, const struct lh_origin *o,
		     struct lh_err *err);

/* Add the rows of a record. */
int lh_lineage_gather(struct lh_lineage *l, const struct lh_origin *o, struct lh_hits *hits,
		      struct lh_err *err);
/* Add the replays that retrieved the sample in l->ids. */
int lh_lineage_replays(struct lh_lineage *l, struct lh_hits *hits, struct lh_err *err);
/* Return whether a run writes such rows, and in which stage. */
bool lh_lineage_stage_of(const struct lh_lineage_file *f, enum lh_stage *stage);

/* Write the step of a row that names no record: 0, -1. */
int lh_lineage_alone(struct lh_lineage *l, struct lh_writer *w, const struct lh_lineage_hit *hit,
		     struct lh_err *err);

/* ---- lineage_origin.c ---- */

/* The receipts of a row: of the run that wrote it, and of the newest that lists its file. */
struct lh_receipt_of {
	struct lh_lineage_hit row;
	enum lh_stage stage;
	bool any;			/* a run writes such rows */
	struct lh_buf wrote, newest;	/* steps, or empty */
	struct lh_receipt_at {
		int64_t ms;
		uint64_t records;
		char id[129];
	} wrote_at, newest_at;
};
int lh_lineage_receipts(struct lh_lineage *l, struct lh_receipt_of *of, size_t n,
			struct lh_err *err);

/* Count the receipts that can be read. */
int lh_lineage_count_receipts(struct lh_lineage *l, uint64_t *n, struct lh_err *err);

/* Write the steps of a distillation run: 1, 0 if there is none of that id, -1. */
int lh_lineage_run(struct lh_lineage *l, struct lh_writer *w, struct lh_str id,
		   struct lh_err *err);

/* ---- lineage_subject.c ---- */

/* Return the folder of subjects, which the caller frees. */
char *lh_lineage_subjects(const struct lh_lineage *l);

/* Write the step of a subject, with the row of that line of its log, if it is not 0, whether
 * or not it is among the newest: 1, 0 if it has neither manifest nor log, -1. */
int lh_lineage_subject(struct lh_lineage *l, struct lh_writer *w, struct lh_str id, uint64_t line,
		       struct lh_err *err);

/* ---- lineage_steps.c ---- */

/* Write the step of the decisions that the operand names, or that name it: 1, 0 if there is
 * none, -1. */
int lh_lineage_decisions(struct lh_lineage *l, struct lh_writer *w, struct lh_str operand,
			 bool subject, struct lh_err *err);

#endif
