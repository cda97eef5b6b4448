/*
 * persons_parts - shared by the files of lib/persons.
 *
 *     rows.c      rows of an answer, appended by a process
 *     asked.c     which corpora a request is about
 *     shown.c     whose data an answer shows
 *     filters.c   options of the filters whose answers are looked at
 *     corpora.c   which corpora are of persons
 */
#ifndef LH_PERSONS_PARTS_H
#define LH_PERSONS_PARTS_H

#include "base/table.h"
#include "json/write.h"
#include "persons.h"

struct lh_extract;

struct lh_persons {
	struct lh_persons_how how;
	char **argv;
	struct lh_pool *pool;
	struct lh_persons_known *known;
	size_t n_known, cap_known;
	size_t open;			/* answers whose rows are being appended */
	bool over;			/* the last of them frees it */
	/* in use during one call */
	struct lh_record body, asked;
	struct lh_extract *extract;
	struct lh_intern ids;
	struct lh_buf strings, copy;
};

struct lh_persons_row {
	struct lh_ask ask;		/* its line ends in the open list of members, ... */
	size_t members;			/* ... which begins here */
	struct lh_persons_rows *rows;
};

/* Return the row of a person in an answer, which is begun if there is none; NULL with *err. */
struct lh_persons_row *lh_persons_row_of(struct lh_persons_rows *r,
					 const struct lh_persons_answer *a, struct lh_str id,
					 struct lh_err *err);
/* Add a member that is shown, by its name as a JSON string. */
void lh_persons_add_member(struct lh_persons_row *row, struct lh_str name);

/* Begin the rows of all persons that are shown; *unnamed: there are others. */
int lh_persons_find(struct lh_persons_rows *r, const struct lh_persons_answer *a,
		    bool *unnamed, struct lh_err *err);
/* Begin the rows of what is asked. */
int lh_persons_asked(struct lh_persons_rows *r, const struct lh_persons_answer *a,
		     struct lh_err *err);

/* Return whether NAME.lhv in that folder of the state is of persons, or cannot be read; *there is
 * set if there is one. */
bool lh_persons_kept(struct lh_persons *p, const char *folder, struct lh_str name, bool *there);

/* Return whether a filter of the family answers a route; whether its command has an option that
 * begins so. */
bool lh_persons_run_by(const struct lh_route *r, const char *tool);
bool lh_persons_has_option(const struct lh_route *r, const char *begin);

#endif
