/* writer.c - the rows of a new file, their order and their ids.  See writer.h. */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "index_tools.h"

/* ---- gather rows in the layout of the file ---- */

struct lh_str lh_index_writer_id(const struct lh_index_writer *w, uint64_t row)
{
	const uint64_t *at = (const uint64_t *)w->id_at.p;
	uint64_t end = row + 1 < w->rows ? at[row + 1] : w->ids.n;

	return (struct lh_str){ w->ids.p + at[row], end - at[row] };
}

struct lh_str lh_index_writer_meta(const struct lh_index_writer *w, uint64_t row)
{
	return (struct lh_str){ w->metas.p + ((const uint64_t *)w->meta_at.p)[row],
				((const uint32_t *)w->meta_n.p)[row] };
}

static struct lh_str id_at(const void *ctx, uint32_t row)
{
	return lh_index_writer_id(ctx, row);
}

void lh_index_choose_codes(struct lh_index_params *p)
{
	p->code_values = lh_qg_code_values(lh_index_lifted(p), p->precision);
}

struct lh_index_writer *lh_index_writer_bare(const char *path, const struct lh_index_params *p,
					     struct lh_err *err)
{
	struct lh_index_writer *w;

	if (lh_index_check_params(p, err) < 0) {
		err->code = LH_EUSAGE;
		return NULL;
	}
	w = lh_calloc(1, sizeof *w);
	w->p = *p;
	w->p.longest = w->p.outside = 0;
	w->block.huge = true;
	w->path = lh_strndup(path, strlen(path));
	return w;
}

struct lh_index_writer *lh_index_writer_new(const char *path, const struct lh_index_params *p,
					    double lock_timeout, struct lh_err *err)
{
	struct lh_index_writer *w = lh_index_writer_bare(path, p, err);
	char *name;

	if (!w)
		return NULL;
	name = lh_index_sibling_path(path, LH_INDEX_LOCK);
	w->locked = lh_lock_take(&w->lock, name, path, lock_timeout, err) == 0;
	free(name);
	if (!w->locked) {
		lh_index_writer_free(w);
		return NULL;
	}
	return w;
}

void lh_index_writer_free(struct lh_index_writer *w)
{
	if (!w)
		return;
	if (w->out_open)
		lh_atomic_close(&w->out);
	if (w->locked)
		lh_lock_drop(&w->lock);
	lh_growable_free(&w->block);
	lh_growable_free(&w->exact);
	free(w->unit);
	lh_growable_free(&w->ids);
	lh_growable_free(&w->metas);
	lh_growable_free(&w->id_at);
	lh_growable_free(&w->meta_at);
	lh_growable_free(&w->meta_n);
	lh_table_free(&w->by_id);
	lh_growable_free(&w->hash);
	lh_lexical_build_free(w->words);
	free(w->links);
	free(w->order);
	free(w->stored_at);
	free(w->old_order);
	free(w->number_of);
	free(w->from);
	free(w->in_graph);
	lh_record_free(&w->scan);
	lh_buf_free(&w->meta);
	free(w->path);
	free(w);
}

struct lh_index_params *lh_index_writer_params(struct lh_index_writer *w)
{
	return &w->p;
}

uint64_t lh_index_writer_count(const struct lh_index_writer *w)
{
	return w->rows;
}

/* ---- rows ---- */

static void *lh_index_writer_code(struct lh_index_writer *w, uint64_t row)
{
	return w->block.p + row * w->stride;
}

static void *lh_index_writer_exact(struct lh_index_writer *w, uint64_t row)
{
	return w->exact.p + row * lh_index_exact_bytes(&w->p);
}

/* Reserve room in every region first, so that a row is added completely or not at all. */
static int make_room(struct lh_index_writer *w, size_t id_len, struct lh_err *err)
{
	if (w->rows >= LH_INDEX_ROWS_MAX)
		return lh_err_data(err, 413, "more than %u rows", LH_INDEX_ROWS_MAX);
	lh_growable_room(&w->block, w->stride);
	lh_growable_room(&w->ids, id_len);
	lh_growable_room(&w->exact, lh_index_exact_bytes(&w->p));
	lh_growable_room(&w->id_at, 16);
	lh_growable_room(&w->meta_at, 16);
	lh_growable_room(&w->meta_n, 4);
	return 0;
}

