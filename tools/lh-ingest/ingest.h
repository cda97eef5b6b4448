/* ingest - what the files of lh-ingest share. */
#ifndef INGEST_H
#define INGEST_H

#include "archive/archive.h"
#include "base/table.h"
#include "catalog/catalog.h"
#include "csv/csv_table.h"
#include "json/write.h"
#include "store/store.h"
#include "tool/op.h"

struct settings {
	bool csv, tsv, parquet, jsonl;	/* the format, if given */
	const char *name, *types, *id, *id_prefix, *delimiter, *quote, *null_text, *sample;
	const char *line;		/* the member with the number of a row's line */
	const char *store, *catalog, *key_file;
	const char *upsert;		/* the column that tells rows apart, or NULL */
	const char *lineage;
	bool fresh;			/* --new */
	bool no_header, null_members, columns, requests, parquet_out, of_persons, append, history;
};

#define FINGERPRINT 1025	/* bytes of one, with its NUL: a catalog may have any text */

/* A run. */
struct ingest {
	struct lh_tool *tool;
	const struct settings *s;
	const char *id, *id_prefix;	/* --id, or what the dataset has */
	uint64_t sample;		/* rows; UINT64_MAX: all */
	char delimiter;			/* 0: by the file's name, or its first row */
	enum lh_csv_quotes quotes;
	struct lh_records *records;
	struct lh_buf out;		/* records not yet passed to lh_tool_out */
	uint64_t rows, pending;		/* rows written; done since the last progress */
	struct keep *keep;		/* with --store: where the records go */
	struct parquet *parquet;	/* the files are Parquet; or NULL */
	struct lh_map ids;		/* hashes of the ids, IDS_MAX at most */
	uint64_t repeated;		/* records with the id of an earlier one */
};

/* Note the id of a record that is written. */
int ingest_id(struct ingest *in, struct lh_str id, struct lh_err *err);

/* Append the member of --line. */
void ingest_line(struct ingest *in, uint64_t line);

/* Return --name, or the first file's name without folder and extension; p NULL: stdin. */
struct lh_str dataset_name(const struct ingest *in);

/* Pass on the records in in->out. */
int ingest_flush(struct ingest *in);

/* Do the same and flush stdout, before a wait for input. */
int ingest_waiting(void *ingest, struct lh_err *err);

/* Read CSV or TSV, and JSON Lines; first is the first file, opened, and taken over.  Of files in
 * Parquet it is not open. */
int ingest_table(struct ingest *in, struct lh_byte_source *first);
int ingest_lines(struct ingest *in, struct lh_byte_source *first);

/* Parquet, by DuckDB's library: the rows of a file as JSON Lines, with all members. */
struct parquet *parquet_new(struct lh_err *err);
void parquet_free(struct parquet *p);	/* NULL is allowed */
int parquet_begin(struct parquet *p, const char *file, struct lh_byte_source *s,
		  struct lh_err *err);
/* After the source is closed: -1 with the reason if there are not all rows. */
int parquet_end(struct parquet *p, struct lh_err *err);

/* Print the line of --columns; null: whether a cell of the column was. */
int describe(struct ingest *in, const struct lh_column *column, const bool *null, size_t n);

/* ---- a dataset ---- */

struct adding {
	const char *key;		/* the column of --upsert, or NULL */
	const char *id, *id_prefix;	/* of the new rows */
	bool numbers;			/* that is one of numbers, which are compared by value */
	struct lh_map keys;		/* of the new rows: the number of the last row with it */
	/* What the new rows are: 1, and where the dataset has the same row, 1 and its number there,
	 * from 1. */
	struct lh_map same;
	uint64_t row, found;		/* in the present object: rows passed; those with a key */
	uint64_t before;		/* rows of the objects before it */
	enum { OF_DATASET, NEW_TWICE, NEW_SAME } rows;	/* what is passed, and which go */
	struct sink *stay, *past;	/* where rows go, or NULL */
	uint64_t added, replaced, repeated, unchanged;
	char now[32];
	struct lh_record rec;
	struct lh_buf text, form;
	struct lh_buf objects, history;	/* as the manifest will have them */
	unsigned long number;		/* of the last part */
};

struct keep {
	struct lh_str name;
	char id[LH_DATASET_ID + 1];
	char *key, *parquet_key;	/* once the fingerprint is known */
	char *id_column, *id_prefix;	/* of the dataset, or NULL */
	struct lh_buf lineage;
	struct lh_catalog_dataset was;	/* name.p NULL: there is none yet */
	struct adding add;
	struct lh_child_writer writer;
	int fd;				/* of the file without a name */
	struct lh_tmpdir dir;		/* of the file in Parquet */
	int parquet_fd;			/* or -1 */
	struct lh_store *store;
	struct lh_lock lock;
	struct lh_transfer sent, parquet_sent;
};

/* With --store: begin to keep the records. */
int keep_open(struct ingest *in);
void keep_close(struct ingest *in);

/* Check that the dataset is new, or has these columns: else LH_EDATA with 409.  Rows that are added
 * may lack some, and their types become those of the dataset, where these hold them; written: texts
 * and numbers are told apart already.  fingerprint: that of the dataset. */
int keep_check(struct ingest *in, struct lh_column *column, size_t n, bool written,
	       char fingerprint[FINGERPRINT]);

/* Put the objects, register them, and print what the dataset is now. */
int keep_finish(struct ingest *in, struct lh_column *column, size_t n);

/* Make the key datasets/NAME/FINGERPRINT.ENDING, to be freed. */
char *make_key(const struct keep *k, struct lh_str fingerprint, const char *ending);
/* Write an object as a manifest has it. */
void write_object(struct lh_writer *w, const char *key, const struct lh_transfer *sent);

/* --upsert: note the keys of the new rows, and leave out those whose key a later one has. */
int take_keys(struct ingest *in, struct lh_err *err);
/* Check that rows of the dataset have the ids that new ones have: else LH_EDATA with 409. */
int check_ids(struct keep *k, const char *id, const char *prefix, struct lh_err *err);
/* Put the new rows as a part, and make the lists of the manifest. */
int put_parts(struct ingest *in, struct lh_err *err);
/* Delete the objects of the dataset that its manifest m does not name.  That is registered: a
 * failure is reported, and left to the next run. */
void sweep_parts(struct ingest *in, const struct lh_catalog_dataset *m);

/* Write JSON Lines in zstd, open as fd, to the file path as Parquet. */
int parquet_write(int fd, const struct lh_column *column, size_t n, const char *path,
		  struct lh_err *err);

/* Answer requests, each of which names a table to keep. */
int ingest_requests(struct ingest *in);
/* Of a request; of a dataset that was kept. */
extern const struct lh_bind request_members[], kept_members[];

/* ---- rows of any table as records ---- */

/* A column with what is written before its values. */
struct member {
	const char *key;	/* ,"name": */
	size_t n;
	enum lh_column_type type;
	bool dropped;		/* --id or --line gives it another value */
	bool json;		/* its text is JSON already */
};

struct rows {
	struct ingest *in;
	const char *file;	/* the first one */
	/* Return the text of cell i of the row, valid until the next call; p NULL: null. */
	struct lh_str (*cell)(void *table, size_t i);
	void *table;
	struct member *member;
	struct lh_column *column;	/* allocated, but for their names */
	size_t n, id;		/* id: the column of --id */
	bool *null;		/* by column: a cell was */
	struct lh_buf keys;
	uint64_t line;		/* of the row */
};

#endif
