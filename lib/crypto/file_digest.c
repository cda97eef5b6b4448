/* file_digest.c - files hashed two at a time.  See file_digest.h. */
#include "file_digest.h"

void lh_hash2_start(struct lh_hash2_file *f)
{
	lh_sha256_start(&f->hash);
	lh_buf_init(&f->held, LH_BUF_NOMAX);
}

static void settle(struct lh_hash2 *all, struct lh_hash2_file *f)
{
	if (all->waiting != f)
		return;
	lh_sha256_more(&f->hash, f->held.p, f->held.len);
	lh_buf_reset(&f->held);
	all->waiting = NULL;
}

/* What is waiting, and what f comes with. */
static void both(struct lh_hash2 *all, struct lh_hash2_file *f, const char *p, size_t n)
{
	struct lh_hash2_file *w = all->waiting;

	lh_sha256_more2((struct lh_sha256 *[]){ &w->hash, &f->hash }, (const void *[]){ w->held.p, p }, (size_t[]){ w->held.len, n });
	lh_buf_reset(&w->held);
	all->waiting = NULL;
}

void lh_hash2_add(struct lh_hash2 *all, struct lh_hash2_file *f, struct lh_buf *block)
{
	struct lh_buf empty;

	settle(all, f);
	if (all->waiting) {
		both(all, f, block->p, block->len);
	} else if (block->len) {
		empty = f->held;
		f->held = *block;
		*block = empty;
		all->waiting = f;
	}
	lh_buf_reset(block);
}

void lh_hash2_show(struct lh_hash2 *all, struct lh_hash2_file *f, const char *p, size_t n)
{
	settle(all, f);
	if (all->waiting) {
		both(all, f, p, n);
		return;
	}
	lh_buf_reset(&f->held);
	lh_buf_add(&f->held, p, n);
	if (f->held.failed)
		lh_sha256_more(&f->hash, p, n);
	else
		all->waiting = f;
}

void lh_hash2_end(struct lh_hash2 *all, struct lh_hash2_file *f, unsigned char out[32])
{
	settle(all, f);
	lh_sha256_end(&f->hash, out);
}

void lh_hash2_free(struct lh_hash2 *all, struct lh_hash2_file *f)
{
	if (all->waiting == f)
		all->waiting = NULL;
	lh_buf_free(&f->held);
}
