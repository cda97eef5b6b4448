/* mem.c - allocation that does not fail, and what grows by it.  See mem.h and buf.h. */
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "signal.h"

/* ---- allocation ---- */

#define LINE 64			/* bytes of a line of the cache */
#define LARGE_PAGE ((size_t)2 << 20)

#ifdef LH_FAULTS

static bool faulted(void)
{
	static long calls;
	const char *nth = getenv("LH_FAULT_ALLOC"), *log = getenv("LH_FAULT_LOG");

	if (!nth || __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != strtol(nth, NULL, 10))
		return false;
	if (log)
		close(open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
	return true;
}
#else
static bool faulted(void)
{
	return false;
}
#endif

void lh_no_memory(size_t bytes)
{
	static bool said;
	char text[300];
	int n;

	/* Other threads wait here for the end of the process. */
	while (__atomic_exchange_n(&said, true, __ATOMIC_SEQ_CST))
		pause();
	n = snprintf(text, sizeof text,
		     "%.200s: out of memory (%zu bytes more are not to be had)\n",
		     program_invocation_short_name, bytes);
	if (n < 0 || write(STDERR_FILENO, text, (size_t)n) < 0)
		errno = 0;	/* it ends all the same */
	lh_signal_unlink();
	_exit(2);
}

/* Return p, which was to have so many bytes, or end the process. */
static void *checked(void *p, size_t bytes)
{
	if (!p)
		lh_no_memory(bytes);
	return p;
}

static size_t product(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n ? n : 1, size ? size : 1, &bytes) ? SIZE_MAX : bytes;
}

void *lh_calloc(size_t n, size_t size)
{
	return checked(faulted() ? NULL : calloc(n ? n : 1, size ? size : 1), product(n, size));
}

void *lh_calloc_table(size_t n, size_t size)
{
	char *p = lh_calloc(n, size);
	size_t skip = -(uintptr_t)p & (LARGE_PAGE - 1);

	if (n * size >= skip + LARGE_PAGE)
		madvise(p + skip, n * size - skip, MADV_HUGEPAGE);
	return p;
}

void *lh_calloc_lines(size_t n)
{
	void *p = n > SIZE_MAX - LINE || faulted() ? NULL
						   : aligned_alloc(LINE, (n + LINE) / LINE * LINE);

	return memset(checked(p, n), 0, n);
}

void *lh_realloc(void *p, size_t n, size_t size)
{
	size_t bytes = product(n, size);

	return checked(faulted() ? NULL : realloc(p, bytes), bytes);
}

void lh_grow(void *array, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap + *cap / 2 + 16;
	void *p;

	if (n <= *cap)
		return;
	if (more < n)
		more = n;
	memcpy(&p, array, sizeof p);
	p = lh_realloc(p, more, size);
	memcpy(array, &p, sizeof p);
	*cap = more;
}

