/*
 * replay.h - the parts of lh-replay.
 *
 *     answer.c    the words of a text; the model's answer, that of a dry run, and their check
 *     corpus.c    samples of the export or of an index for a task, as artifacts
 *     row.c       the artifacts that the model is shown; the run as a row, and the log
 *     run.c       tasks through all of that, one after the other
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdatomic.h>

#include "crypto/secret.h"
#include "json/write.h"
#include "model/chat.h"
#include "tool/op.h"
#include "base/table.h"
#include "distill/root.h"

#define BATCH 64	/* tasks in one pass over the corpus; bits of a mask */
#define HITS 8		/* artifacts of a task, ... */
#define SUCCESSES 3	/* ... of which the accepted and ... */
#define FAILURES 2	/* ... the partially accepted go into the bundle */
#define STEPS 10
#define PREVIEW 240	/* code points */
#define SHORTEST 80	/* code points of an answer */
#define LONGEST ((size_t)1 << 20)	/* bytes of a task; also of those that share a pass */

/* The members of a record. */
extern const struct lh_bind task_members[];

struct replay {
	struct lh_tool *tool;
	/* options */
	const char *root_path, *log_path, *index_path, *task, *local_model, *escalation_model,
		*trace_id, *url, *token_file;
	struct lh_secret token;		/* for url; p NULL: none */
	bool local_only, allow_escalation, no_retrieval, dry_run;
	double timeout;
	uint64_t retries;

	struct lh_root *root;
	char *corpus_path;
	struct replay_log *log;
	atomic_bool retrieved;		/* at least once */
	_Atomic uint64_t runs, failed;	/* failed: those not passed */
};

/* The state that lh_held reopens; the corpus is read for each batch. */
struct held {
	struct replay *r;
	struct lh_index *index;		/* NULL without --index */
	struct lh_keys *keys;		/* NULL with --dry-run */
};

/* ---- answer.c ---- */

/* A word is a run of at least three ASCII letters, digits and "_"; case does not
 * count. */
struct word_iter {
	const unsigned char *p, *end;
	struct lh_str word;	/* as written */
	uint32_t hash;		/* of the folded word */
};
void word_iter_init(struct word_iter *it, const char *p, size_t n);
bool word_next(struct word_iter *it);

struct words {
	struct lh_buf text;	/* of the words, folded */
	struct word {
		size_t at, n;
		uint64_t mask;	/* bits of the owners of the word */
		uint64_t seen;	/* for the user of the set */
	} *word;
	size_t n, cap;
	struct lh_table map;
	uint64_t filter[1024];	/* bits of the hashes in the set */
};
void words_free(struct words *w);
void words_reset(struct words *w);
/* Add the words of a text, with every bit of mask as an owner. */
int words_add(struct words *w, const char *p, size_t n, uint64_t mask, struct lh_err *err);
/* Return the set's entry for the word at it, or NULL. */
struct word *words_find(struct words *w, const struct word_iter *it);

/* ---- corpus.c ---- */

/* A sample's JSON, kept while a task may use it. */
struct kept {
	unsigned refs;
	size_t id_n, n;
	char *text;		/* LH_PAD bytes follow */
	char id[];
};

struct hits {			/* best first, ties by the bytes of the id */
	size_t n;
	struct hit {
		double score;
		struct kept *kept;
	} v[HITS];
};
void hits_reset(struct hits *h);

struct artifact {
	struct lh_str rag_id, source_run_id, title, content, preview, success_score;
	struct lh_value tags;
	double score;
};
struct found {
	size_t n;
	struct artifact v[HITS];
	struct lh_record scan;
	struct lh_buf text;	/* strings that had escapes */
};
void found_free(struct found *f);
/* Convert the hits to artifacts, valid as long as the hits and until the next call. */
int found_read(struct found *f, const struct hits *h, struct lh_err *err);
/* The members that make a sample an artifact, as written: strings, and an array of them. */
struct sample {
	struct lh_value id, title, content, source_run_id, success_score, tags;
};

/* Find samples for n <= BATCH tasks; hits[i] is reset first. */
struct corpus;
struct corpus *corpus_new(const char *path);
void corpus_free(struct corpus *c);
int corpus_find(struct corpus *c, const struct lh_str *const *task, struct hits *const *hits,
		size_t n, struct lh_err *err);

struct index;
struct lh_index;
/* Return whether embedding a text for it needs a service. */
bool index_asks(const struct lh_index *ix);
struct index *index_new(const struct lh_index *ix, const char *path, struct lh_err *err);
void index_free(struct index *x);
int index_find(struct index *x, const struct lh_str *task, struct lh_str trace, struct hits *hits,
	       struct lh_err *err);

/* ---- row.c ---- */

struct bundle {
	const struct artifact *all, *success[SUCCESSES], *failure[FAILURES];
	size_t n, n_success, n_failure, n_steps;
	struct lh_str step[STEPS];
	uint64_t tokens;
};
void bundle_make(struct bundle *b, const struct found *f);

/* ---- answer.c ---- */

/* Append the user's prompt for the model; bundle NULL: there was no retrieval. */
void prompt_print(struct lh_buf *out, const struct lh_str *task, const struct bundle *b);
extern const char prompt_preface[];
void dry_answer(struct lh_buf *out, const struct bundle *b);

/* Append the reasons against the answer, JSON strings with commas between them;
 * none if it passes. */
int judge(const struct lh_str *answer, const struct bundle *b, struct words *steps,
	  struct lh_buf *reasons, struct lh_err *err);
/* The same if there is no answer: "what: why". */
void judge_failed(struct lh_buf *reasons, const char *what, const struct lh_err *why);

/* ---- row.c ---- */

struct row {
	struct lh_str task, answer;
	const char *model_used, *path[2];	/* path: the models asked, n_path of them */
	size_t n_path;
	const char *task_class;
	const struct found *found;
	const struct bundle *bundle;	/* NULL: no retrieval */
	const struct lh_buf *reasons;
	uint64_t duration_ms;
	bool dry_run, no_retrieval;
	struct lh_str trace;		/* n = 0: none */
	char recorded_at[32];
};
void row_print(struct lh_buf *out, const struct row *r);

/* Open the log, at start, so that a wrong name is reported before any work.  Rows
 * may be added from any thread. */
struct replay_log *log_open(struct replay *r, struct lh_err *err);
int log_append(struct replay_log *l, const char *row, size_t n, struct lh_err *err);
int log_close(struct replay_log *l, struct lh_err *err);

/* ---- run.c ---- */

/* Run the tasks of the tool's operands. */
int run_tasks(struct replay *r, struct lh_held *held);
/* --task: append the row of that one task. */
int run_task(struct held *held, const char *task, struct lh_buf *out, struct lh_err *err);

#endif
