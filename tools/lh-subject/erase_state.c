/* erase_state.c - what the parts of an erasure share: places as they are, locked roots.  See
 * erase.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lh/digest.h>
#include <lh/index.h>

#include "archive/archive.h"
#include "base/mem.h"
#include "erase.h"
#include "file/rows.h"
#include "store/store.h"

#define BLOCK ((size_t)256 << 10)

const struct place *place_named(const struct erasure *e, const char *path)
{
	size_t i;

	for (i = 0; i < e->s->places.n; i++)
		if (!strcmp(e->s->places.v[i].path, path))
			return &e->s->places.v[i];
	return NULL;
}

int erase_hash_file(int fd, struct was *now, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_calloc(1, BLOCK);
	struct lh_sha256 hash;
	unsigned char sum[32];
	ssize_t n = 1;

	lh_sha256_start(&hash);
	while (n > 0 && (n = lh_read_some(fd, block, BLOCK, err)) > 0) {
		lh_sha256_more(&hash, block, (size_t)n);
		now->bytes += (uint64_t)n;
	}
	lh_sha256_end(&hash, sum);
	lh_hex(sum, sizeof sum, now->sha256);
	return n < 0 ? -1 : 0;
}

static int count_lines(int fd, const char *path, uint64_t *rows, struct lh_err *err)
{
	struct lh_rows *r = lh_rows_new();
	struct lh_file_row row;
	int rc = lh_rows_open_fd(r, fd, path, err);

	while (rc > 0 && (rc = lh_rows_next(r, &row, err)) > 0)
		++*rows;
	lh_rows_free(r);
	return rc;
}

/* Count the lines of an object, which may be compressed. */
static int count_object(int fd, uint64_t *rows, struct lh_err *err)
{
	LH_SCOPED(lh_free_local) char *block = lh_calloc(1, BLOCK);
	LH_SCOPED(lh_byte_source_close) struct lh_byte_source from = { .fd = -1 };
	char name[40], last = '\n';
	ssize_t n = 0, i;
	int rc;

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	rc = lseek(fd, 0, SEEK_SET) == 0 ? lh_byte_source_open(&from, name, err) : -1;
	if (!rc)
		rc = lh_byte_source_next(&from, err);
	while (rc > 0 && (n = lh_byte_source_read(&from, block, BLOCK, err)) > 0) {
		for (i = 0; i < n; i++)
			*rows += block[i] == '\n';
		last = block[n - 1];
	}
	*rows += last != '\n';
	return rc < 0 || n < 0 ? -1 : 0;
}

static int count_records(const char *path, uint64_t *rows, struct lh_err *err)
{
	struct lh_index *ix = lh_index_open(path, err);
	struct lh_index_stats st;

	if (!ix)
		return -1;
	lh_index_get_stats(ix, &st);
	*rows = st.live;
	lh_index_close(ix);
	return 0;
}

int state_of_place(struct erasure *e, const char *path, enum place_kind k, struct was *now)
{
	const struct place *p = place_named(e, path);
	struct lh_err *err = &e->tool->err;
	int fd, rc;

	*now = (struct was){ .path = NULL };
	if (!p || k == PLACE_TRACE_INDEX)	/* which is made anew by each that needs it */
		return 0;
	fd = place_open(p, err);
	if (fd < 0)
		return err->status == 404 || errno == ENOENT ? 0 : -1;
	rc = erase_hash_file(fd, now, err);
	if (!rc && (k == PLACE_INDEX || k == PLACE_PLAYBOOK))
		rc = count_records(path, &now->rows, err);
	else if (!rc && k == PLACE_OBJECT)
		rc = count_object(fd, &now->rows, err);
	else if (!rc && (k == PLACE_ROSTER || (k >= PLACE_LOG && k <= PLACE_REPLAYS)))
		rc = count_lines(fd, path, &now->rows, err);
	close(fd);
	return rc < 0 ? -1 : 0;
}

/* ---- roots ---- */

struct lh_root *erase_hold_root(struct erasure *e, const char *path)
{
	struct lh_err *err = &e->tool->err;
	struct held_root *h;
	size_t i;

	for (i = 0; i < e->n_held; i++)
		if (!strcmp(e->held[i].path, path))
			return e->held[i].root;
	lh_grow(&e->held, &e->cap_held, e->n_held + 1, sizeof *h);
	h = &e->held[e->n_held];
	*h = (struct held_root){ path, lh_root_open(path, err) };
	if (h->root && lh_root_lock(h->root, e->tool->lock_timeout, err) < 0) {
		lh_root_close(h->root);
		h->root = NULL;
	}
	e->n_held += h->root != NULL;
	return h->root;
}

void erase_release_roots(struct erasure *e)
{
	while (e->n_held)
		lh_root_close(e->held[--e->n_held].root);
}

/* ---- the person ---- */

void erase_add_also(struct erasure *e, struct lh_str text)
{
	size_t i, cap = e->who.n_also;
	char *copy;

	for (i = 0; i < e->who.n_also; i++)
		if (lh_str_is(text, e->who.also[i].p, e->who.also[i].n))
			return;
	copy = lh_strndup(text.p, text.n);
	lh_grow(&e->who.also, &cap, i + 1, sizeof text);
	e->who.also[e->who.n_also++] = (struct lh_str){ copy, text.n };
}
