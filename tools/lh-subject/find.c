/* find.c - the hits of a person in all places.  See subject.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "index/index.h"
#include "base/num.h"

#include "base/mem.h"
#include "base/signal.h"
#include "base/utf8.h"
#include "file/file.h"
#include "find.h"
#include "flow/flow.h"
#include "index/index_tools.h"
#include "store/store.h"
#include "subject.h"

/* ---- hits ---- */

void row_hash(struct lh_str row, unsigned char hash[LH_HASH_SIZE])
{
	const size_t mark = lh_mark_len(row.p, row.n);

	row = lh_trim(row.p + mark, row.n - mark);
	lh_sha256(row.p, row.n, hash);
}

int hit_add(struct find *f, struct hit h, struct lh_str row)
{
	struct hits *to = f->hits;

	h.members = h.members ? h.members : lh_strndup("[]", 2);
	lh_grow(&to->v, &to->cap, to->n + 1, sizeof h);
	to->v[to->n++] = h;
	return to->row && row.n ? to->row(to->ctx, &to->v[to->n - 1], row, f->err) : 0;
}

struct hit hit_of_match(const struct find *f, size_t i, uint64_t line, struct lh_str row)
{
	struct hit h = { .place = i, .line = line, .by = f->m.by, .also = f->m.also,
			 .how = f->m.how, .others = f->m.others, .via = NO_HIT, .hashed = true,
			 .members = lh_strndup(f->m.members.p, f->m.members.len) };

	row_hash(row, h.sha256);
	return h;
}

void hits_free(struct hits *h)
{
	while (h->n) {
		free(h->v[--h->n].id);
		free(h->v[h->n].members);
	}
	free(h->v);
	*h = (struct hits){ .n = 0 };
}

/* ---- rows of a place ---- */

int find_read(struct find *f, size_t i)
{
	int rc;

	lh_buf_reset(&f->text);
	f->text.max = PLACE_WHOLE_MAX;
	rc = lh_file_read(f->s->places.v[i].path, &f->text, f->err);
	f->text.max = 0;
	lh_buf_room(&f->text, LH_PAD);
	return rc;
}

/* Search a file that is one JSON text; any other is searched by its lines. */
static int find_whole(struct find *f, size_t i)
{
	struct lh_str row;
	struct lh_value v;
	struct hit hit;
	int rc = find_read(f, i);

	if (rc <= 0)
		return rc;
	if (lh_json_parse(&f->rec, f->text.p, f->text.len, &v, f->err) < 0)
		return f->err->code == LH_EDATA ? find_lines(f, i) : -1;
	if (!person_match(f->who, &v, false, &f->m))
		return 0;
	row = (struct lh_str){ f->text.p, f->text.len };
	hit = hit_of_match(f, i, 1, row);
	hit.whole = true;
	return hit_add(f, hit, row);
}

static int find_secret(struct find *f, size_t i)
{
	const struct hit hit = { .place = i, .by = HIT_ID, .line = 1, .via = NO_HIT };

	return place_is_own(&f->s->places.v[i], f->who->id)
		? hit_add(f, hit, NO_ROW) : 0;
}

static bool row_may_have(const struct find *f, const struct lh_row *row)
{
	return !person_is_quick(f->who) || lh_str_is(row->id, f->who->id.p, f->who->id.n) ||
	       person_may_be_in(f->who, row->meta.p, row->meta.n);
}

/* Search a record of an index, as {"id","metadata"}; its vector is kept with it. */
static int find_record(struct find *f, size_t i, const struct lh_index *ix, uint64_t at,
		       const struct lh_row *row)
{
	const uint32_t n = f->hits->row ? lh_index_get_params(ix)->dimension : 0;
	LH_SCOPED(lh_free_local) float *vector = NULL;
	struct lh_writer w;
	struct lh_value v;
	struct hit hit;

	lh_buf_reset(&f->text);
	w = lh_write_to(&f->text);
	lh_write_object(&w, NULL);
	lh_write_str(&w, "id", row->id);
	if (row->meta.n)
		lh_write_raw(&w, "metadata", row->meta);
	lh_write_end(&w);
	lh_buf_room(&f->text, LH_PAD);
	if (lh_json_parse(&f->rec, f->text.p, f->text.len, &v, f->err) < 0)
		return lh_err_prefix(f->err, "%s: %.*s", f->s->places.v[i].path,
				     (int)row->id.n, row->id.p);
	if (!person_match(f->who, &v, true, &f->m))
		return 0;
	hit = hit_of_match(f, i, 0, (struct lh_str){ f->text.p, f->text.len });
	if (n) {
		vector = lh_calloc(n, sizeof *vector);
		lh_index_vector(ix, at, vector);
		w = lh_write_again(&f->text);
		lh_write_key(&w, "vector");
		lh_buf_f32s(&f->text, vector, n);
		lh_write_end(&w);
	}
	hit.id = lh_strndup(row->id.p, row->id.n);
	return hit_add(f, hit, (struct lh_str){ f->text.p, f->text.len });
}

