/* index.h - shared by the commands of lh-index. */
#ifndef INDEX_H
#define INDEX_H

#include <stdatomic.h>

#include "tool/records.h"
#include <lh/index.h>
#include "json/template.h"
#include "embed/embedder.h"

enum {
	V_BUILD = 1,
	V_ADD = 2,
	V_DELETE = 4,
	V_INFO = 8,
	V_DUMP = 16,
	V_VERIFY = 32,
	V_COMPACT = 64,
	V_MERGE = 128,
	V_MOVE = 256
};

struct settings {
	int distance, precision, encoding;
	bool rescore;
	int engine;			/* enum lh_engine, -1: not given */
	uint64_t m, ef_construction, ef_search, exact_below, seed, batch;
	uint64_t dimension;		/* 0: not given */
	bool lexical, allow_empty;
	const char *model, *url, *field, *template;
	double lock_timeout;
	struct lh_list id;
};

#define TEXT_FIELD "text"		/* embedded unless --field or --template is given */

/* One function per command; the operands are tool->operands. */
int index_build(struct lh_tool *tool, void *settings);
int index_add(struct lh_tool *tool, void *settings);
int index_delete(struct lh_tool *tool, void *settings);
int index_info(struct lh_tool *tool, void *settings);
int index_dump(struct lh_tool *tool, void *settings);
int index_verify(struct lh_tool *tool, void *settings);
int index_compact(struct lh_tool *tool, void *settings);
int index_merge(struct lh_tool *tool, void *settings);
int index_move(struct lh_tool *tool, void *settings);

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
	const char *engine;		/* NULL: texts are refused, ... */
	char refusal[400];		/* ... for this reason */
	const char *model, *url;	/* of the engine */
	/* Of the vectors; 0 until a record determines it, and model is set before it
	 * is. A text before that is embedded with the engine's own model and dimension
	 * and is passed on with its vector, so that the sink can embed it again. */
	_Atomic uint32_t dimension;
	struct lh_buf vector;		/* the sink's aligned copy */
};

int rows_init(struct rows *r, const struct settings *s, struct lh_err *err);
void rows_free(struct rows *r);

/* Run the input through: rows reach the sink in order.  Operand [0] is INDEX, the
 * others are files. */
typedef int (*row_sink)(const struct row *row, void *ctx, struct lh_err *err);
int rows_run(struct rows *r, struct lh_tool *tool, row_sink sink, void *ctx);

/* Return the name of an engine, or NULL for -1. */
const char *engine_name(int engine);

/* Check a row's dimension and model against the index.  want "": any model. */
int row_fits(const struct row *row, uint32_t dimension, const char *model, struct lh_err *err);

/* ---- change.c: appending to INDEX-log ---- */

struct changes {
	struct lh_index_change *c;
	bool fold;		/* compaction is due */
};

int changes_store(struct changes *ch, struct lh_err *err);
/* Compact if that is due. */
int changes_fold(struct changes *ch, const char *path, struct lh_tool *tool,
		 const struct settings *s);
/* Store what was gathered if it is much, to bound memory; or store the rest, and
 * compact if due. */
int changes_store_some(struct changes *ch, struct lh_err *err);
int changes_finish(struct changes *ch, struct lh_tool *tool, const struct settings *s);

/* ---- merge.c: copying rows of another index ---- */

/* Check that rows of the index at path fit one with parameters want. */
int index_same_kind(const char *path, const struct lh_index_params *want,
		    const struct lh_index_params *has, struct lh_err *err);

/* Check after a flow: -1 when a signal asked to stop, so that nothing must be stored. */
int not_stopped(struct lh_tool *tool);

#endif
