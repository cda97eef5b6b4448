/* index_file.c - a mapped index file, every part checked before use. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/gone.h"
#include "base/mem.h"
#include "index_parts.h"
#include "index_tools.h"

static const char *const kinds[LH_INDEX_KINDS] = {
	"header", "parameters", "rows", "levels", "upper links", "id offsets",
	"ids", "id hash", "metadata offsets", "metadata", "exact vectors", "order",
	"row lengths", "terms", "term texts", "postings", "signs",
};

const char *lh_index_kind_name(uint32_t kind)
{
	return kind < LH_INDEX_KINDS ? kinds[kind] : "unknown section";
}

/* The kind of file comes before its checksum, which another version or byte order may
 * store elsewhere. */
static int check_identity(const struct lh_index_header *h, size_t n, struct lh_err *err)
{
	if (n == 0)
		return lh_err_set(err, LH_ECORRUPT, "not an index: the file is empty");
	if (n < 8 || memcmp(h->magic, LH_INDEX_MAGIC, 8) != 0)
		return lh_err_set(err, LH_ECORRUPT, "not an index: the magic number is wrong");
	if (n < LH_INDEX_PAGE)
		return lh_err_set(err, LH_ECORRUPT, "truncated: %zu bytes, not even a header", n);
	if (h->byte_order == __builtin_bswap32(LH_INDEX_BYTE_ORDER))
		return lh_err_set(err, LH_ECORRUPT, "written in the other byte order");
	if (h->byte_order != LH_INDEX_BYTE_ORDER)
		return lh_err_set(err, LH_ECORRUPT, "header: the byte-order mark is damaged");
	if (h->version > LH_INDEX_FORMAT)
		return lh_err_set(
			err, LH_ECORRUPT,
			"format version %u is newer than %d, the newest that this program reads",
			h->version, LH_INDEX_FORMAT);
	if (h->version < 1)
		return lh_err_set(err, LH_ECORRUPT, "header: version %u", h->version);
	if (lh_xxh3(h, offsetof(struct lh_index_header, xxh3)) != h->xxh3)
		return lh_err_set(err, LH_ECORRUPT, "header: the checksum is wrong");
	return 0;
}

/* Sections must follow each other without a gap, so that none overlaps another. */
static int check_sections(const struct lh_index_header *h, size_t n, struct lh_err *err)
{
	static const struct lh_index_section none;
	uint64_t at = LH_INDEX_PAGE, pages;
	uint32_t i, last = 0;

	if (h->file_bytes != n)
		return lh_err_set(err, LH_ECORRUPT, "%s: %zu bytes, the header says %llu",
				  n < h->file_bytes ? "truncated" : "too long", n,
				  (unsigned long long)h->file_bytes);
	if (h->n_sections > LH_INDEX_SECTIONS)
		return lh_err_set(err, LH_ECORRUPT, "header: %u sections", h->n_sections);
	for (i = 0; i < h->n_sections; i++) {
		const struct lh_index_section *s = &h->section[i];

		if (s->kind <= last || s->at != at || s->bytes > n - at)
			return lh_err_set(err, LH_ECORRUPT,
					  "header: entry %u of the section table is damaged", i);
		pages = lh_index_round(s->bytes, LH_INDEX_PAGE);
		if (pages > n - at)
			return lh_err_set(err, LH_ECORRUPT,
					  "header: entry %u of the section table is damaged", i);
		at += pages;
		last = s->kind;
	}
	for (; i < LH_INDEX_SECTIONS; i++)
		if (memcmp(&h->section[i], &none, sizeof none) != 0)
			return lh_err_set(err, LH_ECORRUPT,
					  "header: entry %u of the section table is damaged", i);
	if (at != n)
		return lh_err_set(err, LH_ECORRUPT, "header: the sections end at %llu of %zu bytes",
				  (unsigned long long)at, n);
	return 0;
}

