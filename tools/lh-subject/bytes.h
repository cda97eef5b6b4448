/*
 * bytes - texts in any bytes: in files of every kind, and in what is packed in them.
 *
 *     struct byte_search *b = byte_search_new(text, n, err);
 *     rc = byte_search_fd(b, fd, on_hit, ctx, err);
 *     byte_search_free(b);
 *
 * A text is found as it is, with JSON's escapes, percent-encoded, in base64 at each of the three
 * offsets and in both alphabets, and as up to three of these one in another.  A file that is
 * compressed or an archive (archive/archive.h) is searched as it is and unpacked, BYTE_NESTED deep;
 * an index (lhv(5)) is searched as it is and id by id, since its ids have nothing between them.
 *
 * A hit has neither a letter, a digit, "_" nor "-" beside it, after decoding.  With fold case does
 * not count.  A text of telephone characters with BYTE_DIGITS digits is also found by its digits
 * alone, whatever is between them.
 *
 * How:     a table of pairs of bytes says how far no text can end (Wu and Manber); where one may,
 *          it is decoded and compared.  In base64 each character stands for the set of those that
 *          it may be, so that case and alphabet need no second pass.
 * Memory:  some megabytes, whatever the file; a file packed in another is put into an unnamed
 *          file below TMPDIR.
 * Threads: one thread per struct.
 */
#ifndef BYTES_H
#define BYTES_H

#include <lh/buf.h>
#include <lh/str.h>

#define BYTE_NESTED 4
#define BYTE_DIGITS 7
#define BYTE_TEXT_MAX 4096	/* bytes of a text */

struct byte_text {
	struct lh_str text;
	bool fold;
};

struct byte_hit {
	size_t text;		/* which of them, or of the hashes */
	uint64_t at;		/* offset of its first byte, in the member if that is given */
	const char *how;	/* "raw", "json", "percent", "base64", "json+base64", ...; "name":
				   in the name of a member; "ids": in those of an index */
	const char *member;	/* "a.tar/one.jsonl": what is packed in the file; NULL: the file */
};

/* Take a hit: 0 to go on, 1 to end the search, -1 with *err. */
typedef int byte_hit_fn(void *ctx, const struct byte_hit *hit, struct lh_err *err);

struct byte_search;

/* LH_EUSAGE: a text is empty or too long. */
struct byte_search *byte_search_new(const struct byte_text *text, size_t n, struct lh_err *err);

/* Search for texts of which a file has only {"sha256","bytes"}, a line each: the hash and the
 * length of a text as it is.  Each word, or sequence of words, of such a length is hashed. */
struct byte_search *byte_search_hashes(const char *path, struct lh_err *err);
void byte_search_free(struct byte_search *b);

/* Search a text in memory; member as in a hit.  1: fn ended it. */
int byte_search_text(struct byte_search *b, struct lh_str text, const char *member,
		     byte_hit_fn *fn, void *ctx, struct lh_err *err);

/* The same for the name of a file or a member. */
int byte_search_name(struct byte_search *b, const char *name, const char *member, byte_hit_fn *fn,
		     void *ctx, struct lh_err *err);

/* Return the hash of a text that was found by it, LH_HASH_SIZE bytes. */
const void *byte_search_hash(const struct byte_search *b, size_t text);

/* Search a regular file from its beginning.  LH_EIO with a reason: something that is packed in it
 * cannot be unpacked; the rest was searched. */
int byte_search_fd(struct byte_search *b, int fd, byte_hit_fn *fn, void *ctx, struct lh_err *err);

/* ---- bytes.c, for bytes_file.c ---- */

/* Read up to n bytes: their number, 0 at the end, -1. */
typedef ssize_t byte_read_fn(void *from, void *p, size_t n, struct lh_err *err);

/* Search what read gives; member as in a hit. */
int byte_search_stream(struct byte_search *b, byte_read_fn *read, void *from, const char *member,
		       byte_hit_fn *fn, void *ctx, struct lh_err *err);

/* Append a text whose letters are small, where that does not change their length. */
void byte_fold(struct lh_buf *out, struct lh_str text);

#endif
