/* zip_end.c - the last record of a zip.  See zip_end.h. */
#include "zip_end.h"

#include <string.h>

#define MANY 0xffff		/* members that the last record cannot count */

void lh_zip_end_add(struct lh_zip_end *z, const void *p, size_t n)
{
	size_t old;

	if (n > sizeof z->p) {
		p = (const char *)p + n - sizeof z->p;
		n = sizeof z->p;
	}
	old = z->n + n > sizeof z->p ? sizeof z->p - n : z->n;
	memmove(z->p, z->p + z->n - old, old);
	memcpy(z->p + old, p, n);
	z->n = old + n;
}

static uint64_t little_endian(const unsigned char *p, unsigned n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* Return the number of members of the zip whose last record is at p[at]. */
static uint64_t member_count(const unsigned char *p, size_t at)
{
	const unsigned char *large = p + at - LH_ZIP64_END;
	uint64_t n = little_endian(p + at + 10, 2);

	if (n == MANY && at >= LH_ZIP64_END && memcmp(large, "PK\6\6", 4) == 0)
		n = little_endian(large + 32, 8);
	return n;
}

int lh_zip_end_check(const struct lh_zip_end *z, uint64_t members, struct lh_err *err)
{
	size_t at = z->n, room;

	while (at--) {
		room = z->n - at;
		if (room < LH_ZIP_END || memcmp(z->p + at, "PK\5\6", 4) ||
		    room - LH_ZIP_END < little_endian(z->p + at + 20, 2))
			continue;
		if (member_count(z->p, at) == members)
			return 0;
		return lh_err_set(err, LH_EIO, "damaged: %llu of its %llu members were found",
				  (unsigned long long)members,
				  (unsigned long long)member_count(z->p, at));
	}
	return lh_err_set(err, LH_EIO, "damaged: the zip's end is missing");
}