static const struct lh_index_section *section(const struct lh_index *ix, uint32_t kind)
{
	static const struct lh_index_section none;
	const struct lh_index_header *h = &ix->header;
	uint32_t i;

	for (i = 0; i < h->n_sections; i++)
		if (h->section[i].kind == kind)
			return &h->section[i];
	return &none;
}

static const void *section_data(const struct lh_index *ix, uint32_t kind)
{
	return ix->map.p + section(ix, kind)->at;
}

static int check_section_bytes(const struct lh_index *ix, uint32_t kind, uint64_t want,
			       struct lh_err *err)
{
	uint64_t is = section(ix, kind)->bytes;

	if (is == want)
		return 0;
	return lh_err_set(err, LH_ECORRUPT, "%s: %llu bytes where there must be %llu",
			  lh_index_kind_name(kind), (unsigned long long)is,
			  (unsigned long long)want);
}

static bool is_old(const struct lh_index *ix)
{
	return ix->header.version < LH_INDEX_FORMAT;
}

static int open_params(struct lh_index *ix, struct lh_err *err)
{
	const struct lh_index_section *s = section(ix, LH_INDEX_PARAMS);
	LH_SCOPED(lh_buf_free) struct lh_buf copy = { 0 };
	int rc;

	if (!s->bytes || s->bytes > LH_INDEX_PARAMS_MAX)
		return lh_err_set(err, LH_ECORRUPT, "parameters: %llu bytes",
				  (unsigned long long)s->bytes);
	lh_buf_init(&copy, LH_INDEX_PARAMS_MAX);
	lh_buf_add(&copy, ix->map.p + s->at, s->bytes);
	rc = lh_buf_check(&copy, err);
	if (rc == 0 && lh_xxh3(copy.p, copy.len) != s->xxh3)
		rc = lh_err_set(err, LH_ECORRUPT, "parameters: the checksum is wrong");
	return rc ? rc : lh_index_params_read(copy.p, copy.len, is_old(ix), &ix->params, err);
}

static int refuse_old(struct lh_err *err)
{
	static const char what[] = "file vector index of an earlier format";
	char line[LH_GONE_ROOM];

	lh_gone("", what, sizeof what - 1, line);
	lh_err_set(err, LH_ECORRUPT, "%s", line);
	err->status = LH_INDEX_OLD;
	return -1;
}

/* Of a file of an earlier format, rows are where its header says. */
static int check_shape(const struct lh_index *ix, struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;
	size_t code = lh_index_code_bytes(&ix->params);

	if (is_old(ix) ? h->vector_at + code <= h->stride :
	    h->stride == ix->shape.stride && !h->vector_at)
		return 0;
	return lh_err_set(err, LH_ECORRUPT,
			  "header: the layout of a row does not fit dimension %u and m %u",
			  ix->params.dimension, ix->params.m);
}

static int open_rows(struct lh_index *ix, const struct lh_index_header *h, struct lh_err *err)
{
	const struct lh_index_params *p = &ix->params;

	ix->rows = h->rows;
	ix->graph = !is_old(ix) && section(ix, LH_INDEX_ORDER)->bytes > 0;
	lh_index_get_shape(p, ix->graph, &ix->shape);
	ix->stride = h->stride;
	ix->vector_at = h->vector_at;
	if (h->rows > LH_INDEX_ROWS_MAX)
		return lh_err_set(err, LH_ECORRUPT, "header: %llu rows",
				  (unsigned long long)h->rows);
	if (p->outside > h->rows)
		return lh_err_set(err, LH_ECORRUPT, "parameters: %u of %llu rows are outside "
				  "the graph", p->outside, (unsigned long long)h->rows);
	if (check_shape(ix, err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_ROWS, ix->rows * ix->stride, err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_EXACT, ix->rows * lh_index_exact_bytes(p), err) < 0)
		return -1;
	ix->block = section_data(ix, LH_INDEX_ROWS);
	if (p->rescore)
		ix->exact = section_data(ix, LH_INDEX_EXACT);
	return 0;
}

