/* store.c - the two kinds of stores behind one face.  See store.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "base/mem.h"
#include "file/file.h"
#include "json/write.h"
#include "store_parts.h"

static int check(const char *key, struct lh_err *err)
{
	return lh_store_check_key(key, strlen(key), err);
}

/* Read at most n bytes of fd into the MD5; the number read, or -1. */
static int64_t sum_some(int fd, uint64_t n, char *chunk, struct lh_md5 *md5, struct lh_err *err)
{
	uint64_t done = 0;
	ssize_t got = 1;

	while (done < n && got > 0) {
		got = lh_read_some(fd, chunk, n - done < STORE_CHUNK ? n - done : STORE_CHUNK, err);
		if (got > 0)
			lh_md5_more(md5, chunk, (size_t)got);
		done += got > 0 ? (uint64_t)got : 0;
	}
	return got < 0 ? -1 : (int64_t)done;
}

/* Compute the ETag that S3 gives to the bytes of fd from its beginning, sent in parts. */
static int etag_of(int fd, uint64_t part_size, bool in_parts, char etag[LH_ETAG_MAX],
		     struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *chunk = lh_calloc(1, STORE_CHUNK);
	unsigned char sum[16];
	struct lh_md5 md5, all;
	unsigned parts = 0;
	int64_t got = lseek(fd, 0, SEEK_SET) == 0 ? 1 : -1;

	lh_md5_start(&all);
	while (got > 0) {
		lh_md5_start(&md5);
		got = sum_some(fd, in_parts ? part_size : UINT64_MAX, chunk, &md5, err);
		lh_md5_end(&md5, sum);
		if (got > 0 && in_parts)
			lh_md5_more(&all, sum, sizeof sum);
		parts += got > 0;
		if (!in_parts)
			break;
	}
	if (in_parts)
		lh_md5_end(&all, sum);
	lh_hex(sum, sizeof sum, etag);
	etag[2 * sizeof sum] = '\0';
	if (in_parts)
		snprintf(etag + 32, LH_ETAG_MAX - 32, "-%u", parts);
	return got < 0 ? -1 : 0;
}

/* ---- the face ---- */

struct lh_store *lh_store_open(const char *where, const struct lh_store_opts *opts,
			       struct lh_err *err)
{
	static const struct lh_store_opts defaults = LH_STORE_DEFAULTS;
	struct lh_store *s;

	opts = opts ? opts : &defaults;
	s = lh_store_is_s3(where) ? lh_store_s3_open(where, opts, err)
				  : lh_store_folder_open(where);
	if (s)
		s->opts = *opts;
	return s;
}

void lh_store_close(struct lh_store *s)
{
	if (s) {
		s->kind->close(s);
		free(s);
	}
}

struct lh_store *lh_store_of(const char *object, const struct lh_store_opts *opts,
			     const char **key, struct lh_err *err)
{
	const char *slash = lh_store_is_s3(object)
		? strchr(object + sizeof LH_STORE_PREFIX - 1, '/') : NULL;
	struct lh_store *s;
	LH_SCOPED(lh_free_local) char *where = NULL;

	if (!slash) {
		lh_err_set(err, LH_EUSAGE, "\"%s\" is not s3://BUCKET/KEY", object);
		return NULL;
	}
	*key = slash + 1;
	if (check(*key, err) < 0)
		return NULL;
	where = lh_strndup(object, (size_t)(slash - object));
	s = lh_store_open(where, opts, err);
	return s;
}

int lh_store_put(struct lh_store *s, const char *key, const struct lh_put *put,
		 struct lh_transfer *done, struct lh_err *err)
{
	return check(key, err) < 0 ? -1 : s->kind->put(s, key, put, done, err);
}

static int get_to(struct lh_store *s, const char *key, struct store_sink *to,
		  struct lh_transfer *done, struct lh_err *err)
{
	lh_store_sink_start(to);
	to->opts = &s->opts;
	if (check(key, err) < 0 || s->kind->get(s, key, to, done, err) < 0)
		return -1;
	done->size = to->size;
	lh_sha256_end(&to->sha, done->sha256);
	return 0;
}

int lh_store_get(struct lh_store *s, const char *key, int fd, struct lh_transfer *done,
		 struct lh_err *err)
{
	return get_to(s, key, &(struct store_sink){ .fd = fd }, done, err);
}

