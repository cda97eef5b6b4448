/* index_make.h - indexes for unit tests: rows by their numbers, changes, and what a check finds. */
#ifndef INDEX_MAKE_H
#define INDEX_MAKE_H

#include "check.h"
#include "index/index_parts.h"
#include "index/index_tools.h"

#define CHECK(x) check_why(x, err.msg)
#ifndef PATH
#define PATH "a.lhv"
#endif
#define LOG_PATH PATH "-log"

struct index_row {
	char id[16];		/* "id-N" unless a function says otherwise */
	float v[520];
	uint32_t dim;
	const char *meta;
};
typedef void index_row_fn(struct index_row *r, unsigned i);

static struct lh_err err;
static unsigned damages;	/* that the last check found; the last of them */
static char damage[256];
static uint64_t index_rng = 1;

/* Draw a whole number below n. */
static inline uint64_t index_draw(uint64_t n)
{
	index_rng = index_rng * 6364136223846793005u + 1442695040888963407u;
	return (index_rng >> 33) % n;
}

/* Draw a number from -1 to 1. */
static inline double index_real(void)
{
	return (double)index_draw(1u << 31) / (1u << 30) - 1;
}

static inline struct index_row index_row(index_row_fn *row, unsigned i)
{
	struct index_row r = { .dim = 0 };

	snprintf(r.id, sizeof r.id, "id-%u", i);
	row(&r, i);
	return r;
}

/* Build an index of the rows from one number to another. */
static inline void index_build(const struct lh_index_params *p, index_row_fn *row, unsigned from,
			       unsigned to, unsigned jobs)
{
	struct lh_index_writer *w = lh_index_writer_new(PATH, p, 1, &err);

	CHECK(w);
	for (unsigned i = from; i < to; i++) {
		struct index_row r = index_row(row, i);

		CHECK(lh_index_put(w, r.id, strlen(r.id), r.v, r.dim, r.meta,
				   r.meta ? strlen(r.meta) : 0, &err) == 0);
	}
	CHECK(lh_index_commit(w, jobs, &err) == 0);
	lh_index_writer_free(w);
}

static inline struct lh_index_change *index_begin(void)
{
	struct lh_index_change *c = lh_index_change_open(PATH, 1, &err);

	CHECK(c);
	return c;
}

static inline void index_put(struct lh_index_change *c, const struct index_row *r)
{
	CHECK(lh_index_change_put(c, r->id, strlen(r->id), r->v, r->dim, r->meta,
				  r->meta ? strlen(r->meta) : 0, &err) == 0);
}

static inline void index_end(struct lh_index_change *c)
{
	bool due;

	CHECK(lh_index_change_commit(c, &due, &err) == 0);
	lh_index_change_close(c);
}

/* Put the rows from one number to another. */
static inline void index_add(index_row_fn *row, unsigned from, unsigned to)
{
	struct lh_index_change *c = index_begin();

	for (unsigned i = from; i < to; i++) {
		struct index_row r = index_row(row, i);

		index_put(c, &r);
	}
	index_end(c);
}

static inline void index_on_damage(void *ctx, const char *section, const char *text)
{
	(void)ctx;
	CHECK(*section && *text);
	damages++;
	snprintf(damage, sizeof damage, "%s: %s", section, text);
}

static inline bool index_is_sound(void)
{
	damages = 0;
	*damage = '\0';
	CHECK(lh_index_verify(PATH, index_on_damage, NULL, &err) == 0);
	return !damages;
}

#endif
