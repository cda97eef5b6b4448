/*
 * bytes - texts in any bytes: in files of every kind, and in what is packed in them.
 *
 *     struct byte_search *b = byte_search_new(texts, on_hit, ctx, err);
 *     rc = byte_search_fd(b, fd, err);
 *     byte_search_free(b);
 *
 * A text is found as it is, with JSON's escapes, percent-encoded, in base64 at each of the three
 * offsets and in both alphabets, and as up to three of these one in another.  A file that is
 * compressed or an archive (archive/archive.h) is searched as it is and unpacked, BYTE_NESTED deep;
 * an index (lhv(5)) is searched as it is and id by id, since its ids have nothing between them.
 *
 * Memory:  some megabytes, whatever the file; a file packed in another is put into an unnamed
 *          file below TMPDIR.
 * Threads: one thread per struct.
 */
#ifndef BYTES_H
#define BYTES_H

#include <sys/types.h>

#include "texts.h"

#define BYTE_NESTED 4
#define BYTE_BY_CHANCE 6	/* fewer bytes are in numbers and in packed bytes by chance */

struct byte_hit {
	size_t text;		/* the number of the text, or of the hash */
	uint64_t at;		/* offset of its first byte, in the member if that is given */
	const char *how;	/* "raw", "json", "percent", "base64", "json+base64", ...; "name":
				   in the name of a member; "ids": in those of an index;
				   "attribute": in that extended attribute */
	const char *member;	/* "a.tar/one.jsonl": what is packed in the file; NULL: the file */
};

/* Take a hit: 0 to go on, 1 to end the search, -1 with *err. */
typedef int byte_hit_fn(void *ctx, const struct byte_hit *hit, struct lh_err *err);

struct byte_search;

/* texts is borrowed. */
struct byte_search *byte_search_new(const struct texts *texts, byte_hit_fn *fn, void *ctx);
void byte_search_free(struct byte_search *b);

/* Search a text in memory.  member and how are those of its hits; how NULL: as they are encoded.
 * 1: fn ended it. */
int byte_search_text(struct byte_search *b, struct lh_str text, const char *member,
		     const char *how, struct lh_err *err);

/* Search a regular file from its beginning.  LH_EIO with a reason: something that is packed in it
 * cannot be unpacked; the rest was searched. */
int byte_search_fd(struct byte_search *b, int fd, struct lh_err *err);

/* Search the extended attributes of an open file, names and values; member is the name. */
int byte_search_attributes(struct byte_search *b, int fd, struct lh_err *err);

/* Return whether the last file has bytes in which texts cannot be found: neither text in UTF-8, nor
 * an index, nor unpacked; a document of an office; or hex or base32 alone. */
bool byte_search_is_opaque(const struct byte_search *b);

/* ---- bytes.c, for bytes_file.c ---- */

/* What bytes may be besides text, while they are read. */
struct byte_judge {
	bool binary, hex, base32;
	uint64_t n;		/* bytes but for line ends */
	size_t cut;		/* bytes of a character that the last bytes end in, ... */
	char head[4];		/* ... which are these */
};
/* Judge the streams that follow, and note at the end of one whether it is opaque. */
void byte_search_judge(struct byte_search *b, bool judge);
void byte_search_set_opaque(struct byte_search *b, bool opaque);

/* Read up to n bytes: their number, 0 at the end, -1. */
typedef ssize_t byte_read_fn(void *from, void *p, size_t n, struct lh_err *err);
int byte_search_stream(struct byte_search *b, byte_read_fn *read, void *from, const char *member,
		       const char *how, struct lh_err *err);

/* Pass over hits of texts of fewer than BYTE_BY_CHANCE bytes where fn returns that the byte at an
 * offset is of a number, or packed.  NULL: nowhere. */
typedef bool byte_numbers_fn(const void *ctx, uint64_t at);
void byte_search_numbers(struct byte_search *b, byte_numbers_fn *fn, const void *ctx);

/* ---- bytes_decode.c ---- */

enum byte_kind { BYTE_RAW, BYTE_JSON, BYTE_PERCENT, BYTE_BASE64, BYTE_KINDS };

#define BYTE_SPARE 4

/* Return the value of a hex digit, 16 for any other character. */
static inline unsigned byte_hex(unsigned char c)
{
	const unsigned char low = c | 0x20;

	return c >= '0' && c <= '9' ? c - 48u : low >= 'a' && low <= 'f' ? low - 87u : 16;
}

/* Undo the percent-encoding of a byte at p, and return its length; 0 if there is none. */
static inline size_t byte_undo_percent(const unsigned char *p, size_t n, unsigned char *to,
				       size_t *made)
{
	*made = 1;
	if (n < 3 || *p != '%' || byte_hex(p[1]) > 15 || byte_hex(p[2]) > 15)
		return 0;
	*to = (unsigned char)(byte_hex(p[1]) << 4 | byte_hex(p[2]));
	return 3;
}

/* Decode p[0..n) into to, and set for each byte where it begins in p; both have n + BYTE_SPARE
 * bytes.  Only what is up to `least` bytes before and after an escape is decoded, with an "x" for
 * what is left out, since anything else is found as it is.  Returns the length. */
size_t byte_decode_escapes(enum byte_kind kind, size_t least, const unsigned char *p, size_t n,
			   unsigned char *to, uint32_t *from);

/* Characters of base64, from start to end. */
struct byte_run {
	uint32_t start, end;
};

/* List the runs of `least` characters or more, n / least + 1 at most.  Returns their number. */
size_t byte_find_runs(size_t least, const unsigned char *p, size_t n, struct byte_run *run);

/* Decode these runs as byte_decode_escapes does, each from character `shift` on and with an LF
 * after it. */
size_t byte_decode_base64(const struct byte_run *run, size_t n, size_t shift,
			  const unsigned char *p, unsigned char *to, uint32_t *from);

#endif
