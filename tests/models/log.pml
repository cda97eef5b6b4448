/*
 * log.pml - writers of a transparency log, who append, sign, and recover what others left.
 *
 * Models: lib/tlog/log.c: write_file, write_partial, sync_batch, take_lock, begin, store,
 *	lh_tlog_commit, lh_tlog_sign, put_note, replace, lh_tlog_replace
 * Models: lib/tlog/publish.c: lh_tlog_load_edge, check_growth, remove_partial, end_pending,
 *	settle_pending, check_kept, lh_tlog_settle, lh_tlog_publish
 * Models: lib/tlog/log.c: read_part, lh_tlog_tile, lh_tlog_refresh
 * Models: lib/tlog/log.c: lh_tlog_append_once
 * Models: lib/file/atomic.c: lh_atomic_put, replace_target
 * Faults: FAULT_NO_LOCK, FAULT_SIGN_FIRST, FAULT_PENDING_NOT_SYNCED, FAULT_PENDING_DROPPED,
 *	FAULT_TILES_NOT_SYNCED, FAULT_TILE_REUSED, FAULT_MARK_NOT_SYNCED, FAULT_ROLLED_BACK,
 *	FAULT_REPLACE_ANY
 *
 * An entry is a bit, and a tree is its entries after a first 1: 1 has none, 6 has 1 and 0.  A tile
 * has two entries, and so a log of up to three has the files 0.p/1, 0 and 1.p/1; what the levels
 * above and the bundles have is written, synced and read along with these.  X_disk is what a power
 * loss may bring back of X.
 *
 * A writer is killed between any two writes; what it has written stays, and the kernel frees its
 * lock.  An error that it reports, such as of a full disk, is the same here.  A power loss also
 * takes any part of what was not synced: names, bytes of tiles, the mark in `pending`.  A backup
 * that is put back, while nobody writes, brings an older checkpoint, older tiles or both.
 *
 * Checked: a tree that is signed extends all that were signed, so that none contradicts another; a
 * log that a writer begins with has all entries that were acknowledged; and no writer is refused
 * but after a backup was put back.
 */
#ifndef RUNS
#define RUNS 3		/* of writers */
#define HARMS 2		/* kills, power losses and backups, one after another */
#endif

#define SIZE(t) ((t) >= 8 -> 3 : ((t) >= 4 -> 2 : (t) >= 2))
#define FIRST(t, n) ((t) >> (SIZE(t) - (n)))
#define EXTENDS(older, t) (SIZE(t) >= SIZE(older) && FIRST(t, SIZE(older)) == (older))
#define WHEN(condition, then) if :: condition -> then :: else fi

#define NONE 0
#define TORN 1			/* of another length than the name says */
#define P0 0			/* the files 0.p/1, 0 and 1.p/1 */
#define F0 1
#define P1 2
byte tile[3], tile_disk[3];	/* the entries, as a tree of their own */
bool dirty[3];

#define TREE(p) ((p) & 15)
#define PUBLISHED 16		/* added to `pending` at last, and not synced */
byte checkpoint = 1, checkpoint_disk = 1;
byte pending = PUBLISHED + 1, pending_disk = PUBLISHED + 1;
byte kept;			/* the size of the newest in checkpoints/ */

byte lock;			/* who has it: process + 1 */
bool killed[2], restored;
byte runs = RUNS, harms = HARMS;
byte newest = 1, acknowledged = 1;	/* trees: the last that was signed; all entries told */

/* A name that is replaced before it is on disk may get there or not. */
inline rename_pending(to) {
	atomic {
		if
		:: pending_disk = pending
		:: TREE(pending_disk) != TREE(pending)
		fi;
		pending = to
	}
}

inline rename_checkpoint(to) {
	atomic {
		if
		:: checkpoint_disk = checkpoint
		:: checkpoint_disk != checkpoint
		fi;
		checkpoint = to
	}
}

inline sync_folder() {
	d_step { pending_disk = pending; checkpoint_disk = checkpoint }
}

inline write_file(f, bytes) {
#ifdef FAULT_TILE_REUSED	/* entries that a dead writer left: the next writer is refused */
	WHEN(tile[f] == NONE, atomic { tile[f] = TORN; dirty[f] = true }; tile[f] = bytes)
#else
	atomic { tile[f] = TORN; dirty[f] = true };
	tile[f] = bytes
#endif
}

inline sync_new(f) {
	d_step { tile_disk[f] = tile[f]; dirty[f] = false }
}

/* Set found to the tree of that size in the tiles; TORN if there is none. */
inline load_tree(size) {
	if
	:: size == 0 -> found = 1
	:: size == 1 && tile[P0] > TORN -> found = tile[P0]
	:: size == 1 && tile[P0] == NONE && tile[F0] > TORN -> found = tile[F0] >> 1
	:: size == 2 && tile[F0] > TORN -> found = tile[F0]
	:: size == 3 && tile[F0] > TORN && tile[P1] > TORN -> found = tile[F0] << 1 | tile[P1] & 1
	:: else -> found = TORN
	fi
}

/* ---- writers ---- */

inline end_pending() {
	atomic { WHEN(SIZE(head) >= 2 && tile[P0] != NONE, tile[P0] = NONE; dirty[P0] = true) };
	pending = pending | PUBLISHED
}

inline sign(t) {
	d_step { assert(EXTENDS(newest, t)); newest = t }
}

