/*
 * index.pml - commits to INDEX-log and compactions, with readers that take no lock.
 *
 * Models: lib/index/change.c: commit, append, append_locked, measure_log, select_frames,
 *	append_batch, append_at, begin_log
 * Models: lib/index/compact.c: compact_locked, locked_swap, swap_files, collect_later_frames,
 *	write_combined_log
 * Models: lib/index/index_file.c: lh_index_open, open_once
 * Models: lib/index/index_log.c: lh_index_log_replay, lh_index_log_extend, open_grown
 * Models: lib/index/index_file.c: lh_index_renew, extend_snapshot
 * Models: lib/file/lock.c: take_once, lh_lock_take, lh_lock_drop
 * Models: lib/file/atomic.c: commit, replace_target
 * Faults: FAULT_UNNAMED_LOCK, FAULT_NOT_REOPENED, FAULT_EXTENDED_ANYWAY, FAULT_NOT_CARRIED,
 *	FAULT_NOT_COMBINED, FAULT_APPEND_NOT_SYNCED, FAULT_NOTHING_NOT_SYNCED,
 *	FAULT_COMMIT_NAMES_NOT_SYNCED, FAULT_SWAP_NAMES_NOT_SYNCED
 *
 * The content of an index is a set of two ids, as two bits.  Its checksum is its content; bit 2
 * is set where other bytes have the same content.  A log is a row of frames, the last of which
 * may be torn.  A name leads to a file, whose number is reused once no name leads to it.
 *
 * A kill takes a writer between any two steps; what it has written stays, and its locks are free.
 * A power loss takes all processes, and any part of what was not synced: the end of a log, the
 * cut of one, each of the two names.  The processes are started again.  One commits, as the lock
 * admits one at a time, and one compacts, as INDEX-compact does.  A log is read in one step,
 * since frames have checksums.  The names are synced at every commit here; a process that has
 * committed to the same two files before does not sync them again.
 *
 * Checked: a reader finds the content after one of the commits, the last that was acknowledged
 * before it began or a later one; so does who opens the index after a power loss.
 */
#define COMMITS 3	/* with a reader, one less */
#define COMPACTIONS 2

#define PUT 1		/* PUT + id */
#define DEL 3		/* of id 0 */
#define TORN 4
#define MARK 16		/* MARK + checksum */
#define LEN (2 * COMMITS + 3)
#define OLD 0		/* what a log was before a cut that is not on disk */
#define LOGS 4

#define READER 0
#define WRITER 1
#define COMPACTOR 2
#define N 3

typedef file {
	byte n, synced;		/* frames: all, and those on disk */
	byte f[LEN]
}
file log[LOGS];
byte log_name, log_on_disk;	/* 0: none */
bool is_cut;			/* there is such a cut */
byte base[COMPACTIONS + 2], bases = 2, name = 1, on_disk = 1;

/* INDEX-lock: its holder, and the file that a process has open, which is at the path or not. */
#define CLOSED 0
#define NAMED 1
#define UNLINKED 2
byte holder, lock_fd[N];

#define IDLE 0
#define BUSY 1
#define DEAD 2
byte state[N];

/* The content after each commit, and how many are acknowledged. */
byte history[COMMITS + 1], last, acked;
byte commits = COMMITS - 1, compactions = COMPACTIONS, kills = 1, power;

byte text[LEN];			/* the log as the compactor has read it */
hidden byte i, j, last_frame, found, ours, one_mark;

inline copy(to, from) {
	for (i : 0 .. LEN - 1) {
		log[to].f[i] = log[from].f[i]
	}
	log[to].n = log[from].n;
	log[to].synced = log[from].synced;
	i = 0
}
inline truncate(l, to) {
	for (i : to .. LEN - 1) {
		log[l].f[i] = 0
	}
	log[l].n = to;
	log[l].synced = (log[l].synced > to -> to : log[l].synced);
	i = 0
}
inline add(l, frame) {
	log[l].f[log[l].n] = frame;
	log[l].n++
}
inline forget_cut() {
	is_cut = false;
	truncate(OLD, 0)
}
inline sync_log(l) {
	log[l].synced = (power -> log[l].n : 0);
	forget_cut()
}

