/*
 * persons - whose data an answer shows, and the rows of it on the chains of lh-subject-audit(1).
 *
 *     struct lh_persons *p = lh_persons_new(&(struct lh_persons_how){
 *             .folder = "s/data/_catalog/subjects", .state = "s", .daemon = "lh-serve" }, err);
 *     struct lh_pool_how how = { .loop = &loop };
 *
 *     lh_persons_command(p, &how);
 *     lh_persons_use(p, lh_pool_new(&how, err));
 *     rc = lh_persons_show(p, &rows, &(struct lh_persons_answer){
 *             .body = body, .route = route, .asked = line, .purpose = "matrix_search",
 *             .trace = trace }, err);
 *     if (rc == 0)                       nothing to wait for: send the answer
 *     if (rc > 0)                        rows.written is called, then send it
 *     if (rc < 0)                        withhold it, with *err
 *
 * A filter that reads records says whose it has used, which is all that counts then
 * (lineage/person_ids.h).  In other answers a person is shown by an object with an id of that
 * header, such as "candidate_id", at any depth.  A corpus is of persons
 * if it says so (params.persons), if one of its first 10,000 records has such an id, or if
 * lh_persons_how names it.  In rows of SQL
 * (columns, and rows that are arrays) the columns of these names have the ids.  In a member "raw",
 * the answer of a model, the JSON object in its text counts.  There is one row for a person and an
 * answer, with the names of the members that are shown.
 *
 * An answer tells also by what it does not show: by a count, an order, an error.  So each request
 * about a corpus of persons has a row of that corpus, whatever the answer is: its subject is
 * "corpus:NAME", of the roster "corpus:roster", of a statement of SQL that says no tables
 * "corpus:sql"; in the place of members it has the SHA-256 of what was asked.
 *
 * The rows are appended by a process of lh-subject-audit, those of one answer together.  They
 * are synced before written is called, as the mode of lh_persons_how says.
 *
 * Owner:   texts of lh_persons_how are the caller's and stay; the rows are the caller's, zero
 *          at first, and stay until they are written.  lh_persons_free may be called before
 *          that.
 * Errors:  LH_EDATA with status 503: withheld.
 * Threads: one thread.
 */
#ifndef LH_PERSONS_H
#define LH_PERSONS_H

#include "json/json.h"
#include "file/held.h"
#include "serve/pool.h"
#include "serve/routes.h"

#define LH_PERSONS_SYNCS "each|batch|none"
enum lh_persons_sync { LH_PERSONS_EACH, LH_PERSONS_BATCH, LH_PERSONS_NONE };

/* Rows that were not written; several may count together. */
struct lh_persons_lost {
	uint64_t rows;			/* and answers that showed persons without their ids */
	bool fails;			/* the last row that was to be written was not, ... */
	char why[300];			/* ... and why, without a name of a log */
};

struct lh_persons_how {
	const char *folder;		/* of the logs */
	const char *const *key;		/* files of keys; none: as lh-subject-audit finds them */
	size_t keys;
	enum lh_persons_sync sync;
	const char *daemon;		/* "lh-serve" */
	const char *state;		/* the folder of the bridge: index/NAME.lhv */
	const char *const *corpus;	/* names of corpora of persons */
	size_t corpora;
	bool required;			/* an answer without its rows is withheld */
	bool text;			/* rows of corpora have what was asked, not a hash alone */
	const char *anchor;		/* that reports are compared with; NULL: as they find it */
	/* Report rows that are missing; or NULL. */
	void (*warn)(void *owner, const char *text);
	void *owner;
	struct lh_persons_lost *lost;	/* counted there, or NULL */
};

/* What is known about a corpus, as its files were then. */
struct lh_persons_known {
	char *name;			/* "index/NAME", "playbook/NAME" */
	struct lh_stamp base, log;
	bool full;			/* it had enough records: its log does not matter */
	int is;				/* 1: of persons; 0; -1: it cannot be read */
};

/* Return whether an index is of persons: 1, 0, or -1 if that cannot be read.  That at path is
 * opened unless what is known of it, .is -1 at first, holds still. */
struct lh_index;
int lh_persons_index(const struct lh_index *ix);
int lh_persons_index_at(struct lh_persons_known *k, const char *path);

/* Return what of a state is of persons: a name below it, such as "index/workers.lhv", to be freed;
 * or NULL.  It is the logs of who looked, an index or a playbook, also one of these names. */
