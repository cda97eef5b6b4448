/*
 * roster - who there is: workers by candidate_id, from JSON Lines or from
 * the metadata of an index.
 *
 *     r = lh_roster_open("workers.jsonl", jobs, err);
 *     if (lh_roster_find(r, id, n, &scratch, &w, err) > 0 &&
 *         lh_worker_blacklisted(&w, client, client_n)) ...
 *     lh_roster_close(r);
 *
 * A worker is {"candidate_id","name","status"?,"city"?,"state"?,"role"?,
 * "blacklisted_clients"?:[]}; other members are passed over.  All are strings,
 * the list one of strings; null, "" and blanks alone count as absent.  Ids are
 * looked up without the blanks around them and without ASCII case, so that ids
 * that differ in case are one id, and have LH_ID_MAX bytes at most.
 *
 * JSON Lines are read whole, once, and of each line the fields above are kept:
 * some 80 bytes a generated worker, 90 with its place in the table.  The line
 * that comes last for an id replaces those before it with all they said.
 * Compressed files, archives, BOM, CRLF, blank lines and a missing last LF are
 * read as the tools read their input, lines of 256 MiB at most.  One that is no
 * worker ends the opening: "workers.jsonl:17: missing string field \"name\"".
 * "-" is stdin; a tool that reads its records from there must refuse that.
 *
 * An index, known by its first bytes whatever its name, costs nothing to open;
 * its pending changes count.  A row's candidate_id is that of its metadata,
 * else the row's id.  An id is first looked up as it stands among the ids of
 * rows, and the row found is the answer if it is that candidate's.  The first
 * look-up that finds none checks the checksums of ids and metadata and reads
 * them, once, into the same table as for lines; those that find none after it
 * ask the table, where the row that comes last is the one that counts.  So an
 * id that several rows have in different case is found in each as it is
 * written, and else in the last.  A row that is no worker, or is damaged, is an
 * error for the look-up that meets it, and for all that need the table: never a
 * miss.
 *
 * Owner:   the caller closes the roster.  A worker's strings point into it or
 *          into scratch, and are valid until the next call with that scratch,
 *          which is lh_roster_find's own: each call empties it.
 * Errors:  messages begin with the path.  LH_EDATA: a bad line; LH_ECORRUPT: a
 *          damaged index; LH_EIO.
 * Threads: any number may look up at once, each with a scratch of its own.
 */
#ifndef LH_ROSTER_H
#define LH_ROSTER_H

#include <lh/json.h>

LH_C_BEGIN

struct lh_worker {			/* as stored; n = 0: absent */
	struct lh_str candidate_id;	/* without the blanks around it */
	struct lh_str name, status, city, state, role;
	const char *blacklist;		/* for lh_worker_blacklisted */
	size_t blacklist_n;
};

struct lh_roster;
/* jobs: threads that read lines, 1 or more. */
LH_API struct lh_roster *lh_roster_open(const char *path, unsigned jobs, struct lh_err *err);
LH_API void lh_roster_close(struct lh_roster *r);
/* Did its file change since, or go?  Never of a pipe. */
LH_API bool lh_roster_stale(const struct lh_roster *r);
/* What is there by now, or NULL with *err: r itself, to be closed once more, if
 * nothing changed.  r stays open. */
LH_API struct lh_roster *lh_roster_renew(struct lh_roster *r, unsigned jobs, struct lh_err *err);

/* Workers; of an index its live rows. */
LH_API uint64_t lh_roster_count(const struct lh_roster *r);

/* 1: *w is that worker; 0: there is none; -1 with *err.  Of a roster from JSON
 * Lines it allocates nothing and never fails. */
LH_API int lh_roster_find(const struct lh_roster *r, const char *id, size_t n, struct lh_buf *scratch, struct lh_worker *w, struct lh_err *err);

/* Is that client among the worker's blacklisted_clients, blanks around it and
 * ASCII case left out?  An empty one never is. */
LH_API bool lh_worker_blacklisted(const struct lh_worker *w, const char *client, size_t n);

LH_C_END

#endif
