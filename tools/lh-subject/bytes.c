/* bytes.c - search a stream of bytes, and what it decodes to.  See bytes.h. */
#include <stdio.h>

#include <lh/digest.h>

#include "base/mem.h"
#include "bytes_parts.h"
#include "flow/flow.h"
#include "json/bind.h"

#define WINDOW ((size_t)512 << 10)
#define BEFORE 256		/* bytes of the last window that are seen again, to decode by */
#define EXPANDS 16		/* escapes make a text so many times longer, most of the time */
#define LEVELS 3		/* of one encoding in another */

struct found {
	size_t at, text;
	unsigned how;		/* enum byte_kind of each level, two bits each; outermost lowest */
};

struct byte_search {
	struct byte_matcher m;
	struct level {
		unsigned char *p;	/* WINDOW bytes, and one more */
		size_t n;
		struct byte_form form;
		struct byte_cursor at;
	} level[LEVELS + 1];
	size_t depth;		/* of the level that is searched */
	size_t from, to;	/* hits that begin there are new */
	struct found *found;
	size_t n, cap;
	struct lh_err failed;
};

void byte_search_free(struct byte_search *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i <= LEVELS; i++)
		free(b->level[i].p);
	byte_matcher_free(&b->m);
	free(b->found);
	free(b);
}

static struct byte_search *new_search(struct lh_err *err)
{
	struct byte_search *b = lh_calloc(1, sizeof *b, err);
	size_t i;

	for (i = 0; b && i <= LEVELS; i++) {
		b->level[i].p = lh_calloc(WINDOW + 1, 1, err);
		if (!b->level[i].p) {
			byte_search_free(b);
			b = NULL;
		}
	}
	return b;
}

struct byte_search *byte_search_new(const struct byte_text *text, size_t n, struct lh_err *err)
{
	struct byte_search *b = new_search(err);

	if (b && byte_matcher_make(&b->m, text, n, err) == 0)
		return b;
	byte_search_free(b);
	return NULL;
}

/* ---- hashes ---- */

struct marker {
	struct lh_str sha256;
	uint64_t bytes;
};
static const struct lh_bind marker_members[] = {
	{ LH_BIND_STRING("sha256", struct marker, sha256), .required = true,
	  .is = lh_bind_is_sha256, .what = "SHA-256 in hex" },
	{ LH_BIND_U64("bytes", struct marker, bytes, 1, BYTE_TEXT_MAX), .required = true },
	LH_BIND_END
};

static int read_marker(struct lh_record *rec, void *result, struct lh_buf *text, void *context,
		       struct lh_err *err)
{
	struct marker *marker = result;
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };

	(void)context;
	if (lh_bind(marker_members, rec, marker, &strings, err) < 0)
		return -1;
	lh_buf_add(text, marker->sha256.p, marker->sha256.n);
	return 1;
}

static int add_marker(const struct lh_output *o, void *shared, struct lh_err *err)
{
	struct byte_matcher *m = &((struct byte_search *)shared)->m;
	size_t bytes = ((const struct marker *)o->result)->bytes, i, cap = m->n_lengths;
	unsigned char hash[32];

	lh_unhex(o->text, o->n, hash);
	if (lh_hashset_add(&m->hashes, hash, NULL, err) < 0)
		return -1;
	for (i = 0; i < m->n_lengths && m->length[i] != bytes; i++)
		;
	if (i < m->n_lengths)
		return 0;
	if (lh_grow(&m->length, &cap, i + 1, sizeof *m->length, err) < 0)
		return -1;
	m->length[m->n_lengths++] = bytes;
	if (m->longest < bytes)
		m->longest = bytes;
	return 0;
}

struct byte_search *byte_search_hashes(const char *path, struct lh_err *err)
{
	struct byte_search *b = new_search(err);

	if (b && lh_flow_file(path, &(struct lh_flow){
			.fill = read_marker, .result_size = sizeof(struct marker),
			.sink = add_marker, .shared = b }, err) == 0)
		return b;
	byte_search_free(b);
	return NULL;
}

const void *byte_search_hash(const struct byte_search *b, size_t text)
{
	return b->m.hashes.entry + LH_HASH_SIZE * text;
}

/* ---- a window ---- */

static void note(void *ctx, size_t text, size_t at, bool base64)
{
	struct byte_search *b = ctx;
	unsigned how = base64 ? BYTE_BASE64 << 2 * b->depth : 0;
	size_t d, k;

	for (d = b->depth; d; d--) {
		struct level *l = &b->level[d];

		k = byte_undecoded(&l->form, l[-1].p, l[-1].n, at, &l->at);
		if (at < l->at.edge)
			return;
		at = k;
		how |= (unsigned)l->form.kind << 2 * (d - 1);
	}
	if (at < b->from || at >= b->to ||
	    lh_grow(&b->found, &b->cap, b->n + 1, sizeof *b->found, &b->failed) < 0)
		return;
	b->found[b->n++] = (struct found){ at, text, how };
}