static uint64_t add_row(struct lh_index_writer *w, const char *id, size_t id_len)
{
	uint64_t row = w->rows++;

	((uint64_t *)w->id_at.p)[row] = w->ids.n;
	w->id_at.n += 8;
	w->meta_at.n += 8;
	w->meta_n.n += 4;
	memcpy(w->ids.p + w->ids.n, id, id_len);
	w->ids.n += id_len;
	w->block.n += w->stride;
	w->exact.n += lh_index_exact_bytes(&w->p);
	return row;
}

/* Set the dimension, and where the parts of a row are. */
static void lh_index_set_layout(struct lh_index_writer *w, uint32_t dimension)
{
	struct lh_index_shape shape;

	if (!w->unit)
		w->unit = lh_calloc(dimension, sizeof *w->unit);
	w->p.dimension = dimension;
	lh_index_choose_codes(&w->p);
	lh_index_get_shape(&w->p, false, &shape);
	w->stride = shape.stride;
}

static int check_put(struct lh_index_writer *w, const char *id, size_t id_len, const float *vector,
		     size_t n, size_t meta_len, struct lh_err *err)
{
	struct lh_index_params p = w->p;

	if (!p.dimension) {
		if (n < 1 || n > LH_DIM_MAX)
			return lh_err_set(err, LH_EDATA, "vector of dimension %zu: 1 to %d", n,
					  LH_DIM_MAX);
		p.dimension = (uint32_t)n;
	}
	if (meta_len > UINT32_MAX)
		return lh_err_data(err, 413, "metadata of %zu bytes: at most %u", meta_len,
				   UINT32_MAX);
	if (lh_index_check_id(id, id_len, err) < 0 || lh_index_check_vector(&p, vector, n, err) < 0)
		return -1;
	lh_index_set_layout(w, p.dimension);
	return 0;
}

/* Find or add the row of that id, and set its metadata. */
static int lh_index_writer_add(struct lh_index_writer *w, const char *id, size_t id_len,
			       const char *meta, size_t meta_len, uint64_t *row, struct lh_err *err)
{
	struct lh_str key = { id, id_len };
	int64_t known = lh_table_find(&w->by_id, key, id_at, w);

	if (make_room(w, id_len, err) < 0)
		return -1;
	lh_growable_room(&w->metas, meta_len);
	if (known < 0)
		lh_table_set(&w->by_id, key, (uint32_t)w->rows, id_at, w);
	*row = known < 0 ? add_row(w, id, id_len) : (uint64_t)known;
	((uint64_t *)w->meta_at.p)[*row] = w->metas.n;
	((uint32_t *)w->meta_n.p)[*row] = (uint32_t)meta_len;
	if (meta_len)
		memcpy(w->metas.p + w->metas.n, meta, meta_len);
	w->metas.n += meta_len;
	return 0;
}

int lh_index_put(struct lh_index_writer *w, const char *id, size_t id_len, const float *vector,
		 size_t n, const char *meta, size_t meta_len, struct lh_err *err)
{
	uint64_t row;

	if (check_put(w, id, id_len, vector, n, meta_len, err) < 0 ||
	    lh_index_writer_add(w, id, id_len, meta, meta_len, &row, err) < 0)
		return -1;
	memcpy(w->unit, vector, n * sizeof *w->unit);
	if (w->p.distance == LH_COSINE)
		lh_vec_unit(w->unit, n);
	lh_quantize_encode(w->p.precision, w->p.distance, w->unit, w->p.dimension,
			   lh_index_writer_code(w, row));
	if (w->p.rescore)
		memcpy(lh_index_writer_exact(w, row), w->unit, n * sizeof *w->unit);
	return 0;
}

/* ---- copy rows and links from another index ---- */

/* Everything is copied first and then checked, as the file may be written to meanwhile. */

#define GONE_PART 4	/* a graph is built again when more than a quarter of its rows is gone */

/* Report a failed check as damage of that section of the source. */
static int damage_of(uint32_t kind, struct lh_err *err)
{
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return err->code == LH_ECORRUPT ? lh_err_prefix(err, "%s", lh_index_kind_name(kind)) : -1;
}

