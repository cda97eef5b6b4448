/* bytes_file.c - search a file, what is packed in it, and the ids of an index.  See bytes.h. */
#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/signal.h"
#include "bytes.h"
#include "file/file.h"
#include "index/index_tools.h"
#include "store/store.h"

#define MAX_RATIO 100000	/* a place is not refused for being well compressed */

static int search_file(struct byte_search *b, int fd, const char *member, unsigned depth,
		       struct lh_err *err);

static ssize_t read_fd(void *from, void *p, size_t n, struct lh_err *err)
{
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	return lh_read_some(*(int *)from, p, n, err);
}

/* ---- archives ---- */

struct member {
	struct lh_archive *a;
	const char *p;
	size_t n;		/* bytes at p that were not passed on */
};

static ssize_t read_member(void *from, void *to, size_t n, struct lh_err *err)
{
	struct member *m = from;
	const void *p = m->p;
	ssize_t got;

	if (!m->n) {
		got = lh_stopping() ? lh_err_set(err, LH_EINTR, "interrupted")
				    : lh_archive_read(m->a, &p, err);
		if (got <= 0)
			return got;
		m->n = (size_t)got;
	}
	n = n < m->n ? n : m->n;
	memcpy(to, p, n);
	m->p = (const char *)p + n;
	m->n -= n;
	return (ssize_t)n;
}

/* Put a member into an unnamed file, and search that. */
static int search_packed(struct byte_search *b, struct member *m, const char *name, unsigned depth,
			 struct lh_err *err)
{
	int fd = lh_store_spool(err), rc = fd < 0 ? -1 : 0;
	char block[16384];
	ssize_t n = 1;

	while (!rc && (n = read_member(m, block, sizeof block, err)) > 0)
		rc = lh_write_all(fd, block, (size_t)n, err);
	if (!rc && n == 0)
		rc = search_file(b, fd, name, depth, err);
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : rc;
}

/* Return whether a member is only in documents of an office, in whose texts are marks. */
static bool is_office(const char *name)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	return !strcmp(base, "[Content_Types].xml") || !strcmp(base, "mimetype");
}

/* Search a member whose name in messages and hits is that. */
static int search_member(struct byte_search *b, struct lh_archive *a, const char *name,
			 unsigned depth, struct lh_err *err)
{
	struct member m = { .a = a };
	const void *p;
	ssize_t n;
	int rc = byte_search_text(b, lh_str_of(name), name, "name", err);

	if (rc)
		return rc;
	n = lh_archive_read(a, &p, err);
	if (n <= 0)
		return (int)n;
	m.p = p;
	m.n = (size_t)n;
	if (is_office(name))
		byte_search_set_opaque(b, true);
	if (lh_archive_kind(p, m.n) && depth < BYTE_NESTED)
		return search_packed(b, &m, name, depth + 1, err);
	byte_search_judge(b, true);
	return byte_search_stream(b, read_member, &m, name, NULL, err);
}

static int search_archive(struct byte_search *b, const struct lh_archive_source *src,
			  const char *member, unsigned depth, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	struct lh_archive *a = lh_archive_open(src, err);
	struct lh_archive_entry e;
	int rc = a ? 0 : -1;

	while (!rc && (rc = lh_archive_entry(a, &e, err)) > 0) {
		lh_buf_reset(&name);
		lh_buf_printf(&name, "%s%s%s%c", member ? member : "",
			      member && *member && *e.name ? "/" : "", e.name, '\0');
		rc = search_member(b, a, name.p, depth, err);
		if (rc > 0)
			break;
	}
	lh_archive_free(a);
	return rc;
}

/* ---- a file ---- */

struct ids {
	struct byte_search *b;
	const char *member;
};

static int on_id(void *ctx, struct lh_str id, struct lh_err *err)
{
	const struct ids *ids = ctx;

	return byte_search_text(ids->b, id, ids->member, "ids", err);
}

static bool is_packed(const void *ctx, uint64_t at)
{
	(void)ctx, (void)at;
	return true;
}

static bool is_number(const void *ctx, uint64_t at)
{
	return lh_index_in_numbers(*(const int *)ctx, at);
}

static int search_file(struct byte_search *b, int fd, const char *member, unsigned depth,
		       struct lh_err *err)
{
	char head[LH_ARCHIVE_SNIFF];
	struct lh_archive_source src = { .head = head, .fd = fd, .max_ratio = MAX_RATIO,
					 .twice = true };
	const ssize_t n = pread(fd, head, sizeof head, 0);
	const char *kind = n > 0 ? lh_archive_kind(head, (size_t)n) : NULL;
	int rc;

	if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot read");
	byte_search_numbers(b, kind && strcmp(kind, "tar") ? is_packed : lh_index_is(fd) ? is_number
			    : NULL, &fd);
	byte_search_judge(b, !kind && !lh_index_is(fd));
	rc = byte_search_stream(b, read_fd, &fd, member, NULL, err);
	byte_search_numbers(b, NULL, NULL);
	if (rc)
		return rc;
	if (lseek(fd, n, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	src.n_head = (size_t)n;
	return kind ? search_archive(b, &src, member, depth, err)
		: lh_index_all_ids(fd, on_id, &(struct ids){ b, member }, err);
}

#define ATTRIBUTES 65536	/* most bytes of their names, and of a value, in Linux */

/* Search the attribute of that name: 0 also if it has just gone. */
static int search_attribute(struct byte_search *b, int fd, const char *name, struct lh_buf *value,
			    struct lh_err *err)
{
	char *to;
	ssize_t n;
	int rc = byte_search_text(b, lh_str_of(name), name, "attribute", err);

	lh_buf_reset(value);
	if (rc)
		return rc;
	to = lh_buf_room(value, ATTRIBUTES);
	n = fgetxattr(fd, name, to, ATTRIBUTES);
	if (n < 0)
		return errno == ENODATA ? 0 : lh_err_sys(err, "attribute %s", name);
	return byte_search_text(b, (struct lh_str){ to, (size_t)n }, name, "attribute", err);
}

int byte_search_attributes(struct byte_search *b, int fd, struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 }, value = { 0 };
	char *name = lh_buf_room(&names, ATTRIBUTES);
	ssize_t n = flistxattr(fd, name, ATTRIBUTES);
	const char *end;
	int rc = 0;

	if (n < 0)
		return errno == ENOTSUP || errno == EOPNOTSUPP
			? 0 : lh_err_sys(err, "extended attributes");
	for (end = name + n; !rc && name < end; name += strlen(name) + 1)
		rc = search_attribute(b, fd, name, &value, err);
	return rc;
}

int byte_search_fd(struct byte_search *b, int fd, struct lh_err *err)
{
	byte_search_set_opaque(b, false);
	return search_file(b, fd, NULL, 0, err);
}