int find_index(struct find *f, size_t i)
{
	const struct place *p = &f->s->places.v[i];
	struct lh_index *ix;
	struct lh_row row;
	uint64_t at, n;
	int rc;

	if (p->kind == PLACE_KEPT && access(p->path, F_OK) < 0 && errno == ENOENT)
		return 0;	/* a search may just have removed it */
	ix = lh_index_open(p->path, f->err);
	n = ix ? lh_index_rows(ix) : 0;
	for (at = 0, rc = ix ? 0 : -1; rc >= 0 && at < n; at++) {
		rc = lh_index_row(ix, at, &row, f->err);
		if (rc > 0 && row_may_have(f, &row))
			rc = find_record(f, i, ix, at, &row);
		if (rc >= 0 && lh_stopping())
			rc = lh_err_set(f->err, LH_EINTR, "interrupted");
	}
	lh_index_close(ix);
	return rc < 0 ? -1 : 0;
}

static int find_in_place(struct find *f, size_t i)
{
	static int (*const by[])(struct find *f, size_t i) = {
		[ROWS_INDEX] = find_index, [ROWS_WHOLE] = find_whole,
		[ROWS_SECRET] = find_secret, [ROWS_LINES] = find_lines
	};
	const int rows = place_is[f->s->places.v[i].kind].rows;

	return rows ? by[rows](f, i) : 0;
}

/* ---- a list of rows ---- */

struct listed {
	struct lh_str path, sha256, snapshot, id;
};
static const struct lh_bind listed_members[] = {
	{ LH_BIND_STRING("path", struct listed, path) },
	{ LH_BIND_STRING("sha256", struct listed, sha256) },
	{ LH_BIND_STRING("snapshot", struct listed, snapshot) },
	{ LH_BIND_STRING("candidate_id", struct listed, id) },
	LH_BIND_END
};

/* Append the path and the hash of a row, by which it is known. */
static void put_listed(struct lh_buf *text, struct lh_str path, const char *hex)
{
	lh_buf_add(text, path.p, path.n);
	lh_buf_putc(text, '\0');
	lh_buf_add(text, hex, 2 * LH_HASH_SIZE);
}

/* Take the person of a row, who is the same in all. */
static int take_id(struct settings *s, struct lh_str id, struct lh_err *err)
{
	const struct lh_str is = { s->listed_id.p, s->listed_id.len };

	if (!id.n || lh_str_is(id, is.p, is.n))
		return 0;
	if (is.n)
		return lh_err_set(err, LH_EUSAGE, "is of another person, \"%.*s\", than the rows "
				  "before, \"%.*s\"; each person has a list of its own",
				  (int)id.n, id.p, (int)is.n, is.p);
	lh_buf_add(&s->listed_id, id.p, id.n);
	return 0;
}

/* Take a line of --list, unless it is a summary, or of a place without a row. */
static int take_listed(struct lh_record *rec, void *result, struct lh_buf *out, void *settings,
		       struct lh_err *err)
{
	LH_SCOPED(lh_buf_free) struct lh_buf strings = { 0 };
	struct listed row = { .path.p = NULL };
	struct settings *s = settings;
	uint32_t number;

	(void)result;
	if (lh_bind(listed_members, rec, &row, &strings, err) < 0)
		return -1;
	if (row.snapshot.p)
		return lh_err_set(err, LH_EUSAGE, "is of a snapshot, and --list has rows of the "
				  "state: --snapshots erases there");
	if (!row.path.p || row.sha256.n != 2 * LH_HASH_SIZE)
		return 0;
	if (take_id(s, row.id, err) < 0)
		return -1;
	put_listed(out, row.path, row.sha256.p);
	return lh_intern_add(&s->listed, out->p, out->len, &number, err);
}

static int pass(const struct lh_output *o, void *shared, struct lh_err *err)
{
	(void)o, (void)shared, (void)err;
	return 0;
}

int read_listed(struct settings *s, struct lh_err *err)
{
	return !s->list ? 0 : lh_flow_file(s->list, &(struct lh_flow){
			.fill = take_listed, .result_size = 1, .sink = pass, .shared = s }, err);
}

/* Return 0 if there is no list, 1 if it has the row, or -1. */
static int is_listed(const struct settings *s, const struct hit *h)
{
	LH_SCOPED(lh_buf_free) struct lh_buf text = { 0 };
	char hex[2 * LH_HASH_SIZE];

	if (!s->list || h->by == HIT_BYTES)
		return 0;
	lh_hex(h->sha256, LH_HASH_SIZE, hex);
	put_listed(&text, lh_str_of(s->places.v[h->place].path), hex);
	return h->hashed && lh_intern_find(&s->listed, text.p, text.len) >= 0 ? 1 : -1;
}

