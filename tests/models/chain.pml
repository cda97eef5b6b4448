/*
 * chain.pml - rows of an audit chain, and their commitment to a transparency log.
 *
 * Models: lib/audit/chain_append.c: open_tail, hold_log, write_rows, release_log, sync_tail,
 *	lh_chain_append
 * Models: lib/audit/chain_row.c: lh_chain_repair, cut_tail
 * Models: lib/audit/chain_verify.c: lh_chain_verify, open_log
 * Models: lib/audit/commitment.c: make_secret, lh_opening_key, lh_commit_read, lh_commit_write
 * Models: tools/lh-subject-audit/commit.c: commit_all, commit_log, commit_rows, sync_log
 * Models: tools/lh-subject-audit/commit.c: batch_open, batch_look, find_late, batch_add,
 *	flush, batch_end, write_state
 * Faults: FAULT_ROW_NOT_SYNCED, FAULT_LOG_NOT_SYNCED, FAULT_FOLDER_NOT_SYNCED, FAULT_NO_LOCK,
 *	FAULT_NOT_LOOKED_UP, FAULT_LOOKED_UP_FIRST, FAULT_LOST_NOT_SEARCHED, FAULT_STATE_FIRST,
 *	FAULT_STATE_OVER_TORN, FAULT_CURSOR_NOT_SYNCED
 *
 * A row is a number, one for each that was ever written.  The log is of one subject.  An entry of
 * the tree is a row and the secret that it was committed with.  What lh_tlog_append stores is in
 * the tree at the next lh_tlog_begin as a whole, or not at all, and what it has returned is on
 * disk: log.pml is about that.
 *
 * An appender or a commit is killed between any two steps; what it has written stays, and its
 * locks are free.  A power loss takes all processes, and any part of what was not synced: the rows
 * at the end of the log, each name that was given.  A cursor may be lost alone, as by a person.
 *
 * Checked: no row is twice in the tree; none that a commit has read is left out; a row that is in
 * the tree is in the log; and so is a row that was acknowledged.  One gap is known: open_tail sets
 * `made` in the process that created the log alone.  If that one is killed before it has synced the
 * folder, rows that others acknowledge are on disk under a name that may not be.  So a row counts
 * as acknowledged here if the name was on disk as well.
 */
#define ROWS 3
#define COMMITS 3
#define HARMS 2
#define TREE 5

byte log[ROWS + 1], n, synced;		/* the numbers of its rows */
bool torn;				/* half a line is at the end */
bool exists, exists_disk;		/* the name of the log */
byte secret, secret_disk, secrets;	/* 0: none */
byte cursor, cursor_disk;		/* the number of rows committed; 0: no cursor */
byte state, state_disk;			/* .tlog: its size and 1; 0: none */
byte tree[TREE], size, pending;		/* pending: entries after size that are to be published */
byte rows = ROWS, written, commits = COMMITS - 1, harms = HARMS, acked;
byte log_lock, commit_lock;		/* who has it: process + 1 */

#define N 3			/* an appender and two commits */
#define IDLE 0
#define BUSY 1
#define DEAD 2
byte process[N];

hidden byte i, j, twice, there;

#define ROW(entry) ((entry) & 7)
#define ENTRY(row) ((row) | secret << 3)

inline sync_folder() {
	d_step {
		exists_disk = exists; secret_disk = secret; cursor_disk = cursor;
		state_disk = state
	}
}
/* A name that is not on disk may get there or not before it is given anew. */
inline give(name, disk, value) {
	atomic {
		if
		:: disk = name
		:: harms && disk != name
		fi;
		d_step { name = value; disk = (harms -> disk : value) }
	}
}

inline check_tree() {
	twice = false; there = true;
	for (i : 0 .. TREE - 1) {
		for (j : 0 .. TREE - 1) {
			twice = twice || (i < j && tree[i] && ROW(tree[i]) == ROW(tree[j]))
		}
	}
	assert(!twice);
	for (i : 0 .. TREE - 1) {
		if
		:: tree[i] ->
			there = false;
			for (j : 0 .. ROWS) {
				there = there || (j < n && log[j] == ROW(tree[i]))
			};
			assert(there)
		:: else
		fi
	}
	i = 0; j = 0
}

/* ---- append ---- */

proctype appender(byte me) {
	byte mine;
	bool made;

	do
	:: atomic { rows == 0 -> break }
	:: d_step { rows > 0 && !torn && log_lock == 0 ->	/* a torn log is refused */
		rows--; process[me] = BUSY; log_lock = me + 1;
		made = !exists; exists = true };
		{
			torn = true;
			d_step {
				torn = false; written++; log[n] = written; n++; mine = n;
				log_lock = 0
			};
			if
			:: skip		/* LH_CHAIN_NONE */
			:: true ->
#ifndef FAULT_ROW_NOT_SYNCED	/* breaks: an acknowledged row is in the log */
				synced = n;
#endif
				if
				:: made -> sync_folder()
				:: else
				fi;
				acked = (exists_disk && mine > acked -> mine : acked)
			fi
		} unless {
			process[me] == DEAD
		};
		d_step { made = false; mine = 0; process[me] = IDLE }
	od
}

proctype repair() {
end_of_repair:
	do
	:: d_step { torn && log_lock == 0 -> torn = false; synced = n }
	od
}

/* ---- commit ---- */

/* Publish what a killed writer of the tree has left. */
#define PUBLISH size = size + pending; pending = 0