/* Copy the id and metadata of a row that is new to the writer. */
static int copy_texts(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		      uint64_t *row, struct lh_err *err)
{
	struct lh_row r;
	char id[LH_ID_MAX];

	if (lh_index_base_row(ix, from, &r, err) < 0)
		return -1;
	memcpy(id, r.id.p, r.id.n);
	if (lh_index_check_id(id, r.id.n, err) < 0)
		return damage_of(LH_INDEX_IDS, err);
	if (lh_index_check_row_meta(&w->scan, &w->meta, r.meta, from, err) < 0)
		return damage_of(LH_INDEX_METAS, err);
	if (lh_index_writer_add(w, id, r.id.n, w->meta.p, w->meta.len, row, err) < 0)
		return -1;
	if (w->rows == w->rows_before)
		return lh_err_set(err, LH_ECORRUPT, "ids: row %llu has the id of another row",
				  (unsigned long long)from);
	w->rows_before = w->rows;
	return 0;
}

int lh_index_copy_row(struct lh_index_writer *w, const struct lh_index *ix, uint64_t from,
		      struct lh_err *err)
{
	uint64_t row;
	void *code, *exact;

	lh_index_set_layout(w, ix->params.dimension);
	if (copy_texts(w, ix, from, &row, err) < 0)
		return -1;
	code = lh_index_writer_code(w, row);
	memcpy(code, lh_index_code(ix, from), lh_index_code_bytes(&w->p));
	if (lh_index_check_row_code(&w->p, code, w->unit, from, err) < 0)
		return damage_of(LH_INDEX_ROWS, err);
	if (ix == w->old) {
		w->number_of[from] = (uint32_t)row;
		w->from[w->kept++] = (uint32_t)from;
	}
	if (!w->p.rescore)
		return 0;
	exact = lh_index_writer_exact(w, row);
	memcpy(exact, lh_index_exact(ix, from), lh_index_exact_bytes(&w->p));
	return lh_index_check_row_vector(&w->p, exact, from, err) < 0 ?
		       damage_of(LH_INDEX_EXACT, err) :
		       0;
}

