/*
 * chain_row.c - rows of a chain, from the bytes of their lines, and its keys.  See chain_parts.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "crypto/digest.h"
#include "base/mem.h"
#include "chain_parts.h"
#include "crypto/secret.h"
#include "file/file.h"
#include "file/held.h"

/* ---- keys ---- */

struct lh_chain_key_file {
	const char *path;
	struct lh_stamp stamp;
};

void lh_chain_keys_add(struct lh_chain_keys *k, const void *key, size_t n)
{
	struct lh_hmac **grown = lh_realloc(k->key, k->n + 1, sizeof *grown);

	k->key = grown;
	k->key[k->n] = lh_hmac_new(key, n);
	k->n++;
}

static int read_one(struct lh_chain_keys *k, const char *path, bool insecure, struct lh_err *err)
{
	struct lh_secret key;
	int rc = 0;

	if (lh_secret_read(&key, path, LH_CHAIN_KEY_MAX, insecure, err) < 0)
		return -1;
	if (key.n < LH_CHAIN_KEY_MIN)
		rc = lh_err_set(err, LH_EIO, "%s: a key has %d bytes at least, and this is %zu",
				path, LH_CHAIN_KEY_MIN, key.n);
	else
		lh_chain_keys_add(k, key.p, key.n);
	lh_secret_wipe(&key);
	return rc;
}

int lh_chain_keys_read(struct lh_chain_keys *k, const char *const *path, size_t n, bool insecure,
		       struct lh_err *err)
{
	size_t i;

	*k = (struct lh_chain_keys){ .insecure = insecure };
	k->file = lh_calloc(n + 1, sizeof *k->file);
	for (i = 0; i < n; i++) {
		k->file[k->n_files++].path = path[i];
		lh_stamp_take(&k->file[i].stamp, path[i]);
		if (read_one(k, path[i], insecure, err) < 0) {
			lh_chain_keys_free(k);
			return -1;
		}
	}
	return 0;
}

void lh_chain_keys_free(struct lh_chain_keys *k)
{
	while (k->n)
		lh_hmac_free(k->key[--k->n]);
	free(k->key);
	free(k->file);
	k->key = NULL;
	k->file = NULL;
	k->n_files = 0;
}

bool lh_chain_keys_stale(const struct lh_chain_keys *k)
{
	size_t i;

	for (i = 0; i < k->n_files; i++)
		if (!lh_stamp_fits(&k->file[i].stamp, k->file[i].path))
			return true;
	return false;
}

int lh_chain_keys_renew(struct lh_chain_keys *k, struct lh_err *err)
{
	struct lh_chain_keys now;
	LH_SCOPED(lh_free_local) const char **path = NULL;
	size_t i;
	int rc;

	if (!lh_chain_keys_stale(k))
		return 0;
	path = lh_calloc(k->n_files, sizeof *path);
	for (i = 0; i < k->n_files; i++)
		path[i] = k->file[i].path;
	rc = lh_chain_keys_read(&now, path, k->n_files, k->insecure, err);
	if (rc < 0)
		return -1;
	lh_chain_keys_free(k);
	*k = now;
	return 0;
}

/* ---- rows ---- */

/*
 * Rows in the form in which every writer writes them (the members in one order, no
 * white space, plain ASCII in the strings) are split and put into canonical order
 * in one pass of about 60 ns; any other valid JSON is parsed by lh_record_parse.
 */

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "json/bind.h"
#include "json/canon.h"
#include "crypto/digest.h"

#define PLAIN_MAX 4096		/* longer lines use the general path */
#define STEP 16			/* bytes copied at a time; some may be too many */

void lh_chain_reader_free(struct lh_chain_reader *r)
{
	lh_record_free(&r->rec);
	lh_buf_free(&r->text);
	lh_buf_free(&r->strings);
}

/* ---- rows in the usual form ---- */

/* Return the first byte from p on that is a quote, or may not be in a plain string. */
static inline const char *plain_end(const char *p)
{
#ifdef __SSE2__
	for (;; p += STEP) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
					    _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
							 _mm_cmplt_epi8(v, _mm_set1_epi8(' '))));
		int bits = _mm_movemask_epi8(stop);

		if (bits)
			return p + __builtin_ctz((unsigned)bits);
	}
#else
	while (*p >= ' ' && *p != '"' && *p != '\\' && (unsigned char)*p < 0x80)
		p++;
	return p;
#endif
}

/* memcmp for the short constants of a row. */
static inline bool equals(const char *p, const char *text, size_t n)
{
	uint64_t a, b, diff = 0;
	size_t i;

	if (n < sizeof a)
		return memcmp(p, text, n) == 0;
	for (i = 0; ; i = i + 2 * sizeof a <= n ? i + sizeof a : n - sizeof a) {
		memcpy(&a, p + i, sizeof a);
		memcpy(&b, text + i, sizeof b);
		diff |= a ^ b;
		if (i == n - sizeof a)
			return !diff;
	}
}

