/*
 * review.h - the parts of lh-review.
 *
 *     main.c      options, and the run
 *     models.c    the models and their lineages
 *     cut.c       the diff into bundles of files
 *     bundle.c    the files of a bundle
 *     pool.c      threads that ask, and the order of their answers
 *     ask.c       a bundle to a model, by lh-chat
 *     answer.c    an answer into findings
 *     merge.c     findings of all models into records
 *     summary.c   the last row, and the log
 */
#ifndef REVIEW_H
#define REVIEW_H

#include "file/file.h"
#include "json/write.h"
#include "tool/tool.h"

#define BUNDLE_MOST (60u << 10)	/* bytes of the diff in a bundle of several files */
#define FILE_MOST (100u << 10)	/* of one file, without --oversize */
#define MODELS_MOST 16
#define FINDINGS_MOST 1000	/* of an answer */
#define NEAR 3			/* lines between findings that are one */

struct model {
	struct lh_str name, lineage;
	size_t counted;		/* the first model of this name, which has its counts */
	uint64_t findings;	/* that name it */
	uint64_t asked, failed;	/* questions */
};

struct review {
	struct lh_tool *tool;
	/* options */
	struct lh_list models, lineages;
	const char *label, *branch, *head, *log_path;
	bool oversize;
	double timeout;
	uint64_t retries;

	struct model model[MODELS_MOST];
	size_t n_models;
	struct lh_buf names;		/* lineages of models that have none of their own */
	struct lh_applog log;		/* with --log */
	char git_branch[256], git_head[64];

	/* counts of the summary */
	uint64_t diff_bytes, files, bundles, refused, findings, convergent, unplaced;
};

/* Check the models and set their lineages. */
int models_settle(struct review *r);

/* ---- a bundle ---- */

struct file {
	size_t at, n;		/* its path in the bundle's paths */
};

struct answer {
	struct lh_buf content;
	struct lh_err failed;	/* why there is none, if its code is not LH_OK */
};

struct bundle {
	struct file *file;
	size_t n, cap;
	struct lh_buf paths;
	struct lh_buf diff;	/* valid UTF-8 */
	uint64_t size;		/* bytes of the files in the diff, as they were read */
	struct answer answer[MODELS_MOST];
};

void bundle_reset(struct bundle *b);
void bundle_free(struct bundle *b);
int bundle_add(struct bundle *b, struct lh_str path, const struct lh_buf *text, struct lh_err *err);
struct lh_str bundle_path(const struct bundle *b, size_t file);

/* Return the file of that path, as it is or in quotes; -1 if there is none. */
ssize_t bundle_find(const struct bundle *b, struct lh_str path, struct lh_buf *scratch);

/* Append the bundle as a prompt. */
void bundle_prompt(const struct bundle *b, struct lh_buf *out);

/* Append text; bytes that are not UTF-8 become U+FFFD. */
void add_utf8(struct lh_buf *out, struct lh_str s);

/* ---- the questions ---- */

struct pool;

struct pool *pool_new(struct review *r, struct lh_err *err);
/* Return the bundle to fill next; it is the same one until it is submitted. */
struct bundle *pool_next(struct pool *p);
/* Submit it, and pass on the oldest bundles, as many as must be finished first. */
int pool_submit(struct pool *p, struct lh_err *err);
/* Pass on the bundles that are finished, with wait all of them. */
int pool_pass(struct pool *p, bool wait, struct lh_err *err);
/* Ask nothing more, and wait for the calls that are under way. */
void pool_free(struct pool *p);

struct asker;

struct asker *asker_new(const struct review *r, struct lh_err *err);
void asker_free(struct asker *a);
/* Ask a model for its answer; a failure is in answer->failed. */
void asker_ask(struct asker *a, const struct model *m, const struct bundle *b,
	       struct answer *answer);

/* Read the operands and submit their bundles. */
int cut_run(struct review *r, struct pool *pool);

/* ---- findings ---- */

struct finding {
	ssize_t file;		/* of the bundle; -1: unplaced */
	struct lh_str path;	/* as the model wrote it */
	uint64_t line;		/* 0: none */
	size_t model;
	struct lh_str text;
};

struct findings {
	struct finding *v;
	size_t n, cap;
	struct lh_buf scratch;
};

/* Add those of an answer, which they borrow; *more: it has more than are read. */
int findings_read(struct findings *f, const struct bundle *b, size_t model, struct lh_str answer,
		  bool *more, struct lh_err *err);

/* Print the findings of a bundle, and report the models that failed. */
int merge_bundle(struct review *r, const struct bundle *b, struct lh_err *err);

/* Open the log and find out branch and head; write the last row. */
int summary_open(struct review *r);
int summary_write(struct review *r);

#endif
