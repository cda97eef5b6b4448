/*
 * witness.pml - two witnesses of one state, who cosign the trees of a log that may show each of
 * them another history.
 *
 * Models: lib/tlog/witness.c: read_record, cosign, settle, lh_witness_answer
 * Models: tools/lh-tlog/witness.c: witness_answer
 * Models: lib/file/atomic.c: lh_atomic_put, replace_target
 * Faults: FAULT_NO_LOCK, FAULT_READ_FIRST, FAULT_ANSWER_FIRST, FAULT_RECORD_NOT_SYNCED,
 *	FAULT_NAME_NOT_SYNCED, FAULT_SAME_NOT_WRITTEN, FAULT_OLD_BELIEVED, FAULT_ROOT_BELIEVED,
 *	FAULT_CLOCK
 *
 * An entry is a bit, and a tree is its entries after a first 1: 1 has none, 6 has 1 and 0.  The
 * record is a tree and the time of its cosignature.  A request is any old size and any tree, signed
 * by the log: its proof holds if the tree extends the one in the record.
 *
 * A witness is killed between any two steps; what it has written stays, and the kernel frees its
 * lock.  An answer leaves the process after the lock was dropped, or never.  A power loss ends both,
 * and takes any part of what was not synced: the name of the record, or its bytes.
 *
 * Checked: no two answers contradict each other; the record has all that was answered, so that its
 * size never goes back, and it can always be read; no time is before one that was answered.
 */
#ifndef RUNS
#define RUNS 3		/* requests */
#define HARMS 2		/* kills and power losses, one after another */
#endif

#define SIZE(t) ((t) >= 4 -> 2 : (t) >= 2)
#define FIRST(t, n) ((t) >> (SIZE(t) - (n)))
#define EXTENDS(older, t) (SIZE(t) >= SIZE(older) && FIRST(t, SIZE(older)) == (older))
#define WHEN(condition, then) if :: condition -> then :: else fi

#define TORN 0
#define TREE(r) ((r) & 7)
#define TIME(r) ((r) >> 3)
byte record = 1, record_disk = 1;
bool dirty;			/* the bytes of the record are not synced */

byte lock;			/* who has it: process + 1 */
bool busy[2], killed[2];
byte runs = RUNS, harms = HARMS;
byte answered = 1, answered_at;	/* the largest tree and the latest time that were answered */

/* A name that is replaced before it is on disk may get there or not. */
inline rename_record(to) {
	atomic {
		if
		:: record_disk = record
		:: record_disk != record
		fi;
		assert(EXTENDS(TREE(record), TREE(to)));
		record = to
	}
}

inline sync_folder() {
	record_disk = record
}

inline answer() {
	d_step {
		assert(EXTENDS(answered, tree) || EXTENDS(tree, answered));
		WHEN(SIZE(tree) >= SIZE(answered), answered = tree);
		WHEN(time > answered_at, answered_at = time)
	}
}

inline read_record() {
	d_step {
		last = record;
		assert(last != TORN);
		assert(EXTENDS(answered, TREE(last)))
	}
}

#ifdef FAULT_NO_LOCK		/* two records are made from one: the size goes back */
#define NO_LOCK true
#else
#define NO_LOCK false
#endif

inline take_lock() {
	atomic { lock == 0 || NO_LOCK -> lock = _pid + 1 }
}

/* Read a request and the time, and judge it: 400 and 409, then 422. */
inline judge() {
	select(tree : 1 .. 7);
	select(old : 0 .. SIZE(tree));
	select(time : 1 .. 2);
#ifdef FAULT_OLD_BELIEVED	/* the size goes back */
	WHEN(old <= SIZE(TREE(last)) && FIRST(tree, old) != FIRST(TREE(last), old), goto over);
#elif defined(FAULT_ROOT_BELIEVED)	/* of one size, two trees */
	WHEN(old != SIZE(TREE(last)), goto over);
	WHEN(old < SIZE(tree) && !EXTENDS(TREE(last), tree), goto over);
#else
	WHEN(old != SIZE(TREE(last)), goto over);
	WHEN(!EXTENDS(TREE(last), tree), goto over);
#endif
#ifndef FAULT_CLOCK		/* a clock that goes back states an earlier time */
	WHEN(TIME(last) > time, time = TIME(last));
#endif
	assert(time >= answered_at);
#ifndef FAULT_SAME_NOT_WRITTEN
	last = 0;
#endif
	old = 0
}

active [2] proctype witness() {
	byte tree, old, time, last;
end:	do
	:: atomic { runs > 0 -> runs--; busy[_pid] = true };
		{
#ifdef FAULT_READ_FIRST		/* the record is replaced before the lock is there */
			read_record();
			take_lock();
			atomic { judge() };
#else
			take_lock();
			atomic { read_record(); judge() };
#endif
#ifdef FAULT_ANSWER_FIRST	/* a kill, and another history is cosigned */
			answer();
#endif
#ifdef FAULT_SAME_NOT_WRITTEN	/* a record that a killed witness left is not on disk */
			WHEN(last == (time << 3 | tree), goto known);
#endif
#ifdef FAULT_RECORD_NOT_SYNCED	/* after a power loss it cannot be read */
			atomic { dirty = true; rename_record(time << 3 | tree) };
#else
			rename_record(time << 3 | tree);
#endif
#ifndef FAULT_NAME_NOT_SYNCED	/* after a power loss it is the one before */
			sync_folder();
#endif
known:			WHEN(lock == _pid + 1, lock = 0);
			answer();
over:			skip
		} unless { killed[_pid] };
		atomic {
			WHEN(lock == _pid + 1, lock = 0);
			busy[_pid] = false; killed[_pid] = false;
			tree = 0; old = 0; time = 0; last = 0
		}
	od
}

/* ---- what happens to them ---- */

inline kill(i) {
	killed[i] = true;
	WHEN(lock == i + 1, lock = 0)
}

inline lose_power() {
	WHEN(busy[0], kill(0));
	WHEN(busy[1], kill(1));
	if
	:: record = record_disk
	:: record != record_disk
	:: dirty -> record = TORN
	fi;
	record_disk = record; dirty = false
}

active proctype world() {
end:	do
	:: atomic { harms > 0 -> harms--;
		if
		:: busy[0] && !killed[0] -> kill(0)
		:: busy[1] && !killed[1] -> kill(1)
		:: lose_power()
		fi }
	od
}
