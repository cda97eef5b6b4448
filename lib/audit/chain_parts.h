/*
 * chain_parts - one row of a chain, parsed from the bytes of its line; the stripes
 * of a log.
 */
#ifndef LH_CHAIN_PARTS_H
#define LH_CHAIN_PARTS_H

#include <lh/chain.h>
#include <lh/json.h>

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

/* ---- chain_file.c ---- */

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

/* ---- stripes: the parts of a log that threads verify ---- */

#define LH_CHAIN_STRIPE ((int64_t)256 << 10)	/* bytes; stays in a core's L2 */

/* A prev_chain_hash or row_hmac as a row states it. */
struct lh_chain_stated {
	char s[LH_CHAIN_HEX];
	size_t n;		/* more than s holds: then it equals no other */
	bool known;
};

static inline bool lh_chain_same(const struct lh_chain_stated *a, const struct lh_chain_stated *b)
{
	return a->n == b->n && a->n <= sizeof a->s && memcmp(a->s, b->s, a->n) == 0;
}

/* The result for the lines that begin in a stripe; rows count from its first. */
struct lh_chain_stripe {
	int64_t begin;			/* offset of the first line */
	uint64_t rows;
	struct lh_chain_stated first_prev;
	/* the first row's fault, apart from its link to the row before */
	enum lh_chain_fault first;
	struct lh_chain_broken {
		uint64_t row;
		enum lh_chain_fault fault;
	} *broken;			/* the others'; only one, if only the first is requested */
	size_t n, cap;
	struct lh_chain_stated before;	/* row_hmac before broken[0] */
	struct lh_chain_stated last;	/* of the last row */
	bool bare;			/* no row has a row_hmac */
	bool torn;			/* a line without LF follows them */
	bool done;
};

/* What all stripes of a log have in common. */
struct lh_chain_source {
	const struct lh_chain_keys *keys;
	const char *path;
	int fd;
	int64_t size;
	const char *id;		/* row 0's candidate_id; NULL: it has none */
	size_t id_n;
	bool id_bad;		/* it is not the subject that the file is named by */
	uint64_t max_row;
	double lock_timeout;
	bool all;		/* report every fault */
};

/* The memory of a thread. */
struct lh_chain_scanner;
struct lh_chain_scanner *lh_chain_scanner_new(const struct lh_chain_source *src);
void lh_chain_scanner_free(struct lh_chain_scanner *w);

/* Verify the lines that begin in stripe k; s keeps its memory. */
int lh_chain_scan(struct lh_chain_scanner *w, int64_t k, struct lh_chain_stripe *s,
		  struct lh_err *err);

#endif