/* Skip the text and then a plain string at p: return its closing quote, or NULL. */
#define AFTER(p, s, text) read_plain_after(p, s, "" text, sizeof text - 1)
static inline const char *read_plain_after(const char *p, struct lh_str *s, const char *text,
					   size_t n)
{
	if (!p || !equals(p, text, n))
		return NULL;
	s->p = p + n;
	p = plain_end(s->p);
	s->n = (size_t)(p - s->p);
	return *p == '"' ? p : NULL;
}

/* Skip the strings of an array, p at its first byte: return its closing bracket, or
 * NULL. */
static inline const char *plain_array(const char *p)
{
	if (*p == ']')
		return p;
	for (;;) {
		if (*p++ != '"')
			return NULL;
		p = plain_end(p);
		if (*p++ != '"')
			return NULL;
		if (*p == ']')
			return p;
		if (*p++ != ',')
			return NULL;
	}
}

#define LITERAL(to, text) (memcpy(to, text, sizeof text - 1), (to) + sizeof text - 1)
static inline char *append_string(char *to, struct lh_str s)
{
	size_t i;

	for (i = 0; i < s.n; i += STEP)
		memcpy(to + i, s.p + i, STEP);
	return to + s.n;
}

struct plain {
	struct lh_str schema, ts, kind, daemon, purpose, trace_id, fields, result;
};

static size_t append_plain(char *text, const struct plain *r, const struct lh_chain_line *l)
{
	char *to = append_string(text, l->prev);

	to = append_string(LITERAL(to, "{\"accessor\":{\"daemon\":\""), r->daemon);
	to = append_string(LITERAL(to, "\",\"kind\":\""), r->kind);
	to = append_string(LITERAL(to, "\",\"purpose\":\""), r->purpose);
	to = append_string(LITERAL(to, "\",\"trace_id\":\""), r->trace_id);
	to = append_string(LITERAL(to, "\"},\"candidate_id\":\""), l->id);
	to = append_string(LITERAL(to, "\",\"fields_accessed\":["), r->fields);
	to = append_string(LITERAL(to, "],\"prev_chain_hash\":\""), l->prev);
	to = append_string(LITERAL(to, "\",\"result\":\""), r->result);
	to = append_string(LITERAL(to, "\",\"schema\":\""), r->schema);
	to = append_string(LITERAL(to, "\",\"ts\":\""), r->ts);
	to = LITERAL(to, "\"}");
	return (size_t)(to - text);
}

static bool read_plain(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l)
{
	const char *end = p + n;
	struct plain s;
	char *text;

	if (n > PLAIN_MAX || !(text = lh_buf_room(&r->text, 2 * PLAIN_MAX)))
		return false;
	if (memcmp(end - 2, "\"}", 2) != 0)
		return false;
	p = AFTER(p, &s.schema, "{\"schema\":\"");
	p = AFTER(p, &s.ts, "\",\"ts\":\"");
	p = AFTER(p, &l->id, "\",\"candidate_id\":\"");
	p = AFTER(p, &s.kind, "\",\"accessor\":{\"kind\":\"");
	p = AFTER(p, &s.daemon, "\",\"daemon\":\"");
	p = AFTER(p, &s.purpose, "\",\"purpose\":\"");
	p = AFTER(p, &s.trace_id, "\",\"trace_id\":\"");
	if (!p || !equals(p, "\"},\"fields_accessed\":[", 22))
		return false;
	s.fields.p = p + 22;
	p = plain_array(s.fields.p);
	if (!p)
		return false;
	s.fields.n = (size_t)(p - s.fields.p);
	p = AFTER(p, &s.result, "],\"result\":\"");
	p = AFTER(p, &l->prev, "\",\"prev_chain_hash\":\"");
	p = AFTER(p, &l->mac, "\",\"row_hmac\":\"");
	if (!p || p != end - 2)
		return false;
	l->bare = false;
	l->text = text;
	l->n = append_plain(text, &s, l);
	return true;
}

/* ---- any row ---- */

static const struct lh_bind members[] = {
	{ LH_BIND_STRING("candidate_id", struct lh_chain_line, id), .lax = true },
	{ LH_BIND_STRING("prev_chain_hash", struct lh_chain_line, prev), .lax = true },
	{ LH_BIND_STRING("row_hmac", struct lh_chain_line, mac), .lax = true },
	LH_BIND_END
};

static int read_any(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l,
		    struct lh_err *err)
{
	static const char *const skip[] = { "row_hmac" };
	struct lh_value v;

