/* sections.c - write the sections of an index file. */
#include "writer.h"

#include <string.h>

/*
 * Newer kernels cache the bytes of one write(2) in pages as large as the write and
 * map such a page whole when any byte is touched: a single query, which touches a
 * thousand scattered rows, would then hold most of the file in memory.  With writes
 * of 64 KiB it holds a fifth, and long runs are as fast.
 */
static void flush(struct lh_index_out *o)
{
	if (!o->failed)
		o->failed = lh_pwrite_all(o->fd, o->piece, o->n, (off_t)o->at, &o->err) < 0;
	o->at += o->n;
	o->n = 0;
}

void lh_index_section_begin(struct lh_index_out *o, uint32_t kind)
{
	struct lh_index_header *h = o->header;

	h->section[h->n_sections] = (struct lh_index_section){ .kind = kind, .at = h->file_bytes };
	o->at = h->file_bytes;
	o->n = 0;
	lh_xxh3_begin(&o->sum);
}

static void add(struct lh_index_out *o, const char *p, uint64_t n)
{
	size_t piece;

	for (; n && !o->failed; p += piece, n -= piece) {
		piece = n < sizeof o->piece - o->n ? n : sizeof o->piece - o->n;
		memcpy(o->piece + o->n, p, piece);
		o->n += piece;
		if (o->n == sizeof o->piece)
			flush(o);
	}
}

void lh_index_section_add(struct lh_index_out *o, const void *p, uint64_t n)
{
	if (!n)
		return;
	lh_xxh3_add(&o->sum, p, n);
	add(o, p, n);
}

int lh_index_section_end(struct lh_index_out *o, struct lh_err *err)
{
	static const char zero[LH_INDEX_PAGE];
	struct lh_index_header *h = o->header;
	struct lh_index_section *s = &h->section[h->n_sections];
	uint64_t end = o->at + o->n, pad = lh_index_round(end, LH_INDEX_PAGE) - end;

	add(o, zero, pad);
	flush(o);
	if (o->failed) {
		*err = o->err;
		return -1;
	}
	s->bytes = end - s->at;
	s->xxh3 = lh_xxh3_end(&o->sum);
	h->n_sections++;
	h->file_bytes = end + pad;
	return 0;
}

int lh_index_section_write(struct lh_index_out *o, uint32_t kind, const void *p, uint64_t n,
			   struct lh_err *err)
{
	lh_index_section_begin(o, kind);
	lh_index_section_add(o, p, n);
	return lh_index_section_end(o, err);
}
