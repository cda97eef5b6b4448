/*
 * filesearch - a file of records as an index that can be searched at once, and the cache of
 * such indexes.
 *
 *     struct lh_filesearch f;
 *
 *     if (lh_filesearch_is("people.csv") &&
 *         lh_filesearch_open(&f, "people.csv", &how, err) == 0)
 *             ... f.index is the path of an index; f.said is what a person should hear ...
 *     lh_filesearch_close(&f);
 *
 * How:     lh-ingest, as a child, reads CSV, TSV, JSON Lines or Parquet, compressed or in an
 *          archive, and says on which line a record begins; an array of JSON is divided into
 *          lines before, and each text below a folder, and each line of a text, is a record.
 *          The records are looked at twice, in a temporary file without a name: once to choose
 *          the id, and once to give each to lh-index, another child, with its id and its text.
 *          The index has vectors of hash-v4, or of hash-v3 where its table is missing, in one byte
 *          a value, the words themselves, and no graph.
 * Model:   the vectors are a model's, if one is given and a sample says that it reads all texts in
 *          the time that how gives it.
 * Text:    all strings of a record, at any depth, unless how says otherwise.  A record without
 *          one cannot be found, and is counted.
 * Id:      the first of these members that every record has, with another value: called id, with
 *          the last word id, _id, and called, or with the last word, uuid, key, sku, code,
 *          number, in any case; else the line (in an archive the number of the record).
 * Cache:   an index of at least LH_FILESEARCH_KEPT records is kept in the folder of
 *          lh_user_cache(LH_CACHE_RECORDS), of mode 0700, as KEY.lhv with mode 0600.  The key is
 *          a hash of the file's path, size, times and inode, and of how, so that a changed file
 *          has another; what was made of a file that changed or is gone, or has no KEY.json, is
 *          removed when the next index is kept.  KEY.json says whose it is, and is written
 *          before: a killed writer leaves no index without it.  Both are only ever renamed into
 *          place.  The oldest go when all have more than LH_FILESEARCH_BYTES.
 *          What is kept has all that is in the file: personal data, if there are any.  Nothing
 *          of a file in a root or a state is kept, since erasures there, by another user, would
 *          not find it.
 * Memory:  30 bytes a record for each member that may be the id, and what lh-index takes.
 * Errors:  0, or -1 with *err; that of a child is reported on stderr by the child itself.
 * Threads: one thread; a signal is deferred while a child runs.
 */
#ifndef LH_FILESEARCH_H
#define LH_FILESEARCH_H

#include "file/file.h"

#define LH_FILESEARCH_KEPT 5000		/* records of a file whose index is kept */
#define LH_FILESEARCH_MANY 500000	/* records for which a graph is better */
#define LH_FILESEARCH_BYTES (UINT64_C(1) << 30)	/* of all that is kept */

/* A text of more than about 200 words is divided into passages, each a row of the index.  The rows
 * after the first have the id of the record, this sign and a number; the metadata of each row end
 * with this member, {"line":N,"text":"..."}, in place of the text where the record is a text. */
#define LH_PASSAGE_SIGN '\x1f'
#define LH_PASSAGE_MEMBER "lh:passage"

struct lh_filesearch_how {
	const char *field, *template;	/* the text; NULL: all strings */
	const char *id_field;		/* the id; NULL: chosen */
	const char *index;		/* make the index at this path, without passages, and keep
					 * it nowhere else */
	const char *model;		/* of engine gguf, an operand of lh_model_find; or NULL */
	const char *hash;		/* the model of engine hash without it; NULL: the newest */
	double within;			/* seconds that the model may read, INFINITY: any */
	bool lines;			/* each line of a text is a record */
	bool no_cache;
	bool quiet, progress;		/* of the children */
};

struct lh_filesearch {
	char *index;
	struct lh_buf said;		/* "text: name, notes; id: id", and a NUL */
	struct lh_buf warning;		/* such as why nothing is kept, and a NUL; or empty */
	uint64_t records;
	bool id_is_line;		/* no member is the id */
	bool by_model;			/* the model has read all texts */
	bool divided;			/* rows may be passages: LH_PASSAGE_SIGN */
	bool texts, folder;		/* the records are texts: passages of one, or files */
	bool rejected;			/* lh-ingest reported rows, or no record has a text */
	struct lh_tmpdir dir;		/* with the index, if it is not kept */
};

/* Return whether an operand is records in place of an index: standard input ("-"), a regular file
 * or a pipe that is not an index, nor called so, or a folder without an index that has a text. */
bool lh_filesearch_is(const char *operand);

/* Return the model that reads files, an operand of lh_model_find to be freed: the one that is
 * given, else that of LH_MODEL, else LH_FILESEARCH_MODEL if it is installed.  NULL: none, also if
 * that is a model of engine hash. */
#define LH_FILESEARCH_MODEL "all-minilm-l6-v2"	/* as ./bootstrap model installs it */
char *lh_filesearch_model(const char *given);
/* Return the model of engine hash that is named in the same way, or NULL; not to be freed. */
const char *lh_filesearch_hash(const char *given);

/* Make or find the index.  LH_EUSAGE if how names what no record has. */
int lh_filesearch_open(struct lh_filesearch *f, const char *file,
		       const struct lh_filesearch_how *how, struct lh_err *err);
/* Remove what is not kept; an index that is open stays so. */
void lh_filesearch_close(struct lh_filesearch *f);

/* Return the root or state that a path is, or is in, to be freed; NULL: none.  That is a folder
 * with data/_kb, with indexes in index/, or with a roster next to index/. */
char *lh_filesearch_state(const char *path);

/* Call fn for each file in the cache of this user, with the path of the file of records that it
 * was made of, or NULL if that is not known.  A result other than 0 ends it and is returned; -1
 * with *err if the folder cannot be read.  No cache is 0. */
typedef int lh_filesearch_fn(void *ctx, const char *path, const char *source, struct lh_err *err);
int lh_filesearch_each(lh_filesearch_fn *fn, void *ctx, struct lh_err *err);

#endif
