/*
 * erase.h - the parts of an erasure.
 *
 *     erase.c         the plan, and the rounds in which it is carried out
 *     erasure.c       the journal, the receipt and their files
 *     erase_state.c   what these share: places as they are, locked roots
 *     erase_rows.c    rows of files of lines
 *     erase_index.c   records of indexes and playbooks
 *     erase_store.c   rows of objects, and what manifests of datasets say of them
 *     erase_rest.c    whole files, the subject's manifest and audit log
 *
 * A round lists the places, finds the person and changes one place after the other: first what was
 * made from rows, then these rows, because only by them is it found.  A file is replaced under
 * the lock of its writers, and only if it is still the file in which the rows were found.  Rounds
 * follow until one finds nothing.
 *
 * The journal is durable before anything changes, and says for each file what it was before.  A
 * line is added before a file of a root is replaced, with which the receipts of the root are made
 * true afterwards, by this run or by the one after a kill.
 */
#ifndef ERASE_H
#define ERASE_H

#include <lh/chain.h>

#include "distill/receipt.h"
#include "file/file.h"
#include "file/held.h"
#include "subject.h"

#define ERASURE_ID 20		/* bytes of "er-" and 16 digits, with NUL */

struct erasure;
struct target;
typedef int erase_fn(struct erasure *e, const struct target *t);

/* A place to change or to report. */
struct target {
	size_t place;
	const char *action, *why;	/* why: of what is by hand or kept */
	erase_fn *fn;			/* NULL: nothing is changed */
	const struct hit *hit;		/* of the place, n of them; ... */
	size_t n;
	size_t rest[RESTS];		/* ... so many that are erased, looked at, ... */
	size_t others;
	size_t depth;			/* how many steps of lineage its hits are from others */
};

/* What a place was before. */
struct was {
	char *path, *action;
	enum place_kind kind;
	uint64_t rows, bytes;
	char sha256[65];		/* "": it was not there */
};

/* Lengths of a file that receipts name, before it was replaced and after. */
struct cuts {
	char *root, *path;
	char from[65];			/* hash of the file that was replaced */
	struct lh_cut *cut;		/* their path is the one above */
	size_t n, cap;
};

/* What the first line of the journal says. */
struct erasure_plan {
	struct lh_str receipt, started, reason;
	const struct lh_str *also;
	size_t n_also;
	bool text_too, with_log;
};

struct held_root {
	const char *path;
	struct lh_root *root;
};

struct erasure {
	struct lh_tool *tool;
	struct settings *s;
	struct person who;
	struct lh_chain_keys keys;
	const struct lh_hmac *key;	/* of these, that of the hash */
	char hash[65];			/* of the id */
	char id[ERASURE_ID];		/* of the receipt */
	char started[32];
	char *reason;
	char *journal, *receipt;	/* their paths */
	bool resumed;
	struct lh_lock lock;
	struct lh_applog log;		/* the journal */

	struct was *was;
	size_t n_was, cap_was;
	struct cuts *cuts;
	size_t n_cuts, cap_cuts;

	/* of a round */
	struct hits hits;
	struct target *target;
	size_t n_targets, cap_targets;
	struct lh_stamp *stamp;		/* of each place, from before the search */
	struct held_root *held;
	size_t n_held, cap_held;
	struct lh_buf by_hand;		/* the array of the receipt */
	struct lh_buf old_versions;	/* of objects: those that stay, as JSON */
};

static inline const struct place *place_of(const struct erasure *e, const struct target *t)
{
	return &e->s->places.v[t->place];
}

/* Return whether some of a place is by hand. */
static inline bool is_by_hand(const struct target *t)
{
	return !strcmp(t->action, "by hand") ||
	       (t->rest[REST_BY_HAND] && strcmp(t->action, "kept"));
}

/* Return whether a hit is erased. */
static inline bool is_mine(const struct erasure *e, const struct hit *h)
{
	const char *why;

	return hit_rest(e->s, &e->who, h, &why) == REST_LEFT;
}

