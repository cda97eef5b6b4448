/* index.h - shared by the commands of lh-index. */
#ifndef INDEX_H
#define INDEX_H

#include <stdatomic.h>

#include "tool/op.h"
#include "index/index_tools.h"
#include "index/index.h"
#include "json/value.h"
#include "json/write.h"
#include "embed/embedder.h"
#include "file/file.h"
#include "formats.h"

enum {
	V_BUILD = 1,
	V_ADD = 2,
	V_DELETE = 4,
	V_INFO = 8,
	V_DUMP = 16,
	V_VERIFY = 32,
	V_COMPACT = 64,
	V_MERGE = 128,
	V_MOVE = 256,
	V_REQUESTS = 512,
	V_IMPORT = 1024,
	V_EXPORT = 2048,
	V_FETCH = 4096,
	V_GET = 8192,
	V_SET = 16384,
	V_PUSH = 65536,
	V_REPLACE = 131072,
	V_UPGRADE = 262144,
	V_COMPARE = 524288
};

struct settings {
	int distance, precision;	/* -1: not given, until settings_fill */
	int layout;
	int encoding;			/* -1: not given */
	bool rescore;
	int engine;			/* enum lh_engine, -1: not given */
	uint64_t m, ef_construction, ef_search, exact_below, seed;
	uint64_t batch;			/* 0: not given */
	uint64_t dimension;		/* 0: not given */
	bool lexical, allow_empty, of_persons;
	struct lh_list persons;		/* names of indexes, for requests */
	bool attribute;			/* say whose data an answer of requests has used */
	const char *model, *url, *field, *template;
	bool named;			/* field or template by an option */
	const char *prefix, *query_prefix;
	bool truncate;		/* gguf: cut texts that are too long */
	const char *like;		/* an index whose parameters are kept, read to kept */
	bool upgrade;			/* it may be of an earlier format */
	struct lh_index_params kept;
	const char *kept_url;		/* of the engine; the user's key is not for it */
	bool keeps_model;
	const char *id_field;		/* NULL: "id" */
	double lock_timeout;
	struct lh_list id;
	const char *hnswlib, *ids;	/* of import, export and formats */
	const char *playbooks;
	const char *out, *answers;	/* of compare */
	enum format from, to;
	bool reach;			/* of verify */
	struct requests *requests;	/* at work, or NULL */
};

#define TEXT_FIELD LH_INDEX_TEXT_FIELD	/* embedded unless --field or --template is given */

/* Say so in DEST if SRC is; before rows of SRC are put there. */
int carry_persons(const char *dest, const char *src, const struct settings *s, unsigned jobs,
		  struct lh_err *err);

extern const struct lh_op index_ops[];		/* operations.c */
extern const struct lh_bind record_in[], metadata_in[];	/* rows.c, change.c */

/* The commands; the operands are tool->operands. */
lh_op_command index_build, index_add, index_delete, index_info, index_dump, index_verify,
	index_compact, index_merge, index_move, index_requests, index_import, index_export,
	index_fetch, index_push, index_get, index_set_metadata, index_compare;

/* ---- look.c ---- */

/* Scratch memory for writing metadata, which begins with zeros; free its members. */
struct metadata {
	struct lh_buf copy;		/* since the scanner reads past the end */
	struct lh_record scan;
};
void metadata_free(struct metadata *m);
/* Set *json to the object that a text is, without white space around it; it lives until the next
 * call. */
int metadata_parse(struct metadata *m, struct lh_str text, struct lh_str *json,
		   struct lh_err *err);
/* Set *json to the metadata of a row as it was stored, which lives until the next call; p NULL
 * if there is none. */
int metadata_read(struct metadata *m, const struct lh_row *row, struct lh_str *json,
		  struct lh_err *err);
/* Write it, if it is valid and there is any. */
int metadata_write(struct metadata *m, struct lh_writer *w, const struct lh_row *row,
		   struct lh_err *err);