/* It was valid when it was stored, but its metadata may be those of a row of the file. */
int lh_index_copy_pending(struct lh_index_writer *w, const struct lh_pending *row,
			  struct lh_err *err)
{
	if (row->dead)
		return 0;
	if (lh_index_check_row_meta(&w->scan, &w->meta, row->meta, w->rows, err) < 0)
		return damage_of(LH_INDEX_METAS, err);
	if (lh_index_put(w, row->id.p, row->id.n, row->vector, w->p.dimension, w->meta.p,
			 w->meta.len, err) == 0)
		return 0;
	if (err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return -1;
}

/* Add a row whose vector is stored in another way. */
static int put_decoded(struct lh_index_writer *w, const struct lh_index *ix, uint64_t at,
		       const struct lh_row *row, struct lh_err *err)
{
	uint32_t n = ix->params.dimension;
	LH_SCOPED(lh_free_local) float *v = lh_calloc(n, sizeof *v);
	int rc = lh_index_check_row_meta(&w->scan, &w->meta, row->meta, at, err);

	if (rc == 0) {
		lh_index_vector(ix, at, v);
		rc = lh_index_put(w, row->id.p, row->id.n, v, n, w->meta.p, w->meta.len, err);
	}
	if (rc < 0 && err->code == LH_EDATA)
		err->code = LH_ECORRUPT;
	return rc;
}

int lh_index_writer_take(struct lh_index_writer *w, const struct lh_index *ix, uint64_t at,
			 const struct lh_row *row, struct lh_err *err)
{
	const struct lh_index_params *of = &ix->params;
	int rc;

	if (lh_table_find(&w->by_id, row->id, id_at, w) >= 0)
		return 0;
	if (at >= ix->rows)
		rc = lh_index_copy_pending(w, &ix->pending[at - ix->rows], err);
	else if (of->precision == w->p.precision && of->rescore == w->p.rescore)
		rc = lh_index_copy_row(w, ix, at, err);
	else
		rc = put_decoded(w, ix, at, row, err);
	return rc < 0 ? -1 : 1;
}

bool lh_index_writer_continue(struct lh_index_writer *w, const struct lh_index *ix, uint64_t gone)
{
	gone += ix->params.repaired;
	w->p.repaired = 0;
	if (!ix->graph || gone > ix->rows / GONE_PART)
		return false;
	w->p.repaired = (uint32_t)gone;
	w->number_of = lh_calloc(ix->rows, sizeof *w->number_of);
	memset(w->number_of, 0xff, ix->rows * sizeof *w->number_of);
	w->from = lh_calloc(ix->rows, sizeof *w->from);
	w->old = ix;
	return true;
}

int lh_index_copy_lanes(const struct lh_index *old, uint64_t row, uint32_t *links,
			struct lh_err *err)
{
	memcpy(links, old->block + row * old->stride + old->shape.ids_at,
	       2 * old->params.m * sizeof *links);
	return lh_index_check_lanes(old, links, row, err) < 0 ? damage_of(LH_INDEX_ROWS, err) : 0;
}

static int lh_index_copy_order(struct lh_index_writer *w, struct lh_err *err)
{
	uint64_t i, n = w->old->rows, kept = 0;
	LH_SCOPED(lh_free_local) bool *there = lh_calloc(n, sizeof *there);
	uint32_t row;

	w->old_order = lh_calloc(n, sizeof *w->old_order);
	for (i = 0; i < n; i++) {
		row = lh_once32(&w->old->order[i]);
		if (row >= n || there[row])
			return lh_err_set(err, LH_ECORRUPT, "order: entry %llu is row %u",
					  (unsigned long long)i, row);
		there[row] = true;
		if (w->number_of[row] < w->kept)
			w->old_order[kept++] = w->number_of[row];
	}
	return 0;
}

/* ---- decide the order in which the rows of an index are stored ---- */

/*
 * A search reads rows that link to each other.  If these are next to each other,
 * it touches fewer pages, which matters most for a file that is not cached, and
 * fewer cache lines.  The order is greedy, as in Gorder (Wei et al., 2016), but
 * by direct links only: the next row is the one to which most of the last WINDOW
 * rows link.
 */

#define WINDOW 64
#define NONE UINT32_MAX		/* end of a list */

/* Rows not yet placed, one list per number of links from the window; rows without such
 * links are in no list. */
struct queue {
	uint32_t *next, *prev;
	uint32_t head[WINDOW + 1], top;
	uint8_t *links;
	bool *placed;
};

static void queue_init(struct queue *q, uint64_t rows)
{
	uint32_t i;

	*q = (struct queue){
		.next = lh_calloc(rows, sizeof *q->next),
		.prev = lh_calloc(rows, sizeof *q->prev),
		.links = lh_calloc(rows, sizeof *q->links),
		.placed = lh_calloc(rows, sizeof *q->placed),
	};
	for (i = 0; i <= WINDOW; i++)
		q->head[i] = NONE;
}

static void queue_remove(struct queue *q, uint32_t row)
{
	if (!q->links[row])
		return;
	if (q->prev[row] == NONE)
		q->head[q->links[row]] = q->next[row];
	else
		q->next[q->prev[row]] = q->next[row];
	if (q->next[row] != NONE)
		q->prev[q->next[row]] = q->prev[row];
}

/* Count the links of a row that enters the window, or leaves it. */
static void count_links(struct queue *q, const struct lh_index_writer *w, uint32_t row, bool enters)
{
	uint32_t i, n = 2 * w->p.m, to, count;
	const uint32_t *links = lh_index_links_of(w, row);

	for (i = 0; i < n; i++) {
		to = links[i];
		if (q->placed[to])
			continue;
		queue_remove(q, to);
		count = q->links[to] += enters ? 1 : -1;
		if (!count)
			continue;
		q->prev[to] = NONE;
		q->next[to] = q->head[count];
		if (q->head[count] != NONE)
			q->prev[q->head[count]] = to;
		q->head[count] = to;
		if (count > q->top)
			q->top = count;
	}
}

static uint32_t queue_top(struct queue *q)
{
	while (q->top && q->head[q->top] == NONE)
		q->top--;
	return q->top ? q->head[q->top] : NONE;
}

uint32_t lh_index_nth_added(const struct lh_index_writer *w, uint64_t i)
{
	return i < w->kept ? w->old_order[i] : (uint32_t)i;
}

/* Place the rows that are outside the graph at the end; returns how many others there are. */
static uint64_t place_outside(struct lh_index_writer *w, struct queue *q)
{
	uint64_t linked = w->rows - w->p.outside, to = linked, next = 0;
	uint32_t row;

	for (row = 0; w->in_graph && row < w->rows; row++) {
		if (next < linked && w->in_graph[next] == row) {
			next++;
			continue;
		}
		q->placed[row] = true;
		w->order[to] = row;
		w->stored_at[row] = (uint32_t)to++;
	}
	return linked;
}

/* Begin at the entry of the graph; when no row is linked, go on with the first one in
 * the order of the puts. */
static void order_rows(struct lh_index_writer *w, struct queue *q)
{
	uint64_t i, first = 0, linked = place_outside(w, q);
	uint32_t row = w->entry;

	for (i = 0; i < linked; i++) {
		if (i)
			row = queue_top(q);
		while (row == NONE || q->placed[row])
			row = lh_index_nth_added(w, first++);
		queue_remove(q, row);
		q->placed[row] = true;
		w->order[i] = row;
		w->stored_at[row] = (uint32_t)i;
		count_links(q, w, row, true);
		if (i >= WINDOW - 1)
			count_links(q, w, w->order[i - (WINDOW - 1)], false);
	}
}

int lh_index_order_rows(struct lh_index_writer *w, struct lh_err *err)
{
	struct queue q;

	if (!w->linked)
		return 0;
	if (w->old && lh_index_copy_order(w, err) < 0)
		return -1;
	w->order = lh_calloc(w->rows, sizeof *w->order);
	w->stored_at = lh_calloc(w->rows, sizeof *w->stored_at);
	queue_init(&q, w->rows);
	order_rows(w, &q);
	free(q.next);
	free(q.prev);
	free(q.links);
	free(q.placed);
	return 0;
}

/* ---- the hash table of ids ---- */

/*
 * Ids may have been chosen to collide.  The seed of their hashes is 0 unless a
 * look-up would then read more than LH_INDEX_PROBES slots; further seeds are
 * derived from all ids together.  So ids cannot be chosen for the seeds that will
 * be tried, and the same ids always give the same table.
 */

#define SEED_TRIES 64	/* for ids not chosen to collide, the first one will do */

/* Derive the seed of that number from all ids, in the stored order. */
static uint64_t draw_seed(const struct lh_index_writer *w, uint64_t number)
{
	struct lh_xxh3_stream s;
	struct lh_str id;
	uint64_t i;

	lh_xxh3_begin_seeded(&s, number);
	for (i = 0; i < w->rows; i++) {
		id = lh_index_writer_id(w, lh_index_row_at(w, i));
		lh_xxh3_add(&s, id.p, id.n);
	}
	return lh_xxh3_end(&s);
}

/* Fill the table; false when a look-up would read too many slots. */
static bool fill_table(const struct lh_index_writer *w, uint32_t *hash, uint64_t slots,
		       uint64_t seed)
{
	uint64_t i, at, tried;
	struct lh_str id;
	uint32_t sum;

	memset(hash, 0, 8 * slots);
	for (i = 0; i < w->rows; i++) {
		id = lh_index_writer_id(w, lh_index_row_at(w, i));
		sum = (uint32_t)lh_xxh3_seeded(id.p, id.n, seed);
		at = sum & (slots - 1);
		for (tried = 0; hash[2 * at + 1]; at = (at + 1) & (slots - 1))
			if (++tried == LH_INDEX_PROBES)
				return false;
		hash[2 * at] = sum;
		hash[2 * at + 1] = (uint32_t)i + 1;
	}
	return lh_index_longest_run(hash, slots) < LH_INDEX_PROBES;
}

int lh_index_build_id_table(struct lh_index_writer *w, struct lh_err *err)
{
	uint64_t slots = 16, seed = 0, i;

	lh_table_free(&w->by_id);
	if (!w->rows)
		return 0;
	while (slots < 2 * w->rows)
		slots *= 2;
	lh_growable_room(&w->hash, 8 * slots);
	w->hash.n = 8 * slots;
	for (i = 0; !fill_table(w, (uint32_t *)(void *)w->hash.p, slots, seed);
	     seed = draw_seed(w, i))
		if (++i > SEED_TRIES)
			return lh_err_set(err, LH_EDATA, "ids that collide under each of %d seeds",
					  SEED_TRIES);
	w->id_seed = seed;
	return 0;
}
