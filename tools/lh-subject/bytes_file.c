/* bytes_file.c - search a file, what is packed in it, and the ids of an index.  See bytes.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/signal.h"
#include "bytes.h"
#include "file/file.h"

#define MAX_RATIO 100000	/* a place is not refused for being well compressed */

/* Who gets the hits. */
struct to {
	struct byte_search *b;
	byte_hit_fn *fn;
	void *ctx;
	const char *how;	/* in place of the hit's own */
};

static int on_renamed(void *ctx, const struct byte_hit *hit, struct lh_err *err)
{
	const struct to *to = ctx;
	struct byte_hit renamed = *hit;

	renamed.how = to->how;
	return to->fn(to->ctx, &renamed, err);
}

int byte_search_name(struct byte_search *b, const char *name, const char *member, byte_hit_fn *fn,
		     void *ctx, struct lh_err *err)
{
	struct to to = { b, fn, ctx, "name" };

	return byte_search_text(b, lh_str_of(name), member, on_renamed, &to, err);
}

static ssize_t read_fd(void *from, void *p, size_t n, struct lh_err *err)
{
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	return lh_read_some(*(int *)from, p, n, err);
}

/* ---- ids of an index, and of its log: lhv(5) ---- */

#define SECTION_AT 128		/* of the table of sections in the header, ... */
#define SECTIONS 64
#define KIND_ID_AT 5		/* ... which has offsets of ids, u64, ... */
#define KIND_IDS 6		/* ... and the ids */
#define LOG_MAGIC "lhv-log\n"
enum { LOG_MARK = 1, LOG_PUT, LOG_DELETE, LOG_GROUP };

struct section {
	uint32_t kind, zero;
	uint64_t at, bytes, xxh3;
};
struct log_head {
	uint32_t bytes, kind;
	uint64_t xxh3[2];
};
struct log_mark {
	char magic[8];
	uint32_t version, dimension;
};
struct log_change {
	uint16_t id, with_meta;
	uint32_t meta;
};

/* Parts of a file, to be searched with an LF between them. */
struct parts {
	int fd;
	uint64_t at, left;	/* of the part that is read */
	bool ended;		/* its LF is due */
	int (*next)(struct parts *, struct lh_err *);	/* go to the next: 1, 0 at the end, -1 */
	uint64_t offsets, n, row, texts, n_texts;	/* of an index */
	uint64_t frame, dimension;			/* of a log */
};

/* 1; 0 at the end of the file; -1. */
static int read_at(int fd, void *p, size_t n, uint64_t at, struct lh_err *err)
{
	ssize_t got = at > INT64_MAX ? 0 : pread(fd, p, n, (off_t)at);

	return got < 0 ? lh_err_sys(err, "cannot read") : got == (ssize_t)n;
}

static int next_id(struct parts *p, struct lh_err *err)
{
	uint64_t to[2];
	int rc = p->row < p->n ? read_at(p->fd, to, sizeof to, p->offsets + 8 * p->row++, err) : 0;

	if (rc <= 0 || to[0] > to[1] || to[1] > p->n_texts)
		return rc < 0 ? -1 : 0;
	p->at = p->texts + to[0];
	p->left = to[1] - to[0];
	return 1;
}

static int next_change(struct parts *p, struct lh_err *err)
{
	struct log_change change;
	struct log_head head;
	struct log_mark mark;
	uint64_t at;
	int rc;

	while ((rc = read_at(p->fd, &head, sizeof head, p->frame, err)) > 0) {
		at = p->frame + sizeof head;
		p->frame = head.kind == LOG_GROUP ? at : at + head.bytes;
		if (head.kind == LOG_MARK && (rc = read_at(p->fd, &mark, sizeof mark, at, err)) > 0)
			p->dimension = mark.dimension;
		if (rc <= 0 || (head.kind != LOG_PUT && head.kind != LOG_DELETE)) {
			if (rc <= 0 || head.kind > LOG_GROUP)
				break;
			continue;
		}
		rc = read_at(p->fd, &change, sizeof change, at, err);
		p->at = at + sizeof change + (head.kind == LOG_PUT ? 4 * p->dimension : 0);
		p->left = change.id;
		return rc;
	}
	return rc < 0 ? -1 : 0;
}

static ssize_t read_parts(void *from, void *to, size_t n, struct lh_err *err)
{
	struct parts *p = from;
	size_t made = 0, k;
	int rc;

	while (made < n) {
		if (!p->left && p->ended) {
			((char *)to)[made++] = '\n';
			p->ended = false;
		} else if (!p->left) {
			rc = p->next(p, err);
			if (rc <= 0)
				return rc < 0 ? -1 : (ssize_t)made;
			p->ended = true;
		} else {
			k = p->left < n - made ? p->left : n - made;
			rc = read_at(p->fd, (char *)to + made, k, p->at, err);
			if (rc <= 0)
				return rc < 0 ? -1 : (ssize_t)made;
			p->at += k;
			p->left -= k;
			made += k;
		}
	}
	return (ssize_t)made;
}

