/*
 * roster - the workers, by candidate_id, from JSON Lines or from the metadata of an
 * index.
 *
 *     r = lh_roster_open("workers.jsonl", jobs, err);
 *     if (lh_roster_find(r, id, n, &scratch, &w, err) > 0 &&
 *         lh_worker_blacklisted(&w, client, client_n)) ...
 *     lh_roster_close(r);
 *
 * A worker is {"candidate_id","name","status"?,"city"?,"state"?,"role"?,
 * "blacklisted_clients"?:[]}; other members are ignored.  All are strings, the last
 * a list of strings; null, "" and blanks count as absent.  Ids are compared without
 * surrounding blanks and without ASCII case, so ids that differ in case are one id;
 * they have at most LH_ID_MAX bytes.
 *
 * JSON Lines are read once, at the start; the fields above are kept: about 80 bytes
 * for a generated worker, 90 with its entry in the table.  The last line of an id
 * replaces all earlier ones completely.  Compressed files, archives, BOM, CRLF,
 * blank lines and a missing last LF are read as the tools read their input, lines
 * of at most 256 MiB.  A line that is not a worker ends the opening:
 * "workers.jsonl:17: missing string field \"name\"".  "-" is stdin; a tool that
 * reads its records from there must refuse that.
 *
 * An index, recognized by its first bytes whatever its name, costs nothing to open;
 * its pending changes are included.  The candidate_id of a row is that of its
 * metadata, else the row's id.  An id is first searched, as given, among the ids of
 * rows, and the row found is the answer if it is that candidate's.  The first
 * search that finds none there verifies the checksums of ids and metadata and reads
 * them, once, into the same table as for lines; this and all later searches that
 * find none among the ids of rows use the table, where the last row of an id
 * counts.  So an id that several rows have in different case is found in each as
 * written there, and otherwise in the last.  A row that is not a worker, or is
 * damaged, is an error of the search that meets it, and of all that need the table:
 * never a miss.
 *
 * Owner:   the caller closes the roster.  A worker's strings point into it or into
 *          scratch, which lh_roster_find empties at each call: they are valid until the
 *          next call with that scratch.
 * Errors:  messages begin with the path.  LH_EDATA: a bad line; LH_ECORRUPT: a damaged
 *          index; LH_EIO.
 * Threads: any number may search at the same time, each with a scratch of its own.
 */
#ifndef LH_ROSTER_H
#define LH_ROSTER_H

#include "json/json.h"

struct lh_worker {			/* as stored; n = 0: absent */
	struct lh_str candidate_id;	/* without surrounding blanks */
	struct lh_str name, status, city, state, role;
	const char *blacklist;		/* for lh_worker_blacklisted */
	size_t blacklist_n;
};

struct lh_roster;
/* Open a roster.  jobs: threads that read lines, 1 or more. */
struct lh_roster *lh_roster_open(const char *path, unsigned jobs, struct lh_err *err);
void lh_roster_close(struct lh_roster *r);

/* Return the number of workers; of an index that of its live rows. */
uint64_t lh_roster_count(const struct lh_roster *r);

/* Find a worker: 1 with *w; 0 if there is none; -1 with *err.  In a roster from
 * JSON Lines it allocates nothing and never fails. */
int lh_roster_find(const struct lh_roster *r, const char *id, size_t n,
		   struct lh_buf *scratch, struct lh_worker *w, struct lh_err *err);

/* Return whether client is one of the worker's blacklisted_clients, without
 * surrounding blanks and ASCII case.  An empty client never is. */
bool lh_worker_blacklisted(const struct lh_worker *w, const char *client, size_t n);

#endif
