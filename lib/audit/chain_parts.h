/* chain_parts - one row of a chain, parsed from the bytes of its line. */
#ifndef LH_CHAIN_PARTS_H
#define LH_CHAIN_PARTS_H

#include "audit/chain.h"
#include "json/json.h"

#define LH_CHAIN_HEX 64		/* hex digits */
#define LH_CHAIN_GENESIS "GENESIS"

struct lh_chain_line {
	struct lh_str id;	/* p NULL: absent, or not a string; the same for these: */
	struct lh_str prev, mac;
	bool bare;		/* has no row_hmac at all */
	const char *text;	/* the signed text: prev and the canonical form */
	size_t n;
};

/* Parses one line after the other; the result is valid until the next.  Begin with zeros. */
struct lh_chain_reader {
	struct lh_record rec;
	struct lh_buf text, strings;
};
void lh_chain_reader_free(struct lh_chain_reader *r);

/* Parse the line p[0..n) without its LF; LH_PAD bytes follow it.  LH_EDATA if it is
 * not a JSON object. */
int lh_chain_line(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l,
		  struct lh_err *err);

/* Return whether the row's MAC verifies under one of the keys.  *last is the key
 * that verified last, which is tried first. */
bool lh_chain_mac_fits(const struct lh_chain_keys *k, const struct lh_chain_line *l, size_t *last);

/* Compute its hex digits under the key that signs. */
void lh_chain_mac(const struct lh_chain_keys *k, const char *text, size_t n,
		  char hex[LH_CHAIN_HEX]);

/* ---- chain_row.c ---- */

/* Read exactly n bytes at offset at. */
int lh_chain_pread(int fd, const char *path, void *p, size_t n, int64_t at, struct lh_err *err);

/* Read the line at offset at of the first size bytes, without its LF; the caller
 * frees it; LH_PAD bytes follow it.  max: maximum of its bytes, 0: none. */
int lh_chain_read_line(int fd, const char *path, int64_t at, int64_t size, uint64_t max,
		       char **line, size_t *n, struct lh_err *err);

/* Find where the rows of the first size bytes end: blank lines after them do not count. */
int lh_chain_end(int fd, const char *path, int64_t size, int64_t *end, struct lh_err *err);

/* Find where the last line of the first size bytes begins, and whether it lacks its
 * LF; size is above 0. */
int lh_chain_last_line(int fd, const char *path, int64_t size, int64_t *at, bool *torn,
		       struct lh_err *err);

/* Cut the log off there, and sync it. */
int lh_chain_cut(int fd, const char *path, int64_t at, struct lh_err *err);

/* Report a row that is too long. */
int lh_chain_too_long(const char *path, int64_t at, uint64_t max, struct lh_err *err);

#endif
