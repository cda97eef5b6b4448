/* secret.c - keys in memory, and the files they come from.  See secret.h. */
#include "secret.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"

void lh_secret_alloc(struct lh_secret *s, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), mapped;
	void *p;

	if (n > SIZE_MAX / 4)
		lh_no_memory(n);
	mapped = (n + LH_PAD + page - 1) / page * page;
	p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		lh_no_memory(mapped);
	madvise(p, mapped, MADV_DONTDUMP);
	mlock(p, mapped);
	prctl(PR_SET_DUMPABLE, 0);
	*s = (struct lh_secret){ p, n, mapped };
}

void lh_secret_wipe(struct lh_secret *s)
{
	if (s->p) {
		explicit_bzero(s->p, s->mapped);
		munmap(s->p, s->mapped);
	}
	*s = (struct lh_secret){ NULL, 0, 0 };
}

/* Read all of fd.  One byte beyond max shows that it is too long. */
static int read_all(struct lh_secret *s, int fd, size_t max, struct lh_err *err)
{
	ssize_t n;

	lh_secret_alloc(s, max + 1);
	for (s->n = 0; s->n <= max; s->n += (size_t)n) {
		n = lh_read_some(fd, s->p + s->n, max + 1 - s->n, err);
		if (n <= 0)
			return (int)n;
	}
	return lh_err_set(err, LH_EIO, "longer than %zu bytes", max);
}

int lh_secret_read(struct lh_secret *s, const char *path, size_t max, bool insecure,
		   struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDONLY, 0, err), rc;
	struct stat st;

	*s = (struct lh_secret){ NULL, 0, 0 };
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		rc = lh_err_sys(err, "cannot read");
	else if (!insecure && st.st_mode & (S_IRWXG | S_IRWXO))
		rc = lh_err_set(err, LH_EIO,
				"mode %04o gives others access to secrets; make it 0600",
				(unsigned)(st.st_mode & 07777));
	else
		rc = read_all(s, fd, max, err);
	close(fd);
	if (rc == 0)
		return 0;
	lh_secret_wipe(s);
	return lh_err_prefix(err, "%s", path);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f'
		? (c | 32) - 'a' + 10 : -1;
}

/* Return the character at p, which may be a JSON escape, and its length. */
static int read_char(const char *p, const char *end, size_t *len)
{
	int hi, lo;

	*len = 1;
	if (*p != '\\' || end - p < 2)
		return (unsigned char)*p;
	if (end - p >= 6 && !memcmp(p, "\\u00", 4)) {
		hi = hex(p[4]);
		lo = hex(p[5]);
		if (hi >= 0 && lo >= 0) {
			*len = 6;
			return hi << 4 | lo;
		}
	}
	if (!strchr("\"\\/", p[1]))
		return (unsigned char)*p;
	*len = 2;
	return (unsigned char)p[1];
}

/* Return how many bytes of p..end are that key, plain or escaped; 0: it is not there. */
static size_t match_key(const struct lh_secret *key, const char *p, const char *end)
{
	const char *q = p;
	size_t i, len;

	if (!key->n)
		return 0;
	if ((size_t)(end - p) >= key->n && !memcmp(p, key->p, key->n))
		return key->n;
	for (i = 0; i < key->n; i++, q += len)
		if (q == end || read_char(q, end, &len) != key->p[i])
			return 0;
	return (size_t)(q - p);
}

void lh_secret_scrub(const struct lh_secret *key, size_t n_keys, const char *text, size_t len,
		     size_t n, struct lh_buf *out)
{
	const char *p = text, *end = text + len;
	size_t from = out->len, best, m, i;

	while (p < end && out->len - from < n) {
		for (best = 0, i = 0; i < n_keys; i++) {
			m = match_key(&key[i], p, end);
			if (m > best)
				best = m;
		}
		if (best)
			lh_buf_puts(out, "***");
		else
			lh_buf_putc(out, *p);
		p += best ? best : 1;
	}
}