static int open_graph(struct lh_index *ix, const struct lh_index_header *h, struct lh_err *err)
{
	size_t signs = ix->graph && ix->params.code_values ?
			       lh_qg_sign_bytes(lh_index_lifted(&ix->params)) :
			       0;

	if (is_old(ix))
		return 0;
	ix->entry = h->entry;
	if (check_section_bytes(ix, LH_INDEX_LEVELS, 0, err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_UPPER, 0, err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_SIGNS, signs, err) < 0)
		return -1;
	if (ix->graph && ix->params.distance == LH_IP && !(ix->params.longest > 0))
		return lh_err_set(err, LH_ECORRUPT, "parameters: missing longest (number)");
	if (ix->graph && (ix->entry >= ix->rows - ix->params.outside || h->top))
		return lh_err_set(err, LH_ECORRUPT,
				  "header: the graph begins at row %u of %llu, level %u", ix->entry,
				  (unsigned long long)ix->rows, h->top);
	ix->signs = signs ? section_data(ix, LH_INDEX_SIGNS) : NULL;
	return 0;
}

/* Files of the oldest format have no order: their rows are stored in the order of the puts. */
static int open_order(struct lh_index *ix, struct lh_err *err)
{
	if (!section(ix, LH_INDEX_ORDER)->bytes)
		return 0;
	if (check_section_bytes(ix, LH_INDEX_ORDER, 4 * ix->rows, err) < 0)
		return -1;
	ix->order = section_data(ix, LH_INDEX_ORDER);
	return 0;
}

static int open_texts(struct lh_index *ix, struct lh_err *err)
{
	uint64_t slots = section(ix, LH_INDEX_ID_HASH)->bytes / 8;
	bool bounded = ix->header.version >= 2;

	if (check_section_bytes(ix, LH_INDEX_ID_AT, 8 * (ix->rows + 1), err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_META_AT, 8 * (ix->rows + 1), err) < 0 ||
	    check_section_bytes(ix, LH_INDEX_ID_HASH, 8 * slots, err) < 0)
		return -1;
	if ((slots & (slots - 1)) || (ix->rows && slots <= ix->rows))
		return lh_err_set(err, LH_ECORRUPT, "id hash: %llu slots for %llu rows",
				  (unsigned long long)slots, (unsigned long long)ix->rows);
	ix->id_at = section_data(ix, LH_INDEX_ID_AT);
	ix->meta_at = section_data(ix, LH_INDEX_META_AT);
	ix->ids = section_data(ix, LH_INDEX_IDS);
	ix->ids_n = section(ix, LH_INDEX_IDS)->bytes;
	ix->metas = section_data(ix, LH_INDEX_METAS);
	ix->metas_n = section(ix, LH_INDEX_METAS)->bytes;
	ix->hash = section_data(ix, LH_INDEX_ID_HASH);
	ix->hash_slots = slots;
	ix->hash_probes = bounded && slots > LH_INDEX_PROBES ? LH_INDEX_PROBES : slots;
	ix->id_seed = bounded ? ix->header.id_seed : 0;
	return 0;
}

static int open_lexical(struct lh_index *ix, struct lh_err *err)
{
	struct lh_str run[4];
	uint32_t i;

	for (i = 0; i < 4; i++) {
		if (!ix->params.lexical &&
		    check_section_bytes(ix, LH_INDEX_LENGTHS + i, 0, err) < 0)
			return -1;
		run[i] = (struct lh_str){ section_data(ix, LH_INDEX_LENGTHS + i),
					  section(ix, LH_INDEX_LENGTHS + i)->bytes };
	}
	if (!ix->params.lexical)
		return 0;
	switch (lh_lexical_open(&ix->lexical, ix->rows, run)) {
	case LH_LEXICAL_BAD_LENGTHS:
		return check_section_bytes(ix, LH_INDEX_LENGTHS, 4 * ix->rows, err);
	case LH_LEXICAL_BAD_TERMS:
		return lh_err_set(err, LH_ECORRUPT, "%s: %zu bytes are not a list of terms",
				  lh_index_kind_name(LH_INDEX_TERMS), run[1].n);
	default:
		/* These sections are read in runs of pages. */
		if (run[3].p > run[0].p)
			madvise((void *)(uintptr_t)run[0].p,
				(size_t)(run[3].p - run[0].p) + run[3].n, MADV_NORMAL);
		return 0;
	}
}

