/*
 * roster_parts - what the parts of lh_roster share:
 *
 *     roster_row.c    a worker from a record, packed and unpacked; the table
 *     roster_lines.c  JSON Lines into a table
 *     roster.c        open, find, and an index as a roster
 *
 * A packed worker is its folded id, its id, name, status, city, state and role,
 * the number of blacklisted clients and each of these: strings as a length in
 * groups of seven bits, low ones first, and the bytes; zeros up to a multiple
 * of LH_ROSTER_ALIGN, so that the table can name 32 GiB of them in 32 bits.
 *
 * Private to liblh.
 */
#ifndef LH_ROSTER_PARTS_H
#define LH_ROSTER_PARTS_H

#include "base/id_table.h"
#include <lh/index.h>
#include "base/growable.h"
#include <lh/roster.h>

#define LH_ROSTER_ALIGN 8

/* What turns records into workers; one thread's. */
struct lh_roster_reader {
	struct lh_record rec;
	struct lh_buf plain;	/* strings without their escapes */
	struct lh_buf text;	/* for one that has no LH_PAD behind it */
};
void lh_roster_reader_init(struct lh_roster_reader *rd);
void lh_roster_reader_free(struct lh_roster_reader *rd);

/* Append the worker that a JSON text is, packed.  row_id stands in for an
 * absent candidate_id, or is empty.  LH_EDATA, with a column, says what is
 * wrong; out is then as it was. */
int lh_roster_pack(struct lh_roster_reader *rd, const char *p, size_t n, struct lh_str row_id, struct lh_buf *out, struct lh_err *err);

/* A packed worker; returns where the next one begins. */
const char *lh_roster_unpack(const char *p, struct lh_worker *w);

/* The form in which ids are compared; to has LH_ID_MAX bytes, n is at most that. */
void lh_roster_key(const char *id, size_t n, char *to);

struct lh_roster_table {
	struct lh_growable packed;
	struct lh_idmap ids;	/* from the folded id to an offset / LH_ROSTER_ALIGN */
};
/* Let the n bytes of packed workers count as come after all that are there. */
int lh_roster_add(struct lh_roster_table *t, const char *p, size_t n, struct lh_err *err);
bool lh_roster_get(const struct lh_roster_table *t, struct lh_str key, struct lh_worker *w);
void lh_roster_table_free(struct lh_roster_table *t);

/* Read the lines from fd, which stays the caller's; messages begin with path. */
int lh_roster_read(struct lh_roster_table *t, const char *path, int fd, unsigned jobs, struct lh_err *err);

#endif