/* The bits of a content with a frame. */
#define APPLY(content, frame) (frame == DEL -> content & ~1 : content | (1 << (frame - PUT)))

/* Go on with a log from frame `from`. */
inline replay(l, checksum, from, in_our_part, content) {
	do
	:: from < log[l].n && log[l].f[from] >= MARK ->
		in_our_part = (log[l].f[from] == MARK + checksum);
		one_mark = (from == 0 && in_our_part);
		from++
	:: from < log[l].n && log[l].f[from] < TORN ->
		content = (in_our_part -> APPLY(content, log[l].f[from]) : content);
		from++
	:: else -> break
	od;
	skip
}

/* Make a log of which no name is on disk; a new file is synced before it is renamed. */
inline new_log(l) {
	l = 1;
	do
	:: l == log_name || l == log_on_disk -> l++
	:: else -> break
	od;
	truncate(l, 0)
}
/* A name that is not on disk may or may not get there before the next one is given. */
inline rename_log(l) {
	if
	:: log_on_disk = log_name
	:: power && log_name != log_on_disk
	fi;
	d_step {
		log_name = l;
		log_on_disk = (power -> log_on_disk : l);
		sync_log(l)
	}
}
inline sync_names() {
	on_disk = name;
	log_on_disk = log_name;
	/* remove the other logs */
	for (j : 1 .. LOGS - 1) {
		if
		:: j != log_name -> truncate(j, 0)
		:: else
		fi
	}
	j = 0
}

/* ---- INDEX-lock ---- */

inline lock(me) {
	do
	:: lock_fd[me] = NAMED;
		if
		:: d_step { lock_fd[me] == NAMED && holder == 0 -> holder = me }; break
		:: d_step { lock_fd[me] == UNLINKED ->
			lock_fd[me] = CLOSED };
#ifdef FAULT_UNNAMED_LOCK	/* breaks: no acknowledged commit is lost */
			break
#endif
		fi
	od;
	true
}
inline unlock(me) {
	for (i : WRITER .. COMPACTOR) {
		lock_fd[i] = (lock_fd[i] == NAMED -> UNLINKED : lock_fd[i])
	}
	i = 0;
	lock_fd[me] = CLOSED;
	holder = (holder == me -> 0 : holder)
}

/* ---- open ---- */

inline open_index(me) {
	do
	:: d_step { file_no = name; checksum = base[name]; stamp = log_name };
		d_step {
			n = 0; in_our_part = false; content = checksum & 3; one_mark = false;
			if
			:: log_name -> replay(log_name, checksum, n, in_our_part, content)
			:: else
			fi;
			one_part = one_mark;
			if
			:: me == COMPACTOR ->
				for (i : 0 .. LEN - 1) {
					text[i] = (i < n -> log[log_name].f[i] : 0)
				}
				i = 0
			:: else
			fi
		};
#ifdef FAULT_NOT_REOPENED	/* breaks: a reader finds the content after a commit */
		break
#endif
		if
		:: file_no == name -> break
		:: else
		fi
	od;
	true
}

/* The content is that after commit p or a later one; p: the first such. */
inline check(content, p) {
	do
	:: p < last && history[p] != content -> p++
	:: else -> break
	od;
	assert(history[p] == content)
}

#ifndef FAULT_EXTENDED_ANYWAY	/* breaks: a reader has all that was acknowledged */
#define EXTENDED (one_part || n == 0)
#else
#define EXTENDED true
#endif