/* Print what fn appends to out for each live row, in order; at is its number. */
typedef int dump_fn(void *ctx, uint64_t at, const struct lh_row *row, struct lh_buf *out,
		    struct lh_err *err);
int dump_rows(struct lh_tool *tool, const struct lh_index *ix, dump_fn *fn, void *ctx);

/* ---- from.c ---- */

/* A line of --ids; the id and the metadata are its text. */
struct ids_line {
	uint64_t label;
	bool has_label;
	size_t id_n;
};
/* Call take for each line of a file; a wrong line ends the run, since a vector would be left
 * without its id. */
int ids_each(struct lh_tool *tool, const char *file,
	     int (*take)(const struct lh_output *o, void *ctx, struct lh_err *err), void *ctx);

/* Writes lines of --ids; .name is the file, or NULL. */
struct ids_output {
	const char *name;
	struct lh_atomic file;
	struct lh_buf lines;
	struct metadata meta;
};
/* Append the line of a row, with a label or NULL; what is gathered goes to the file in pieces. */
int ids_put(struct ids_output *o, const uint64_t *label, const struct lh_row *row,
	    struct lh_err *err);
int ids_flush(struct ids_output *o, struct lh_err *err);
void ids_close(struct ids_output *o);

/* Read the id of a record, or of a line that is one, of a flow with ids. */
int ids_read(const struct lh_record *rec, const char *field, struct lh_buf *scratch,
	     struct lh_str *id, struct lh_err *err);

/* Report an id that a file of another program has twice: of records the last one counts, but
 * there a vector would be lost without a word. */
int id_doubled(struct lh_str id, struct lh_err *err);

/* Bring an index up to date. */
int index_renew(struct lh_index **ix, struct lh_err *err);
/* Find a live record: 0, or LH_EDATA with status 404. */
int find_row(const struct lh_index *ix, struct lh_str id, uint64_t *at, struct lh_row *row,
	     struct lh_err *err);

/* ---- rows.c: records to rows, on all threads ---- */

/*
 * A row on its way from the threads that read and embed records to the one that
 * stores rows: a head and its bytes.
 */
struct row {
	struct lh_str id, meta, model, text;
	const float *vector;
	size_t n;			/* floats */
	bool made_here;			/* the vector was made from text by the engine */
	bool clears;			/* "metadata":{} */
};

struct rows {
	const struct lh_tool *tool;
	const struct settings *settings;
	struct lh_template *template;
	struct lh_path field;		/* without a template */
	atomic_bool of_persons;		/* a record says that it is of an index of persons */
	const char *engine;		/* NULL: texts are refused, ... */
	char refusal[400];		/* ... for this reason */
	const char *model, *url;	/* of the engine */
	const char *prefix;		/* before each text; NULL: none */
	uint32_t cut;			/* engine gguf: the length of its vectors; 0: its own */
	/* Of the vectors; 0 until a record determines it, and model is set before it
	 * is. A text before that is embedded with the engine's own model and dimension
	 * and is passed on with its vector, so that the sink can embed it again. */
	_Atomic uint32_t dimension;
	struct lh_buf vector;		/* the sink's aligned copy */
};

int rows_init(struct rows *r, struct lh_tool *tool, const struct settings *s,
	      struct lh_err *err);
void rows_free(struct rows *r);

/* Run the input through: rows reach the sink in order.  Operand [0] is INDEX, the
 * others are files. */
typedef int (*row_sink)(const struct row *row, void *ctx, struct lh_err *err);
int rows_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx);

/* Return how to open the engine of the texts. */
struct lh_embedder_options rows_engine(const struct rows *r);

/* Return the name of an engine, or NULL for -1. */
const char *engine_name(int engine);

/* Check a row's dimension and model against the index.  want "": any model. */
int row_fits(const struct row *row, uint32_t dimension, const char *model, struct lh_err *err);

/* Set what no option gave, as it is in the index of --like or by default. */
int settings_fill(struct settings *s, struct lh_err *err);