int lh_index_read_header(struct lh_index *ix, struct lh_err *err)
{
	size_t n = ix->map.n;

	memcpy(&ix->header, ix->map.p, n < sizeof ix->header ? n : sizeof ix->header);
	return check_identity(&ix->header, n, err) < 0 ? -1 :
		       check_sections(&ix->header, n, err);
}

int lh_index_open_mapped(struct lh_index *ix, struct lh_err *err)
{
	const struct lh_index_header *h = &ix->header;

	/* Before the first access, which could read megabytes ahead.  A walk reads
	 * pages at random: reading around each of them would read, and count as our
	 * memory, ten times what it uses. */
	if (ix->map.n)
		madvise((void *)(uintptr_t)ix->map.p, ix->map.n, MADV_RANDOM);
	if (lh_index_read_header(ix, err) < 0)
		return -1;
	ix->checksum = h->xxh3;
	if (is_old(ix) && !ix->reads_old)
		return refuse_old(err);
	if (open_params(ix, err) < 0 || open_rows(ix, h, err) < 0 || open_graph(ix, h, err) < 0 ||
	    open_order(ix, err) < 0 || open_texts(ix, err) < 0)
		return -1;
	return open_lexical(ix, err);
}

/* Name the file that is not an index; a plan of shards, which earlier versions made, is easily
 * taken for one. */
static int not_opened(const char *path, struct lh_err *err)
{
	static const char begin[] = "{\"format\":1,\"by\":", what[] = "file plan of shards";
	char head[sizeof begin - 1], line[LH_GONE_ROOM];
	int fd = err->code == LH_ECORRUPT ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool plan = fd >= 0 && pread(fd, head, sizeof head, 0) == sizeof head &&
		    !memcmp(head, begin, sizeof head);

	if (fd >= 0)
		close(fd);
	if (plan && lh_gone("", what, sizeof what - 1, line))
		lh_err_set(err, LH_EUSAGE, "%s", line);
	return lh_err_prefix(err, "%s", path);
}

static int open_file(struct lh_index *ix, const char *path, struct lh_err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0)
		return lh_err_sys(err, "%s", path);
	rc = fstat(fd, &st) < 0 ? lh_err_sys(err, "cannot read") : lh_mapped_fd(&ix->map, fd, err);
	close(fd);
	if (rc == 0) {
		ix->dev = st.st_dev;
		ix->ino = st.st_ino;
		rc = lh_index_open_mapped(ix, err);
	}
	return rc < 0 ? not_opened(path, err) : 0;
}

static struct lh_index *open_base(const char *path, bool old, struct lh_err *err)
{
	struct lh_index *ix = lh_calloc(1, sizeof *ix);

	ix->torn_at = -1;
	ix->reads_old = old;
	if (open_file(ix, path, err) < 0) {
		lh_index_close(ix);
		return NULL;
	}
	return ix;
}

struct lh_index *lh_index_open_base(const char *path, struct lh_err *err)
{
	return open_base(path, false, err);
}

/* Return whether another file is now at the path. */
static bool is_replaced(const struct lh_index *ix, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_dev != ix->dev || st.st_ino != ix->ino);
}

/* The log of an index is next to the file, not next to a link to it. */
int lh_index_resolve_link(const char *path, char **real, struct lh_err *err)
{
	struct stat st;

	*real = NULL;
	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode))
		return 0;
	*real = realpath(path, NULL);
	return *real ? 0 : lh_err_sys(err, "%s", path);
}

int lh_index_refuse_link(const char *path, struct lh_err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return lh_not_regular(path, st.st_mode, err);
	return 0;
}

static struct lh_index_common *lh_index_common_new(const char *path, const char *real,
						   struct lh_stamp *log);