int lh_store_get_file(struct lh_store *s, const char *key, const char *path,
		      struct lh_transfer *done, struct lh_err *err)
{
	LH_SCOPED(lh_atomic_close) struct lh_atomic a;
	int rc = lh_atomic_open(&a, path, 0666, err);

	if (!rc)
		rc = get_to(s, key, &(struct store_sink){ .fd = a.fd, .own = true }, done, err);
	return rc ? rc : lh_atomic_commit(&a, err);
}

int lh_store_head(struct lh_store *s, const char *key, struct lh_object *o, struct lh_err *err)
{
	return check(key, err) < 0 ? -1 : s->kind->head(s, key, o, err);
}

int lh_store_list(struct lh_store *s, const char *prefix,
		  int (*each)(void *context, const struct lh_object *o, struct lh_err *err),
		  void *context, struct lh_err *err)
{
	return s->kind->list(s, prefix, each, context, err);
}

int lh_store_delete(struct lh_store *s, const char *key, const struct lh_conditions *when,
		    struct lh_err *err)
{
	return check(key, err) < 0 ? -1 : s->kind->remove(s, key, when, err);
}

void lh_object_write(struct lh_buf *out, const struct lh_object *o)
{
	struct lh_writer w = lh_write_to(out);
	char time[32];

	lh_time_print(o->modified, time);
	lh_write_object(&w, NULL);
	lh_write_text(&w, "key", o->key);
	lh_write_u64(&w, "size", o->size);
	lh_write_text(&w, "etag", o->etag);
	lh_write_text(&w, "modified", time);
	lh_write_end(&w);
}

/* ---- two stores ---- */

/* Return 1 if both files have the same bytes, 0 if not, -1. */
static int same_bytes(int a, int b, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *chunk = lh_calloc(2, STORE_CHUNK);
	ssize_t n = -1, m = 0, more;
	int rc = 1;

	while (rc > 0 && n) {
		n = lh_read_some(a, chunk, STORE_CHUNK, err);
		for (m = 0; n > 0 && m < n; m += more) {
			more = lh_read_some(b, chunk + STORE_CHUNK + m, (size_t)(n - m), err);
			if (more <= 0) {
				rc = (int)more;
				break;
			}
		}
		if (n < 0)
			rc = -1;
		else if (rc > 0)
			rc = memcmp(chunk, chunk + STORE_CHUNK, (size_t)n) == 0;
	}
	return rc;
}

/* Compare a file with an ETag of S3, whose parts have that size. */
static int fits_etag(int fd, uint64_t size, const char *etag, uint64_t part_size,
		     struct lh_err *err)
{
	char own[LH_ETAG_MAX];
	unsigned parts = 0;
	bool one = lh_store_etag_is_md5(etag, NULL);

	if (!one && (!lh_store_etag_is_md5(etag, &parts) ||
		     parts != (size + part_size - 1) / part_size))
		return 0;
	if (etag_of(fd, part_size, !one, own, err) < 0)
		return -1;
	return strcmp(own, etag) == 0;
}

/* Compare the object x, a file, with y. */
static int same_as_file(struct lh_store *a, const struct lh_object *x, struct lh_store *b,
			const struct lh_object *y, struct lh_err *err)
{
	int fd = a->kind->open(a, x->key, err), other = -1, rc = -1;

	if (fd < 0)
		return -1;
	if (!b->kind->open)
		rc = fits_etag(fd, y->size, y->etag, b->opts.part_size, err);
	else
		other = b->kind->open(b, y->key, err);
	if (other >= 0)
		rc = same_bytes(fd, other, err);
	if (other >= 0)
		close(other);
	close(fd);
	return rc;
}

int lh_store_same(struct lh_store *a, const struct lh_object *x, struct lh_store *b,
		  const struct lh_object *y, struct lh_err *err)
{
	unsigned parts;

	if (x->size != y->size)
		return 0;
	if (a->kind->open)
		return same_as_file(a, x, b, y, err);
	if (b->kind->open)
		return same_as_file(b, y, a, x, err);
	return (lh_store_etag_is_md5(x->etag, NULL) || lh_store_etag_is_md5(x->etag, &parts)) &&
	       strcmp(x->etag, y->etag) == 0;
}