proctype reader() {
	byte file_no, checksum, n, content, seen, stamp;
	bool in_our_part, one_part;

	seen = acked;
	if
	:: open_index(READER);
		d_step {
			file_no = 0; checksum = 0; n = 0; stamp = 0;
			in_our_part = false; one_part = false
		}
	:: atomic { open_index(READER) };
		/* renew: go on with a log that has grown; in other cases the index is opened */
		seen = acked;
end_replaced:	d_step { log_name && (stamp == log_name || stamp == 0) && log[log_name].n >= n &&
			EXTENDED -> replay(log_name, checksum, n, in_our_part, content) };
end_opened:	name == file_no
	fi;
	d_step { check(content, seen) }
}

/* ---- commit ---- */

inline commit_happened() {
	history[last + 1] = APPLY(history[last], frame);
	last++
}

proctype writer() {
	byte frame, content, n, l, checksum, to;
	bool in_our_part;

	do
	:: atomic { commits == 0 -> break }
	:: atomic { commits > 0 -> commits--; state[WRITER] = BUSY };
		{
			lock(WRITER);
			/* read the index, and measure its part of the log */
			atomic {
				if
				:: frame = PUT + (commits & 1)
				:: frame = DEL
				fi;
				d_step {
					checksum = base[name]; l = log_name;
					n = 0; to = 0; in_our_part = false; content = checksum & 3;
					do
					:: l && n < log[l].n && log[l].f[n] != TORN ->
						if
						:: log[l].f[n] >= MARK ->
							in_our_part =
							(log[l].f[n] == MARK + checksum)
						:: else ->
							content = (in_our_part ->
							APPLY(content, log[l].f[n]) : content)
						fi;
						n++;
						to = (in_our_part -> n : to)
					:: else -> break
					od;
					skip
				}
			};
#ifndef FAULT_COMMIT_NAMES_NOT_SYNCED	/* breaks: a power loss takes nothing acknowledged */
			d_step { sync_names() };
#endif
			if
			:: frame == DEL && !(content & 1) ->
#ifndef FAULT_NOTHING_NOT_SYNCED	/* breaks: a power loss takes nothing acknowledged */
				d_step { sync_log(l) };
#endif
				skip
			:: else ->
				if
				:: to == 0 ->
					d_step {
						new_log(l);
						add(l, MARK + checksum); add(l, frame)
					};
					atomic { rename_log(l); commit_happened() };
					d_step { sync_names() }
				:: else ->
					/* cut off what is after our part, and begin to write */
					d_step {
						if
						:: to < log[l].synced && !is_cut ->
							copy(OLD, l);
							is_cut = true
						:: else
						fi;
						truncate(l, to);
						if
						:: !in_our_part -> add(l, MARK + checksum)
						:: else
						fi;
						add(l, TORN)
					};
					d_step {
						log[l].f[to + 1 - in_our_part] = frame;
						commit_happened()
					};
#ifndef FAULT_APPEND_NOT_SYNCED	/* breaks: a power loss takes nothing acknowledged */
					d_step { sync_log(l) }
#endif
				fi
			fi;
			d_step { acked = last; unlock(WRITER) }
		} unless {
			state[WRITER] == DEAD
		};
		d_step { state[WRITER] = IDLE;
			frame = 0; content = 0; n = 0; l = 0; checksum = 0; to = 0;
			in_our_part = false }
	od
}

/* ---- compaction ---- */

/* Collect the frames of the index from frame `from` on. */
inline collect(target, source, sum, first) {
	i = 0; ours = false;
	do
	:: i < log[source].n && log[source].f[i] != TORN ->
		if
		:: log[source].f[i] >= MARK -> ours = (log[source].f[i] == MARK + sum)
		:: log[source].f[i] < MARK && ours && i >= first -> add(target, log[source].f[i])
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
}

/* Collect what was appended since the index was opened. */
inline carry(to) {
#ifndef FAULT_NOT_CARRIED	/* breaks: a reader has all that was acknowledged */
	collect(to, log_name, checksum, n);
#endif
	skip
}

