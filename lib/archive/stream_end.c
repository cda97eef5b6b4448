/* stream_end.c - find the end of a zstd frame or an xz stream.  See stream_end.h. */
#include "stream_end.h"

#include <string.h>

enum {
	BEGIN,		/* zstd's magic number, or the header of an xz stream */
	SKIPPABLE,	/* zstd: the length of a frame without data */
	FRAME,		/* the descriptor of a frame */
	ZSTD_BLOCK,
	XZ_BLOCK,	/* the first byte of a block's header, or of the index */
	CHUNK,		/* LZMA2's control byte, ... */
	PLAIN,		/* ... the length of a stored chunk, ... */
	PACKED,		/* ... and the lengths of a compressed one */
	INDEX,		/* a byte of the number of records, ... */
	NUMBER,		/* ... and of their numbers */
	END,
	UNKNOWN,	/* libarchive finds the damage */
};

static const unsigned char sizes[] = { [BEGIN] = 4, [SKIPPABLE] = 4, [FRAME] = 1,
	[ZSTD_BLOCK] = 3, [XZ_BLOCK] = 1, [CHUNK] = 1, [PLAIN] = 2, [PACKED] = 4,
	[INDEX] = 1, [NUMBER] = 1 };
#define XZ_HEADER 12
#define XZ_FOOTER 16		/* and the checksum of the index before it */

bool lh_stream_end_begins(const struct lh_stream_end *s, unsigned char first)
{
	return s->xz ? first == 0xfd : first == 0x28 || (first & 0xf0) == 0x50;
}

static uint32_t little(const unsigned char *p, size_t n)
{
	uint32_t x = 0;

	while (n--)
		x = x << 8 | p[n];
	return x;
}

static void pass(struct lh_stream_end *s, uint64_t skip, int state)
{
	s->skip = skip;
	s->state = state;
}

/* Pass over bytes of an xz block or index, which are counted for its padding. */
static void pass_xz(struct lh_stream_end *s, uint64_t skip, int state)
{
	s->size += skip;
	pass(s, skip, state);
}

static void begin_zstd(struct lh_stream_end *s)
{
	uint32_t magic = little(s->part, 4);

	if ((magic & ~UINT32_C(15)) == 0x184d2a50)
		pass(s, 0, SKIPPABLE);
	else
		pass(s, 0, magic == 0xfd2fb528 ? FRAME : UNKNOWN);
}

static void begin_xz(struct lh_stream_end *s)
{
	static const unsigned char checks[] = { 0, 4, 8, 16, 32, 64 };
	unsigned kind = s->part[7] & 15;

	s->check = checks[(kind + 2) / 3];
	pass(s, 0, memcmp(s->part, "\xfd" "7zXZ\0", 6) ? UNKNOWN : XZ_BLOCK);
}

/* A byte of a number: seven bits, the lowest first; more follow if the eighth is set. */
static void read_number(struct lh_stream_end *s)
{
	unsigned char b = s->part[0];

	s->size++;
	if (s->state == INDEX && s->shift < 62) {
		s->numbers |= (uint64_t)(b & 127) << s->shift;
		s->shift += 7;
	}
	if (b & 128)
		return;
	s->numbers = s->state == INDEX ? s->numbers * 2 : s->numbers - 1;
	s->state = NUMBER;
	if (!s->numbers)
		pass(s, (-s->size & 3) + XZ_FOOTER, END);
}

static void read_part(struct lh_stream_end *s)
{
	static const unsigned char ids[] = { 0, 1, 2, 4 }, lengths[] = { 0, 2, 4, 8 };
	const unsigned char *p = s->part;
	uint32_t single, kind, size;

	switch (s->state) {
	case BEGIN:
		s->xz ? begin_xz(s) : begin_zstd(s);
		break;
	case SKIPPABLE:
		pass(s, little(p, 4), END);
		break;
	case FRAME:
		/* a descriptor says which fields follow before the first block */
		single = *p >> 5 & 1;
		s->check = *p & 4 ? 4 : 0;
		pass(s, !single + ids[*p & 3] + (*p >> 6 ? lengths[*p >> 6] : single), ZSTD_BLOCK);
		break;
	case ZSTD_BLOCK:
		size = little(p, 3) >> 3;
		kind = *p >> 1 & 3;
		if (kind == 3)
			pass(s, 0, UNKNOWN);
		else if (*p & 1)
			pass(s, (kind == 1 ? 1 : size) + s->check, END);
		else
			pass(s, kind == 1 ? 1 : size, ZSTD_BLOCK);
		break;
	case XZ_BLOCK:
		s->size = 1;
		s->shift = 0;
		if (*p)
			pass_xz(s, (*p + UINT64_C(1)) * 4 - 1, CHUNK);
		else
			s->state = INDEX;
		break;
	case CHUNK:
		s->size++;
		if (!*p)	/* the end of the block: padding and its checksum */
			pass(s, (-s->size & 3) + s->check, XZ_BLOCK);
		else
			pass(s, 0, *p >= 0x80 ? PACKED : *p <= 2 ? PLAIN : UNKNOWN);
		s->shift = *p >= 0xc0;	/* a byte of properties follows */
		break;
	case PLAIN:
		s->size += 2;
		pass_xz(s, (p[0] << 8 | p[1]) + UINT64_C(1), CHUNK);
		break;
	case PACKED:
		s->size += 4;
		pass_xz(s, (p[2] << 8 | p[3]) + UINT64_C(1) + s->shift, CHUNK);
		break;
	default:
		read_number(s);
	}
}

static size_t part_size(const struct lh_stream_end *s)
{
	return s->state == BEGIN && s->xz ? XZ_HEADER : sizes[s->state];
}

size_t lh_stream_end_scan(struct lh_stream_end *s, const void *p, size_t n)
{
	const unsigned char *from = p;
	size_t at = 0, k;

	while (!s->ended && at < n && s->state != UNKNOWN) {
		if (s->skip) {
			k = s->skip < n - at ? (size_t)s->skip : n - at;
			s->skip -= k;
			at += k;
		} else {
			s->part[s->n_part++] = from[at++];
			if (s->n_part == part_size(s)) {
				s->n_part = 0;
				read_part(s);
			}
		}
		s->ended = s->state == END && !s->skip;
	}
	return s->state == UNKNOWN ? n : at;
}