/* ---- from.c: files of other programs ---- */

/* Read the vectors of the operands, or of stdin, in the format of --from. */
int from_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx);
/* Write all rows in the format of --to. */
int to_run(struct lh_tool *tool, const struct settings *s, const struct lh_index *ix);

/* ---- change.c: appending to INDEX-log ---- */

struct changes {
	struct lh_index_change *c;
	const char *path;
	bool fold;		/* compaction is due */
};

int changes_open(struct changes *ch, const char *path, double lock_timeout, struct lh_err *err);
int changes_store(struct changes *ch, struct lh_err *err);
/* Compact if that is due. */
int changes_fold(struct changes *ch, uint64_t jobs, double lock_timeout, struct lh_err *err);
/* Store what was gathered if it is much, to bound memory; or store the rest, and
 * compact if due. */
int changes_store_some(struct changes *ch, struct lh_err *err);
int changes_finish(struct changes *ch, struct lh_tool *tool, const struct settings *s);
/* Gather a row that was added, after a check of its model. */
int changes_put(struct changes *ch, const struct row *row, struct lh_err *err);

/* ---- merge.c, change.c: rows of another index ---- */

struct transfer {
	struct changes to, from;	/* from: for a move only */
	struct lh_index_identity verified;	/* whose checksums were; all zero: none */
	struct metadata meta;
	float *vector;
	bool keep;		/* of a move: a row that DEST has stays as it is there */
	bool lenient;		/* count rows that DEST refuses, instead of failing */
	uint64_t failed;
};

/* Open DEST and, for a move, SRC; otherwise src is NULL. */
int transfer_open(struct transfer *t, const char *dest, const char *src, double lock_timeout,
		  struct lh_err *err);
void transfer_close(struct transfer *t);
/* Check that the index at path, with rows or without, fits DEST; label: its name in messages. */
int transfer_fits(const struct transfer *t, const char *path, const char *label,
		  struct lh_err *err);
/* Open the index at path to read all its rows, after a check that they fit and that the file is
 * what was written. */
struct lh_index *transfer_source(struct transfer *t, const char *path, struct lh_err *err);
typedef int transfer_fn(struct lh_index_change *c, const char *id, size_t id_len,
			const float *vector, size_t n, const char *meta, size_t meta_len,
			struct lh_err *err);
/* Gather a row of src by that function: 1, 0 if DEST refused it, -1. */
int transfer_row(struct transfer *t, transfer_fn *put, const struct lh_index *src, uint64_t at,
		 const struct lh_row *row, struct lh_err *err);
/* Gather the rows of the index at path that DEST lacks, and store most of them. */
int merge_rows(struct transfer *t, const char *path, struct lh_err *err);
/* Move a batch of rows, and store it: 1 when there are more, 0, -1. */
int move_rows(struct transfer *t, struct lh_err *err);
/* Return whether both paths lead to one file. */
bool same_file(const char *a, const char *b);

/* Set up the reading of records whose texts are embedded as those of an index; s is changed. */
int rows_like(struct rows *r, struct lh_tool *tool, struct settings *s,
	      const struct lh_index_params *p, struct lh_err *err);

/* Write the vector of a row. */
typedef void vector_fn(void *ctx, uint64_t row, float *out);

/* ---- build.c ---- */

extern const struct lh_made made_hnswlib, made_ids;
/* Set *n to how many records an index has; 0 where there is none that can be read, which is -1. */
int index_length(const char *path, uint64_t *n, struct lh_err *err);
/* Check that what an index is about to replace is one, and no playbook. */
int index_replaces(struct lh_tool *tool, const char *path);
/* Show the progress of a commit; ctx is the struct lh_tool. */
void show_stage(void *ctx, const char *stage, uint64_t done, uint64_t of);

/* ---- merge.c ---- */

/* Check after a flow: -1 when a signal asked to stop, so that nothing must be stored. */
int not_stopped(struct lh_tool *tool);

#endif
