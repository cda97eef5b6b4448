/*
 * find_bytes.c - what find does not read as rows: names and attributes of files, and the bytes of
 * indexes and databases.  See find.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "file/file.h"
#include "find.h"
#include "index/index_tools.h"

#define WINDOW ((size_t)512 << 10)
#define BEFORE 16		/* bytes of the last window that are seen again */
#define BY_CHANCE 6		/* fewer bytes are in numbers by chance */
#define ATTRIBUTES 65536	/* most bytes of their names, and of a value, in Linux */

/* The place at hand. */
struct bytes {
	struct find *f;
	size_t place;
	bool found;
	int fd;
	uint64_t base;		/* of the window, ... */
	size_t from, to;	/* ... in which texts that begin there are new */
};

static void add(struct find *f, size_t place, enum hit_in in, size_t text, struct lh_str id)
{
	const enum place_kind kind = f->s->places.v[place].kind;
	const struct hit hit = {
		.place = place, .by = HIT_BYTES, .in = in, .text = text, .via = NO_HIT,
		.deleted = place_is[kind].bytes == BYTES_INDEX || kind == PLACE_CACHE ||
			   kind == PLACE_TRACE_INDEX
	};

	hit_add(f, hit, lh_str_of("[]"), id, NO_ID);
}

/* ---- texts ---- */

static void on_text(void *ctx, size_t text, size_t at, size_t len)
{
	struct bytes *b = ctx;
	const struct person *who = b->f->who;

	(void)len;
	if (b->found || at < b->from || at >= b->to)
		return;
	if ((text ? who->also[text - 1] : who->id).n < BY_CHANCE &&
	    (b->f->s->places.v[b->place].kind == PLACE_TRACE_INDEX ||
	     lh_index_in_numbers(b->fd, b->base + at)))
		return;
	b->found = true;
	add(b->f, b->place, HIT_RAW, text, NO_ID);
}

/* Search the bytes of an open file as they are. */
static int search_raw(struct bytes *b)
{
	const struct lh_texts *t = b->f->who->texts;
	const size_t ahead = lh_texts_longest(t) + 64, cap = WINDOW + ahead + BEFORE;
	LH_SCOPED(lh_free_local) unsigned char *p = lh_calloc(1, cap);
	size_t n = 0, keep;
	ssize_t got = 1;

	b->base = 0;
	b->from = 0;
	while (got > 0 && !b->found) {
		while (n < cap && (got = pread(b->fd, p + n, cap - n, (off_t)(b->base + n))) > 0)
			n += (size_t)got;
		if (got < 0)
			return lh_err_sys(b->f->err, "%s", b->f->s->places.v[b->place].path);
		if (lh_stopping())
			return lh_err_set(b->f->err, LH_EINTR, "interrupted");
		b->to = got ? n - ahead : n;
		lh_texts_find(t, p, n, on_text, b);
		keep = b->to > BEFORE ? b->to - BEFORE : 0;
		memmove(p, p + keep, n - keep);
		n -= keep;
		b->base += keep;
		b->from = b->to - keep;
	}
	return 0;
}

/* Search a name or a value of the place, and add a hit for each text in it. */
static void search_text(struct find *f, size_t place, enum hit_in in, struct lh_str text,
			struct lh_str id)
{
	struct seen seen;

	person_look(f->who, text, &f->text, &seen);
	if (seen.id)
		add(f, place, in, 0, id);
	else if (seen.text)
		add(f, place, in, seen.text, id);
}

static int on_id(void *ctx, struct lh_str id, struct lh_err *err)
{
	struct bytes *b = ctx;
	struct seen seen;

	(void)err;
	person_look(b->f->who, id, &b->f->text, &seen);
	if (!seen.id && !seen.text)
		return 0;
	add(b->f, b->place, HIT_IDS, seen.id ? 0 : seen.text, NO_ID);
	b->found = true;
	return 1;
}

/* Search the bytes of an index, or of its log, which have deleted records too. */
static int search_index(struct bytes *b)
{
	const int rc = lh_index_all_ids(b->fd, on_id, b, b->f->err);

	return rc || b->found ? rc < 0 ? -1 : 0 : search_raw(b);
}