inline publish(t) {
#ifdef FAULT_SIGN_FIRST		/* the next writer signs another tree: contradiction */
	sign(t);
#endif
	rename_pending(t);
#ifndef FAULT_PENDING_NOT_SYNCED	/* the same after a power loss */
	sync_folder();
#endif
	sign(t);
	rename_checkpoint(t);
	sync_folder();
	head = t;
	end_pending()
}

#define REFUSE assert(restored == true); goto over

#ifdef FAULT_NO_LOCK		/* two writers sign trees of one size: contradiction */
#define NO_LOCK true
#else
#define NO_LOCK false
#endif

inline settle() {
	atomic {
		lock == 0 || NO_LOCK -> lock = _pid + 1;
		WHEN(tree, goto replace);
		head = checkpoint;
		tree = TREE(pending);
		load_tree(SIZE(tree));
		if
		:: SIZE(tree) <= SIZE(head) && !EXTENDS(tree, head) -> REFUSE
#ifndef FAULT_ROLLED_BACK	/* an older checkpoint is extended: entries are lost */
		:: SIZE(tree) > SIZE(head) && pending >= PUBLISHED && !recover -> REFUSE
#endif
		:: SIZE(tree) > SIZE(head) && (pending < PUBLISHED || recover) ->
			WHEN(found != tree || !EXTENDS(head, tree), REFUSE)
		:: else
		fi
	}
	if
#ifndef FAULT_PENDING_DROPPED	/* it may have been signed: contradiction */
	:: SIZE(tree) > SIZE(head) && (pending < PUBLISHED || recover) -> publish(tree)
#endif
	:: tree == head && pending < PUBLISHED ->
#ifndef FAULT_MARK_NOT_SYNCED	/* a power loss takes the checkpoint alone: refused */
		sync_folder();
#endif
		end_pending()
	:: else
	fi;
	atomic {
		load_tree(SIZE(head));
		WHEN(found != head || kept > SIZE(head), REFUSE);
		assert(EXTENDS(acknowledged, head));
		found = 0; tree = head
	}
}

/* Store and publish a tree that has more entries than head. */
inline store() {
	WHEN(SIZE(head) < 2 && SIZE(tree) >= 2, write_file(F0, FIRST(tree, 2)));
	if
	:: SIZE(tree) == 1 -> write_file(P0, tree)
	:: SIZE(tree) == 3 -> write_file(P1, 2 | tree & 1)
	:: else
	fi;
#ifndef FAULT_TILES_NOT_SYNCED	/* after a power loss a tree has no tiles: refused */
	WHEN(SIZE(head) < 2 && SIZE(tree) >= 2, sync_new(F0));
	if
	:: SIZE(tree) == 1 -> sync_new(P0)
	:: SIZE(tree) == 3 -> sync_new(P1)
	:: else
	fi;
#endif
	publish(tree)
}

active [2] proctype writer() {
	byte head, tree, found;
	bool recover;
end:	do
	:: atomic { runs > 0 -> runs--;
		if
		:: tree = checkpoint		/* to be cosigned: read without the lock */
		:: recover = restored
		fi };
		{
			settle();
			if
			:: SIZE(head) < 3 -> tree = head << 1 | _pid; store()
			:: SIZE(head) < 2 -> tree = head << 2 | _pid; store()
			:: publish(head)	/* lh_tlog_sign */
			:: true			/* append_once: the log has the entries */
			fi;
			acknowledged = head;
			goto over;
replace:
#ifndef FAULT_REPLACE_ANY	/* an older checkpoint comes back: refused */
			WHEN(checkpoint != tree, if
			:: EXTENDS(tree, checkpoint) -> atomic { WHEN(kept < SIZE(tree), kept = SIZE(tree)) }
			:: else
			fi; goto over);
#endif
			kept = SIZE(tree);
			rename_checkpoint(tree);
			sync_folder();
over:			skip
		} unless { killed[_pid] };
		atomic {
			WHEN(lock == _pid + 1, lock = 0);
			killed[_pid] = false; head = 0; tree = 0; found = 0; recover = false
		}
	od
}

/* ---- what happens to them ---- */

inline lose(f) {
	if
	:: dirty[f] -> tile[f] = tile_disk[f]
	:: dirty[f] && tile[f] != NONE -> tile[f] = TORN
	:: true
	fi;
	tile_disk[f] = tile[f]; dirty[f] = false
}

inline lose_power() {
	lose(P0); lose(F0); lose(P1);
	if
	:: pending = pending_disk
	:: pending != pending_disk
	fi;
	if
	:: pending = TREE(pending)
	:: pending >= PUBLISHED
	fi;
	if
	:: checkpoint = checkpoint_disk
	:: checkpoint != checkpoint_disk
	fi;
	sync_folder()
}

inline put_back(size) {
	if
	:: tile[P0] = (size == 1 -> FIRST(checkpoint, 1) : NONE);
		tile[F0] = (size == 2 -> FIRST(checkpoint, 2) : NONE);
		tile[P1] = NONE
	:: true
	fi;
	if
	:: checkpoint = FIRST(checkpoint, size)
	:: true
	fi;
	restored = true
}

active proctype world() {
end:	do
	:: atomic { harms > 0 -> harms--;
		if
		:: lock -> killed[lock - 1] = true; lock = 0
		:: lock -> killed[lock - 1] = true; lock = 0; lose_power()
		:: !lock -> lose_power()
		:: !lock && SIZE(checkpoint) > 0 -> put_back(0)
		:: !lock && SIZE(checkpoint) > 1 -> put_back(1)
		:: !lock && SIZE(checkpoint) > 2 -> put_back(2)
		fi }
	od
}