	*l = (struct lh_chain_line){ .id = { NULL, 0 } };
	if (lh_record_parse(&r->rec, p, n, err) < 0 ||
	    lh_bind(members, &r->rec, l, &r->strings, err) < 0)
		return -1;
	lh_buf_reset(&r->text);
	l->bare = !lh_record_get(&r->rec, "row_hmac");
	if (l->prev.p)
		lh_buf_add(&r->text, l->prev.p, l->prev.n);
	v = (struct lh_value){ .p = r->rec.line, .n = r->rec.len, .type = LH_OBJECT };
	if (lh_canon_audit(&r->text, &v, skip, 1, err) < 0)
		return -1;
	l->text = r->text.p;
	l->n = r->text.len;
	return 0;
}

int lh_chain_line(struct lh_chain_reader *r, const char *p, size_t n, struct lh_chain_line *l,
		  struct lh_err *err)
{
	if (n > 2 && read_plain(r, p, n, l))
		return 0;
	return read_any(r, p, n, l, err);
}

/* ---- MACs ---- */

void lh_chain_mac(const struct lh_chain_keys *k, const char *text, size_t n, char hex[LH_CHAIN_HEX])
{
	unsigned char sum[LH_CHAIN_HEX / 2];

	lh_hmac(k->key[0], text, n, NULL, 0, sum);
	lh_hex(sum, sizeof sum, hex);
}

static bool mac_fits(const unsigned char sum[LH_CHAIN_HEX / 2], struct lh_str mac)
{
	char hex[LH_CHAIN_HEX];

	lh_hex(sum, sizeof hex / 2, hex);
	return lh_const_eq(hex, mac.p, sizeof hex);
}

static bool has_macs(const struct lh_chain_line *l)
{
	return l->prev.p && l->mac.p && l->mac.n == LH_CHAIN_HEX;
}

bool lh_chain_mac_fits(const struct lh_chain_keys *k, const struct lh_chain_line *l, size_t *last)
{
	unsigned char sum[LH_CHAIN_HEX / 2];
	size_t i, at;

	for (i = 0; has_macs(l) && i < k->n; i++) {
		at = (*last + i) % k->n;
		lh_hmac(k->key[at], l->text, l->n, NULL, 0, sum);
		if (mac_fits(sum, l->mac)) {
			*last = at;
			return true;
		}
	}
	return false;
}

/* ---- lines on disk ---- */

#define CHUNK 4096