/* ---- order ---- */

static int by_place(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (!x->id || !y->id)
		return (x->id != NULL) - (y->id != NULL);
	return strcmp(x->id, y->id);
}

/* The strongest reason of a row first, and then the one that was found first. */
static int by_hit(const void *a, const void *b)
{
	const struct hit *x = a, *y = b;
	const int c = by_place(x, y);

	if (c || x->by != y->by)
		return c ? c : x->by < y->by ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Give what a weaker reason says of a row to the hit that stays, and free the rest. */
static void merge(struct hit *stays, struct hit *weaker)
{
	char *members = weaker->members;

	if (stays->by == HIT_LINEAGE && (weaker->by == HIT_TEXT || weaker->by == HIT_NUMBER)) {
		stays->names = true;
		members = stays->members;
		stays->members = weaker->members;
	}
	free(members);
	free(weaker->id);
}

/* Sort hits, and keep of several of one row the one by the strongest reason. */
static void settle(struct hits *h)
{
	LH_SCOPED(lh_free_local) size_t *now = lh_calloc(h->n + 1, sizeof *now);
	size_t i, n = 0;

	for (i = 0; i < h->n; i++)
		h->v[i].number = i;
	if (h->n)
		qsort(h->v, h->n, sizeof *h->v, by_hit);
	for (i = 0; i < h->n; i++) {
		const size_t number = h->v[i].number;

		if (n && !by_place(&h->v[n - 1], &h->v[i]))
			merge(&h->v[n - 1], &h->v[i]);
		else
			h->v[n++] = h->v[i];
		now[number] = n - 1;
	}
	h->n = n;
	for (i = 0; i < n; i++)
		if (h->v[i].via != NO_HIT)
			h->v[i].via = now[h->v[i].via];
}

/* ---- what is in no row: names and attributes of files, bytes of indexes and databases ---- */

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

static void add_bytes(struct find *f, size_t place, enum hit_in in, size_t text,
		      const char *attribute)
{
	const enum place_kind kind = f->s->places.v[place].kind;
	const struct hit hit = {
		.place = place, .by = HIT_BYTES, .in = in, .text = text, .via = NO_HIT,
		.id = attribute ? lh_strndup(attribute, strlen(attribute)) : NULL,
		.deleted = place_is[kind].bytes == BYTES_INDEX || kind == PLACE_CACHE
	};

	hit_add(f, hit, NO_ROW);
}

static void on_text(void *ctx, size_t text, size_t at, size_t len, enum lh_text_how how)
{
	struct bytes *b = ctx;
	const struct person *who = b->f->who;

	(void)len, (void)how;
	if (b->found || at < b->from || at >= b->to)
		return;
	if ((text ? who->also[text - 1] : who->id).n < BY_CHANCE &&
	    lh_index_in_numbers(b->fd, b->base + at))
		return;
	b->found = true;
	add_bytes(b->f, b->place, HIT_RAW, text, NULL);
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
			const char *attribute)
{
	struct seen seen;

	person_look(f->who, text, &f->text, &seen);
	if (seen.id || seen.text)
		add_bytes(f, place, in, seen.id ? 0 : seen.text, attribute);
}

static int on_id(void *ctx, struct lh_str id, struct lh_err *err)
{
	struct bytes *b = ctx;
	struct seen seen;

	(void)err;
	person_look(b->f->who, id, &b->f->text, &seen);
	if (!seen.id && !seen.text)
		return 0;
	add_bytes(b->f, b->place, HIT_IDS, seen.id ? 0 : seen.text, NULL);
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
		search_text(f, place, HIT_ATTRIBUTE, (struct lh_str){ to, (size_t)got }, name);
		search_text(f, place, HIT_ATTRIBUTE, lh_str_of(name), name);
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

/* Search an index and the log beside it, unless records of it are found, with which all that was
 * deleted goes too, or others have the texts and nothing was deleted. */
static int find_deleted(struct bytes *b, const struct place *p)
{
	LH_SCOPED(lh_free_local) char *path = lh_index_sibling_path(p->path, LH_INDEX_LOG);
	struct bytes log = { .f = b->f, .place = b->place };
	int rc = 0;

	if (b->f->has[b->place] & HAS_OWN)
		return 0;
	log.fd = access(path, F_OK) < 0 ? -1 : lh_open_regular(path, O_RDONLY, 0, b->f->err);
	if (log.fd >= 0 || !b->f->has[b->place])
		rc = search_index(b);
	if (log.fd >= 0 && !rc && !b->found)
		rc = search_index(&log);
	if (log.fd >= 0)
		close(log.fd);
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
		return !lh_index_is(b->fd) || b->f->has[b->place] & HAS_OWN ? 0 : search_index(b);
	default:
		return 0;		/* of an index and its log with the index */
	}
}

static int find_bytes(struct find *f, size_t i)
{
	const struct place *p = &f->s->places.v[i];
	struct bytes b = { .f = f, .place = i };
	int rc;

	if (!place_is_named_after(f->s, p->path, f->who->id))
		search_text(f, i, HIT_NAME, lh_str_of(name_of(p)), NULL);
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

/* ---- what is to be done with a hit ---- */

/* Return why a hit in a place that is not the person's own can be taken out by hand alone; NULL: it
 * can be erased. */
static const char *by_hand(const struct place *p, const struct hit *h)
{
	if (h->in == HIT_ATTRIBUTE)
		return "in an extended attribute";
	if (p->why)
		return p->why;
	if (h->in == HIT_NAME)	/* which goes with a file that is removed as a whole */
		return place_is[p->kind].cut == CUT_FILE ? NULL : "in its name";
	if (h->in == HIT_PACKED)
		return "packed again in what is packed";
	if (h->in == HIT_RAW && (p->kind == PLACE_CURSOR || p->kind == PLACE_ERASURE))
		return "not rows";
	if (p->kind == PLACE_OBJECT && h->id)
		return "packed with others";
	return p->kind == PLACE_MANIFEST || ((h->by != HIT_LINEAGE || h->names) &&
			(p->kind == PLACE_RECEIPT || p->kind == PLACE_DATASET))
		? "it names the person" : NULL;
}

/* Return whether others may have what was found, too: it is to be looked at. */
static bool is_common(const struct settings *s, const struct person *who, const struct hit *h)
{
	/* nothing is lost with a file of the cache of lh-search */
	const bool text_too = s->want.text_too ||
			      (place_is_kept(&s->places.v[h->place]) && !s->list);

	if (h->by == HIT_BYTES)
		return !text_too && (h->in == HIT_NAME || h->in == HIT_RAW) &&
		       (h->text || who->number) && !h->deleted;
	return (h->by == HIT_NUMBER || (h->by == HIT_TEXT && !text_too)) &&
	       is_listed(s, h) <= 0;
}

/* Set what is done with a hit. */
static void hit_judge(const struct settings *s, const struct person *who, struct hit *h)
{
	const struct place *p = &s->places.v[h->place];
	const bool common = is_common(s, who, h), own = h->by != HIT_BYTES && !common &&
							place_is_own(p, who->id);

	h->why = common || own || place_is_list(p) ? NULL : by_hand(p, h);
	if (place_is_list(p) || (own && !h->also))
		h->rest = REST_KEPT;
	else if (common)
		h->rest = REST_LOOK;
	else
		h->rest = h->why ? REST_BY_HAND : is_listed(s, h) < 0 ? REST_UNLISTED : REST_LEFT;
}

/* ---- all ---- */

static void find_free(struct find *f)
{
	free(f->has);
	lh_buf_free(&f->pairs);
	free(f->named);
	lh_intern_free(&f->names);
	lh_buf_free(&f->m.members);
	lh_buf_free(&f->text);
	lh_record_free(&f->rec);
}

int find_in(struct lh_tool *tool, struct settings *s, struct person *who, struct hits *hits,
	    size_t place, struct lh_err *err)
{
	LH_SCOPED(find_free) struct find f = { tool, s, who, hits, err, .by_name = false };

	return find_in_place(&f, place);
}

int find_person(struct lh_tool *tool, struct settings *s, struct person *who, struct hits *hits,
		struct lh_err *err)
{
	LH_SCOPED(find_free) struct find f = { tool, s, who, hits, err, .by_name = false };
	size_t i;

	if (find_datasets(&f) < 0)
		return -1;
	for (i = 0; i < s->places.n; i++)
		if (find_in_place(&f, i) < 0)
			return -1;
	if (find_in_roots(&f) < 0 || find_named(&f) < 0)
		return -1;
	settle(hits);
	f.has = lh_calloc(s->places.n + 1, 1);
	for (i = 0; i < hits->n; i++)
		f.has[hits->v[i].place] |= hits->v[i].by <= HIT_LINEAGE ? HAS_ANY | HAS_OWN
									: HAS_ANY;
	for (i = 0; who->thorough && i < s->places.n; i++) {
		if (find_bytes(&f, i) < 0)
			return -1;
		if (!s->lines)
			lh_tool_progress(tool, i + 1);
	}
	settle(hits);
	for (i = 0; i < hits->n; i++)
		hit_judge(s, who, &hits->v[i]);
	return 0;
}