int lh_store_copy(struct lh_store *from, struct lh_store *to, const char *key, struct lh_err *err)
{
	struct lh_transfer done, put;
	int fd, rc = 0;

	if (check(key, err) < 0)
		return -1;
	fd = from->kind->open ? from->kind->open(from, key, err) : lh_store_spool(err);
	if (fd < 0)
		return -1;
	if (!from->kind->open) {
		rc = lh_store_get(from, key, fd, &done, err);
		if (!rc && lseek(fd, 0, SEEK_SET) < 0)
			rc = lh_err_sys(err, "temporary file");
	}
	if (!rc)
		rc = lh_store_put(to, key, &(struct lh_put){ .fd = fd }, &put, err);
	close(fd);
	return rc;
}

int lh_store_put_two(struct lh_store *s, const char *key, const struct lh_put *put,
		     const char *beside, int fd, struct lh_transfer done[2], struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	int rc = lh_store_put(s, key, put, &done[0], err);

	lh_buf_puts(&name, key);
	lh_buf_puts(&name, beside);
	lh_buf_putc(&name, '\0');
	if (!rc && fd >= 0)
		rc = lh_store_put(s, name.p, &(struct lh_put){ .fd = fd }, &done[1], err);
	else if (!rc && lh_store_delete(s, name.p, NULL, err) < 0)
		rc = err->code == LH_EDATA && err->status == 404 ? 0 : -1;
	return rc;
}

/* ---- objects and what a manifest says of them ---- */

static int check_size(const struct lh_object_said *o, uint64_t size, struct lh_err *err)
{
	if (o->size < 0 || size == (uint64_t)o->size)
		return 0;
	return lh_err_data(err, 503, "the object \"%.200s\" has %llu bytes, but its manifest says "
			   "%lld", o->key, (unsigned long long)size, (long long)o->size);
}

static int check_sha256(const struct lh_object_said *o, const unsigned char *sha256,
			struct lh_err *err)
{
	return !o->sha256 || !memcmp(o->sha256, sha256, 32) ? 0 :
	       lh_err_data(err, 503, "the object \"%.200s\" does not have the SHA-256 that its "
			   "manifest says", o->key);
}

int lh_object_check(const struct lh_object_said *o, int fd, bool hash, struct lh_err *err)
{
	const size_t room = (size_t)256 << 10;
	unsigned char sum[32];
	struct lh_sha256 sha;
	struct stat st;
	ssize_t n;
	char *p;

	if (fstat(fd, &st) < 0)
		return lh_err_sys(err, "cannot read \"%.200s\"", o->key);
	if (check_size(o, (uint64_t)st.st_size, err) < 0)
		return -1;
	if (!hash || !o->sha256)
		return 0;
	p = lh_calloc(room, 1);
	lh_sha256_start(&sha);
	while ((n = lh_read_some(fd, p, room, err)) > 0)
		lh_sha256_more(&sha, p, (size_t)n);
	lh_sha256_end(&sha, sum);
	free(p);
	if (n < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	return check_sha256(o, sum, err);
}

int lh_object_copy(struct lh_store *s, const struct lh_object_said *o, struct lh_err *err)
{
	struct lh_transfer done;
	struct lh_object object;
	int fd;

	if (o->size >= 0 && (lh_store_head(s, o->key, &object, err) < 0 ||
			     check_size(o, object.size, err) < 0))
		return -1;
	fd = lh_store_spool(err);
	if (fd < 0)
		return -1;
	if (lh_store_get(s, o->key, fd, &done, err) < 0 || check_sha256(o, done.sha256, err) < 0 ||
	    (lseek(fd, 0, SEEK_SET) < 0 && lh_err_sys(err, "cannot seek") < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

int lh_object_open(int folder, const char *key, struct lh_err *err)
{
	char by_fd[40];
	int at = lh_path_beneath(folder, key), fd;
	struct stat st;

	if (at < 0)
		return lh_err_data(err, 404, "there is no object \"%.200s\"", key);
	if (fstat(at, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(at);
		return lh_err_data(err, 404, "\"%.200s\" is not an object", key);
	}
	snprintf(by_fd, sizeof by_fd, "/proc/self/fd/%d", at);
	fd = open(by_fd, O_RDONLY | O_CLOEXEC);
	close(at);
	return fd < 0 ? lh_err_sys(err, "cannot open \"%.200s\"", key) : fd;
}
