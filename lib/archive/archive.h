/*
 * archive - the contents of compressed files and archives, as streams.
 *
 * gzip, zstd, xz, bzip2 and lz4, each around a single file or a tar; zip.  Read
 * from front to back, from pipes as well.  Nothing is ever extracted: a member's
 * name is only text for messages; links, devices and folders are skipped, and a
 * file compressed twice is refused.  Against decompression bombs there is a maximum
 * ratio of output bytes to input bytes.
 *
 * The functions before struct lh_archive_source are independent; everything else here
 * needs libarchive, which takes milliseconds to load, so that only lh-cat calls it.
 *
 *     a = lh_archive_open(&src, err);
 *     while ((rc = lh_archive_next(a, &name, err)) > 0)
 *             while ((n = lh_archive_read(a, &p, err)) > 0)
 *                     ... p[0..n), valid until the next call
 *     lh_archive_free(a);
 *
 * Errors: LH_EIO with libarchive's reason: damaged, truncated, over the maximum ratio.
 *         Every warning of libarchive is damage, except a name that is not UTF-8.
 */
#ifndef LH_ARCHIVE_H
#define LH_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lh/err.h>

#define LH_ARCHIVE_SNIFF 512	/* bytes that decide the type of a file */

/* Return "gzip", "zstd", "xz", "bzip2", "lz4", "tar" or "zip" by the first bytes of
 * the file, NULL if it is none of them. */
const char *lh_archive_kind(const void *p, size_t n);

/* Return whether the first n bytes are enough to decide.  A line of text is. */
bool lh_archive_decided(const void *p, size_t n);

/* Return the length of a file's name without the ending of a compressed one: ".gz", ".zst",
 * ".xz", ".bz2" or ".lz4". */
size_t lh_archive_stem(const char *name);

/* Return whether the name has that ending, before the one of a compressed file. */
bool lh_archive_named(const char *name, const char *ending);

struct lh_archive_source {
	const void *head;	/* bytes that were already read, ... */
	size_t n_head;
	int fd;			/* ... and the descriptor of the rest */
	uint64_t max_ratio;	/* output bytes per input byte; 0: any */
	void (*before_wait)(void *ctx);	/* called before a read that would wait, or NULL */
	void *ctx;
};

struct lh_archive;
struct lh_archive *lh_archive_open(const struct lh_archive_source *src, struct lh_err *err);
void lh_archive_free(struct lh_archive *a);

/* Go to the next regular file: 1, 0 at the end, -1.  *name is "" if the source is
 * one compressed file and not an archive. */
int lh_archive_next(struct lh_archive *a, const char **name, struct lh_err *err);

/* The same for every entry, for code that validates an archive. */
struct lh_archive_entry {
	const char *name;
	const char *what;	/* "symbolic link", "folder", ...; NULL: a regular file */
	uint64_t size;		/* as stated in the archive */
};
int lh_archive_entry(struct lh_archive *a, struct lh_archive_entry *e, struct lh_err *err);

ssize_t lh_archive_read(struct lh_archive *a, const void **p, struct lh_err *err);

#endif