proctype compactor() {
	byte file_no, checksum, n, content, stamp, new, l;
	bool in_our_part, one_part, moot;

	do
	:: atomic { compactions == 0 -> break }
	:: atomic { compactions > 0 -> compactions--; state[COMPACTOR] = BUSY };
		{
			open_index(COMPACTOR);
			lock(COMPACTOR);
#ifndef FAULT_SWAP_NAMES_NOT_SYNCED	/* breaks: a power loss takes nothing acknowledged */
			d_step { sync_names() };
#endif
			/* is it still the index, and the log, that was compacted? */
			atomic {
				if
				:: new = content
				:: new = content + 4
				fi;
				d_step {
					moot = (base[name] != checksum || log[log_name].n < n);
					for (i : 0 .. LEN - 1) {
						moot = moot ||
							(i < n && log[log_name].f[i] != text[i])
					}
					i = 0
				}
			};
			if
			:: moot
			:: else ->
#ifndef FAULT_NOT_COMBINED	/* breaks: a reader has all that was acknowledged */
				if
				:: new != checksum ->
					/* 1: a log of both indexes */
					atomic {
						d_step {
							new_log(l);
							add(l, MARK + checksum);
							collect(l, log_name, checksum, 0);
							add(l, MARK + new);
							last_frame = log[l].n;
							carry(l);
							if
							:: log[l].n == last_frame ->
								truncate(l, last_frame - 1)
							:: else
							fi
						};
						rename_log(l)
					};
					d_step { sync_names() };
					d_step { n = 0; checksum = new }
				:: else
				fi;
#endif
				/* 2: the index */
				atomic {
					if
					:: on_disk = name
					:: power && name != on_disk
					fi;
					d_step { base[bases] = new; name = bases; bases++;
						on_disk = (power -> on_disk : name) }
				};
				d_step { sync_names() };
				/* 3: a log of the new index alone, or none */
				atomic {
					d_step {
						new_log(l);
						add(l, MARK + new);
						carry(l);
						l = (log[l].n > 1 -> l : 0)
					};
					rename_log(l)
				};
				d_step { sync_names() }
			fi;
			d_step { unlock(COMPACTOR) }
		} unless {
			state[COMPACTOR] == DEAD
		};
		d_step { state[COMPACTOR] = IDLE;
			file_no = 0; checksum = 0; n = 0; content = 0; stamp = 0; new = 0; l = 0;
			in_our_part = false; one_part = false; moot = false;
			for (i : 0 .. LEN - 1) {
				text[i] = 0
			}
			i = 0 }
	od
}

/* ---- what goes wrong ---- */

inline kill(victim) {
	state[victim] = (state[victim] == BUSY -> DEAD : state[victim]);
	lock_fd[victim] = CLOSED;
	holder = (holder == victim -> 0 : holder)
}

proctype trouble() {
end_of_trouble:
	do
	:: d_step { kills > 0 -> kills--; kill(WRITER) }
	:: d_step { kills > 0 -> kills--; kill(COMPACTOR) }
	:: atomic { power > 0 -> power--;
		d_step { kill(WRITER); kill(COMPACTOR) };
		if
		:: name = on_disk
		:: on_disk = name
		fi;
		if
		:: log_on_disk = log_name
		:: log_name != log_on_disk -> d_step { log_name = log_on_disk; forget_cut() }
		fi;
		if
		:: is_cut -> d_step { copy(log_name, OLD) }
		:: true ->
			do
			:: log[log_name].n > log[log_name].synced ->
				d_step {
					last_frame = log[log_name].n - 1;
					truncate(log_name, last_frame)
				};
				if
				:: d_step { add(log_name, TORN) }; break
				:: true
				fi
			:: break
			od
		fi;
		d_step {
			sync_log(log_name);
			last_frame = 0; found = base[name] & 3; ours = false;
			replay(log_name, base[name], last_frame, ours, found);
			last_frame = acked;
			check(found, last_frame);
			do
			:: last > last_frame -> history[last] = 0; last--
			:: else -> break
			od;
			skip
		} }
	od
}

init {
	atomic {
		if
		:: power = 1; commits++
		:: run reader()
		fi;
		run writer(); run compactor(); run trouble()
	}
}