static void search_level(struct byte_search *b);

/* Decode the level that is searched, and search what that gives. */
static void search_decoded(struct byte_search *b, enum byte_kind kind, size_t shift)
{
	struct level *l = &b->level[b->depth];

	/* the text may be encoded in what is decoded, too */
	l[1].form = (struct byte_form){ kind, shift, 3 * b->m.longest + 16 + BYTE_EDGE };
	l[1].n = byte_decode(&l[1].form, l->p, l->n, l[1].p);
	if (!l[1].n)
		return;
	l[1].p[l[1].n] = 0;
	l[1].at = (struct byte_cursor){ .in = 0 };
	b->depth++;
	search_level(b);
	b->depth--;
}

/* Return whether base64 comes from before the window, so that where it began is not known. */
static bool is_inside_base64(const struct level *l)
{
	size_t i;

	for (i = 0; i < BEFORE && i < l->n && byte_base64_value[l->p[i]] < 64; i++)
		;
	return i == BEFORE;
}

static void search_level(struct byte_search *b)
{
	struct level *l = &b->level[b->depth];
	size_t shift, shifts;

	byte_match(&b->m, l->p, l->n, note, b);
	if (b->depth == LEVELS)
		return;
	if (memchr(l->p, '\\', l->n))
		search_decoded(b, BYTE_JSON, 0);
	if (memchr(l->p, '%', l->n))
		search_decoded(b, BYTE_PERCENT, 0);
	shifts = b->m.n_lengths || is_inside_base64(l) ? 4 : 1;
	for (shift = 0; shift < shifts; shift++)
		search_decoded(b, BYTE_BASE64, shift);
}

static int by_place(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->text != y->text)
		return x->text < y->text ? -1 : 1;
	return (x->how > y->how) - (x->how < y->how);
}

static void name_form(unsigned how, char to[40])
{
	static const char *const name[BYTE_KINDS] = { "raw", "json", "percent", "base64" };

	int n = snprintf(to, 40, "%s", name[how & 3]);

	for (how >>= 2; how & 3; how >>= 2)
		n += snprintf(to + n, 40 - (size_t)n, "+%s", name[how & 3]);
}

/* Pass on what was found in a window that is at an offset, each text in its simplest form. */
static int pass_on(struct byte_search *b, uint64_t base, const char *member, byte_hit_fn *fn,
		   void *ctx, struct lh_err *err)
{
	struct byte_hit hit = { .member = member };
	char how[40];
	size_t i;
	int rc = 0;

	if (b->n)
		qsort(b->found, b->n, sizeof *b->found, by_place);
	for (i = 0; i < b->n && !rc; i++) {
		const struct found *f = &b->found[i];

		if (i && f[-1].at == f->at && f[-1].text == f->text)
			continue;
		name_form(f->how, how);
		hit.text = f->text;
		hit.at = base + f->at;
		hit.how = how;
		rc = fn(ctx, &hit, err);
	}
	b->n = 0;
	return rc;
}

int byte_search_stream(struct byte_search *b, byte_read_fn *read, void *from, const char *member,
		       byte_hit_fn *fn, void *ctx, struct lh_err *err)
{
	size_t ahead = EXPANDS * b->m.longest + 64, keep;
	struct level *l = &b->level[0];
	uint64_t base = 0;
	ssize_t got = 1;
	int rc = 0;

	l->n = b->from = 0;
	while (!rc && got > 0) {
		while (l->n < WINDOW && (got = read(from, l->p + l->n, WINDOW - l->n, err)) > 0)
			l->n += (size_t)got;
		if (got < 0)
			return -1;
		b->to = got ? l->n - ahead : l->n;
		l->p[l->n] = 0;
		search_level(b);
		if (b->failed.code) {
			*err = b->failed;
			return -1;
		}
		rc = pass_on(b, base, member, fn, ctx, err);
		keep = b->to > BEFORE ? b->to - BEFORE : 0;
		memmove(l->p, l->p + keep, l->n - keep);
		l->n -= keep;
		base += keep;
		b->from = b->to - keep;
	}
	return rc;
}

static ssize_t read_text(void *from, void *p, size_t n, struct lh_err *err)
{
	struct lh_str *rest = from;

	(void)err;
	n = n < rest->n ? n : rest->n;
	memcpy(p, rest->p, n);
	rest->p += n;
	rest->n -= n;
	return (ssize_t)n;
}

int byte_search_text(struct byte_search *b, struct lh_str text, const char *member,
		     byte_hit_fn *fn, void *ctx, struct lh_err *err)
{
	return byte_search_stream(b, read_text, &text, member, fn, ctx, err);
}
