/*
 * file_digest - files hashed while they are read or written, two at a time;
 * not installed.
 *
 * What one file comes with waits until another one comes, and both are hashed
 * together (lh_sha256_more2).
 *
 *     lh_hash2_add(&all, &file, &block);      block: what comes next; then empty
 *     lh_hash2_show(&all, &file, p, n);       the same of bytes that are not given away
 *     lh_hash2_end(&all, &file, hash);
 *     lh_hash2_free(&all, &file);
 *
 * Memory:  a block for each file.
 * Threads: one thread for all.
 */
#ifndef LH_FILE_DIGEST_H
#define LH_FILE_DIGEST_H

#include <lh/buf.h>
#include <lh/digest.h>

struct lh_hash2_file {
	struct lh_sha256 hash;
	struct lh_buf held;
};

struct lh_hash2 {
	struct lh_hash2_file *waiting;	/* the one that holds something, or NULL */
};

void lh_hash2_start(struct lh_hash2_file *f);

void lh_hash2_add(struct lh_hash2 *all, struct lh_hash2_file *f, struct lh_buf *block);
void lh_hash2_show(struct lh_hash2 *all, struct lh_hash2_file *f, const char *p, size_t n);
void lh_hash2_end(struct lh_hash2 *all, struct lh_hash2_file *f, unsigned char out[32]);

/* With or without an end. */
void lh_hash2_free(struct lh_hash2 *all, struct lh_hash2_file *f);

#endif
