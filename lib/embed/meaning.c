/* meaning.c - see meaning.h. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "meaning.h"
#include "base/mem.h"
#include "base/xxh3.h"

#define NAME "hash-v4.table"
#define HALF (LH_MEANING_VALUES / 2)
#define HEAD 16

/* Constant of the recipe: changing it makes another model. */
#include "meaning_sum.inc"

struct lh_meaning {
	const uint32_t *offset;		/* of each piece in text, and of its end */
	const uint16_t *factor;
	const unsigned char *row, *text;
	uint32_t n;
};

/* From the folder of the program: installed, in the tree, and in folders of its build. */
static const char *const near_program[] = {
	"../share/lakehouse-tools/" NAME, "../share/" NAME, "../../share/" NAME,
	"../../../share/" NAME,
};
static const char *const elsewhere[] = {
	"/usr/local/share/lakehouse-tools/" NAME, "/usr/share/lakehouse-tools/" NAME,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lh_meaning table;	/* under lock until it is mapped */

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* Set path to the folder of the program and a slash; "" if it is not known. */
static size_t program_folder(char *path, size_t room)
{
	ssize_t n = readlink("/proc/self/exe", path, room);

	while (n > 0 && path[n - 1] != '/')
		n--;
	return n > 0 ? (size_t)n : 0;
}

static int open_table(char *path, size_t room)
{
	size_t folder = program_folder(path, room - 64);
	int fd = -1;

	for (size_t i = 0; folder && fd < 0 && i < COUNT(near_program); i++) {
		snprintf(path + folder, room - folder, "%s", near_program[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	for (size_t i = 0; fd < 0 && i < COUNT(elsewhere); i++) {
		snprintf(path, room, "%s", elsewhere[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd;
}

bool lh_meaning_path(char *path, size_t room)
{
	int fd = open_table(path, room);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Take the parts of a file whose checksum is right, so that they are what they should be. */
static void take(const unsigned char *p)
{
	uint32_t n;

	memcpy(&n, p + 8, sizeof n);
	table.offset = (const uint32_t *)(const void *)(p + HEAD);
	table.factor = (const uint16_t *)(const void *)(table.offset + n + 1);
	table.row = (const unsigned char *)(table.factor + n);
	table.text = table.row + (size_t)n * HALF;
	table.n = n;
}

static int map_table(int fd, const char *path, struct lh_err *err)
{
	struct stat st;
	void *p = MAP_FAILED;

	if (fstat(fd, &st) == 0 && st.st_size == MEANING_BYTES)
		p = mmap(NULL, MEANING_BYTES, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p != MAP_FAILED && lh_xxh3(p, MEANING_BYTES) == MEANING_SUM) {
		take(p);
		return 0;
	}
	if (p != MAP_FAILED)
		munmap(p, MEANING_BYTES);
	return lh_err_set(err, LH_EUSAGE, "%s: is not the table of hash-v4", path);
}

const struct lh_meaning *lh_meaning_open(struct lh_err *err)
{
	char path[PATH_MAX + 64];
	int fd, rc = 0;

	pthread_mutex_lock(&lock);
	if (!table.n) {
		fd = open_table(path, sizeof path);
		rc = fd >= 0 ? map_table(fd, path, err) :
		     lh_err_set(err, LH_EUSAGE,
				"hash-v4 needs " NAME " in ../share/lakehouse-tools from the "
				"program, or %s or %s", elsewhere[0], elsewhere[1]);
		if (fd >= 0)
			close(fd);
	}
	pthread_mutex_unlock(&lock);
	return rc < 0 ? NULL : &table;
}

/* Order the piece i and the key of n bytes, as memcmp does. */
static int compare(const struct lh_meaning *m, uint32_t i, const unsigned char *key, unsigned n)
{
	unsigned len = m->offset[i + 1] - m->offset[i];
	int order = memcmp(m->text + m->offset[i], key, len < n ? len : n);

	return order ? order : len < n ? -1 : len > n;
}

static bool find(const struct lh_meaning *m, const unsigned char *key, unsigned n, uint16_t *at)
{
	uint32_t lo = 0, hi = m->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		int order = compare(m, mid, key, n);

		if (!order) {
			*at = (uint16_t)mid;
			return true;
		}
		*(order < 0 ? &lo : &hi) = order < 0 ? mid + 1 : mid;
	}
	return false;
}

#define PIECE_MAX 32	/* bytes of the longest piece, or more */

unsigned lh_meaning_pieces(const struct lh_meaning *m, const unsigned char *word, unsigned n,
			   uint16_t *at)
{
	unsigned char key[2 + PIECE_MAX] = "##";
	unsigned found = 0, from = 0, len;

	while (from < n) {
		unsigned marks = from ? 2 : 0;

		len = n - from < PIECE_MAX ? n - from : PIECE_MAX;
		memcpy(key + 2, word + from, len);
		while (len && !find(m, key + 2 - marks, marks + len, &at[found]))
			len--;
		if (!len)
			break;
		found++;
		from += len;
	}
	return found;
}

void lh_meaning_add(const struct lh_meaning *m, const uint16_t *at, unsigned n, int64_t *sum)
{
	for (unsigned k = 0; k < n; k++) {
		const unsigned char *row = m->row + (size_t)at[k] * HALF;
		int factor = m->factor[at[k]];

		for (unsigned i = 0; i < HALF; i++) {
			sum[i] += (2 * (row[i] & 15) - 15) * factor;
			sum[i + HALF] += (2 * (row[i] >> 4) - 15) * factor;
		}
	}
}
