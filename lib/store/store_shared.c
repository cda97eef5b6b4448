/*
 * store_shared.c - what both kinds of stores share: the rules of keys, errors, and where the bytes
 * of an object go; local copies of objects.  See store_parts.h and store.h.
 *
 * Programs that only read copies link nothing of the stores, and so not libexpat.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dirent.h>
#include <fcntl.h>
#include <openssl/md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "file/file.h"
#include "proc/coproc.h"
#include "proc/run.h"
#include "store_parts.h"

/* ---- MD5 with libcrypto ---- */

_Static_assert(sizeof(MD5_CTX) == sizeof(struct lh_md5), "struct lh_md5 holds an MD5_CTX");

void lh_md5_start(struct lh_md5 *m)
{
	MD5_Init((MD5_CTX *)m);
}

void lh_md5_more(struct lh_md5 *m, const void *p, size_t n)
{
	MD5_Update((MD5_CTX *)m, p, n);
}

void lh_md5_end(struct lh_md5 *m, unsigned char out[16])
{
	MD5_Final(out, (MD5_CTX *)m);
}

/* ---- keys ---- */

/* Return why the part p[0..n) of a key is wrong, or NULL. */
static const char *part_fault(const char *p, size_t n)
{
	if (!n)
		return "a part is empty";
	if (n <= 2 && strncmp(p, "..", n) == 0)
		return "a part is . or ..";
	return NULL;
}

static const char *key_fault(const char *key, size_t n)
{
	const char *p = key, *end = key + n, *slash, *why = NULL;

	if (!n)
		return "it is empty";
	if (n > LH_KEY_MAX)
		return "it is longer than 1024 bytes";
	if (memchr(key, '\0', n) || memchr(key, '\n', n) || memchr(key, '\r', n) ||
	    memchr(key, '\t', n))
		return "it holds a NUL, CR, LF or TAB";
	if (!lh_utf8_valid(key, n))
		return "it is not valid UTF-8";
	if (*key == '/')
		return "it begins with /";
	for (; !why && p <= end; p = slash + 1) {
		slash = memchr(p, '/', (size_t)(end - p));
		if (!slash)
			slash = end;
		why = part_fault(p, (size_t)(slash - p));
	}
	return why;
}

int lh_store_check_key(const char *key, size_t n, struct lh_err *err)
{
	const char *why = key_fault(key, n);

	return why ? lh_err_data(err, 400, "\"%.*s\" is not a key: %s",
				 (int)(n < 200 ? n : 200), key, why) : 0;
}

/* ---- what both kinds report ---- */

int lh_store_no_object(const char *key, struct lh_err *err)
{
	return lh_err_data(err, 404, "no object \"%s\"", key);
}

/* ---- conditions ---- */

/* Return 1 if a list has the ETag, 0 if not, -1 if it is no list.  ETags of If-Match are compared
 * strongly: a weak one is never the same. */
static int list_has(const char *list, const char *etag, bool strong, struct lh_err *err)
{
	static const char blanks[] = ", \t";
	const size_t n = etag ? strlen(etag) : 0;
	const char *p = list + strspn(list, blanks), *end;
	bool weak, has = false;

	if (!strcmp(p, "*"))
		return etag != NULL;
	if (!*p)
		return lh_err_data(err, 400, "a condition lists no ETag");
	for (; *p; p = end + strspn(end, blanks)) {
		weak = !strncmp(p, "W/", 2);
		p += weak ? 2 : 0;
		end = *p == '"' ? strchr(p + 1, '"') : NULL;
		if (!end || (end[1] && !strchr(blanks, end[1])))
			return lh_err_data(err, 400, "a condition must be * or ETags in quotes");
		has |= etag && !(weak && strong) && (size_t)(end - p) == n + 1 &&
		       !memcmp(p + 1, etag, n);
		end++;
	}
	return has;
}

int lh_conditions_check(const struct lh_conditions *when, const char *etag, struct lh_err *err)
{
	int has = when->match ? list_has(when->match, etag, true, err) : 1;

	if (has < 1)
		return has < 0 ? -1 : lh_err_data(err, 412, etag
						  ? "the object has another ETag than those of "
						    "If-Match"
						  : "there is no such object, as If-Match wants");
	has = when->none_match ? list_has(when->none_match, etag, false, err) : 0;
	return has < 0 ? -1 : !has;
}

int lh_store_exists(const char *key, struct lh_err *err)
{
	return lh_err_data(err, 412, "there is an object \"%s\" already", key);
}

int lh_store_may_change(const struct lh_conditions *when, const char *etag, const char *key,
			struct lh_err *err)
{
	int may = when ? lh_conditions_check(when, etag, err) : 1;

	return may < 0 ? -1 : may ? 0 : lh_store_exists(key, err);
}

int lh_store_too_large(uint64_t max, struct lh_err *err)
{
	return lh_err_data(err, 413, "larger than %llu bytes", (unsigned long long)max);
}

int lh_store_check_sha256(const unsigned char *wanted, const unsigned char *had, struct lh_err *err)
{
	return wanted && memcmp(wanted, had, 32) != 0
		? lh_err_set(err, LH_EIO, "the bytes do not have the SHA-256 announced") : 0;
}