/* ---- erasure.c ---- */

/* Set the paths and the hash of the id, and read the journal if there is one. */
int erasure_open(struct erasure *e, const struct person *who);
void erasure_close(struct erasure *e);
/* Fail if an erasure of the person was begun with a key that is not there. */
int erasure_check_keys(struct erasure *e);
/* Fail if a place of the journal is not listed, though it is there. */
int erasure_check_places(struct erasure *e);
/* Wait for the lock of all erasures. */
int erasure_lock(struct erasure *e);
/* Begin: write the journal with the targets of the plan. */
int erasure_begin(struct erasure *e);
/* Add a line to the journal for a place that is not in it. */
int erasure_note(struct erasure *e, const struct target *t);
/* Add a line for a file of a root that is about to be replaced. */
int erasure_note_cuts(struct erasure *e, const struct cuts *c);
/* Make the receipts of all roots true again. */
int erasure_settle(struct erasure *e);
/* Append the id of the receipt that is there, with NUL; 1, 0 if there is none, -1. */
int erasure_receipt_id(struct erasure *e, struct lh_buf *id);
/* Write the path of a place without its end that is made of an id, or has the person. */
void erasure_write_path(struct erasure *e, struct lh_writer *w, enum place_kind k,
		       const char *path);
/* Add what the receipt says is left to what was found, unless that was by all texts that
 * the receipt knows. */
int erasure_left_before(struct erasure *e, struct remains *left);

/* Set e->by_hand from the last plan, before the places are listed again. */
void erasure_list_by_hand(struct erasure *e);
/* Write the receipt, commit it, and remove the journal. */
int erasure_finish(struct erasure *e, const struct remains *left);

/* ---- erase_state.c ---- */

/* Return the place of that path, or NULL. */
const struct place *place_named(const struct erasure *e, const char *path);
/* Set bytes and hash of an open file. */
int erase_hash_file(int fd, struct was *now, struct lh_err *err);
/* Set what a place is now: its rows, bytes and hash; a place that is gone has the hash "". */
int state_of_place(struct erasure *e, const char *path, enum place_kind kind, struct was *now);
/* Lock a root until the end of the rounds; NULL with the error of the tool. */
struct lh_root *erase_hold_root(struct erasure *e, const char *path);
void erase_release_roots(struct erasure *e);
/* Add a copy of a text that names the person, unless it is there. */
void erase_add_also(struct erasure *e, struct lh_str text);

/* ---- erase_rows.c ---- */

/* Lines without those that are erased, as a stream: any number of line_filter_more, and
 * line_filter_end. */
struct line_filter {
	const struct erasure *e;
	const struct target *t;		/* whose hits are the lines */
	struct lh_str stone;		/* what takes the place of a line; n 0: nothing */
	int (*write)(void *to, const void *p, size_t n, struct lh_err *err);
	void *to;
	struct cuts *cuts;		/* lengths, ascending; or NULL */
	uint64_t line;			/* begins as 1 */

	uint64_t at, out, rows;		/* bytes read and written, lines erased */
	size_t next, next_cut;
	bool begun;			/* in a line */
};
int line_filter_more(struct line_filter *f, const char *p, size_t n, struct lh_err *err);
int line_filter_end(struct line_filter *f, struct lh_err *err);

/* ---- by kind ---- */

erase_fn erase_tombstones, erase_rows, erase_index, erase_object, erase_file, erase_spool,
	erase_secret;

/* Remove the locks of the cursors of a log that a killed run left. */
void erase_sweep_cursors(const char *log);
/* Add {"path","version","why"} of old versions that could not be deleted to e->old_versions. */
int object_settle(struct erasure *e, const struct was *was);
/* Append the row `erased` to the person's log, once, and renew the manifest. */
int erase_end_log(struct erasure *e);
/* Set where the person's file with that ending is, to be freed. */
char *own_path(struct erasure *e, const char *ending);

#endif