int lh_chain_pread(int fd, const char *path, void *p, size_t n, int64_t at, struct lh_err *err)
{
	char *to = p;

	while (n) {
		ssize_t got = pread(fd, to, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return lh_err_sys(err, "%s: read failed", path);
		if (got == 0)
			return lh_err_set(err, LH_EIO,
					  "%s: it has become shorter while it was read", path);
		to += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

int lh_chain_too_long(const char *path, int64_t at, uint64_t max, struct lh_err *err)
{
	return lh_err_set(err, LH_EIO,
			  "%s: the row at byte %lld is longer than %llu bytes (--max-line)", path,
			  (long long)at,
			  (unsigned long long)max);
}

int lh_chain_read_line(int fd, const char *path, int64_t at, int64_t size, uint64_t max,
		       char **line, size_t *n, struct lh_err *err)
{
	size_t len = 0, more = CHUNK;
	char *p = NULL, *grown, *lf;

	for (;;) {
		if ((int64_t)more > size - at - (int64_t)len)
			more = (size_t)(size - at) - len;
		grown = lh_realloc(p, len + more + LH_PAD, 1);
		p = grown;
		if (lh_chain_pread(fd, path, p + len, more, at + (int64_t)len, err) < 0)
			break;
		lf = memchr(p + len, '\n', more);
		len += more;
		if (lf || at + (int64_t)len == size) {
			*line = p;
			*n = lf ? (size_t)(lf - p) : len;
			memset(p + len, 0, LH_PAD);
			return 0;
		}
		if (max && len > max) {
			lh_chain_too_long(path, at, max, err);
			break;
		}
		more = len;
	}
	free(p);
	return -1;
}

int lh_chain_end(int fd, const char *path, int64_t size, int64_t *end, struct lh_err *err)
{
	int64_t at = size, from;
	char chunk[CHUNK];
	size_t n;

	for (*end = size; at; at = from) {
		from = at > CHUNK ? at - CHUNK : 0;
		n = (size_t)(at - from);
		if (lh_chain_pread(fd, path, chunk, n, from, err) < 0)
			return -1;
		if (at == size && chunk[n - 1] != '\n')
			return 0;	/* the last line is torn */
		for (; n && strchr(" \t\r\n", chunk[n - 1]) && chunk[n - 1]; n--)
			if (chunk[n - 1] == '\n')
				*end = from + (int64_t)n;
		if (n)
			return 0;
	}
	*end = 0;
	return 0;
}

int lh_chain_last_line(int fd, const char *path, int64_t size, int64_t *at, bool *torn,
		       struct lh_err *err)
{
	int64_t end = size, from;
	char chunk[CHUNK];
	const char *lf;

	if (lh_chain_pread(fd, path, chunk, 1, size - 1, err) < 0)
		return -1;
	*torn = *chunk != '\n';
	for (end = size - !*torn; end > 0; end = from) {
		from = end > CHUNK ? end - CHUNK : 0;
		if (lh_chain_pread(fd, path, chunk, (size_t)(end - from), from, err) < 0)
			return -1;
		lf = memrchr(chunk, '\n', (size_t)(end - from));
		if (lf) {
			*at = from + (lf - chunk) + 1;
			return 0;
		}
	}
	*at = 0;
	return 0;
}

/* ---- repair ---- */

int lh_chain_cut(int fd, const char *path, int64_t at, struct lh_err *err)
{
	if (ftruncate(fd, at) < 0 || fsync(fd) < 0)
		return lh_err_sys(err, "%s: cannot cut", path);
	return 0;
}

/* Append bytes at..size of fd to PATH.torn, on a line of their own. */
static int keep_torn_tail(int fd, const char *path, const char *torn, int64_t at, int64_t size,
			  struct lh_err *err)
{
	int to = lh_open_regular(torn, O_RDWR | O_APPEND | O_CREAT, 0600, err), rc = 0;
	char chunk[CHUNK];
	struct stat st;
	size_t n;

	if (to < 0)
		return -1;
	if (fstat(to, &st) == 0 && st.st_size && pread(to, chunk, 1, st.st_size - 1) == 1 &&
	    *chunk != '\n')
		rc = lh_write_all(to, "\n", 1, err);
	for (; !rc && at < size; at += (int64_t)n) {
		n = size - at > CHUNK ? CHUNK : (size_t)(size - at);
		rc = lh_chain_pread(fd, path, chunk, n, at, err);
		if (!rc && lh_write_all(to, chunk, n, err) < 0)
			rc = lh_err_prefix(err, "%s", torn);
	}
	if (!rc && fsync(to) < 0)
		rc = lh_err_sys(err, "%s: cannot sync", torn);
	if (close(to) < 0 && errno != EINTR && !rc)
		rc = lh_err_sys(err, "%s: close failed", torn);
	return rc ? rc : lh_sync_folder(torn, err);
}

static int64_t cut_tail(int fd, const char *path, struct lh_err *err)
{
	struct stat st;
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	int64_t at;
	bool torn;
	int rc;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "%s", path);
	if (!st.st_size)
		return 0;
	if (lh_chain_end(fd, path, st.st_size, &at, err) < 0)
		return -1;
	if (at < st.st_size)
		return lh_chain_cut(fd, path, at, err) < 0 ? -1 : st.st_size - at;
	if (lh_chain_last_line(fd, path, st.st_size, &at, &torn, err) < 0)
		return -1;
	if (!torn)
		return 0;
	lh_buf_puts(&name, path);
	lh_buf_add(&name, ".torn", sizeof ".torn");
	rc = keep_torn_tail(fd, path, name.p, at, st.st_size, err);
	if (rc < 0)
		return -1;
	return lh_chain_cut(fd, path, at, err) < 0 ? -1 : st.st_size - at;
}

int64_t lh_chain_repair(const char *path, double lock_timeout, struct lh_err *err)
{
	int fd = lh_open_regular(path, O_RDWR, 0, err);
	int64_t n;

	if (fd < 0)
		return -1;
	n = lh_flock(fd, LOCK_EX, path, lock_timeout, err) < 0 ? -1 : cut_tail(fd, path, err);
	if (close(fd) < 0 && errno != EINTR && n >= 0)
		n = lh_err_sys(err, "%s: close failed", path);
	return n;
}

int lh_chain_keys_fit(const struct lh_chain_keys *k, const char *path)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	LH_SCOPED(lh_chain_reader_free) struct lh_chain_reader reader = { 0 };
	LH_SCOPED(lh_free_local) char *line = NULL;
	struct lh_chain_line row;
	struct lh_err unused;
	bool torn = true;
	size_t n, last = 0;
	struct stat st;
	int64_t at;
	int fits = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size &&
	    lh_chain_last_line(fd, path, st.st_size, &at, &torn, &unused) == 0 && !torn &&
	    lh_chain_read_line(fd, path, at, st.st_size, 0, &line, &n, &unused) == 0 &&
	    lh_chain_line(&reader, line, n, &row, &unused) == 0 && row.mac.p)
		fits = lh_chain_mac_fits(k, &row, &last);
	close(fd);
	return fits;
}