static int search_attributes(struct find *f, size_t place, int fd)
{
	LH_SCOPED(lh_buf_free) struct lh_buf names = { 0 }, value = { 0 };
	char *name = lh_buf_room(&names, ATTRIBUTES), *to = lh_buf_room(&value, ATTRIBUTES);
	ssize_t n = flistxattr(fd, name, ATTRIBUTES), got;
	const char *end = name + n;

	if (n < 0)
		return errno == ENOTSUP || errno == EOPNOTSUPP
			? 0 : lh_err_sys(f->err, "extended attributes");
	for (; name < end; name += strlen(name) + 1) {
		got = fgetxattr(fd, name, to, ATTRIBUTES);
		if (got < 0 && errno != ENODATA)
			return lh_err_sys(f->err, "attribute %s", name);
		got = got < 0 ? 0 : got;
		search_text(f, place, HIT_ATTRIBUTE, (struct lh_str){ to, (size_t)got },
			    lh_str_of(name));
		search_text(f, place, HIT_ATTRIBUTE, lh_str_of(name), lh_str_of(name));
	}
	return 0;
}

/* Return the name of a place that says something about whom it is of: below its root, or the key
 * of an object. */
static const char *name_of(const struct place *p)
{
	const char *slash = strrchr(p->path, '/');

	if (p->store)
		return place_key(p);
	return p->root ? p->path + p->rel : slash ? slash + 1 : p->path;
}

/* ---- a place ---- */

/* Return whether a place has something that is the person's by id or by lineage. */
static bool has_own(const struct hits *h, size_t place)
{
	size_t i = hits_from(h, place);

	while (i < h->n && h->v[i].place == place && h->v[i].by != HIT_ID &&
	       h->v[i].by != HIT_LINEAGE)
		i++;
	return i < h->n && h->v[i].place == place;
}

/* Search an index and the log beside it, unless records of it are found, with which all that was
 * deleted goes too, or others have the texts and nothing was deleted. */
static int find_deleted(struct bytes *b, const struct place *p)
{
	const struct hits *h = b->f->hits;
	const size_t first = hits_from(h, b->place);
	LH_SCOPED(lh_free_local) char *path = lh_index_sibling_path(p->path, LH_INDEX_LOG);
	struct bytes log = { .f = b->f, .place = b->place };
	int rc;

	log.fd = access(path, F_OK) < 0 ? -1 : lh_open_regular(path, O_RDONLY, 0, b->f->err);
	if (has_own(h, b->place) || (log.fd < 0 && first < h->n && h->v[first].place == b->place))
		rc = 0;
	else
		rc = search_index(b);
	if (log.fd >= 0) {
		if (!rc && !b->found && !has_own(h, b->place))
			rc = search_index(&log);
		close(log.fd);
	}
	return rc;
}

static int find_in_file(struct bytes *b, const struct place *p)
{
	switch (place_is[p->kind].bytes) {
	case BYTES_INDEX:
		return find_deleted(b, p);
	case BYTES_RAW:
		return search_raw(b);
	case BYTES_TEXT:
		return !lh_index_is(b->fd) || has_own(b->f->hits, b->place) ? 0 : search_index(b);
	default:
		return 0;		/* of an index and its log with the index */
	}
}

int find_bytes(struct find *f, size_t i)
{
	const struct place *p = &f->s->places.v[i];
	struct bytes b = { .f = f, .place = i };
	int rc;

	if (!place_is_named_after(f->s, p->path, f->who->id))
		search_text(f, i, HIT_NAME, lh_str_of(name_of(p)), NO_ID);
	if (p->kind == PLACE_SPECIAL)
		return 0;
	b.fd = place_open(p, f->err);
	if (b.fd < 0)	/* a temporary file, or one of the cache, may just have gone */
		return (p->kind == PLACE_SPOOL || place_is_kept(p)) && errno == ENOENT ? 0 : -1;
	rc = search_attributes(f, i, b.fd);
	if (!rc)
		rc = find_in_file(&b, p);
	close(b.fd);
	return rc;
}
