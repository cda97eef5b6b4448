/* gunzip.c - undo gzip with zlib.  See gunzip.h. */
#include "gunzip.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"

#define CHUNK (256u << 10)
#define GZIP_ONLY (15 + 16)	/* inflateInit2: the largest window, a gzip header */

struct lh_gunzip {
	ssize_t (*source)(void *ctx, const void **p);
	void *ctx;
	z_stream z;
	bool in_member, any;
	unsigned char chunk[CHUNK];
};

struct lh_gunzip *lh_gunzip_new(ssize_t (*source)(void *ctx, const void **p), void *ctx,
				struct lh_err *err)
{
	struct lh_gunzip *g = lh_calloc(1, sizeof *g);

	g->source = source;
	g->ctx = ctx;
	if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g);
		lh_err_nomem(err);
		return NULL;
	}
	return g;
}

void lh_gunzip_free(struct lh_gunzip *g)
{
	if (g)
		inflateEnd(&g->z);
	free(g);
}

/* Get more input: 1, 0 at its end, -1. */
static int fill_input(struct lh_gunzip *g)
{
	const void *p;
	ssize_t n = g->source(g->ctx, &p);

	if (n <= 0)
		return (int)n;
	g->z.next_in = (unsigned char *)p;
	g->z.avail_in = (unsigned)n;
	return 1;
}

/* Between members: 1 if another one begins, 0 at the end, -1. */
static int next_member(struct lh_gunzip *g, struct lh_err *err)
{
	int rc;

	for (;;) {
		while (g->any && g->z.avail_in && !*g->z.next_in) {
			g->z.next_in++;
			g->z.avail_in--;
		}
		if (g->z.avail_in)
			break;
		rc = fill_input(g);
		if (rc <= 0)
			return rc;
	}
	if (g->any && *g->z.next_in != 0x1f)
		return lh_err_set(err, LH_EIO,
				  "damaged: there is something else after the gzip data");
	if (inflateReset(&g->z) != Z_OK)
		return lh_err_nomem(err);
	g->in_member = g->any = true;
	return 1;
}

static int report_damage(struct lh_gunzip *g, int rc, struct lh_err *err)
{
	if (rc == Z_MEM_ERROR)
		return lh_err_nomem(err);
	return lh_err_set(err, LH_EIO, "damaged: gzip: %s", g->z.msg ? g->z.msg : "invalid data");
}

ssize_t lh_gunzip_read(struct lh_gunzip *g, const void **p, struct lh_err *err)
{
	int rc;

	g->z.next_out = g->chunk;
	g->z.avail_out = sizeof g->chunk;
	while (g->z.avail_out == sizeof g->chunk) {
		if (!g->in_member) {
			rc = next_member(g, err);
			if (rc <= 0)
				return rc;
		}
		if (!g->z.avail_in) {
			rc = fill_input(g);
			if (rc < 0)
				return -1;
			if (!rc)
				return lh_err_set(err, LH_EIO, "damaged: gzip: truncated");
		}
		rc = inflate(&g->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END)
			g->in_member = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return report_damage(g, rc, err);
	}
	*p = g->chunk;
	return (ssize_t)(sizeof g->chunk - g->z.avail_out);
}
