/* key_read.c - read the keys of a file.  See key_read.h. */
#include "key_read.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/signal.h"
#include "flow/flow.h"

#define PIECE ((size_t)1 << 20)

struct reading {
	struct lh_key_part *part;
	enum lh_place place;
	struct lh_xxh3_stream hash;	/* of all bytes so far ... */
	struct lh_xxh3_stream whole;	/* ... and of those up to part->end */
	uint64_t at, lines, base;	/* bytes of the file so far; whole lines of the part; */
	uint64_t last;			/* the line that the sink saw last */
	struct lh_err failed;		/* of a hook that cannot fail */
	bool tail;
};

struct mapper {
	struct lh_row_ids ids;
	enum lh_place place;
};

struct row {
	bool bad;
};

static int mapper_init(void *context, void *shared, struct lh_err *err)
{
	(void)err;
	((struct mapper *)context)->place = ((struct reading *)shared)->place;
	return 0;
}

static void mapper_free(void *context)
{
	lh_row_ids_free(&((struct mapper *)context)->ids);
}

static int fill(struct lh_record *rec, void *result, struct lh_buf *out, void *context,
		struct lh_err *err)
{
	struct mapper *m = context;

	(void)result;
	if (lh_row_ids_read(&m->ids, m->place, rec, err) < 0)
		return -1;
	lh_row_keys(&m->ids, m->place, out);
	if (lh_row_person_keys(rec, &m->ids.scratch, out, err) < 0)
		return -1;
	return 1;
}

static void bad(const struct lh_bad_line *line, void *result, struct lh_buf *out, void *context)
{
	const uint32_t key = lh_row_key(LH_KEY_OTHER, lh_str_of(""));

	(void)line;
	(void)context;
	lh_buf_add(out, &key, sizeof key);
	((struct row *)result)->bad = true;
}

/* Count a line over the limit. */
static int rejected(void *owner, const struct lh_rejection *r, struct lh_err *err)
{
	(void)r;
	(void)err;
	((struct reading *)owner)->part->rows++;
	return 0;
}

/* Add the keys of a row. */
static int sink(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct reading *r = shared;
	uint64_t line = r->base + o->line, v;
	uint32_t key;
	size_t i;

	if (line > UINT32_MAX)
		return lh_err_set(err, LH_EIO, "%s: more than 2^32 lines", o->file);
	r->part->rows++;
	r->last = line;
	for (i = 0; i + sizeof key <= o->n; i += sizeof key) {
		memcpy(&key, o->text + i, sizeof key);
		v = (uint64_t)key << 32 | line;
		if (lh_numbers_add(&r->part->own_key, &v, 1, err) < 0)
			return -1;
	}
	return 0;
}

/* Note the offset of a line, counted from 0 in the part. */
static void mark(struct reading *r, uint64_t line, uint64_t at)
{
	if (line % LH_MARK_LINES == 0 &&
	    lh_numbers_add(&r->part->own_mark, &at, 1, &r->failed) < 0)
		r->failed.code = LH_ENOMEM;
}

static void show(void *shared, const char *p, size_t n)
{
	struct reading *r = shared;
	const char *from = p, *end = p + n, *lf;

	while ((lf = memchr(p, '\n', (size_t)(end - p)))) {
		p = lf + 1;
		r->lines++;
		r->part->end = r->at + (uint64_t)(p - from);
		mark(r, r->lines, r->part->end);
	}
	if (p > from) {
		lh_xxh3_add(&r->hash, from, (size_t)(p - from));
		r->whole = r->hash;
	}
	lh_xxh3_add(&r->hash, p, (size_t)(end - p));
	r->at += n;
}

int lh_key_read(struct lh_key_part *p, int fd, const char *name, enum lh_place place,
		uint64_t jobs, struct lh_xxh3_stream *hash, bool tail, struct lh_err *err)
{
	static const struct lh_flow_hooks hooks = { .rejected = rejected };
	struct reading r = {
		.part = p, .place = place, .hash = *hash, .whole = *hash, .at = p->end,
		.lines = p->lines, .base = p->lines, .tail = tail,
	};
	struct lh_flow flow = {
		.plain = true, .tombstones = true, .jobs = jobs, .show = show, .fill = fill,
		.result_size = sizeof(struct row), .bad = bad, .sink = sink, .shared = &r,
		.context_size = sizeof(struct mapper), .context_init = mapper_init,
		.context_free = mapper_free, .hooks = &hooks, .owner = &r,
	};
	size_t rows;

	if (lseek(fd, (off_t)p->end, SEEK_SET) < 0)
		return lh_err_sys(err, "%s", name);
	if (p->lines % LH_MARK_LINES == 0 && p->own_mark.n == p->lines / LH_MARK_LINES)
		mark(&r, p->lines, p->end);
	if (lh_flow_fd(name, fd, &flow, err) < 0)
		return -1;
	if (lh_stopping())
		return lh_err_set(err, LH_EINTR, "interrupted");
	if (r.failed.code) {
		*err = r.failed;
		return -1;
	}
	/* Remove what is of a last line without LF, and the mark of a line that does not exist. */
	rows = p->own_key.n;
	if (r.tail && r.at > p->end) {
		r.lines++;
		p->end = r.at;
	}
	while (rows && (uint32_t)p->own_key.v[rows - 1] > r.lines)
		rows--;
	p->own_key.n = rows;
	p->rows -= r.last > r.lines;
	p->own_mark.n = (r.lines + LH_MARK_LINES - 1) / LH_MARK_LINES;
	p->lines = r.lines;
	p->digest = lh_xxh3_end(&r.whole);
	return 0;
}

int lh_key_hash(struct lh_xxh3_stream *hash, int fd, const char *name, uint64_t n,
		struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *piece = lh_calloc(PIECE, 1, err);
	uint64_t at = 0;
	ssize_t got = 1;

	if (!piece)
		return -1;
	lh_xxh3_begin(hash);
	while (at < n && !lh_stopping()) {
		got = pread(fd, piece, n - at < PIECE ? n - at : PIECE, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		lh_xxh3_add(hash, piece, (size_t)got);
		at += (uint64_t)got;
	}
	if (got < 0)
		return lh_err_sys(err, "%s", name);
	return at == n;
}