int lh_store_spool(struct lh_err *err)
{
	const char *dir = getenv("TMPDIR");
	int fd = open(dir && *dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fd = memfd_create("lh-store", MFD_CLOEXEC);
	return fd < 0 ? lh_err_sys(err, "cannot create a temporary file") : fd;
}

/* ---- sinks ---- */

void lh_store_sink_start(struct store_sink *to)
{
	to->size = 0;
	lh_sha256_start(&to->sha);
	lh_md5_start(&to->md5);
}

int lh_store_sink_more(struct store_sink *to, const void *p, size_t n, struct lh_err *err)
{
	if (lh_write_all(to->fd, p, n, err) < 0)
		return -1;
	to->size += n;
	if (to->opts->moved)
		to->opts->moved(to->opts->context, n);
	lh_sha256_more(&to->sha, p, n);
	lh_md5_more(&to->md5, p, n);
	return 0;
}

int lh_store_sink_again(struct store_sink *to)
{
	if (to->size && (!to->own || ftruncate(to->fd, 0) < 0 || lseek(to->fd, 0, SEEK_SET) < 0))
		return -1;
	lh_store_sink_start(to);
	return 0;
}

/* ---- ETags ---- */

bool lh_store_etag_is_md5(const char *etag, unsigned *parts)
{
	size_t n = strspn(etag, "0123456789abcdef");
	char *end;

	if (n != 32 || (parts ? etag[n] != '-' : etag[n] != '\0'))
		return false;
	if (!parts)
		return true;
	*parts = (unsigned)strtoul(etag + n + 1, &end, 10);
	return *parts && !*end;
}

/* ---- local copies of objects ---- */

/* Return where the object's name begins in "s3://..." or "NAME=s3://...", or NULL. */
static const char *object_in(const char *operand)
{
	const char *equals;

	if (lh_store_is_s3(operand))
		return operand;
	equals = strchr(operand, '=');
	return equals && lh_store_is_s3(equals + 1) ? equals + 1 : NULL;
}

/* Run a tool of ours that copies. */
static int copy(char **argv, struct lh_err *err)
{
	const struct lh_child_how how = { .argv = argv, .keys = LH_KEYS_STORE };
	LH_SCOPED(lh_child_free) struct lh_child_out out;
	int rc = lh_child_run(&how, NULL, 0, &out, err);

	if (!rc && out.status)
		rc = *out.last_line ? lh_err_set(err, LH_EIO, "%s", out.last_line)
			: lh_err_set(err, LH_EIO, "%s ended without an answer", argv[0]);
	return rc;
}

/* Add the path PREFIX TEMPORARY/N/NAME, and make its folder: what is after the prefix, or NULL. */
static char *add_path(struct lh_object_copies *c, struct lh_str prefix, const char *name,
		      struct lh_err *err)
{
	struct lh_buf b = { 0 };
	char *path, *slash;

	if (!c->dir.path && lh_tmpdir_make(&c->dir, "lh-objects", err) < 0)
		return NULL;
	lh_grow(&c->path, &c->cap, c->n + 1, sizeof *c->path);
	lh_buf_add(&b, prefix.p, prefix.n);
	lh_buf_printf(&b, "%s/%zu/%s", c->dir.path, c->n, name);
	lh_buf_putc(&b, '\0');
	c->path[c->n++] = b.p;
	path = b.p + prefix.n;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0700) < 0) {
		lh_err_sys(err, "%s", path);
		return NULL;
	}
	*slash = '/';
	return path;
}

int lh_object_copies_take(struct lh_object_copies *c, const char **operand, struct lh_err *err)
{
	const char *object = object_in(*operand), *slash = object ? strrchr(object, '/') : NULL;
	char *argv[] = { "lh-index", "fetch", "-q", "--", (char *)object, NULL, NULL };

	if (!object)
		return 0;
	argv[5] = add_path(c, (struct lh_str){ *operand, (size_t)(object - *operand) }, slash + 1,
			   err);
	if (!argv[5] || copy(argv, err) < 0)
		return -1;
	*operand = c->path[c->n - 1];
	return 0;
}

/* Return whether the folder has nothing but "." and "..": S3 knows no folder that is empty, so
 * that the prefix of one is a wrong one. */
static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *e;
	bool empty = true;

	while (d && (e = readdir(d)))
		empty &= e->d_name[0] == '.';
	if (d)
		closedir(d);
	return empty;
}

int lh_object_copies_folder(struct lh_object_copies *c, const char **operand,
			    struct lh_err *err)
{
	char *argv[] = { "lh-store", "sync", "-q", "--", (char *)*operand, NULL, NULL };

	if (!lh_store_is_s3(*operand))
		return 0;
	argv[5] = add_path(c, (struct lh_str){ "", 0 }, "", err);
	if (!argv[5])
		return -1;
	if (copy(argv, err) < 0)
		return lh_err_prefix(err, "%s", *operand);
	if (is_empty(argv[5]))
		return lh_err_set(err, LH_EIO, "%s: there is no object below it", *operand);
	*operand = argv[5];
	return 0;
}

void lh_object_copies_free(struct lh_object_copies *c)
{
	struct lh_err ignored;

	while (c->n)
		free(c->path[--c->n]);
	free(c->path);
	lh_tmpdir_remove(&c->dir, &ignored);
	*c = (struct lh_object_copies){ .n = 0 };
}