char *lh_persons_in(const char *state, const struct lh_list *named);
/* Check that the keys can be read, and that one is that of the logs of a folder. */
int lh_persons_try_keys(const char *folder, const char *const *key, size_t keys,
			struct lh_err *err);

struct lh_persons;
struct lh_persons *lh_persons_new(const struct lh_persons_how *how);
void lh_persons_free(struct lh_persons *p);

/* Fill in the command of the process that appends, and how many it takes at one time. */
void lh_persons_command(const struct lh_persons *p, struct lh_pool_how *how);
/* Append by that pool, which stays as long as p is used. */
void lh_persons_use(struct lh_persons *p, struct lh_pool *pool);
/* Return whether there is a pool. */
bool lh_persons_ready(const struct lh_persons *p);

/* Return whether an answer without its rows is withheld. */
bool lh_persons_required(const struct lh_persons *p);

/* Return whether a corpus is one of persons: 1, 0, or -1 if that cannot be read. */
int lh_persons_corpus(struct lh_persons *p, struct lh_str name);

/* Return whether an object of the storage is one of a dataset, whose rows may be persons, and cut
 * the key to what follows "datasets/". */
bool lh_persons_dataset(struct lh_str *key);

/* An answer that is about to be sent. */
struct lh_persons_answer {
	struct lh_str body;		/* a JSON object, or anything else */
	const struct lh_route *route;	/* whose filter was asked, or NULL */
	struct lh_str asked;		/* the line that it got, without LF; n 0: none */
	struct lh_str tables;		/* JSON array: the tables that it says it has read */
	struct lh_str used;		/* the persons whose data it says it has used; n 0: the
					 * body is looked at */
	const char *purpose, *trace;	/* trace may be NULL */
	const char *token;		/* name of the token of who asked, or NULL */
	const char *who;		/* it with the user, which follow the daemon; or NULL, "" */
	bool unnamed;			/* it shows persons without their ids */
};

struct lh_persons_row;
struct lh_persons_rows {
	/* The rows are written, or missing, which withheld says; NULL: send the answer. */
	void (*written)(struct lh_persons_rows *r, const char *withheld);

	/* set by lh_persons_show */
	struct lh_persons *persons;
	struct lh_persons_row *row;
	size_t n, cap, open, missing;
	const char *withheld;		/* why, although its rows are written; or NULL */
	char purpose[64];
	bool to_auditor;		/* and is told why a row is missing */
	char why[300];			/* one is, without the folder of its log */
	char told[400];
};

/* Append the rows of an answer: 0 if there is nothing to wait for; 1 if written is called, later;
 * -1 if the answer is withheld. */
int lh_persons_show(struct lh_persons *p, struct lh_persons_rows *rows,
		    const struct lh_persons_answer *a, struct lh_err *err);
/* Free the rows, of which none is open. */
void lh_persons_rows_free(struct lh_persons_rows *r);

/* Ask the commands of configured routes what they do, unless that is known: one that does not say
 * so is an error if rows are required.  Add options to the filters of routes, unless they are
 * there: lh-search and lh-index say whose data they have used; lh-query says which tables it has
 * read, and whether it shows persons without their ids; lh-validate leaves rows of its look-ups;
 * lh-subject-audit compares with the anchor. */
int lh_persons_filters(struct lh_routes *routes, const struct lh_persons_how *how,
		       struct lh_err *err);
/* Let the filters of routes that judge append to a log of decisions, unless they have one; text:
 * with what was asked. */
void lh_persons_decisions(struct lh_routes *routes, const char *path, bool text);
/* Add to the line of a filter that writes rows itself by which token, NULL: none, was asked: a body
 * that has the member is then refused. */
struct lh_writer;
void lh_persons_token(const struct lh_route *r, const char *token, struct lh_writer *w);
/* Return whether a route's filter has --attribute. */
bool lh_persons_attributed(const struct lh_route *r);
/* What a filter with --attribute says at the end of its answer. */
struct lh_persons_said {
	struct lh_buf tables, used;	/* the arrays "tables" and "persons"; or empty */
	bool unnamed;
};
/* Cut it off an answer. */
void lh_persons_cut(struct lh_buf *body, struct lh_persons_said *said);
void lh_persons_said_free(struct lh_persons_said *said);

#endif
