/* relevance.h - shared by the files of lh-relevance. */
#ifndef RELEVANCE_H
#define RELEVANCE_H

#include "tool/op.h"
#include "base/table.h"
#include "json/bind.h"
#include "json/write.h"

struct settings {
	const char *focus;
	double threshold;
	bool kept;
	bool each;		/* a line for each record: --on-error emit */
};

/* ---- score.c: the file under review ---- */

/* Iterate over the words of a text: runs of letters, digits, underscores and bytes
 * above 0x7f. */
struct words {
	const char *at, *end;
};

enum { WORD_MIN = 3 };	/* least bytes of a word that counts for overlap */

/* Add a word to the set; fold converts it to lower case. */
int words_add(struct lh_map *set, struct lh_str word, bool fold, struct lh_err *err);

struct focus {
	struct lh_str path, folder, name;	/* n = 0: none; folder ends with its slash */
	struct lh_map tokens, defined, imported;
	struct lh_buf text;		/* the path */
	struct lh_buf from;		/* the JSON it was read from */
};
void focus_free(struct focus *f);

/* The members of the object that describes it; without text those that are absent. */
struct review {
	struct lh_str path, text;
	const struct lh_str *defined, *imported;
	size_t n_defined, n_imported;
};
extern const struct lh_bind review_members[];

/* Make the sets of r, which was bound from the object from, unless f has them already. */
int focus_set(struct focus *f, const struct review *r, const struct lh_value *from,
	      struct lh_err *err);

/* Longer paths are refused everywhere. */
#define PATH_LONGEST 4096
int path_check(struct lh_str path, const char *name, struct lh_err *err);
/* Return a path without a leading "./". */
struct lh_str path_plain(struct lh_str path);

/* ---- score.c: scoring a chunk ---- */

enum signal {
	PATH_MATCH,
	FILENAME_MATCH,
	DEFINED_SYMBOL,
	TOKEN_OVERLAP,
	PATH_PREFIX,
	IMPORT_ONLY,
	SIGNALS
};

struct verdict {
	bool signal[SIGNALS];
	uint64_t shared, all;	/* tokens in both, tokens in either */
	double score;
};
int score_chunk(const struct focus *f, struct lh_str path, struct lh_str text, struct verdict *v,
		struct lh_err *err);

/* Append "signals":[{"signal":...,"weight":...},...]. */
void score_put_signals(const struct verdict *v, struct lh_writer *json);

/* ---- score.c ---- */

lh_op_command gate_run;
extern const struct lh_bind gate_members[], gate_answer[];

#endif