static void lh_index_common_drop(struct lh_index_common *c);

static struct lh_index *open_once(const char *given, const char *path, bool old, bool *moved,
				  struct lh_err *err)
{
	struct lh_stamp log;
	struct lh_index_common *common = lh_index_common_new(given, path, &log);
	struct lh_index *ix = open_base(path, old, err);

	if (!ix) {
		lh_index_common_drop(common);
		return NULL;
	}
	ix->common = common;
	ix->log_stamp = log;
	common->map = ix->map;
	if (lh_index_log_replay(ix, path, err) < 0) {
		lh_err_prefix(err, "%s", path);
		lh_index_close(ix);
		return NULL;
	}
	*moved = is_replaced(ix, path);
	return ix;
}

/* Index and log are replaced one after the other: a pair opened in between is opened
 * again.  The limit is for a path that never stops changing. */
static struct lh_index *open_both(const char *path, bool old, struct lh_err *err)
{
	struct lh_index *ix = NULL;
	bool moved = true;
	char *real;
	int tries;

	for (tries = 0; moved && tries <= 100; tries++) {
		lh_index_close(ix);
		if (lh_index_resolve_link(path, &real, err) < 0)
			return NULL;
		ix = open_once(path, real ? real : path, old, &moved, err);
		free(real);
		if (!ix)
			return NULL;
	}
	return ix;
}

struct lh_index *lh_index_open(const char *path, struct lh_err *err)
{
	return open_both(path, false, err);
}

struct lh_index *lh_index_open_old(const char *path, struct lh_err *err)
{
	return open_both(path, true, err);
}

void lh_index_close(struct lh_index *ix)
{
	if (!ix || atomic_fetch_sub(&ix->others, 1) > 0)
		return;
	lh_index_log_free(ix);
	if (ix->common)
		lh_index_common_drop(ix->common);
	else
		lh_mapped_close(&ix->map);
	free(ix);
}

const struct lh_index_params *lh_index_get_params(const struct lh_index *ix)
{
	return &ix->params;
}

void lh_index_get_stats(const struct lh_index *ix, struct lh_index_stats *st)
{
	uint32_t i;

	st->live = ix->rows - ix->n_hidden + ix->n_pending - ix->n_dead;
	st->base = ix->rows;
	st->pending = ix->logged_puts;
	st->deleted = ix->logged_deletes;
	st->file_bytes = ix->map.n;
	st->section_bytes = 0;
	for (i = 0; i < ix->header.n_sections; i++)
		st->section_bytes += ix->header.section[i].bytes;
	st->format = ix->header.version;
	st->torn_at = ix->torn_at;
}

void lh_index_generation(const struct lh_index *ix, char to[LH_INDEX_GENERATION])
{
	snprintf(to, LH_INDEX_GENERATION, "%016" PRIx64 "+%" PRIu64, ix->checksum,
		 ix->logged_puts + ix->logged_deletes);
}

uint64_t lh_index_rows(const struct lh_index *ix)
{
	return ix->rows + ix->n_pending;
}

int lh_index_row_text(const struct lh_index *ix, uint32_t kind, uint64_t row, struct lh_str *out,
		      struct lh_err *err)
{
	const uint64_t *offset = kind == LH_INDEX_IDS ? ix->id_at : ix->meta_at;
	uint64_t n = kind == LH_INDEX_IDS ? ix->ids_n : ix->metas_n;
	uint64_t at = lh_once64(&offset[row]), end = lh_once64(&offset[row + 1]);

	if (at > end || end > n)
		return lh_err_set(err, LH_ECORRUPT, "%s: the offsets of row %llu are damaged",
				  lh_index_kind_name(kind), (unsigned long long)row);
	*out = (struct lh_str){ (kind == LH_INDEX_IDS ? ix->ids : ix->metas) + at, end - at };
	return 0;
}

