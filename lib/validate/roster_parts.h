/*
 * roster_parts - workers as they are packed, and their table, in roster.c.
 *
 * A packed worker is its folded id, its id, name, status, city, state and role, the
 * number of blacklisted clients and each of these.  A string is its length in
 * groups of seven bits, low ones first, and its bytes.  Zeros follow up to a
 * multiple of LH_ROSTER_ALIGN, so that the table can address 32 GiB of workers with
 * 32 bits.
 */
#ifndef LH_ROSTER_PARTS_H
#define LH_ROSTER_PARTS_H

#include "base/table.h"
#include "index/index.h"
#include "base/mem.h"
#include "validate/roster.h"

#define LH_ROSTER_ALIGN 8

/* Converts records to workers; one for each thread, which begins with zeros. */
struct lh_roster_reader {
	struct lh_buf plain;	/* unescaped strings */
	struct lh_record rec;	/* the metadata of a row, ... */
	struct lh_buf text;	/* ... copied, as LH_PAD bytes must follow it */
};

/* Write the form in which ids are compared; `to` has LH_ID_MAX bytes, n is at most
 * that. */
void lh_roster_key(const char *id, size_t n, char *to);

struct lh_roster_table {
	struct lh_growable packed;
	struct lh_table ids;	/* from the folded id to an offset / LH_ROSTER_ALIGN */
};
bool lh_roster_get(const struct lh_roster_table *t, struct lh_str key, struct lh_worker *w);
void lh_roster_table_free(struct lh_roster_table *t);

/* Read the lines from fd, which stays the caller's; messages begin with path. */
int lh_roster_read(struct lh_roster_table *t, const char *path, int fd, unsigned jobs,
		   struct lh_err *err);

#endif