#ifndef FAULT_NO_LOCK		/* breaks: no row is twice in the tree */
#define LOCKED commit_lock == 0
#else
#define LOCKED true
#endif

inline look() {
	d_step {
		from = (cursor == 0 && secret == 0 -> size :
#ifndef FAULT_LOST_NOT_SEARCHED	/* breaks: no row is twice in the tree */
			(cursor == 0 || state == 0 -> 0 : state - 1));
#else
			(state == 0 -> 0 : state - 1));
#endif
		looked = size
	}
}

proctype commit(byte me) {
	byte from, looked, verified, at, before, k;
	bool passed_over;

	do
	:: atomic { commits == 0 -> break }
	:: d_step { commits > 0 && LOCKED -> commits--; process[me] = BUSY; commit_lock = me + 1 };
		{
#ifdef FAULT_LOOKED_UP_FIRST	/* breaks: no row is twice in the tree */
			look();
			d_step { PUBLISH };
#else
			d_step { PUBLISH };
			look();
#endif
			/* verify the rows that are there now */
			d_step { log_lock == 0 -> passed_over = torn; verified = n; at = cursor };
			assert(at <= verified);
			if
			:: passed_over
			:: else ->
				if
				:: at < verified ->
#ifndef FAULT_LOG_NOT_SYNCED	/* breaks: a row of the tree is in the log */
					synced = n;
#endif
					if
					:: secret == 0 ->
						secrets++;
						give(secret, secret_disk, secrets);
						sync_folder()
					:: else
					fi;
					/* the rows that a killed run has appended */
					d_step {
						k = at; i = from;
#ifndef FAULT_NOT_LOOKED_UP	/* breaks: no row is twice in the tree */
						do
						:: i < looked && k < verified ->
							if
							:: tree[i] == ENTRY(log[k]) -> k++; i = from
							:: else -> i++
							fi
						:: else -> break
						od;
#endif
						i = 0
					};
#ifndef FAULT_FOLDER_NOT_SYNCED	/* breaks: a row of the tree is in the log */
					sync_folder();
#endif
					if
					:: k < verified ->
						d_step { PUBLISH };
						d_step {
							do
							:: k < verified ->
								tree[size + pending] =
									ENTRY(log[k]);
								pending++; k++
							:: else -> break
							od;
							check_tree()
						};
						d_step { PUBLISH }
					:: else
					fi;
#ifdef FAULT_STATE_FIRST	/* breaks: no row is twice in the tree */
					give(state, state_disk, size + 1);
#endif
					give(cursor, cursor_disk, verified);
					sync_folder()
				:: else
				fi
			fi;
			if
			:: from == size
#ifndef FAULT_STATE_OVER_TORN	/* breaks: no row is twice in the tree */
			:: passed_over
#endif
			:: else ->
#ifndef FAULT_CURSOR_NOT_SYNCED	/* breaks: no row is twice in the tree */
				sync_folder();
#endif
				give(state, state_disk, size + 1);
				sync_folder();
			fi;
			d_step {
				/* none is left out */
				for (i : 0 .. ROWS) {
					there = (passed_over || i >= verified);
					for (j : 0 .. TREE - 1) {
						there = there ||
							(j < size && ROW(tree[j]) == log[i])
					};
					assert(there)
				}
				i = 0; j = 0;
				commit_lock = 0
			}
		} unless {
			process[me] == DEAD
		};
		d_step { from = 0; looked = 0; verified = 0; at = 0; k = 0;
			passed_over = false; process[me] = IDLE }
	od
}

/* ---- what goes wrong ---- */

inline kill(victim) {
	process[victim] = (process[victim] == BUSY -> DEAD : process[victim]);
	log_lock = (log_lock == victim + 1 -> 0 : log_lock);
	commit_lock = (commit_lock == victim + 1 -> 0 : commit_lock)
}
inline lose(name, disk) {
	if
	:: name = disk
	:: disk = name
	fi
}

proctype trouble() {
end_of_trouble:
	do
	:: d_step { harms > 0 && process[0] == BUSY -> harms--; kill(0) }
	:: d_step { harms > 0 && process[1] == BUSY -> harms--; kill(1) }
	:: d_step { harms > 0 && process[2] == BUSY -> harms--; kill(2) }
	:: d_step { harms > 0 && cursor && commit_lock == 0 -> harms--;
		cursor = 0; cursor_disk = 0 }
	:: atomic { harms > 0 -> harms = 0;
		d_step { kill(0); kill(1); kill(2) };
		lose(exists, exists_disk);
		lose(secret, secret_disk);
		lose(cursor, cursor_disk);
		lose(state, state_disk);
		if
		:: !exists -> d_step { n = 0; synced = 0; torn = false }
		:: else
		fi;
		do
		:: n > synced -> d_step { n--; log[n] = 0; torn = false };
			if
			:: torn = true; break
			:: true
			fi
		:: break
		od;
		d_step {
			synced = n;
			assert(acked <= n);
			check_tree()
		} }
	od
}

init {
	atomic {
		if
		:: d_step {	/* one row was committed before */
			rows--; commits++;
			written = 1; log[0] = 1; n = 1; synced = 1; acked = 1;
			exists = true; secrets = 1; secret = 1; cursor = 1;
			tree[0] = ENTRY(1); size = 1; state = 2;
			exists_disk = true; secret_disk = 1; cursor_disk = 1; state_disk = 2 }
		:: true
		fi;
		run appender(0); run commit(1); run commit(2);
		run repair(); run trouble()
	}
}