int lh_index_base_row(const struct lh_index *ix, uint64_t row, struct lh_row *out,
		      struct lh_err *err)
{
	if (lh_index_row_text(ix, LH_INDEX_IDS, row, &out->id, err) < 0 ||
	    lh_index_row_text(ix, LH_INDEX_METAS, row, &out->meta, err) < 0)
		return -1;
	if (out->id.n < 1 || out->id.n > LH_ID_MAX || !lh_utf8_valid(out->id.p, out->id.n))
		return lh_err_set(err, LH_ECORRUPT, "ids: the id of row %llu is damaged",
				  (unsigned long long)row);
	return 0;
}

int lh_index_row(const struct lh_index *ix, uint64_t row, struct lh_row *out, struct lh_err *err)
{
	const struct lh_pending *p;

	if (row < ix->rows) {
		if (lh_index_hidden(ix, row))
			return 0;
		return lh_index_base_row(ix, row, out, err) < 0 ? -1 : 1;
	}
	if (row - ix->rows >= ix->n_pending)
		return 0;
	p = &ix->pending[row - ix->rows];
	if (p->dead)
		return 0;
	*out = (struct lh_row){ p->id, p->meta };
	return 1;
}

int64_t lh_index_nth(const struct lh_index *ix, uint64_t i, struct lh_err *err)
{
	uint32_t row;

	if (!ix->order || i >= ix->rows)
		return (int64_t)i;
	row = lh_once32(&ix->order[i]);
	if (row >= ix->rows)
		return lh_err_set(err, LH_ECORRUPT, "order: entry %llu is damaged",
				  (unsigned long long)i);
	return row;
}

int lh_index_nth_row(const struct lh_index *ix, uint64_t i, uint64_t *row, struct lh_row *out,
		     struct lh_err *err)
{
	int64_t at = lh_index_nth(ix, i, err);

	*row = at < 0 ? i : (uint64_t)at;
	return at < 0 ? -1 : lh_index_row(ix, *row, out, err);
}

void lh_index_vector(const struct lh_index *ix, uint64_t row, float *out)
{
	const struct lh_index_params *p = &ix->params;

	if (row >= ix->rows)
		memcpy(out, ix->pending[row - ix->rows].vector, p->dimension * sizeof *out);
	else if (ix->exact)
		memcpy(out, lh_index_exact(ix, row), p->dimension * sizeof *out);
	else
		lh_quantize_decode(p->precision, lh_index_code(ix, row), p->dimension, out);
}

int64_t lh_index_base_find(const struct lh_index *ix, const char *id, size_t n, struct lh_err *err)
{
	uint32_t want = (uint32_t)lh_xxh3_seeded(id, n, ix->id_seed), row;
	uint64_t slot, tried;
	struct lh_str is;

	for (tried = 0; tried < ix->hash_probes; tried++) {
		slot = (want + tried) & (ix->hash_slots - 1);
		row = lh_once32(&ix->hash[2 * slot + 1]);
		if (!row)
			return -1;
		if (ix->hash[2 * slot] != want)
			continue;
		if (row > ix->rows) {
			lh_err_set(err, LH_ECORRUPT, "id hash: slot %llu is damaged",
				   (unsigned long long)slot);
			return -2;
		}
		if (lh_index_row_text(ix, LH_INDEX_IDS, row - 1, &is, err) < 0)
			return -2;
		if (is.n == n && memcmp(is.p, id, n) == 0)
			return row - 1;
	}
	if (tried == ix->hash_slots)
		return -1;
	lh_err_set(err, LH_ECORRUPT, "id hash: no slot is free in %llu", (unsigned long long)tried);
	return -2;
}