char *lh_strndup(const char *s, size_t n)
{
	char *p = checked(n < SIZE_MAX && !faulted() ? malloc(n + 1) : NULL, n);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *lh_format(const char *fmt, ...)
{
	va_list args;
	char *p = NULL;

	va_start(args, fmt);
	checked(faulted() || vasprintf(&p, fmt, args) < 0 ? NULL : p, strlen(fmt));
	va_end(args);
	return p;
}

/* ---- an array of bytes that grows without being copied ---- */

#define LEAST ((size_t)2 << 20)	/* a huge page */

void lh_growable_room(struct lh_growable *r, size_t n)
{
	size_t cap = r->cap;
	void *p;

	if (n <= cap - r->n)
		return;
	if (n > SIZE_MAX / 4 || r->n > SIZE_MAX / 4)
		lh_no_memory(n);
	while (cap - r->n < n)
		cap += cap / 2 + LEAST;
	cap = (cap + LEAST - 1) / LEAST * LEAST;
	if (r->p)
		p = mremap(r->p, r->cap, cap, MREMAP_MAYMOVE);
	else
		p = mmap(NULL, cap, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		lh_no_memory(cap);
	if (r->huge)
		madvise(p, cap, MADV_HUGEPAGE);
	r->p = p;
	r->cap = cap;
}

void lh_growable_add(struct lh_growable *r, const void *p, size_t n)
{
	lh_growable_room(r, n);
	if (n)
		memcpy(r->p + r->n, p, n);
	r->n += n;
}

void lh_growable_free(struct lh_growable *r)
{
	if (r->p)
		munmap(r->p, r->cap);
	*r = (struct lh_growable){ .huge = r->huge };
}

/* ---- a growing array of bytes ---- */

typedef unsigned char chunk __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

void lh_buf_init(struct lh_buf *b, size_t max)
{
	memset(b, 0, sizeof *b);
	b->max = max;
}

void lh_buf_free(struct lh_buf *b)
{
	free(b->p);
	lh_buf_init(b, b->max);
}

void lh_buf_reset(struct lh_buf *b)
{
	b->len = 0;
	b->failed = LH_OK;
}

int lh_buf_grow(struct lh_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256, max = b->max ? b->max : SIZE_MAX / 4;

	if (b->failed)
		return -1;
	if (n > max || b->len > max - n) {
		if (!b->max)
			lh_no_memory(n);
		b->failed = LH_EDATA;
		return -1;
	}
	if (cap - b->len < n)
		cap += cap / 2 + 64;
	if (cap - b->len < n)	/* one large piece: allocate exactly for it */
		cap = b->len + n;
	if (cap > max)
		cap = max;
	b->p = lh_realloc(b->p, cap + LH_PAD, 1);
	b->cap = cap;
	return 0;
}

int lh_buf_check(const struct lh_buf *b, struct lh_err *err)
{
	if (b->failed)
		return lh_err_set(err, b->failed, "longer than %zu bytes", b->max);
	return 0;
}

void lh_buf_printf(struct lh_buf *b, const char *fmt, ...)
{
	char small[256], *to = small;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof small) {
		to = lh_buf_room(b, (size_t)n + 1);
		if (!to)
			return;
		va_start(ap, fmt);
		vsnprintf(to, (size_t)n + 1, fmt, ap);
		va_end(ap);
		lh_buf_took(b, (size_t)n);
		return;
	}
	lh_buf_add(b, small, (size_t)n);
}

void lh_buf_u64(struct lh_buf *b, uint64_t v)
{
	char text[20];
	size_t i = sizeof text;

	do {
		text[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	lh_buf_add(b, text + i, sizeof text - i);
}

/* Return the byte after the backslash for a control byte, 0 for the \u00xx form. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '"': return '"';
	case '\\': return '\\';
	default: return 0;
	}
}

/* Copy sixteen bytes; return whether one of them is a control byte, a quote or a backslash. */
static bool copy_chunk(char *to, const char *s)
{
	halves hit;
	chunk v;

	memcpy(&v, s, sizeof v);
	memcpy(to, &v, sizeof v);
	hit = (halves)((v < 0x20) | (v == '"') | (v == '\\'));
	return hit[0] | hit[1];
}

/* Copy the bytes before the first one that needs an escape; return their number. */
static size_t copy_plain(char *to, const char *s, size_t n)
{
	unsigned char c;
	size_t i = 0;

	while (n - i >= sizeof(chunk) && !copy_chunk(to + i, s + i))
		i += sizeof(chunk);
	if (n >= sizeof(chunk) && n - i < sizeof(chunk) &&
	    !copy_chunk(to + n - sizeof(chunk), s + n - sizeof(chunk)))
		return n;
	for (; i < n; i++) {
		c = (unsigned char)s[i];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		to[i] = (char)c;
	}
	return i;
}

void lh_buf_json(struct lh_buf *b, const char *s, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, plain;
	char *to;

	lh_buf_putc(b, '"');
	for (i = 0; i < n; ) {
		to = lh_buf_room(b, n - i);
		if (!to)
			return;
		plain = copy_plain(to, s + i, n - i);
		lh_buf_took(b, plain);
		i += plain;
		if (i < n) {
			unsigned char c = (unsigned char)s[i++];
			char esc = short_escape(c);

			if (esc) {
				lh_buf_add(b, (char[]){ '\\', esc }, 2);
			} else {
				lh_buf_add(b, "\\u00", 4);
				lh_buf_add(b, (char[]){ hex[c >> 4], hex[c & 15] }, 2);
			}
		}
	}
	lh_buf_putc(b, '"');
}
