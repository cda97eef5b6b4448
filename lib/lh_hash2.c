/* lh_hash2.c - files hashed two at a time.  See lh_hash2_int.h. */
#include "lh_hash2_int.h"

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

/* What b holds, and what f waits with. */
static void both(struct lh_hash2_file *f, struct lh_hash2_file *g, const struct lh_buf *b)
{
	size_t n = f->held.len < b->len ? f->held.len : b->len;

	lh_sha256_more2((struct lh_sha256 *[]){ &f->hash, &g->hash }, (const void *[]){ f->held.p, b->p }, n);
	lh_sha256_more(&f->hash, f->held.p + n, f->held.len - n);
	lh_sha256_more(&g->hash, b->p + n, b->len - n);
	lh_buf_reset(&f->held);
}

void lh_hash2_add(struct lh_hash2 *all, struct lh_hash2_file *f, struct lh_buf *block)
{
	struct lh_buf empty;

	settle(all, f);
	if (all->waiting) {
		both(all->waiting, f, block);
		all->waiting = NULL;
	} else if (block->len) {
		empty = f->held;
		f->held = *block;
		*block = empty;
		all->waiting = f;
	}
	lh_buf_reset(block);
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