uint64_t lh_index_longest_run(const uint32_t *hash, uint64_t slots)
{
	uint64_t i, run = 0, longest = 0;

	/* Twice around, since a run may continue at the start. */
	for (i = 0; i < 2 * slots && longest < slots; i++) {
		run = hash[2 * (i & (slots - 1)) + 1] ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	return longest;
}

int64_t lh_index_find(const struct lh_index *ix, const char *id, size_t n, struct lh_err *err)
{
	int64_t row = ix->n_pending ? lh_index_log_find(ix, id, n) : -1;

	if (row >= 0)
		return (int64_t)ix->rows + row;
	row = lh_index_base_find(ix, id, n, err);
	return row >= 0 && lh_index_hidden(ix, (uint64_t)row) ? -1 : row;
}

int lh_index_check_id(const char *id, size_t n, struct lh_err *err)
{
	if (n == 0)
		return lh_err_set(err, LH_EDATA, "empty id");
	if (n > LH_ID_MAX)
		return lh_err_data(err, 413, "id of %zu bytes: at most %d", n, LH_ID_MAX);
	if (!lh_utf8_valid(id, n))
		return lh_err_set(err, LH_EDATA, "id is not UTF-8");
	return 0;
}

int lh_index_check_vector(const struct lh_index_params *p, const float *v, size_t n,
			  struct lh_err *err)
{
	size_t i;

	if (n != p->dimension)
		return lh_err_set(err, LH_EDATA, "vector of dimension %zu, the index has %u", n,
				  p->dimension);
	if (!lh_vec_finite(v, n))
		return lh_err_set(err, LH_EDATA, "vector holds NaN or infinity");
	for (i = 0; p->distance == LH_COSINE && i < n && v[i] == 0; i++)
		;
	if (p->distance == LH_COSINE && i == n)
		return lh_err_set(err, LH_EDATA, "zero vector has no direction (cosine)");
	return p->distance == LH_COSINE ? 0 : lh_quantize_check(p->precision, v, p->dimension, err);
}

/* ---- reopen an index that has changed ---- */

/* Create the shared part of a snapshot, before its files are opened: the identities of
 * both files are read here, that of the log into *log. */
static struct lh_index_common *lh_index_common_new(const char *path, const char *real,
						   struct lh_stamp *log)
{
	struct lh_index_common *c = lh_calloc(1, sizeof *c);

	c->path = lh_strndup(path, strlen(path));
	c->log = lh_index_sibling_path(real, LH_INDEX_LOG);
	lh_stamp_take(&c->file, c->path);
	lh_stamp_take(log, c->log);
	return c;
}

static void lh_index_common_drop(struct lh_index_common *c)
{
	if (!c || atomic_fetch_sub(&c->others, 1) > 0)
		return;
	lh_mapped_close(&c->map);
	free(c->path);
	free(c->log);
	free(c);
}

bool lh_index_stale(const struct lh_index *ix)
{
	return !lh_stamp_fits(&ix->common->file, ix->common->path) ||
	       !lh_stamp_fits(&ix->log_stamp, ix->common->log);
}

/* Extend a snapshot by what was appended to its log.  NULL with LH_OK when file or log
 * was replaced. */
static struct lh_index *extend_snapshot(const struct lh_index *ix, struct lh_err *err)
{
	struct lh_index *to = lh_calloc(1, sizeof *to);
	int rc;

	*to = *ix;
	atomic_init(&to->others, 0);
	atomic_fetch_add(&to->common->others, 1);
	to->pending = NULL;
	to->hidden = NULL;
	to->log = NULL;
	to->n_pending = 0;
	lh_stamp_take(&to->log_stamp, to->common->log);
	rc = lh_index_log_extend(to, ix, err);
	if (rc > 0 && lh_stamp_fits(&to->common->file, to->common->path))
		return to;
	lh_index_close(to);
	if (rc >= 0)
		err->code = LH_OK;
	return NULL;
}

struct lh_index *lh_index_renew(struct lh_index *ix, struct lh_err *err)
{
	struct lh_index *to = NULL;

	if (!lh_index_stale(ix)) {
		atomic_fetch_add(&ix->others, 1);
		return ix;
	}
	if (lh_stamp_fits(&ix->common->file, ix->common->path)) {
		to = extend_snapshot(ix, err);
		if (!to && err->code != LH_OK)
			return NULL;
	}
	return to ? to : lh_index_open(ix->common->path, err);
}
