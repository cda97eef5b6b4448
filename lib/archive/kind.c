/* kind.c - recognize compression by the first bytes or the name.  See archive.h. */
#include <string.h>
#include <strings.h>

#include "archive.h"

#define TAR_HEAD 512
#define TAR_SUM 148		/* offset of a tar header's checksum: octal digits, 8 bytes */
#define TAR_MAGIC 257
#define ZIP_NAME 30		/* offset of the first member's name in a zip */

/*
 * Recognize a tar by the checksum of its header: old ones have no "ustar", and the
 * word mustard has it as well.  NUL is in every header and in no line of JSON.  A
 * header with a wrong checksum is that of a damaged tar if it has either mark: they
 * are too far apart to be damaged together.
 */
static bool is_tar(const unsigned char *p, size_t n)
{
	unsigned sum = 8 * ' ', is = 0;
	size_t i = TAR_SUM;
	bool marked;

	if (n < TAR_HEAD || !memchr(p, 0, TAR_HEAD))
		return false;
	while (i < TAR_SUM + 7 && p[i] == ' ')
		i++;
	for (; i < TAR_SUM + 8 && p[i] >= '0' && p[i] <= '7'; i++)
		is = is * 8 + p[i] - '0';
	marked = memcmp(p + TAR_MAGIC, "ustar", 5) == 0 ||
		(i == TAR_SUM + 6 && memcmp(p + i, "\0 ", 2) == 0);
	for (i = 0; i < TAR_HEAD; i++)
		sum += i >= TAR_SUM && i < TAR_SUM + 8 ? 0 : p[i];
	return marked || sum == is;
}

const char *lh_archive_kind(const void *p, size_t n)
{
	static const struct {
		const char *kind, *magic;
		size_t n;
	} table[] = {
		{ "gzip", "\x1f\x8b\x08", 3 },
		{ "zstd", "\x28\xb5\x2f\xfd", 4 },
		{ "xz", "\xfd" "7zXZ\0", 6 },
		{ "bzip2", "BZh", 3 },
		{ "lz4", "\x04\x22\x4d\x18", 4 },
		{ "zip", "PK\3\4", 4 },
		{ "zip", "PK\5\6", 4 },
	};
	const char *s = p;
	size_t i;

	for (i = 0; i < sizeof table / sizeof *table; i++) {
		if (n < table[i].n || memcmp(s, table[i].magic, table[i].n))
			continue;
		if (*s == 'B' && (n < 4 || s[3] < '1' || s[3] > '9'))
			continue;
		return table[i].kind;
	}
	/* a zstd skippable frame, which may come first */
	if (n >= 4 && (s[0] & 0xf0) == 0x50 && memcmp(s + 1, "\x2a\x4d\x18", 3) == 0)
		return "zstd";
	return is_tar(p, n) ? "tar" : NULL;
}

bool lh_archive_workbook(const char *file, const void *p, size_t n)
{
	static const char *const ending[] = { ".xlsx", ".xlsm", ".xlsb", ".ods" };
	static const char *const first[] = { "[Content_Types].xml", "_rels/", "docProps/", "xl/",
		"mimetypeapplication/vnd.oasis.opendocument.spreadsheet" };
	const char *s = p;
	size_t i, k;

	for (i = 0; i < sizeof ending / sizeof *ending; i++)
		if (lh_archive_named(file, ending[i]))
			return true;
	for (i = 0; i < sizeof first / sizeof *first; i++) {
		k = strlen(first[i]);
		if (n >= ZIP_NAME + k && !memcmp(s, "PK\3\4", 4) &&
		    !memcmp(s + ZIP_NAME, first[i], k))
			return true;
	}
	return false;
}

bool lh_archive_decided(const void *p, size_t n)
{
	const char *s = p;

	if (n >= LH_ARCHIVE_SNIFF || lh_archive_kind(p, n))
		return true;
	return n && (*s == '{' || *s == ' ' || *s == '\xef' || memchr(s, '\n', n));
}

size_t lh_archive_stem(const char *name)
{
	static const char *const packed[] = { ".gz", ".zst", ".xz", ".bz2", ".lz4" };
	size_t n = strlen(name), i, k;

	for (i = 0; i < sizeof packed / sizeof packed[0]; i++) {
		k = strlen(packed[i]);
		if (n > k && strcasecmp(name + n - k, packed[i]) == 0)
			return n - k;
	}
	return n;
}

bool lh_archive_named(const char *name, const char *ending)
{
	size_t n = lh_archive_stem(name), k = strlen(ending);

	return n >= k && strncasecmp(name + n - k, ending, k) == 0;
}