/* Set *p to the ids of an index or its log, by the first bytes: 1; 0 if it is neither; -1. */
static int find_ids(struct parts *p, const char *head, size_t n, struct lh_err *err)
{
	struct section section[SECTIONS];
	size_t i;
	int rc;

	if (n >= sizeof(struct log_head) + 8 &&
	    memcmp(head + sizeof(struct log_head), LOG_MAGIC, 8) == 0) {
		p->next = next_change;
		return 1;
	}
	if (n < 8 || memcmp(head, LH_INDEX_MAGIC, 8))
		return 0;
	rc = read_at(p->fd, section, sizeof section, SECTION_AT, err);
	for (i = 0; rc > 0 && i < SECTIONS; i++)
		if (section[i].kind == KIND_ID_AT) {
			p->offsets = section[i].at;
			p->n = section[i].bytes / 8;
		} else if (section[i].kind == KIND_IDS) {
			p->texts = section[i].at;
			p->n_texts = section[i].bytes;
		}
	p->n -= p->n > 0;
	p->next = next_id;
	return rc;
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

static int search_file(const struct to *to, int fd, const char *member, unsigned depth,
		       struct lh_err *err);

/* Put a member into an unnamed file, and search that. */
static int search_packed(const struct to *to, struct member *m, const char *name, unsigned depth,
			 struct lh_err *err)
{
	const char *folder = getenv("TMPDIR");
	int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char block[16384];
	ssize_t n = 1;
	int rc = fd < 0 ? lh_err_sys(err, "cannot create a temporary file") : 0;

	while (!rc && (n = read_member(m, block, sizeof block, err)) > 0)
		rc = lh_write_all(fd, block, (size_t)n, err);
	if (!rc && n == 0)
		rc = search_file(to, fd, name, depth, err);
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : rc;
}

/* Search a member whose name in messages and hits is that. */
static int search_member(const struct to *to, struct lh_archive *a, const char *name,
			 unsigned depth, struct lh_err *err)
{
	struct member m = { .a = a };
	const void *p;
	ssize_t n;
	int rc = byte_search_name(to->b, name, name, to->fn, to->ctx, err);

	if (rc)
		return rc;
	n = lh_archive_read(a, &p, err);
	if (n <= 0)
		return (int)n;
	m.p = p;
	m.n = (size_t)n;
	if (lh_archive_kind(p, m.n) && depth < BYTE_NESTED)
		return search_packed(to, &m, name, depth + 1, err);
	return byte_search_stream(to->b, read_member, &m, name, to->fn, to->ctx, err);
}

static int search_archive(const struct to *to, int fd, const char *member, unsigned depth,
			  const char *head, size_t n_head, struct lh_err *err)
{
	struct lh_archive_source src = { .head = head, .n_head = n_head, .fd = fd,
					 .max_ratio = MAX_RATIO, .twice = true };
	LH_SCOPED(lh_buf_free) struct lh_buf name = { 0 };
	struct lh_archive_entry e;
	struct lh_archive *a;
	int rc = 1;

	if (lseek(fd, (off_t)n_head, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	a = lh_archive_open(&src, err);
	if (!a)
		return -1;
	while (rc > 0 && (rc = lh_archive_entry(a, &e, err)) > 0) {
		lh_buf_reset(&name);
		lh_buf_printf(&name, "%s%s%s", member ? member : "",
			      member && *member && *e.name ? "/" : "", e.name);
		lh_buf_putc(&name, '\0');
		if (lh_buf_check(&name, err) < 0)
			rc = -1;
		else if ((rc = search_member(to, a, name.p, depth, err)) == 0)
			rc = 1;
		else if (rc > 0)
			break;
	}
	lh_archive_free(a);
	return rc;
}

/* ---- a file ---- */

static int search_file(const struct to *to, int fd, const char *member, unsigned depth,
		       struct lh_err *err)
{
	char head[LH_ARCHIVE_SNIFF];
	struct parts ids = { .fd = fd };
	struct to renamed = *to;
	ssize_t n;
	int rc;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return lh_err_sys(err, "cannot seek");
	rc = byte_search_stream(to->b, read_fd, &fd, member, to->fn, to->ctx, err);
	n = pread(fd, head, sizeof head, 0);
	if (!rc && n < 0)
		return lh_err_sys(err, "cannot read");
	if (rc)
		return rc;
	if (lh_archive_kind(head, (size_t)n))
		return search_archive(to, fd, member, depth, head, (size_t)n, err);
	rc = find_ids(&ids, head, (size_t)n, err);
	renamed.how = "ids";
	return rc <= 0 ? rc : byte_search_stream(to->b, read_parts, &ids, member, on_renamed,
						 &renamed, err);
}

int byte_search_fd(struct byte_search *b, int fd, byte_hit_fn *fn, void *ctx, struct lh_err *err)
{
	const struct to to = { b, fn, ctx, NULL };

	return search_file(&to, fd, NULL, 0, err);
}
