/*
 * erase.h - the parts of an erasure.
 *
 *     erase.c      the plan, and the rounds in which it is carried out
 *     cut.c        how data are taken out of a place, by its kind
 *     receipt.c    the list of what is changed, and the receipt that is made of it
 *
 * A round lists the places, finds the person and changes one place after the other: first what was
 * made from rows, then these rows, because only by them is it found.  A row goes if it is, by its
 * hash, the one that was found; a file is replaced under the lock of its writers.  Rounds follow
 * until one finds nothing, and so does a second run, since what is erased is not found again.
 *
 * The list, _erasures/HASH.plan, is durable before anything changes.  Its first line has what was
 * asked; then there is one for each place, added before it changes, with what it was, and of a
 * file of a root the rows that are cut out, by which the receipts of the root are made true.  The
 * receipt is made of it.
 */
#ifndef ERASE_H
#define ERASE_H

#include "audit/chain.h"

#include "distill/receipt.h"
#include "file/file.h"
#include "subject.h"

/* A place to change or to report. */
struct target {
	size_t place;
	const char *action, *why;	/* why: of what is by hand or kept */
	bool works;			/* something is changed */
	const struct hit *hit;		/* of the place, n of them; ... */
	size_t n;
	size_t rest[RESTS];		/* ... so many that are erased, looked at, ... */
	size_t others;
	size_t depth;			/* how many steps of lineage its hits are from others */
};

/* Rows that are cut out of a file of a root, whose receipts are made true by them. */
struct cuts {
	struct lh_cut *v;		/* their path is that of the place */
	size_t n, cap;
};

/* What a place is now. */
struct state {
	uint64_t rows, bytes;
	char sha256[65];		/* "": it is not there */
};

/* A line of the list: the first, with what was asked, or what a place was. */
struct line {
	struct lh_str id, receipt, started, reason;
	const struct lh_str *also;
	size_t n_also;
	bool text_too, with_log;

	char *path;			/* of a place, else NULL */
	enum place_kind is;
	struct lh_str name, kind, action, sha256;	/* as they are written */
	uint64_t rows, bytes;
	const struct lh_cut *cut;	/* what was cut out of a file of a root, ... */
	size_t n_cuts;			/* ... of which its receipts do not know yet */
	bool again;			/* an earlier line has the place */

	struct lh_buf file, text;	/* where its strings are */
};

/* What the receipt of an earlier erasure says. */
struct receipt {
	struct lh_str id;		/* p NULL: there is none */
	struct searched {
		uint64_t n[LH_TEXT_KINDS];
		const struct lh_str *hash;	/* of each text, in hex */
		size_t n_hashes;
	} searched;
	struct remains left;
	bool says;			/* what was searched for, as those of old do not */
	uint64_t n_same;		/* of its texts that are searched for now */
	struct lh_buf file, text;
	struct lh_record rec;
};

struct erasure {
	struct lh_tool *tool;
	struct lh_err *err;		/* that of the tool */
	struct settings *s;
	struct person *who;
	struct lh_chain_keys keys;
	const struct lh_hmac *key;	/* of these, that of the hash */
	char hash[65];			/* of the id */
	char id[20];			/* of the receipt: "er-" and 16 digits */
	char started[32];
	struct lh_str reason;
	char *list, *receipt;		/* their paths */
	bool resumed;
	struct receipt before;
	struct lh_lock lock;
	struct lh_applog log;		/* the list */
	struct line *line;
	size_t n_lines, cap_lines;

	/* of a round */
	struct hits hits;
	struct target *target;
	size_t n_targets, cap_targets;
	struct held_root {
		const char *path;
		struct lh_root *root;
	} *held;
	size_t n_held, cap_held;
	size_t in_snapshots;		/* snapshots that had the person, ... */
	struct lh_buf snapshots;	/* ... as JSON, for the receipt, ... */
	struct lh_buf snapshots_by_hand;	/* ... what stays in them, also as JSON, ... */
	struct extent in;		/* ... and what was looked at in all that there are */
	bool looked;			/* a plan has looked there */
};

#define ERASURE(t, settings, person) \
	{ .tool = (t), .err = &(t)->err, .s = (settings), .who = (person), .log = { .fd = -1 }, \
	  .lock = { .fd = -1 } }

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

/* ---- receipt.c ---- */

/* Set the paths and the hash of the id, and read the list and the receipt if there are such. */
int erasure_open(struct erasure *e);
void erasure_close(struct erasure *e);
/* Fail if an erasure of the person was begun with a key that is not there, or if a place of the
 * list is not named, though it is there. */
int erasure_check(struct erasure *e);
/* Wait for the lock of all erasures. */
int erasure_lock(struct erasure *e);
/* Begin: write the first line of the list. */
int erasure_begin(struct erasure *e);
/* Add the line of a place that is about to change. */
int erasure_note(struct erasure *e, const struct target *t, const struct cuts *cuts);
/* Make the receipts of all roots true again. */
int erasure_settle(struct erasure *e);
/* Add what the receipt says is left to what was found, unless that was by all texts that
 * the receipt knows. */
void erasure_left_before(const struct erasure *e, struct remains *left);
/* Count the objects and snapshots in S3 from which the person was erased, of which a bucket may
 * keep older versions, and write them unless w is NULL. */
size_t erasure_versions(struct erasure *e, struct lh_writer *w);
/* Write the receipt, commit it, and remove the list. */
int erasure_finish(struct erasure *e, const struct remains *left);

/* Write a place that is to be taken out by hand, without the person. */
void erasure_write_by_hand(struct erasure *e, struct lh_writer *w, const struct place *p,
			   const char *why);

/* ---- snapshots.c ---- */

/* Print which snapshots of --snapshots have the person; apply: each is restored, the person erased
 * from the copy, and this put back under its time. */
int erasure_snapshots(struct erasure *e, bool apply);

/* ---- cut.c ---- */

/* Take what is erased out of a place, whose line of the list is added before. */
int cut_place(struct erasure *e, const struct target *t);
/* Set what a place is now: its rows, bytes and hash; a place that is gone has the hash "". */
int state_of_place(struct erasure *e, const char *path, enum place_kind kind, struct state *now);
/* Lock a root until the end of the rounds. */
int erase_hold_root(struct erasure *e, const char *path);
/* Do what follows the change of a place: remove locks that a killed run left, and make the
 * manifests of datasets true. */
int place_settle(struct erasure *e, const struct line *was);
/* Remove a file, unless it is gone, and sync its folder. */
int remove_file(const char *path, struct lh_err *err);
/* Append the row `erased` to the person's log, once, and renew the manifest. */
int erase_end_log(struct erasure *e);

#endif
